"""The best weight of each row so far, while a recursion finds better ones: only rows that got better are joined again."""

import torch
from torch import Tensor

from tensorlogic.runtime.relations.arrays import numbered, places, with_order
from tensorlogic.runtime.relations.keys import Columns, Room
from tensorlogic.runtime.relations.table import Chunk

TABLE = 1 << 24  # keys below have their place in a table
SPARSE = 64  # ... where there are not this many times fewer rows
REDUCE = {"max": "amax", "min": "amin"}


class Places:
    """Which row a key has: a table over all possible keys, or the keys in order."""

    def __init__(self, space: int, keys: Tensor) -> None:
        self.space = space
        self.keys = keys  # by row
        self.table: Tensor | None = None
        if space <= max(TABLE // 4, min(TABLE, SPARSE * len(keys))):
            self.table = torch.full((space,), -1, dtype=torch.int64, device=keys.device)
            self.table[keys] = torch.arange(len(keys), device=keys.device)
        else:
            self.sorted, self.order = with_order(keys, space)

    def find(self, keys: Tensor) -> Tensor:
        """The row of each key; -1 where it has none."""
        if self.table is not None:
            return self.table.index_select(0, keys)
        if not len(self.sorted):
            return torch.full_like(keys, -1)
        at = torch.searchsorted(self.sorted, keys).clamp_(max=len(self.sorted) - 1)
        return torch.where(self.sorted.index_select(0, at) == keys, self.order.index_select(0, at), -1)

    def add(self, keys: Tensor) -> None:
        """Keys that are new get the next rows."""
        count = len(self.keys)
        self.keys = torch.cat((self.keys, keys))
        if self.table is not None:
            self.table[keys] = torch.arange(count, len(self.keys), device=keys.device)
        else:
            self.sorted, self.order = with_order(self.keys, self.space)


class Best:
    """One relation. `semiring` is `min`, `max`, or `` where rows have no weight and are only there or not."""

    def __init__(self, chunk: Chunk, semiring: str) -> None:
        self.semiring = semiring
        self.weight = chunk.weight if chunk.weight is not None else torch.zeros(chunk.count, device=chunk.columns[0].device)
        self.room: Room | None = None
        self.places: Places | None = None
        if chunk.count:
            self._reset(chunk.columns, chunk.columns)

    def chunk(self, arity: int) -> Chunk:
        """All rows and their weights."""
        if self.places is None or self.room is None:
            empty = torch.zeros(0, dtype=torch.int64, device=self.weight.device)
            return Chunk((empty,) * arity, 0, self._shown(self.weight))
        return Chunk(self.room.packing.decode(self.places.keys), len(self.weight), self._shown(self.weight))

    def _shown(self, weight: Tensor) -> Tensor | None:
        return weight if self.semiring else None

    def offer(self, offered: Chunk) -> tuple[Chunk, float] | None:
        """Take what is better than before: those rows, and by how much a known one got better at most (infinite for a new one)."""
        if self.places is None or self.room is None or not self.room.holds(offered.columns):
            self._reset(offered.columns, self.chunk(len(offered.columns)).columns)
        assert self.places is not None and self.room is not None
        key = self.room.packing.key(offered.columns)
        weight = offered.weight if offered.weight is not None else torch.zeros(offered.count, device=key.device)
        row = self.places.find(key)
        good = places(self._gain(weight, row) > 0)
        if not len(good):
            return None
        key, weight = self._reduced(key.index_select(0, good), weight.index_select(0, good))
        row = self.places.find(key)
        gain = float(self._gain(weight, row).max())
        known = places(row >= 0)
        new = places(row < 0)
        if len(known) and self.semiring:
            self.weight = self.weight.index_put((row.index_select(0, known),), weight.index_select(0, known))
        if len(new):
            self.places.add(key.index_select(0, new))
            self.weight = torch.cat((self.weight, weight.index_select(0, new)))
        return Chunk(self.room.packing.decode(key), len(key), self._shown(weight)), gain

    def _gain(self, weight: Tensor, row: Tensor) -> Tensor:
        """How much better weights are than those of rows; a row that is not there is infinitely bad."""
        if not len(self.weight):
            return torch.full_like(weight.detach(), torch.inf)
        old = self.weight.detach().index_select(0, row.clamp(min=0))
        gain = old - weight.detach() if self.semiring == "min" else weight.detach() - old
        if not self.semiring:
            gain = torch.zeros_like(gain)
        return torch.where(row < 0, torch.inf, gain)

    def _reduced(self, key: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Each key once, with its best weight."""
        assert self.room is not None
        different, place = numbered(key, self.room.packing.space)
        if len(different) == len(key) or not self.semiring:
            kept = torch.empty_like(different)
            kept[place] = torch.arange(len(place), device=place.device)
            return different, weight.index_select(0, kept)
        start = torch.zeros(len(different), dtype=weight.dtype, device=weight.device)
        return different, start.scatter_reduce(0, place, weight, REDUCE[self.semiring], include_self=False)

    def _reset(self, columns: Columns, known: Columns) -> None:
        """Keys that the rows so far and `columns` have, with room for more."""
        both = tuple(torch.cat(pair) for pair in zip(known, columns, strict=True))
        self.room = Room.around(both, True)
        self.places = Places(self.room.packing.space, self.room.packing.key(known))
