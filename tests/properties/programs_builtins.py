"""Steps of random programs that call builtins of many kinds, beside those that the other steps need anyway."""

from tests.properties.programs_maker import Maker, Skip, Statement, Wrong, step
from tests.properties.programs_sizes import differ, number, product


@step("kind", "name", "arity")
def one_to_one(m: Maker) -> None:
    """Elementwise, with parameters of the host."""
    x = m.find()
    text, python = m.choose((
        ("clamp({}, -0.5, 0.75)", "np.clip({}, -0.5, 0.75)"), ("leaky_relu({}, 0.1)", "np.where({0} > 0, {0}, {0} * 0.1)"),
        ("elu({})", "np.where({0} > 0, {0}, np.expm1(np.minimum({0}, 0.0)))"), ("hypot({0}, {0} + 1.0)", "np.hypot({0}, {0} + 1.0)"),
        ("logaddexp({0}, -{0})", "np.logaddexp({0}, -{0})"), ("sqrt(abs({}) + 0.5)", "np.sqrt(np.abs({}) + 0.5)"),
        ("log(square({}) + 1.0)", "np.log(np.square({}) + 1.0)"), ("atan2({0}, {0} + 2.5)", "np.arctan2({0}, {0} + 2.5)"),
        ("{} ** 2", "{} ** 2"), ("pow({}, 2.0)", "{} ** 2.0"), ("rsqrt(abs({}) + 1.0)", "1.0 / np.sqrt(np.abs({}) + 1.0)"),
        ("softplus(tanh({}))", "np.log1p(np.exp(np.tanh({})))"), ("reciprocal(abs({}) + 1.0)", "1.0 / (np.abs({}) + 1.0)"),
        ("zeros_like({})", "np.zeros_like({})"), ("full_like({}, 0.25)", "np.full_like({}, 0.25)"),
        ("hardtanh({})", "np.clip({}, -1.0, 1.0)"),
    ))  # fmt: skip
    name = text.split("(")[0]
    wrong = [("kind", f'clamp({x.name}, "low", 0.75)'), ("name", f"{name}1({x.name})" if "(" in text else f"{x.name} ** unknown_{x.name}")]
    wrong.append(("arity", m.choose((f"clamp({x.name}, 1.0, 2.0, 3.0)", f"hypot({x.name})", f"zeros_like({x.name}, 1, 2, 3, 4, 5)"))))
    m.add(text.format(x.name), python.format(x.name), x.shape, wrong=wrong)


@step("rank", "kind")
def triangle(m: Maker) -> None:
    x, how = m.find(lambda t: t.rank >= 2), m.choose(("tril", "triu"))
    m.add(f"{how}({x.name})", f"np.{how}({x.name})", x.shape, wrong=[("rank", f"{how}(sum({x.name}))"), ("kind", f'{how}({x.name}, "up")')])


@step("rank", "size", "kind")
def of_vectors(m: Maker) -> None:
    x, y = m.find(lambda t: t.rank == 1), m.find(lambda t: t.rank == 1)
    wrong = [("rank", f"outer({x.name}, {y.name}.unsqueeze(0))"), ("kind", f'outer({x.name}, "{y.name}")')]
    if differ(x.shape[0], y.shape[0]):
        wrong.append(("size", f"dot({x.name}, {y.name})"))
    if x.shape == y.shape and m.chance(0.5):
        m.add(f"dot({x.name}, {y.name})", f"np.dot({x.name}, {y.name})", (), wrong=wrong)
    else:
        m.add(f"outer({x.name}, {y.name})", f"np.outer({x.name}, {y.name})", (x.shape[0], y.shape[0]), wrong=wrong)


@step("axis", "kind", "argument name")
def places(m: Maker) -> None:
    """Where the largest is; among the parameters, whose elements are all different."""
    x, how = m.find(lambda t: t.rank >= 1 and t.given), m.choose(("argmax", "argmin", "argsort"))
    axis = m.random.randrange(x.rank)
    shape = x.shape if how == "argsort" else (*x.shape[:axis], *x.shape[axis + 1 :])
    wrong = [
        ("axis", f"{how}({x.name}, dim: {x.rank})"),
        ("kind", f'{how}({x.name}, dim: "last")'),
        ("argument name", f"{how}({x.name}, axes: {axis})"),
    ]
    m.add(f"{how}({x.name}, dim: {axis})", f"np.{how}({x.name}, axis={axis})", shape, "int64", wrong)


@step("index", "axis", "kind")
def largest(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and t.shape[-1].value >= 1)
    size = x.shape[-1]
    wrong = [("axis", f"topk({x.name}, 1, dim: {x.rank}).0"), ("kind", f'topk({x.name}, "1").0')]
    m.add(f"topk({x.name}, 1, dim: -1).0", f"np.max({x.name}, axis=-1, keepdims=True)", (*x.shape[:-1], number(1)), wrong=wrong)
    if size.is_name:
        m.add(f"topk({x.name}, {size}).0", f"-np.sort(-{x.name}, axis=-1)", x.shape)


