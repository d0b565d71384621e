"""Steps of random programs: shapes, parts, joining, indexing, whole numbers as indices."""

from tests.properties.programs_maker import OTHER_FLOAT, Maker, Skip, Wrong, halves, step
from tests.properties.programs_sizes import Shape, as_python, atom, differ, named, number, product, written


@step("reshape", "kind")
def reshape(m: Maker) -> None:
    """The factors of all sizes, in new groups."""
    x = m.find(lambda t: all(len(s.terms) == 1 and s.is_plain for s in t.shape))
    factors = [named(a, m.sizes[a].value) for s in x.shape for a in s.terms[0][0]] + [number(s.terms[0][1]) for s in x.shape]
    m.random.shuffle(factors)
    cuts = sorted(m.random.sample(range(len(factors) + 1), min(len(factors) + 1, m.random.randint(1, 3))))
    groups = [product(tuple(factors[a:b])) for a, b in zip([0, *cuts], [*cuts, len(factors)], strict=True)]
    sizes = [str(g) for g in groups]
    if not any(not g.terms for g in groups) and m.chance(0.3):
        sizes[m.random.randrange(len(sizes))] = "-1"
    how = m.choose(("reshape",) * 3 + ("view",)) if x.given else "reshape"
    bad = [*map(str, groups), m.choose(("2", str(m.other_than(number(1)))))]
    wrong = [("reshape", f"{x.name}.{how}([{', '.join(bad)}])"), ("kind", f"{x.name}.{how}([{', '.join(sizes)}, 1.5])")]
    m.add(f"{x.name}.{how}([{', '.join(sizes)}])", f"{x.name}.reshape({as_python(tuple(groups))})", tuple(groups), wrong=wrong)


@step("reshape")
def flat(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 2)
    total = product(x.shape)
    text = m.choose((f"{x.name}.flatten()", f"{x.name}.reshape([-1])", f"flatten({x.name})"))
    m.add(text, f"{x.name}.reshape(-1)", (total,), wrong=[("reshape", f"{x.name}.reshape([{total}, {m.choose((2, 3, 7))}])")])


@step("divide", "reshape")
def heads(m: Maker) -> None:
    """The last axis in two, where a `where` says that it divides."""
    x = m.find(lambda t: t.rank >= 1 and bool(halves(m, t.shape[-1])))
    divisor, part = m.choose(halves(m, x.shape[-1]))
    before = [str(s) for s in x.shape[:-1]]
    shape = (*x.shape[:-1], divisor, part)
    other = m.choose(s for s in m.sizes.values() if s.is_name and str(s) != "H" and s != x.shape[-1])
    wrong = [
        ("divide", f"{x.name}.reshape([{', '.join([*before, f'{x.shape[-1]} / {other}', str(other)])}])"),
        ("divide", f"{x.name}.reshape([{', '.join([*before, '5', f'{x.shape[-1]} / 5'])}])"),
        ("reshape", f"{x.name}.reshape([{', '.join([*before, str(divisor), str(x.shape[-1])])}])"),
    ]
    sizes = m.choose((f"{divisor}, {str(part)[1:-1]}", f"{divisor}, {part}", f"{divisor}, -1"))
    m.add(f"{x.name}.reshape([{', '.join([*before, sizes])}])", f"{x.name}.reshape({as_python(shape)})", shape, wrong=wrong)


@step("rank", "axis")
def merge(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 2 and all(len(s.terms) <= 1 for s in t.shape))
    shape = (*x.shape[:-2], x.shape[-2] * x.shape[-1])
    text = m.choose((f"{x.name}.reshape({written(shape)})", f"{x.name}.flatten({x.rank - 2}, {x.rank - 1})"))
    wrong = [("axis", f"{x.name}.flatten({x.rank - 2}, {x.rank})"), ("rank", f"{x.name}.permute([0])")]
    m.add(text, f"{x.name}.reshape({as_python(shape)})", shape, wrong=wrong)


@step("axis", "arity", "argument name")
def transpose(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 2)
    a, b = m.random.sample(range(x.rank), 2)
    order = list(range(x.rank))
    order[a], order[b] = order[b], order[a]
    text = m.choose((f"{x.name}.transpose({a}, {b - x.rank})", f"transpose({x.name}, {a}, {b})", f"permute({x.name}, {order})"))
    wrong = [
        ("axis", m.choose((f"{x.name}.transpose({a}, {x.rank})", f"{x.name}.permute({[*order[:-1], order[0]]})"))),
        ("arity", m.choose((f"{x.name}.transpose({a})", f"transpose({x.name}, 0, 1, 2)"))),
        ("argument name", f"{x.name}.transpose({a}, dim2: {b})"),
    ]
    m.add(text, f"{x.name}.transpose({order})", tuple(x.shape[i] for i in order), wrong=wrong)


