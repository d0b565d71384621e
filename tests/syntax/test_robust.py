"""No text makes the parser raise, hang or stay silent: a tree without mistakes, or at least one message at a place in the text."""

# ruff: noqa: E501

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.driver import Driver
from tensorlogic.syntax.grammar import tables
from tensorlogic.syntax.parse import parse

PROGRAMS = sorted((Path(__file__).parents[3] / "shared" / "conformance").glob("*/**/*.tl"))
EXAMPLES = 20_000 if os.environ.get("TLC_FULL") else 300
WORDS = (
    *tables().symbols, *tables().words, *tables().soft_words, "x", "y'", "f32", "1", "2.5", "\n", "\n", '"s"', "max=", "<-", "_", "// c\n", "/*",
    "///d\n", ".5", "é", "'", '"', "{", "}", "(", ")", "[", "]", "|", ";",
)  # fmt: skip


def law(text: str) -> None:
    problems = Problems()
    module = parse(Source("t.tl", text), problems)
    assert isinstance(module, ast.Module)
    for found in problems.found:
        assert found.code in ("TL0101", "TL0102", "TL0103", "TL0104")
        assert found.span is not None and 0 <= found.span.start <= found.span.end <= len(text)
        assert not any(name in found.message for name in ("_END", "RBRACE", "$END", "LPAR", "NAME"))
    pending: list[ast.Node] = list(module.statements)
    while pending:
        node = pending.pop()
        assert 0 <= node.span.start <= node.span.end <= len(text)
        pending.extend(ast.children(node))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
def test_soup_of_tokens(text):
    law(text)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(st.text(max_size=80))
def test_any_text(text):
    law(text)


@pytest.mark.skipif(not PROGRAMS, reason="the conformance programs are not here")
@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(st.randoms(use_true_random=False))
def test_mutated_programs(chance):
    text = chance.choice(PROGRAMS).read_text(encoding="utf-8")[:3000]
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(text) + 1), chance.choice((0, 1, 1, 3, 20))
        text = text[:at] + chance.choice(("", "", chance.choice(WORDS), chance.choice(WORDS))) + text[at + size :]
    law(text)


def accepted(text: str) -> bool:
    """Whether the grammar takes a text without stepping over anything."""
    problems = Problems()
    parse(Source("t.tl", text), problems)
    return not problems.found


@pytest.mark.skipif(not PROGRAMS, reason="the conformance programs are not here")
def test_a_statement_is_only_left_out_with_a_message(monkeypatch):
    chance = random.Random(7)
    stepped = []
    original = Driver.step_over
    monkeypatch.setattr(Driver, "step_over", lambda self, *rest: stepped.append(1) or original(self, *rest))
    for _ in range(EXAMPLES):
        text = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 25)))
        stepped.clear()
        assert not (accepted(text) and stepped), text


def calls(text: str) -> int:
    """The number of calls that parsing makes: work that no other load on the machine changes."""
    made = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        parse(Source("t.tl", text), Problems())
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("piece", [
    "let x: f32[N, D] = f(a, b + 1)[0, 1:2].g(|y| y * 2)\n", "x, ", "f(", "{", "}", "]", "let ", "learn (", "a<", "|", "+ x ", "/* ",
    '"', "x[", "fn f(\n", "let = 3\n", "x.", "- ", "model M(\n", "(a, b) = ", "x max= ",
])  # fmt: skip
def test_time_is_linear(piece):
    small, large = calls(piece * 300), calls(piece * 3000)
    assert large < 15 * small + 2000, (small, large)  # quadratic work would be a hundred times as much
