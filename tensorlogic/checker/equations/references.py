"""`A[i, j + 1, ids[b]]` as a value: places, diagonals, windows and gathers."""

from collections.abc import Callable, Iterator

from tensorlogic.checker.equations.ranges import axes_of, ends, holds, size_operand
from tensorlogic.checker.equations.terms import (
    WHOLE,
    Term,
    Window,
    Windows,
    alike,
    call,
    index,
    is_float_name,
    number,
    numbers,
    positions,
    sizes,
    text,
)  # fmt: skip
from tensorlogic.checker.equations.tree import Computed, Equation, Item, Linear, Place, Quotient, Reference
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Const, Omitted, Operand, SliceOf
from tensorlogic.source import Span
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import IndexOutOfRange
from tensorlogic.types.types import Int, Tensor, is_unknown

Evaluate = Callable[[Equation, object], Term]


def reference(equation: Equation, node: Reference, evaluate: Evaluate) -> Term:
    """The tensor with an axis for each index in its brackets."""
    typed, items = _padded(equation, node)
    typed, items = _places(equation, typed, items, node.span)
    base, items = _cropped(equation, typed, items, node.span)
    typed, names, windows = _windows(equation, base, items, node.span)
    if any(not isinstance(item, str) for item in names):
        return _gathered(equation, typed, items, names, evaluate, node.span)
    axes = tuple(name for name in names if isinstance(name, str))
    if windows is not None and len(set(axes)) == len(axes):
        return Term(typed, axes, windows=Windows(base, axes[: len(items)], *windows))
    return _diagonal(equation, Term(typed, axes), node.span)


def _diagonal(equation: Equation, term: Term, span: Span) -> Term:
    """An index that stands at several axes runs along their diagonal."""
    axes = tuple(dict.fromkeys(term.axes))
    if len(axes) == len(term.axes) or term.unknown:
        return term
    letters = {name: chr(ord("a") + at) for at, name in enumerate(axes)}
    rule = f"{''.join(letters[n] for n in term.axes)}->{''.join(letters[n] for n in axes)}"
    return Term(call(equation, "einsum", span, text(rule, span), term.typed), axes)


def _places(equation: Equation, typed: Typed, items: list[Item], span: Span) -> tuple[Typed, list[Item]]:
    """Axes at one place are gone; an axis longer than the range of its index is cut."""
    assert isinstance(typed.type, Tensor)
    operands: list[Operand] = []
    shape: list[Dim] = []
    for item, size in zip(items, typed.type.shape, strict=True):
        assert isinstance(size, Dim)
        operand, rest = _place(equation, item, size)
        operands.append(operand)
        shape += rest
    kept: list[Item] = [item for item in items if not (isinstance(item, Place) or (isinstance(item, Linear) and not item.factors))]
    if all(operand is WHOLE for operand in operands):
        return typed, kept
    while operands and operands[-1] is WHOLE:
        operands.pop()
    return index(equation, typed, operands, tuple(shape), span), kept


def _place(equation: Equation, item: Item, size: Dim) -> tuple[Operand, list[Dim]]:
    match item:
        case Place(typed=typed, span=span):
            _inside(equation, typed, size, span)
            return typed.operand, []
        case Linear(factors=()):
            return size_operand(equation, item.offset, item.span), []
        case Linear(factors=((name, factor),)) if holds(equation, Rel(">=", factor, ONE)):
            return _stretch(equation, item, name, factor, size)
    return WHOLE, [size]


def _inside(equation: Equation, typed: Typed, size: Dim, span: Span) -> None:
    value = typed.type.value if isinstance(typed.type, Int) else None
    if value is None:
        return
    need = equation.state.need()
    negative = value.value is not None and value.value < 0
    goal = Rel("<=", -value, size) if negative else Rel("<", value, size)
    need.require(goal, lambda witness: IndexOutOfRange(str(value), size), certain=True)
    if need.mistakes:
        equation.wrong = True
        equation.state.report(describe(need.mistakes[0], span))