@step("axis")
def one_more(m: Maker) -> None:
    x = m.find(lambda t: t.rank <= 3)
    axis = m.random.randint(0, x.rank)
    shape = (*x.shape[:axis], number(1), *x.shape[axis:])
    dim = m.choose((axis, axis - x.rank - 1))
    m.add(f"{x.name}.unsqueeze({dim})", f"np.expand_dims({x.name}, {axis})", shape, wrong=[("axis", f"{x.name}.unsqueeze({x.rank + 1})")])


@step("axis")
def one_less(m: Maker) -> None:
    x = m.find(lambda t: any(s.is_one for s in t.shape))
    axis = m.choose(i for i, s in enumerate(x.shape) if s.is_one)
    wrong = [("axis", f"{x.name}.squeeze({x.rank})")]
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    m.add(f"{x.name}.squeeze({axis})", f"np.squeeze({x.name}, {axis})", shape, wrong=wrong)


@step("size")
def expanded(m: Maker) -> None:
    x = m.find(lambda t: t.rank <= 2)
    size = m.choose(m.sizes.values())
    shape = (size, *x.shape)
    wrong = (
        [("size", f"{x.name}.broadcast_to({written((size, *x.shape[:-1], x.shape[-1] + 1))})")] if x.rank and x.shape[-1].is_name else []
    )
    m.add(f"{x.name}.broadcast_to({written(shape)})", f"np.broadcast_to({x.name}, {as_python(shape)})", shape, wrong=wrong)


@step("rank")
def repeated(m: Maker) -> None:
    x = m.find(lambda t: 1 <= t.rank <= 3)
    times = [m.choose((1, 2, 3)) for _ in x.shape]
    shape = tuple(s * n for s, n in zip(x.shape, times, strict=True))
    wrong = [("rank", f"{x.name}.repeat({times[:-1]})")] if x.rank > 1 else []
    m.add(f"{x.name}.repeat({times})", f"np.tile({x.name}, {times})", shape, wrong=wrong)


@step("join", "axis", "kind", "dtype")
def joined(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1)
    axis = m.random.randrange(x.rank)
    y = m.find(lambda t: t.rank == x.rank and _without(t.shape, axis) == _without(x.shape, axis))
    shape = (*x.shape[:axis], x.shape[axis] + y.shape[axis], *x.shape[axis + 1 :])
    wrong = [("axis", f"cat([{x.name}, {y.name}], dim: {x.rank})"), ("kind", f'cat([{x.name}, "{y.name}"], dim: {axis})')]
    others = [
        t
        for t in m.tensors
        if t.dtype == "float" and t.rank == x.rank > 1 and any(map(differ, _without(t.shape, axis), _without(x.shape, axis)))
    ]
    if others:
        wrong.append(("join", f"cat([{x.name}, {m.choose(others).name}], dim: {axis})"))
    wrong.append(("join", f"cat([{x.name}, {x.name}.unsqueeze(0)], dim: {axis})"))
    if m.base != "T":
        wrong.append(("dtype", f"cat([{x.name}, {y.name}.to({OTHER_FLOAT[m.base]})], dim: {axis})"))
    m.add(f"cat([{x.name}, {y.name}], dim: {axis})", f"np.concatenate([{x.name}, {y.name}], {axis})", shape, wrong=wrong)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


@step("join", "axis")
def stacked(m: Maker) -> None:
    x = m.find(lambda t: t.rank <= 3)
    y, axis = m.find(lambda t: t.shape == x.shape), m.random.randint(0, x.rank)
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == x.rank and any(map(differ, t.shape, x.shape))]
    wrong = [("axis", f"stack([{x.name}, {y.name}], dim: {x.rank + 1})"), ("join", f"stack([{x.name}, {y.name}.unsqueeze(0)])")]
    if others:
        wrong.append(("join", f"stack([{x.name}, {m.choose(others).name}], dim: {axis})"))
    shape = (*x.shape[:axis], number(2), *x.shape[axis:])
    m.add(f"stack([{x.name}, {y.name}], dim: {axis})", f"np.stack([{x.name}, {y.name}], {axis})", shape, wrong=wrong)


