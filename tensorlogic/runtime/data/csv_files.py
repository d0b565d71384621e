"""Numbers from CSV files: columns as tensors, every value looked at, what is wrong said with file and line."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.formats.errors import shown
from tensorlogic.runtime.data.text_files import refused, whole_text

Line = tuple[int, list[str]]


def read_csv(
    path: str, columns: Sequence[int | str] | None = None, dtype: torch.dtype | None = None, header: bool = False,
    skip: int = 0, delimiter: str | None = None, nan: bool = False,
) -> Tensor:  # fmt: skip
    """dtype[rows, columns]: the columns with these numbers (from 0) or names, or all; float32 where no dtype is given.

    `header`: the first line names the columns, as names among `columns` imply; `skip` lines are left out before it. All lines have as
    many values, each a number of the dtype; with `nan`, also not-a-number, infinity and nothing at all.
    TL0604 with file and line, TL0606 for no file, TL0310 or TL0602 for a column that is not there.
    """
    lines = _lines(path, delimiter or ",", skip)
    first = next(lines, None)
    named = header or any(isinstance(column, str) for column in columns or ())
    if first is None or (named and (second := next(lines, None)) is None):
        raise refused(path, None, "has no lines of values")
    places = _places(path, first, columns, named)
    values = _Values(path, dtype or torch.float32, nan, first, named)
    for line in chain([second if named else first], lines):
        values.add(line, places)
    return values.tensor(len(places))


def read_column(
    path: str, column: int | str, dtype: torch.dtype | None = None, header: bool = False,
    skip: int = 0, delimiter: str | None = None, nan: bool = False,
) -> Tensor:  # fmt: skip
    """dtype[rows]: one column. As for `read_csv`."""
    return read_csv(path, [column], dtype, header, skip, delimiter, nan)[:, 0]


def _lines(path: str, delimiter: str, skip: int) -> Iterator[Line]:
    """(number, values) of each line that is not empty. A value in quotes may have line ends: the number is then that of its last line."""
    if len(delimiter) != 1 or delimiter in '"\n\r':
        raise TensorLogicError(Diagnostic("TL0601", f"a delimiter is one character, found {delimiter!r}"))
    lines = whole_text(path).split("\n")
    reader = csv.reader((f"{line}\n" for line in lines[skip:]), delimiter=delimiter, strict=True)
    try:
        for values in reader:
            if values:
                yield reader.line_num + skip, values
    except csv.Error as problem:
        raise refused(path, reader.line_num + skip, f"is not CSV: {problem}") from None


def _places(path: str, first: Line, columns: Sequence[int | str] | None, named: bool) -> list[int]:
    names = [name.strip() for name in first[1]]
    if columns is None:
        return list(range(len(names)))
    return [_place(path, column, names) if isinstance(column, str) else _number(path, column, names) for column in columns]


def _number(path: str, column: int, names: list[str]) -> int:
    if -len(names) <= column < len(names):
        return column
    raise TensorLogicError(Diagnostic("TL0310", f"`{shown(path, 200)}` has {len(names)} columns, there is no column {column}"))


def _place(path: str, column: str, names: list[str]) -> int:
    if column in names:
        return names.index(column)
    near = did_you_mean(column, names)
    help = f"did you mean `{near}`?" if near else f"its columns are {shown(', '.join(names), 200)}"
    raise TensorLogicError(Diagnostic("TL0602", f"`{shown(path, 200)}` has no column `{shown(column)}`", help=(help,)))


class _Values:
    """The numbers of the lines so far, one behind the other."""

    def __init__(self, path: str, dtype: torch.dtype, nan: bool, first: Line, named: bool) -> None:
        self.path, self.dtype, self.nan, self.width = path, dtype, nan, len(first[1])
        self.first_line = 0 if named else first[0]  # 0: a line of names was there
        whole = not dtype.is_floating_point
        limits = torch.iinfo(dtype) if whole else torch.finfo(dtype)
        self.read, self.limit = self._whole if whole else self._real, (limits.min, limits.max)
        self.found: array = array("q" if whole else "d")

    def add(self, line: Line, places: list[int]) -> None:
        number, values = line
        if len(values) != self.width:
            raise refused(self.path, number, f"has {len(values)} values, the lines before it have {self.width}")
        for place in places:
            try:
                value = self.read(values[place])
            except ValueError as problem:
                said = f"has {shown(values[place])!r} in column {place % self.width}, {problem}"
                raise refused(self.path, number, said, self._advice(number)) from None
            self.found.append(value)

    def tensor(self, columns: int) -> Tensor:
        kind = torch.float64 if self.found.typecode == "d" else torch.int64
        return torch.frombuffer(self.found, dtype=kind).reshape(-1, columns).to(self.dtype, copy=True)

    def _advice(self, number: int) -> str:
        return "where the first line names the columns, say `header: true`" if number == self.first_line else ""

    def _real(self, text: str) -> float:
        value = math.nan if self.nan and not text.strip() else _real(text)
        if math.isfinite(value):
            return self._inside(value)
        if self.nan:
            return value
        raise ValueError("which is not finite; `nan: true` takes it")

    def _whole(self, text: str) -> int:
        digits = text.strip()
        value = int(digits) if digits.lstrip("+-").isdecimal() and len(digits) < 30 else _real(text)
        if isinstance(value, float) and not value.is_integer():
            raise ValueError("which is no whole number")
        return int(self._inside(value))

    def _inside(self, value: float) -> float:
        if not self.limit[0] <= value <= self.limit[1]:
            raise ValueError(f"which {str(self.dtype).removeprefix('torch.')} does not hold")
        return value


def _real(text: str) -> float:
    """A number as programs write it; Python's would also be `1_000`."""
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise ValueError("which is no number" if text.strip() else "which is empty")
