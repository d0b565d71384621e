"""The states that a recurrence begins with: `H[0, i] = ...`, more of them where its steps look further back, or the last state."""

from dataclasses import replace

from tensorlogic.checker.equations.solve import right_side
from tensorlogic.checker.equations.terms import call, number, sizes
from tensorlogic.checker.equations.together import Statement, first_axis
from tensorlogic.checker.equations.tree import Defined, Equation
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.rewrite import regions_in, values_in
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ZERO, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.types import Int, List, Tensor, Unknown, is_unknown


def define_first(state: State, target: ast.Index, node: Statement, axis: int) -> None:
    """The state at place 0, or at the last place, for a recurrence that follows. By itself it is a tensor with zeros before it."""
    assert isinstance(target.base, ast.Name)
    place = _place(state, target.items[axis])
    first = _state_at(state, target, node, axis)
    if place is None or first is None:
        state.declare(target.base.name, Unknown(), target.base.span)
        return
    last = place if place != ZERO else None
    _declare_firsts(state, target, node.span, Defined((), (first,), axis, last))


def further_state(state: State, variable: Variable, target: ast.Index, node: ast.Assign) -> bool:
    """Whether this gives one more of the states that a recurrence begins with: `F[1] = ...` after `F[0] = ...`."""
    known = variable.equation
    if not isinstance(known, Defined) or not known.firsts or known.axis != first_axis(state, target):
        return False
    place = _place(state, target.items[known.axis])
    next_ = Dim.const(len(known.firsts)) if known.last is None else known.last - len(known.firsts)
    if place is None or not state.need().holds(Rel("==", place, next_)):
        return False
    more = _state_at(state, target, node, known.axis)
    if more is None:
        return True
    if not isinstance(more.type, Tensor) or more.type != known.firsts[0].type:
        labels = (Label(known.firsts[0].span, f"the first one is {known.firsts[0].type}"),)
        state.error("TL0404", node.value.span, "the states of a recurrence are of one type", f"this is {more.type}", labels=labels)
        state.declare(target.base.name, Unknown(), target.base.span)  # type: ignore[union-attr]
        return True
    drop_unread(state, variable)
    _declare_firsts(state, target, node.span, replace(known, firsts=(*known.firsts, more)))
    return True


def _place(state: State, item: ast.Node) -> Dim | None:
    typed = state.expr(item, Int())
    if not isinstance(typed.type, Int):
        return None
    return typed.type.value if typed.type.value is not None else state.dim_for(typed.operand)


def _state_at(state: State, target: ast.Index, node: Statement, axis: int) -> Typed | None:
    """One state: the tensor without the axis of the steps."""
    others = target.items[:axis] + target.items[axis + 1 :]
    left = tuple((other.name, other.span) for other in others if isinstance(other, ast.Name))
    term = right_side(Equation(state, tuple(name for name, _ in left)), node.value, node.where, left)
    return None if term.unknown else replace(term.typed, span=node.value.span)


def _declare_firsts(state: State, target: ast.Index, span: Span, known: Defined) -> None:
    """The tensor as long as only these states of it are there."""
    assert isinstance(target.base, ast.Name)
    before = len(state.ops)
    typed = _whole(Equation(state, ()), known, span)
    variable = state.declare(target.base.name, typed.type, target.base.span)
    if not is_unknown(typed.type):
        state.bind_value(variable, typed)
    variable.equation = replace(known, ops=tuple(state.ops[before:]))


def _whole(equation: Equation, known: Defined, span: Span) -> Typed:
    """The states in their places, behind zeros where the last ones are known."""
    axis = number(known.axis, span)
    rows = known.firsts if known.last is None else known.firsts[::-1]
    parts = [call(equation, "unsqueeze", span, row, axis) for row in rows]
    typed = parts[0] if len(parts) == 1 else _joined(equation, parts, axis, span)
    if known.last is None:
        return typed
    return zeros_before(equation, typed, known.axis, known.last + 1 - len(rows), span)


def _joined(equation: Equation, parts: list[Typed], axis: Typed, span: Span) -> Typed:
    types = List(parts[0].type, tuple(part.type for part in parts))
    listed = equation.state.emit("list", tuple(part.operand for part in parts), types, span)
    return call(equation, "cat", span, listed, axis)


def zeros_before(equation: Equation, typed: Typed, axis: int, count: Dim, span: Span) -> Typed:
    assert isinstance(typed.type, Tensor)
    behind = len(typed.type.shape) - 1 - axis
    return call(equation, "pad", span, typed, sizes(equation, [ZERO] * (2 * behind) + [count, ZERO], span))


def drop_unread(state: State, variable: Variable) -> None:
    """Take away what makes a tensor of the first states, if nothing reads it: a recurrence takes the states one by one."""
    known = variable.equation
    if not isinstance(known, Defined) or not known.ops:
        return
    made = set(known.ops)
    results = {value for op in made for value in op.results}
    for op in reversed(state.ops):
        inner = [operand for region in regions_in(op.regions) for operand in (*region.yields, *(a for o in region.ops for a in o.args))]
        if op not in made and results & set(values_in((*op.args, *inner))):
            return
        if op is known.ops[0]:
            state.ops[:] = [op for op in state.ops if op not in made]
            return