@step("divide", "pattern", "axis")
def chunks(m: Maker) -> None:
    """Equal parts of an axis that is a known multiple."""
    x = m.find(lambda t: t.rank >= 1)
    axis = m.random.randrange(x.rank)
    whole, count = x.shape[axis], m.choose((2, 3))
    doubled = f"cat([{', '.join([x.name] * count)}], dim: {axis})"
    names = [m.fresh() for _ in range(count)]
    left = f"let ({', '.join(names)}) = "
    text, python = f"{left}chunk({doubled}, {count}, dim: {axis})", f"{', '.join(names)} = ({', '.join([x.name] * count)})"
    wrong = [
        Wrong("pattern", f"let ({', '.join([*names, 'more'])}) = chunk({doubled}, {count}, dim: {axis})"),
        Wrong("axis", f"{left}chunk({doubled}, {count}, dim: {x.rank})"),
    ]
    if whole.is_name:
        wrong.append(Wrong("divide", f"{left}chunk(cat([{', '.join([x.name] * 7)}, {x.name}], dim: {axis}), {count * 7}, dim: {axis})"))
    m.block(text, python, wrong)
    for name in names:
        m.know(name, x.shape)


@step("split", "pattern", "kind")
def parts(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and t.shape[0].is_name)
    size = x.shape[0]
    a, b = m.fresh(), m.fresh()
    joined = f"cat([{x.name}, {x.name}[0:1]], dim: 0)"
    text = f"let ({a}, {b}) = split({joined}, [{size}, 1], dim: 0)"
    wrong = [
        Wrong("split", f"let ({a}, {b}) = split({joined}, [{size}, {m.choose(('2', str(size), '3'))}], dim: 0)"),
        Wrong("split", f"let ({a}, {b}) = split({joined}, [{size} + 1, 1], dim: 0)"),
        Wrong("pattern", f"let ({a}, {b}, more) = split({joined}, [{size}, 1], dim: 0)"),
        Wrong("kind", f"let ({a}, {b}) = split({joined}, 1, dim: 0)"),
    ]
    m.block(text, f"{a}, {b} = {x.name}, {x.name}[0:1]", wrong)
    m.know(a, x.shape)
    m.know(b, (number(1), *x.shape[1:]))


@step("index", "rank", "kind")
def item(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and t.shape[0].is_plain and t.shape[0].value > 0 and len(t.shape[0].terms) == 1)
    where = m.choose(("0", "-1"))
    wrong = [
        ("rank", f"{x.name}[{', '.join(['0'] * (x.rank + 1))}]"),
        ("kind", m.choose((f'{x.name}["a"]', f"{x.name}[0.5]", f"{x.name}[(1, 2)]"))),
        ("index", m.choose((f"stack([{x.name}, {x.name}])[2]", f"stack([{x.name}, {x.name}])[-3]", f"{x.name}.unsqueeze(0)[1]"))),
    ]
    if x.shape[0].is_name:
        wrong.append(("index", m.choose((f"{x.name}[{x.shape[0]}]", f"{x.name}[{x.shape[0]} + 1]", f"{x.name}[-{x.shape[0]} - 1]"))))
    m.add(f"{x.name}[{where}]", f"{x.name}[{where}]", x.shape[1:], wrong=wrong)


