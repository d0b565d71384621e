"""What the activations of one program share: its declarations, its models, summaries that are known already, and remarks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tensorlogic.cost.tally import Summary
from tensorlogic.cost.values import Host, Instance, Thing, fresh
from tensorlogic.ir.ir import Const, Function, Global, Model, Module, Region
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import ModelOf

DEEPEST = 120  # calls and blocks in each other
MOST_OPERATIONS = 500_000  # of a file; a large model has some thousands


@dataclass
class Budget:
    """How many operations may still be followed."""

    left: int = MOST_OPERATIONS


class TooLarge(Exception):
    """The program is larger than what is followed; the message says in which way."""


@record
class Remark:
    """Something that the numbers do not say, and where it is."""

    text: str
    span: Span | None


@dataclass
class Program:
    """`make(program, type, arguments, span)` makes a model; `follow(activation, region)` follows operations, `repeat` does something many
    times."""

    module: Module
    make: Callable[["Program", ModelOf, Mapping[str, Thing], Span | None], Instance]
    follow: Callable[[Any, Region], str]
    repeat: Callable[[Any, Dim, Callable[[], str]], None]
    sizes: Mapping[str, Dim] = field(default_factory=dict)  # those that are given
    known: dict[object, Summary] = field(default_factory=dict)
    remarks: dict[Remark, None] = field(default_factory=dict)
    factors: dict[str, str] = field(default_factory=dict)  # what stands for a number that nobody knows, and what it is
    calling: list[Function] = field(default_factory=list)
    made: list[Instance] = field(default_factory=list)
    depth: int = 0
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        self.functions: dict[str, Function] = {f.name: f for f in self.module.functions}
        self.models: dict[str, Model] = {m.name: m for m in self.module.models}
        self.globals = {g.name: _global(g) for g in self.module.globals}
        self.instances: dict[ModelOf, Instance] = {}

    def instance_of(self, type_: ModelOf) -> Instance:
        """A model of which only the type is known."""
        if type_ not in self.instances:
            self.instances[type_] = self.make(self, type_, {}, None)
        return self.instances[type_]

    def remark(self, text: str, span: Span | None) -> None:
        self.remarks.setdefault(Remark(text, span))

    def factor(self, kind: str, span: Span | None, words: str) -> Dim:
        """A number that nobody knows, by a name of its own: `loop_12` is how often the loop of line 12 runs."""
        name = f"{kind}_{span.line if span else 0}"
        self.factors[name] = words
        return self.sizes.get(name, Dim.sym(name))

    def step(self) -> None:
        self.budget.left -= 1
        if self.budget.left < 0:
            raise TooLarge(f"more than {MOST_OPERATIONS:,} operations to follow")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooLarge(f"calls and blocks nest deeper than {DEEPEST}")

    def leave(self) -> None:
        self.depth -= 1


def _global(item: Global) -> Thing:
    if isinstance(item.value, Const):
        return Host(item.type, item.value.value)
    return fresh(item.type, item.span, fixed=True, grad=item.learnable or item.kind == "param")
