"""Direct proofs: a goal in normal form, known multiples, and short sums of known inequalities."""

from collections.abc import Iterator
from itertools import product as every_choice

from tensorlogic.types.dims import ONE, Dim, cancel, content, divide, single
from tensorlogic.types.goals import Divides, Goal, Member, Rel, compare, goal_dims
from tensorlogic.types.linear import Budget, interval, nonnegative
from tensorlogic.types.solve import Solved, Spans


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
