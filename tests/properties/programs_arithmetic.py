"""Steps of random programs: elementwise operations, broadcasting, comparisons, reductions and products."""

from tests.properties.programs_maker import OTHER_FLOAT, Maker, Skip, Tensor, step
from tests.properties.programs_sizes import differ, number

UNARY = ("relu", "tanh", "sigmoid", "sin", "cos", "square", "abs", "silu", "atan", "erf", "exp2", "softsign", "relu6", "expm1", "sinc")
ONE_ARGUMENT = ("relu", "tanh", "sigmoid", "sin", "cos", "square", "silu", "erf")
TEXT = '"text"'
THRESHOLDS = ("0.3137", "-0.2719", "0.0113")


@step("arity", "name", "member", "kind")
def unary(m: Maker) -> None:
    x = m.find()
    name = m.choose(UNARY)
    text, how = (f"{name}({x.name})", m.choose(("tanh({})", "{}")))
    inner = how.format(x.name) if name in ("exp2", "expm1") else x.name
    inner = f"tanh({x.name})" if name in ("exp2", "expm1") else inner
    text = f"{name}({inner})" if m.chance(0.6) else f"{inner}.{name}()"
    one = m.choose(ONE_ARGUMENT)
    wrong = [
        ("arity", m.choose((f"{one}({x.name}, {x.name})", f"{one}()", f"{x.name}.{one}(2.0)"))),
        ("name", m.choose((f"{name}_(  {x.name})", f"{name}({x.name}_z)", f"{name}ed({x.name})", f"undefined{x.name} + {x.name}"))),
        ("member", m.choose((f"{x.name}.{name}ed()", f"{x.name}.shapes", f"{x.name}.not_there(1)", f"{x.name}.size_of_it"))),
        ("kind", m.choose((f'{one}("text")', f"{one}([{x.name}])", f"{one}(({x.name}, 1))", f'{one}("a" + "b")'))),
    ]
    m.add(text, f"{name}({inner})", x.shape, wrong=wrong)


@step("kind")
def with_number(m: Maker) -> None:
    x = m.find()
    op, other = m.choose("+-*/"), m.choose(("2.0", "0.5", "3", *(f"{n}" for n in m.sizes)))
    text = (
        f"{x.name} {op} {other}" if m.chance(0.6) else f"{other} {op} ({x.name} + 3.5)" if op != "/" else f"{other} / (abs({x.name}) + 1.5)"
    )
    wrong = [
        (
            "kind",
            m.choose(
                (f'{x.name} {op} "2"', f'"a" {op} {x.name}', f"{x.name} {op} (1, 2)", f"({x.name}, 1) > {x.name}", f"not ({x.name}, 1)")
            ),
        )
    ]
    m.add(text, text, x.shape, wrong=wrong)


@step("size", "dtype")
def binary(m: Maker) -> None:
    x = m.find()
    y = m.find(lambda t: t.shape == x.shape)
    op = m.choose(("+", "-", "*", "maximum", "minimum", "/"))
    form = {"maximum": "maximum({}, {})", "minimum": "minimum({}, {})", "/": "{} / (abs({}) + 1.0)"}.get(op, f"{{}} {op} {{}}")
    text = form.format(x.name, y.name)
    m.add(text, text, x.shape, wrong=list(_wrong_operands(m, x, form)))


def _wrong_operands(m: Maker, x: Tensor, form: str):
    """The second operand of another size, another float dtype, or a rank that does not broadcast."""
    if m.base != "T":
        yield "dtype", form.format(x.name, f"{x.name}.to({OTHER_FLOAT[m.base]})")
    for other in m.random.sample(m.tensors, min(3, len(m.tensors))):
        pairs = list(zip(reversed(x.shape), reversed(other.shape), strict=False))
        if other.dtype == "float" and pairs and any(differ(a, b) for a, b in pairs):
            yield "size", form.format(x.name, other.name)


@step("size")
def row(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and any(v.given and v.rank == 1 and v.shape[0] == t.shape[-1] for v in m.tensors))
    v = m.choose(t for t in m.tensors if t.given and t.dtype == "float" and t.shape == x.shape[-1:])
    op = m.choose("+-*")
    text = f"{x.name} {op} {v.name}" if m.chance(0.7) else f"{v.name} {op} {x.name}"
    m.add(text, text, x.shape, wrong=[("size", f"{x.name} {op} {m.unlike(x.shape[-1]).name}")])


@step("broadcast")
def spread(m: Maker) -> None:
    """Explicit ones broadcast against anything; without them it is an accident."""
    x, y = m.find(lambda t: t.rank == 1 and t.shape[0].is_name), m.find(lambda t: t.rank == 1 and t.shape[0].is_name)
    op = m.choose("+-*")
    text = f"{x.name}.unsqueeze(1) {op} {y.name}.unsqueeze(0)"
    python = f"{x.name}[:, None] {op} {y.name}[None, :]"
    wrong = [("broadcast", m.choose((f"{x.name}.unsqueeze(1) {op} {y.name}", f"{y.name} {op} {x.name}.unsqueeze(-1)")))]
    m.add(text, python, (x.shape[0], y.shape[0]), wrong=wrong)


