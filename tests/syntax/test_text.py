"""Lines, comments, documentation, places, limits: what surrounds the constructs."""

# ruff: noqa: E501

from pathlib import Path

import pytest
from tree_dump import dump, mistakes, tree

from tensorlogic.diagnostics.diagnostic import Problems, TensorLogicError
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse, parse_expression, parse_signature, read_source

PROGRAMS = sorted((Path(__file__).parents[3] / "shared" / "conformance").glob("*/**/*.tl"))


@pytest.mark.skipif(not PROGRAMS, reason="the conformance programs are not here")
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_conformance(path):
    source, problems = read_source(path), Problems()
    parse(source, problems)
    lines = source.text.splitlines()
    marked = {(n, line[-6:]) for n, line in enumerate(lines, 1) if "// error: TL01" in line}
    assert {(d.span.line, d.code) for d in problems.found if d.span} == marked
    assert len(problems.found) == len(marked)


LINES = [
    ("let a = 1; let b = 2", ["(Let a - 1)", "(Let b - 2)"]),
    ("let c = a +\n\n  b *\n  10", ["(Let c - (+ a (* b 10)))"]),
    ("let y = x\n    // comment\n    .f(0)\n    .g", ["(Let y - (Member (Call (Member x f) [] [0]) g))"]),
    ("let d = 10\n-3", ["(Let d - 10)", "(- 3)"]),
    ("let e = d\n(a + b)", ["(Let e - d)", "(+ a b)"]),
    ("let e = d\n[1]", ["(Let e - d)", "(ListLit [1])"]),
    ("fn f(\n  a: int,\n) -> int\n{\n  a\n}\nx", ["(FnDecl f [] [(Param a int)] int [] (Block [a]))", "x"]),
    ("fn f()\n  -> int\n  where 1 < 2 { }", ["(FnDecl f [] [] int [(< 1 2)] (Block))"]),
    ("if a\n{ 1 }\nelse\n{ 2 }", ["(If a (Block [1]) (Block [2]))"]),
    ("let z[i] = x[i]\n  where i in 0..3", ["(Let (Index z [i]) - (Index x [i]) [(in i (Range 0 3))])"]),
    ("z = x\nwhere(c, a, b)", ["(= z x)", "(Call where [] [c a b])"]),
    ("fn f() { 1 } fn g() { 2 } x", ["(FnDecl f [] [] - [] (Block [1]))", "(FnDecl g [] [] - [] (Block [2]))", "x"]),
    ("p(x, y) <-\n  q(x, y),\n  r(y)", ["(Rule (Call p [] [x y]) <- [(Call q [] [x y]) (Call r [] [y])])"]),
    ("f(a\n  -b)", ["(Call f [] [(- a b)])"]),
    ("f(|x| {\n  a\n  -b\n})", ["(Call f [] [(Lambda [x] (Block [a (- b)]))])"]),
    ("let s = Point {\n  x: 1,\n  y: 2\n}", ["(Let s - (StructLit Point [x:1 y:2]))"]),
    ("match x {\n 1 => a\n 2 =>\n  b,\n _ => c\n}", ["(Match x [(Arm [1] - a) (Arm [2] - b) (Arm [_] - c)])"]),
    ("struct P {\n x: int\n y: int\n}", ["(StructDecl P [] [(StructField x int False) (StructField y int False)])"]),
    ("\ufefflet a = 1\r\nlet b = 2\r\n", ["(Let a - 1)", "(Let b - 2)"]),
    ("let a = /* b /* c */ \n */ 1 // d", ["(Let a - 1)"]),
    ("x < -1", ["(< x (- 1))"]),
    ("x <-1", ["(< x (- 1))"]),
    ("q(x) < - 1", ["(< (Call q [] [x]) (- 1))"]),
    ("let max=3\nmax = 4", ["(Let max - 3)", "(= max 4)"]),
    ("f(m max= 3)", None),
    ("let in_ = letter", ["(Let in_ - letter)"]),
]


@pytest.mark.parametrize(("text", "expected"), LINES, ids=[text for text, _ in LINES])
def test_lines(text, expected):
    assert bool(mistakes(text)) if expected is None else tree(text).splitlines() == expected


def module(text: str) -> ast.Module:
    return parse(Source("t.tl", text), Problems())


def test_comments_and_documentation():
    found = module(
        "/// One.\n///  Two.\n\n// not this\nfn f() { } // end\n/* a /* b */ */ let x = 1 /// no\nmodel M {\n  /// field\n  a: L(1)\n}"
    )
    function, _, model = found.statements
    assert isinstance(function, ast.FnDecl) and function.doc == "One.\n Two."
    assert isinstance(model, ast.ModelDecl) and isinstance(model.members[0], ast.SubmodelField) and model.members[0].doc == "field"
    assert [(c.text, c.own_line) for c in found.comments][2:] == [
        ("// not this", True), ("// end", False), ("/* a /* b */ */", True), ("/// no", False), ("/// field", True),
    ]  # fmt: skip


