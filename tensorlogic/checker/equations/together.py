"""Which equations step together: recurrences that need each other, and what stands between them. How they are written down matters only
where one needs the other."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from tensorlogic.checker.equations.items import step_place
from tensorlogic.checker.equations.names import is_place, is_value
from tensorlogic.checker.equations.tree import Defined
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State
from tensorlogic.record import distinct_record
from tensorlogic.syntax import ast

Statement = ast.Let | ast.Assign
Read = tuple[str, tuple[ast.Node, ...]]  # a name and what stands in its brackets


@distinct_record
class Together(ast.Node):
    """Equations that are one scan, each with the axis of its steps. `read` are the names that anything else reads, None: any."""

    statements: tuple[Statement, ...]
    axes: tuple[int, ...]
    read: frozenset[str] | None


@distinct_record
class Line:
    """One equation of several in a row. `kind` is "step", "first" (a state that a recurrence begins with) or "plain"."""

    node: Statement
    target: ast.Index
    name: str
    kind: str
    axis: int
    reads: tuple[Read, ...]


def arranged(state: State, statements: Sequence[ast.Node]) -> Iterator[ast.Node]:
    """The statements of a block in the order in which they are checked: as they stand, but that equations which step together are one."""
    at = 0
    while at < len(statements):
        run = _run(state, statements, at)
        if any(line.kind == "step" for line in run) and len(run) > 1:
            around = [*statements[:at], *statements[at + len(run) :]]
            yield from _ordered(state, run, around)
        else:
            yield from statements[at : at + max(len(run), 1)]
        at += max(len(run), 1)


# --- equations in a row ----------------------------------------------------------------------------------------------


def _run(state: State, statements: Sequence[ast.Node], at: int) -> list[Line]:
    """The equations from here on that define something: with no other statement between them."""
    run: list[Line] = []
    axes: dict[str, int] = {}
    made: set[str] = set()
    for place in range(at, len(statements)):
        line = _line(state, statements[place], axes, made)
        if line is None:
            break
        if line.kind == "first":
            axes[line.name] = line.axis
        elif isinstance(line.node, ast.Let):
            axes.pop(line.name, None)
        made.add(line.name)
        run.append(line)
    return run


def _line(state: State, node: ast.Node, axes: dict[str, int], made: set[str]) -> Line | None:
    """An equation that defines a name or goes on with its recurrence; None for anything else."""
    if not isinstance(node, ast.Let | ast.Assign) or not isinstance(node.target, ast.Index) or not isinstance(node.target.base, ast.Name):
        return None
    if isinstance(node, ast.Assign) and node.op not in ("=", ":="):
        return None
    target, name = node.target, node.target.base.name
    found = state.scope.find(name)
    known = found.equation if isinstance(found, Variable) else None
    axis = axes.get(name, known.axis if isinstance(known, Defined) and known.firsts else None)
    new = isinstance(node, ast.Let) or (found is None and axis is None)
    virtual = [at for at, item in enumerate(target.items) if isinstance(item, ast.VirtualIndex)]
    reads = tuple(_reads(node))
    if virtual:
        kind = "plain" if new and name not in made else "step"
        return Line(node, target, name, kind, virtual[0], reads)
    if new:
        first = first_axis(state, target)
        return Line(node, target, name, "plain" if first is None else "first", first or 0, reads)
    if axis is None or axis >= len(target.items):
        return None
    return Line(node, target, name, "step" if _index_of(state, target.items[axis]) else "first", axis, reads)


def first_axis(state: State, target: ast.Index) -> int | None:
    """The axis with the one place on the left of `H[0, i] = h0[i]`, where everything else is an index."""
    places = [at for at, item in enumerate(target.items) if is_place(state, item)]
    others = [item for at, item in enumerate(target.items) if at not in places]
    plain = all(isinstance(item, ast.Name) for item in others)
    return places[0] if len(places) == 1 and plain else None


def _index_of(state: State, item: ast.Node) -> str:
    """The index of the steps in `t + 1`; empty where there is none."""
    found = step_place(item)
    return found[0] if found is not None and not is_value(state, found[0]) else ""


def _reads(node: Statement) -> Iterator[Read]:
    """What an equation reads, on its left side too; whole tensors have nothing in their brackets."""
    assert isinstance(node.target, ast.Index)
    pending: list[ast.Node] = [node.value, *node.where, *node.target.items]
    while pending:
        item = pending.pop()
        match item:
            case ast.Index(base=ast.Name(name=name), items=items):
                yield name, items
                pending += items
            case ast.Name(name=name):
                yield name, ()
            case _:
                pending += ast.children(item)


# --- what needs what -------------------------------------------------------------------------------------------------


def _ordered(state: State, run: list[Line], around: list[ast.Node]) -> Iterator[ast.Node]:
    stepping = _stepping(state, run)
    needs = [_needs(state, run, at, stepping) for at in range(len(run))]
    along = [_along(state, run, at, stepping) for at in range(len(run))]
    steps = {at for at, line in enumerate(run) if line.kind == "step"}
    for group in in_order(cycles(_joined(needs, along, steps)), needs):
        lines = [run[at] for at in group]
        if len(group) == 1:
            yield lines[0].node
            continue
        others = [*around, *(line.node for line in run if line not in lines and line.kind != "first")]
        firsts = [line.node.value for line in run if line.kind == "first"]
        read = None if state.frame.top else names_of(*others, *firsts)
        axes = tuple(stepping[line.name][1] for line in lines)
        yield Together(lines[0].node.span, tuple(line.node for line in lines), axes, read)


def _stepping(state: State, run: list[Line]) -> dict[str, tuple[int, int]]:
    """(the line, the axis of its steps) of each name that steps: of recurrences, and of what reads their states index by index."""
    found = {line.name: (at, line.axis) for at, line in enumerate(run) if line.kind == "step"}
    readers: dict[str, list[int]] = {}
    for at, line in enumerate(run):
        for name, _ in line.reads if line.kind == "plain" else ():
            readers.setdefault(name, []).append(at)
    pending = list(found)
    while pending:
        name = pending.pop()
        for at in readers.get(name, ()):
            axis = _axis_between(state, run[at], name, found[name][1])
            if axis is not None and run[at].name not in found:
                found[run[at].name] = at, axis
                pending.append(run[at].name)
    return found


def _axis_between(state: State, line: Line, name: str, axis: int) -> int | None:
    """The axis of an equation that has the index at which it reads what steps."""
    indices = {_index_of(state, items[axis]) for read, items in line.reads if read == name and axis < len(items)} - {""}
    return next((at for at, item in enumerate(line.target.items) if _index_of(state, item) in indices), None)


def _needs(state: State, run: list[Line], at: int, stepping: dict[str, tuple[int, int]]) -> set[int]:
    """The equations in the row that one rests on."""
    line = run[at]
    found = {other for other in range(at) if run[other].name == line.name}
    if line.kind == "step":
        found |= {other for other in range(len(run)) if run[other].name == line.name and run[other].kind == "first"}
    later = line.name in stepping and state.scope.find(line.name) is None
    for name, _ in line.reads:
        there = stepping.get(name, (-1, 0))[0]
        found |= {other for other in range(len(run)) if run[other].name == name and (other < at or (later and other != there))}
    return found | _along(state, run, at, stepping)


def _along(state: State, run: list[Line], at: int, stepping: dict[str, tuple[int, int]]) -> set[int]:
    """Those of them that it reads index by index."""
    found = set()
    for name, items in run[at].reads:
        there, axis = stepping.get(name, (-1, 0))
        if there >= 0 and axis < len(items) and _index_of(state, items[axis]) and _is_meant(state, run, at, there):
            found.add(there)
    return found


def _joined(needs: list[set[int]], along: list[set[int]], steps: set[int]) -> list[set[int]]:
    """The same, where a recurrence and all that it reads index by index and that steps, however far behind, count as needing each other:
    `x[t + 1]` that reads `v[t]` takes the same steps as `v`."""
    inside, pending = set(steps), list(steps)
    while pending:
        new = along[pending.pop()] - inside
        inside |= new
        pending += new
    mutual = [set(others) for others in needs]
    for at in inside:
        for other in along[at]:
            mutual[other].add(at)
    return mutual


def _is_meant(state: State, run: list[Line], at: int, there: int) -> bool:
    """Whether a name is that of the line `there`: further down it may be a new tensor with the name of one that is there already."""
    line = run[there]
    return there <= at or line.kind == "step" or state.scope.find(line.name) is None


def names_of(*nodes: ast.Node) -> frozenset[str]:
    """All names in some syntax."""
    return frozenset(node.name for node in ast.walk(*nodes) if isinstance(node, ast.Name))


# --- the order -------------------------------------------------------------------------------------------------------


def cycles(needs: list[set[int]]) -> list[list[int]]:
    """The lines that need each other, and each other line by itself."""
    reach: list[int] = []  # every line behind what it needs
    seen: set[int] = set()
    for root in range(len(needs)):
        _visit(root, needs, seen, reach)
    needed_by: list[set[int]] = [set() for _ in needs]
    for at, others in enumerate(needs):
        for other in others:
            needed_by[other].add(at)
    groups, seen = [], set()
    for root in reversed(reach):
        group: list[int] = []
        _visit(root, needed_by, seen, group)
        if group:
            groups.append(sorted(group))
    return groups


def _visit(root: int, edges: list[set[int]], seen: set[int], done: list[int]) -> None:
    """Depth first, each line into `done` behind those that its edges reach."""
    pending = [(root, False)]
    while pending:
        at, left = pending.pop()
        if left:
            done.append(at)
        elif at not in seen:
            seen.add(at)
            pending.append((at, True))
            pending += [(other, False) for other in edges[at] if other not in seen]


def in_order(groups: list[list[int]], needs: list[set[int]]) -> Iterator[list[int]]:
    """Each group behind those that it needs, otherwise as they are written."""
    group_of = {at: number for number, group in enumerate(groups) for at in group}
    open_ = [{group_of[other] for at in group for other in needs[at]} - {number} for number, group in enumerate(groups)]
    followers: list[list[int]] = [[] for _ in groups]
    for number, others in enumerate(open_):
        for other in others:
            followers[other].append(number)
    ready: list[tuple[int, int]] = []
    for number, others in enumerate(open_):
        if not others:
            heappush(ready, (groups[number][0], number))
    while ready:
        _, number = heappop(ready)
        yield groups[number]
        for follower in followers[number]:
            open_[follower].discard(number)
            if not open_[follower]:
                heappush(ready, (groups[follower][0], follower))
