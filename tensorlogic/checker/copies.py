"""Which of the copies that `owning` asked for are needed: those after which something may write in place while their value is still read.

Time runs through a function in program order; what a loop reads of the values before it is read until the loop ends.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tensorlogic.checker.effects import Effects
from tensorlogic.checker.owning import LENDING, PASSING, VIEWS
from tensorlogic.ir.ir import Function, GlobalRef, Module, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import map_regions, operations, operations_in, values_in
from tensorlogic.types.types import AnyTensor, Bool, Float, Int, List, String, Tensor

REPEATED = frozenset(("for", "while", "learn", "lambda", "repeat"))
CALLS = frozenset(("call", "call_method", "call_value"))
FRESH = frozenset(("binary", "unary", "cast", "tensor", "and", "or", "range", "assert", "guard", "no_grad", "while", "set_index"))
PLAIN = (Tensor, AnyTensor, Int, Float, Bool, String)


def without_idle_copies(module: Module) -> Module:
    if not any(map(_is_implied, operations(module))):
        return module
    main = (module.main,) if module.main else ()
    statements = (module.program, *main, *(test.body for test in module.tests))  # which see the same variables
    effects = Effects(module)
    giving = Giving(module, effects)
    idle: set[Op] = set()
    for regions in (statements, *((m.init,) for m in module.models), *((f.body,) for f in module.functions)):
        copies = [op for op in operations_in(regions) if _is_implied(op)]
        if copies:
            life = Life(effects, giving)
            life.follow(regions)
            idle |= {op for op in copies if not life.is_needed(op)}
    return map_regions(module, lambda region: replace(region, ops=tuple(_without(region.ops, idle))))


def _is_implied(op: Op) -> bool:
    return op.code == "builtin" and "implied" in op.attrs


def _without(ops: Iterable[Op], idle: set[Op]) -> list[Op]:
    """What a copy was made of gets its name, as where none was needed from the first."""
    found: list[Op] = []
    for op in ops:
        source = op.args[0] if op in idle else None
        if source is None:
            found.append(op)
        elif found and found[-1].results == (source,) and not getattr(source, "name", ""):
            found[-1] = replace(found[-1], results=op.results)
        else:
            found.append(Op("copy", op.args, op.results, {}, (), op.span))
    return found


@dataclass(slots=True)
class Life:
    """When the values of a function are made and read last, when something is written in place, and which values may be others or
    hold them. A value that is `kept` lives on out of sight."""

    effects: Effects
    giving: "Giving"
    clock: int = 0
    made: dict[Value, int] = field(default_factory=dict)
    last: dict[Value, int] = field(default_factory=dict)
    writes: list[int] = field(default_factory=list)
    holders: dict[Value, list[Value]] = field(default_factory=dict)
    kept: set[Value] = field(default_factory=set)
    new: set[Value] = field(default_factory=set)  # values in between that are nothing else
    lent: set[Value] = field(default_factory=set)  # which may be a tensor of the file
    loops: list[set[Value]] = field(default_factory=list)  # what each loop around this place reads

    def is_needed(self, op: Op) -> bool:
        copy = op.results[0]
        if op.args[0] in self.new:
            return False
        held = self.holding((copy,))
        end = max(self.last.get(value, 0) for value in held)
        start = self.made[copy]
        return copy.mutable or not self.kept.isdisjoint(held) or bisect_right(self.writes, start) < bisect_right(self.writes, end)

    def holding(self, values: Iterable[Value]) -> set[Value]:
        """The values, and those that may be one of them or have it in them."""
        found = set(values)
        pending = list(found)
        while pending:
            new = [value for value in self.holders.get(pending.pop(), ()) if value not in found]
            found.update(new)
            pending += new
        return found

    def follow(self, regions: Iterable[Region]) -> None:
        for region in regions:
            self.region(region)
            self.kept.update(_values(region.yields))

    def region(self, region: Region) -> None:
        self.define(region.params)
        for op in region.ops:
            self.op(op)
        self.clock += 1
        self.read(region.yields)

    def op(self, op: Op) -> None:
        self.clock += 1
        self.read(op.args)
        if op.code == "for":
            self.hold(op.args, op.regions[0].params)
            self.lent.update(op.regions[0].params if isinstance(op.args[0], GlobalRef) else ())
        if self.effects.writes(op):
            self.writes.append(self.clock)
        if op.code in REPEATED:
            self.repeated(op)
        else:
            for region in op.regions:
                self.region(region)
        self.define(op.results)
        self.flow(op)

    def repeated(self, op: Op) -> None:
        """Regions that run again, or later: in a lambda are the values that it reads."""
        start = self.clock
        self.loops.append(set())
        for region in op.regions:
            self.region(region)
            self.kept.update(_values(region.yields))
        before = {value for value in self.loops.pop() if self.made.get(value, 0) <= start}
        self.read(before)
        if op.code == "lambda":
            self.hold(before, op.results)

    def define(self, values: Iterable[Value]) -> None:
        self.made.update((value, self.clock) for value in values)

    def read(self, operands: Iterable[Operand]) -> None:
        values = _values(operands)
        self.last.update((value, self.clock) for value in values)
        if self.loops:
            self.loops[-1].update(values)

    def flow(self, op: Op) -> None:
        """Which values the results of an operation may be, or hold."""
        operands = self.given_on(op)
        if operands is not None:
            self.hold(operands, op.results)
            if self.is_new(op, operands):
                self.new.update(value for value in op.results if not value.name)
            elif op.code in CALLS or any(isinstance(operand, GlobalRef) for operand in operands):
                self.lent.update(op.results)
        elif op.code not in FRESH and op.code not in ("builtin", "for", "lambda", "learn"):
            self.kept.update(_values(op.args))
        if op.code == "builtin" and op.attrs["name"] == "push":
            self.kept.update(_values(op.args[1:]))

    def is_new(self, op: Op, operands: Iterable[Operand]) -> bool:
        """Whether nothing else has any part of the results, `operands` being what they may be or hold."""
        if op.code in ("call", "call_method"):
            return op.attrs["name"] not in self.giving.names
        return op.code != "call_value" and not _is_builtin(op, LENDING) and self.new.issuperset(operands)

    def given_on(self, op: Op) -> tuple[Operand, ...] | None:
        match op.code:
            case "if":
                return tuple(operand for region in op.regions for operand in region.yields)
            case "call" | "call_method":
                return op.args if op.attrs["name"] in self.giving.names else ()
            case "index":
                return op.args[:1] if _is_view(op) else ()
            case "struct" | "field" | "call_value":
                return op.args
        return op.args if op.code in PASSING or _makes_more(op) else None

    def hold(self, operands: Iterable[Operand], holders: Iterable[Value]) -> None:
        for value in _values(operands):
            self.holders.setdefault(value, []).extend(holders)


def _is_builtin(op: Op, names: frozenset[str]) -> bool:
    return op.code == "builtin" and op.attrs["name"] in names


def _makes_more(op: Op) -> bool:
    """Builtins that give a tensor they were given, or put it into something."""
    plain = all(isinstance(value.type, PLAIN) for value in op.results)
    return _is_builtin(op, VIEWS | LENDING) or (op.code == "builtin" and not plain)


def _is_view(op: Op) -> bool:
    """Indexing with tensors makes new ones."""
    return op.code != "index" or not any(isinstance(getattr(arg, "type", None), Tensor | List | AnyTensor) for arg in op.args[1:])


def _values(operands: Iterable[Operand]) -> list[Value]:
    return [value for value in values_in(operands) if isinstance(value, Value)]


class Giving:
    """The `names` of functions whose result may be, or hold, what they were given. Those of the library give nothing of it."""

    def __init__(self, module: Module, effects: Effects):
        functions = {function.name: function for function in module.functions}
        self.effects = effects
        self.names: set[str] = set()
        pending = list(functions)
        while pending:
            name = pending.pop()
            if name in functions and name not in self.names and self._gives(functions[name]):
                self.names.add(name)
                pending += effects.callers.get(name, ())

    def _gives(self, function: Function) -> bool:
        life = Life(self.effects, self)
        life.define(function.params)
        life.follow((function.body,))
        results = tuple(_results(function.body))
        receiver = () if function.receiver is None else (function.receiver,)
        held = life.holding((*function.params, *receiver, *life.lent))
        return not held.isdisjoint(_values(results)) or any(isinstance(operand, GlobalRef) for operand in results)


def _results(body: Region) -> Iterator[Operand]:
    yield from body.yields
    for op in operations_in((body,)):
        if op.code == "return":
            yield from op.args