def _stretch(equation: Equation, item: Linear, name: str, factor: Dim, size: Dim) -> tuple[Operand, list[Dim]]:
    """`2 * x + 1`: a slice as long as the range of the index."""
    range_ = equation.ranges[name].size
    if factor == ONE and item.offset == ZERO and (range_ == size or holds(equation, Rel("==", range_, size))):
        return WHOLE, [size]
    stop = item.offset + factor * (range_ - 1) + 1
    parts = [size_operand(equation, dim, item.span) for dim in (item.offset, stop, factor)]
    return SliceOf(*parts), [range_]


# --- padding ---------------------------------------------------------------------------------------------------------


def _padded(equation: Equation, node: Reference) -> tuple[Typed, list[Item]]:
    """With a declared range, positions outside read 0: the axis gets zeros at its ends."""
    typed, items = node.base, list(node.items)
    assert isinstance(typed.type, Tensor)
    amounts: list[tuple[Dim, Dim]] = []
    for at, (item, size) in enumerate(zip(items, axes_of(node), strict=True)):
        low, high = _overhang(equation, item, size)
        amounts.append((low, high))
        if isinstance(item, Linear) and low != ZERO:
            items[at] = Linear(item.factors, item.offset + low, item.span)
    if all(low == ZERO and high == ZERO for low, high in amounts):
        return typed, items
    while amounts[0] == (ZERO, ZERO):
        amounts.pop(0)
    flat = [dim for pair in reversed(amounts) for dim in pair]
    return call(equation, "pad", node.span, typed, sizes(equation, flat, node.span)), items


def _overhang(equation: Equation, item: Item, size: Dim) -> tuple[Dim, Dim]:
    """How far the positions of an axis reach beyond its beginning and its end."""
    if isinstance(item, Quotient) and equation.ranges[item.name].declared:
        return ZERO, _excess(equation, equation.ranges[item.name].size.ceil_div(item.divisor) - size)
    if not isinstance(item, Linear) or item.plain or not item.factors:
        return ZERO, ZERO
    lowest, highest = ends(equation, item)
    return _excess(equation, -lowest), _excess(equation, highest + 1 - size)


def _excess(equation: Equation, amount: Dim) -> Dim:
    if holds(equation, Rel("<=", amount, ZERO)):
        return ZERO
    return amount if holds(equation, Rel(">=", amount, ZERO)) else Dim.max(amount, ZERO)


# --- windows ---------------------------------------------------------------------------------------------------------

Named = str | Item


Made = tuple[tuple[Window, ...], tuple[Operand, ...]]


def _cropped(equation: Equation, typed: Typed, items: list[Item], span: Span) -> tuple[Typed, list[Item]]:
    """Axes with windows cut to what the windows reach, where that is less than all; then their positions begin at 0."""
    operands: list[Operand] = []
    shape: list[Dim] = []
    kept: list[Item] = []
    assert isinstance(typed.type, Tensor)
    for item, size in zip(items, typed.type.shape, strict=True):
        assert isinstance(size, Dim)
        window = _window(equation, item)
        operand, size, item = (WHOLE, size, item) if window is None else _crop(equation, item, window, size)
        operands.append(operand)
        shape.append(size)
        kept.append(item)
    if all(operand is WHOLE for operand in operands):
        return typed, kept
    while operands[-1] is WHOLE:
        operands.pop()
    return index(equation, typed, operands, tuple(shape), span), kept


def _crop(equation: Equation, item: Item, window: Window, size: Dim) -> tuple[Operand, Dim, Item]:
    assert isinstance(item, Linear)
    outer, inner = equation.ranges[window.outer].size, equation.ranges[window.inner].size
    reach = window.dilation * (inner - 1) + 1
    start = item.offset - (reach - 1 if window.back else ZERO)
    moved = Linear(item.factors, item.offset - start, item.span)
    whole = (size - start - reach).floor_div(window.step) + 1
    if start == ZERO and (whole == outer or holds(equation, Rel("==", whole, outer))):
        return WHOLE, size, moved
    length = window.step * (outer - 1) + reach
    first, last = (size_operand(equation, dim, item.span) for dim in (start, start + length))
    return SliceOf(first, last, Const(1, Int(ONE))), length, moved


