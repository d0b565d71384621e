"""Every builtin, called as a program calls it: the checker refuses what PyTorch refuses, and promises what PyTorch gives."""

import os
from functools import cache
from pathlib import Path

import pytest

from tensorlogic.checker.check import check_program
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Function, Module
from tensorlogic.source import Source
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List, Tensor, Tuple, Type
from tests.properties.builtins_figures import compare, measure, overloads, table
from tests.properties.builtins_trial import REFUSED, agree, check, shown
from tests.properties.calls import Call, NotDrawn, parameters_of, samples_of, text_of
from tests.properties.exceptions import FAULTS, NOT_DRAWN, SPECIFIED
from tests.reference import Cells, Reference

FULL = bool(os.environ.get("TLC_FULL"))
CALLS = 500_000 if FULL else 9_000
PROGRAMS = 30 if FULL else 6
SIZES = {2: "P", 3: "Q", 4: "R", 5: "S"}
CONTRACT = Path(__file__).parents[3] / "shared" / "design" / "LANGUAGE.md"
pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of odd arguments, which are drawn on purpose
NAMES = sorted({name for name, _ in overloads()})


@cache
def figures():
    return measure(CALLS)


def test_the_checker_and_pytorch_agree() -> None:
    found, _ = figures()
    if FULL:
        print(table(found))
    wrong = [line for made in found.values() for line in made.shown]
    assert not wrong, "\n".join(wrong)


def test_every_builtin_is_really_compared() -> None:
    """Each overload is drawn or is listed with a reason, and at least a fifth of the calls of each builtin are right for both."""
    found, left_out = figures()
    assert [s.text for s in left_out if not any(isinstance(p.type, tuple(NOT_DRAWN)) for p in s.params)] == []
    few = [name for name, made in found.items() if made.counts["accepted"] < 0.2 * made.calls]
    assert not few, "badly drawn"
    refused = [name for name, made in found.items() if made.counts["refused"]]
    assert len(refused) > 0.5 * len(found)


def test_the_exceptions_are_few_and_cite() -> None:
    assert len(FAULTS) <= 10 and all(row.cites for row in FAULTS)
    if CONTRACT.exists():
        text = " ".join(CONTRACT.read_text().split())
        assert [row.cites for row in SPECIFIED if " ".join(row.cites.split()) not in text] == []


def test_every_exception_is_met() -> None:
    """A row that no call needs is no exception."""
    found, _ = figures()
    met = {row for made in found.values() for row in made.rows}
    assert not FULL or {*SPECIFIED, *FAULTS} - met == set()


# --- programs -------------------------------------------------------------------------------------------------------------


@cache
def drawn(name: str) -> tuple[Call, ...]:
    """Calls of all overloads of a builtin."""
    calls = []
    for index in range(len(builtin_signatures(name))):
        for seed in range(PROGRAMS if (name, index) in set(overloads()) else 0):
            try:
                calls.append(compare(name, index, seed)[0])
            except NotDrawn:
                break
    return tuple(calls)


def program(name: str, names: dict[int, str] | None = None) -> tuple[list[Call], list[str], Module, dict[int, str]]:
    """(calls, lines, module, what is said of a line) of a program with one function for each call."""
    calls = list(drawn(name))
    lines = [f"fn f{i}({parameters_of(call, names)}) {{ let y = {text_of(call, name)} }}" for i, call in enumerate(calls)]
    problems = Problems()
    module = check_program(Source("<trials>", "\n".join(lines)), problems)
    assert module is not None, problems.found
    return calls, lines, module, {d.span.line - 1: f"{d.code} {d.message}" for d in problems.errors if d.span}


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_told_the_same(name: str) -> None:
    """The comparison goes without program text; a program with the same call gets the same type or the same message."""
    calls, lines, module, refused = program(name)
    for i, call in enumerate(calls):
        checked = check(name, call)
        if checked.type is None:
            assert refused.get(i) == checked.said, lines[i]
        else:
            function = module.function(f"f{i}")
            assert i not in refused and str(function.body.ops[-1].results[0].type) == str(checked.type), lines[i]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_promised_of_names_holds_for_numbers(name: str) -> None:
    """The same calls with names for the sizes: what is accepted gives the promised type, or stops with a guard or PyTorch's own refusal."""
    calls, lines, module, refused = program(name, SIZES)
    reference = Reference(module)
    for i, call in enumerate(calls):
        if i in refused:
            continue
        function = module.function(f"f{i}")
        type_ = in_numbers(function.body.ops[-1].results[0].type)
        cells = bound(function, call)
        try:
            reference.region(function.body, cells)
        except REFUSED:
            continue
        value = cells.find(function.body.ops[-1].results[0])
        assert agree(value, type_, True), f"{lines[i]}\n    {type_} was promised, but PyTorch gives {shown(value)}"


def bound(function: Function, call: Call) -> Cells:
    """The parameters and dims of a function that is called."""
    cells = Cells()
    cells.update(zip(function.params, (sample.real() for sample in samples_of(call)), strict=True))
    for binding in function.dims:
        found = cells[binding.param]
        cells[binding.value] = found if binding.axis is None else (found.shape[binding.axis] - binding.offset) // binding.scale
    return cells


def in_numbers(type_: Type) -> Type:
    """The type with numbers in place of the names."""
    numbers = {name: Dim.const(size) for size, name in SIZES.items()}
    match type_:
        case Tensor(dtype, shape):
            return Tensor(dtype, tuple(d.substitute(numbers) if isinstance(d, Dim) else d for d in shape))
        case Tuple(items):
            return Tuple(tuple(map(in_numbers, items)))
        case List(element):
            return List(in_numbers(element))
        case Int(Dim() as value):
            return Int(value.substitute(numbers))
    return type_


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "crashes").glob("builtin_*.tl")), ids=lambda path: path.stem)
def test_former_disagreements(path: Path) -> None:
    """What the comparison found once: each line is clean, or has the error that stands at its end."""
    problems = Problems()
    check_program(Source(path.name, path.read_text()), problems)
    found = {d.span.line: d.code for d in problems.errors if d.span}
    lines = path.read_text().splitlines()
    assert found == {i + 1: line.rpartition("// error: ")[2] for i, line in enumerate(lines) if "// error: " in line}
