"""Recurrences `H[t + 1, i] = e(H[t, ...])`, one or several that need each other: what each step reads, and in which order they are done.

Each turn of a scan gives one more state of every tensor that steps. `start` is the index of an equation in the first turn, `lead` the
place on the axis of its tensor that it fills there; both go up by one each turn, or down where it is the last state that is known.
"""

from dataclasses import replace

from tensorlogic.checker.equations.firsts import drop_unread
from tensorlogic.checker.equations.items import place_text, step_place
from tensorlogic.checker.equations.names import is_value
from tensorlogic.checker.equations.scan import Read, Scan, Step, scan
from tensorlogic.checker.equations.together import Statement, Together, cycles, in_order
from tensorlogic.checker.equations.tree import Defined
from tensorlogic.checker.places import write
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.types import Tensor, Unknown, is_unknown


def is_recurrence(state: State, variable: Variable, target: ast.Index) -> bool:
    if any(isinstance(item, ast.VirtualIndex) for item in target.items):
        return True
    known = variable.equation
    if not isinstance(known, Defined) or not known.firsts or known.axis >= len(target.items):
        return False
    found = step_place(target.items[known.axis])
    return found is not None and not is_value(state, found[0])


def recurrence(state: State, variable: Variable, target: ast.Index, node: ast.Assign) -> None:
    """A recurrence that needs no other."""
    virtual = [at for at, item in enumerate(target.items) if isinstance(item, ast.VirtualIndex)]
    known = variable.equation
    axis = virtual[0] if virtual else known.axis if isinstance(known, Defined) else 0
    check_together(state, Together(node.span, (node,), (axis,), None))


def check_together(state: State, node: Together) -> None:
    """Equations that are one scan."""
    found = [_step(state, one, axis, node.read) for one, axis in zip(node.statements, node.axes, strict=True)]
    steps = [step for step in found if step is not None]
    plan = _planned(state, steps) if len(steps) == len(found) else None
    results = scan(state, plan) if plan is not None else None
    if plan is None or results is None:
        _silence(state, node)
        return
    for step in plan.steps:
        variable = state.find_variable(step.name)
        if step.firsts and not step.virtual and variable is not None:
            drop_unread(state, variable)
    for step in plan.steps:
        if step.name in results:
            _bind(state, step, results[step.name])


def _silence(state: State, node: Together) -> None:
    """The names are declared, so that their uses say nothing more."""
    for one in node.statements:
        assert isinstance(one.target, ast.Index) and isinstance(one.target.base, ast.Name)
        if not any(isinstance(item, ast.VirtualIndex) for item in one.target.items) or state.scope.find(one.target.base.name) is None:
            state.declare(one.target.base.name, Unknown(), one.target.base.span)


def _bind(state: State, step: Step, result: Typed) -> None:
    if step.virtual and step.firsts:
        write(state, step.target.base, result, step.node.span)
        return
    variable = state.declare(step.name, result.type, step.target.base.span)
    state.bind_value(variable, result)
    variable.equation = Defined(tuple(item.span.text for item in step.target.items))


# --- one step --------------------------------------------------------------------------------------------------------


def _step(state: State, node: Statement, axis: int, read: frozenset[str] | None) -> Step | None:
    """What the left side of one of the equations says; None after a message."""
    target = node.target
    assert isinstance(target, ast.Index) and isinstance(target.base, ast.Name)
    name = target.base.name
    found = step_place(target.items[axis]) if axis < len(target.items) else None
    others = tuple(item for at, item in enumerate(target.items) if at != axis)
    left = tuple((item.name, item.span) for item in others if isinstance(item, ast.Name))
    if found is None or is_value(state, found[0]) or len(left) < len(others) or len({*dict(left), found[0]}) <= len(left):
        help = "the left side is like `H[t + 1, i]`, and `H[0, i]` is given"
        state.error("TL0404", target.span, "this is no step of a recurrence", "", help)
        return None
    virtual = isinstance(target.items[axis], ast.VirtualIndex)
    variable = state.find_variable(name) if isinstance(node, ast.Assign) else None
    known = variable.equation if variable is not None else None
    firsts: tuple[Typed, ...] = ()
    last: Dim | None = None
    if virtual and state.scope.find(name) is not None and isinstance(node, ast.Assign):
        firsts = (state.expr(target.base),)
    elif isinstance(known, Defined) and not virtual:
        firsts, last = known.firsts, known.last
    if any(is_unknown(first.type) for first in firsts) or (variable is not None and is_unknown(variable.type)):
        return None
    if not _same_axes(state, target, firsts, left):
        return None
    kept = read is None or name in read or (bool(firsts) and name not in state.scope.names)
    return Step(node, target, name, axis, *found, virtual, left, firsts, last, kept)


