"""One drawn call of a builtin given to the checker, without program text, and to PyTorch without data: do they agree?"""

from dataclasses import dataclass
from functools import cache

import torch

from tensorlogic.checker.check import check_program
from tensorlogic.checker.expressions import EXPRESSIONS, STATEMENTS
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.overloads import apply_builtin
from tensorlogic.checker.scope import Scope
from tensorlogic.checker.state import Frame, State, Typed
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Const, Op, Operand, Region, Value
from tensorlogic.source import Source, Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.types import Any, AnyTensor, Bool, DTypeValue, Float, Int, List, String, Tensor, Tuple, Type, is_unknown
from tests.properties.calls import Call, Sample
from tests.properties.exceptions import DATA, EVERY, FAULTS, LOOSE, SPECIFIED, Row
from tests.reference import Cells, Reference

REFUSED = (RuntimeError, ValueError, IndexError, ZeroDivisionError, OverflowError, TypeError, NotImplementedError, AssertionError)
SPAN = Span(Source("<drawn>", " "), 0, 1)
OF_SOME = tuple(row for row in SPECIFIED if row.builtins != EVERY)
NODE = ast.BoolLit(SPAN, True)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checker says: operations and the type of the result, or a code and a message."""

    type: Type | None
    ops: tuple[Op, ...]
    cells: dict[Value, Sample]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kind` is accepted, refused (by both), specified or fault (exceptions, with their `row`), or disagreed; `by_values` where PyTorch
    without data did not decide."""

    kind: str
    text: str = ""
    by_values: bool = False
    row: Row | None = None


def decide(name: str, index: int, call: Call) -> Outcome:
    """The checker's answer beside PyTorch's. Without data first; where that differs or cannot be, with data on the CPU."""
    checked = check(name, call)
    outcome = Outcome("disagreed", by_values=True)
    for device in ("cpu",) if name in DATA else ("meta", "cpu"):
        outcome = _compare(name, index, call, checked, device)
        if outcome.kind != "disagreed":
            return outcome
    said = checked.said or outcome.text
    for kind, table in (("specified", OF_SOME), ("fault", FAULTS), ("specified", SPECIFIED)):
        row = next((row for row in table if row.is_about(name) and row.matches(said)), None)
        if row is not None:
            return Outcome(kind, said, row=row)
    return outcome


def _compare(name: str, index: int, call: Call, checked: Checked, device: str) -> Outcome:
    by_values = device == "cpu"
    if checked.type is None:
        try:
            args, named = call.given(device)
            given = registry.lookup(name).bodies[index](*args, **named)  # type: ignore[union-attr]
        except Exception:  # however PyTorch says it; its own rules without data know KeyError too
            return Outcome("refused", by_values=by_values)
        return Outcome("disagreed", f"{checked.said}: but PyTorch gives {shown(given)}", by_values)
    if is_unknown(checked.type):
        return Outcome("disagreed", "the checker gives no type and says nothing")
    try:
        value = _evaluated(checked, device)
    except REFUSED as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Outcome("disagreed", f"{checked.type} was promised, but {said}", by_values)
    if agree(value, checked.type, name in LOOSE):
        return Outcome("accepted", by_values=by_values)
    return Outcome("disagreed", f"{checked.type} was promised, but PyTorch gives {shown(value)}", by_values)


# --- the checker ----------------------------------------------------------------------------------------------------------


@cache
def _reference() -> Reference:
    module = check_program(Source("<nothing>", ""), Problems())
    assert module is not None
    return Reference(module)


def check(name: str, call: Call) -> Checked:
    frame = Frame("", None, Facts.empty, frozenset(), top=True)
    state = State(Problems(), Scope(None, "file"), frame, {}, EXPRESSIONS, STATEMENTS)
    cells: dict[Value, Sample] = {}
    arguments = [_argument(state, cells, key, value) for key, value in call.named()]
    found = apply_builtin(state, name, arguments, SPAN)
    if state.problems.errors:
        first = state.problems.errors[0]
        return Checked(None, (), cells, f"{first.code} {first.message}")
    return Checked(found.type, tuple(state.ops), cells)


def _argument(state: State, cells: dict[Value, Sample], name: str | None, value: object) -> Argument:
    return Argument(name, _typed(state, cells, value), NODE)


def _typed(state: State, cells: dict[Value, Sample], value: object) -> Typed:
    match value:
        case Sample(sizes, dtype):
            made = Value(f"t{len(cells)}", Tensor(dtype, tuple(map(Dim.const, sizes))))
            cells[made] = value
            return Typed(made, made.type, SPAN)
        case torch.dtype():
            type_: Type = DTypeValue(str(value).removeprefix("torch."))
            return Typed(Const(None, type_), type_, SPAN)
        case list():
            return _list(state, [_typed(state, cells, item) for item in value])
    type_ = _type_of(value)
    return Typed(Const(value, type_), type_, SPAN)


def _type_of(value: object) -> Type:
    match value:
        case bool():
            return Bool(value)
        case int():
            return Int(Dim.const(value))
        case float():
            return Float(value)
    assert isinstance(value, str)
    return String(value)


def _list(state: State, items: list[Typed]) -> Typed:
    types = tuple(item.type for item in items)
    plain = {type(t) for t in types}
    element: Type = Any() if not types else AnyTensor() if Tensor in plain else types[0] if List in plain else type(types[0])()  # type: ignore[call-arg]
    type_ = List(element, types)
    if all(isinstance(item.operand, Const) for item in items):
        return Typed(Const(tuple(item.operand.value for item in items), type_), type_, SPAN)  # type: ignore[union-attr]
    operands: tuple[Operand, ...] = tuple(item.operand for item in items)
    return state.emit("list", operands, type_, SPAN)


# --- PyTorch --------------------------------------------------------------------------------------------------------------


def _evaluated(checked: Checked, device: str) -> object:
    cells = Cells()
    device = "narrow" if device == "cpu" and str(checked.ops[-1].attrs.get("name")).startswith("conv") else device
    cells.update((value, sample.real(device)) for value, sample in checked.cells.items())
    _reference().region(Region((), checked.ops), cells)
    return cells.find(checked.ops[-1].results[0])


def agree(value: object, type_: Type, loose: bool) -> bool:
    """Whether a value is of a type; `loose` where the type may say less than is known of the value."""
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
            return as_many and all(agree(v, t, loose) for v, t in zip(value, items, strict=True))  # type: ignore[arg-type]
        case List(element):
            return isinstance(value, tuple | list) and (loose or all(agree(v, element, loose) for v in value))
        case Int(dim):
            return type(value) is int and (dim is None or dim.value in (None, value))
    return isinstance(value, {Float: float, Bool: bool, String: str}.get(type(type_), object))


def shown(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return [shown(v) for v in value] if isinstance(value, tuple | list) else value
