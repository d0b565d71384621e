"""Sizes of tensor axes in a normal form, so that equal sizes are equal values.

A `Dim` is a polynomial with integer coefficients over atoms: names, unknowns, and operations that no rule here removes.
The rules hold for every value of the names; what needs a `where` is done by `facts.py`. Exact quotients are taken to be
exact, because that they divide is an obligation of its own: `H * (D / H)` is `D`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, reduce
from itertools import count
from math import gcd

from tensorlogic.types import polynomial
from tensorlogic.types.dim_text import operation_text, parenthesized, text
from tensorlogic.types.polynomial import Atom, DimTooLarge, Monomial, Terms, without

__all__ = ["ONE", "ZERO", "Atom", "Dim", "DimTooLarge", "Monomial", "cancel", "content", "divide", "rebuild", "single", "without"]

MAX_ATOM_DEPTH = 24
MAX_ATOM_TEXT = 4000

_serial = count(1)
_SERIAL_NUMBER = re.compile(r"#\d+")


class Dim:
    """The size of an axis: immutable, hashable, equal when the normal forms are. `DimTooLarge` beyond the limits."""

    __slots__ = ("_hash", "_symbols", "_text", "terms")
    terms: Terms

    def __init__(self, terms: Terms) -> None:
        """`terms` must already be in normal form; people use `const`, `sym` and arithmetic."""
        self.terms = terms
        self._hash = hash(terms)
        self._symbols: frozenset[str] | None = None
        self._text: str | None = None

    @staticmethod
    def const(n: int) -> "Dim":
        return Dim(polynomial.number(n))

    @staticmethod
    @lru_cache(4096)
    def sym(name: str) -> "Dim":
        return _of_atom("symbol", name)

    @staticmethod
    def fresh(name: str = "?") -> "Dim":
        """A new unknown size, different from every other one; it prints as `name`."""
        return _of_atom("unknown", f"{name}#{next(_serial)}")

    @property
    def value(self) -> int | None:
        """The number this is, or None."""
        match self.terms:
            case ():
                return 0
            case (((), n),):
                return n
        return None

    @property
    def constant(self) -> int:
        """The constant term."""
        return polynomial.constant(self.terms)

    @property
    def name(self) -> str | None:
        """The name this is, of a symbol or an unknown, or None."""
        atom = polynomial.lone_atom(self.terms)
        return atom.key if atom is not None and not atom.args else None

    def atoms(self) -> Iterator[Atom]:
        return polynomial.atoms(self.terms)

    def symbols(self) -> frozenset[str]:
        """Names inside, also inside operands; unknowns under their unique keys."""
        if self._symbols is None:
            self._symbols = frozenset().union(*(atom.names for atom in self.atoms()))
        return self._symbols

    @property
    def has_unknown(self) -> bool:
        return any("#" in name for name in self.symbols())

    @property
    def key(self) -> str:
        """Source syntax, unknowns under their unique keys."""
        if self._text is None:
            self._text = text(self.terms)
        return self._text

    def as_operand(self) -> str:
        """Source syntax, in parentheses where that is needed beside `/` or `%`."""
        return parenthesized(str(self))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self._hash == other._hash and self.terms == other.terms)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return _SERIAL_NUMBER.sub("", self.key)

    def __repr__(self) -> str:
        return f"Dim({self.key})"

    def __neg__(self) -> "Dim":
        return Dim(polynomial.scaled(self.terms, -1))

    def __add__(self, other: "Dim | int") -> "Dim":
        return Dim(polynomial.added(self.terms, _as_dim(other).terms))

    __radd__ = __add__

    def __sub__(self, other: "Dim | int") -> "Dim":
        return Dim(polynomial.added(self.terms, polynomial.scaled(_as_dim(other).terms, -1)))

    def __rsub__(self, other: int) -> "Dim":
        return -self + other

    def __mul__(self, other: "Dim | int") -> "Dim":
        return Dim(polynomial.multiplied(self.terms, _as_dim(other).terms))

    __rmul__ = __mul__

    def floor_div(self, other: "Dim | int") -> "Dim":
        """Rounds towards minus infinity. A divisor of zero makes `evaluate` raise, nothing else."""
        return _floor_div(self, _as_dim(other))

    def ceil_div(self, other: "Dim | int") -> "Dim":
        """Rounds up; the divisor is above zero, or a number."""
        other = _as_dim(other)
        if other.value is not None and other.value < 0:
            return (-self).ceil_div(-other)
        return _floor_div(self + other - 1, other)

    def mod(self, other: "Dim | int") -> "Dim":
        """The remainder of `floor_div`."""
        return _mod(self, _as_dim(other))

    def exact_div(self, other: "Dim | int") -> "Dim":
        """The quotient of a division that has no remainder; that it has none is proved elsewhere."""
        return _exact_div(self, _as_dim(other))

    @staticmethod
    def min(a: "Dim | int", b: "Dim | int") -> "Dim":
        return _extreme("min", _as_dim(a), _as_dim(b))

    @staticmethod
    def max(a: "Dim | int", b: "Dim | int") -> "Dim":
        return _extreme("max", _as_dim(a), _as_dim(b))

    def substitute(self, table: "Mapping[str, Dim]") -> "Dim":
        """Every name in `table` replaced, everywhere at once, and the result normalised."""
        names = frozenset(table)
        if names.isdisjoint(self.symbols()):
            return self
        return self.rebuilt(lambda atom: not names.isdisjoint(atom.names), lambda atom: table[atom], rebuild)

    def rebuilt(self, touched: Callable[[Atom], bool], leaf: "Leaf", node: "Node") -> "Dim":
        """The touched atoms replaced from the inside out: names by `leaf(atom)`, operations by `node(kind, operands)`."""

        def image(atom: Atom) -> Terms:
            if not atom.args:
                return leaf(atom).terms
            return node(atom.kind, tuple(arg.rebuilt(touched, leaf, node) for arg in atom.args)).terms

        total: Terms = ()
        for mono, c in self.terms:
            kept = tuple(atom for atom in mono if not touched(atom))
            images = (image(atom) for atom in mono if touched(atom))
            total = polynomial.added(total, reduce(polynomial.multiplied, images, polynomial.single(kept, c)))
        return Dim(total)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The number for these values. ZeroDivisionError for a zero divisor, ArithmeticError where `/` has a remainder."""
        total = 0
        for mono, c in self.terms:
            for atom in mono:
                c *= _evaluate(atom, values) if atom.args else values[atom]
            total += c
        return total


