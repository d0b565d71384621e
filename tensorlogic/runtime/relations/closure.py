"""Transitive closures, by components and whole rows of bits or by squaring matrices, where that costs less than joins do."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from tensorlogic.runtime.relations.bits import Bits, product
from tensorlogic.runtime.relations.chains import Delta, chain_of
from tensorlogic.runtime.relations.condensed import Reach, closed
from tensorlogic.runtime.relations.grid import Grid, Side
from tensorlogic.runtime.relations.memory import available, require
from tensorlogic.runtime.relations.table import Chunk, Table
from tensorlogic.runtime.relations.terms import Atom, Rule, relations_of

if TYPE_CHECKING:
    from tensorlogic.runtime.relations.engine import Engine

LARGEST = 40_000  # nodes: more make no matrix
FREE = 4e-3  # seconds that are always worth it
EDGE = 1.5e-6  # seconds for an edge of a closure
NODE = 4e-6  # ... for a node
SPREADS = 1.5  # edges for each node from which on a closure is taken to reach most pairs
ROW = 3e-8  # seconds that a join takes for a row, about


@dataclass(slots=True)
class Plan:
    """`name` is the closure; `step` the relation that goes on from what is known (`name` itself in the double form), at its `right` or
    `left` end. `begun` is when the joins began."""

    name: str
    step: str
    side: str  # right, left, both
    nodes: int | None = None
    refused: bool = False
    begun: float = field(default_factory=perf_counter)

    def is_better(self, engine: "Engine", delta: Delta) -> bool:
        """Whether the closure now costs less than what the joins have cost already, or will cost."""
        if self.refused:
            return False
        edges = engine.size(Atom(self.step, ()))
        if self.nodes is None:
            self.nodes = len(Side.of(_ends(engine, self.name, self.step)).values)
        if self.nodes > LARGEST or 3 * self.nodes**2 // 8 > available(engine.device) // 2:
            self.refused = True
            return False
        spread = edges / max(self.nodes, 1)
        joins = spread * self.nodes**2 * ROW if spread > SPREADS else 0.0
        return EDGE * edges + NODE * self.nodes < max(FREE, joins, perf_counter() - self.begun)

    def run(self, engine: "Engine", delta: Delta) -> None:
        """The closure, kept as a matrix between components."""
        require(3 * (self.nodes or 0) ** 2 // 8, lambda: f"a closure over {self.nodes:,} nodes", engine.device)
        step, start = (engine.tables[name].rows() for name in (self.step, self.name))
        engine.tables[self.name] = Table.drawn(self._grid(step, start, self.side == "both" or self._same(engine)), engine.device)

    def _grid(self, step: Chunk, start: Chunk, same: bool) -> Grid:
        """`same` says that the closure begins with all of its steps."""
        ends = slice(None, None, -1) if self.side == "left" else slice(None)
        step_columns, start_columns = step.columns[ends], start.columns[ends]
        nodes = Side.of((*step_columns, start_columns[1]))
        left, right = (nodes.numbers(column) for column in step_columns)
        found = closed(left, right, len(nodes.values), nodes.values.device)
        groups = Side.grouped(nodes.values, found.label, found.reach.rows)
        if same:
            grid = Grid(groups, groups, found.reach)
        else:
            first = Side.of(start_columns[:1])
            grid = Grid(first, groups, _continued(found, first.numbers(start_columns[0]), nodes.numbers(start_columns[1]), first))
        return grid if self.side != "left" else Grid(grid.right, grid.left, grid.bits.turned())

    def _same(self, engine: "Engine") -> bool:
        """Whether what the closure began with is its step: then it is the step's own closure."""
        facts = engine.facts.get(self.name)
        begins = [r for r in engine.rules[self.name] if self.name not in dict(relations_of(r.body))]
        return (facts is None or not facts.count) and all(_is_copy(rule, self.step) for rule in begins)


def _is_copy(rule: Rule, step: str) -> bool:
    """`p(x, y) <- step(x, y)`"""
    atom = rule.body[0] if len(rule.body) == 1 else None
    return isinstance(atom, Atom) and atom.relation == step and atom.terms == rule.head.terms and len(set(atom.terms)) == 2


def plan_of(engine: "Engine", component: tuple[str, ...], rules: list[Rule]) -> Plan | None:
    """The plan for a component that is one closure: `p(x, z) <- p(x, y), q(y, z)`, in any of its three forms."""
    chain = chain_of(rules[0]) if len(component) == len(rules) == 1 else None
    name = component[0]
    if chain is None or len(chain) != 2 or any(link.turned for link in chain) or len(set(engine.relations[name].columns)) != 1:
        return None
    match tuple(link.relation for link in chain):
        case first, second if first == second == name:
            return Plan(name, name, "both")
        case first, second if first == name:
            return Plan(name, second, "right")
        case first, _:
            return Plan(name, first, "left")


def _ends(engine: "Engine", *names: str) -> list[Tensor]:
    """The columns of relations."""
    return [column for name in dict.fromkeys(names) for chunk in engine.chunks(name) for column in chunk.columns]


def _continued(found: Reach, left: np.ndarray, right: np.ndarray, first: Side) -> Bits:
    """What is reached from pairs (left, right): the right end itself, and all that it reaches."""
    count = found.reach.rows
    label = found.label[right]
    pairs = Bits.of(left, label, len(first.values), count)
    own = np.arange(count)
    reach = Bits(found.reach.words | Bits.of(own, own, count, count).words, count)
    return product(pairs, reach)
