"""The laws of the formatter: stable, the same tree, no comment lost; and what its layout looks like."""

import os
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from tensorlogic.diagnostics.diagnostic import Problems, TensorLogicError
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.format import format_module, format_source
from tensorlogic.syntax.parse import parse
from tests.syntax.programs import Spaces, programs

MORE = 20 if os.environ.get("TLC_FULL") == "1" else 1


def tree(text: str) -> ast.Module:
    problems = Problems()
    module = parse(Source("<test>", text), problems)
    assert not problems.errors, f"{problems.errors[0]}\n{text}"
    return module


def remarks(module: ast.Module) -> list[str]:
    in_order = sorted(module.comments, key=lambda c: c.span.start)
    return [c.text.replace("\r\n", "\n").rstrip() for c in in_order]


def obeys_the_laws(text: str) -> None:
    before, once = tree(text), format_source(text)
    after = tree(once)
    assert ast.same_tree(before.statements, after.statements), f"another tree\n{text}\n{once}"
    assert remarks(before) == remarks(after), f"other comments\n{text}\n{once}"
    assert format_source(once) == once, f"not stable\n{text}\n{once}"
    assert "\r" not in once and not any(line.endswith((" ", "\t")) and '"""' not in once for line in once.split("\n"))


@given(programs(mess=0.0))
@settings(max_examples=60 * MORE)
def test_laws_for_programs(text: str) -> None:
    """Without comments the text is never left as it is."""
    obeys_the_laws(text)
    assert format_module(tree(text)) == format_source(text)


@given(programs(mess=0.03))
@settings(max_examples=40 * MORE)
def test_laws_with_comments(text: str) -> None:
    obeys_the_laws(text)


def test_laws_for_conformance_programs(shared: Path) -> None:
    seen = 0
    for path in sorted((shared / "conformance").rglob("*.tl")):
        text, problems = path.read_text(), Problems()
        parse(Source(path.name, text), problems)
        if not problems.errors:
            seen += 1
            obeys_the_laws(text)
            assert format_module(tree(text)) == format_source(text)
    assert seen > 100


@given(st.integers(0, 2**32))
@settings(max_examples=40 * MORE)
def test_laws_for_conformance_programs_with_comments(shared_programs: list[str], seed: int) -> None:
    """Comments and blank lines between the statements of real programs."""
    random = Random(seed)
    text = random.choice(shared_programs)
    lines, depth, open_text = [], 0, False
    for line in text.splitlines():
        open_text ^= line.count('"""') % 2 == 1
        depth += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        end = Spaces(random, 0.3).run("§") if depth == 0 and not open_text and "//" not in line else "\n"
        lines.append(line + (end if ";" not in end else "\n"))
    obeys_the_laws("".join(lines))


@pytest.fixture(scope="session")
def shared_programs() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "conformance"
    if not folder.is_dir():
        pytest.skip("no folder of shared data beside the repository")
    found = [p.read_text() for p in sorted(folder.rglob("*.tl"))]
    return [text for text in found if not _mistakes(text)]


def _mistakes(text: str) -> list:
    problems = Problems()
    parse(Source("<test>", text), problems)
    return problems.errors


LAYOUT = {
    "a; b": ("a=1;b=2", "a = 1\nb = 2\n"),
    "blank lines": ("a = 1\n\n\n\nb = 2", "a = 1\n\nb = 2\n"),
    "one-line functions stay together": ("fn f()->int{1}\nfn g()->int{2}", "fn f() -> int { 1 }\nfn g() -> int { 2 }\n"),
    "longer functions stand apart": ("let a = 1\nfn f() {\n    g()\n}\nlet b = 1", "let a = 1\n\nfn f() {\n    g()\n}\n\nlet b = 1\n"),
    "operators": ("x=-a**2+b@c*d-e..f", "x = -a ** 2 + b @ c * d - e..f\n"),
    "needed parentheses": ("x=(a+b)*c-(d-e)+(-2)**2", "x = (a + b) * c - (d - e) + (-2) ** 2\n"),
    "needless parentheses": ("x=((a)+(b*c))", "x = a + b * c\n"),
    "a cast": ("x=(a as float)+1.0", "x = (a as float) + 1.0\n"),
    "not": ("x=!a==b&&!(c||d)", "x = (not a) == b and not (c or d)\n"),
    "groups of an equation": ("let y=(a[j]+b)+c\nlet z[i]=(W[i,j] X[j])%2", "let y = (a[j] + b) + c\nlet z[i] = (W[i, j] X[j]) % 2\n"),
    "a struct in a head": ("if (p==Point{x:1}){a=1}", "if (p == Point { x: 1 }) { a = 1 }\n"),
    "named arguments": ("f(x,dim=-1)", "f(x, dim: -1)\n"),
    "comments": ("/* a */ let x = f(a, // first\n b) // end", "/* a */ let x = f(\n    a,  // first\n    b,\n)  // end\n"),
    "an empty block": ("main{\n// later\n}", "main {\n    // later\n}\n"),
    "windows": ("a = 1 // x\r\n\r\nb = 2\r\n", "a = 1  // x\n\nb = 2\n"),
    "only a comment": ("// a", "// a\n"),
    "nothing": ("\n\n", ""),
    "rows": ("let w=[[1,2],\n[3,4]]", "let w = [\n    [1, 2],\n    [3, 4],\n]\n"),
    "a one-tuple": ("let t=(a,)", "let t = (a,)\n"),
    "numbers as written": ("let x=[0xff,1_000,1.,.5]", "let x = [0xff, 1_000, 1., .5]\n"),
}


@pytest.mark.parametrize("name", LAYOUT)
def test_layout(name: str) -> None:
    text, wanted = LAYOUT[name]
    assert format_source(text) == wanted
    assert format_source(wanted) == wanted


def test_long_lines_break_between_elements() -> None:
    text = f"let result = compute({', '.join(f'argument_number_{i}' for i in range(8))})"
    lines = format_source(text).splitlines()
    assert lines[0] == "let result = compute(" and lines[-1] == ")"
    assert lines[1:-1] == [f"    argument_number_{i}," for i in range(8)]


def test_a_function_in_the_last_place_stays_there() -> None:
    text = "let ys = apply_to_all(xs, |x| {\n    let y = x\n    y * 2\n})\n"
    assert format_source(text) == text


@given(programs(mess=0.0))
@settings(max_examples=30 * MORE)
def test_lines_are_short(text: str) -> None:
    """Only a string or a chain of brackets without a space may be longer."""
    for line in format_source(text).splitlines():
        assert len(line) <= 140 or '"' in line


def test_mistakes_are_raised() -> None:
    with pytest.raises(TensorLogicError) as caught:
        format_source("let x = (1", "a.tl")
    assert caught.value.diagnostics[0].code == "TL0102"


def test_deep_chains() -> None:
    for text in ("let x = " + " + ".join(["a"] * 5000), "x" + ".f()" * 90, "let x = " + " and ".join(["a"] * 3000)):
        assert format_source(format_source(text)) == format_source(text)


def test_deep_nesting() -> None:
    text = "let x = " + "f([" * 60 + "1" + "])" * 60
    assert format_source(format_source(text)) == format_source(text)


def test_time_is_linear() -> None:
    unit = "fn f(x: f32[N, D], w: f32[D, K]) -> f32[N, K] {\n    let y = x @ w + 1.0  // sum\n    return relu(y)\n}\n\n"

    def seconds(count: int) -> float:
        text = unit * count
        start = time.process_time()
        format_source(text)
        return time.process_time() - start

    small, large = seconds(200), seconds(800)
    assert large < 8 * small + 0.5