Leaf = Callable[[Atom], Dim]
Node = Callable[[str, tuple[Dim, ...]], Dim]

ZERO = Dim(())
ONE = Dim(polynomial.ONE_TERM)


def _as_dim(value: Dim | int) -> Dim:
    return value if isinstance(value, Dim) else Dim.const(value)


def single(mono: Monomial, c: int = 1) -> Dim:
    """A sum of one term, `c` times `mono`."""
    return Dim(polynomial.single(mono, c))


def divide(a: Dim, b: Dim) -> tuple[Dim, Dim]:
    """(whole, rest) with `a == whole * b + rest`."""
    whole, rest = polynomial.divided(a.terms, b.terms)
    return Dim(whole), Dim(rest)


def content(dim: Dim) -> int:
    """The greatest number that divides every coefficient; 0 for zero."""
    return polynomial.content(dim.terms)


def cancel(a: Dim, b: Dim) -> tuple[Dim, Dim, Dim]:
    """(a', b', common) with `a == a' * common`, `b == b' * common`, the leading coefficient of b' above zero."""
    first, second, common = polynomial.cancelled(a.terms, b.terms)
    return Dim(first), Dim(second), Dim(common)


def _of_atom(kind: str, name: str, args: tuple[Dim, ...] = ()) -> Dim:
    atom = Atom(name)
    atom.kind, atom.args = kind, args
    atom.names = frozenset().union(*(arg.symbols() for arg in args)) if args else frozenset((name,))
    atom.depth = 1 + max((inner.depth for arg in args for inner in arg.atoms()), default=0)
    if atom.depth > MAX_ATOM_DEPTH or len(name) > MAX_ATOM_TEXT:
        raise DimTooLarge(f"a size nests deeper than {MAX_ATOM_DEPTH} operations or is longer than {MAX_ATOM_TEXT} characters")
    return single((atom,))


def _operation(kind: str, *args: Dim) -> Dim:
    """The operation as an atom."""
    return _of_atom(kind, operation_text(kind, [arg.key for arg in args]), args)


