"""Steps of random programs that call other functions of the file, whose sizes, dtypes and `where` clauses are met by substitution."""

from tests.properties.programs_maker import OTHER_FLOAT, Maker, Wrong, halves, step
from tests.properties.programs_sizes import Shape, Size, differ, number


def _declare(m: Maker, text: str, python: str) -> str:
    """A function beside the program; `NAME` stands for its name, `FLOAT` for the dtype of the floats."""
    name = f"h{m.number}_{len(m.prelude)}"
    generic = "<T: float>" if m.base == "T" else ""
    text = text.replace("NAME", name + generic).replace("FLOAT", m.base)
    m.declare(text, python.replace("NAME", name), [Wrong("twice", f"{text}\nfn {name}() -> int {{ return 1 }}", 1)])
    return name


@step("arity", "argument name", "kind", "rank", "dtype")
def scaled(m: Maker) -> None:
    body, python = m.choose((("y * scale", "y * scale"), ("relu(y) + scale", "relu(y) + scale"), ("y.tanh() / scale", "tanh(y) / scale")))
    x = m.find(lambda t: t.rank == 2)
    head = "fn NAME(y: FLOAT[R, C], scale: float = 0.5) -> FLOAT[R, C] { return "
    f = _declare(m, f"{head}{body} }}", f"def NAME(y, scale=0.5): return {python}")
    given, keyword = m.choose((("", ""), (", 1.5", ", 1.5"), (", scale: 2.0", ", scale=2.0"), (f", scale: {m.choose(m.sizes)}",) * 2))
    keyword = keyword.replace(": ", "=")
    wrong = [
        ("arity", m.choose((f"{f}()", f"{f}({x.name}, 1.5, 2.5)"))),
        (
            "argument name",
            m.choose((f"{f}({x.name}, scales: 1.5)", f"{f}({x.name}, scale: 1.5, size: 2)", f"{f}({x.name}, scale: 1.0, scale: 2.0)")),
        ),
        ("kind", m.choose((f'{f}({x.name}, "1.5")', f"{f}(1.5)", f"{f}([1])", f"{f}({x.name}, {x.name})"))),
        ("rank", m.choose((f"{f}({x.name}[0])", f"{f}({x.name}.unsqueeze(0))"))),
    ]
    if m.base != "T":
        wrong.append(("dtype", f"{f}({x.name}.to({OTHER_FLOAT[m.base]}))"))
    m.add(f"{f}({x.name}{given})", f"{f}({x.name}{keyword})", x.shape, wrong=wrong)


@step("size", "arity", "rank")
def projected(m: Maker) -> None:
    """Two arguments that share a size."""
    x = m.find(lambda t: t.rank == 2)
    w = m.find(lambda t: t.rank == 2 and t.shape[0] == x.shape[1])
    f = _declare(m, "fn NAME(y: FLOAT[R, C], w: FLOAT[C, E]) -> FLOAT[R, E] { return y @ w }", "def NAME(y, w): return y @ w")
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == 2 and differ(t.shape[0], x.shape[1])]
    wrong = [("size", f"{f}({x.name}, {m.choose(others).name})")] if others else []
    wrong += [("arity", f"{f}({x.name})"), ("rank", f"{f}({x.name}, {x.name}[0])")]
    m.add(f"{f}({x.name}, {w.name})", f"{f}({x.name}, {w.name})", (x.shape[0], w.shape[1]), wrong=wrong)


@step("size", "rank", "generic")
def elementwise_of_two(m: Maker) -> None:
    """A generic function: one dtype and one size of both arguments."""
    x = m.find(lambda t: t.rank == 1)
    y = m.find(lambda t: t.shape == x.shape)
    f = _declare(
        m, "fn NAME(a: FLOAT[R], b: FLOAT[R]) -> (FLOAT[R], FLOAT[]) { return (a * b, sum(b)) }", "def NAME(a, b): return a * b, sum_(b)"
    )
    others = [t for t in m.tensors if t.dtype == "float" and t.rank == 1 and differ(t.shape[0], x.shape[0])]
    wrong = [("size", f"{f}({x.name}, {m.choose(others).name}).0")] if others else []
    wrong.append(("rank", f"{f}({x.name}, sum({y.name})).0"))
    m.add(f"{f}({x.name}, {y.name}).0", f"{f}({x.name}, {y.name})[0]", x.shape, wrong=wrong)


