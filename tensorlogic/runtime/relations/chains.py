"""Rules whose bodies are paths from one variable of the head to the other, as products of Boolean matrices that whole rounds work on.

sg(x, y) <- up(x, a), sg(a, b), up(y, b)        is        SG = UP SG UP^T
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

import torch

from tensorlogic.runtime.relations.bits import Bits, product
from tensorlogic.runtime.relations.grid import Grid, Side
from tensorlogic.runtime.relations.memory import available
from tensorlogic.runtime.relations.table import Chunk, Table
from tensorlogic.runtime.relations.terms import Atom, Rule

if TYPE_CHECKING:
    from tensorlogic.runtime.relations.engine import Engine

LEAST = 1000  # new rows of a round below which joins are quick in any case
SHARE = 32  # words of the matrices for each of them, up to which whole rows are quicker
COPIES = 6  # of the matrices that a round may hold
Delta = Mapping[str, list[Chunk]]
End = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Link:
    """A relation on the way, `turned` where it is read from its second column to its first."""

    relation: str
    turned: bool

    def ends(self) -> tuple[End, End]:
        first, second = (self.relation, 0), (self.relation, 1)
        return (second, first) if self.turned else (first, second)


Chain = tuple[Link, ...]


def chain_of(rule: Rule) -> Chain | None:
    """The body as a path that uses each atom once; None where it is none."""
    atoms = [literal for literal in rule.body if isinstance(literal, Atom)]
    pairs = (rule.head, *atoms)
    if len(atoms) < len(rule.body) or any(len(p.terms) != 2 or p.terms[0] == p.terms[1] or len(p.variables()) != 2 for p in pairs):
        return None
    at, goal = rule.head.terms
    links: list[Link] = []
    while atoms and at != goal:
        here = [atom for atom in atoms if at in atom.terms]
        if len(here) != 1:
            return None
        atoms.remove(here[0])
        turned = here[0].terms[1] == at
        links.append(Link(here[0].relation, turned))
        at = here[0].terms[0 if turned else 1]
    return tuple(links) if at == goal and not atoms else None


@dataclass(slots=True)
class Plan:
    """The recursive rules of a component, all of them chains. `sides` are the values that stand at each end of each relation."""

    chains: tuple[tuple[str, Chain], ...]
    heads: tuple[str, ...]
    refused: bool = False
    sides: dict[End, Side] = field(default_factory=dict)
    given: dict[str, Bits] = field(default_factory=dict)

    def is_better(self, engine: "Engine", delta: Delta) -> bool:
        """Whether a round over whole matrices costs less than one that joins the rows of `delta`."""
        count = sum(chunk.count for chunks in delta.values() for chunk in chunks)
        if self.refused or count < LEAST:
            return False
        if not self.sides:
            self.sides = _sides(engine, self.chains)
        words = sum(len(self.sides[name, 0].values) * -(-len(self.sides[name, 1].values) // 64) for name in self.heads)
        self.refused = 8 * COPIES * words > available(engine.device) // 2
        return not self.refused and words <= SHARE * count

    def run(self, engine: "Engine", delta: Delta) -> None:
        """Rounds until nothing is new; the relations are kept as matrices."""
        names = {link.relation for _, chain in self.chains for link in chain} | set(self.heads)
        self.given = {name: self._bits(name, engine.tables[name].rows()) for name in names}
        new = {name: self._whole(name, chunks) for name, chunks in delta.items() if chunks}
        while new:
            found: dict[str, Bits] = {}
            for head, chain in self.chains:
                for part in self._parts(chain, new):
                    found[head] = part if head not in found else found[head].union(part)
            new = {name: more for name, part in found.items() if (more := part.without(self.given[name]))}
            for name, more in new.items():
                self.given[name] = self.given[name].grown(more)
        for name in self.heads:
            grid = Grid(self.sides[name, 0], self.sides[name, 1], self.given[name])
            engine.tables[name] = Table.drawn(grid, engine.device)

    def _bits(self, name: str, chunk: Chunk) -> Bits:
        sides = self.sides[name, 0], self.sides[name, 1]
        left, right = (side.numbers(column) for side, column in zip(sides, chunk.columns, strict=True))
        return Bits.of(left, right, *(len(side.values) for side in sides))

    def _whole(self, name: str, chunks: list[Chunk]) -> Bits:
        return reduce(Bits.union, (self._bits(name, chunk) for chunk in chunks))

    def _parts(self, chain: Chain, new: Mapping[str, Bits]) -> Iterator[Bits]:
        """The product of a chain with what is new at each of its places, and with everything at the others."""
        for place, link in enumerate(chain):
            if link.relation in new:
                yield self._product(chain, place, _turned(new[link.relation], link))

    def _product(self, chain: Chain, place: int, found: Bits) -> Bits:
        """From the new part outwards, where fewer pairs are met first."""
        matrices = [_turned(self.given[link.relation], link) for link in chain]
        before, behind = matrices[:place], matrices[place + 1 :]
        while before or behind:
            if not behind or (before and before[-1].count < behind[0].count):
                found = product(before.pop(), found)
            else:
                found = product(found, behind.pop(0))
        return found


def _turned(bits: Bits, link: Link) -> Bits:
    return bits.turned() if link.turned else bits


def plan_of(engine: "Engine", component: tuple[str, ...], rules: list[Rule]) -> Plan | None:
    """The plan where every recursive rule is a chain. Words of bits are a CPU's."""
    chains = [(rule.head.relation, chain_of(rule)) for rule in rules]
    if engine.device.type != "cpu" or any(chain is None for _, chain in chains):
        return None
    if any(len(engine.relations[name].columns) != 2 for name in component):
        return None
    return Plan(tuple((head, chain) for head, chain in chains if chain is not None), component)


def _sides(engine: "Engine", chains: tuple[tuple[str, Chain], ...]) -> dict[End, Side]:
    """Ends that meet in a variable share their values."""
    group: dict[End, set[End]] = {}
    for head, chain in chains:
        ends = [link.ends() for link in chain]
        meets = [((head, 0), ends[0][0]), (ends[-1][1], (head, 1)), *((a[1], b[0]) for a, b in zip(ends, ends[1:], strict=False))]
        for one, other in meets:
            both = group.get(one, {one}) | group.get(other, {other})
            group.update(dict.fromkeys(both, both))
    found: dict[End, Side] = {}
    none = torch.zeros(0, dtype=torch.int64, device=engine.device)
    for end, ends_ in group.items():
        if end not in found:
            side = Side.of([none, *(chunk.columns[at] for name, at in ends_ for chunk in engine.chunks(name))])
            found.update(dict.fromkeys(ends_, side))
    return found
