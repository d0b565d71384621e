"""Polynomials with integer coefficients as plain sorted tuples: the arithmetic below `Dim`.

A term is (monomial, coefficient), a monomial a sorted tuple of atoms, repeated for powers. Terms are in graded
lexicographic order, the highest degree first and the constant last, without zeros; so equal polynomials are equal tuples.
"""

from collections.abc import Iterable, Iterator
from math import gcd
from typing import Any

MAX_TERMS = 2000
MAX_COEFFICIENT_BITS = 256
MAX_DEGREE = 256
MAX_CANCELLATIONS = 32
MAX_DIVISION_STEPS = 64


class DimTooLarge(Exception):
    """A size became larger than the checker is willing to reason about; callers answer "unknown"."""


class Atom(str):
    """An indivisible factor. Its text is its identity, so atoms compare, sort and hash at the speed of strings.

    `kind` is symbol, unknown, floor_div, mod, min, max or quotient; `args` are the operands (`Dim`) of the last five,
    `names` the symbols inside, `depth` how deep operations are nested.
    """

    __slots__ = ("args", "depth", "kind", "names")
    kind: str
    args: tuple[Any, ...]
    depth: int
    names: frozenset[str]

    @property
    def key(self) -> str:
        """The text as a plain string."""
        return str.__str__(self)


Monomial = tuple[Atom, ...]
Terms = tuple[tuple[Monomial, int], ...]

ONE_TERM: Terms = (((), 1),)


def normal(total: dict[Monomial, int]) -> Terms:
    return tuple(sorted(((mono, c) for mono, c in total.items() if c), key=_order))


def _order(term: tuple[Monomial, int]) -> tuple[int, Monomial]:
    return -len(term[0]), term[0]


def number(n: int) -> Terms:
    check_coefficient(n)
    return (((), n),) if n else ()


def single(mono: Monomial, c: int = 1) -> Terms:
    return ((mono, c),) if c else ()


def check_coefficient(n: int) -> None:
    if n.bit_length() > MAX_COEFFICIENT_BITS:
        raise DimTooLarge(f"a number in a size has more than {MAX_COEFFICIENT_BITS} bits")


def constant(a: Terms) -> int:
    return a[-1][1] if a and not a[-1][0] else 0


def lone_atom(a: Terms) -> Atom | None:
    """The atom that `a` is, or None."""
    return a[0][0][0] if len(a) == 1 and a[0][1] == 1 and len(a[0][0]) == 1 else None


def atoms(a: Terms) -> Iterator[Atom]:
    return (atom for mono, _ in a for atom in mono)


def scaled(a: Terms, k: int) -> Terms:
    return tuple((mono, c * k) for mono, c in a) if k else ()


def added(a: Terms, b: Terms) -> Terms:
    if not a or not b:
        return a or b
    total = dict(a)
    for mono, c in b:
        total[mono] = total.get(mono, 0) + c
    return normal(total)


def multiplied(a: Terms, b: Terms) -> Terms:
    """The product, with `q * (p / q)` multiplied out to `p`."""
    product = expanded(a, b)
    for _ in range(MAX_CANCELLATIONS):
        smaller = _multiplied_out(product)
        if smaller is None:
            break
        product = smaller
    return product


def expanded(a: Terms, b: Terms) -> Terms:
    """The product as a polynomial, quotients left as they are."""
    if len(a) * len(b) > 20 * MAX_TERMS:
        raise DimTooLarge(f"a product of sizes has more than {MAX_TERMS} terms")
    total: dict[Monomial, int] = {}
    for left, c in a:
        for right, d in b:
            mono = tuple(sorted(left + right)) if left and right else left or right
            total[mono] = total.get(mono, 0) + c * d
    if len(total) > MAX_TERMS or any(len(mono) > MAX_DEGREE for mono in total):
        raise DimTooLarge(f"a product of sizes has more than {MAX_TERMS} terms or a degree above {MAX_DEGREE}")
    for c in total.values():
        check_coefficient(c)
    return normal(total)


def _multiplied_out(a: Terms) -> Terms | None:
    """What stands beside a quotient divided by its divisor, for the first quotient where that goes; None if nowhere."""
    for atom in dict.fromkeys(atom for atom in atoms(a) if atom.kind == "quotient"):
        dividend, divisor = (arg.terms for arg in atom.args)
        beside = normal({without(mono, (atom,)) or (): c for mono, c in a if atom in mono})
        whole, rest = divided(beside, divisor)
        if whole and (len(divisor) == 1 or not rest):
            others = tuple((mono, c) for mono, c in a if atom not in mono)
            kept = normal({tuple(sorted((*mono, atom))): c for mono, c in rest})
            return added(added(others, kept), expanded(whole, dividend))
    return None


def without(mono: Monomial, part: Monomial) -> Monomial | None:
    """`mono` with the factors of `part` taken out, or None if they are not all there."""
    if not part:
        return mono
    left = list(mono)
    for atom in part:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def divided(a: Terms, b: Terms) -> tuple[Terms, Terms]:
    """(whole, rest) with `a == whole * b + rest`; each step divides by the leading term of `b`."""
    whole: Terms = ()
    for _ in range(len(a) + MAX_DIVISION_STEPS if b else 0):
        steps = ((without(mono, b[0][0]), c // b[0][1]) for mono, c in a)
        found = normal({mono: c for mono, c in steps if mono is not None})
        if not found:
            break
        whole, a = added(whole, found), added(a, scaled(expanded(found, b), -1))
    return whole, a


def split(a: Terms, b: Terms) -> tuple[Terms, Terms]:
    """The multiples of `b` in `a`, and the rest; for a sum `b` only if that makes the rest shorter."""
    whole, rest = divided(a, b)
    return (whole, rest) if len(b) == 1 or len(rest) < len(a) else ((), a)


def content(a: Terms) -> int:
    """The greatest number that divides every coefficient; 0 for zero."""
    return gcd(*(c for _, c in a))


def shared_factors(polynomials: Iterable[Terms]) -> Monomial:
    """The atoms that every term contains."""
    monos = [mono for a in polynomials for mono, _ in a]
    shared: list[Atom] = []
    for atom in dict.fromkeys(min(monos, key=len, default=())):
        shared += [atom] * min(mono.count(atom) for mono in monos)
    return tuple(sorted(shared))


def over(a: Terms, mono: Monomial, k: int) -> Terms:
    """`a` divided by a monomial and a number that divide every term."""
    return normal({without(m, mono) or (): c // k for m, c in a})


def cancelled(a: Terms, b: Terms) -> tuple[Terms, Terms, Terms]:
    """(a', b', common) with `a == a' * common`, `b == b' * common`, the leading coefficient of b' above zero."""
    if not b:
        return a, b, ONE_TERM
    shared = shared_factors((a, b))
    k = gcd(content(a), content(b)) * (1 if b[0][1] > 0 else -1)
    common = ONE_TERM
    if k != 1 or shared:
        a, b, common = over(a, shared, k), over(b, shared, k), single(shared, k)
    return _without_sum(a, b, common) if len(a) > 1 and len(b) > 1 else (a, b, common)


def _without_sum(a: Terms, b: Terms, common: Terms) -> tuple[Terms, Terms, Terms]:
    """`(T - 1) * D / (2 * (T - 1))`: a sum that divides both."""
    number = content(b)
    factor = over(b, (), number)
    whole, rest = divided(a, factor) if number > 1 else ((), a)
    return (a, b, common) if rest else (whole, single((), number), expanded(common, factor))
