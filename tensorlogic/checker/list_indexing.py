"""Items and slices of lists, tuples, strings and ranges, and assignment to an item of a list."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.data import slice_of
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.submodels import of_different_models
from tensorlogic.ir.ir import Omitted, Operand
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import IndexOutOfRange
from tensorlogic.types.types import Int, List, Range, String, Tuple, Type, Unknown, is_unknown


def index_list(state: State, node: ast.Index, base: Typed) -> Typed:
    if len(node.items) != 1:
        return state.error("TL0304", node.span, f"{base.type} takes one index, found {len(node.items)}", "too many indices")
    item = node.items[0]
    if isinstance(item, ast.Slice):
        return _slice(state, node, item, base)
    index = state.expr(item, Int())
    if is_unknown(index.type):
        return state.unknown(node.span)
    fitted = coerce(state, index, Int(), "an index")
    if not isinstance(index.type, Int):
        return state.unknown(node.span)
    known = _known_item(state, base.type, index, item.span)
    return state.unknown(node.span) if known is None else state.emit("list_item", (base.operand, fitted.operand), known, node.span)


def _known_item(state: State, type_: Type, index: Typed, span: Span) -> Type | None:
    """The type of an element; None after a message that there is none."""
    match type_:
        case String():
            return String()
        case Range():
            return Int()
        case Tuple(items) | List(_, items) if items is not None:
            return _item_at(state, type_, items, index, span)
        case List(element):
            return element
    return Unknown()


def _item_at(state: State, type_: Type, items: tuple[Type, ...], index: Typed, span: Span) -> Type | None:
    at = index.type.value.value if isinstance(index.type, Int) and index.type.value is not None else None
    if at is None:
        return None if _of_several_types(state, type_, span) else type_.element if isinstance(type_, List) else Unknown()
    if not -len(items) <= at < len(items):
        state.report(describe(IndexOutOfRange(str(at), Dim.const(len(items))), span))
        return None
    return items[at]


def _of_several_types(state: State, type_: Type, span: Span) -> bool:
    """Whether the members have types of their own, so that only a constant says which is meant; a message then."""
    if isinstance(type_, Tuple):
        state.error("TL0306", span, "the index of a tuple must be a constant")
        return True
    if of_different_models(type_):
        help = "or go through them: `for m in models { x = m(x) }`"
        state.error("TL0306", span, "the index must be a constant: these models are of different types", help=help)
        return True
    return False


def set_list_item(state: State, node: ast.Index, base: Typed, value: Typed) -> Typed | None:
    """The list with one item changed; None after a message."""
    if len(node.items) != 1 or not isinstance(base.type, List):
        state.error("TL0304", node.span, "a list takes one index")
        return None
    given = state.expr(node.items[0], Int())
    index = coerce(state, given, Int(), "an index")
    if base.type.items is not None and _item_at(state, base.type, base.type.items, given, node.items[0].span) is None:
        return None
    fitted = coerce(state, value, base.type.element, "the item")
    return state.emit("set_list_item", (base.operand, index.operand, fitted.operand), base.type, node.span)


# --- slices ----------------------------------------------------------------------------------------------------------


def _slice(state: State, node: ast.Index, item: ast.Slice, base: Typed) -> Typed:
    ends = [slice_part(state, part) for part in (item.start, item.stop, item.step)]
    if any(isinstance(type_, Unknown) for _, type_ in ends):
        return state.unknown(node.span)
    type_ = _several(base.type, tuple(type_ for _, type_ in ends))
    if type_ is None and _of_several_types(state, base.type, item.span):
        return state.unknown(node.span)
    return state.emit("list_slice", (base.operand, *(operand for operand, _ in ends)), type_ or slice_of(base.type), node.span)


def _several(type_: Type, ends: tuple[Type | None, ...]) -> Type | None:
    """The type of a slice whose members are known one by one; None where they are not."""
    bounds = [end.value.value if isinstance(end, Int) and end.value is not None else None for end in ends]
    items = type_.items if isinstance(type_, List | Tuple) else None
    if items is None or any(end is not None and bound is None for end, bound in zip(ends, bounds, strict=True)) or bounds[2] == 0:
        return None
    chosen = items[slice(*bounds)]
    return Tuple(chosen) if isinstance(type_, Tuple) else List(type_.element, chosen) if isinstance(type_, List) else None


def slice_part(state: State, node: ast.Node | None) -> tuple[Operand, Type | None]:
    """One end of a slice: its operand and type; no type where it is left out, an unknown one after a message."""
    if node is None:
        return Omitted(), None
    typed = state.expr(node, Int())
    if is_unknown(typed.type):
        return Omitted(), Unknown()
    fitted = coerce(state, typed, Int(), "an end of a slice")
    return (fitted.operand, typed.type) if isinstance(typed.type, Int) else (Omitted(), Unknown())
