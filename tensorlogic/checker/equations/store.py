"""Writing what an equation gives to the places that its left side means: a part that is cut out, or places one by one."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.left import Left, sides
from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.references import reference
from tensorlogic.checker.equations.terms import WHOLE, Term, aligned, call, expanded, index, numbers, sizes, text
from tensorlogic.checker.equations.tree import Equation, Item, Linear, Place, Reference, uses_of
from tensorlogic.checker.equations.values import evaluate
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Operand, SliceOf
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List, Tensor, is_unknown

GATHERED = {"-": "+", "/": "*"}  # what is subtracted is added up before


def changed(state: State, target: ast.Index, node: ast.Assign, whole: Typed) -> Typed | None:
    """The tensor with new values at the places on the left; None after a message."""
    op = "" if node.op in ("=", ":=") else node.op[:-1]
    equation = Equation(state, ())
    found = sides(equation, target, node, op, whole)
    if found is None:
        return None
    return _written(equation, node, whole, *found, op)


def made(state: State, target: ast.Index, node: ast.Let | ast.Assign, op: str) -> tuple[Typed, tuple[str, ...]] | None:
    """(a new tensor with values at the places on the left, its indices); None after a message. Elsewhere it holds what changes nothing."""
    equation = Equation(state, ())
    found = sides(equation, target, node, op, None)
    if found is None:
        return None
    left, term = found
    whole = neutral(equation, left.shape, term.typed, op, node.span)
    typed = _written(equation, node, whole, left, term, op)
    return None if typed is None else (typed, left.names)


def _written(equation: Equation, node: ast.Let | ast.Assign, whole: Typed, left: Left, term: Term, op: str) -> Typed | None:
    assert isinstance(whole.type, Tensor)
    if left.slices:
        if op:
            term = operated(equation, node, op, _read(equation, whole, left, node.span), term)
        typed = _cut_in(equation, whole, left, term, node.span)
    elif op in GATHERED:
        gathered = neutral(equation, left.shape, whole, op, node.span)
        gathered = _scattered(equation, gathered, left, term, GATHERED[op], node.span)
        axes = tuple(f"axis {at}" for at in range(len(left.shape)))
        typed = operated(equation, node, op, Term(whole, axes), Term(gathered, axes)).typed
    else:
        typed = _scattered(equation, whole, left, term, op, node.span)
    return None if is_unknown(typed.type) else typed


def operated(equation: Equation, node: ast.Let | ast.Assign, op: str, old: Term, new: Term) -> Term:
    """`old op new`, element by element."""
    axes = old.axes
    values = aligned(equation, old, axes), aligned(equation, new, axes)
    if op in ("max", "min"):
        return Term(call(equation, op, node.span, *values), axes)
    span = Span(node.span.source, node.target.span.end, node.value.span.start)
    binary = ast.Binary(node.span, op, node.target, node.value, span)  # type: ignore[arg-type]
    return Term(apply_operator(equation.state, binary, *values), axes)


# --- a part ----------------------------------------------------------------------------------------------------------


def _operands(equation: Equation, left: Left) -> list[Operand]:
    return [_operand(equation, item, size) for item, size in zip(left.items, left.shape, strict=True)]


def _operand(equation: Equation, item: Item, size: Dim) -> Operand:
    if isinstance(item, Place):
        return item.typed.operand
    assert isinstance(item, Linear)
    if not item.factors:
        return size_operand(equation, item.offset, item.span)
    ((name, factor),) = item.factors
    range_ = equation.ranges[name].size
    if item.plain and range_ == size:
        return WHOLE
    stop = item.offset + factor * range_
    return SliceOf(*(size_operand(equation, dim, item.span) for dim in (item.offset, stop, factor)))


def _read(equation: Equation, whole: Typed, left: Left, span: Span) -> Term:
    """What the part holds."""
    operands = _operands(equation, left)
    if all(operand is WHOLE for operand in operands):
        return Term(whole, left.names)
    shape = tuple(equation.ranges[name].size for name in left.names)
    return Term(index(equation, whole, operands, shape, span), left.names)


def _cut_in(equation: Equation, whole: Typed, left: Left, term: Term, span: Span) -> Typed:
    """The tensor with the part replaced."""
    operands = _operands(equation, left)
    if all(operand is WHOLE for operand in operands):
        return expanded(equation, term, left.names, span).typed
    fitted = _fitted(equation, whole, aligned(equation, term, left.names))
    return equation.state.emit("set_index", (whole.operand, *operands, fitted.operand), whole.type, span)


def _fitted(equation: Equation, whole: Typed, value: Typed) -> Typed:
    assert isinstance(whole.type, Tensor)
    wanted = Tensor(whole.type.dtype, value.type.shape if isinstance(value.type, Tensor) else ())
    return coerce(equation.state, value, wanted, "the value")


# --- places one by one -----------------------------------------------------------------------------------------------


def _scattered(equation: Equation, whole: Typed, left: Left, term: Term, op: str, span: Span) -> Typed:
    """The tensor with each value at its own place. Axes with an index of their own are taken along as they are, behind the others."""
    rows = [at for at, item in enumerate(left.items) if not _is_own(left, item)]
    order = [*rows, *(at for at in range(len(left.items)) if at not in rows)]
    kept = tuple(item.plain or "" for at, item in enumerate(left.items) if at not in rows and isinstance(item, Linear))
    axes = tuple(name for name in left.names if name not in kept)
    values = _fitted(equation, whole, expanded(equation, term, (*axes, *kept), span).typed)
    places = [_places(equation, left.items[at], left.shape[at], axes) for at in rows]
    if is_unknown(values.type) or any(is_unknown(place.type) for place in places):
        return equation.state.unknown(span)
    moved = whole if order == sorted(order) else call(equation, "permute", span, whole, numbers(order, span))
    types = List(places[0].type, tuple(place.type for place in places))
    listed = equation.state.emit("list", tuple(place.operand for place in places), types, span)
    operands = (moved.operand, listed.operand, values.operand, text(op or "=", span).operand)
    typed = equation.state.emit("builtin", operands, moved.type, span, name="scatter_at", index=0)
    return typed if moved is whole else call(equation, "permute", span, typed, numbers([order.index(at) for at in range(len(order))], span))


def _is_own(left: Left, item: Item) -> bool:
    return isinstance(item, Linear) and item.plain is not None and sum(item.plain in uses_of(other) for other in left.items) == 1


def _places(equation: Equation, item: Item, size: Dim, axes: tuple[str, ...]) -> Typed:
    """The places on one axis: what stands in the brackets, read from the numbers of the axis."""
    count = Typed(size_operand(equation, size, item.span), Int(size), item.span)
    all_ = call(equation, "arange", item.span, count)
    node = Reference(item.span, uses_of(item), False, all_, (item,), ast.Index(item.span, ast.Name(item.span, ""), ()))
    term = reference(equation, node, evaluate)  # type: ignore[arg-type]
    return expanded(equation, term, axes, item.span).typed


# --- what changes nothing --------------------------------------------------------------------------------------------


def neutral(equation: Equation, shape: tuple[Dim, ...], like: Typed, op: str, span: Span) -> Typed:
    """A tensor of the dtype of another one that holds the identity of an operator everywhere."""
    return call(equation, "neutral", span, like, sizes(equation, list(shape), span), text(op or "=", span))