def _same_axes(state: State, target: ast.Index, firsts: tuple[Typed, ...], left: tuple[tuple[str, Span], ...]) -> bool:
    for first in firsts:
        if not isinstance(first.type, Tensor):
            state.error("TL0404", target.span, f"an index stands on the axis of a tensor, found {first.type}")
            return False
        if len(first.type.shape) != len(left):
            axes = len(first.type.shape)
            state.error("TL0304", target.span, f"a state has {axes} axes, the left side has {len(left)} indices beside that of the steps")
            return False
    return True


# --- what they read of each other ------------------------------------------------------------------------------------


def _planned(state: State, steps: list[Step]) -> Scan | None:
    """The steps with their places, in an order in which each finds what it reads; None after a message."""
    back = any(step.last is not None for step in steps)
    names = {step.name: step for step in steps}
    reads = {step.name: _reads(step, names) for step in steps}
    placed = {step.name: _placed(step) for step in steps if step.firsts}
    if not all(_begins(state, step, back) for step in placed.values()):
        return None
    _between(placed, names, reads)
    plan = Scan(tuple(placed[step.name] for step in steps), back, reads)
    if not all(_reachable(state, plan, step) for step in plan.steps):
        return None
    return _sorted(state, plan)


def _reads(step: Step, names: dict[str, Step]) -> tuple[Read, ...]:
    """Where an equation reads the tensors that step with it; what is read at odd places is found when its tree is built."""
    found: list[Read] = []
    for item in ast.walk(step.node.value):
        if isinstance(item, ast.Index) and isinstance(item.base, ast.Name) and item.base.name in names:
            axis = names[item.base.name].axis
            place = step_place(item.items[axis]) if axis < len(item.items) else None
            if place is not None and place[0] == step.index:
                found.append(Read(item.base.name, place[1], item.span))
    return tuple(found)


def _placed(step: Step) -> Step:
    """With the first turn behind the states that are given."""
    lead = Dim.const(len(step.firsts)) if step.last is None else step.last - len(step.firsts)
    return replace(step, lead=lead, start=lead - step.added)


def _begins(state: State, step: Step, back: bool) -> bool:
    """Whether the states that are given are those that the first turn needs."""
    name, text = step.name, place_text(step.index, step.added)
    if back and step.last is None:
        title = "a recurrence with `*` runs forward" if step.virtual else "recurrences that need each other begin at the same end"
        state.error("TL0404", step.target.span, title)
        return False
    if back and step.added > 0:
        state.error("TL0404", step.target.span, f"these steps do not reach `{name}[0]`", "", f"`{name}[{step.index}]` on the left does")
        return False
    if not back and (step.start.value or 0) < 0:
        count = step.added
        if step.virtual:
            help = "keep all states, without `*`, to look further back"
        else:
            help = f"give {count} first states: `{name}[0] = ...` to `{name}[{count - 1}] = ...`"
        state.error("TL0404", step.target.span, f"`{name}[{text}]` begins at {count}: the state before it is not known", "", help)
        return False
    return True


def _between(placed: dict[str, Step], names: dict[str, Step], reads: dict[str, tuple[Read, ...]]) -> None:
    """The tensors between the recurrences are worked out in the turn in which they are read."""
    pending = list(placed)
    while pending:
        reader = placed[pending.pop()]
        for read in reads[reader.name]:
            if read.name not in placed:
                lead = reader.start + read.added
                placed[read.name] = replace(names[read.name], lead=lead, start=lead - names[read.name].added)
                pending.append(read.name)


