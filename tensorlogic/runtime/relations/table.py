"""The facts of a relation: columns of codes without repetitions, with the indices that joins look things up in."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tensorlogic.runtime.relations.arrays import chosen, expanded, ordered, unmarked, with_order
from tensorlogic.runtime.relations.grid import Grid
from tensorlogic.runtime.relations.keys import Columns, Packing, Room, distinct, distinct_keys
from tensorlogic.runtime.relations.memory import require

POINTERS = 1 << 22  # keys below are looked up in a table instead of by binary search
MARKS = 1 << 28  # key spaces below may be kept as one byte per possible row
SPARSE = 512  # ... where there are not this many times fewer rows


@dataclass(frozen=True, slots=True)
class Index:
    """Rows in the order of the key of some columns. `order` is None where they lie so already.

    `pointers[k + 1]` is where key k begins, and `counts[k + 1]` how many rows have it; the places around are for keys that are too small
    or too large.
    """

    packing: Packing
    keys: Tensor
    order: Tensor | None
    pointers: Tensor | None
    counts: Tensor | None = None

    @staticmethod
    def of(columns: Columns) -> "Index":
        packing, key = Packing.of(columns)
        order = None
        if len(key) > 1 and bool((key[1:] < key[:-1]).any()):
            key, order = with_order(key, packing.space)
        pointers, counts = None, None
        if packing.space <= max(POINTERS, 4 * len(key)) and packing.space <= 8 * len(key) + 4096:
            counts = torch.bincount(key + 1, minlength=packing.space + 2)
            pointers = torch.cumsum(counts, 0) - counts
        return Index(packing, key, order, pointers, counts)

    def find(self, columns: Columns) -> tuple[Tensor, Tensor]:
        """For each row of other columns where its matches begin, and how many there are."""
        first = self.packing.digits[0]
        if self.pointers is not None and self.counts is not None and len(columns) == 1 and first.values is None:
            key = (columns[0] - first.low).clamp_(-1, first.size).add_(1)
            return self.pointers.index_select(0, key), self.counts.index_select(0, key)
        key, good = self.packing.encode(columns)
        if self.pointers is not None and self.counts is not None:
            key = torch.where(good, key + 1, 0)
            start, count = self.pointers.index_select(0, key), self.counts.index_select(0, key)
        else:
            start = torch.searchsorted(self.keys, key)
            count = torch.searchsorted(self.keys, key, right=True) - start
        return start, torch.where(good, count, 0)

    def rows(self, places: Tensor) -> Tensor:
        return places if self.order is None else self.order.index_select(0, places)


@dataclass(slots=True, eq=False)
class Chunk:
    """Different rows, and their weights where the relation has some. Never changed; a relation without columns has `count` 0 or 1."""

    columns: Columns
    count: int
    weight: Tensor | None = None
    indices: dict[tuple[int, ...], Index] = field(default_factory=dict)
    narrow: "dict[tuple[int, ...], Chunk]" = field(default_factory=dict)

    def index(self, places: tuple[int, ...]) -> Index:
        """The index over the columns at these places, made at its first use."""
        if places not in self.indices:
            self.indices[places] = Index.of(tuple(self.columns[place] for place in places))
        return self.indices[places]

    def projected(self, places: tuple[int, ...]) -> "Chunk":
        """Some of the columns, the rows made different again; made at its first use."""
        if places not in self.narrow:
            columns = distinct(tuple(self.columns[place] for place in places))
            self.narrow[places] = Chunk(columns, len(columns[0]))
        return self.narrow[places]

    def matches(self, places: tuple[int, ...], wanted: Columns) -> tuple[Tensor, Tensor]:
        return self.index(places).find(wanted)

    def joined(self, places: tuple[int, ...], start: Tensor, count: Tensor, total: int) -> tuple[Tensor, Tensor]:
        """Which row asked for each match, and which row of this chunk it is."""
        owner, at = expanded(start, count, total)
        return owner, self.index(places).rows(at)


class Seen:
    """Which rows there are, by their keys: one mark for each possible row, or sorted runs, each at least twice as long as the next."""

    def __init__(self, packing: Packing, device: torch.device) -> None:
        self.packing = packing
        self.marks: Tensor | None = None
        self.runs: list[Tensor] = []
        self.count = 0
        self.device = device

    def add(self, key: Tensor) -> Tensor:
        """Add rows by their keys; the keys that are new, different and sorted."""
        if self.marks is None and self.packing.space <= min(MARKS, max(1 << 20, SPARSE * (self.count + len(key)))):
            self._mark()
        if self.marks is not None:
            key = distinct_keys(chosen(key, ~self.marks.index_select(0, key)), self.packing.space)
            self.marks[key] = True
        else:
            key = distinct_keys(key, self.packing.space)
            for run in self.runs:
                key = chosen(key, _absent(run, key))
            self._merge(key)
        self.count += len(key)
        return key

    def _mark(self) -> None:
        self.marks = unmarked(self.packing.space, self.device)
        for run in self.runs:
            self.marks[run] = True
        self.runs = []

    def _merge(self, key: Tensor) -> None:
        while self.runs and len(self.runs[-1]) < 2 * len(key):
            key = ordered(torch.cat((self.runs.pop(), key)))
        if len(key):
            self.runs.append(key)


def _absent(run: Tensor, key: Tensor) -> Tensor:
    if not len(run):
        return torch.ones_like(key, dtype=torch.bool)
    return run[torch.searchsorted(run, key).clamp_(max=len(run) - 1)] != key


class Table:
    """A relation that grows: chunks whose rows differ."""

    def __init__(self, arity: int, device: torch.device) -> None:
        self.arity = arity
        self.device = device
        self.chunks: list[Chunk] = []
        self.seen: Seen | None = None
        self.room: Room | None = None
        self.grid: Grid | None = None  # instead of chunks

    @staticmethod
    def holding(chunk: Chunk, arity: int, device: torch.device) -> "Table":
        """A relation that will not grow."""
        table = Table(arity, device)
        if chunk.count:
            table.chunks.append(chunk)
        return table

    @staticmethod
    def drawn(grid: Grid, device: torch.device) -> "Table":
        """A relation of two columns that will not grow."""
        table = Table(2, device)
        table.grid = grid
        return table

    @property
    def count(self) -> int:
        if self.grid is not None:
            return self.grid.count
        return sum(chunk.count for chunk in self.chunks)

    def rows(self) -> Chunk:
        """All rows as one chunk."""
        if self.grid is not None:
            columns = self.grid.columns()
            self.chunks, self.grid = [Chunk(columns, len(columns[0]))], None
        if not self.chunks:
            empty = torch.zeros(0, dtype=torch.int64, device=self.device)
            return Chunk((empty,) * self.arity, 0)
        if len(self.chunks) > 1:
            self.chunks = [joined(self.chunks)]
        return self.chunks[0]

    def add(self, columns: Columns, count: int) -> Chunk | None:
        """Add rows, repeated or known ones among them; the new ones."""
        new = None
        if count and self.arity:
            new = self._new(columns)
        elif count and not self.chunks:
            new = Chunk((), 1)
        if new is not None:
            self._append(new)
        return new

    def _new(self, columns: Columns) -> Chunk | None:
        if self.seen is None or self.room is None or not self.room.holds(columns):
            self.seen = self._reset(columns)
        packing = self.seen.packing
        key = self.seen.add(packing.key(columns))
        return Chunk(packing.decode(key), len(key)) if len(key) else None

    def _reset(self, columns: Columns) -> Seen:
        """Keys that the known rows and the new ones have, with room for more."""
        known = self.rows()
        self.room = Room.around(tuple(torch.cat(pair) for pair in zip(known.columns, columns, strict=True)), self.seen is not None)
        seen = Seen(self.room.packing, self.device)
        if known.count:
            seen.add(seen.packing.key(known.columns))
        return seen

    def _append(self, new: Chunk) -> None:
        """Short chunks are put together, so that a join looks into few of them. TL0804 where that does not fit."""
        require(16 * self.arity * new.count, lambda: f"a relation of {self.count + new.count:,} facts", self.device)
        self.chunks.append(new)
        while len(self.chunks) > 1 and self.chunks[-2].count < 2 * self.chunks[-1].count:
            last = self.chunks.pop()
            self.chunks.append(joined([self.chunks.pop(), last]))


def joined(chunks: list[Chunk]) -> Chunk:
    """Chunks of different rows as one."""
    if len(chunks) == 1:
        return chunks[0]
    columns = tuple(torch.cat(parts) for parts in zip(*(chunk.columns for chunk in chunks), strict=True))
    weights = [chunk.weight for chunk in chunks]
    weight = torch.cat(weights) if weights[0] is not None else None  # type: ignore[arg-type]
    return Chunk(columns, sum(chunk.count for chunk in chunks), weight)
