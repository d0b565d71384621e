"""A product of windows and a filter, summed over the windows, as a convolution of the library."""

from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.terms import Term, Windows, call, number, permuted
from tensorlogic.checker.equations.tree import Equation, Node
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Operand
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.types.types import Int, List


@record
class Roles:
    """What each index of a convolution is; at most one batch, channel and filter each."""

    batch: tuple[str, ...]
    channel: tuple[str, ...]
    filter: tuple[str, ...]
    outer: tuple[str, ...]
    inner: tuple[str, ...]


def convolution(equation: Equation, node: Node, left: Term, right: Term, gone: list[str]) -> Term | None:
    """The product of two terms summed over `gone` by one convolution; None where it is none."""
    for image, kernel in ((left, right), (right, left)):
        if image.windows is not None and kernel.windows is None and image.dtype in ("float32", "float64", "float16", "bfloat16"):
            roles = _roles(image.windows, kernel, gone)
            if roles is not None:
                return _convolved(equation, node.span, image.windows, kernel, roles)
    return None


def _roles(windows: Windows, kernel: Term, gone: list[str]) -> Roles | None:
    outer = tuple(pair[0] for pair in windows.pairs)
    inner = tuple(pair[1] for pair in windows.pairs)
    rest = [name for name in windows.axes if name not in outer]
    roles = Roles(
        tuple(name for name in rest if name not in kernel.axes),
        tuple(name for name in rest if name in gone),
        tuple(name for name in kernel.axes if name not in gone and name not in windows.axes),
        outer,
        inner,
    )
    whole = {*roles.batch, *roles.channel} == set(rest) and {*roles.channel, *roles.filter, *inner} == set(kernel.axes)
    few = max(map(len, (roles.batch, roles.channel, roles.filter))) <= 1 and len(inner) <= 3
    return roles if whole and few and {*roles.channel, *inner} == set(gone) else None


def _convolved(equation: Equation, span: Span, windows: Windows, kernel: Term, roles: Roles) -> Term:
    ops = equation.state.ops
    ops[:] = [op for op in ops if not any(result is made for result in op.results for made in windows.made)]
    image = permuted(equation, Term(windows.base, windows.axes), (*roles.batch, *roles.channel, *roles.outer)).typed
    weights = permuted(equation, kernel, (*roles.filter, *roles.channel, *roles.inner)).typed
    if not roles.channel:
        image = call(equation, "unsqueeze", span, image, number(len(roles.batch), span))
        weights = call(equation, "unsqueeze", span, weights, number(len(roles.filter), span))
    if not roles.filter:
        weights = call(equation, "unsqueeze", span, weights, number(0, span))
    more = {"stride": _strides(equation, windows, span)} if any(step.value != 1 for _, _, step in windows.pairs) else {}
    value = call(equation, f"conv{len(roles.inner)}d", span, image, weights, **more)
    axes = (*roles.batch, *roles.filter, *roles.outer)
    if not roles.filter:
        value = call(equation, "select", span, value, number(len(roles.batch), span), number(0, span))
    return Term(value, axes)


def _strides(equation: Equation, windows: Windows, span: Span) -> Typed:
    steps = [step for _, _, step in windows.pairs]
    operands: tuple[Operand, ...] = tuple(size_operand(equation, step, span) for step in steps)
    type_ = List(Int(), tuple(Int(step) for step in steps))
    return equation.state.emit("list", operands, type_, span) if len(steps) > 1 else Typed(operands[0], Int(steps[0]), span)