def _reachable(state: State, plan: Scan, step: Step) -> bool:
    """Whether all that it reads is there in its turn, and it is read from its beginning on; a message where not."""
    for read in plan.reads[step.name]:
        other = plan.step(read.name)
        back = plan.back(step, read)
        early = not other.firsts and not plan.backward and (other.lead.value or 0) < 0
        if early or back is None or back < 0 or back > len(other.firsts):
            _unreachable(state, plan, step, read, back if not early else 1)
            return False
    if step.firsts or not _left_out(plan, step):
        return True
    place = "0" if plan.backward else str(step.lead)
    help = "shift the index of its equation" if plan.backward else f"give it as a first state: `{step.name}[0] = ...`"
    title = (
        f"`{step.name}` would be missing at 0" if plan.backward else f"`{step.name}` is read from {place} on and would be missing before it"
    )
    state.error("TL0404", step.target.span, title, "", help)
    return False


def _left_out(plan: Scan, step: Step) -> bool:
    """Whether a tensor between recurrences could have been worked out at one place more, at its beginning."""
    place = (step.start - (plan.down_to_zero if plan.backward else ONE)).value
    if place is None or place < 0:
        return False
    lowest = [(plan.lowest(plan.step(read.name)).value, place + read.added) for read in plan.reads[step.name]]
    return all(low is not None and low <= at for low, at in lowest)


def _unreachable(state: State, plan: Scan, step: Step, read: Read, back: int | None) -> None:
    """A read of what comes later than the step, or of what is not known any more, or not given."""
    other = plan.step(read.name)
    at = f"`{read.name}[{place_text(step.index, read.added)}]`"
    gives = f"`{step.name}[{place_text(step.index, step.added)}]`"
    labels = (Label(step.target.span, f"this step gives {gives}"),)
    if back is None or back < 0:
        state.error("TL0404", read.span, f"{at} comes later than {gives}, which reads it", "not known yet", labels=labels)
    elif not other.firsts or other.virtual:
        help = "keep all states, without `*`, to look further back" if other.virtual else f"give its first state: `{read.name}[0] = ...`"
        state.error("TL0404", read.span, f"{at} is not known when {gives} reads it", "", help, labels=labels)
    else:
        help = f"give the first {back} states of `{read.name}`" if not plan.backward else f"give the last {back} states of `{read.name}`"
        state.error("TL0404", read.span, f"in its first step {gives} reads {at}, which is not given", "", help, labels=labels)


def _sorted(state: State, plan: Scan) -> Scan | None:
    """In an order in which what is read in the same turn comes first; a circle of such reads is a mistake."""
    at = {step.name: number for number, step in enumerate(plan.steps)}
    same = {step.name: [read for read in plan.reads[step.name] if plan.back(step, read) == 0] for step in plan.steps}
    needs = [{at[read.name] for read in same[step.name]} for step in plan.steps]
    groups = cycles(needs)
    for group in groups:
        if len(group) > 1 or group[0] in needs[group[0]]:
            _circle(state, [plan.steps[number] for number in group], same)
            return None
    return replace(plan, steps=tuple(plan.steps[number] for (number,) in in_order(groups, needs)))


def _circle(state: State, steps: list[Step], same: dict[str, list[Read]]) -> None:
    names = {step.name for step in steps}
    (step, read), *more = [(step, next(read for read in same[step.name] if read.name in names)) for step in steps]
    labels = tuple(Label(other.span, f"`{one.name}` needs `{other.name}`") for one, other in more)
    title = f"{' and '.join(f'`{name}`' for name in sorted(names))} need each other within one step"
    if not more:
        title, labels = f"`{step.name}` needs itself within one step", (Label(step.target.span, "to give this"),)
    state.error("TL0404", read.span, title, f"`{step.name}` needs `{read.name}`", "one of them reads the state before", labels=labels)
