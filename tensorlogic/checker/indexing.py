"""`x[...]`: indexing and slicing of tensors, lists, strings and models, and assignment to places."""

from dataclasses import dataclass

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.data import takes_slices
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.list_indexing import index_list, set_list_item, slice_part
from tensorlogic.checker.members import operand_label
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.weights import get_tensor
from tensorlogic.ir.ir import EllipsisIndex, Operand, SliceOf
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import QUANTIZED, is_int
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import EmptySlice, IndexOutOfRange, NotDefined, RankMismatch, SizeMismatch, WrongType
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes import broadcast
from tensorlogic.types.types import (
    AnyTensor,
    DTypeVar,
    Int,
    Library,
    List,
    Range,
    Segment,
    Shape,
    ShapeItem,
    String,
    Tensor,
    Tuple,
    Type,
    Unknown,
    is_unknown,
)  # fmt: skip


def check_index(state: State, node: ast.Index, expected: Type | None) -> Typed:
    base = state.expr(node.base)
    match base.type:
        case Unknown():
            _check_items(state, node)
            return state.unknown(node.span)
        case Tensor() | AnyTensor():
            return _index_tensor(state, node, base)
        case List() | String() | Tuple() | Range():
            return index_list(state, node, base)
        case Library(name="Dataset") if takes_slices(base.type, node.items):
            return index_list(state, node, base)
        case Library(name="Model"):
            if len(node.items) != 1:
                return state.error("TL0304", node.span, "a model takes one name in brackets")
            return get_tensor(state, base, base.type, state.expr(node.items[0]), node.span, expected)
    state.report(describe(NotDefined("indexing", base.type), node.base.span))
    return state.unknown(node.span)


def _check_items(state: State, node: ast.Index) -> None:
    for item in node.items:
        if not isinstance(item, ast.Slice | ast.Ellipsis | ast.DottedIndex | ast.VirtualIndex):
            state.expr(item, Int())


# --- tensors ---------------------------------------------------------------------------------------------------------


@dataclass
class _Walk:
    """The axes of a tensor while its index items are read from left to right."""

    state: State
    base: Typed
    need: Obligations
    axes: list[ShapeItem]
    shape: list[ShapeItem]
    advanced: list[Shape]
    advanced_at: int | None = None
    separated: bool = False
    known: bool = True


def _index_tensor(state: State, node: ast.Index, base: Typed) -> Typed:
    operands, shape = index_items(state, node, base)
    if operands is None:
        return state.unknown(node.span)
    if shape is None or not isinstance(base.type, Tensor):
        return state.emit("index", (base.operand, *operands), AnyTensor(), node.span)
    return state.emit("index", (base.operand, *operands), Tensor(base.type.dtype, shape), node.span)


def index_items(state: State, node: ast.Index, base: Typed) -> tuple[tuple[Operand, ...] | None, Shape | None]:
    """(operands, resulting shape); operands None after a message, shape None where it cannot be known."""
    items = [_item(state, item) for item in node.items]
    if any(item is None for item in items):
        return None, None
    known = [item for item in items if item is not None]
    operands = tuple(operand for operand, _ in known)
    if not isinstance(base.type, Tensor):
        return operands, None
    if base.type.dtype in QUANTIZED and (len(items) > 1 or len(base.type.shape) < 2):
        advice = "take whole rows, or dequantize it with `.to(float32)`"
        state.report(describe(NotDefined("indexing inside a row", base.type, advice), node.span))
        return None, None
    need = state.need()
    walk = _Walk(state, base, need, list(base.type.shape), [], [])
    if not _spread(walk, node, known, base.type):
        return None, None
    shape = None if need.mistakes else _finish(walk)
    if need.mistakes:
        state.report(describe(need.mistakes[0], _fault(node, walk), (operand_label(state, node.base, base),)))
        return None, None
    add_guards(state, need.guards, node.span)
    return operands, shape


def _fault(node: ast.Index, walk: _Walk) -> Span:
    return node.items[0].span.to(node.items[-1].span) if node.items else node.span


Item = tuple[Operand, Type | ast.Slice | ast.Ellipsis]


