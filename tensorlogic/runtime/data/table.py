"""A table: columns of one length, of which any rows can be taken. It is what batches are cut from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.data.order import generator

Column = Tensor | list
SAMPLES = 1000  # rows that a fingerprint looks at


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` have one length; `make` makes what a batch is of what was taken of each: a tuple, a record, the one column.

    Gone through as it is, it gives its rows one at a time, as batches of one.
    """

    columns: tuple[Column, ...]
    make: Callable[[tuple], Any]

    def __len__(self) -> int:
        return len(self.columns[0])

    def rows(self, index: slice | Tensor) -> Any:
        """A batch of the rows of a slice, or of the numbers in an int64 tensor on the CPU."""
        return self.make(tuple(_taken(column, index) for column in self.columns))

    def part(self, index: slice | Tensor) -> "Table":
        """The table of some of the rows."""
        return Table(tuple(_taken(column, index) for column in self.columns), self.make)

    def __getitem__(self, index: slice) -> "Table":
        return self.part(index)

    def fingerprint(self) -> str:
        """Other for other data, as far as some rows of all show it."""
        rows = torch.arange(0, len(self), max(1, len(self) // SAMPLES))
        digest = blake2b(str(len(self)).encode(), digest_size=16)
        for column in self.columns:
            digest.update(_bytes(_taken(column, rows)))
        return digest.hexdigest()

    def epoch(self, number: int, skip: int = 0) -> Iterator[Any]:
        """Every row in order, whatever the epoch, without the first `skip`."""
        return (self.rows(slice(row, row + 1)) for row in range(skip, len(self)))

    def __iter__(self) -> Iterator[Any]:
        return self.epoch(0)


def table_of(data: Any) -> Table:
    """A table as it is, a tuple of columns, or one column. TL0301 where the columns differ in length, TL0304 for a scalar."""
    if isinstance(data, Table):
        return data
    if isinstance(data, tuple):
        _check_lengths(data)
        return Table(data, tuple)
    if isinstance(data, Tensor | list):
        _check_lengths((data,))
        return Table((data,), _first)
    raise TensorLogicError(Diagnostic("TL0306", f"tensors or a data set are expected, found {type(data).__name__}"))


def windows(ids: Tensor | list[int], length: int, stride: int | None = None) -> Table:
    """Records `inputs` and `targets`, int64[rows, length]: the ids of each window, and those one place further on.

    Windows begin every `stride` ids (every `length`). TL0311 where there are too few ids for one window.
    """
    ids = torch.as_tensor(ids, dtype=torch.int64)
    stride = length if stride is None else stride
    if len(ids) <= length:
        text = f"a window of {length} ids needs {length + 1} with its targets, found {len(ids)}"
        raise TensorLogicError(Diagnostic("TL0311", text, help=("take shorter windows, or a longer text",)))
    return Table((ids[:-1].unfold(0, length, stride), ids[1:].unfold(0, length, stride)), _window)


def random_split(data: Any, fraction: float, seed: int = 0) -> tuple[Any, Any]:
    """Two parts of the rows, drawn without replacement: `fraction` of them, and the others; each keeps the order that the rows had.
    The same ones in every run, whatever its random numbers: a training that goes on has not learnt what it is tested on.

    Each part is what `data` is: tensors, a list, a data set. TL0311 where a part would be empty. See torch.utils.data.random_split.
    """
    table = table_of(data)
    count = round(len(table) * fraction)
    if not 0 < count < len(table):
        text = f"{fraction} of {len(table)} rows leaves a part empty"
        raise TensorLogicError(Diagnostic("TL0311", text, help=("a fraction such as 0.9 of at least two rows",)))
    order = torch.randperm(len(table), generator=generator(seed, 0))
    parts = (table.part(order[:count].sort().values), table.part(order[count:].sort().values))
    return parts if isinstance(data, Table) else (parts[0].make(parts[0].columns), parts[1].make(parts[1].columns))


def _first(columns: tuple) -> Any:
    return columns[0]


def _window(columns: tuple) -> SimpleNamespace:
    return SimpleNamespace(inputs=columns[0].contiguous(), targets=columns[1].contiguous())


def _taken(column: Column, index: slice | Tensor) -> Column:
    if isinstance(column, Tensor):
        return column[index if isinstance(index, slice) else index.to(column.device)]
    return column[index] if isinstance(index, slice) else [column[row] for row in index.tolist()]


def _bytes(column: Column) -> bytes:
    if isinstance(column, Tensor):
        whole = column.detach().cpu().resolve_conj().resolve_neg().contiguous()
        return f"{whole.dtype} {list(whole.shape)}".encode() + whole.reshape(-1).view(torch.uint8).numpy().tobytes()
    return repr(column).encode()


def _check_lengths(columns: tuple) -> None:
    for column in columns:
        if isinstance(column, Tensor) and not column.ndim:
            raise TensorLogicError(Diagnostic("TL0304", "a data set is made of tensors with at least one axis, found a scalar"))
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise TensorLogicError(Diagnostic("TL0301", f"the columns of a data set have one length, found {', '.join(map(str, lengths))}"))
