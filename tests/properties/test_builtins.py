"""Every builtin, called as a program calls it: the checker refuses what PyTorch refuses, and promises what PyTorch gives."""

import os
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import pytest
import torch

from tensorlogic.checker.check import check_program
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.ir.ir import Function, Module
from tensorlogic.source import Source
from tensorlogic.stdlib import registry
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import AnyTensor, Bool, Float, Int, List, String, Tensor, Tuple, Type, Void, is_unknown
from tests.properties.calls import Call, NotDrawn, draw, parameters_of, text_of
from tests.properties.exceptions import LAXER, LOOSE, NARROW, STRICTER
from tests.reference import Cells, Reference

DRAWS = 60 if os.environ.get("TLC_FULL") else 8
REFUSED = (RuntimeError, ValueError, IndexError, ZeroDivisionError, OverflowError, TypeError)
SIZES = {2: "P", 3: "Q", 4: "R", 5: "S"}
pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of odd arguments, which are drawn on purpose
NAMES = [n for n in registry.names() if registry.lookup(n).effect in (None, "random")]  # type: ignore[union-attr]


@dataclass
class Trial:
    """One call in a program of many: overload, arguments, and the line it stands on."""

    index: int
    call: Call
    line: str


def trials(name: str, names: dict[int, str] | None = None) -> list[Trial]:
    found = []
    for index, signature in enumerate(builtin_signatures(name)):
        if isinstance(signature.result, Void):
            continue
        for call in calls(name, index, signature):
            found.append(Trial(index, call, f"fn f{len(found)}({parameters_of(call, names)}) {{ let y = {text_of(call, name)} }}"))
    return found


@cache
def calls(name: str, index: int, signature: Signature) -> tuple[Call, ...]:
    """As many calls as are wanted, half of them right for PyTorch where that many are found."""
    right: list[Call] = []
    wrong: list[Call] = []
    for seed in range(12 * DRAWS):
        try:
            call = draw(signature, crc32(f"{name} {index} {seed}".encode()))
        except NotDrawn:
            break
        kind = right if runs(name, index, call) else wrong
        if len(kind) < DRAWS // 2 or (kind is right and seed < DRAWS):
            kind.append(call)
        if min(len(right), len(wrong)) >= DRAWS // 2:
            break
    return (*right, *wrong)


def runs(name: str, index: int, call: Call) -> bool:
    try:
        registry.lookup(name).bodies[index](*call.arguments, **call.named_arguments)  # type: ignore[union-attr]
    except REFUSED:
        return False
    return True


def disagreements(name: str) -> list[str]:
    tried = trials(name)
    problems = Problems()
    module = check_program(Source("<trials>", "\n".join(t.line for t in tried)), problems)
    assert module is not None, problems.found
    refused = {d.span.line: d for d in problems.errors if d.span}
    found = []
    for number, trial in enumerate(tried):
        if number + 1 in refused:
            problem = too_strict(name, trial, refused[number + 1])
        else:
            problem = wrong_promise(name, trial, module, module.function(f"f{number}"))
        if problem:
            found.append(f"{trial.line}\n    {problem}")
    return found


def too_strict(name: str, trial: Trial, diagnostic: Diagnostic) -> str | None:
    """What the checker refuses, PyTorch refuses, or the language is stricter on purpose."""
    said = f"{diagnostic.code} {diagnostic.message}"
    if any(said.startswith(known) for known in (*STRICTER["*"], *STRICTER.get(name, ()))):
        return None
    body = registry.lookup(name).bodies[trial.index]  # type: ignore[union-attr]
    try:
        given = body(*trial.call.arguments, **trial.call.named_arguments)
    except REFUSED:
        return None
    return f"{diagnostic.code} {diagnostic.message}: but PyTorch gives {shown(given)}"