@step("dtype", "kind")
def choice(m: Maker) -> None:
    """`where` with a comparison, or with a mask among the parameters."""
    x = m.find()
    y = m.find(lambda t: t.shape == x.shape)
    masks = [t.name for t in m.tensors if t.dtype == "bool" and t.shape == x.shape]
    test = m.choose((f"{x.name} > {m.choose(THRESHOLDS)}", f"{y.name} < {m.choose(THRESHOLDS)}", *masks))
    wrong = [("kind", m.choose((f'where({test}, {x.name}, "no")', f'where("yes", {x.name}, {y.name})')))]
    if m.base != "T":
        wrong.append(("dtype", f"where({test}, {x.name}, {y.name}.to({OTHER_FLOAT[m.base]}))"))
    m.add(f"where({test}, {x.name}, {y.name} * 0.5)", f"np.where({test}, {x.name}, {y.name} * 0.5)", x.shape, wrong=wrong)


@step("kind")
def compare(m: Maker) -> None:
    x, op = m.find(), m.choose(("<", ">", "<=", ">=", "!="))
    text = f"{x.name} {op} {m.choose(THRESHOLDS)}"
    m.add(text, text, x.shape, "bool", [("kind", m.choose((f'{x.name} {op} "0.3"', f"{x.name} {op} (1, 2)")))])


@step("kind")
def of_masks(m: Maker) -> None:
    x = m.find(dtype="bool")
    y = m.find(lambda t: t.shape == x.shape, dtype="bool")
    if m.chance(0.3):
        m.add(f"sum({x.name})", f"np.sum({x.name})", (), "int64")
    elif m.chance(0.5):
        text = m.choose((f"!{x.name}", f"logical_not({x.name})"))
        m.add(text, f"~{x.name}", x.shape, "bool", [("kind", f'logical_not("{x.name}")')])
    else:
        name = m.choose(("and", "or", "xor"))
        text = f"logical_{name}({x.name}, {y.name})"
        m.add(text, f"np.{text}", x.shape, "bool", [("kind", f'logical_{name}({x.name}, "mask")')])


REDUCTIONS = ("sum", "mean", "amax", "amin", "logsumexp", "max", "min", "std", "var", "prod")