def _windows(equation: Equation, typed: Typed, items: list[Item], span: Span) -> tuple[Typed, list[Named], Made | None]:
    """`x + d` on an axis becomes two axes that look into it, without a copy. What is left is gathered. The last result is there if there
    are windows and nothing else."""
    names: list[Named] = [_name_of(item) for item in items]
    pairs: list[Window] = []
    made: list[Operand] = []
    for at, item in enumerate(items):
        window = _window(equation, item)
        if window is None or is_unknown(typed.type):
            continue
        steps = list(_unfolded(equation, typed, at, window, span))
        typed = steps[-1]
        made += [step.operand for step in steps]
        names[at] = window.outer
        names.append(window.inner)
        pairs.append(window)
    plain = bool(made) and all(isinstance(name, str) for name in names)
    return typed, names, (tuple(pairs), tuple(made)) if plain else None


def _name_of(item: Item) -> Named:
    lone = isinstance(item, Linear) and len(item.factors) == 1 and item.factors[0][1].value is not None and item.factors[0][1].value > 0
    return item.factors[0][0] if lone and isinstance(item, Linear) else item


def _window(equation: Equation, item: Item) -> Window | None:
    if not isinstance(item, Linear) or len(item.factors) != 2:
        return None
    for (outer, step), (inner, dilation) in (item.factors, item.factors[::-1]):
        forth = holds(equation, Rel(">=", dilation, ONE))
        back = not forth and holds(equation, Rel("<=", dilation, -ONE))
        if holds(equation, Rel(">=", step, ONE)) and (forth or back):
            return Window(outer, inner, step, -dilation if back else dilation, back)
    return None


def _unfolded(equation: Equation, typed: Typed, axis: int, window: Window, span: Span) -> Iterator[Typed]:
    """The steps to a new last axis with the places in the windows of an axis."""
    inner = equation.ranges[window.inner].size
    reach = window.dilation * (inner - 1) + 1
    parts = [Typed(size_operand(equation, dim, span), Int(dim), span) for dim in (reach, window.step)]
    typed = call(equation, "unfold", span, typed, number(axis, span), *parts)
    yield typed
    if window.dilation != ONE:
        assert isinstance(typed.type, Tensor)
        by = SliceOf(Omitted(), Omitted(), size_operand(equation, window.dilation, span))
        rank = len(typed.type.shape)
        typed = index(equation, typed, [*[WHOLE] * (rank - 1), by], (*typed.type.shape[:-1], inner), span)
        yield typed
    if window.back:
        yield call(equation, "flip", span, typed, number(-1, span))


# --- gathers ---------------------------------------------------------------------------------------------------------


def _gathered(equation: Equation, typed: Typed, items: list[Item], names: list[Named], evaluate: Evaluate, span: Span) -> Term:
    """Integers say the places of some axes; an index that stands in them too runs along with them."""
    if is_unknown(typed.type):
        return Term(typed, ())
    assert isinstance(typed.type, Tensor)
    at = {axis: _places_of(equation, name, evaluate) for axis, name in enumerate(names) if not isinstance(name, str)}
    gathered = {name for term in at.values() for name in term.axes}
    for axis, name in enumerate(names):
        if isinstance(name, str) and name in gathered:
            at[axis] = positions(equation, name, span)
    if any(term.unknown for term in at.values()):
        return Term(equation.state.unknown(span), ())
    picked = _picked(equation, typed, names, at, span)
    if picked is not None:
        return picked
    values, axes = alike(equation, list(at.values()))
    places = dict(zip(at, values, strict=True))
    order = [*sorted(at), *(axis for axis in range(len(names)) if axis not in at)]
    if order != list(range(len(names))) and not _together(sorted(at)):
        typed = call(equation, "permute", span, typed, numbers(order, span))
        names, places = [names[axis] for axis in order], {new: places[old] for new, old in enumerate(sorted(places))}
    first = min(places)
    operands: list[Operand] = [places[axis].operand if axis in places else WHOLE for axis in range(max(places) + 1)]
    rest = [(name, size) for axis, (name, size) in enumerate(zip(names, typed.type.shape, strict=True)) if axis not in places]  # type: ignore[union-attr]
    found = [(name, equation.ranges[name].size) for name in axes]
    result = [*rest[:first], *found, *rest[first:]]
    value = index(equation, typed, operands, tuple(size for _, size in result), span)
    return _diagonal(equation, Term(value, tuple(str(name) for name, _ in result)), span)