def wrong_promise(name: str, trial: Trial, module: Module, function: Function) -> str | None:
    """What the checker accepts runs, and gives the type that was promised."""
    type_ = function.body.ops[-1].results[0].type
    if is_unknown(type_):
        return "the checker gives no type and says nothing"
    cells = Cells()
    cells.update(zip(function.params, trial.call.tensors.values(), strict=True))
    reference = Reference(module)
    try:
        reference.region(function.body, cells)
    except REFUSED as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        phrases = (*LAXER["*"], *LAXER.get(name, ()), *(NARROW if is_narrow(trial.call) else ()))
        return None if any(phrase in said for phrase in phrases) else f"{type_} was promised, but {said}"
    value = cells.find(function.body.ops[-1].results[0])
    if agree(value, type_, name in LOOSE):
        return None
    return f"{type_} was promised, but PyTorch gives {shown(value)}"


def is_narrow(call: Call) -> bool:
    return any(tensor.dtype.itemsize < 4 for tensor in call.tensors.values())


def agree(value: object, type_: Type, loose: bool) -> bool:
    match type_:
        case Tensor(dtype, shape) if isinstance(value, torch.Tensor):
            sizes = [dim.value for dim in shape]  # type: ignore[union-attr]
            known = loose or None not in sizes
            fits = len(sizes) == value.ndim and all(n is None or n == m for n, m in zip(sizes, value.shape, strict=True))
            return known and fits and f"torch.{dtype}" == str(value.dtype)
        case AnyTensor():
            return loose
        case Tuple(items):
            as_many = isinstance(value, tuple | list) and len(value) == len(items)
            return as_many and all(agree(v, t, loose) for v, t in zip(value, items, strict=True))
        case List(element):
            return isinstance(value, tuple | list) and (loose or all(agree(v, element, loose) for v in value))
        case Int(dim):
            return type(value) is int and (dim is None or dim.value in (None, value))
    return isinstance(value, {Float: float, Bool: bool, String: str}.get(type(type_), object))


def shown(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return [shown(v) for v in value] if isinstance(value, tuple | list) else value


def wrong_by_name(name: str) -> list[str]:
    """The same calls with names for the sizes: what is accepted gives the promised type, or stops with a guard or PyTorch's own refusal."""
    tried = trials(name, SIZES)
    problems = Problems()
    module = check_program(Source("<trials>", "\n".join(t.line for t in tried)), problems)
    assert module is not None, problems.found
    refused, reference, found = {d.span.line for d in problems.errors if d.span}, Reference(module), []
    for number, trial in enumerate(tried):
        function = module.function(f"f{number}")
        if number + 1 in refused:
            continue
        cells = bound(function, trial.call)
        type_ = in_numbers(function.body.ops[-1].results[0].type)
        try:
            reference.region(function.body, cells)
        except REFUSED:
            continue
        value = cells.find(function.body.ops[-1].results[0])
        if not agree(value, type_, True):
            given = shown(list(trial.call.tensors.values()))
            found.append(f"{trial.line}\n    {type_} was promised, but PyTorch gives {shown(value)} of {given}")
    return found


def bound(function: Function, call: Call) -> Cells:
    """The parameters and dims of a function that is called."""
    cells = Cells()
    cells.update(zip(function.params, call.tensors.values(), strict=True))
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


@pytest.mark.parametrize("name", NAMES)
def test_what_is_promised_of_names_holds_for_numbers(name: str) -> None:
    found = wrong_by_name(name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_checker_and_pytorch_agree(name: str) -> None:
    found = disagreements(name)
    assert not found, "\n".join(found)


def test_most_builtins_are_really_compared() -> None:
    """For nearly every builtin the checker accepts some of the calls and refuses some calls of those that can be wrong."""
    accepted, refused = 0, 0
    for name in NAMES:
        tried, problems = trials(name), Problems()
        check_program(Source("<trials>", "\n".join(t.line for t in tried)), problems)
        accepted += len(tried) > len(problems.errors)
        refused += bool(problems.errors)
    assert accepted >= 0.9 * len(NAMES) and refused >= 0.5 * len(NAMES), (accepted, refused, len(NAMES))
