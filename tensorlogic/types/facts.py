"""What is known about sizes at a place in a program: an immutable list of facts, solved when first asked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.goals import Divides, Goal, Member, Rel
from tensorlogic.types.linear import INFINITY, Budget, interval, least, nonnegative
from tensorlogic.types.solve import Solved, Spans

__all__ = ["Divides", "Facts", "Goal", "Member", "Rel"]
Span = Any
CONTRADICTION_SUMS = 100


@dataclass(frozen=True, eq=False)
class Facts:
    """`where` clauses in force. A name is >= 1 and an unknown >= 0 unless a fact gives another lower bound."""

    given: tuple[tuple[Goal, Span], ...] = ()
    parent: "Facts | None" = None
    empty: ClassVar["Facts"]

    def assume(self, goal: Goal, span: Span = None) -> "Facts":
        """With one more fact; `span` is what `reasons` and `Proved.spans` name it by."""
        return Facts((*self.given, (goal, span)), self)

    def at_least(self, key: str, n: int) -> "Facts":
        """With a lower bound of a name, in place of 1."""
        return self.assume(Rel(">=", Dim.sym(key), Dim.const(n)))

    def normalize(self, dim: Dim) -> Dim:
        """Rewritten by the equations known; the same size again where that grows too large."""
        try:
            return self.solved.back(self.solved.norm(dim))
        except DimTooLarge:
            return dim

    def bounds(self, dim: Dim) -> tuple[int | None, int | None]:
        """(least, greatest) value, None where there is no bound."""
        try:
            dim = self.solved.norm(dim)
            low, high = interval(dim, self.solved)
            low, high = max(low, least(dim, self.solved)), min(high, -least(-dim, self.solved))
        except DimTooLarge:
            return None, None
        return (None if low == -INFINITY else int(low)), (None if high == INFINITY else int(high))

    def reasons(self, dim: Dim) -> Spans:
        """The spans of the facts that rewrite `dim`."""
        return self.solved.spans_of((dim,))

    @cached_property
    def consistent(self) -> bool | None:
        """False when the facts were seen to contradict each other, True when there are none, None when that is open."""
        solved = self.solved
        if solved.contradiction:
            return False
        budget = Budget(CONTRADICTION_SUMS)
        if any(nonnegative(-dim - 1, solved, budget) is not None for dim, _ in solved.nonnegative if budget.left > 0):
            return False
        return None if self.given else True

    @cached_property
    def solved(self) -> Solved:
        """The facts in solved form."""
        known, start = self._nearest()
        added = self.given[start:]
        stated = dict(known.stated)
        for goal, _ in added:
            low = _stated_low(goal)
            if low is not None:
                stated[low[0]] = max(low[1], stated.get(low[0], low[1]))
        if any(n < 1 and key not in known.stated for key, n in stated.items()):
            known, added = Solved(), self.given
        return _extended(known, stated, added)

    def _nearest(self) -> tuple[Solved, int]:
        """The closest ancestor that is solved already, and how many facts that covers."""
        at = self.parent
        while at is not None:
            if "solved" in at.__dict__:
                return at.solved, len(at.given)
            at = at.parent
        return Solved(), 0


def _stated_low(goal: Goal) -> tuple[str, int] | None:
    """The name and the number if the goal is a lower bound of one name."""
    match goal:
        case Rel(">=" | ">" as op, left, right) if right.value is not None:
            name, n = left, right.value + (op == ">")
        case Rel("<=" | "<" as op, left, right) if left.value is not None:
            name, n = right, left.value + (op == "<")
        case Rel("==", left, right) if right.value is not None:
            name, n = left, right.value
        case Rel("==", left, right) if left.value is not None:
            name, n = right, left.value
        case Member(name, values) if values:
            n = min(values)
        case _:
            return None
    return (name.name, n) if name.name else None


def _extended(known: Solved, stated: dict[str, int], added: tuple[tuple[Goal, Span], ...]) -> Solved:
    solved = known.copy()
    solved.stated = stated
    for goal, span in added:
        solved.add(goal, () if span is None else (span,))
    return solved


Facts.empty = Facts()
