"""Shows that a sum is not negative as a combination of sums that are not: Farkas' lemma, by the simplex method in whole numbers.

Every product of names counts as a variable of its own. With `goal == rate_1 * known_1 + ... + c`, all rates at least zero and
c above -1, the goal is above -1, and as it is a whole number it is not negative. Chains of any length are one such combination.
"""

from collections.abc import Sequence
from math import gcd
from typing import Any

from tensorlogic.types.dims import Dim, Monomial
from tensorlogic.types.linear import Inequality

MAX_PIVOTS = 60
MAX_VARIABLES, MAX_INEQUALITIES = 40, 120
MAX_BITS = 256
Row = list[int]


def combined(goal: Dim, known: Sequence[Inequality]) -> tuple[Any, ...] | None:
    """The spans of the inequalities whose combination shows `goal >= 0`, or None if there is none within the limits."""
    used = _balanced(goal, _connected(goal, known))
    if len(used) > MAX_INEQUALITIES:
        return None
    variables = {mono: None for dim in (goal, *(dim for dim, _ in used)) for mono, _ in dim.terms if mono}
    if len(variables) > MAX_VARIABLES:
        return None
    found = _Simplex(goal, [dim for dim, _ in used], list(variables)).run()
    return None if found is None else tuple(dict.fromkeys(span for i in sorted(found) for span in used[i][1]))


def _connected(goal: Dim, known: Sequence[Inequality]) -> list[Inequality]:
    """What could play a part: each product of names must be taken away again by an inequality where it has the other sign."""
    left = list(dict(known).items())
    wanted = {(mono, c > 0) for mono, c in goal.terms if mono}
    used: list[Inequality] = []
    while left:
        near = [pair for pair in left if any((mono, c > 0) in wanted for mono, c in pair[0].terms)]
        if not near:
            break
        left = [pair for pair in left if pair not in near]
        used += near
        wanted |= {(mono, c < 0) for dim, _ in near for mono, c in dim.terms if mono}
    return used


def _balanced(goal: Dim, used: list[Inequality]) -> list[Inequality]:
    """Without those that bring in what no other takes away again."""
    wanted = {(mono, c > 0) for mono, c in goal.terms}
    while used:
        signs = {(mono, c > 0) for dim, _ in used for mono, c in dim.terms}
        stuck = {
            (mono, positive) for mono, positive in signs if mono and (mono, not positive) not in signs and (mono, positive) not in wanted
        }
        kept = [pair for pair in used if not any((mono, c > 0) in stuck for mono, c in pair[0].terms)] if stuck else used
        if len(kept) == len(used):
            break
        used = kept
    return used


class _Simplex:
    """One row per variable: the rates times the coefficients add up to that of the goal; the last column is that of the goal.

    Each row starts with an artificial basic column, which is not stored and never comes back: -1 in `basis`. Two more rows hold
    what the rates take from the constant of the goal, and what is missing as long as artificial columns are not zero.
    """

    def __init__(self, goal: Dim, known: list[Dim], variables: list[Monomial]) -> None:
        tables = [dict(dim.terms) for dim in (*known, goal)]
        self.width = len(known)
        rows = [[table.get(mono, 0) for table in tables] for mono in variables]
        self.rows = [row if row[-1] >= 0 else [-n for n in row] for row in rows]
        self.basis = [-1] * len(rows)
        self.cost = [*(table.get((), 0) for table in tables[:-1]), 0, 1]  # the last number is the scale of the row
        self.missing = [sum(column) for column in zip(*self.rows, strict=True)] or [0] * len(tables)
        self.constant = goal.constant
        self.pivots = MAX_PIVOTS

    def run(self) -> set[int] | None:
        """The columns with a rate above zero, or None."""
        while self.missing[-1]:
            if not self._step(next((j for j in range(self.width) if self.missing[j] > 0), None)):
                return None
        while not self._enough():
            column = next((j for j in range(self.width) if self.cost[j] < 0), None)
            if column is not None and self._leaving(column) is None:  # without end: the inequalities contradict each other
                return {column, *(j for j, row in zip(self.basis, self.rows, strict=True) if row[-1] or row[column])}
            if not self._step(column):
                return None
        return {j for j, row in zip(self.basis, self.rows, strict=True) if row[-1]}

    def _enough(self) -> bool:
        """Whether the constant that is left is above -1."""
        return (self.constant + 1) * self.cost[-1] + self.cost[-2] > 0

    def _step(self, column: int | None) -> bool:
        """Whether the column could enter the basis."""
        at = None if column is None or self.pivots <= 0 else self._leaving(column)
        if column is None or at is None:
            return False
        self._pivot(at, column)
        return True

    def _leaving(self, column: int) -> int | None:
        """The row that limits the column first; artificial rows at zero leave whichever sign they have."""
        best: int | None = None
        for i, row in enumerate(self.rows):
            if self.basis[i] < 0 and row[column] and not row[-1]:
                return i
            if row[column] > 0 and (best is None or self._sooner(i, best, column)):
                best = i
        return best

    def _sooner(self, i: int, best: int, column: int) -> bool:
        """Bland's rule on a tie, against going in circles."""
        left, right = self.rows[i][-1] * self.rows[best][column], self.rows[best][-1] * self.rows[i][column]
        return left < right or (left == right and self.basis[i] < self.basis[best])

    def _pivot(self, at: int, column: int) -> None:
        self.pivots -= 1
        pivot = self.rows[at] if self.rows[at][column] > 0 else [-n for n in self.rows[at]]
        self.basis[at] = column
        self.rows = [pivot if i == at else _eliminated(row, pivot, column) for i, row in enumerate(self.rows)]
        self.missing = _eliminated(self.missing, pivot, column)
        self.cost = _eliminated(self.cost, [*pivot, 0], column)
        if max(map(int.bit_length, (*pivot, *self.cost))) > MAX_BITS:
            self.pivots = 0


def _eliminated(row: Row, pivot: Row, column: int) -> Row:
    """A positive multiple of the row less the multiple of the pivot row that takes the column away, in lowest terms."""
    a, p = row[column], pivot[column]
    if not a:
        return row
    made = [n * p - m * a for n, m in zip(row, pivot, strict=True)]
    common = gcd(*made) or 1
    return [n // common for n in made] if common > 1 else made
