"""Which name an equation can be solved for, and when that is worth it."""

from math import gcd

from tensorlogic.types.dims import Atom, Dim, Monomial, single

MAX_REWRITE_TERMS, MAX_REWRITE_DEGREE = 32, 16


def is_unknown(key: str) -> bool:
    return "#" in key


def grown(old: Dim, key: str, value: Dim) -> bool:
    """Whether `old` would become too long, or too high in degree, with `value` for the name."""
    power = max((mono.count(key) for mono, _ in old.terms), default=0)
    degree = max(len(mono) for mono, _ in value.terms or (((), 0),))
    return len(old.terms) * len(value.terms) ** power > MAX_REWRITE_TERMS or degree * max(power, 1) > MAX_REWRITE_DEGREE


def mentions(key: str, *dims: Dim) -> bool:
    return any(key in dim.symbols() for dim in dims)


def alone(dim: Dim, mono: Monomial) -> bool:
    """Whether the term is one name that occurs nowhere else in the sum."""
    return len(mono) == 1 and not mono[0].args and sum(mono[0] in atom.names for atom in dim.atoms()) == 1


def solvable(dim: Dim, modulus: int) -> tuple[Atom, int] | None:
    """(name, coefficient) to solve for: unknowns first, then the last name of the alphabet, new quotients last."""
    found = [(mono[0], c) for mono, c in dim.terms if (abs(c) == 1 if abs(modulus) == 1 else gcd(c, modulus) == 1) and alone(dim, mono)]
    return max(found, key=lambda pair: (is_unknown(pair[0]), not pair[0].startswith("["), pair[0]), default=None)


def inside(lead: Monomial, value: Dim) -> bool:
    """Whether a factor of the leading product hides inside an operation on the other side."""
    names = single(lead).symbols()
    return any(atom.args and not names.isdisjoint(atom.names) for atom in value.atoms())
