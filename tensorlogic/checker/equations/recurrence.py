"""Recurrences `H[t + 1, i] = e(H[t, ...])`, run step by step, and equations `Y op= e(Y)` that run to a fixpoint.

Both become one call of the runtime with a function of the state: `scan(first, steps, step)`, `fixpoint(start, step)`.
"""

from contextlib import contextmanager

from collections.abc import Iterator  # isort: skip

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.build import is_value, step_place
from tensorlogic.checker.equations.ranges import size_operand, stands_at
from tensorlogic.checker.equations.solve import prepare, right_side
from tensorlogic.checker.equations.store import read, slots_of
from tensorlogic.checker.equations.terms import Term, aligned, call, number
from tensorlogic.checker.equations.tree import Defined, Equation, Range
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.places import write
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const, Op, Operand, Region, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.types import Fn, Int, Tensor, Type, Unknown, is_unknown

Left = tuple[tuple[str, Span], ...]


# --- the first state -------------------------------------------------------------------------------------------------


def base_axis(state: State, target: ast.Index, new: bool) -> int | None:
    """The axis with the one number on the left of `H[0, i] = h0[i]`."""
    places = [at for at, item in enumerate(target.items) if isinstance(item, ast.IntLit)]
    return places[0] if len(places) == 1 else None


def define_first(state: State, target: ast.Index, node: ast.Let | ast.Assign, axis: int) -> None:
    """The state at step 0, for a recurrence that follows. By itself it is a tensor with one step."""
    assert isinstance(target.base, ast.Name)
    others = target.items[:axis] + target.items[axis + 1 :]
    item = target.items[axis]
    left = tuple((other.name, other.span) for other in others if isinstance(other, ast.Name))
    if not isinstance(item, ast.IntLit) or item.value != 0 or len(left) < len(others):
        state.error("TL0404", target.span, "the first state of a recurrence stands at 0", "", "write `H[0, i] = ...`")
        state.declare(target.base.name, Unknown(), target.base.span)
        return
    equation = Equation(state, tuple(name for name, _ in left))
    term = right_side(equation, node.value, node.where, left)
    typed = term.typed if term.unknown else call(equation, "unsqueeze", node.span, term.typed, number(axis, node.span))
    variable = state.declare(target.base.name, typed.type, target.base.span)
    if not is_unknown(typed.type):
        state.bind_value(variable, typed)
    variable.equation = Defined(equation.left, axis, term.typed)


# --- recurrences -----------------------------------------------------------------------------------------------------


def is_recurrence(state: State, variable: Variable, target: ast.Index) -> bool:
    if any(isinstance(item, ast.VirtualIndex) for item in target.items):
        return True
    known = variable.equation
    return isinstance(known, Defined) and known.axis is not None and _step_of(state, target, known.axis) is not None


def _step_of(state: State, target: ast.Index, axis: int) -> tuple[str, int] | None:
    """(the index of the steps, what is added to it) on an axis of the left side."""
    item = target.items[axis] if axis < len(target.items) else None
    found = step_place(item)
    return found if found is not None and not is_value(state, found[0]) else None


def recurrence(state: State, variable: Variable, target: ast.Index, node: ast.Assign) -> None:
    assert isinstance(target.base, ast.Name)
    virtual = [at for at, item in enumerate(target.items) if isinstance(item, ast.VirtualIndex)]
    known = variable.equation
    axis = virtual[0] if virtual else known.axis if isinstance(known, Defined) else None
    step = _step_of(state, target, axis) if axis is not None else None
    others = tuple(item for at, item in enumerate(target.items) if at != axis)
    left = tuple((item.name, item.span) for item in others if isinstance(item, ast.Name))
    if axis is None or step is None or step[1] not in (0, 1) or len(left) < len(others):
        help = "the left side is like `H[t + 1, i]`, and `H[0, i]` is given"
        state.error("TL0404", target.span, "this is no step of a recurrence", "", help)
        return
    first = _first(state, variable, target, known, bool(virtual))
    if first is None:
        return
    if not virtual and state.ops and state.ops[-1].results == (variable.value,):
        state.ops.pop()  # the recurrence takes the first state as it is
    result = _run(state, node, target.base.name, (axis, *step), left, first, keep=not virtual)
    if result is None:
        return
    if virtual:
        write(state, target.base, result, node.span)
        return
    changed = state.declare(target.base.name, result.type, target.base.span)
    state.bind_value(changed, result)
    changed.equation = Defined(tuple(item.span.text for item in target.items))


def _first(state: State, variable: Variable, target: ast.Index, known: object, virtual: bool) -> Typed | None:
    """The state before the first step."""
    if virtual:
        return state.expr(target.base) if isinstance(variable.type, Tensor) else None
    first = known.first if isinstance(known, Defined) else None
    return first if first is not None and isinstance(first.type, Tensor) else None


Step = tuple[int, str, int]  # the axis, the index, what is added to it on the left


def _run(state: State, node: ast.Assign, name: str, step: Step, left: Left, first: Typed, keep: bool) -> Typed | None:
    assert isinstance(first.type, Tensor)
    equation = Equation(state, ())
    steps = _steps(state, node, name, step, left, first)
    if steps is None:
        return None
    count = size_operand(equation, steps, node.span)
    function = _body(state, node, name, step, left, first)
    if function is None:
        return None
    shape = (steps + 1, *first.type.shape) if keep else first.type.shape
    type_ = Tensor(first.type.dtype, shape)
    args: tuple[Operand, ...] = (first.operand, count, function)
    result = state.emit("builtin", args, type_, node.span, name="scan" if keep else "scan_last", index=0)
    axis = step[0]
    return call(equation, "movedim", node.span, result, number(0, node.span), number(axis, node.span)) if keep and axis else result


