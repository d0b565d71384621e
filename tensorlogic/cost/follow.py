"""Following operations in their order: blocks, branches, loops. What ends a block early is known as its way out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from tensorlogic.cost.activation import Activation, last_reads
from tensorlogic.cost.operations import OPERATIONS, nothing
from tensorlogic.cost.tally import Tally
from tensorlogic.cost.values import Array, Closure, Group, Host, Many, Thing
from tensorlogic.ir.ir import Op, Region
from tensorlogic.source import Span
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.types import Int, Range, Void

WALKED_TWICE = 3  # loops around each other whose first pass is told from the following ones

_last_reads = lru_cache(4096)(last_reads)


def block(act: Activation, region: Region) -> str:
    """Follows a region. Gives its way out: "" where it goes on behind it, else return, break or continue."""
    act.program.enter()
    deaths, way = _last_reads(region), ""
    for op, dying in zip(region.ops, deaths, strict=True):
        act.program.step()
        way = _operation(act, op)
        for value in dying:
            act.memory.drop(value)
        if way:
            break
    act.program.leave()
    return way


def _operation(act: Activation, op: Op) -> str:
    if op.code in CONTROL:
        return CONTROL[op.code](act, op)
    OPERATIONS.get(op.code, nothing)(act, op)
    return ""


def close(act: Activation, region: Region) -> None:
    """The values of a block are gone behind it."""
    for value in (*region.params, *(result for op in region.ops for result in op.results)):
        act.memory.drop(value)


@contextmanager
def measured(act: Activation) -> Iterator[Tally]:
    """What is spent inside, on its own."""
    outer, act.tally = act.tally, Tally()
    inner = act.tally
    try:
        yield inner
    finally:
        act.tally = outer


def yielded(act: Activation, region: Region) -> tuple[Thing, ...]:
    return tuple(act.thing(value) for value in region.yields)


# --- branches --------------------------------------------------------------------------------------------------------


def branch(act: Activation, op: Op) -> str:
    condition = act.thing(op.args[0])
    if isinstance(condition, Host) and isinstance(condition.known, bool):
        return _taken(act, op, op.regions[0 if condition.known else 1] if condition.known or len(op.regions) > 1 else Region())
    return _either(act, op)


def _taken(act: Activation, op: Op, region: Region) -> str:
    way = block(act, region)
    if not way:
        act.define(op, *(yielded(act, region) if op.results else ()))
    close(act, region)
    return way


def _either(act: Activation, op: Op) -> str:
    """Nobody knows which: each number is the larger one of both ways. A way that returns is compared with all that follows the other."""
    regions = op.regions if len(op.regions) > 1 else (*op.regions, Region())
    before, ends = act.memory, []
    for region in regions:
        act.memory = before.copy()
        with measured(act) as tally:
            way = _taken(act, op, region)
        ends.append((way, tally, act.memory))
    going = [end for end in ends if not end[0]]
    for way, tally, _ in ends:
        if way == "return" and going:
            other = Tally()
            other.add(act.tally)
            other.add(tally)
            act.others.append(other)
    both = (going or ends)[0][1]
    for _, tally, _ in (going or ends)[1:]:
        both = both.most(tally)
    act.tally.add(both)
    act.memory = (going or ends)[0][2]
    return "" if going else ends[0][0]


def either_operand(act: Activation, op: Op) -> str:
    """`and`, `or`: the right operand is worked out, unless the left one is known to decide."""
    left = act.thing(op.args[0])
    known = left.known if isinstance(left, Host) else None
    if isinstance(known, bool) and known == (op.code == "or"):
        act.define(op, left)
        return ""
    block(act, op.regions[0])
    right = yielded(act, op.regions[0])[0]
    act.define(op, right if isinstance(known, bool) else Host(op.results[0].type))
    close(act, op.regions[0])
    return ""


# --- loops -----------------------------------------------------------------------------------------------------------


def repeated(act: Activation, times: Dim, once: Callable[[], str]) -> None:
    """What is done `times` times. The first pass finds things as they were before, all others as the one before them left them."""
    if times.value == 0:
        return
    act.loops += 1
    with measured(act) as first:
        once()
    if times == ONE or act.loops > WALKED_TWICE:
        act.tally.add(first, times)
    else:
        act.tally.add(first)
        with measured(act) as following:
            once()
        act.tally.add(following, times - 1)
    act.loops -= 1


def loop(act: Activation, op: Op) -> str:
    """`for`: as often as there are items."""
    region = op.regions[0]
    times, item = items_of(act, act.thing(op.args[0]), op)

    def once() -> str:
        if region.params:
            act.memory.bind(region.params[0], item)
        way = block(act, region)
        close(act, region)
        return way

    repeated(act, times, once)
    return ""


def items_of(act: Activation, thing: Thing, op: Op) -> tuple[Dim, Thing]:
    """How many items there are, and one of them."""
    param = op.regions[0].params[0] if op.regions and op.regions[0].params else None
    unknown = act.unseen(param.type) if param is not None else Host(Void())
    match thing:
        case Many(item=item, count=count):
            return runs(act, "loop", op.span, "the loop") if count.has_unknown else count, item
        case Group(items=()):
            return Dim.const(0), unknown
        case Group(items=items):
            return Dim.const(len(items)), items[0] if _alike(items) else unknown
        case Array(type=type_) if type_.shape and isinstance(type_.shape[0], Dim):
            return type_.shape[0], unknown
        case Host(type=Range(start, stop)) if start is not None and stop is not None:
            return stop - start, Host(Int())
    return runs(act, "loop", op.span, "the loop"), unknown


def runs(act: Activation, kind: str, span: Span | None, what: str) -> Dim:
    """A number of times that nobody knows."""
    return act.program.factor(kind, span, f"how often {what} of line {span.line if span else '?'} runs")


def _alike(items: tuple[Thing, ...]) -> bool:
    return not isinstance(items[0], Host | Closure) and len({item.type for item in items}) == 1


def while_loop(act: Activation, op: Op) -> str:
    test, body = op.regions

    def once() -> str:
        block(act, test)
        way = block(act, body)
        for region in op.regions:
            close(act, region)
        return way

    repeated(act, runs(act, "loop", op.span, "the loop"), once)
    return ""


def learn(act: Activation, op: Op) -> str:
    """The step of a training, forward only."""
    region = op.regions[0]
    act.program.remark("of `learn` each step's forward pass is counted; backward takes about twice that", op.span)

    def once() -> str:
        for param in region.params:
            act.memory.bind(param, act.unseen(param.type))
        way = block(act, region)
        close(act, region)
        return way

    repeated(act, runs(act, "steps", op.span, "the step of `learn`"), once)
    return ""


def repeat(act: Activation, op: Op) -> str:
    """`[Block(D); L]`"""
    region, count = op.regions[0], act.thing(op.args[0])
    block(act, region)
    item = yielded(act, region)[0]
    number = count.type.value if isinstance(count, Host) and isinstance(count.type, Int) else None
    times = number if number is not None else runs(act, "count", op.span, "the submodel")
    act.define(op, Many(act.type(op.results[0].type), item, times))
    return ""


def without_gradients(act: Activation, op: Op) -> str:
    recording, act.recording = act.recording, False
    way = _taken(act, op, op.regions[0])
    act.recording = recording
    return way


def leave(act: Activation, op: Op) -> str:
    if op.code == "return" and act.result is None:
        act.result = act.thing(op.args[0]) if op.args else Host(Void())
    return op.code


CONTROL: dict[str, Callable[[Activation, Op], str]] = {
    "if": branch,
    "and": either_operand,
    "or": either_operand,
    "for": loop,
    "while": while_loop,
    "learn": learn,
    "repeat": repeat,
    "no_grad": without_gradients,
    "return": leave,
    "break": leave,
    "continue": leave,
}
