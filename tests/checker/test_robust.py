"""No program makes the checker crash, hang or run out of stack: former crashes, mutated programs, deep nesting, size in many directions."""

import gc
import math
import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source

TESTS = Path(__file__).parents[1]
CRASHES = sorted((TESTS / "crashes").glob("*.tl"))
PROGRAMS = sorted((TESTS / "checker" / "programs").glob("*.tl"))
CASES = 20_000 if os.environ.get("TLC_FULL") else 600
SECONDS = 5.0  # for what takes a fraction of one: the machine may be busy
TOKEN = re.compile(r'\s+|//[^\n]*|"[^"\n]*"|\w+|->|=>|\*\*|\.\.\.|\.\.|==|!=|<=|>=|.', re.DOTALL)
PIECES = (
    *"+-*/%@<>=|?!.,;:()[]{}", "**", "==", "in", "and", "as", "..", "...", "->", "+=", ":=", "=>", "::", "\n", "0", "-1", "3.5",
    '"s"', "true", "[]", "(1, 2)", "|x| x", "self", "0..3", "zeros([2])",
    "9223372036854775807", "gpu", "float32", "f32", "int", "Tensor", "q8_0", "void", "N",
)  # fmt: skip


def codes(text: str) -> set[str]:
    problems = Problems()
    check_program(Source("program.tl", text), problems)
    return {d.code for d in problems.found}


def at_depth(depth: int, call: Callable[[], set[str]]) -> set[str]:
    return call() if depth == 0 else at_depth(depth - 1, call)


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.stem)
def test_former_crash(path: Path) -> None:
    start = time.process_time()
    codes(path.read_text())
    assert time.process_time() - start < SECONDS


def test_mutated_programs() -> None:
    r = random.Random(0)
    texts = [TOKEN.findall(path.read_text()) for path in PROGRAMS]
    for _ in range(CASES):
        tokens = list(r.choice(texts))
        for _ in range(r.randint(1, 4)):
            at, other = r.randrange(len(tokens)), r.randrange(len(tokens))
            match r.randrange(4):
                case 0:
                    tokens[at] = ""
                case 1:
                    tokens[at] *= 2
                case 2:
                    tokens[at], tokens[other] = tokens[other], tokens[at]
                case _:
                    tokens[at] = r.choice(PIECES)
        codes("".join(tokens))


NESTED = {
    "parentheses": ("let a = ", "(", "1", ")"), "lists": ("let a = ", "[", "1", "]"), "calls": ("let a = ", "abs(", "1", ")"),
    "ifs": ("", "if true { ", "print(1)", " }"), "if_values": ("let a = ", "if true { ", "1", " } else { 2 }"),
    "loops": ("", "for i in 0..2 { ", "print(1)", " }"), "whiles": ("", "while false { ", "print(1)", " }"),
    "lambdas": ("let f = ", "|x| ", "1", ""), "lambda_arguments": ("let a = ", "[1].map(|x| ", "x", ")"),
    "tuples": ("let a = ", "(", "1", ",)"),
    "minuses": ("let a = ", "-", "1", ""), "nots": ("let a = ", "not ", "true", ""), "powers": ("let a = ", "1 ** ", "1", ""),
    "matches": ("let a = ", "match 1 { _ => ", "1", " }"), "list_types": ("let a: ", "[", "int", "] = 1"),
    "function_types": ("let a: ", "fn(", "int", ") -> int"), "sizes": ("fn f(x: f32[", "(", "N", " + 1)"),
    "patterns": ("let ", "(", "a", ",)"),
    "structs": ("struct S { x: int }\nlet a = ", "S { x: ", "1", " }"), "methods": ("let a = tensor([1.0])", ".relu()", "", ""),
    "items": ("let a = tensor([1.0])", "[0]", "", ""), "members": ("let a = 1", ".x", "", ""), "casts": ("let a = 1", " as int", "", ""),
    "else_ifs": ("if true { 1 }", " else if true { 1 }", "", ""), "generics": ("struct P<T> { a: T }\nlet a: ", "P<", "int", ">"),
}  # fmt: skip


