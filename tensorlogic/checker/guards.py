"""What could not be proved becomes a check at run time, and a note where it is."""

from tensorlogic.checker.messages import describe, guard_note
from tensorlogic.checker.relation_dims import reading
from tensorlogic.checker.state import State
from tensorlogic.ir.ir import Const, Op, Operand, Value
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Goal, goal_symbols
from tensorlogic.types.mistakes import NotDivisible
from tensorlogic.types.types import Int


def add_guards(state: State, goals: list[Goal], span: Span) -> None:
    for goal in goals:
        inserted = _add_guard(state, goal, span)
        state.report(guard_note(goal, span, inserted))


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


def _add_guard(state: State, goal: Goal, span: Span) -> bool:
    """At the function's entry when every term is known there, otherwise here. False where a size cannot be read: then the operation
    itself finds out."""
    names = sorted(goal_symbols(goal))
    at_entry = all(_known_at_entry(state, name) for name in names)
    ops = state.frame.entry_guards if at_entry else state.ops
    reads: list[Op] = []
    operands = [_dim_operand(state, name, span, reads) for name in names]
    if any(operand is None for operand in operands):
        return False
    args = tuple(operand for operand in operands if operand is not None)
    ops += [*reads, Op("guard", args, (), {"goal": goal, "names": tuple(names), "text": str(goal)}, (), span)]
    return True


def _known_at_entry(state: State, name: str) -> bool:
    """Whether a size is one of the arguments' own."""
    value = state.frame.dim_values.get(name)
    if value is None:
        value = state.frame.origins.get(name, (None, 0))[0]
    return value in state.frame.entry


def _dim_operand(state: State, name: str, span: Span, ops: list[Op]) -> Operand | None:
    """The int of a dimension variable or of an unknown size that some tensor in reach has."""
    known = state.frame.dim_values.get(name)
    if known is not None:
        return known
    if (entities := state.relations.of_dim(name)) is not None:
        ops.append(reading(entities, span))
        return ops[-1].results[0]
    origin = state.frame.origins.get(name)
    if origin is None:
        return None
    tensor, axis = origin
    value = Value("", Int(Dim.sym(name) if "#" not in name else None))
    ops.append(Op("builtin", (tensor, Const(axis, Int(Dim.const(axis)))), (value,), {"name": ".size", "index": 0}, (), span))
    return value
