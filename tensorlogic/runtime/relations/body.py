"""The body of a rule, evaluated column by column: joins, filters, negation, comparisons, arithmetic. No loop goes over rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tensorlogic.runtime.relations import numbers, products
from tensorlogic.runtime.relations.arrays import chosen, places
from tensorlogic.runtime.relations.domain import Domain
from tensorlogic.runtime.relations.keys import Columns, distinct
from tensorlogic.runtime.relations.memory import require
from tensorlogic.runtime.relations.order import Step
from tensorlogic.runtime.relations.table import Chunk
from tensorlogic.runtime.relations.terms import Aggregate, Atom, Compare, Known, Not

BLOCK = 1 << 24  # rows that one join makes at a time
Source = Callable[[int, Atom], list[Chunk]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Values of the variables so far: `count` rows."""

    columns: dict[str, Tensor]
    count: int
    weight: Tensor | None = None

    def taken(self, rows: Tensor, count: int) -> "Frame":
        columns = {name: column.index_select(0, rows) for name, column in self.columns.items()}
        return Frame(columns, count, None if self.weight is None else self.weight.index_select(0, rows))

    def only(self, names: frozenset[str]) -> "Frame":
        return replace(self, columns={name: column for name, column in self.columns.items() if name in names})

    def where(self, good: Tensor) -> "Frame":
        rows = places(good)
        return self if len(rows) == self.count else self.taken(rows, len(rows))


UNIT = Frame({}, 1)


