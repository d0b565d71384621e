"""The left side of an equation: which places of a tensor it means, `Y[i + 1, 0, ids[n], d]`."""

from tensorlogic.checker.equations.build import build
from tensorlogic.checker.equations.items import item_of
from tensorlogic.checker.equations.names import is_value, names_in_brackets
from tensorlogic.checker.equations.ranges import declare_ranges, ends, reach, room, stands_at
from tensorlogic.checker.equations.solve import prepare, value_of
from tensorlogic.checker.equations.terms import Term
from tensorlogic.checker.equations.tree import Computed, Equation, Item, Linear, Place, Quotient, uses_of
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import Typed
from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import IndexOutOfRange, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import Int, Tensor


@distinct_record
class Left:
    """What stands on each axis, how long the axes are, and the indices in order with their first places."""

    items: tuple[Item, ...]
    shape: tuple[Dim, ...]
    indices: tuple[tuple[str, Span], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.indices)

    @property
    def slices(self) -> bool:
        """Whether every axis has a place or an index of its own that steps forward: then the places are a part that can be cut out."""
        found = [item.factors for item in self.items if isinstance(item, Linear) and item.factors]
        forward = all(len(factors) == 1 and (factors[0][1].value or 0) > 0 for factors in found)
        own = len({factors[0][0] for factors in found}) == len(found)
        return forward and own and all(isinstance(item, Linear | Place) for item in self.items)


def is_plain(target: ast.Index) -> bool:
    """Whether there is one index of its own on each axis, perhaps with a dot."""
    names = [item.name for item in target.items if isinstance(item, ast.Name | ast.DottedIndex)]
    return len(names) == len(target.items) == len(set(names))


def sides(equation: Equation, target: ast.Index, node: ast.Let | ast.Assign, op: str, whole: Typed | None) -> tuple[Left, Term] | None:
    """The left side, and the value of the right side with its indices for axes; None after a message. Without `whole` the tensor is new,
    and as long as the highest place needs it."""
    declare_ranges(equation, node.where)
    items = _items(equation, target, new=whole is None)
    if equation.wrong or (whole is not None and not _reached(equation, target, items, whole)):
        return None
    group = next((item for item in items if isinstance(item, Quotient)), None)
    if group is not None and not op:
        help = "`+=`, `*=`, `max=` or `min=`"
        equation.fail("TL0404", group.span, "a group of places takes an operator that puts them together", "", help)
        return None
    found = tuple(item.node for item in items if isinstance(item, Computed))
    tree = prepare(equation, node.value, (), beside=found)
    if tree is None:
        return None
    shape = _lengths(equation, items) if whole is None else _limited(equation, items, whole)
    left = Left(items, shape, _indices(equation, items))
    equation.left = left.names
    term = value_of(equation, tree, left.indices, node.value.span, op)
    return None if equation.wrong or term.unknown else (left, term)


def _items(equation: Equation, target: ast.Index, new: bool) -> tuple[Item, ...]:
    state = equation.state
    found, reduced = names_in_brackets(state, target)
    alone = {item.name for item in target.items if isinstance(item, ast.Name) and (new or not is_value(state, item.name))}
    equation.indices |= {*found, *reduced, *alone, *equation.ranges}
    return tuple(item_of(equation, item, build, "") for item in target.items)


def _indices(equation: Equation, items: tuple[Item, ...]) -> tuple[tuple[str, Span], ...]:
    names = [name for item in items for name in sorted(uses_of(item), key=list(equation.places).index)]
    return tuple((name, equation.places[name][0]) for name in dict.fromkeys(names))


# --- a tensor that is there ------------------------------------------------------------------------------------------


def _reached(equation: Equation, target: ast.Index, items: tuple[Item, ...], whole: Typed) -> bool:
    """The tensor gives the indices that stand alone, or in steps of their own, their range."""
    assert isinstance(whole.type, Tensor)
    shape = whole.type.shape
    if len(shape) != len(items) or not all(isinstance(size, Dim) for size in shape):
        equation.state.report(describe(RankMismatch(f"`{target.base.span.text}`", f"{len(items)}", whole.type), target.span))
        return False
    for item, size in zip(items, shape, strict=True):
        if isinstance(item, Linear) and len(item.factors) == 1 and isinstance(size, Dim):
            name, factor = item.factors[0]
            places = size if item.plain else room(equation, item, name, factor, size)
            if places is not None:
                stands_at(equation, name, places, item.span)
    return not equation.wrong


