"""Proofs that take some work: sums of many inequalities, and cases of a rounding, a minimum, or a finite set."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from tensorlogic.types.canonical import Canonical, inner_atoms, replaced
from tensorlogic.types.dims import Atom, Dim, Monomial, single
from tensorlogic.types.direct import shown
from tensorlogic.types.goals import Divides, Goal, Member, Rel, goal_dims, with_dims
from tensorlogic.types.lemmas import Sums
from tensorlogic.types.linear import Budget, interval
from tensorlogic.types.solve import Solved, Spans

MAX_CASES, MAX_SPLITS, MAX_WORK = 48, 5, 60
SMALL_DIVISOR, FEW_VALUES = 8, 24
Case = tuple[Goal, list[Goal]]  # what is left to show, and what holds in this case


@dataclass(slots=True)
class Work:
    """How many more sums may be put together, and how many cases looked at."""

    left: int = MAX_WORK

    def done(self) -> bool:
        self.left -= 1
        return self.left < 0


class Attempt:
    """A proof of one goal in two steps: `at_once`, which is cheap, then `by_cases`. Both give the spans it rests on, or None."""

    def __init__(self, goal: Goal, solved: Solved) -> None:
        self.origins = solved.spans_of(goal_dims(goal))
        dims = [solved.norm(dim) for dim in goal_dims(goal)]
        forms = Canonical(solved)
        self.goal = with_dims(goal, forms.dims(dims))
        exact = dict.fromkeys(atom for dim in dims for atom in dim.atoms() if atom.kind == "quotient")
        self.facts = [*(Divides(atom.args[1], atom.args[0]) for atom in exact), *forms.facts]
        self.solved = _with(solved, self.facts) if self.facts else solved
        self.work = Work()

    def at_once(self) -> Spans | None:
        """In canonical form, with the quotients in the goal exact, and by combinations of inequalities."""
        found = () if self.solved.contradiction else shown(self.goal, self.solved, Budget())
        return self._with_origins(_by_sums(self.goal, self.solved, self.work) if found is None else found)

    def by_cases(self) -> Spans | None:
        """For each case of what could be."""
        return self._with_origins(_split(self.goal, self.solved, self.work, MAX_SPLITS, MAX_CASES))

    def _with_origins(self, found: Spans | None) -> Spans | None:
        return None if found is None else tuple(dict.fromkeys((*self.origins, *found)))


def shown_with_work(goal: Goal, solved: Solved) -> Spans | None:
    """Both steps."""
    attempt = Attempt(goal, solved)
    found = attempt.at_once()
    return attempt.by_cases() if found is None else found


def _with(solved: Solved, facts: list[Goal]) -> Solved:
    solved = solved.copy()
    for fact in facts:
        solved.add(fact, ())
    return solved


def _by_sums(goal: Goal, solved: Solved, work: Work) -> Spans | None:
    dims = goal_dims(goal)
    sums = Sums(solved)
    for needed in _needed(goal, [solved.norm(dim) for dim in dims]):
        spans: Spans | None = ()
        for dim in needed:
            found = None if work.done() else sums.show(dim)
            if found is None:
                spans = None
                break
            spans += found
        if spans is not None:
            return tuple(dict.fromkeys((*solved.spans_of(dims), *spans)))
    return None


def _needed(goal: Goal, dims: list[Dim]) -> tuple[tuple[Dim, ...], ...]:
    """Alternatives; for each the sums that must not be negative."""
    match goal, dims:
        case Rel(op, _, _), [left, right]:
            difference = left - right
            match op:
                case "==":
                    return ((difference, -difference),)
                case "!=":
                    return (difference - 1,), (-difference - 1,)
                case ">" | ">=":
                    return ((difference - (op == ">"),),)
            return ((-difference - (op == "<"),),)
        case Member(_, values), [dim] if values and max(values) - min(values) < len(values):
            return ((dim - min(values), max(values) - dim),)
    return ()


def _split(goal: Goal, solved: Solved, work: Work, splits: int, cases: int) -> Spans | None:
    for split in _splits(goal, solved) if splits else ():
        if 1 <= len(split) <= cases:
            return _in_all(solved, split, work, splits - 1, cases // len(split))
    return None


def _in_all(solved: Solved, cases: list[Case], work: Work, splits: int, more: int) -> Spans | None:
    spans: Spans = ()
    for goal, facts in cases:
        if work.done():
            return None
        known = _with(solved, facts)
        found = () if known.contradiction else _in_case(goal, facts, known, work, splits, more)
        if found is None:
            return None
        spans += found
    return tuple(dict.fromkeys(spans))


def _in_case(goal: Goal, facts: list[Goal], known: Solved, work: Work, splits: int, more: int) -> Spans | None:
    """The goal holds, or the case cannot be, or it falls into cases itself."""
    found = shown(goal, known, Budget())
    if found is None and not (splits and _has_extreme(goal, known)):
        found = _by_sums(goal, known, work)
    if found is None:
        found = _impossible(facts, known, work)
    return _split(goal, known, work, splits, more) if found is None else found


def _has_extreme(goal: Goal, known: Solved) -> bool:
    return any("min(" in key or "max(" in key for key in (known.norm(dim).key for dim in goal_dims(goal)))


def _impossible(facts: list[Goal], known: Solved, work: Work) -> Spans | None:
    sums = Sums(known)
    for fact in facts:
        match fact:
            case Rel("<=" | ">=" as op, left, right) if not work.done():
                difference = known.norm(left - right) * (1 if op == "<=" else -1)
                found = sums.show(difference - 1)
                if found is not None:
                    return found
    return None


# --- which cases there are ---------------------------------------------------------------------------------------------


def _splits(goal: Goal, solved: Solved) -> Iterator[list[Case]]:
    """Ways to tell cases apart, the most promising first."""
    dims = [solved.norm(dim) for dim in goal_dims(goal)]
    names = frozenset().union(*(dim.symbols() for dim in dims))
    atoms = list(dict.fromkeys(atom for dim in dims for atom in inner_atoms(dim)))
    yield from (_which_is_extreme(goal, dims, atom) for atom in atoms if atom.kind in ("min", "max"))
    for dim, values, _ in solved.members:
        if not names.isdisjoint(dim.symbols()):
            yield [(goal, [Rel("==", dim, Dim.const(n))]) for n in sorted(values)]
    for name in sorted(names):
        low, high = solved.interval(name)
        if high - low < FEW_VALUES:
            yield [(goal, [Rel("==", Dim.sym(name), Dim.const(n))]) for n in range(int(low), int(high) + 1)]
    for atom in atoms:
        if atom.kind == "floor_div":
            yield from ([(goal, [fact]) for fact in facts] for facts in _remainders(atom, solved))


def _which_is_extreme(goal: Goal, dims: list[Dim], atom: Atom) -> list[Case]:
    op = "<=" if atom.kind == "min" else ">="
    return [
        (with_dims(goal, [replaced(dim, atom, one) for dim in dims]), [Rel(op, one, other) for other in atom.args if other != one])
        for one in atom.args
    ]


def _remainders(atom: Atom, solved: Solved) -> Iterator[list[Goal]]:
    """The remainders of what is divided by a small number: of the dividend, a name in it, or a product in it."""
    a, b = atom.args
    k = b.value
    if k is None or not 2 <= k <= SMALL_DIVISOR:
        return
    base = a - a.constant
    monos = [mono for mono, c in base.terms if gcd(c, k) == 1]
    names = [mono for mono in monos if len(mono) == 1 and not mono[0].args]
    powers = [mono[:1] for mono in monos if len(mono) > 1 and len(set(mono)) == 1 and not mono[0].args]
    if any(sum(mono[0] in other.names for other in base.atoms()) == 1 for mono in names):
        yield [Rel("==", base.mod(b), Dim.const(r)) for r in range(k)]
    for mono in (*names, *powers):
        yield [Rel("==", single(mono).mod(b), Dim.const(r)) for r in range(k)]
    for mono in monos:
        if interval(single(mono), solved)[0] >= 0:
            yield _remainders_of(mono, k)


def _remainders_of(mono: Monomial, k: int) -> list[Goal]:
    quotient = Dim.sym(f"[{single(mono).key} / {k}]#")  # the key of an unknown: 0 or more
    return [Rel("==", single(mono), k * quotient + r) for r in range(k)]
