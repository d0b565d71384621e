"""Transitive closures as products of dense Boolean matrices: repeated squaring, where that is valid and costs less than joins do."""

from dataclasses import dataclass, field
from math import ceil, log2
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tensorlogic.runtime.relations.machine import dtype_of, rate
from tensorlogic.runtime.relations.memory import available, require
from tensorlogic.runtime.relations.table import Table
from tensorlogic.runtime.relations.terms import Atom, Rule, relations_of

if TYPE_CHECKING:
    from tensorlogic.runtime.relations.engine import Engine

LARGEST = 40_000  # nodes: more make no matrix
FREE = 2e-3  # seconds that are always worth it
SPREADS = 1.5  # edges for each node from which on a closure is taken to reach most pairs
ROW = 3e-8  # seconds that a join takes for a row, about
STEPS = 4  # squarings that a closure is taken to need


@dataclass(slots=True)
class Plan:
    """`name` is the closure; `step` the relation that goes on from what is known (`name` itself in the double form), at its `right` or
    `left` end. `begun` is when the joins began."""

    name: str
    step: str
    side: str  # right, left, both
    nodes: Tensor | None = None
    refused: bool = False
    begun: float = field(default_factory=perf_counter)

    def is_better(self, engine: "Engine") -> bool:
        """Whether the matrix product now costs less than what the joins have cost already."""
        if self.refused:
            return False
        if self.nodes is None:
            self.nodes = _nodes(engine, self.name, self.step)
        count = len(self.nodes)
        if count > LARGEST or 3 * dtype_of(engine.device).itemsize * count * count > available(engine.device) // 2:
            self.refused = True
            return False
        seconds = STEPS * 2 * count**3 / rate(engine.device)
        spread = engine.size(Atom(self.step, ())) / max(count, 1)
        joins = spread * count * count * ROW if spread > SPREADS else 0.0
        return seconds < max(FREE, joins, perf_counter() - self.begun)

    def run(self, engine: "Engine") -> None:
        """The closure, kept as a matrix."""
        assert self.nodes is not None
        nodes, device = self.nodes, engine.device
        count = len(nodes)
        require(3 * dtype_of(device).itemsize * count * count, lambda: f"a closure over {count:,} nodes", device)
        start = _matrix(engine, self.name, nodes)
        if self.side == "both":
            engine.tables[self.name] = _dense(nodes, squared(start), device)
            return
        reach = squared(_matrix(engine, self.step, nodes))
        known = start > 0
        if torch.equal(reach > 0, known) or self._same(engine):
            engine.tables[self.name] = _dense(nodes, reach, device)
            return
        more = start @ reach if self.side == "right" else reach @ start
        engine.tables[self.name] = _dense(nodes, (more > 0) | known, device)

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
    if len(component) != 1 or len(rules) != 1:
        return None
    name, rule = component[0], rules[0]
    columns = engine.relations[name].columns
    if len(columns) != 2 or columns[0] != columns[1] or len(rule.body) != 2:
        return None
    first, second = rule.body
    if not isinstance(first, Atom) or not isinstance(second, Atom) or len(first.terms) != 2 or len(second.terms) != 2:
        return None
    x, z = rule.head.terms
    y = second.terms[0]
    if first.terms != (x, y) or second.terms != (y, z) or len({x, y, z}) != 3 or not all(isinstance(v, str) for v in (x, y, z)):
        return None
    match first.relation == name, second.relation == name:
        case True, True:
            return Plan(name, name, "both")
        case True, False:
            return Plan(name, second.relation, "right")
        case False, True:
            return Plan(name, first.relation, "left")
    return None


def _nodes(engine: "Engine", *names: str) -> Tensor:
    columns = [column for name in dict.fromkeys(names) for chunk in engine.chunks(name) for column in chunk.columns]
    return torch.unique(torch.cat(columns)) if columns else torch.zeros(0, dtype=torch.int64, device=engine.device)


def _matrix(engine: "Engine", name: str, nodes: Tensor) -> Tensor:
    """The relation as a matrix of 0 and 1 in the dtype that multiplies fastest."""
    found = torch.zeros(len(nodes), len(nodes), dtype=dtype_of(engine.device), device=engine.device)
    for chunk in engine.chunks(name):
        left, right = (torch.searchsorted(nodes, column) for column in chunk.columns)
        found[left, right] = 1
    return found


def squared(matrix: Tensor) -> Tensor:
    """The transitive closure, as 0 and 1: paths of at most 2, 4, 8 ... steps, until no squaring adds any.

    Sums of ones never round to 0 nor below 1, in any float type.
    """
    count = _ones(matrix)
    for _ in range(ceil(log2(max(len(matrix), 2))) + 1):
        matrix = torch.addmm(matrix, matrix, matrix).clamp_(max=1)
        more = _ones(matrix)
        if more in (count, matrix.numel()):
            break
        count = more
    return matrix


def _ones(matrix: Tensor) -> int:
    """How many ones there are; a row has fewer than float32 counts exactly."""
    return int(matrix.sum(1, dtype=torch.float32).to(torch.int64).sum())


def _dense(nodes: Tensor, pairs: Tensor, device: torch.device) -> Table:
    table = Table(2, device)
    table.dense = (nodes, pairs if pairs.dtype == torch.bool else pairs > 0)
    return table