def _item(state: State, node: ast.Node) -> Item | None:
    match node:
        case ast.Ellipsis():
            return EllipsisIndex(), node
        case ast.Slice():
            parts = [slice_part(state, p) for p in (node.start, node.stop, node.step)]
            if any(isinstance(known, Unknown) for _, known in parts):
                return None
            return SliceOf(*(p[0] for p in parts)), Sliced(*(p[1] for p in parts))  # type: ignore[return-value]
        case ast.DottedIndex() | ast.VirtualIndex():
            state.error("TL0404", node.span, "an index with a dot or a star stands in an equation")
            return None
    typed = state.expr(node, Int())
    match typed.type:
        case Unknown():
            return None
        case Int() | Tensor() | AnyTensor():
            return typed.operand, typed.type
        case List(Int()):
            return typed.operand, typed.type
    state.report(describe(WrongType("an index", "int, slice, or a tensor of ints or bools", typed.type), node.span))
    return None


@record
class Sliced:
    """What is known of the ends of a slice: None where it is left out, Int otherwise."""

    start: Type | None
    stop: Type | None
    step: Type | None


def _spread(walk: _Walk, node: ast.Index, items: list[Item], type_: Tensor) -> bool:
    """Give each item its axes; False after a message."""
    used = sum(_takes(t) for _, t in items)
    segment = any(isinstance(d, Segment) for d in walk.axes)
    dots = next((i for i, (_, t) in enumerate(items) if isinstance(t, ast.Ellipsis)), None)
    room = len(walk.axes) - (1 if segment else 0)
    if used > room and not segment:
        mistake = RankMismatch(f"`{node.base.span.text}`" if len(node.base.span.text) < 40 else "this", f"at least {used}", type_)
        walk.state.report(describe(mistake, node.span, (operand_label(walk.state, node.base, walk.base),)))
        return False
    if segment and used > room:
        walk.known = False
        return True
    before, after = (items, []) if dots is None else (items[:dots], items[dots + 1 :])
    right = sum(_takes(t) for _, t in after)
    if any(isinstance(d, Segment) for d in walk.axes[: sum(_takes(t) for _, t in before)]):
        walk.known = False
        return True
    _consume(walk, before)
    kept = len(walk.axes) - right
    walk.shape += walk.axes[:kept]
    walk.axes = walk.axes[kept:]
    if kept:
        walk.separated = walk.separated or bool(walk.advanced)
    _consume(walk, after)
    return True


def _takes(type_: object) -> int:
    """How many axes an index item uses up: a bool tensor as many as it has."""
    if isinstance(type_, ast.Ellipsis):
        return 0
    return len(type_.shape) if isinstance(type_, Tensor) and type_.dtype == "bool" and type_.shape else 1


def _consume(walk: _Walk, items: list[Item]) -> None:
    for operand, type_ in items:
        count = _takes(type_)
        axes, walk.axes = walk.axes[:count], walk.axes[count:]
        if isinstance(type_, Int):
            _pick(walk, type_, operand, axes[0])
        elif isinstance(type_, Sliced):
            walk.separated = walk.separated or bool(walk.advanced)
            walk.shape.append(_sliced(walk, type_, axes[0]))
        else:
            _gather(walk, type_, axes)


def _pick(walk: _Walk, index: Int, operand: Operand, axis: ShapeItem) -> None:
    if index.value is None or not isinstance(axis, Dim):
        return
    value = index.value
    negative = value.value < 0 if value.value is not None else walk.need.holds(Rel("<", value, Dim.const(0)))
    goal = Rel("<=", -value, axis) if negative else Rel("<", value, axis)
    walk.need.require(goal, lambda w: IndexOutOfRange(str(value), axis), certain=True)


def _gather(walk: _Walk, type_: object, axes: list[ShapeItem]) -> None:
    """A tensor or list of ints gathers, a bool tensor masks: the result takes the place of the first such item."""
    if walk.advanced_at is None:
        walk.advanced_at = len(walk.shape)
    match type_:
        case Tensor("bool", ()):
            walk.need.fail(WrongType("an index", "a mask with axes", type_))
        case Tensor("bool", shape):
            for have, axis in zip(shape, axes, strict=True):
                if isinstance(have, Dim) and isinstance(axis, Dim):
                    walk.need.require(Rel("==", have, axis), lambda w, a=have, b=axis: SizeMismatch("the mask and the tensor", a, b, w))
            walk.advanced.append((Dim.fresh(),))
        case Tensor(dtype, shape) if dtype.kind == "int" if isinstance(dtype, DTypeVar) else is_int(dtype):
            walk.advanced.append(shape)
        case List(_, items):
            walk.advanced.append((Dim.const(len(items)) if items is not None else Dim.fresh(),))
        case Tensor():
            walk.need.fail(WrongType("an index", "a tensor of ints or bools", type_))
        case _:
            walk.known = False


