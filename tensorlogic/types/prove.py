"""Proves or refutes what is claimed about sizes. Never wrong: what is neither shown nor broken by numbers is `Unknown`."""

from collections.abc import Iterator
from dataclasses import field
from itertools import product as every_choice
from math import gcd

from tensorlogic.record import record
from tensorlogic.types.dims import ONE, Atom, Dim, DimTooLarge, cancel, content, divide, single
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import NEGATED, Divides, Goal, Member, Rel, compare, goal_dims
from tensorlogic.types.linear import Budget, interval, nonnegative
from tensorlogic.types.search import find_model
from tensorlogic.types.solve import Solved, Spans, is_unknown

FEW_TRIES, ALL_TRIES = 40, 2000
MAX_CASES, MAX_SPLITS, CASE_SUMS = 24, 3, 80


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
    solved = facts.solved
    spans = () if solved.contradiction else shown(goal, solved)
    if spans is not None:
        return Proved(spans)
    if any(is_unknown(key) for dim in goal_dims(goal) for key in solved.norm(dim).symbols()):
        return _with_unknown(goal, facts)
    witness = _counterexample(goal, facts, FEW_TRIES)
    if witness is not None:
        return Refuted(witness)
    spans = shown_by_cases(goal, solved, Budget(CASE_SUMS))
    if spans is not None:
        return Proved(spans)
    witness = _counterexample(goal, facts, ALL_TRIES)
    return Unknown() if witness is None else Refuted(witness)


