"""Rows of int64 columns as single int64 keys: what sorting, joining and removing duplicates work on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tensorlogic.runtime.relations.arrays import numbered, places, unique, unmarked

SPACE = 1 << 62  # keys stay below
LEAST, MOST = -(2**63), 2**63 - 1
Columns = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Digit:
    """One column of a key: `size` values from `low` on, or the places in `values` where they lie too far apart. `rest` are the keys of
    the columns before, where those had to be numbered first."""

    low: int
    size: int
    values: Tensor | None = None
    rest: Tensor | None = None


def _ranks(values: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    """The place of each of `found` in sorted `values`, and whether it is there."""
    places = torch.searchsorted(values, found).clamp_(max=len(values) - 1)
    return places, values[places] == found


@dataclass(frozen=True, slots=True)
class Packing:
    """How the columns of some rows make a key: `space` is above every key. Made of rows, it holds for others with values among theirs."""

    digits: tuple[Digit, ...]
    space: int

    @staticmethod
    def of(columns: Columns) -> "tuple[Packing, Tensor]":
        """The packing of the rows (at least one row and column), and their keys."""
        digits: list[Digit] = []
        key, space = torch.zeros_like(columns[0]), 1
        for column in columns:
            low, high = (int(v) for v in torch.aminmax(column))
            size, values, rest = high - low + 1, None, None
            if size > SPACE // space:
                values, column = torch.unique(column, return_inverse=True)
                low, size = 0, len(values)
            if size > SPACE // space:
                rest, key = torch.unique(key, return_inverse=True)
                space = len(rest)
            digits.append(Digit(low, size, values, rest))
            key = key * size + (column - low if low else column) if digits[:-1] else column - low
            space *= size
        return Packing(tuple(digits), space), key

    def encode(self, columns: Columns) -> tuple[Tensor, Tensor]:
        """The keys of other rows, and which of them have a key at all."""
        key, good = torch.zeros_like(columns[0]), torch.ones(len(columns[0]), dtype=torch.bool, device=columns[0].device)
        for at, (digit, column) in enumerate(zip(self.digits, columns, strict=True)):
            if digit.rest is not None:
                key, known = _ranks(digit.rest, key)
                good &= known
            if digit.values is not None:
                value, known = _ranks(digit.values, column)
            else:
                value = column - digit.low if digit.low else column  # which may wrap around, but not to where it is known
                known = (value >= 0) & (value < digit.size)
            good &= known
            key = key * digit.size + value if at else value
        return key, good

    def key(self, columns: Columns) -> Tensor:
        """The keys of rows that are known to have one."""
        if any(digit.values is not None or digit.rest is not None for digit in self.digits):
            return self.encode(columns)[0]
        key = columns[0] - self.digits[0].low
        for digit, column in zip(self.digits[1:], columns[1:], strict=True):
            key = torch.add(column, key, alpha=digit.size)
            if digit.low:
                key -= digit.low
        return key

    def decode(self, key: Tensor) -> Columns:
        """The columns again."""
        found: list[Tensor] = []
        for digit in reversed(self.digits):
            last = digit is self.digits[0]
            value = key if last else key % digit.size
            key = key if last else torch.div(key, digit.size, rounding_mode="floor")
            if digit.rest is not None:
                key = digit.rest[key]
            found.append(digit.values[value] if digit.values is not None else value + digit.low)
        return tuple(reversed(found))


def distinct(columns: Columns) -> Columns:
    """The different rows, sorted by their columns."""
    if not len(columns[0]):
        return columns
    packing, key = Packing.of(columns)
    return packing.decode(distinct_keys(key, packing.space))


def distinct_keys(key: Tensor, space: int) -> Tensor:
    """The different keys, sorted; by marking them where all possible ones are not many more."""
    if space <= 16 * len(key) + 1024:
        marks = unmarked(space, key.device)
        marks[key] = True
        return places(marks)
    return unique(key)


def grouped(columns: Columns) -> tuple[Columns, Tensor]:
    """The different rows and, for each of the given ones, which of those it is."""
    if not len(columns[0]):
        return columns, columns[0]
    packing, key = Packing.of(columns)
    keys, place = numbered(key, packing.space)
    return packing.decode(keys), place


@dataclass(frozen=True, slots=True)
class Room:
    """A packing with room for rows that come later. An exact one, of columns too wide for that, holds for the rows it was made of only."""

    packing: Packing
    limits: tuple[tuple[int, int], ...] | None

    @staticmethod
    def around(columns: Columns, grows: bool) -> "Room":
        """For these rows; with space around them where they are known to grow."""
        limits = [tuple(int(v) for v in torch.aminmax(column)) for column in columns]
        if grows:
            limits = [(low - (high - low) // 4 - 8, high + (high - low) // 4 + 8) for low, high in limits]
        wide = any(low < LEAST or high > MOST for low, high in limits)
        if not wide:
            corners = tuple(torch.cat((column, column.new_tensor(limit))) for column, limit in zip(columns, limits, strict=True))
            packing, _ = Packing.of(corners)
            if not any(digit.values is not None or digit.rest is not None for digit in packing.digits):
                return Room(packing, tuple((low, high) for low, high in limits))
        return Room(Packing.of(columns)[0], None)

    def holds(self, columns: Columns) -> bool:
        if self.limits is None:
            return False
        bounds = torch.stack([torch.stack(torch.aminmax(column)) for column in columns]).tolist()
        return all(low <= least and most <= high for (low, high), (least, most) in zip(self.limits, bounds, strict=True))