def _limited(equation: Equation, items: tuple[Item, ...], whole: Typed) -> tuple[Dim, ...]:
    """The lengths of the axes; an index that nothing else limits goes as far as they do, and no place lies outside."""
    assert isinstance(whole.type, Tensor)
    shape = tuple(size for size in whole.type.shape if isinstance(size, Dim))
    for item, size in zip(items, shape, strict=True):
        if isinstance(item, Linear) and item.factors:
            free = [name for name, _ in item.factors if name not in equation.ranges]
            reach(equation, item, size, free)
            if not any(name not in equation.ranges for name, _ in item.factors):
                _inside(equation, item, size)
        elif isinstance(item, Place) and isinstance(item.typed.type, Int) and item.typed.type.value is not None:
            _fits(equation, item.typed.type.value, size, item.span)
        elif isinstance(item, Linear):
            _fits(equation, item.offset, size, item.span)
    return shape


def _inside(equation: Equation, item: Linear, size: Dim) -> None:
    """Every place that the indices reach is on the axis; otherwise TL0310, or a guard."""
    if item.plain:
        return
    lowest, highest = ends(equation, item)
    need = equation.state.need()
    need.require(Rel(">=", lowest, ZERO), lambda witness: IndexOutOfRange(str(lowest), size))
    need.require(Rel("<", highest, size), lambda witness: IndexOutOfRange(str(highest), size))
    _settle(equation, need, item.span)


def _fits(equation: Equation, place: Dim, size: Dim, span: Span) -> None:
    need = equation.state.need()
    backwards = place.value is not None and place.value < 0
    goal = Rel("<=", -place, size) if backwards else Rel("<", place, size)
    need.require(goal, lambda witness: IndexOutOfRange(str(place), size), certain=True)
    _settle(equation, need, span)


def _settle(equation: Equation, need: Obligations, span: Span) -> None:
    if need.mistakes:
        equation.wrong = True
        equation.state.report(describe(need.mistakes[0], span))
    add_guards(equation.state, need.guards, span)


# --- a new tensor ----------------------------------------------------------------------------------------------------


def _lengths(equation: Equation, items: tuple[Item, ...]) -> tuple[Dim, ...]:
    """The axes of a new tensor reach to the highest place."""
    return tuple(_length(equation, item) if not equation.wrong else ONE for item in items)


def _length(equation: Equation, item: Item) -> Dim:
    match item:
        case Place(typed=typed) if isinstance(typed.type, Int):
            return (typed.type.value if typed.type.value is not None else equation.state.dim_for(typed.operand)) + 1
        case Quotient(name=name, divisor=divisor) if name in equation.ranges:
            return equation.ranges[name].size.ceil_div(divisor)
        case Linear(factors=factors) if all(name in equation.ranges for name, _ in factors):
            return _linear_length(equation, item)
        case Linear(factors=factors):
            name = next(name for name, _ in factors if name not in equation.ranges)
            title = f"the index `{name}` has no range: it stands on no axis"
            equation.fail("TL0403", item.span, title, "no range", f"declare its range: `where {name} in 0..N`")
            return ONE
    help = "define the tensor first: `let Y[v, d] = 0.0 where v in 0..V, d in 0..D`"
    equation.fail("TL0403", item.span, "how long this axis of a new tensor is cannot be seen", "places that are worked out", help)
    return ONE


def _linear_length(equation: Equation, item: Linear) -> Dim:
    lowest, highest = ends(equation, item)
    need = equation.state.need()
    need.require(Rel(">=", lowest, ZERO), lambda witness: IndexOutOfRange(str(lowest), highest + 1))
    need.require(Rel(">=", highest + 1, ZERO), lambda witness: IndexOutOfRange(str(highest), ZERO))
    _settle(equation, need, item.span)
    return highest + 1