@lru_cache(8192)
def _floor_div(a: Dim, b: Dim) -> Dim:
    if not b.terms:
        return _operation("floor_div", a, b)
    a, b, _ = cancel(a, b)
    whole, rest = polynomial.split(a.terms, b.terms)
    if whole:
        return Dim(whole) + _floor_div(Dim(rest), b)
    if not a.terms or b == ONE:
        return a
    if a.value is not None and b.value is not None:
        return Dim.const(a.value // b.value)
    return _nested_floor(a, b) or _operation("floor_div", a, b)


def _nested_floor(a: Dim, b: Dim) -> Dim | None:
    """`floor((floor(x / y) + t) / k)` is `floor((x + y * t) / (y * k))` for a number k > 0."""
    inner = [atom for atom in a.atoms() if atom.kind == "floor_div"]
    if b.value is None or len(inner) != 1 or ((inner[0],), 1) not in a.terms:
        return None
    numerator, divisor = inner[0].args
    beside = a - single((inner[0],))
    return _floor_div(numerator + divisor * beside, divisor * b) if divisor.terms else None


@lru_cache(4096)
def _mod(a: Dim, b: Dim) -> Dim:
    if not b.terms:
        return _operation("mod", a, b)
    a, b, common = cancel(a, b)
    rest = Dim(polynomial.split(a.terms, b.terms)[1])
    if not rest.terms or b == ONE:
        return ZERO
    if common != ONE:
        return common * _mod(rest, b)
    return _operation("mod", rest, b) if b.value is None or rest.value is None else Dim.const(rest.value % b.value)


@lru_cache(4096)
def _exact_div(a: Dim, b: Dim) -> Dim:
    if not b.terms:
        return _operation("quotient", a, b)
    a, b, _ = cancel(a, b)
    if not a.terms or b == ONE:
        return a
    whole, rest = polynomial.split(a.terms, b.terms)
    if whole:
        return Dim(whole) + _exact_div(Dim(rest), b)
    inner = polynomial.lone_atom(a.terms)
    if inner is not None and inner.kind == "quotient":
        return _exact_div(inner.args[0], inner.args[1] * b)
    return _operation("quotient", a, b)


@lru_cache(4096)
def _extreme(kind: str, a: Dim, b: Dim) -> Dim:
    """`min` or `max`: one atom of all operands, sorted, the common shift and the common number taken out."""
    operands: list[Dim] = []
    for operand in (*_operands(kind, a), *_operands(kind, b)):
        _keep_extreme(kind, operands, operand)
    if len(operands) == 1:
        return operands[0]
    shift = min(operand.constant for operand in operands)
    moved = [operand - shift for operand in operands]
    number = gcd(*(content(operand) for operand in moved))
    args = sorted((Dim(polynomial.over(operand.terms, (), number)) for operand in moved), key=lambda dim: dim.key)
    return _operation(kind, *args) * number + shift


def _operands(kind: str, dim: Dim) -> list[Dim]:
    """What `dim` is the minimum (maximum) of, as far as it is one plus a number."""
    atom = polynomial.lone_atom((dim - dim.constant).terms)
    return [arg + dim.constant for arg in atom.args] if atom is not None and atom.kind == kind else [dim]


def _keep_extreme(kind: str, operands: list[Dim], new: Dim) -> None:
    """Add an operand unless it is a known distance from one that is there."""
    for i, old in enumerate(operands):
        distance = (new - old).value
        if distance is not None:
            if (distance < 0) == (kind == "min"):
                operands[i] = new
            return
    operands.append(new)


_OPERATIONS = {"floor_div": Dim.floor_div, "mod": Dim.mod, "quotient": Dim.exact_div, "min": Dim.min, "max": Dim.max}


def rebuild(kind: str, args: Iterable[Dim]) -> Dim:
    """The operation of an atom on other operands."""
    return reduce(_OPERATIONS[kind], args)


def _evaluate(atom: Atom, values: Mapping[str, int]) -> int:
    numbers = [arg.evaluate(values) for arg in atom.args]
    match atom.kind:
        case "floor_div":
            return numbers[0] // numbers[1]
        case "mod":
            return numbers[0] % numbers[1]
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
    if numbers[0] % numbers[1]:
        raise ArithmeticError(f"{atom} is not exact: {numbers[0]} is not a multiple of {numbers[1]}")
    return numbers[0] // numbers[1]
