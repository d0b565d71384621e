"""Proves or refutes what is claimed about sizes. Never wrong: what is neither shown nor broken by numbers is `Unknown`."""

from dataclasses import field

from tensorlogic.record import record
from tensorlogic.types.cases import Attempt, shown_with_work
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.direct import shown
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import NEGATED, Divides, Goal, Rel, goal_dims, holds, with_dims
from tensorlogic.types.linear import Budget
from tensorlogic.types.search import find_model
from tensorlogic.types.solve import Solved, Spans, is_unknown

REFLEXIVE = ("==", "<=", ">=")
TRIAL = 5
FEW_TRIES, SOME_TRIES, ALL_TRIES = 40, 400, 2000


@record
class Proved:
    """Holds for all admissible sizes; `spans` are those of the facts it rests on."""

    spans: Spans = ()


@record
class Refuted:
    """`witness`: sizes that meet every fact and break the goal, under the keys of `Dim.symbols()`."""

    witness: dict[str, int] = field(default_factory=dict)


@record
class Unknown:
    """Neither proved nor refuted."""


def prove(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
    """Decide a goal. With contradictory facts everything holds; the caller asks `facts.consistent` about those."""
    try:
        return _decided(goal, facts)
    except DimTooLarge:
        return Unknown()


def _decided(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
    if isinstance(goal, Rel) and goal.left == goal.right and goal.op in REFLEXIVE:
        return Proved()
    solved = facts.solved
    if solved.contradiction:
        return Proved()
    doubtful = _fails_somewhere(goal, solved)
    spans = shown(goal, solved, Budget(0)) if doubtful else shown(goal, solved)
    if spans is not None:
        return Proved(spans)
    if _has_unknown(goal, solved):
        return _with_unknown(goal, facts)
    witness = _counterexample(goal, facts, FEW_TRIES)
    if witness is not None:
        return Refuted(witness)
    return _with_work(goal, facts)


def _fails_somewhere(goal: Goal, solved: Solved) -> bool:
    """Whether the goal is false for some numbers that meet the equations known: then it is worth more to look for a witness first."""
    dims = [solved.norm(dim) for dim in goal_dims(goal)]
    values = {key: TRIAL + i % 3 for i, key in enumerate(sorted(frozenset().union(*(dim.symbols() for dim in dims))))}
    try:
        return not holds(with_dims(goal, dims), values)
    except ArithmeticError:
        return False


def _has_unknown(goal: Goal, solved: Solved) -> bool:
    return any(is_unknown(key) for dim in goal_dims(goal) for key in solved.norm(dim).symbols())


def _with_work(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
    """What is neither seen at once nor broken by the first numbers: proofs and searches in turns, the cheap ones first."""
    attempt = Attempt(goal, facts.solved)
    for proof, tries in ((attempt.at_once, SOME_TRIES), (attempt.by_cases, ALL_TRIES)):
        spans = proof()
        if spans is not None:
            return Proved(spans)
        witness = _counterexample(goal, facts, tries)
        if witness is not None:
            return Refuted(witness)
    return Unknown()


def _with_unknown(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
    """A goal about an unknown size is refuted only if it is false whatever the unknown is."""
    spans = shown_with_work(goal, facts.solved)
    if spans is not None:
        return Proved(spans)
    opposite = negated(goal)
    if opposite is None or shown(opposite, facts.solved) is None:
        return Unknown()
    witness = _counterexample(goal, facts, ALL_TRIES)
    return Unknown() if witness is None else Refuted(witness)


def negated(goal: Goal) -> Goal | None:
    match goal:
        case Rel(op, left, right):
            return Rel(NEGATED[op], left, right)
        case Divides(divisor, dividend):
            return Rel("!=", dividend.mod(divisor), Dim.const(0))
    return None


def _counterexample(goal: Goal, facts: Facts, tries: int) -> dict[str, int] | None:
    """Sizes that meet the facts and break the goal; where the opposite is a fact of its own, it narrows the search."""
    match goal:
        case Rel("!=" | "<" | "<=" | ">" | ">=" as op, left, right):
            narrowed = facts.solved.copy()
            narrowed.add(Rel(NEGATED[op], left, right), ())
            return None if narrowed.contradiction else find_model(goal, facts, narrowed, tries)
    return find_model(goal, facts, facts.solved, tries)
