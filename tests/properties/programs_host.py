"""Steps of random programs with values of the host: control flow, closures, lists, tuples, structs, match, constants."""

from tests.properties.programs_maker import OTHER_FLOAT, Maker, Tensor, Wrong, step
from tests.properties.programs_sizes import differ, number, written

TEXT = '"text"'


def _test(m: Maker) -> tuple[str, str]:
    """A condition in the language and in Python."""
    a, b = m.choose(m.sizes), m.choose(m.sizes)
    ways = (f"{a} > 3", f"{a} == 1 or {b} < 6", f"{a} % 2 == 0 and {b} != 3", f"{a} in [2, 3, 5]")
    text = m.choose(ways)
    if m.chance(0.2):
        return f"!({text})", f"not ({text})"
    return text, text


def _pair(m: Maker) -> tuple[Tensor, Tensor]:
    x = m.find()
    return x, m.find(lambda t: t.shape == x.shape)


@step("condition", "branches", "name")
def if_value(m: Maker) -> None:
    (x, y), (test, python) = _pair(m), _test(m)
    bad = m.choose(('"yes"', "(1, 2)", "[1]"))
    wrong = [("condition", f"if {bad} {{ {x.name} }} else {{ {y.name} }}"), ("name", f"if {test} {{ {x.name} }} else {{ {y.name}no }}")]
    wrong.append(("branches", f"if {test} {{ {x.name} }} else {{ {m.choose((TEXT, '(1, 2)'))} }}"))
    m.add(f"if {test} {{ {x.name} + 1.0 }} else {{ {y.name} }}", f"({x.name} + 1.0) if {python} else {y.name}", x.shape, wrong=wrong)


@step("assignment", "condition")
def if_statement(m: Maker) -> None:
    (x, y), (test, python), name = _pair(m), _test(m), m.fresh()
    head = f"let {name} = {x.name} * 0.5\n"
    text = head + f"if {test} {{\n    {name} = {name} + {y.name}\n}} else if {_test(m)[0]} {{ {name} = {name} - 1.0 }}"
    text = head + f"if {test} {{\n    {name} = {name} + {y.name}\n}} else {{ {name} = {name} - 1.0 }}"
    code = f"{name} = {x.name} * 0.5\nif {python}:\n    {name} = {name} + {y.name}\nelse:\n    {name} = {name} - 1.0"
    change = m.choose((f"{name} = {y.name}.unsqueeze(0)", f'{name} = "text"', f"{name} = 1 > 2"))
    wrong = [
        Wrong("assignment", text.replace(f"    {name} = {name} + {y.name}", f"    {change}"), 2),
        Wrong("condition", text.replace(f"if {test} {{", f"if {m.choose(('1.5 + 2.0', '[1]', TEXT))} {{"), 1),
    ]
    m.block(text, code, wrong)
    m.know(name, x.shape)


@step("assignment", "kind", "name")
def loop(m: Maker) -> None:
    x, name = m.find(), m.fresh("s")
    size = m.choose(m.sizes.values())
    turns, python = m.choose((
        ("0..3", "range(3)"), ("range(2)", "range(2)"), ("[1, 2, 4]", "[1, 2, 4]"), (f"range({size})", f"range({size.python})"),
        (f"1..{size}", f"range(1, {size.python})"), ("range(0, 6, 2)", "range(0, 6, 2)"), ("(1, 3)", "(1, 3)"),
    ))  # fmt: skip
    head, body = f"let {name} = {x.name}\n", f"{name} = {name} * 0.5 + i"
    skip = m.choose(("", "    if i == 2 { continue }\n", "    if i > 3 { break }\n"))
    code = {"": "", "    if i == 2 { continue }\n": "    if i == 2: continue\n", "    if i > 3 { break }\n": "    if i > 3: break\n"}[skip]
    text = f"{head}for i in {turns} {{\n{skip}    {body}\n}}"
    at = text[: text.index(body)].count("\n")
    wrong = [
        Wrong("assignment", text.replace(body, m.choose((f"{name} = {name}.unsqueeze(0)", f'{name} = "text"'))), at),
        Wrong("kind", text.replace(f"for i in {turns}", m.choose(("for i in 3", "for i in 2.5", "for i in true"))), 1),
        Wrong("name", text.replace(body, f"{name} = {name} * 0.5 + ii"), at),
    ]
    m.block(text, f"{name} = {x.name}\nfor i in {python}:\n{code}    {body}", wrong)
    m.know(name, x.shape)


