"""How small and how large a size can be: intervals, and sums of known inequalities that show another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tensorlogic.types.dims import Atom, Dim, Monomial, content, single, without

INFINITY = float("inf")
Bound = int | float
Interval = tuple[Bound, Bound]
Inequality = tuple[Dim, tuple[Any, ...]]  # a sum that is not negative, and the spans that say so
MAX_EXPANSION = 256
MAX_DEPTH = 5
MAX_SUMMANDS = 16  # of a sum that other inequalities are taken from


class Known(Protocol):
    """What the functions here need: the interval of a name, and the sums known not to be negative."""

    nonnegative: list[Inequality]
    intervals: dict[Atom, Interval]  # of operations, filled here

    def interval(self, key: str) -> Interval: ...


def _times(a: Bound, b: Bound) -> Bound:
    if a == 0 or b == 0:
        return 0
    if abs(a) == INFINITY or abs(b) == INFINITY:
        return INFINITY if (a > 0) == (b > 0) else -INFINITY
    return a * b


def _product(a: Interval, b: Interval) -> Interval:
    if a[0] >= 0 and b[0] >= 0:  # sizes, most of the time
        return a[0] * b[0] if a[0] and b[0] else 0, _times(a[1], b[1])
    corners = [_times(x, y) for x in a for y in b]
    return min(corners), max(corners)


def interval(dim: Dim, known: Known) -> Interval:
    """(least, greatest) by interval arithmetic; infinite ends are -INFINITY and INFINITY."""
    low: Bound = 0
    high: Bound = 0
    for mono, c in dim.terms:
        if not mono:
            low, high = low + c, high + c
            continue
        reach = atom_interval(mono[0], known)
        for atom in mono[1:]:
            reach = _product(reach, atom_interval(atom, known))
        least, most = reach if c > 0 else (reach[1], reach[0])
        low, high = low + _times(c, least), high + _times(c, most)
    return low, high


def atom_interval(atom: Atom, known: Known) -> Interval:
    if not atom.args:
        return known.interval(atom)
    found = known.intervals.get(atom)
    if found is None:
        found = known.intervals[atom] = _operation_interval(atom, known)
    return found


def _operation_interval(atom: Atom, known: Known) -> Interval:
    parts = [interval(arg, known) for arg in atom.args]
    match atom.kind:
        case "min":
            return min(low for low, _ in parts), min(high for _, high in parts)
        case "max":
            return max(low for low, _ in parts), max(high for _, high in parts)
        case "mod":
            return (0, parts[1][1] - 1) if parts[1][0] >= 1 else (-INFINITY, INFINITY)
    return _divided(parts[0], parts[1], exact=atom.kind == "quotient")


def _divided(a: Interval, b: Interval, exact: bool) -> Interval:
    """The interval of a rounded or exact quotient; divisors that may be zero or less say nothing."""
    if b[0] < 1 or b[1] < b[0]:
        return -INFINITY, INFINITY
    low = _floor(a[0] - 1, b[1] if a[0] > 0 else b[0]) + 1 if exact else _floor(a[0], b[1] if a[0] >= 0 else b[0])
    return low, _floor(a[1], b[0] if a[1] >= 0 else b[1])


def _floor(a: Bound, b: Bound) -> Bound:
    if abs(a) == INFINITY:
        return a
    if b == INFINITY:
        return 0 if a >= 0 else -1
    return a // b


def least(dim: Dim, known: Known) -> Bound:
    """A lower bound: each atom is measured from its own (or down from its upper bound, if it is only taken away).

    That keeps `N * H - N` above -1 where intervals do not.
    """
    low = interval(dim, known)[0]
    return low if low > -INFINITY or len(dim.terms) > MAX_EXPANSION else _least_from_bounds(dim, known)


def _least_from_bounds(dim: Dim, known: Known) -> Bound:
    gained = {atom for mono, c in dim.terms if c > 0 for atom in mono}
    starts: dict[Atom, tuple[Bound, int]] = {}
    for atom in dict.fromkeys(dim.atoms()):
        low, high = atom_interval(atom, known)
        at = starts[atom] = (high, -1) if atom not in gained and high < INFINITY else (low, 1)
        if abs(at[0]) == INFINITY:
            return -INFINITY
    if sum(2 ** len(mono) for mono, _ in dim.terms) > MAX_EXPANSION:
        return -INFINITY
    total: dict[Monomial, int] = {}
    for mono, c in dim.terms:
        for part, k in _expanded(mono, c, starts):
            total[part] = total.get(part, 0) + k
    at_start = total.pop((), 0)
    return at_start if all(c >= 0 for c in total.values()) else -INFINITY


def _expanded(mono: Monomial, c: int, starts: dict[Atom, tuple[Any, int]]) -> list[tuple[Monomial, int]]:
    """The term with every atom written as start + direction * distance; the atom then stands for the distance."""
    terms: list[tuple[Monomial, int]] = [((), c)]
    for atom in mono:
        at, direction = starts[atom]
        terms = [(part, k * at) for part, k in terms if at] + [((*part, atom), k * direction) for part, k in terms]
    return terms


def tightened(dim: Dim) -> Dim:
    """`dim >= 0` for whole numbers: `2 * N - 3 >= 0` is `N - 2 >= 0`."""
    rest = dim - dim.constant
    number = content(rest)
    if number < 2:
        return dim
    return Dim(tuple((mono, c // number) for mono, c in rest.terms)) + dim.constant // number


def without_floor(dim: Dim, known: Known) -> Dim:
    """`floor_div(p, q) + r >= 0` is `p + q * r >= 0`, and `r - floor_div(p, q) >= 0` is `q * r + q - 1 - p >= 0`, for q above zero."""
    found = [(mono[0], c) for mono, c in dim.terms if abs(c) == 1 and len(mono) == 1 and mono[0].kind == "floor_div"]
    if len(found) != 1 or interval(found[0][0].args[1], known)[0] < 1:
        return dim
    (atom, c), (p, q) = found[0], found[0][0].args
    r = dim - single((atom,), c)
    return p + q * r if c > 0 else q * r + q - 1 - p


@dataclass(slots=True)
class Budget:
    """How many sums may still be formed before the answer is "unknown"."""

    left: int = 24


def nonnegative(dim: Dim, known: Known, budget: Budget) -> tuple[Any, ...] | None:
    """The spans that show `dim >= 0`, or None if that was not found."""
    return _search(dim, known, budget, set(), MAX_DEPTH)


def _search(dim: Dim, known: Known, budget: Budget, seen: set[Dim], depth: int) -> tuple[Any, ...] | None:
    if least(dim, known) >= 0:
        return ()
    dim = tightened(without_floor(dim, known))
    if least(dim, known) >= 0:
        return ()
    if depth == 0 or len(dim.terms) > MAX_SUMMANDS or dim in seen or interval(dim, known)[1] < 0:
        return None
    seen.add(dim)
    for smaller, spans in _reductions(dim, known):
        budget.left -= 1
        if budget.left < 0:
            return None
        rest = _search(smaller, known, budget, seen, depth - 1)
        if rest is not None:
            return spans + rest
    return None


def _reductions(dim: Dim, known: Known) -> Iterator[Inequality]:
    """Sums that are easier to show, each a positive multiple of `dim` less a known inequality, so that one term goes away."""
    usable = [*known.nonnegative, *implied(dim, known)]
    for mono, c in dim.terms:
        if mono and (c < 0 or any(atom.args for atom in mono)):
            for other, spans in usable:
                yield from ((smaller, spans) for smaller in _cancelled(dim, mono, c, other, known))


def _cancelled(dim: Dim, mono: Monomial, c: int, other: Dim, known: Known) -> Iterator[Dim]:
    for part, d in other.terms:
        factor = without(mono, part) if part and (c < 0) == (d < 0) else None
        if factor is not None and all(atom_interval(atom, known)[0] >= 0 for atom in factor):
            yield dim * abs(d) - other * single(factor, abs(c))


def implied(dim: Dim, known: Known) -> Iterator[Inequality]:
    """What the operations in `dim` say about themselves: `q * floor_div(p, q) <= p`, `min(p, q) <= p`."""
    for atom in dict.fromkeys(dim.atoms()):
        result = single((atom,))
        match atom.kind, atom.args:
            case "floor_div", (p, q) if interval(q, known)[0] >= 1:
                yield p - q * result, ()
                yield q * result + q - 1 - p, ()
            case "quotient", (p, q):
                yield p - q * result, ()
                yield q * result - p, ()
                least_divisor = interval(q, known)[0]
                if least_divisor >= 1 and atom_interval(atom, known)[0] >= 0:  # q * (p / q) is p, so no product says this
                    yield p - result, ()
                    yield p - int(least_divisor) * result, ()
            case "min", args:
                yield from ((arg - result, ()) for arg in args)
            case "max", args:
                yield from ((result - arg, ()) for arg in args)