def test_places():
    text = "\ufeffx = (a + b) * c\r\nf(g(1), k: 2)"
    first, second = module(text).statements
    assert first.span.text == "x = (a + b) * c" and second.span.text == "f(g(1), k: 2)" and second.span.line == 2
    assert isinstance(first, ast.Assign) and isinstance(first.value, ast.Binary)
    assert first.value.op_span.text == "*" and first.value.span.text == "(a + b) * c"


def test_strings():
    found = module(r'x = "a\n\t\\\"\u{1F600}"' + '\ny = """one\r\n"two" """')
    values = [s.value.value for s in found.statements if isinstance(s, ast.Assign) and isinstance(s.value, ast.StringLit)]
    assert values == ['a\n\t\\"\U0001f600', 'one\n"two" ']


def test_good_statements_survive_mistakes():
    found = module("let a = 1\nlet b = = 2\nfn f() {\n  let c = 3 4\n  d\n}\nlet e = (5\nlet g = 6")
    assert [dump(s) for s in found.statements] == ["(Let a - 1)", "(FnDecl f [] [] - [] (Block [d]))", "(Let g - 6)"]


def test_at_most_twenty_messages():
    assert len(mistakes("let = 3\n" * 100)) == 20


DEEP = {
    "(": ("(", "x", ")"), "[": ("[", "x", "]"), "-": ("- ", "x", ""), "not": ("not ", "x", ""), "**": ("x ** ", "x", ""), "lambda": ("|x| ", "x", ""),
    "else if": ("if a { } else ", "if b { }", ""), "block": ("if a { ", "x", " }"), "member": ("", "x", ".y"), "call": ("", "x", "()"), "cast": ("", "x", " as int"),
    "index": ("", "x", "[0]"), "f(": ("f(", "x", ")"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEEP)
def test_depth(name):
    before, middle, after = DEEP[name]
    assert mistakes(before * 90 + middle + after * 90) == []
    assert [code for code, *_ in mistakes(before * 210 + middle + after * 210)] == ["TL0104"]
    assert [code for code, *_ in mistakes(before * 50_000 + middle + after * 50_000)] == ["TL0104"]


@pytest.mark.parametrize("operator", ["+", "*", "and", "or", "@", "+ x **", "- -", "* f(x)[0].y +", ", x +"])
def test_long_is_not_deep(operator):
    assert mistakes("y = [x " + f"{operator} x " * 5000 + "]") == []


def test_size_limits():
    assert [code for code, *_ in mistakes("x = " + "9" * 4301)] == ["TL0104"]
    assert mistakes("x = " + "9" * 4300) == []
    assert [code for code, *_ in mistakes("x " * 1_000_001)] == ["TL0104"]
    assert [code for code, *_ in mistakes(" " * 10_000_001)] == ["TL0104"]


def test_signatures():
    found = parse_signature("linear(x: T[...B, I], w: T[O, I], b: T[O] = none) -> T[...B, O] where I >= 1")
    assert (found.name, found.body, len(found.params), len(found.where)) == ("linear", None, 3, 1)
    assert dump(found.params[2].default) == "none"
    reduced = parse_signature("sum<T: number, U: float>(x: T[...S], dim: int) -> T[...reduce(S, dim, keepdim)]")
    assert [t.kind for t in reduced.type_params] == ["number", "float"]
    assert isinstance(reduced.result, ast.TensorTypeExpr)
    assert dump(reduced.result.shape[0]) == "(Variadic - reduce [S dim keepdim])"
    with pytest.raises(ValueError, match="missing"):
        parse_signature("f(x: ) -> int")


def test_expressions():
    assert dump(parse_expression("a + b * c")) == "(+ a (* b c))"
    for text in ("", "a b", "a; b", "let x = 1", "a\nb"):
        with pytest.raises(ValueError):
            parse_expression(text)


def test_files(tmp_path):
    good = tmp_path / "good.tl"
    good.write_bytes("\ufeffx = 1\r\n".encode())
    assert read_source(good).text == "\ufeffx = 1\r\n"
    bad = tmp_path / "bad.tl"
    bad.write_bytes(b"x = 1\ny = \xff")
    large = tmp_path / "large.tl"
    large.write_bytes(b" " * 10_000_001)
    for path, code in ((bad, "TL0103"), (large, "TL0104")):
        with pytest.raises(TensorLogicError) as caught:
            read_source(path)
        assert caught.value.diagnostics[0].code == code
    with pytest.raises(FileNotFoundError):
        read_source(tmp_path / "none.tl")