@step("kind", "condition")
def while_loop(m: Maker) -> None:
    x, name, n = m.find(), m.fresh("s"), m.fresh("n")
    text = f"let {name} = {x.name}\nlet {n} = 0\nwhile {n} < 3 {{\n    {name} = {name} * 0.5 - {n}\n    {n} += 1\n}}"
    code = f"{name} = {x.name}\n{n} = 0\nwhile {n} < 3:\n    {name} = {name} * 0.5 - {n}\n    {n} += 1"
    wrong = [Wrong("condition", text.replace(f"{n} < 3", f'"{n}"'), 2), Wrong("kind", text.replace(f"{n} += 1", f'{n} += "1"'), 4)]
    m.block(text, code, wrong)
    m.know(name, x.shape)


@step("missing arm", "pattern", "kind")
def matched(m: Maker) -> None:
    x, n = m.find(), m.choose(m.sizes)
    arms = m.choose((
        (f"2 | 3 => {x.name} * 2.0", f"v if v > 5 => {x.name} + v", f"_ => {x.name}"),
        (f"4 => {x.name}", f"v if v > 5 => {x.name} - 1.0", f"v => {x.name} / v"),
    ))  # fmt: skip
    python = {"2": f"{x.name} * 2.0 if {n} in (2, 3) else {x.name} + {n} if {n} > 5 else {x.name}"}
    code = python.get(arms[0][0], f"{x.name} if {n} == 4 else {x.name} - 1.0 if {n} > 5 else {x.name} / {n}")
    name = m.fresh()
    text = f"let {name} = match {n} {{\n    {arms[0]},\n    {arms[1]},\n    {arms[2]},\n}}"
    wrong = [
        Wrong("missing arm", f"let {name} = match {n} {{\n    {arms[0]},\n    {arms[1]},\n}}", 3),
        Wrong("pattern", text.replace(arms[1], f'"two" => {x.name}'), 2),
        Wrong("pattern", text.replace(arms[1], f"(a, b) => {x.name}"), 2),
        Wrong("kind", text.replace(arms[1], '7 => "text"'), 2),
    ]
    m.block(text, f"{name} = {code}", wrong)
    m.know(name, x.shape)


@step("lambda", "kind", "size", "name")
def closure(m: Maker) -> None:
    x, y = _pair(m)
    f, name = m.fresh("f"), m.fresh()
    text = f"let {f} = |v| v * 0.5 + {y.name}\nlet {name} = {f}({x.name})"
    code = f"{f} = lambda v: v * 0.5 + {y.name}\n{name} = {f}({x.name})"
    wrong = [
        Wrong("lambda", text.replace(f"{f}({x.name})", m.choose((f"{f}()", f"{f}({x.name}, 1)"))), 1),
        Wrong("name", text.replace("v * 0.5", "w * 0.5")),
        Wrong("kind", text.replace("let " + name + " = " + f, f"let {name} = {x.name}"), 1),
    ]
    m.block(text, code, wrong)
    m.know(name, x.shape)


@step("member", "index", "kind", "pattern")
def tuples(m: Maker) -> None:
    x, y, p, name = m.find(), m.find(), m.fresh("p"), m.fresh()
    text, code = f"let {p} = ({x.name}, ({y.name}, 2))\n", f"{p} = ({x.name}, ({y.name}, 2))\n"
    a = m.fresh()
    way, python, shape = m.choose((
        (f"let {name} = {p}.0 * 2.0", f"{name} = {p}[0] * 2.0", x.shape),
        (f"let {name} = {p}.1.0 * {p}.1.1", f"{name} = {p}[1][0] * {p}[1][1]", y.shape),
        (f"let ({a}, ({name}, _)) = {p}", f"{a}, ({name}, _) = {p}", y.shape),
    ))  # fmt: skip
    wrong = [
        Wrong("pattern", f"{text}let ({a}, {name}, _) = {p}", 1),
        Wrong("member", f"{text}let {name} = {p}.{m.choose(('2', 'first', '5'))}", 1),
        Wrong("kind", f"{text}let {name} = {p} * 2.0", 1),
        Wrong("pattern", f"{text}let ({a}, ({name}, _, _)) = {p}", 1),
    ]
    m.block(text + way, code + python, wrong)
    m.know(name, shape)