@pytest.mark.parametrize("depth", [0, 800], ids=["shallow", "deep_stack"])
@pytest.mark.parametrize("count", [40, 190, 1000])
@pytest.mark.parametrize("name", NESTED)
def test_nesting(name: str, count: int, depth: int) -> None:
    head, left, middle, right = NESTED[name]
    found = at_depth(depth, lambda: codes(head + left * count + middle + right * count + "\n"))
    assert "TL0999" not in found


LONG = {
    "operators": lambda n: "let a = " + " + ".join(["1"] * n),
    "tensor_operators": lambda n: "let x = tensor([1.0])\nlet a = " + " * ".join(["x"] * n),
    "conditions": lambda n: "let x = 1\nlet a = " + " and ".join(["x > 0"] * n),
    "statements": lambda n: "let x = tensor([1.0])\n" + "x = x * 2.0\n" * n,
    "functions": lambda n: "".join(f"fn f{i}(x: f32[N, D]) -> f32[N, D] {{ return x * 2.0 }}\n" for i in range(n)),
    "calls": lambda n: "fn f(x: f32[N]) -> f32[N] { return x }\nlet x = tensor([1.0])\n" + "x = f(x)\n" * n,
    "mistakes": lambda n: "".join(f"let v{i} = missing{i}\n" for i in range(n)),
    "constants": lambda n: "const C0 = 1\n" + "".join(f"const C{i + 1} = C{i} + 1\n" for i in range(n)),
}


@pytest.mark.parametrize("name", LONG)
def test_time_is_linear(name: str) -> None:
    """Four times the text takes far less than sixteen times as long. The best of three, without the collector, which has the objects of all
    other tests to look through."""
    times = {500: math.inf, 2000: math.inf}
    gc.disable()
    try:
        for n in (500, 2000) * 3:
            start = time.process_time()
            codes(LONG[name](n))
            times[n] = min(times[n], time.process_time() - start)
    finally:
        gc.enable()
    assert times[2000] < max(9 * times[500], 0.5)


HARD = {
    "power": ("fn f(x: f32[" + " * ".join(["(A + B)"] * 50) + "]) -> int { return 1 }", set()),
    "wide_power": ("fn f(x: f32[" + " * ".join(["(A + B + C + D)"] * 30) + "]) -> int { return 1 }", {"TL0314"}),
    "many_names": ("fn f(x: f32[" + " + ".join(f"N{i}" for i in range(2000)) + "]) -> int { return 1 }", {"TL0314"}),
    "wheres": ("fn f(x: f32[N]) -> f32[N] where " + ", ".join(f"N % {i} == 0" for i in range(2, 300)) + " { return x }", set()),
    "towers": ("const A = 9 ** 9 ** 9\nlet b = 2 ** 63", {"TL0314"}),
    "huge_literal": ("let x = " + "9" * 5000, {"TL0104"}),
    "huge_size": ("let x: f32[9223372036854775808] = zeros([1])", {"TL0314"}),
    "rank": ("fn f(x: f32[" + ", ".join(["2"] * 65) + "]) -> int { return 1 }", {"TL0104"}),
    "big_sizes": ("let x: f32[1000000000000] = zeros([1000000000000])\nlet y = x @ x\nfor i in 0..1000000000000 { print(i) }", set()),
    "lambda_of_itself": ("let f = |x| f(x)\nlet a = f(1)", {"TL0306"}),
    "lambda_types": ("let f = |x| (x, x)\n" + "".join(f"let a{i} = f({'(' * i}1{',)' * i})\n" for i in range(30)), set()),
}


@pytest.mark.parametrize("name", HARD)
def test_bounded(name: str) -> None:
    text, expected = HARD[name]
    start = time.process_time()
    assert codes(text) == expected
    assert time.process_time() - start < SECONDS