def _picked(equation: Equation, typed: Typed, names: list[Named], at: dict[int, Term], span: Span) -> Term | None:
    """Rows of a table, or places along one axis, by the operations that are made for that; None where it is something else."""
    (axis, places), *others = at.items()
    rest = [str(name) for where, name in enumerate(names) if where != axis]
    if (
        others
        or not places.axes
        or places.dtype not in ("int64", "int32")
        or len(set(rest)) < len(rest)
        or not is_float_name(_dtype(typed))
    ):
        return None
    if axis == 0 and len(names) == 2:
        return Term(call(equation, "embedding", span, places.typed, typed), (*places.axes, *rest))
    if len(places.axes) == 1:
        value = call(equation, "index_select", span, typed, number(axis, span), places.typed)
        return Term(value, (*rest[:axis], *places.axes, *rest[axis:]))
    return None


def _dtype(typed: Typed) -> str:
    return str(typed.type.dtype) if isinstance(typed.type, Tensor) else ""


def _together(axes: list[int]) -> bool:
    return axes == list(range(axes[0], axes[-1] + 1))


def _places_of(equation: Equation, item: Item, evaluate: Evaluate) -> Term:
    match item:
        case Computed(node=node, span=span):
            outer, equation.numbers = equation.numbers, "int64"
            term = evaluate(equation, node)
            equation.numbers = outer
            if not term.unknown and term.is_tensor and not term.dtype.startswith(("int", "uint")):
                equation.fail("TL0306", span, f"an axis takes integers, found {term.typed.type}")
                return Term(equation.state.unknown(span), ())
            return term if term.unknown or term.is_tensor else Term(call(equation, "full", span, numbers([], span), term.typed), ())
        case Quotient(name=name, divisor=divisor, span=span):
            by = Typed(size_operand(equation, divisor, span), Int(divisor), span)
            return Term(call(equation, "floor_div", span, positions(equation, name, span).typed, by), (name,))
        case Linear():
            return _linear_places(equation, item)
    raise AssertionError(item)


def _linear_places(equation: Equation, item: Linear) -> Term:
    """The positions that a sum of multiples of indices takes."""
    total: Term | None = None
    for name, factor in item.factors:
        term = positions(equation, name, item.span)
        if factor != ONE:
            term = Term(_arithmetic(equation, "*", term.typed, factor, item.span), term.axes)
        if total is not None:
            values, axes = alike(equation, [total, term])
            type_ = Tensor("int64", tuple(equation.ranges[name].size for name in axes))
            operands = tuple(value.operand for value in values)
            term = Term(equation.state.emit("binary", operands, type_, item.span, op="+"), axes)
        total = term
    assert total is not None
    return Term(_arithmetic(equation, "+", total.typed, item.offset, item.span), total.axes) if item.offset != ZERO else total


def _arithmetic(equation: Equation, op: str, typed: Typed, dim: Dim, span: Span) -> Typed:
    by = Typed(size_operand(equation, dim, span), Int(dim), span)
    return equation.state.emit("binary", (typed.operand, by.operand), typed.type, span, op=op)