@step("index", "kind", "member", "lambda")
def lists(m: Maker) -> None:
    x, y = _pair(m)
    xs, name = m.fresh("l"), m.fresh()
    text, code = f"let {xs} = [{x.name}, {y.name}]\n", f"{xs} = [{x.name}, {y.name}]\n"
    rest = (
        (f"let {name} = {xs}.map(|v| tanh(v) + 1.0)[1]", f"{name} = [tanh(v) + 1.0 for v in {xs}][1]"),
        (f"let {name} = {xs}[0] + {xs}[-1] * len({xs})", f"{name} = {xs}[0] + {xs}[-1] * len({xs})"),
        (f"let {name} = {x.name} * 0.0\nfor v in {xs} {{ {name} = {name} + v }}",
         f"{name} = {x.name} * 0.0\nfor v in {xs}: {name} = {name} + v"),
        (f"let {name} = {x.name}\nfor (i, v) in enumerate({xs}) {{ {name} = {name} + v * i }}",
         f"{name} = {x.name}\nfor i, v in enumerate({xs}): {name} = {name} + v * i"),
        (f"let {name} = {x.name}\nfor (a, v) in zip([1, 2], {xs}) {{ {name} = {name} - v / a }}",
         f"{name} = {x.name}\nfor a, v in zip([1, 2], {xs}): {name} = {name} - v / a"),
        (f"let {name} = ({xs} + [{x.name}])[2] * 2.0", f"{name} = ({xs} + [{x.name}])[2] * 2.0"),
    )  # fmt: skip
    way, python = m.choose(rest)
    wrong = [
        Wrong("kind", f"{text}let {name} = {xs}[{m.choose(('1.5', TEXT))}]", 1),
        Wrong("member", f"{text}let {name} = {xs}.{m.choose(('append_all', 'first', 'maps'))}(1)", 1),
        Wrong("lambda", f"{text}let {name} = {xs}.map({m.choose(('|| 1', '|a, b, c| a', '2', '|v| v + missing'))})", 1),
        Wrong("kind", f"{text}let {name} = {xs} * {xs}", 1),
    ]
    m.block(text + way, code + python, wrong)
    m.know(name, x.shape)


@step("struct", "member", "kind", "arity")
def struct(m: Maker) -> None:
    x, name, p = m.find(lambda t: t.rank >= 1), m.fresh(), m.fresh("p")
    kind = f"P{m.number}_{name}"
    generic = m.chance(0.4)
    field = "K" if generic else "float"
    head = f"struct {kind}{'<K>' if generic else ''} {{ scale: {field}, turns: int"
    m.declare(f"{head} }}", "", [Wrong("twice", f"{head}, scale: int }}"), Wrong("parameter type", f"{head.replace('int', 'itn')} }}")])
    if not generic:
        m.declare(f"impl {kind} {{ fn total(self, more: float) -> float {{ return self.scale * self.turns + more }} }}")
    text = f"let {p} = {kind} {{ scale: 1.5, turns: {m.choose(('2', m.choose(m.sizes)))} }}\n"
    turns = text.split("turns: ")[1].split(" ")[0]
    use = f"{p}.scale" if generic else f"{p}.total(0.5)"
    wrong = [
        Wrong("member", f"{text}let {name} = {x.name} * {p}.{m.choose(('scales', 'size', 'total_of'))}", 1),
        Wrong("struct", f"let {p} = {kind} {{ scale: 1.5 }}\nlet {name} = {x.name} * {use}"),
        Wrong("struct", f"let {p} = {kind} {{ scale: 1.5, turns: 2, more: 3 }}\nlet {name} = {x.name} * {use}"),
        Wrong("struct", f"let {p} = {kind} {{ scale: 1.5, turns: 2, turns: 3 }}\nlet {name} = {x.name} * {use}"),
        Wrong("kind", f'let {p} = {kind} {{ scale: 1.5, turns: "2" }}\nlet {name} = {x.name} * {use}'),
    ]
    if not generic:
        wrong.append(Wrong("arity", f"{text}let {name} = {x.name} * {p}.total()", 1))
    value = "1.5" if generic else f"(1.5 * {turns} + 0.5)"
    m.block(f"{text}let {name} = {x.name} * {use}", f"{name} = {x.name} * {value}", wrong)
    m.know(name, x.shape)


