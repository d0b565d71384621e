"""Joins that drop the column they join on, as products of Boolean matrices: pairs that many rows lead to are never listed more than once.

    a(x, k), b(k, y)  keeping x and y

is the product of a matrix over (x, k) and one over (k, y): dense where the matrices are small for the rows they save, sparse otherwise.
"""

import warnings
from dataclasses import dataclass
from math import ceil, log2

import torch
from torch import Tensor

from tensorlogic.runtime.relations.machine import dtype_of, rate
from tensorlogic.runtime.relations.memory import available

LEAST = 1 << 19  # rows of a join below which it is simply made
ROW = 3e-8  # seconds for one of its rows, about
NUMBERED = 1 << 23  # ... from which on it is always worth numbering what stands in its columns
REPEATED = 2  # how many rows lead to a pair at least, on average, for a sparse product to be worth it


@dataclass(frozen=True, slots=True)
class Side:
    """One matrix: which row and column its ones stand at, in numbers from 0 on, and the values that the numbers outside stand for."""

    outer: Tensor
    inner: Tensor
    values: Tensor


def product(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor], total: int, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """The different (x, y) for which some k has (x, k) on the left and (k, y) on the right; None where a plain join costs less.

    `total` is how many rows that join would have.
    """
    if total < LEAST or not len(left[0]) or not len(right[0]):
        return None
    if total < NUMBERED and not _can_pay(left, right, total, device):
        return None
    keys, inner = torch.unique(torch.cat((left[1], right[0])), return_inverse=True)
    sides = _side(left[0], inner[: len(left[1])]), _side(right[1], inner[len(left[1]) :])
    rows, middle, columns = len(sides[0].values), len(keys), len(sides[1].values)
    seconds = _seconds(rows, middle, columns, device)
    fits = dtype_of(device).itemsize * (rows * middle + middle * columns + 6 * rows * columns) < available(device) // 3
    if fits and seconds < total * ROW:
        return _dense(*sides, middle, device)
    if total > REPEATED * rows * columns and device.type == "cpu":
        return _sparse(*sides, middle)
    return None


def _seconds(rows: int, middle: int, columns: int, device: torch.device) -> float:
    """The dense product, about, with filling its matrices and finding its ones."""
    return 2 * rows * middle * columns / rate(device) + 4e-9 * (rows * middle + middle * columns + 2 * rows * columns)


def _can_pay(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor], total: int, device: torch.device) -> bool:
    """Whether a product of matrices over all numbers between the least and the greatest is worth it: numbering them takes time too."""
    low, high = torch.stack([torch.stack(torch.aminmax(column)) for column in (left[0], left[1], right[1])]).T.tolist()
    rows, middle, columns = (most - least + 1 for least, most in zip(low, high, strict=True))
    return _seconds(rows, middle, columns, device) < total * ROW


def _side(outer: Tensor, inner: Tensor) -> Side:
    values, numbers = torch.unique(outer, return_inverse=True)
    return Side(numbers, inner, values)


def _dense(left: Side, right: Side, middle: int, device: torch.device) -> tuple[Tensor, Tensor]:
    dtype = dtype_of(device)
    a = torch.zeros(len(left.values), middle, dtype=dtype, device=device)
    b = torch.zeros(middle, len(right.values), dtype=dtype, device=device)
    a[left.outer, left.inner] = 1
    b[right.inner, right.outer] = 1
    x, y = (a @ b).nonzero(as_tuple=True)
    return left.values[x], right.values[y]


def _sparse(left: Side, right: Side, middle: int) -> tuple[Tensor, Tensor]:
    """Sums of ones are never 0: the places of the product are the pairs."""
    ones = torch.ones(len(left.outer)), torch.ones(len(right.outer))
    a = torch.sparse_coo_tensor(torch.stack((left.outer, left.inner)), ones[0], (len(left.values), middle), check_invariants=False)
    b = torch.sparse_coo_tensor(torch.stack((right.inner, right.outer)), ones[1], (middle, len(right.values)), check_invariants=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that sparse products are new
        x, y = torch.sparse.mm(a, b).coalesce().indices()
    return left.values[x], right.values[y]


def squared(matrix: Tensor) -> Tensor:
    """The transitive closure, as 0 and 1: paths of at most 2, 4, 8 ... steps, until no squaring adds any.

    Sums of ones never round to 0 nor below 1, in any float type.
    """
    count = _ones(matrix)
    for _ in range(ceil(log2(max(len(matrix), 2))) + 1):
        matrix = torch.addmm(matrix, matrix, matrix).clamp_(max=1)
        more = _ones(matrix)
        if more in (count, matrix.numel()):
            break
        count = more
    return matrix


def _ones(matrix: Tensor) -> int:
    """How many ones there are; a row has fewer than float32 counts exactly."""
    return int(matrix.sum(1, dtype=torch.float32).to(torch.int64).sum())
