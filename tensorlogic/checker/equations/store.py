"""The left side of an equation on a tensor that is there: which part of it, read and written."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.build import is_value
from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.terms import WHOLE, Term, aligned, expanded, index
from tensorlogic.checker.equations.tree import Equation
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const, Operand, SliceOf
from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.mistakes import RankMismatch
from tensorlogic.types.types import Int, Tensor


@distinct_record
class Slot:
    """One axis: the index `name`, from `start` on, or the place `at`."""

    name: str
    size: Dim | None
    start: int
    at: Operand | None
    span: Span


def slots_of(state: State, target: ast.Index, whole: Typed) -> list[Slot] | None:
    """What each item in the brackets means; None after a message."""
    assert isinstance(whole.type, Tensor)
    shape = whole.type.shape
    if len(shape) != len(target.items) or not all(isinstance(size, Dim) for size in shape):
        state.report(describe(RankMismatch(f"`{target.base.span.text}`", f"{len(target.items)}", whole.type), target.span))
        return None
    slots = [_slot(state, item, size) for item, size in zip(target.items, shape, strict=True)]  # type: ignore[arg-type]
    known = [slot for slot in slots if slot is not None]
    names = [slot.name for slot in known if slot.name]
    if len(set(names)) < len(names):
        state.error("TL0404", target.span, "an index stands twice on the left", "", "give each axis an index of its own")
        return None
    return known if len(known) == len(slots) else None


def _slot(state: State, item: ast.Node, size: Dim) -> Slot | None:
    match item:
        case ast.Name(name=name) if not is_value(state, name):
            return Slot(name, size, 0, None, item.span)
        case ast.Binary(op="+", left=ast.Name(name=name), right=ast.IntLit(value=start)) if not is_value(state, name):
            return Slot(name, size - start, start, None, item.span)
        case ast.Slice() | ast.Ellipsis() | ast.DottedIndex() | ast.VirtualIndex():
            state.error("TL0404", item.span, "an axis takes an index or a number on the left of an equation")
            return None
    typed = state.expr(item, Int())
    if isinstance(typed.type, Int):
        return Slot("", None, 0, typed.operand, item.span)
    state.error("TL0404", item.span, f"an axis takes an index or a number on the left of an equation, found {typed.type}")
    return None


def _operands(equation: Equation, slots: list[Slot]) -> list[Operand]:
    operands: list[Operand] = []
    for slot in slots:
        if slot.at is not None:
            operands.append(slot.at)
        elif slot.start and slot.size is not None:
            stop = size_operand(equation, slot.size + slot.start, slot.span)
            operands.append(SliceOf(Const(slot.start, Int(Dim.const(slot.start))), stop, Const(1, Int(ONE))))
        else:
            operands.append(WHOLE)
    return operands


def read(equation: Equation, whole: Typed, slots: list[Slot], span: Span) -> Term:
    """What the part holds."""
    operands = _operands(equation, slots)
    axes = tuple(slot.name for slot in slots if slot.name)
    if all(operand is WHOLE for operand in operands):
        return Term(whole, axes)
    shape = tuple(slot.size for slot in slots if slot.name and slot.size is not None)
    return Term(index(equation, whole, operands, shape, span), axes)


def store(equation: Equation, whole: Typed, slots: list[Slot], term: Term, span: Span) -> Typed:
    """The tensor with its part replaced."""
    assert isinstance(whole.type, Tensor)
    operands = _operands(equation, slots)
    axes = tuple(slot.name for slot in slots if slot.name)
    if all(operand is WHOLE for operand in operands):
        return expanded(equation, term, axes, span).typed
    value = aligned(equation, term, axes)
    dtype = Tensor(whole.type.dtype, value.type.shape if isinstance(value.type, Tensor) else ())
    fitted = coerce(equation.state, value, dtype, "the value")
    return equation.state.emit("set_index", (whole.operand, *operands, fitted.operand), whole.type, span)