def _sliced(walk: _Walk, item: Sliced, axis: ShapeItem) -> ShapeItem:
    """The size of a slice, clamped as PyTorch clamps it."""
    if not isinstance(axis, Dim) or any(isinstance(p, Unknown) for p in (item.start, item.stop, item.step)):
        return Dim.fresh()
    ends = [_end(walk, p, axis, default) for p, default in ((item.start, Dim.const(0)), (item.stop, axis))]
    step = Dim.const(1) if item.step is None else item.step.value if isinstance(item.step, Int) else None
    if ends[0] is None or ends[1] is None or step is None:
        return Dim.fresh()
    if step.value is not None and step.value < 1:
        walk.need.fail(WrongType("the step of a slice", "at least 1", Int()))
        return Dim.fresh()
    span = ends[1] - ends[0]
    size = span.ceil_div(step) if step.value != 1 else span
    if not walk.need.holds(Rel(">=", span, Dim.const(0))):
        if walk.need.holds(Rel("<=", span, Dim.const(0))) and not _zero(axis):
            walk.need.fail(EmptySlice("this slice", span))
        return Dim.max(size, Dim.const(0)) if not size.has_unknown else Dim.fresh()
    if span.value == 0 and not _zero(axis):
        walk.need.fail(EmptySlice("this slice", span))
    return size


def _zero(axis: Dim) -> bool:
    return axis.value == 0


def _end(walk: _Walk, part: Type | None, axis: Dim, default: Dim) -> Dim | None:
    """An end of a slice as a position between 0 and the size."""
    if part is None:
        return default
    value = part.value if isinstance(part, Int) else None
    if value is None:
        return None
    if value.value is not None and value.value < 0 or walk.need.holds(Rel("<", value, Dim.const(0))):
        position = axis + value
        return position if walk.need.holds(Rel(">=", position, Dim.const(0))) else Dim.max(position, Dim.const(0))
    if value.value is None and not walk.need.holds(Rel(">=", value, Dim.const(0))):
        return None
    return value if walk.need.holds(Rel("<=", value, axis)) else Dim.min(value, axis)


def _finish(walk: _Walk) -> Shape | None:
    """Basic axes in order; what was gathered stands where the first tensor stood, or in front when slices come between."""
    if not walk.known:
        return None
    rest = [*walk.shape, *walk.axes]
    if not walk.advanced:
        return tuple(rest)
    rank = max(len(shape) for shape in walk.advanced)  # of different ranks they broadcast as PyTorch's do: `x[rows.unsqueeze(1), columns]`
    padded = [(Dim.const(1),) * (rank - len(s)) + s if not any(isinstance(d, Segment) for d in s) else s for s in walk.advanced]
    common: Shape | None = padded[0]
    for other in padded[1:]:
        common = broadcast(walk.need, common, other) if common is not None else None
    if common is None:
        return None
    at = 0 if walk.separated and len(walk.advanced) > 1 else walk.advanced_at or 0
    return (*rest[:at], *common, *rest[at:])


# --- assignment to a place -------------------------------------------------------------------------------------------


def set_item(state: State, node: ast.Index, base: Typed, value: Typed) -> Typed | None:
    """The tensor (or list) with one place changed; None after a message."""
    if isinstance(base.type, List):
        return set_list_item(state, node, base, value)
    operands, shape = index_items(state, node, base)
    if operands is None or is_unknown(value.type):
        return None
    fitted = _fit_value(state, base.type, shape, value)
    return None if fitted is None else state.emit("set_index", (base.operand, *operands, fitted.operand), base.type, node.span)


def _fit_value(state: State, type_: Type, shape: Shape | None, value: Typed) -> Typed | None:
    """A number fits every place; a tensor must have the dtype and broadcast into the place."""
    if not isinstance(type_, Tensor) or isinstance(value.type, AnyTensor):
        return value
    if not isinstance(value.type, Tensor):
        return coerce(state, value, Tensor(type_.dtype, ()) if not isinstance(value.type, List) else _list_place(type_, shape), "the value")
    if shape is None:
        return value
    need = state.need()
    result = broadcast(need, shape, value.type.shape)
    if need.mistakes or (result is not None and len(result) != len(shape)):
        mistake = need.mistakes[0] if need.mistakes else RankMismatch("the value", f"at most {len(shape)}", value.type)
        state.report(describe(mistake, value.span))
        return None
    add_guards(state, need.guards, value.span)
    return coerce(state, value, Tensor(type_.dtype, value.type.shape), "the value")


def _list_place(type_: Tensor, shape: Shape | None) -> Type:
    return Tensor(type_.dtype, shape) if shape is not None else AnyTensor()