@dataclass(frozen=True, slots=True)
class Body:
    """What evaluation needs to know: the types of the variables, where atoms find their rows, how weights join, what aggregates gave."""

    domain: Domain
    types: dict[str, str]
    source: Source
    device: torch.device
    columns_of: Callable[[str], tuple[str, ...]]
    aggregate: Callable[[Aggregate, frozenset[str]], tuple[tuple[str, ...], Chunk]]
    weigh: Callable[[Tensor | None, Tensor | None], Tensor | None] | None = None

    def run(self, steps: tuple[Step, ...], frame: Frame = UNIT) -> Iterator[Frame]:
        """The rows that the steps leave, in blocks."""
        pending = [(0, frame)]
        while pending:
            at, frame = pending.pop()
            if not frame.count:
                continue
            if at == len(steps):
                yield frame
                continue
            pending.extend((at + 1, self._kept(steps[at], part)) for part in self._step(steps, at, frame))

    def _kept(self, step: Step, frame: Frame) -> Frame:
        """Without variables that nothing reads any more; rows that are then equal are one, where that is cheap to find out."""
        kept = frame.only(step.keep)
        if self.weigh is not None or len(kept.columns) == len(frame.columns) or frame.count < 1024 or not kept.columns:
            return kept
        names = tuple(kept.columns)
        columns = tuple(kept.columns[name] for name in names)
        space = 1
        for column in columns:
            low, high = (int(value) for value in torch.aminmax(column))
            space *= high - low + 1
        if space > 2 * kept.count:
            return kept
        columns = distinct(columns)
        return Frame(dict(zip(names, columns, strict=True)), len(columns[0]))

    def _step(self, steps: tuple[Step, ...], at: int, frame: Frame) -> Iterator[Frame]:
        step = steps[at]
        match step.literal:
            case Atom() as atom:
                yield from self._atom(step.place, atom, frame, step.keep)
            case Not(atom):
                yield self._absent(step.place, atom, frame)
            case Compare() as compare:
                yield self._compare(compare, frame)
            case Aggregate() as aggregate:
                yield from self._aggregate(aggregate, frame, step.keep)

    # --- atoms ------------------------------------------------------------------------------------------------------

    def _fixed(self, terms: tuple, types: tuple[str, ...], frame: Frame) -> tuple[tuple[int, ...], Columns] | None:
        """The places of an atom that have a value, and the values; None where a constant is a value that nothing has."""
        places: list[int] = []
        wanted: list[Tensor] = []
        for place, term in enumerate(terms):
            if isinstance(term, Known):
                code = self.domain.find(types[place], term.value)
                if code is None:
                    return None
                places.append(place)
                wanted.append(torch.full((frame.count,), code, dtype=torch.int64, device=self.device))
            elif term is not None and term in frame.columns:
                places.append(place)
                wanted.append(frame.columns[term])
        return tuple(places), tuple(wanted)

    def _atom(self, place: int, atom: Atom, frame: Frame, keep: frozenset[str]) -> Iterator[Frame]:
        fixed = self._fixed(atom.terms, self.columns_of(atom.relation), frame)
        if fixed is None:
            return
        new = {name: at for at, name in reversed(tuple(enumerate(atom.terms))) if isinstance(name, str) and name not in frame.columns}
        repeated = [(at, new[name]) for at, name in enumerate(atom.terms) if name in new and new[name] != at]  # type: ignore[index]
        for chunk in self.source(place, atom):
            yield from self._join(chunk, fixed, new, repeated, frame, keep)

    def _join(self, chunk: Chunk, fixed, new: dict[str, int], repeated, frame: Frame, keep: frozenset[str]) -> Iterator[Frame]:
        places, wanted = fixed
        if not chunk.count:
            return
        chunk, places, new, repeated = self._narrow(chunk, places, new, repeated, keep)
        if not places:
            yield from self._times(chunk, new, repeated, frame)
            return
        start, count = chunk.matches(places, wanted)
        if not new and not repeated and self.weigh is None:
            yield frame.where(count > 0)
            return
        total = int(count.sum())
        if total >= products.LEAST:
            pairs = self._product(chunk, places, wanted, new, repeated, frame, keep, total)
            if pairs is not None:
                yield pairs
                return
        for part, rows in _blocks(count, total, frame.count):
            owner, found = chunk.joined(places, start[part], count[part], rows)
            self._ask(rows, len(frame.columns) + len(new))
            if part.start:
                owner = owner + part.start
            yield self._with(frame.taken(owner, rows), chunk, found, new, repeated)

    def _product(self, chunk: Chunk, places, wanted, new, repeated, frame: Frame, keep: frozenset[str], total: int) -> Frame | None:
        """The join as a product of matrices, where one variable on each side is kept and the one between is not."""
        mine = [name for name in frame.columns if name in keep]
        if self.weigh is not None or repeated or len(places) != 1 or len(mine) != 1 or len(new) != 1:
            return None
        (name, place), column = next(iter(new.items())), frame.columns[mine[0]]
        if column is wanted[0]:
            return None
        found = products.product((column, wanted[0]), (chunk.columns[places[0]], chunk.columns[place]), total, self.device)
        return None if found is None else Frame({mine[0]: found[0], name: found[1]}, len(found[0]))

    def _ask(self, rows: int, columns: int) -> None:
        require(8 * rows * (columns + 3), lambda: f"a join of {rows:,} rows", self.device)

    def _narrow(self, chunk: Chunk, places, new: dict[str, int], repeated, keep: frozenset[str]):
        """The chunk without columns that nothing reads: rows that are then equal are one."""
        if self.weigh is not None or repeated:
            return chunk, places, new, repeated
        new = {name: place for name, place in new.items() if name in keep}
        used = (*places, *new.values())
        if len(used) == len(chunk.columns) or not used:
            return chunk, places, new, repeated
        narrow = chunk.projected(used)
        moved = {place: at for at, place in enumerate(used)}
        return narrow, tuple(range(len(places))), {name: moved[place] for name, place in new.items()}, repeated

    def _times(self, chunk: Chunk, new: dict[str, int], repeated, frame: Frame) -> Iterator[Frame]:
        """Every row with every row."""
        if not new and self.weigh is None:
            yield frame
            return
        if frame.count == 1 and not frame.columns and frame.weight is None:
            yield self._with(frame, replace(chunk), None, new, repeated, chunk.count)
            return
        count = torch.full((frame.count,), chunk.count, dtype=torch.int64, device=self.device)
        for part, rows in _blocks(count, frame.count * chunk.count, frame.count):
            self._ask(rows, len(frame.columns) + len(new))
            at = torch.arange(rows, device=self.device)
            owner = torch.div(at, chunk.count, rounding_mode="floor")
            yield self._with(frame.taken(owner + part.start, rows), chunk, at - owner * chunk.count, new, repeated)

    def _with(self, frame: Frame, chunk: Chunk, rows: Tensor | None, new: dict[str, int], repeated, count: int | None = None) -> Frame:
        """The frame with the new variables; `rows` None takes all rows of the chunk."""
        taken = {name: chunk.columns[place] if rows is None else chunk.columns[place].index_select(0, rows) for name, place in new.items()}
        weight = frame.weight
        if self.weigh is not None:
            weight = self.weigh(weight, chunk.weight if rows is None or chunk.weight is None else chunk.weight[rows])
        found = Frame({**frame.columns, **taken}, frame.count if count is None else count, weight)
        for at, first in repeated:
            pair = (chunk.columns[at], chunk.columns[first]) if rows is None else (chunk.columns[at][rows], chunk.columns[first][rows])
            good = pair[0] == pair[1]
            rows = places(good) if rows is None else chosen(rows, good)
            found = found.where(good)
        return found

    def _absent(self, place: int, atom: Atom, frame: Frame) -> Frame:
        """The rows that have no match."""
        fixed = self._fixed(atom.terms, self.columns_of(atom.relation), frame)
        if fixed is None:
            return frame
        places, wanted = fixed
        there = torch.zeros(frame.count, dtype=torch.bool, device=self.device)
        for chunk in self.source(place, atom):
            if places and chunk.count:
                there |= chunk.matches(places, wanted)[1] > 0
            elif chunk.count:
                there[:] = True
        return frame.where(~there)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def _compare(self, compare: Compare, frame: Frame) -> Frame:
        name, value = _bindable(compare, frame)
        if name is None:
            good = numbers.compare(self.domain, self.types, compare, frame.columns, frame.count, self.device)
            return frame.where(good)
        column = numbers.column(self.domain, self.types, value, self.types[name], frame.columns, frame.count, self.device)
        return replace(frame, columns={**frame.columns, name: column})

    def _aggregate(self, aggregate: Aggregate, frame: Frame, keep: frozenset[str]) -> Iterator[Frame]:
        """A look into the table of groups; a group that is not there counts 0."""
        group, chunk = self.aggregate(aggregate, keep | frozenset(frame.columns))
        known = aggregate.result in frame.columns
        if aggregate.op in ("count", "sum") and all(name in frame.columns for name in group):
            value = self._looked_up(group, chunk, aggregate, frame)
            if known:
                yield frame.where(value == frame.columns[aggregate.result])
            else:
                yield replace(frame, columns={**frame.columns, aggregate.result: value})
            return
        terms = (*group, aggregate.result)
        types = tuple(self.types[name] for name in terms)
        fixed = self._fixed(terms, types, frame)
        assert fixed is not None
        new = {name: at for at, name in enumerate(terms) if name not in frame.columns}
        yield from self._join(chunk, fixed, new, [], frame, keep)

    def _looked_up(self, group: tuple[str, ...], chunk: Chunk, aggregate: Aggregate, frame: Frame) -> Tensor:
        nothing = self.domain.code(self.types[aggregate.result], 0)
        value = torch.full((frame.count,), nothing, dtype=torch.int64, device=self.device)
        if not chunk.count:
            return value
        if not group:
            return chunk.columns[-1].expand(frame.count)
        places = tuple(range(len(group)))
        start, count = chunk.matches(places, tuple(frame.columns[name] for name in group))
        found = chunk.columns[-1][chunk.index(places).rows(start.clamp(max=chunk.count - 1))]
        return torch.where(count > 0, found, value)


def _bindable(compare: Compare, frame: Frame) -> tuple[str | None, object]:
    """The variable that `=` binds, and its value; None where both sides are known."""
    if compare.op == "=":
        for name, value in ((compare.left, compare.right), (compare.right, compare.left)):
            if isinstance(name, str) and name not in frame.columns:
                return name, value
    return None, None


def _blocks(count: Tensor, total: int, rows: int) -> Iterator[tuple[slice, int]]:
    """Ranges of rows whose matches together are few enough to be made at a time; how many they are."""
    if total <= BLOCK or rows == 1:
        if total:
            yield slice(0, rows), total
        return
    sums = torch.cumsum(count, 0)
    start, before = 0, 0
    while start < rows:
        stop = max(start + 1, int(torch.searchsorted(sums, before + BLOCK, right=True)))
        last = int(sums[min(stop, rows) - 1])
        if last > before:
            yield slice(start, min(stop, rows)), last - before
        start, before = stop, last