@step("size", "rank")
def scores(m: Maker) -> None:
    """A loss of classes."""
    x = m.find(lambda t: t.rank == 2 and any(i.given and i.dtype == "int64" and i.shape == t.shape[:1] for i in m.tensors))
    if x.shape[1].value < x.shape[0].value:
        raise Skip
    text = f"cross_entropy({x.name}, ids)"
    wrong = [("rank", f"cross_entropy({x.name}.unsqueeze(0), ids)")]
    if differ(*x.shape):
        wrong.append(("size", f"cross_entropy({x.name}.transpose(0, 1), ids)"))
    m.add(text, f"-np.mean(log_softmax({x.name}, 1)[np.arange(len(ids)), ids])", (), wrong=wrong)


@step("size", "rank", "where")
def attended(m: Maker) -> None:
    """Attention of a sequence to itself, with one head."""
    x = m.find(lambda t: t.rank == 2)
    heads = f"{x.name}.reshape([1, 1, {x.shape[0]}, {x.shape[1]}])"
    d = x.shape[1]
    wrong = [("rank", f"attention({x.name}, {x.name}, {heads})")]
    if differ(*x.shape):
        wrong.append(("size", f"attention({heads}, {heads}.transpose(2, 3), {heads})"))
    causal = m.chance(0.5)
    flag = ", causal: true" if causal else ""
    python = f"attention({x.name}, {d.python}, {causal})[None, None]"
    m.add(f"attention({heads}, {heads}, {heads}{flag})", python, (number(1), number(1), *x.shape), wrong=wrong)


@step("kind", "rank")
def padded(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    wrong = [("kind", m.choose((f'pad({x.name}, "1")', f"pad({x.name}, 1.5)")))]
    python = f"np.pad({x.name}, [(0, 0)] * {x.rank - 1} + [(1, 2)])"
    m.add(f"pad({x.name}, [1, 2])", python, (*x.shape[:-1], x.shape[-1] + 3), wrong=wrong)


@step("axis", "size", "dtype")
def measured(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    y = m.find(lambda t: t.shape == x.shape)
    wrong = [("axis", f"norm({x.name}, dim: {x.rank})")]
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == x.rank and any(map(differ, t.shape, x.shape))]
    if others:
        wrong.append(("size", f"cosine_similarity({x.name}, {m.choose(others).name}, dim: 0)"))
    text, python = m.choose((
        (f"sqrt(sum(square({x.name}), dim: -1))", f"np.sqrt(np.sum({x.name} ** 2, axis=-1))"),
        (f"sum({x.name} * {y.name}, dim: -1)", f"np.sum({x.name} * {y.name}, axis=-1)"),
    ))  # fmt: skip
    m.add(text, python, x.shape[:-1], wrong=wrong)


@step("annotation", "index")
def shapes(m: Maker) -> None:
    """Sizes read from a tensor."""
    x, name = m.find(lambda t: t.rank >= 1), m.fresh("n")
    text, python = m.choose(
        ((f"{x.name}.shape[0]", f"{x.name}.shape[0]"), (f"len({x.name}.shape)", str(x.rank)), (f"numel({x.name})", f"{x.name}.size"))
    )
    m.statements.append(_host(m, name, text, python, x.rank, x.name))
    m.add(f"{x.name} * {name}", f"{x.name} * {name}", x.shape)


def _host(m: Maker, name: str, text: str, python: str, rank: int, tensor: str) -> Statement:
    wrong = (Wrong("annotation", f"let {name}: string = {text}"), Wrong("index", f"let {name} = {tensor}.shape[{rank}]"))
    return Statement(f"let {name}: int = {text}" if m.chance(0.5) else f"let {name} = {text}", f"{name} = {python}", wrong)


@step("reshape", "kind")
def filled(m: Maker) -> None:
    """Made from sizes alone."""
    sizes = tuple(m.choose(m.sizes.values()) for _ in range(m.choose((1, 2))))
    if m.base == "T":
        raise Skip
    text = ", ".join(map(str, sizes))
    how, python = m.choose(
        (
            (f"zeros([{text}], dtype: {m.base})", "0.0"),
            (f"ones([{text}], dtype: {m.base})", "1.0"),
            (f"full([{text}], 0.5, dtype: {m.base})", "0.5"),
        )
    )
    shape = ", ".join(s.python for s in sizes)
    wrong = [
        ("kind", m.choose((f'zeros("{text}")', f"ones([{text}, 1.5])", f'full([{text}], "0.5")'))),
        ("reshape", f"zeros([{text}]).reshape([{product(sizes)} + 1])"),
    ]
    m.add(how, f"np.full(({shape},), {python})", sizes, wrong=wrong)