@step("slice", "rank")
def section(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and t.shape[0].is_name and t.shape[0].value > 1)
    n = x.shape[0]
    wide = [(f"0:{s}", s) for s in m.sizes.values() if f"{s} <= {n}" in m.facts]
    ways = [
        (":-1", n - 1), ("1:", n - 1), ("::2", atom(f"ceil_div({n}, 2)", (n.value + 1) // 2)), ("0:1", number(1)), (f":{n}", n),
        ("0:2", atom(f"min({n}, 2)", min(n.value, 2)) if f"{n} >= 2" not in m.facts else number(2)), *wide,
    ]  # fmt: skip
    part, size = m.choose(ways)
    rest = m.choose(("", ", ...")) if x.rank > 1 else ""
    wrong = [("slice", f"{x.name}[{m.choose((f'{n}:', '0:0', '1:1', '2:2', f'{n}:{n}'))}]"), ("rank", f"{x.name}[{part}{', 0' * x.rank}]")]
    m.add(f"{x.name}[{part}{rest}]", f"{x.name}[{part}]", (size, *x.shape[1:]), wrong=wrong)


@step("index", "rank")
def last(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 2)
    text = m.choose(("[..., 0:1]", f"[{', '.join([':'] * (x.rank - 1))}, 0:1]"))
    wrong = [("rank", f"{x.name}[{', '.join([':'] * (x.rank + 1))}]"), ("index", f"{x.name}.unsqueeze(-1)[..., 1]")]
    m.add(f"{x.name}{text}", f"{x.name}[..., 0:1]", (*x.shape[:-1], number(1)), wrong=wrong)


@step("kind", "size", "name")
def gathered(m: Maker) -> None:
    """Rows by ids, which are below the first size of the first vector."""
    ids = m.find(lambda t: t.given, dtype="int64")
    x = m.find(lambda t: t.rank >= 1 and t.shape[0] == ids.shape[0])
    wrong = [
        ("kind", m.choose((f"{x.name}[{x.name}]", f"embedding({ids.name}, {ids.name})", f"{x.name}[{ids.name} / 2]"))),
        ("name", f"{x.name}[id]"),
    ]
    text = m.choose((f"{x.name}[{ids.name}]", f"{x.name}.index_select(0, {ids.name})"))
    m.add(text, f"{x.name}[{ids.name}]", (*ids.shape, *x.shape[1:]), wrong=wrong)


@step("kind")
def counted(m: Maker) -> None:
    """Whole numbers become floats."""
    x = m.find(dtype="int64")
    if m.base == "T":
        raise Skip
    to = m.base if m.chance(0.5) else {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16"}[m.base]
    wrong = [("kind", m.choose((f'{x.name}.to("{to}")', f"{x.name}.to(2)", f"{x.name}.to(1.5)")))]
    m.add(f"{x.name}.to({to}) * 0.1", f"{x.name}.astype(np.float64) * 0.1", x.shape, wrong=wrong)


@step("kind", "arity")
def whole_numbers(m: Maker) -> None:
    x = m.find(dtype="int64")
    size = m.choose(m.sizes.values())
    ways = [(f"{x.name} + 1", f"{x.name} + 1", x.shape), (f"{x.name} * {size} - 2", f"{x.name} * {size} - 2", x.shape)]
    ways += [(f"arange({size})", f"np.arange({size})", (size,)), (f"{x.name} % 3", f"{x.name} % 3", x.shape)]
    if m.chance(0.3) and x.given:
        ways = [(f"one_hot({x.name}, {x.shape[0]})", f"one_hot({x.name}, {x.shape[0]})", (*x.shape, x.shape[0]))]
    text, python, shape = m.choose(ways)
    m.add(text, python, shape, "int64", [("arity", m.choose(("arange()", f"one_hot({x.name}, 2, 3)"))), ("kind", f'arange("{size}")')])


@step("index", "kind", "size")
def written_item(m: Maker) -> None:
    """Assignment to a part, with the meaning of values."""
    x = m.find(lambda t: t.rank >= 1 and t.shape[0].is_name)
    name = m.fresh()
    place, how = m.choose((("0", "2.0"), ("-1", f"{x.name}[0] * 2.0"), ("0:1", "0.5"))), m.choose(("=", "+=", "*="))
    head = f"let {name} = {x.name} * 1.0\n"
    wrong = [
        Wrong("index", f"{head}{name}[{', '.join(['0'] * (x.rank + 1))}] = 1.0", 1),
        Wrong("kind", f'{head}{name}[{place[0]}] {how} "2.0"', 1),
    ]
    if x.rank == 1 and differ(x.shape[0], number(2)):
        wrong.append(Wrong("size", f"{head}{name}[:] {how} {m.unlike(x.shape[0]).name}", 1))
    text = f"{head}{name}[{place[0]}] {how} {place[1]}"
    m.block(text, f"{name} = {x.name} * 1.0\n{name}[{place[0]}] {how} {place[1]}", wrong)
    m.know(name, x.shape)


@step("reshape")
def unflattened(m: Maker) -> None:
    x = m.find(lambda t: 1 <= t.rank <= 2 and t.shape[0].is_name)
    size, count = x.shape[0], m.choose((2, 3))
    shape = (number(count), size, *x.shape[1:])
    text = f"cat([{', '.join([x.name] * count)}], dim: 0).unflatten(0, [{count}, {size}])"
    wrong = [("reshape", text.replace(f"[{count}, {size}]", f"[{count + 1}, {size}]"))]
    m.add(text, f"np.stack([{', '.join([x.name] * count)}])", shape, wrong=wrong)


@step("annotation")
def half(m: Maker) -> None:
    """A quotient as a number of the host, which is a size."""
    x = m.find(lambda t: t.rank >= 1 and bool(halves(m, t.shape[0])))
    divisor, part = m.choose(halves(m, x.shape[0]))
    name = m.fresh("n")
    text = f"let {name}: int = {str(part)[1:-1]}\nlet {name}_x = {x.name}[0:{name}]"
    wrong = [Wrong("annotation", f"let {name}: string = {str(part)[1:-1]}\nlet {name}_x = {x.name}[0:{name}]")]
    m.block(text, f"{name} = {part.python}\n{name}_x = {x.name}[0:{name}]", wrong)
    if part.value > 0:
        m.know(f"{name}_x", (part, *x.shape[1:]))
