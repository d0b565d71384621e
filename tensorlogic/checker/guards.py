"""What could not be proved becomes a check at run time, and a note where it is."""

from tensorlogic.checker.messages import describe, guard_note
from tensorlogic.checker.state import State
from tensorlogic.ir.ir import Const, Op, Operand, Value
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Goal, goal_symbols
from tensorlogic.types.mistakes import NotDivisible
from tensorlogic.types.types import Int


def add_guards(state: State, goals: list[Goal], span: Span) -> None:
    for goal in goals:
        state.report(guard_note(goal, span, "this size is known only at run time"))
        _add_guard(state, goal, span)


def divisions_hold(state: State, divisions: list[tuple[Goal, Span]]) -> bool:
    """Whether the divisions of a written type leave no remainder; a message at the first that may."""
    for goal, span in divisions:
        need = state.need()
        need.require(goal, lambda witness, goal=goal: NotDivisible(goal.divisor, goal.dividend, witness))  # type: ignore[union-attr]
        if need.mistakes:
            state.report(describe(need.mistakes[0], span))
            return False
        add_guards(state, need.guards, span)
    return True


def _add_guard(state: State, goal: Goal, span: Span) -> None:
    """At the function's entry when every term is known there, otherwise here; nothing where a size cannot be read."""
    bindings: dict[str, Operand] = {}
    for name in sorted(goal_symbols(goal)):
        value = dim_operand(state, name, span)
        if value is None:
            return
        bindings[name] = value
    state.ops.append(Op("guard", tuple(bindings.values()), (), {"goal": goal, "names": tuple(bindings), "text": str(goal)}, (), span))


def dim_operand(state: State, name: str, span: Span) -> Operand | None:
    """The int of a dimension variable or of an unknown size that some tensor in reach has."""
    known = state.frame.dim_values.get(name)
    if known is not None:
        return known
    origin = state.frame.origins.get(name)
    if origin is None:
        return None
    tensor, axis = origin
    atom = Dim.sym(name) if "#" not in name else None
    value = Value("", Int(atom))
    state.ops.append(Op("builtin", (tensor, Const(axis, Int(Dim.const(axis)))), (value,), {"name": ".size", "index": 0}, (), span))
    return value