@step("generic", "kind")
def generic(m: Maker) -> None:
    name = f"g{m.number}_{len(m.prelude)}"
    m.declare(f"fn {name}<U: number>(a: U[...S], b: U[...S]) -> U[...S] {{ return a + b }}", f"def {name}(a, b): return a + b")
    x = m.find()
    y = m.find(lambda t: t.shape == x.shape)
    other = f"{y.name}.to({'float32' if m.base == 'T' else OTHER_FLOAT[m.base]})" if m.base != "T" else f"{y.name}.to(float64)"
    wrong = [("generic", m.choose((f"{name}({x.name}, {other})", f"{name}({other}, {x.name})"))), ("kind", f'{name}({x.name}, "b")')]
    m.add(f"{name}({x.name}, {y.name})", f"{name}({x.name}, {y.name})", x.shape, wrong=wrong)


@step("axis", "rank")
def last_axis(m: Maker) -> None:
    """Any number of leading axes."""
    x = m.find(lambda t: t.rank >= 1)
    f = _declare(m, "fn NAME(y: FLOAT[...S, C]) -> FLOAT[...S] { return y.mean(dim: -1) }", "def NAME(y): return y.mean(-1)")
    m.add(f"{f}({x.name})", f"{f}({x.name})", x.shape[:-1], wrong=[("rank", f"{f}(sum({x.name}))")])


@step("where", "divide", "kind")
def head_split(m: Maker) -> None:
    """An `int` argument that is a size, with a condition."""
    x = m.find(lambda t: t.rank == 2 and bool(halves(m, t.shape[1])))
    divisor, part = m.choose(halves(m, x.shape[1]))
    text = "fn NAME(y: FLOAT[R, C], n: int) -> FLOAT[R, n, C / n] where C % n == 0 { return y.reshape([R, n, C / n]) }"
    f = _declare(m, text, "def NAME(y, n): return y.reshape(y.shape[0], n, -1)")
    bad = m.choose(["7", "11", *(str(s) for s in m.sizes.values() if str(s) not in ("H", str(x.shape[1])))])
    wrong = [("where", m.choose((f"{f}({x.name}, {bad})", f"{f}({x.name}, n: {bad})"))), ("kind", f'{f}({x.name}, "{divisor}")')]
    m.add(f"{f}({x.name}, n: {divisor})", f"{f}({x.name}, {divisor.python})", (x.shape[0], divisor, part), wrong=wrong)


@step("where")
def differences(m: Maker) -> None:
    x = m.find(lambda t: t.rank >= 1 and (f"{t.shape[0]} >= 2" in m.facts or t.shape[0].is_name))
    if f"{x.shape[0]} >= 2" not in m.facts:
        return _of_two(m, x.shape)
    text = "fn NAME(y: FLOAT[R, ...S]) -> FLOAT[R - 1, ...S] where R >= 2 { return y[1:] - y[:-1] }"
    f = _declare(m, text, "def NAME(y): return y[1:] - y[:-1]")
    m.add(f"{f}({x.name})", f"{f}({x.name})", (x.shape[0] - 1, *x.shape[1:]), wrong=[("where", f"{f}({x.name}[0:1])")])


def _of_two(m: Maker, shape: Shape) -> None:
    """A size that must be one of a few."""
    f = _declare(m, "fn NAME(y: FLOAT[R, ...S]) -> FLOAT[R, ...S] where R in {2, 3} { return y * R }", "def NAME(y): return y * 2")
    x = m.find(lambda t: t.shape == shape)
    wrong = [("where", m.choose((f"{f}({x.name})", f"{f}(stack([{', '.join([x.name] * 4)}]))")))]
    m.add(f"{f}(stack([{x.name}, {x.name}]))", f"{f}(np.stack([{x.name}, {x.name}]))", (number(2), *shape), wrong=wrong)


@step("where", "size")
def shorter(m: Maker) -> None:
    """A table at least as long as its argument."""
    size, longer = _ordered(m)
    x = m.find(lambda t: t.rank == 1 and t.shape[0] == size)
    y = m.find(lambda t: t.rank == 1 and t.shape[0] == longer)
    text = "fn NAME(a: FLOAT[P], table: FLOAT[Q]) -> FLOAT[P] where P <= Q { return a + table[0:P] }"
    f = _declare(m, text, "def NAME(a, table): return a + table[0 : len(a)]")
    wrong = [] if size == longer else [("where", f"{f}({y.name}, {x.name})")]
    m.add(f"{f}({x.name}, {y.name})", f"{f}({x.name}, {y.name})", (size,), wrong=wrong)