def _with_unknown(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
    """A goal about an unknown size is refuted only if it is false whatever the unknown is."""
    spans = shown_by_cases(goal, facts.solved, Budget(CASE_SUMS))
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


# --- direct proofs -----------------------------------------------------------------------------------------------------


def shown(goal: Goal, solved: Solved, budget: Budget | None = None) -> Spans | None:
    """The spans of the facts that show the goal, or None if it was not shown."""
    dims, budget = goal_dims(goal), budget or Budget()
    match goal, [solved.norm(dim) for dim in dims]:
        case Rel(op, _, _), [left, right]:
            found = _relation(op, left - right, solved, budget)
        case Divides(), [divisor, dividend]:
            found = _divisible(divisor, dividend, solved)
        case Member(_, values), [dim]:
            found = _member(dim, values, solved)
        case _:
            return None
    return None if found is None else tuple(dict.fromkeys((*solved.spans_of(dims), *found)))


def _relation(op: str, difference: Dim, solved: Solved, budget: Budget) -> Spans | None:
    if difference.value is not None:
        return () if compare(op, difference.value) else None
    match op:
        case "==":
            return _zero(difference, solved, budget)
        case "!=":
            return _nonzero(difference, solved, budget)
        case ">" | ">=":
            return nonnegative(difference - (op == ">"), solved, budget)
    return nonnegative(-difference - (op == "<"), solved, budget)


def _zero(dim: Dim, solved: Solved, budget: Budget) -> Spans | None:
    if all(not atom.args for atom in dim.atoms()) and not solved.nonnegative:
        return None
    below = nonnegative(-dim, solved, budget)
    above = None if below is None else nonnegative(dim, solved, budget)
    return None if below is None or above is None else below + above


def _nonzero(dim: Dim, solved: Solved, budget: Budget) -> Spans | None:
    if dim.constant % content(dim - dim.constant):
        return ()
    for other, spans in solved.nonzero:
        if cancel(dim, other)[1] == ONE or cancel(-dim, other)[1] == ONE:
            return spans
    found = nonnegative(dim - 1, solved, budget)
    return nonnegative(-dim - 1, solved, budget) if found is None else found


def _divisible(divisor: Dim, dividend: Dim, solved: Solved, depth: int = 3) -> Spans | None:
    dividend, divisor, _ = cancel(dividend, divisor)
    rest = divide(dividend, divisor)[1]
    if not rest.terms or divisor == ONE:
        return () if divisor.terms else None
    if depth == 0 or rest.value is not None and divisor.value is not None:
        return None
    for known, multiple, spans in _known_multiples(solved):
        found = _by_known(divisor, rest, known, multiple, solved, depth - 1)
        if found is not None:
            return spans + found
    return () if divisor.value is not None and _every_residue(rest, divisor.value) else None


def _known_multiples(solved: Solved) -> Iterator[tuple[Dim, Dim, Spans]]:
    yield from solved.divisors
    for lead, (value, spans) in solved.products.items():
        yield single(lead), value, spans


def _by_known(divisor: Dim, dividend: Dim, known: Dim, multiple: Dim, solved: Solved, depth: int) -> Spans | None:
    """`known | multiple` and `dividend == s * multiple + r`: then it is enough that the divisor divides s * known and r."""
    s, r = divide(dividend, multiple)
    if not s.terms:
        return None
    first = _divisible(divisor, s * known, solved, depth)
    second = None if first is None else _divisible(divisor, r, solved, depth) if r.terms else ()
    return None if first is None or second is None else first + second


def _every_residue(dim: Dim, modulus: int) -> bool:
    """Whether the polynomial is a multiple of a small number for every remainder of its names."""
    names = sorted(dim.symbols())
    if any(atom.args for atom in dim.atoms()) or modulus > 64 or len(names) > 3 or modulus ** len(names) > 256:
        return False
    choices = every_choice(range(modulus), repeat=len(names))
    return all(not dim.evaluate(dict(zip(names, numbers, strict=True))) % modulus for numbers in choices)


def _member(dim: Dim, values: frozenset[int], solved: Solved) -> Spans | None:
    low, high = interval(dim, solved)
    if high - low < len(values) and all(n in values for n in range(int(low), int(high) + 1)):
        return ()
    return next((spans for other, among, spans in solved.members if other == dim and among <= values), None)


# --- proofs by cases ---------------------------------------------------------------------------------------------------


def shown_by_cases(goal: Goal, solved: Solved, budget: Budget, splits: int = MAX_SPLITS, cases: int = MAX_CASES) -> Spans | None:
    """Quotients in the goal are exact; then the goal is shown for each case of a rounding, a minimum or a finite set."""
    dims = [solved.norm(dim) for dim in goal_dims(goal)]
    exact = [atom for dim in dims for atom in dim.atoms() if atom.kind == "quotient"]
    if exact:
        solved = solved.copy()
        for atom in exact:
            solved.add(Divides(atom.args[1], atom.args[0]), ())
        found = () if solved.contradiction else shown(goal, solved, budget)
        if found is not None:
            return found
    for facts in _splits(goal, solved) if splits else ():
        if 1 <= len(facts) <= cases:
            return _in_all(goal, solved, facts, budget, splits - 1, cases // len(facts))
    return None


def _in_all(goal: Goal, solved: Solved, facts: list[list[Goal]], budget: Budget, splits: int, cases: int) -> Spans | None:
    spans: Spans = ()
    for case in facts:
        known = solved.copy()
        for fact in case:
            known.add(fact, ())
        if known.contradiction:
            continue
        found = shown(goal, known, budget)
        found = shown_by_cases(goal, known, budget, splits, cases) if found is None else found
        if found is None:
            return None
        spans += found
    return tuple(dict.fromkeys(spans))


def _splits(goal: Goal, solved: Solved) -> Iterator[list[list[Goal]]]:
    """Ways to tell cases apart, the most promising first; each a list of cases, each case a list of facts."""
    dims = [solved.norm(dim) for dim in goal_dims(goal)]
    names = frozenset().union(*(dim.symbols() for dim in dims))
    atoms = list(dict.fromkeys(atom for dim in dims for atom in _inner_atoms(dim)))
    yield from (_which_is_extreme(atom) for atom in atoms if atom.kind in ("min", "max"))
    for dim, values, _ in solved.members:
        if not names.isdisjoint(dim.symbols()):
            yield [[Rel("==", dim, Dim.const(n))] for n in sorted(values)]
    for name in sorted(names):
        low, high = solved.interval(name)
        if high - low < MAX_CASES:
            yield [[Rel("==", Dim.sym(name), Dim.const(n))] for n in range(int(low), int(high) + 1)]
    yield from (split for atom in atoms if atom.kind == "floor_div" for split in _remainders(atom))


def _inner_atoms(dim: Dim) -> Iterator[Atom]:
    """The atoms, those inside operands first."""
    for atom in dim.atoms():
        for arg in atom.args:
            yield from _inner_atoms(arg)
        yield atom


def _which_is_extreme(atom: Atom) -> list[list[Goal]]:
    op = "<=" if atom.kind == "min" else ">="
    return [[Rel("==", single((atom,)), one), *(Rel(op, one, other) for other in atom.args if other != one)] for one in atom.args]


def _remainders(atom: Atom) -> Iterator[list[list[Goal]]]:
    """The remainders of a name that is divided by a small number."""
    a, b = atom.args
    if b.value is None or not 2 <= b.value <= 8:
        return
    for mono, c in a.terms:
        if len(mono) == 1 and not mono[0].args and gcd(c, b.value) == 1:
            yield [[Rel("==", single(mono).mod(b), Dim.const(r))] for r in range(b.value)]
