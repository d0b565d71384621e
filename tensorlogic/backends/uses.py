"""Where the values of a function are defined and read, which decides what is written in line and which names can be used again."""

from dataclasses import dataclass, field

from tensorlogic.ir.ir import Op, Operand, Region, Value
from tensorlogic.ir.rewrite import values_in
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Tensor

FOREVER = 1 << 60
LOOPS = frozenset(("for", "while"))
FUNCTIONS = frozenset(("lambda", "learn"))  # their regions are functions of their own


@dataclass(slots=True)
class Uses:
    """`count`: reads of a value. `first`, `last`: the times between which it is needed; times grow in program order.

    `owner` is the lambda a value belongs to (None: the function itself), `captured` what each lambda reads from outside it,
    `loops` the innermost loop a value is defined in, `outside` the names of functions, globals and structs that are read.
    """

    count: dict[Value, int] = field(default_factory=dict)
    first: dict[Value, int] = field(default_factory=dict)
    last: dict[Value, int] = field(default_factory=dict)
    owner: dict[Value, Op | None] = field(default_factory=dict)
    captured: dict[object, dict[Value, None]] = field(default_factory=dict)
    assigned: dict[object, dict[Value, None]] = field(default_factory=dict)
    loop: dict[Value, Op | None] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    written: set[Value] = field(default_factory=set)  # by `assign`


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the regions of a loop or a lambda."""

    op: Op


def size_bindings(op: Op) -> dict[str, Value]:
    """The values of the sizes that the type of a `check_type` speaks of, by name."""
    bindings, wanted = op.attrs.get("bindings", {}), op.attrs["type"]
    assert isinstance(bindings, dict)
    shape = wanted.shape if isinstance(wanted, Tensor) else ()
    names = {name for item in shape if isinstance(item, Dim) for name in item.symbols()}
    return {name: value for name, value in bindings.items() if name in names}


class _Walk:
    """One pass over the operations, with a stack of its own because programs may nest deeply."""

    def __init__(self) -> None:
        self.uses = Uses()
        self.clock = 0
        self.lambdas: list[Op | None] = [None]
        self.loops: list[tuple[Op, int, dict[Value, None]]] = []

    def region(self, region: Region) -> None:
        stack: list[object] = [region]
        while stack:
            match stack.pop():
                case Region(params, ops, yields):
                    self.define(params)
                    stack += (yields, *reversed(ops))
                case Op() as op:
                    self.op(op)
                    stack += (*([_End(op)] if op.code in LOOPS or op.code in FUNCTIONS else ()), *reversed(op.regions))
                case _End(op):
                    self.end(op)
                case tuple() as yields:
                    self.clock += 1
                    self.read(yields)

    def op(self, op: Op) -> None:
        self.clock += 1
        self.read(op.args)
        self.define(op.results)
        match op.code:
            case "call" | "struct" | "set_global" | "model":
                self.uses.outside.add(str(op.attrs["name"]))
            case "assign":
                self.write(op.attrs["target"])
            case "check_type":
                self.read(tuple(size_bindings(op).values()))
            case "lambda" | "learn":
                self.lambdas.append(op)
            case "for" | "while":
                self.loops.append((op, self.clock, {}))

    def define(self, values: tuple[Value, ...]) -> None:
        for value in values:
            self.uses.first[value] = self.uses.last[value] = self.clock
            self.uses.count.setdefault(value, 0)
            self.uses.owner[value] = self.lambdas[-1]
            self.uses.loop[value] = self.loops[-1][0] if self.loops else None

    def read(self, operands: tuple[Operand, ...]) -> None:
        for operand in values_in(operands):
            if isinstance(operand, Value):
                self.uses.count[operand] = self.uses.count.get(operand, 0) + 1
                self.touch(operand)
            else:
                self.uses.outside.add(operand.name)

    def write(self, target: object) -> None:
        assert isinstance(target, Value)
        self.uses.count.setdefault(target, 0)
        self.uses.written.add(target)
        self.uses.assigned.setdefault(self.lambdas[-1], {})[target] = None
        self.touch(target)

    def touch(self, value: Value) -> None:
        self.uses.last[value] = max(self.uses.last.get(value, 0), self.clock)
        if value not in self.uses.owner:
            return  # a variable of the file
        for owner in reversed(self.lambdas):
            if owner is self.uses.owner[value]:
                break
            self.uses.captured.setdefault(owner, {})[value] = None
            self.uses.last[value] = FOREVER
        if self.loops:
            self.loops[-1][2][value] = None

    def end(self, op: Op) -> None:
        if op.code in FUNCTIONS:
            self.lambdas.pop()
            return
        _, start, touched = self.loops.pop()
        for value in touched:
            if self.uses.first[value] <= start:
                self.uses.last[value] = max(self.uses.last[value], self.clock)
                if self.loops:
                    self.loops[-1][2][value] = None


def analyse(params: tuple[Value, ...], *regions: Region) -> Uses:
    walk = _Walk()
    walk.define(params)
    for region in regions:
        walk.region(region)
    return walk.uses
