"""Broken IR is noticed, with the place."""

from collections.abc import Callable

import pytest
from programs import BOOL, INT, Code, at, const, function, module
from test_agreement import PROGRAMS

from tensorlogic.ir.ir import Module, Op, Region, Value
from tensorlogic.ir.verify import Malformed, verify
from tensorlogic.types.types import Unknown

A, B = Value("a", INT), Value("b", INT)


@pytest.mark.parametrize("name", PROGRAMS)
def test_good_programs(name: str) -> None:
    program = PROGRAMS[name]()
    assert verify(program) is program


def body(*ops: Op) -> Module:
    return module(function("f", (A,), INT, Region((), ops)))


def op(code: str, args: tuple = (), results: tuple = (), regions: tuple = (), **attrs: object) -> Op:
    return Op(code, args, results, attrs, regions, at(5))


BROKEN: list[tuple[str, Callable[[], Module]]] = [
    ("before it is defined", lambda: body(op("binary", (A, B), (Value("", INT),), op="+"))),
    ("no mutable value", lambda: body(op("assign", (A,), target=A))),
    ("defined twice", lambda: body(op("copy", (A,), (B,)), op("copy", (A,), (B,)))),
    ("has no type", lambda: body(op("copy", (A,), (Value("c", Unknown()),)))),
    ("no operation", lambda: body(op("goto"))),
    ("0 regions, not 1", lambda: body(op("for", (A,)))),
    ("3 operands, not 2", lambda: body(op("binary", (A, A, A), (B,), op="+"))),
    ("0 results, not 1", lambda: body(op("copy", (A,)))),
    ("does not exist", lambda: body(op("call", (A,), (B,), name="g"))),
    ("0 operands, not 1", lambda: body(op("call", (), (B,), name="f"))),
    ("a struct that does not exist", lambda: body(op("struct", (), (B,), name="P"))),
    ("stand behind", lambda: body(op("return", (A,)), op("copy", (A,), (B,)))),
    ("without an else", lambda: body(op("if", (const(True),), (B,), (Region((), (), (A,)),)))),
    ("yields 0 of 1", lambda: body(op("if", (const(True),), (B,), (Region((), (), (A,)), Region())))),
    ("0 yields, not 1", lambda: body(op("while", (), (), (Region(), Region())))),
    ("one name", lambda: module(function("f", (), INT, Region()), function("f", (), INT, Region()))),
    ("2 operands, not 1", lambda: body(op("unary", (A, A), (Value("", BOOL),), op="not"))),
]


@pytest.mark.parametrize(("words", "make"), BROKEN)
def test_broken_programs(words: str, make: Callable[[], Module]) -> None:
    with pytest.raises(Malformed, match=words):
        verify(make())


def test_a_value_of_a_branch_stays_in_it() -> None:
    inside = Region((), (op("copy", (A,), (B,)),))
    with pytest.raises(Malformed, match="before it is defined"):
        verify(body(op("if", (const(True),), (), (inside,)), op("return", (B,))))


def test_code_helper_gives_valid_ir() -> None:
    code = Code()
    code.give(A)
    verify(module(function("f", (A,), INT, code.region())))
