"""Batches: the rows of a table, some at a time, in order or shuffled anew in each epoch."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.data.order import generator
from tensorlogic.runtime.data.table import Table, table_of


class Batches:
    """A data set as `learn` takes it: `len` is the batches of an epoch, `epoch(number, skip)` gives them.

    The order of an epoch depends on the seed and its number alone. `for` goes through epoch 0, the next time through epoch 1.
    """

    def __init__(self, table: Table, size: int, shuffle: bool, drop_last: bool, seed: int | None) -> None:
        self.table, self.size, self.shuffle, self.drop_last = table, size, shuffle, drop_last
        self.seed = torch.initial_seed() if seed is None else seed
        self.passes = 0

    def __len__(self) -> int:
        whole, rest = divmod(len(self.table), self.size)
        return whole + (rest > 0 and not self.drop_last)

    def fingerprint(self) -> str:
        return self.table.fingerprint()

    def epoch(self, number: int, skip: int = 0) -> Iterator[Any]:
        """The batches of one epoch without the first `skip`, which are not made."""
        order = torch.randperm(len(self.table), generator=generator(self.seed, number)) if self.shuffle else None
        return (self.table.rows(self._rows(batch, order)) for batch in range(skip, len(self)))

    def _rows(self, batch: int, order: Tensor | None) -> slice | Tensor:
        rows = slice(batch * self.size, (batch + 1) * self.size)
        return rows if order is None else order[rows]

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        return self.epoch(self.passes - 1)


def batches(data: Any, size: int, shuffle: bool = False, drop_last: bool = False, seed: int | None = None) -> Batches:
    """Batches of `size` rows of tensors or of a data set; the last is smaller where `size` does not divide, or left out.

    TL0311 where there is no batch at all; TL0301 and TL0304 as for `table_of`.
    """
    if isinstance(data, Batches):
        raise TensorLogicError(Diagnostic("TL0306", "these are batches already", help=("give `batches` the data that they were made of",)))
    made = Batches(table_of(data), size, shuffle, drop_last, seed)
    if not len(made):
        raise TensorLogicError(Diagnostic("TL0311", f"{len(made.table)} rows give no batch of {size}"))
    return made
