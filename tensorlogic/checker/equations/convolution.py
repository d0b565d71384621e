"""Windows as operations of the library: multiplied with a filter and summed a convolution, their means or largest elements a pooling."""

from collections.abc import Collection
from math import prod

from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.terms import Term, Window, Windows, call, number, permuted, sizes
from tensorlogic.checker.equations.tree import Apply, Equation, Node
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Omitted, Operand
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.types import Int, List, Tensor

FLOATS = ("float32", "float64", "float16", "bfloat16")
POOLS = {"max": "max_pool", "mean": "avg_pool"}

Axes = tuple[str, ...]


@record
class Roles:
    """What each index of a convolution is. A group has its own channels and filters."""

    batch: Axes
    group: Axes
    channel: Axes
    filter: Axes
    windows: tuple[Window, ...]

    @property
    def outer(self) -> Axes:
        return tuple(window.outer for window in self.windows)

    @property
    def inner(self) -> Axes:
        return tuple(window.inner for window in self.windows)


def convolution(equation: Equation, node: Node, left: Term, right: Term, gone: list[str]) -> Term | None:
    """The product of two terms summed over `gone` by one convolution; None where it is none."""
    for image, kernel in ((left, right), (right, left)):
        if image.windows is not None and kernel.windows is None and image.dtype in FLOATS:
            roles = _roles(image.windows, kernel, gone)
            if roles is not None:
                return _convolved(equation, node.span, image.windows, kernel, roles)
    return None


def _roles(windows: Windows, kernel: Term, gone: list[str]) -> Roles | None:
    pairs = _facing(windows, kernel.axes)
    outer, inner = {window.outer for window in pairs}, {window.inner for window in pairs}
    rest = [name for name in windows.axes if not any(name in (window.outer, window.inner) for window in pairs)]
    roles = Roles(
        tuple(name for name in rest if name not in kernel.axes),
        tuple(name for name in rest if name in kernel.axes and name not in gone),
        tuple(name for name in rest if name in kernel.axes and name in gone),
        tuple(name for name in kernel.axes if name not in gone and name not in windows.axes),
        pairs,
    )
    whole = set(kernel.axes) == {*roles.group, *roles.channel, *roles.filter, *inner} and set(gone) == {*roles.channel, *inner}
    return roles if whole and len(pairs) <= 3 and len(outer | inner) == 2 * len(pairs) else None


def _facing(windows: Windows, inside: Collection[str]) -> tuple[Window, ...]:
    """The windows with the index inside that is one of these, where either could be that."""
    return tuple(window if window.inner in inside or window.back else window.exchanged() for window in windows.pairs)


def _convolved(equation: Equation, span: Span, windows: Windows, kernel: Term, roles: Roles) -> Term:
    _unmake(equation, windows)
    axes = tuple(roles.outer[windows.place(name)] if windows.place(name) is not None else name for name in windows.axes)  # type: ignore[index]
    image = _grouped(equation, Term(windows.base, axes), [roles.batch, (*roles.group, *roles.channel), *((n,) for n in roles.outer)])
    weights = _grouped(equation, kernel, [(*roles.group, *roles.filter), roles.channel, *((n,) for n in roles.inner)])
    back = [2 + at for at, window in enumerate(roles.windows) if window.back]
    for axis in back:
        weights = call(equation, "flip", span, weights, number(axis, span))
    strides = _each(equation, [window.step for window in roles.windows], span)
    dilations = _each(equation, [window.dilation for window in roles.windows], span)
    groups = size_operand(equation, _size(equation, roles.group), span)
    front = [_size(equation, roles.batch), _size(equation, (*roles.group, *roles.filter))]
    type_ = Tensor(kernel.dtype, (*front, *(equation.ranges[name].size for name in roles.outer)))
    operands = (image.operand, weights.operand, Omitted(), strides, Omitted(), dilations, groups if roles.group else Omitted())
    value = equation.state.emit("builtin", operands, type_, span, name=f"conv{len(roles.windows)}d", index=0)
    return _ungrouped(equation, value, [roles.batch, (*roles.group, *roles.filter), *((n,) for n in roles.outer)])


def _unmake(equation: Equation, windows: Windows) -> None:
    """The windows themselves are not wanted."""
    ops = equation.state.ops
    ops[:] = [op for op in ops if not any(result is made for result in op.results for made in windows.made)]


def _each(equation: Equation, steps: list[Dim], span: Span) -> Operand:
    """One setting for each axis; nothing where all are 1."""
    if all(step.value == 1 for step in steps):
        return Omitted()
    operands = tuple(size_operand(equation, step, span) for step in steps)
    type_ = List(Int(), tuple(Int(step) for step in steps))
    return equation.state.emit("list", operands, type_, span).operand if len(steps) > 1 else operands[0]


def _size(equation: Equation, axes: Axes) -> Dim:
    return prod((equation.ranges[name].size for name in axes), start=ONE)


# --- axes put together -----------------------------------------------------------------------------------------------


def _grouped(equation: Equation, term: Term, groups: list[Axes]) -> Typed:
    """One axis for each group of indices, of size 1 where a group is empty."""
    typed = permuted(equation, term, tuple(name for group in groups for name in group)).typed
    for at, group in enumerate(groups):
        if not group:
            typed = call(equation, "unsqueeze", typed.span, typed, number(at, typed.span))
        elif len(group) > 1:
            typed = call(equation, "flatten", typed.span, typed, number(at, typed.span), number(at + len(group) - 1, typed.span))
    return typed


def _ungrouped(equation: Equation, typed: Typed, groups: list[Axes]) -> Term:
    for at, group in reversed(list(enumerate(groups))):
        if not group:
            typed = call(equation, "select", typed.span, typed, number(at, typed.span), number(0, typed.span))
        elif len(group) > 1:
            parts = sizes(equation, [equation.ranges[name].size for name in group], typed.span)
            typed = call(equation, "unflatten", typed.span, typed, number(at, typed.span), parts)
    return Term(typed, tuple(name for group in groups for name in group))


# --- pooling ---------------------------------------------------------------------------------------------------------


def pooling(equation: Equation, node: Apply, term: Term) -> Term | None:
    """`max[d](x[2 * i + d])` and means, over whole windows; None where it is something else."""
    windows = term.windows
    if windows is None or node.name not in POOLS or term.dtype not in ("float32", "float64"):
        return None
    pairs = _facing(windows, node.indices)
    plain = all(not window.back and (window.dilation == ONE or node.name == "max") for window in pairs)
    if not plain or {window.inner for window in pairs} != set(node.indices) or len(pairs) > 2:
        return None
    _unmake(equation, windows)
    outer = [pairs[at].outer if (at := windows.place(name)) is not None else name for name in windows.axes]
    rest = tuple(name for name in outer if not any(name == window.outer for window in pairs))
    front = [(name,) for name in rest] if 1 <= len(rest) <= 2 else [rest]
    groups = [*front, *((window.outer,) for window in pairs)]
    image = _grouped(equation, Term(windows.base, tuple(outer)), groups)
    type_ = Tensor(term.dtype, tuple(_size(equation, group) for group in groups))
    lengths = sizes(equation, [equation.ranges[window.inner].size for window in pairs], node.span).operand
    steps = sizes(equation, [window.step for window in pairs], node.span).operand
    dilations = _each(equation, [window.dilation for window in pairs], node.span) if node.name == "max" else Omitted()
    operands = (image.operand, lengths, steps, Omitted(), dilations, Omitted())
    value = equation.state.emit("builtin", operands, type_, node.span, name=f"{POOLS[node.name]}{len(pairs)}d", index=0)
    return _ungrouped(equation, value, groups)
