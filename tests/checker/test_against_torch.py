"""Straight-line functions: the checked type of the result is the shape that torch gives; a twin with one broken line is refused."""

import os
import random

import pytest
import torch
from hypothesis import given, settings, strategies as st

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.ir.ir import Module
from tensorlogic.source import Source
from tensorlogic.types.types import Tensor
from tests.checker.generate import NAMES, Program, program, shape_text

EXAMPLES = 2000 if os.environ.get("TLC_FULL") else 40


def checked(text: str) -> tuple[Module | None, list[Diagnostic]]:
    problems = Problems()
    module = check_program(Source("program.tl", text), problems)
    return module, list(problems.found)


def result_type(made: Program) -> Tensor:
    """The type of the last value, asked for by declaring a result of another type."""
    _, found = checked(made.source("int"))
    assert [d.code for d in found] == ["TL0312"], [f"{d.code} {d.message}" for d in found] + [made.source("int")]
    text = made.source(f"f32{shape_text(made.shapes[made.lines[-1].name])}")
    module, found = checked(text)
    assert not found, (text, [d.message for d in found])
    assert module is not None
    inferred = [op for op in module.functions[0].body.ops if op.results and op.results[0].name == made.lines[-1].name]
    assert isinstance(inferred[-1].results[0].type, Tensor)
    return inferred[-1].results[0].type


def torch_shape(made: Program, sizes: dict[str, int]) -> tuple[int, ...]:
    """What torch says, on the meta device."""
    values: dict = {"torch": torch, **sizes}
    for name, shape in made.params.items():
        values[name] = torch.empty([sizes[s[0]] for s in shape], device="meta")
    for line in made.lines:
        values[line.name] = eval(line.python, values)  # text made in this test
    return tuple(values[made.lines[-1].name].shape)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 8))
def test_types_are_the_shapes_of_torch(seed: int, length: int) -> None:
    made = program(seed, length)
    type_ = result_type(made)
    for draw in range(3):
        r = random.Random(f"{seed} {draw}")
        sizes = {name: r.randint(2, 7) for name in NAMES}
        assert tuple(d.evaluate(sizes) for d in type_.shape) == torch_shape(made, sizes), made.source("?")  # type: ignore[union-attr]


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 6))
def test_a_broken_line_is_refused_there_and_nowhere_else(seed: int, length: int) -> None:
    made = program(seed, length)
    for at, line in enumerate(made.lines):
        if line.broken:
            text = made.source(f"f32{shape_text(made.shapes[made.lines[-1].name])}", broken_at=at)
            _, found = checked(text)
            lines = [text.count("\n", 0, d.span.start) for d in found if d.span]
            assert lines == [at + 1], (text, [f"{d.code} {d.message}" for d in found])


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_repeats_itself(seed: int) -> None:
    assert program(seed, 5).source("int") == program(seed, 5).source("int")
