"""One activation of a function: what its values are, which memory is in use, and what has been spent so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tensorlogic.cost.formula import covers, foremost, total
from tensorlogic.cost.program import Program
from tensorlogic.cost.tally import Summary, Tally, Totals
from tensorlogic.cost.values import Array, Closure, Host, Storage, Thing, arrays, fresh, moved
from tensorlogic.ir.ir import Const, FnRef, GlobalRef, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import operations_in, values_in
from tensorlogic.source import Span
from tensorlogic.types.dims import ZERO, Dim
from tensorlogic.types.types import ModelOf, Type
from tensorlogic.types.unify import Bindings, substitute


@dataclass(slots=True)
class Memory:
    """What the values of an activation are, how many hold each piece of memory, and the bytes in use."""

    things: dict[Value, Thing] = field(default_factory=dict)
    holders: dict[Storage, int] = field(default_factory=dict)
    live: Dim = ZERO

    def copy(self) -> "Memory":
        return Memory(dict(self.things), dict(self.holders), self.live)

    def bind(self, value: Value, thing: Thing) -> None:
        for array in arrays(thing):
            self.holders[array.storage] = held = self.holders.get(array.storage, 0) + 1
            if held == 1 and not array.storage.fixed:
                self.live = self.live + array.storage.bytes
        self.drop(value)
        self.things[value] = thing

    def drop(self, value: Value) -> None:
        """Memory that nothing else holds is free again."""
        for array in arrays(self.things.pop(value, Host(Bindings))):  # type: ignore[arg-type]
            self.holders[array.storage] -= 1
            if not self.holders[array.storage] and not array.storage.fixed:
                self.live = self.live - array.storage.bytes


@dataclass
class Activation:
    """Follows the operations of one function. `bound` says what the sizes in its types are at this call."""

    program: Program
    bound: Bindings
    memory: Memory = field(default_factory=Memory)
    tally: Tally = field(default_factory=Tally)
    peaks: tuple[Dim, ...] = (ZERO,)
    largest: list[Storage] = field(default_factory=list)
    saved: set[Storage] = field(default_factory=set)
    recording: bool = True  # whether gradients are wanted here
    others: list[Tally] = field(default_factory=list)  # of ways that have returned already
    result: Thing | None = None
    loops: int = 0  # around the operation

    # --- values ---

    def type(self, type_: Type) -> Type:
        return substitute(type_, self.bound, keep_open=True)

    def thing(self, operand: Operand) -> Thing:
        """What an operand is; what was never seen (a variable of the file) is a new value of its type."""
        match operand:
            case Value():
                known = self.memory.things.get(operand)
                return known if known is not None else self.unseen(operand.type)
            case Const(value, type_):
                return Host(self.type(type_), value)
            case FnRef(name, type_):
                return Closure(type_, None, None, name)
            case GlobalRef(name):
                return self.program.globals[name]
        return Host(Type) if operand is None else Host(getattr(operand, "type", None))  # type: ignore[arg-type]

    def unseen(self, type_: Type) -> Thing:
        type_ = self.type(type_)
        return self.program.instance_of(type_) if isinstance(type_, ModelOf) else fresh(type_, None, fixed=True, grad=True)

    def define(self, op: Op, *things: Thing) -> None:
        """The results of an operation; what nothing reads is gone at once."""
        for value, thing in zip(op.results, things, strict=True):
            self.memory.bind(value, thing)
        self.see(self.memory.live)

    def made(self, type_: Type, span: Span | None, grad: bool = False) -> Thing:
        """A new value; a tensor lies in memory of its own."""
        thing = fresh(self.type(type_), span, grad=grad and self.recording)
        for array in arrays(thing):
            self.consider(array.storage)
        return thing

    # --- memory ---

    def see(self, live: Dim) -> None:
        """Takes note of how much is in use."""
        if not any(covers(peak, live) for peak in self.peaks):
            self.peaks = foremost((*self.peaks, live))

    def consider(self, storage: Storage) -> None:
        if storage.fixed or any(covers(other.bytes, storage.bytes) for other in self.largest):
            return
        self.largest = [other for other in self.largest if not covers(storage.bytes, other.bytes)] + [storage]

    def save(self, things: Iterable[Array]) -> None:
        """The gradient needs these."""
        for array in things:
            if array.storage not in self.saved:
                self.saved.add(array.storage)
                if not array.storage.fixed:
                    self.tally.kept = self.tally.kept + array.storage.bytes

    def spend(self, totals: Totals) -> None:
        self.tally.totals = self.tally.totals.plus(totals)

    # --- calls ---

    def apply(self, summary: Summary, given: tuple[Storage, ...], span: Span | None, times: Dim | None = None) -> Thing:
        """A call with this summary happens here, with the memory of its arguments. Gives its result."""
        self.tally.add(summary.tally, *(() if times is None else (times,)))
        for peak in summary.peaks:
            self.see(self.memory.live + peak)
        for storage in summary.largest:
            self.consider(storage)
        table = dict(zip(summary.storages, given, strict=True))
        for array in arrays(summary.result):
            if array.storage not in table:
                kept = array.storage
                table[kept] = kept if kept.fixed else Storage(kept.type, kept.span)
        self.save(Array(s.type, table[s]) for s in summary.saved if s in table)
        return moved(summary.result, table)

    def summary(self, storages: tuple[Storage, ...], result: Thing) -> Summary:
        """What this activation has come to, for those that call it. The memory of its result is no longer its own."""
        tally = self.tally
        for other in self.others:
            tally = tally.most(other)
        outside = {array.storage for array in arrays(result)} | set(storages)
        own = total(s.bytes for s in self.saved & outside if not s.fixed)
        tally = replace(tally, kept=tally.kept - own) if own.terms else tally
        return Summary(tally, self.peaks, tuple(self.largest), storages, frozenset(self.saved & outside), result)


def last_reads(region: Region) -> list[tuple[Value, ...]]:
    """For each operation the values of the region that are gone behind it: those that only the operation next to their own reads. In the
    Python that this becomes they stand in line; all others are variables, which live as long as their function."""
    made = {value: at for at, op in enumerate(region.ops) for value in op.results}
    own = dict(made)
    for at, op in enumerate(region.ops):
        for value in _read_by(op):
            if value in own:
                own[value] = at if op.code != "lambda" else len(region.ops)  # which holds what it sees
    kept = {value for value in values_in(region.yields) if isinstance(value, Value)}
    found: list[list[Value]] = [[] for _ in region.ops]
    for value, at in own.items():
        if not value.name and value not in kept and at <= made[value] + 1:
            found[at].append(value)
    return [tuple(values) for values in found]


def _read_by(op: Op) -> Iterable[Value]:
    yield from (value for value in values_in(op.args) if isinstance(value, Value))
    for region in op.regions:
        yield from (value for value in values_in(region.yields) if isinstance(value, Value))
    for inner in operations_in(op.regions):
        yield from (value for value in values_in(inner.args) if isinstance(value, Value))
        for region in inner.regions:
            yield from (value for value in values_in(region.yields) if isinstance(value, Value))
