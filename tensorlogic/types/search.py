"""Looks for small sizes that meet every fact and break a goal.

Names are given numbers one after the other, the sums of their positions in the candidate lists growing, so small numbers
come first. What the solved form rewrites is computed, not guessed; what an inequality leaves of a range is respected. The
end is always the same: the facts as they were written, and the goal, are evaluated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal, goal_dims, goal_symbols, holds
from tensorlogic.types.linear import INFINITY, Interval
from tensorlogic.types.solve import Solved, is_unknown

FIRST = 2
IN_A_ROW = 7
PRIMES = (11, 13, 17, 31)
MAX_CONSTANTS = 8
FREE_FACTORS = 16  # multiplications that come with a try; more count as further tries
MAX_NAMES = 40
MAX_FACTS = 120


def find_model(goal: Goal, facts: Facts, solved: Solved, tries: int) -> dict[str, int] | None:
    """Numbers for the names of the goal, and those tied to them, that meet the facts and break the goal.

    `solved` are the facts, possibly with the opposite of the goal; `tries` limits the numbers tried.
    """
    keys, related = _component(goal, facts)
    if len(keys) > MAX_NAMES or len(related) > MAX_FACTS:
        return None
    return _Search(goal, keys, related, solved, tries).run()


def _component(goal: Goal, facts: Facts) -> tuple[list[str], list[Goal]]:
    """The names that facts tie to those of the goal, directly or not, and these facts."""
    keys = set(goal_symbols(goal))
    waiting = [(fact, goal_symbols(fact)) for fact, _ in facts.given]
    related: list[Goal] = []
    while True:
        touching = [pair for pair in waiting if not keys.isdisjoint(pair[1])]
        if not touching:
            return sorted(keys), related
        waiting = [pair for pair in waiting if keys.isdisjoint(pair[1])]
        for fact, symbols in touching:
            keys |= symbols
            related.append(fact)


@dataclass(slots=True)
class _Limit:
    """`coefficient * name + rest >= 0`, both to be evaluated with the numbers that stand already."""

    coefficient: Dim
    rest: Dim


class _Search:
    def __init__(self, goal: Goal, keys: list[str], related: list[Goal], solved: Solved, tries: int) -> None:
        self.goal, self.keys, self.related, self.solved, self.left = goal, keys, related, solved, tries
        self.computed = {key: solved.rewrites[key] for key in keys if key in solved.rewrites}
        free = {key for key in keys if key not in self.computed}
        self.names = self._ordered(free.union(*(dim.symbols() for dim in self.computed.values())))
        self.limits = [self._limits(i) for i in range(len(self.names))]
        self.lists = [self._candidates(name, solved.interval(name), far=False) for name in self.names]
        self.values: dict[str, int] = {}
        self.cost = sum(len(mono) for fact in (goal, *related) for dim in goal_dims(fact) for mono, _ in dim.terms) // FREE_FACTORS

    def run(self) -> dict[str, int] | None:
        total = -1
        while total < sum(map(len, self.lists)):
            total += 1
            if total == IN_A_ROW:  # what is far away comes after that many
                self.lists = [self._candidates(name, self.solved.interval(name)) for name in self.names]
            for _ in self._assignments(0, total):
                witness = self._witness()
                if witness is not None:
                    return witness
            if self.left <= 0:
                return None
        return None

    def _ordered(self, names: set[str] | frozenset[str]) -> list[str]:
        """Names that an inequality bounds from below come last: their numbers follow from the others."""
        bounded = {
            mono[0].key: True
            for dim, _ in self.solved.nonnegative
            if len(dim.terms) - bool(dim.constant) > 1
            for mono, c in dim.terms
            if c > 0 and len(mono) == 1
        }
        return sorted(names, key=lambda name: (name in bounded, name))

    def _limits(self, position: int) -> list[_Limit]:
        """The inequalities that are linear in one name and otherwise about earlier ones."""
        name, earlier = self.names[position], set(self.names[:position])
        found = []
        for dim, _ in self.solved.nonnegative:
            if name in dim.symbols() and dim.symbols() <= earlier | {name}:
                limit = _linear_in(name, dim)
                if limit is not None:
                    found.append(limit)
        return found

    def _candidates(self, name: str, reach: Interval, *, far: bool = True) -> list[int]:
        """Numbers to try for a name, the most wanted first; without those far away it is the beginning of the list."""
        low, high = reach
        start = int(max(low, 1 if name.startswith("[") else FIRST)) if low > -INFINITY else FIRST
        row = list(range(start, start + IN_A_ROW))
        smaller = [n for n in (1, 0, -1) if low <= n < start]
        away = (*self._constants, *PRIMES, *((int(high),) if high < INFINITY else ())) if far else ()
        numbers = (*self._members(name), *row, *smaller, *(n for n in away if n >= start))
        return [n for n in dict.fromkeys(numbers) if low <= n <= high]

    def _members(self, name: str) -> list[int]:
        sets = [values for dim, values, _ in self.solved.members if dim == Dim.sym(name)]
        return sorted(frozenset.intersection(*sets), key=lambda n: (n < FIRST, n)) if sets else []

    @cached_property
    def _constants(self) -> list[int]:
        """Numbers from the goal and the facts, where behaviour changes, and their neighbours."""
        dims = [dim for fact in (self.goal, *self.related) for dim in goal_dims(fact)]
        found = sorted({abs(c) for dim in dims for c in _numbers(dim)})[:MAX_CONSTANTS]
        return [n for c in found for n in (c - 1, c, c + 1)] + [c // n for c in found for n in (2, 4, 8) if c % n == 0]

    def _assignments(self, position: int, total: int) -> Iterator[None]:
        """Sets `values` to every choice whose positions in the candidate lists add up to `total`."""
        if position == len(self.names):
            if total == 0:
                yield
            return
        numbers = self._numbers_now(position)
        last = position == len(self.names) - 1
        for index in range(total if last else 0, min(total, len(numbers) - 1) + 1):
            self.left -= 1
            if self.left < 0:
                return
            self.values[self.names[position]] = numbers[index]
            yield from self._assignments(position + 1, total - index)

    def _numbers_now(self, position: int) -> list[int]:
        """The candidates that the inequalities leave, given the numbers of the earlier names."""
        if not self.limits[position]:
            return self.lists[position]
        low, high = self.solved.interval(self.names[position])
        for limit in self.limits[position]:
            low, high = _narrowed(limit, self.values, low, high)
        inside = [n for n in self.lists[position] if low <= n <= high]
        if not inside:
            inside = [n for n in self._candidates(self.names[position], self.solved.interval(self.names[position])) if low <= n <= high]
        return inside if inside or low > high else self._candidates(self.names[position], (low, high))

    def _witness(self) -> dict[str, int] | None:
        self.left -= self.cost
        try:
            numbers = {key: self.computed[key].evaluate(self.values) if key in self.computed else self.values[key] for key in self.keys}
            if all(self._admissible(key, n) for key, n in numbers.items()) and not holds(self.goal, numbers):
                return numbers if all(holds(fact, numbers) for fact in self.related) else None
        except ArithmeticError:
            return None
        return None

    def _admissible(self, key: str, n: int) -> bool:
        return n >= self.solved.stated.get(key, 0 if is_unknown(key) else 1)


def _linear_in(name: str, dim: Dim) -> _Limit | None:
    coefficient: dict[Any, int] = {}
    rest: dict[Any, int] = {}
    for mono, c in dim.terms:
        inside = [atom for atom in mono if name in atom.names]
        if not inside:
            rest[mono] = c
        elif len(inside) == 1 and not inside[0].args:
            coefficient[tuple(atom for atom in mono if atom != name)] = c
        else:
            return None
    return _Limit(Dim(tuple(coefficient.items())), Dim(tuple(rest.items())))


def _narrowed(limit: _Limit, values: dict[str, int], low: Any, high: Any) -> tuple[Any, Any]:
    try:
        c, rest = limit.coefficient.evaluate(values), limit.rest.evaluate(values)
    except ArithmeticError:
        return low, high
    if c > 0:
        return max(low, -(rest // c)), high
    if c < 0:
        return low, min(high, rest // -c)
    return (low, high) if rest >= 0 else (1, 0)


def _numbers(dim: Dim) -> Iterator[int]:
    for mono, c in dim.terms:
        yield c
        for atom in mono:
            for arg in atom.args:
                yield from _numbers(arg)
