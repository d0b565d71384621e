"""A relation of two columns as a Boolean matrix between values, or between groups of values that all have the same partners."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tensorlogic.runtime.relations.arrays import expanded
from tensorlogic.runtime.relations.bits import BLOCK, Bits
from tensorlogic.runtime.relations.keys import distinct
from tensorlogic.runtime.relations.memory import require

TABLE = 8  # numbers of values are looked up in a table where that has at most so many places for each


@dataclass(frozen=True, slots=True)
class Side:
    """The values of a column; `sizes` where each of the groups has that many of them, one after the other."""

    values: Tensor
    sizes: np.ndarray | None = None

    @staticmethod
    def of(columns: Iterable[Tensor]) -> "Side":
        return Side(distinct((torch.cat(tuple(columns)),))[0])

    @staticmethod
    def grouped(values: Tensor, label: np.ndarray, count: int) -> "Side":
        """Values with the same label are a group."""
        if count == len(label):
            inverse = np.empty(count, np.int64)
            inverse[label] = np.arange(count)
            return Side(values[torch.from_numpy(inverse).to(values.device)])
        order = torch.from_numpy(np.argsort(label, kind="stable")).to(values.device)
        return Side(values[order], np.bincount(label, minlength=count))

    def numbers(self, column: Tensor) -> np.ndarray:
        """The place of each value of a column, on the CPU. All of them are among these, and those are sorted."""
        values, found = self.values.cpu().numpy(), column.cpu().numpy()
        if not len(values):
            return found
        low, span = values[0], int(values[-1]) - int(values[0]) + 1
        if span == len(values):
            return found - low
        if span > TABLE * (len(values) + len(found)):
            return np.searchsorted(values, found)
        table = np.zeros(span, np.int64)
        table[values - low] = np.arange(len(values))
        return table.take(found - low)


@dataclass(frozen=True, slots=True)
class Grid:
    """Between which values, or groups of values, a relation holds."""

    left: Side
    right: Side
    bits: Bits

    @property
    def count(self) -> int:
        if self.left.sizes is None and self.right.sizes is None:
            return self.bits.count
        sums = self._sums()
        return int(sums.sum() if self.left.sizes is None else sums @ self.left.sizes)

    def _sums(self) -> np.ndarray:
        """How many values each row has."""
        sizes = np.ones(self.bits.columns) if self.right.sizes is None else self.right.sizes.astype(np.float64)
        step = max(1, BLOCK // max(1, self.bits.columns))
        parts = (self.bits.words[at : at + step] for at in range(0, self.bits.rows, step))
        ones = (np.unpackbits(part.view(np.uint8), axis=1, bitorder="little") for part in parts)
        found = [part[:, : self.bits.columns] @ sizes for part in ones]
        return np.concatenate(found or [np.zeros(0)]).astype(np.int64)

    def columns(self) -> tuple[Tensor, Tensor]:
        """The rows of the relation. TL0804 where they are more than fit."""
        count, device = self.count, self.left.values.device
        require(48 * count, lambda: f"a relation of {count:,} facts", device)
        left, right = (torch.from_numpy(part).to(device) for part in self.bits.pairs())
        partners = self.right.values[right]
        if self.right.sizes is not None:
            sizes = torch.from_numpy(self.right.sizes).to(device)
            many = sizes[right]
            start = (torch.cumsum(sizes, 0) - sizes)[right]
            partners = self.right.values[expanded(start, many, int(many.sum()))[1]]
            left = torch.repeat_interleave(left, many)
        if self.left.sizes is None:
            return self.left.values[left], partners
        group = torch.repeat_interleave(torch.from_numpy(self.left.sizes).to(device))
        many = torch.bincount(left, minlength=len(self.left.sizes))
        start = torch.cumsum(many, 0) - many
        owner, at = expanded(start[group], many[group], count)
        return self.left.values[owner], partners[at]