@step("axis", "kind", "argument name")
def reduction(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    how, axis, keep = m.choose(REDUCTIONS), m.random.randrange(x.rank), m.chance(0.3)
    if how in ("std", "var") and x.shape[axis].value < 2:
        raise Skip
    dim = m.choose((axis, axis - x.rank))
    kept = (*x.shape[:axis], *([number(1)] if keep else []), *x.shape[axis + 1 :])
    flag, equals = ", keepdim: true" if keep else "", m.choose((": ", "="))
    text = f"{how}({x.name}, dim{equals}{dim}{flag})" if m.chance(0.7) else f"{x.name}.{how}(dim: {dim}{flag})"
    wrong = [
        ("axis", f"{how}({x.name}, dim: {m.choose((x.rank, -x.rank - 1, x.rank + 2))}{flag})"),
        ("kind", f"{how}({x.name}, dim: {m.choose(('1.5', TEXT, f'({dim}, {dim})'))}{flag})"),
        ("argument name", f"{how}({x.name}, {m.choose(('dims', 'axes', 'dimension'))}: {dim}{flag})"),
    ]
    m.add(text, f"{how}_({x.name}, {axis}, {keep})", kept, wrong=wrong)


@step("axis", "argument name")
def whole(m: Maker) -> None:
    """A scalar tensor of everything, or of two axes."""
    x = m.find(lambda t: t.rank >= 1)
    how = m.choose(("sum", "mean", "max", "min", "amax"))
    if x.rank < 2 or m.chance(0.3):
        if len(m.statements) < 2:
            raise Skip
        wrong = [("argument name", f"{how}({x.name}, key: 1)")]
        m.add(f"{how}({x.name})", f"{how}_({x.name}, None, False)", (), wrong=wrong)
        return
    a, b = m.random.sample(range(x.rank), 2)
    left = tuple(s for i, s in enumerate(x.shape) if i not in (a, b))
    how = m.choose(("sum", "mean", "amax", "amin", "logsumexp"))
    wrong = [("axis", f"{how}({x.name}, dim: [{a}, {m.choose((a, x.rank, -x.rank - 1))}])")]
    m.add(f"{how}({x.name}, dim: [{a}, {b - x.rank}])", f"{how}_({x.name}, ({a}, {b}), False)", left, wrong=wrong)


@step("axis", "argument name", "arity")
def along(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    how, axis = m.choose(("softmax", "log_softmax", "cumsum", "softmin", "flip", "roll", "sort")), m.random.randrange(x.rank)
    forms = {"flip": "flip({}, [{}])", "roll": "roll({}, 2, dims: {})", "sort": "sort({}, dim: {}).0"}
    form = forms.get(how, f"{how}({{}}, dim: {{}})")
    wrong = [("axis", form.format(x.name, m.choose((x.rank, -x.rank - 1)))), ("argument name", f"softmax({x.name}, dims: {axis})")]
    wrong.append(("arity", f"softmax({x.name})"))
    m.add(form.format(x.name, axis), f"{how}({x.name}, {axis})", x.shape, wrong=wrong)


@step("axis")
def centred(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    how, axis = m.choose(("mean", "amax", "sum")), m.random.randrange(x.rank)
    text = f"{x.name} - {how}({x.name}, dim: {{}}, keepdim: true)"
    wrong = [("axis", text.format(x.rank))]
    m.add(text.format(axis), f"{x.name} - {how}_({x.name}, {axis}, True)", x.shape, wrong=wrong)


@step("size", "dtype", "kind")
def product(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 2)
    y = m.find(lambda t: t.rank == 2 and t.shape[0] == x.shape[-1])
    op = m.choose(("{} @ {}", "matmul({}, {})"))
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == 2 and differ(t.shape[0], x.shape[-1])]
    wrong = [("size", op.format(x.name, m.choose(others).name))] if others else []
    wrong.append(("kind", op.format(x.name, m.choose(('"w"', "2", "(1, 2)")))))
    if m.base != "T":
        wrong.append(("dtype", op.format(x.name, f"{y.name}.to({OTHER_FLOAT[m.base]})")))
    m.add(op.format(x.name, y.name), f"{x.name} @ {y.name}", (*x.shape[:-1], y.shape[1]), wrong=wrong)


@step("size")
def gram(m: Maker) -> None:
    """A product with one's own transpose; without it, the sizes do not meet."""
    x = m.find(lambda t: t.rank >= 2)
    wrong = [("size", f"{x.name} @ {x.name}")] if differ(x.shape[-1], x.shape[-2]) else []
    turned = m.choose((f"{x.name}.transpose(-1, -2)", f"transpose({x.name}, {x.rank - 2}, {x.rank - 1})"))
    m.add(f"{x.name} @ {turned}", f"{x.name} @ np.swapaxes({x.name}, -1, -2)", (*x.shape[:-1], x.shape[-2]), wrong=wrong)


@step("einsum")
def contraction(m: Maker) -> None:
    x = m.find(lambda t: 1 <= t.rank <= 3)
    y = m.find(lambda t: 1 <= t.rank <= 3 and any(s in x.shape for s in t.shape))
    i, j = next((i, j) for i, s in enumerate(x.shape) for j, t in enumerate(y.shape) if s == t)
    left = "abc"[: x.rank]
    right = "".join(left[i] if k == j else "def"[k] for k in range(y.rank))
    out = left.replace(left[i], "") + right.replace(left[i], "")
    shape = (*(s for k, s in enumerate(x.shape) if k != i), *(s for k, s in enumerate(y.shape) if k != j))
    clash = [k for k in range(y.rank) if differ(y.shape[k], x.shape[i])]
    wrong = [
        ("einsum", f'einsum("{left}x,{right}->{out}", {x.name}, {y.name})'),
        ("einsum", f'einsum("{left},{right}->{out}z", {x.name}, {y.name})'),
    ]
    if clash:
        twice = right[: clash[0]] + left[i] + right[clash[0] + 1 :]
        wrong.append(("einsum", f'einsum("{left},{twice}->{left}", {x.name}, {y.name})'))
    m.add(
        f'einsum("{left},{right}->{out}", {x.name}, {y.name})',
        f'np.einsum("{left},{right}->{out}", {x.name}, {y.name})',
        shape,
        wrong=wrong,
    )


@step("size", "argument name")
def linear(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    w = m.find(lambda t: t.rank == 2 and t.shape[1] == x.shape[-1])
    wrong = [("argument name", f"linear({x.name}, weights: {w.name})")]
    if differ(w.shape[0], x.shape[-1]):
        wrong.append(("size", f"linear({x.name}, {w.name}.transpose(0, 1))"))
    m.add(f"linear({x.name}, {w.name})", f"{x.name} @ {w.name}.T", (*x.shape[:-1], w.shape[0]), wrong=wrong)


@step("size", "broadcast")
def loss(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    y = m.find(lambda t: t.shape == x.shape)
    wrong = [("broadcast", f"mse_loss({x.name}.unsqueeze(-1), {x.name})")] if x.rank == 1 and x.shape[0].is_name else []
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == x.rank and any(map(differ, t.shape, x.shape))]
    if others:
        wrong.append(("size", f"mse_loss({x.name}, {m.choose(others).name})"))
    how = m.choose(("mse_loss", "l1_loss"))
    m.add(f"{how}({x.name}, {y.name})", f"{how}({x.name}, {y.name})", (), wrong=wrong)


@step("size", "rank")
def normalized(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and t.shape[-1].value > 1)
    how, last = m.choose(("layer_norm", "rms_norm")), x.shape[-1]
    other = m.other_than(last)
    wrong = [("size", f"{how}({x.name}, [{other}])")] if differ(other, last) else []
    wrong.append(("rank", f"{how}({x.name}, [{', '.join(['2'] * (x.rank + 1))}])"))
    m.add(f"{how}({x.name}, [{last}], eps: 0.001)", f"{how}({x.name}, 0.001)", x.shape, wrong=wrong)
