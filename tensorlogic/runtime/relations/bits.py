"""Boolean matrices, 64 columns in a word: a product is the OR of rows, sixty-four pairs at a time. On the CPU, in numpy."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from tensorlogic.runtime.relations.machine import dtype_of, rate
from tensorlogic.runtime.relations.memory import require

WORD = np.dtype("<u8")
CPU = torch.device("cpu")
PAIR = 48  # bytes for a pair while a matrix becomes a list
BLOCK = 1 << 22  # words that are gathered at a time
OR = 4e-9  # seconds for a word of a row
ROW = 2e-6  # ... for a row in a loop, besides
TURN = 8e-9  # ... for a word of a matrix that is turned
CELL = 8e-9  # ... for an entry that becomes a number and back
HALVES = tuple((half, np.uint64(sum(((1 << half) - 1) << (2 * half * at) for at in range(32 // half)))) for half in (32, 16, 8, 4, 2, 1))


@dataclass(slots=True, eq=False)
class Bits:
    """`words` are rows x ceil(columns / 64); what lies beyond the columns is 0. Never changed once something was asked of it."""

    words: np.ndarray
    columns: int
    listed: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    other: "Bits | None" = field(default=None, repr=False)
    ones: int = field(default=-1, repr=False)

    @staticmethod
    def none(rows: int, columns: int) -> "Bits":
        return Bits(np.zeros((rows, -(-columns // 64)), WORD), columns)

    @staticmethod
    def of(left: np.ndarray, right: np.ndarray, rows: int, columns: int) -> "Bits":
        """The matrix of these pairs."""
        found = Bits.none(rows, columns)
        if not len(left):
            return found
        place = left * found.words.shape[1] + (right >> 6)
        bit = np.left_shift(np.ones(1, WORD), (right & 63).astype(WORD))
        if (place[1:] < place[:-1]).any():
            order = np.argsort(place, kind="stable")
            place, bit = place[order], bit[order]
        start = starts(place)
        found.words.reshape(-1)[place[start]] = np.bitwise_or.reduceat(bit, start)
        return found

    @property
    def rows(self) -> int:
        return len(self.words)

    @property
    def count(self) -> int:
        """How many ones there are."""
        if self.ones < 0:
            step = max(1, BLOCK // max(1, self.words.shape[1]))
            self.ones = sum(_ones(self.words[at : at + step]) for at in range(0, self.rows, step))
        return self.ones

    def __bool__(self) -> bool:
        return bool(self.words.any())

    def union(self, other: "Bits") -> "Bits":
        return Bits(self.words | other.words, self.columns)

    def grown(self, more: "Bits") -> "Bits":
        """The union, in the memory of this matrix, which is not used any more."""
        return Bits(np.bitwise_or(self.words, more.words, out=self.words), self.columns)

    def without(self, other: "Bits") -> "Bits":
        return Bits(self.words & ~other.words, self.columns)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of the ones, sorted. TL0804 where they are more than fit."""
        if self.listed is None:
            require(PAIR * self.count, lambda: f"a list of {self.count:,} pairs", CPU)
            flat, width = self.words.reshape(-1), self.words.shape[1]
            filled = np.flatnonzero(flat)
            ones = np.flatnonzero(np.unpackbits(flat[filled].view(np.uint8), bitorder="little").view(bool))
            word = filled.take(ones >> 6)
            left = word // width
            self.listed = left, ((word - left * width) << 6) + (ones & 63)
        return self.listed

    def turned(self) -> "Bits":
        """Columns become rows."""
        if self.other is None:
            words = np.zeros((self.words.shape[1] * 64, -(-self.rows // 64)), WORD)
            rows, columns = (np.flatnonzero(self.words.any(axis)) for axis in (1, 0))
            if len(rows):
                high, wide = slice(rows[0] // 64, rows[-1] // 64 + 1), slice(columns[0], columns[-1] + 1)
                part = self.words[high.start * 64 : high.stop * 64, wide]
                words[wide.start * 64 : wide.stop * 64, high] = _squares_turned(part)
            self.other = Bits(words[: self.columns], self.rows, other=self, ones=self.ones)
        return self.other


def _ones(words: np.ndarray) -> int:
    if hasattr(np, "bitwise_count"):
        return int(np.bitwise_count(words).sum(dtype=np.int64))
    return int(np.unpackbits(np.ascontiguousarray(words).view(np.uint8)).sum(dtype=np.int64))


def _squares_turned(words: np.ndarray) -> np.ndarray:
    """Squares of 64 x 64 bits are turned by halves: the upper right and the lower left one change places, then theirs within them."""
    rows, width = words.shape
    high, full = -(-rows // 64), rows // 64
    lines = np.zeros((64, high, width), WORD)  # first the first line of every square
    lines[:, :full] = words[: full * 64].reshape(full, 64, width).transpose(1, 0, 2)
    lines[: rows % 64, full:] = words[full * 64 :, None]
    for half, mask in HALVES:
        pairs = lines.reshape(32 // half, 2, half, high * width)
        upper, lower, shift = pairs[:, 0], pairs[:, 1], np.uint64(half)
        swap = upper >> shift
        swap ^= lower
        swap &= mask
        lower ^= swap
        swap <<= shift
        upper ^= swap
    return lines.transpose(2, 0, 1).reshape(width * 64, high)


def product(left: Bits, right: Bits) -> Bits:
    """The Boolean product: one side is read as a list of pairs, each of which puts a row of the other side into the result; or, where
    both are full, numbers are multiplied."""
    width, height = right.words.shape[1], -(-left.rows // 64)
    turns = TURN * (left.words.size + width * left.rows)
    costs = (
        OR * left.count * width,
        OR * right.count * height + turns + (TURN * right.words.size if right.other is None else 0),
        2 * left.rows * left.columns * right.columns / rate(CPU)
        + CELL * (left.rows * left.columns + left.columns * right.columns + left.rows * right.columns),
    )
    match costs.index(min(costs)):
        case 0:
            return _joined(left, right)
        case 1:
            return _joined(right.turned(), left.turned()).turned()
    return _multiplied(left, right)


def _joined(left: Bits, right: Bits) -> Bits:
    """Row by row the OR of the rows that a list names."""
    found = Bits.none(left.rows, right.columns)
    rows, named = left.pairs()
    filled = right.words.any(1)
    if not filled.all():
        keep = filled.take(named)
        rows, named = rows.compress(keep), named.compress(keep)
    if len(rows):
        or_rows(found.words, rows, named, right.words)
    return found


def or_rows(into: np.ndarray, rows: np.ndarray, named: np.ndarray, words: np.ndarray) -> None:
    """`into[rows[i]] |= words[named[i]]`; `rows` are sorted, and `into` is 0 there."""
    start = starts(rows)
    width = words.shape[1]
    if len(start) == len(rows):
        into[rows] = words.take(named, axis=0)
    elif len(start) * ROW < len(rows) * width * OR:
        for row, low, high in segments(rows, start):
            np.bitwise_or.reduce(words.take(named[low:high], axis=0), axis=0, out=into[row])
    else:
        into[rows[start]] = np.bitwise_or.reduceat(words.take(named, axis=0), start, axis=0)


def starts(sorted_: np.ndarray) -> np.ndarray:
    """Where a new value begins."""
    first = np.ones(len(sorted_), bool)
    np.not_equal(sorted_[1:], sorted_[:-1], out=first[1:])
    return np.flatnonzero(first)


def segments(sorted_: np.ndarray, start: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Each value, where it begins and where it ends."""
    stop = np.append(start[1:], len(sorted_))[: len(start)]
    return zip(sorted_[start].tolist(), start.tolist(), stop.tolist(), strict=True)


def _multiplied(left: Bits, right: Bits) -> Bits:
    """Sums of ones are not 0, in any float type."""
    entries = left.rows * left.columns + right.rows * right.columns + left.rows * right.columns
    require(4 * entries, lambda: f"a product of matrices of {entries:,} entries", CPU)
    return packed((matrix(left, dtype_of(CPU)) @ matrix(right, dtype_of(CPU))) > 0)


def matrix(bits: Bits, dtype: torch.dtype) -> torch.Tensor:
    """As 0 and 1 in a float type, on the CPU."""
    marks = np.unpackbits(bits.words.view(np.uint8), axis=1, bitorder="little")
    return torch.from_numpy(marks)[:, : bits.columns].to(dtype)


def packed(marks: torch.Tensor) -> Bits:
    """A bool matrix as bits."""
    found = Bits.none(*marks.shape)
    bytes_ = np.packbits(marks.cpu().numpy(), axis=1, bitorder="little")
    found.words.view(np.uint8)[:, : bytes_.shape[1]] = bytes_
    return found