def _equation(state: State, name: str, step: Step, left: Left, held: Typed) -> Equation:
    """An equation about one step: what it defines is read as the state before."""
    axis, index, added = step
    equation = Equation(state, tuple(n for n, _ in left))
    equation.states[name] = held, axis, (index, added - 1)
    assert isinstance(held.type, Tensor)
    for (own, span), size in zip(left, held.type.shape, strict=False):
        if isinstance(size, Dim):
            equation.ranges[own] = Range(size, span)
    return equation


def _steps(state: State, node: ast.Assign, name: str, step: Step, left: Left, first: Typed) -> Dim | None:
    """How many steps there are: as many as the step's index has places. What is looked at for that leaves no operations."""
    assert isinstance(first.type, Tensor)
    _, index, added = step
    if len(left) != len(first.type.shape):
        state.error("TL0304", node.target.span, f"a state has {len(first.type.shape)} axes, the left side has {len(left)} indices")
        return None
    frame = state.frame
    origins, values = dict(frame.origins), dict(frame.dim_values)
    with state.block():
        equation = _equation(state, name, step, left, first)
        equation.indices.add(index)
        tree = prepare(equation, node.value, node.where)
    frame.origins, frame.dim_values = origins, values
    if tree is None:
        return None
    range_ = equation.ranges.get(index)
    if range_ is None:
        help = f"declare its range: `where {index} in 0..N`"
        state.error("TL0403", node.target.span, f"the index `{index}` has no range: it stands on no axis", "no range", help)
        return None
    return range_.size if added else range_.size - 1


def _body(state: State, node: ast.Assign, name: str, step: Step, left: Left, first: Typed) -> Value | None:
    """The function from a step's number and a state to the next state."""
    _, index, added = step
    at, held = Value(index, Int()), Value("", first.type)
    with _lambda(state, node, (at, held)) as (ops, finish):
        place = at if added else state.emit("binary", (at, Const(1, Int(ONE))), Int(), node.span, op="+").operand
        state.scope.names[index] = Variable(place, Int(), node.span)  # type: ignore[arg-type]
        equation = _equation(state, name, step, left, Typed(held, first.type, node.span))
        where = tuple(w for w in node.where if not (isinstance(w, ast.Binary) and isinstance(w.left, ast.Name) and w.left.name == index))
        term = right_side(equation, node.value, where, left)
        if term.unknown or equation.wrong:
            return None
        fitted = coerce(state, term.typed, first.type, "the next state", of=first.span)
        if fitted.doubted:
            return None
        return finish(fitted.operand)


@contextmanager
def _lambda(state: State, node: ast.Node, params: tuple[Value, ...]) -> Iterator:
    """A block whose operations become a function of these values."""
    outer = state.ops
    with state.block("lambda") as ops:

        def finish(result: Operand) -> Value:
            type_: Type = result.type  # type: ignore[union-attr]
            value = Value("", Fn(tuple(p.type for p in params), type_))
            outer.append(Op("lambda", (), (value,), {}, (Region(params, tuple(ops), (result,)),), node.span))
            return value

        yield ops, finish


# --- fixpoints -------------------------------------------------------------------------------------------------------


def reads_elsewhere(state: State, target: ast.Index, value: ast.Node) -> bool:
    """Whether the right side reads the tensor on the left at other indices, and the left side has an index."""
    names = tuple(item.name if isinstance(item, ast.Name) else "" for item in target.items)
    if not any(name and not is_value(state, name) for name in names) or not isinstance(target.base, ast.Name):
        return False
    pending = [value]
    while pending:
        item = pending.pop()
        match item:
            case ast.Index(base=ast.Name(name=name), items=items) if name == target.base.name:
                if tuple(i.name if isinstance(i, ast.Name) else None for i in items) != names:
                    return True
        pending += ast.children(item)
    return False


def fixpoint(state: State, target: ast.Index, node: ast.Assign, whole: Typed) -> None:
    """`D[i, j] min= D[i, k] + D[k, j]`: the least change of what `D` holds that the equation leaves as it is."""
    assert isinstance(target.base, ast.Name) and isinstance(whole.type, Tensor)
    slots = slots_of(state, target, whole)
    if slots is None:
        return
    if any(not slot.name or slot.start for slot in slots):
        state.error("TL0404", target.span, "an equation that runs to its fixpoint has an index for each axis on its left")
        return
    left = tuple((slot.name, slot.span) for slot in slots)
    held = Value("", whole.type)
    op = node.op[:-1]
    with _lambda(state, node, (held,)) as (_, finish):
        state.scope.names[target.base.name] = Variable(held, whole.type, target.base.span)
        equation = Equation(state, tuple(name for name, _ in left))
        for slot in slots:
            if slot.size is not None:
                stands_at(equation, slot.name, slot.size, slot.span)
        term = right_side(equation, node.value, node.where, left, op)
        if term.unknown or equation.wrong:
            return
        old = read(equation, whole, slots, target.span)
        result = _operated(equation, node, op, old, term)
        fitted = coerce(state, result, whole.type, "the value")
        if is_unknown(fitted.type) or fitted.doubted:
            return
        function = finish(fitted.operand)
    typed = state.emit("builtin", (whole.operand, function), whole.type, node.span, name="fixpoint", index=0)
    write(state, target.base, typed, node.span)


def _operated(equation: Equation, node: ast.Assign, op: str, old: Term, new: Term) -> Typed:
    values = aligned(equation, old, old.axes), aligned(equation, new, old.axes)
    if op in ("max", "min"):
        return call(equation, op, node.span, *values)
    place = Span(node.span.source, node.target.span.end, node.value.span.start)
    return apply_operator(equation.state, ast.Binary(node.span, op, node.target, node.value, place), *values)