@step("annotation", "dtype", "rank", "size", "kind")
def annotated(m: Maker) -> None:
    """A declared variable."""
    x, name = m.find(), m.fresh()
    other = OTHER_FLOAT[m.base]
    wrong = [
        Wrong("rank", f"let {name}: {m.base}{written((*x.shape, number(2)))} = {x.name} + 1.0"),
        Wrong("dtype", f"let {name}: {other}{written(x.shape)} = {x.name} + 1.0"),
        Wrong("annotation", f"let {name}: {m.choose(('int', 'string', '[string]', 'bool', '(int, int)'))} = {x.name} + 1.0"),
    ]
    if x.rank and x.shape[-1].is_plain:
        longer = m.choose([x.shape[-1] + 1, *(s for s in m.sizes.values() if differ(s, x.shape[-1]))])
        wrong.append(Wrong("size", f"let {name}: {m.base}{written((*x.shape[:-1], longer))} = {x.name} + 1.0"))
    m.block(f"let {name}: {m.type_of(x)} = {x.name} + 1.0", f"{name} = {x.name} + 1.0", wrong)
    m.know(name, x.shape)


@step("literal", "size", "dtype", "kind")
def literal(m: Maker) -> None:
    """A tensor written out; its rows are as long as its type says."""
    rows, columns, name = m.choose((1, 2, 3)), m.choose((2, 3)), m.fresh()
    values = [[round(m.random.uniform(-2, 2), 2) for _ in range(columns)] for _ in range(rows)]
    base = "f64" if m.base == "T" else m.base
    shape = (number(rows), number(columns))
    head = f"let {name}: {base}{written(shape)} = "
    ragged, short = [*values[:-1], values[-1][:-1]], [*values, values[0]]
    wrong = [
        Wrong("literal", f"{head}{ragged if rows > 1 else short}"), Wrong("literal", f"{head}{short}"),
        Wrong("literal", f"{head}{values[0]}"),
        Wrong("literal", f'{head}{str(values)[:-1]}, "1.0"]'.replace("], \"1.0\"", ', "1.0"]')),
    ]  # fmt: skip
    rounded = f"rounded({values}, '{base}')"
    m.block(f"{head}{values}", f"{name} = {rounded}", wrong)
    if m.base != "T":
        m.know(name, shape)


@step("kind", "operator")
def text(m: Maker) -> None:
    """Strings and their lengths, as factors."""
    x, s, name = m.find(), m.fresh("w"), m.fresh()
    head = f'let {s} = "ab" + "c" * 2 + str({m.choose(m.sizes)})\n'
    wrong = [
        Wrong("operator", head.replace('"ab" +', '"ab" -') + f"let {name} = {x.name} * len({s})"),
        Wrong("operator", head + f"let {name} = {x.name} * {s}", 1),
        Wrong("operator", head + f"let {name} = -{s}", 1),
        Wrong("operator", head + f"let {name} = {s} < 2", 1),
    ]
    m.block(f"{head}let {name} = {x.name} * len({s})", f"{name} = {x.name} * 5", wrong)
    m.know(name, x.shape)


@step("constant", "twice")
def constant(m: Maker) -> None:
    """A constant of the file as a factor and as a size."""
    x, name = m.find(), m.fresh()
    const = f"K{m.number}_{name}"
    m.declare(f"const {const} = 3", "", [Wrong("twice", f"const {const} = 3\nconst {const} = 4", 1)])
    wrong = [
        Wrong("constant", f"{const} = 4\nlet {name} = {x.name} * {const}"),
        Wrong("constant", f"let {name} = {x.name} * {const}\n{const} {m.choose(('+=', '-=', '*='))} 1", 1),
        Wrong("twice", f"let twin = |a, a| a * {const}\nlet {name} = {x.name} * twin({const}, 2)"),
        Wrong("twice", f"let (a, a) = ({const}, 2)\nlet {name} = {x.name} * a"),
    ]
    m.block(f"let {name} = {x.name} * {const}", f"{name} = {x.name} * 3", wrong)
    m.know(name, x.shape)