def _ordered(m: Maker) -> tuple[Size, Size]:
    if "T <= C" in m.facts and m.chance(0.8):
        return m.sizes["T"], m.sizes["C"]
    size = m.choose(s for s in m.sizes.values() if str(s) != "H")
    return size, size


@step("rank", "kind", "arity")
def joined_sizes(m: Maker) -> None:
    x = m.find(lambda t: t.rank == 2)
    y = m.find(lambda t: t.rank == 2 and t.shape[1] == x.shape[1])
    f = _declare(
        m,
        "fn NAME(a: FLOAT[P, C], b: FLOAT[Q, C]) -> FLOAT[P + Q, C] { return cat([a, b], dim: 0) }",
        "def NAME(a, b): return np.concatenate([a, b])",
    )
    wrong = [("rank", f"{f}({x.name}, {y.name}[0])"), ("arity", f"{f}({x.name})"), ("kind", f"{f}({x.name}, ({y.name}, 1))")]
    m.add(f"{f}({x.name}, {y.name})", f"{f}({x.name}, {y.name})", (x.shape[0] + y.shape[0], x.shape[1]), wrong=wrong)


@step("lambda", "kind")
def applied(m: Maker) -> None:
    """A function as an argument."""
    x = m.find(lambda t: t.rank == 1)
    text = "fn NAME(f: fn(FLOAT[R]) -> FLOAT[R], y: FLOAT[R]) -> FLOAT[R] { return f(f(y)) }"
    f = _declare(m, text, "def NAME(f, y): return f(f(y))")
    body = m.choose(("v * 0.5", "tanh(v)", "v - 1.0", f"v + {x.name}"))
    bad = m.choose(("|v, w| v", "|| 1", "|v| v + missing", '|v| "text"', f"{x.name}", "2.0"))
    m.add(
        f"{f}(|v| {body}, {x.name})",
        f"{f}(lambda v: {body}, {x.name})",
        x.shape,
        wrong=[("lambda", f"{f}({bad}, {x.name})"), ("kind", f"{f}(|v| {body}, 1.5)")],
    )


@step("kind", "arity", "size")
def recursion(m: Maker) -> None:
    x = m.find()
    f = _declare_host(
        m,
        "fn NAME(n: int) -> int { if n <= 1 { return 1 }\n    return n * NAME(n - 1)\n}",
        "def NAME(n): return 1 if n <= 1 else n * NAME(n - 1)",
    )
    n = m.choose(("3", *m.sizes))
    wrong = [("kind", m.choose((f'{x.name} * {f}("3")', f"{x.name} * {f}(1.5)", f"{x.name} * {f}([3])"))), ("arity", f"{x.name} * {f}()")]
    m.add(f"{x.name} * {f}({n})", f"{x.name} * {f}({n})", x.shape, wrong=wrong)


def _declare_host(m: Maker, text: str, python: str) -> str:
    name = f"h{m.number}_{len(m.prelude)}"
    m.declare(text.replace("NAME", name), python.replace("NAME", name))
    return name


@step("rank", "kind")
def of_unknown_rows(m: Maker) -> None:
    x = m.find(lambda t: t.rank == 2)
    f = _declare_host(m, "fn NAME<U: any>(y: U[?, C]) -> U[C] { return y[0] }", "def NAME(y): return y[0]")
    m.add(f"{f}({x.name})", f"{f}({x.name})", x.shape[1:], wrong=[("rank", f"{f}({x.name}[0])"), ("kind", f"{f}(2)")])


@step("import", "member", "arity")
def imported(m: Maker) -> None:
    x = m.find()
    lib = f"lib{m.number}_{len(m.prelude)}"
    line = f'import "programs_lib.tl" as {lib}'
    m.declare(line, "", [Wrong("import", line.replace("_lib", m.choose(("_libs", "/lib", "_lib2"))))])
    function, python = m.choose((("halved", "{} * 0.5"), ("turned", "-{}")))
    wrong = [
        ("member", f"{lib}.{function}{m.choose(('s', '_of', 'x'))}({x.name})"),
        ("arity", m.choose((f"{lib}.{function}()", f"{lib}.{function}({x.name}, 2)"))),
        ("import", f"{lib}.{m.choose(('missing', 'Half', 'turn'))}({x.name})"),
    ]
    m.add(f"{lib}.{function}({x.name})", python.format(x.name), x.shape, wrong=wrong)
