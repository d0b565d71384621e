"""Sizes in source syntax: `4 * D`, `H * K + 1`, `ceil_div(N, 2)`, `N - 1`. Unknowns stand under their unique keys."""

from collections.abc import Iterable
from functools import reduce

from tensorlogic.types.polynomial import Atom, Monomial, Terms, added, constant, number, scaled

SIGNS = {"quotient": "/", "mod": "%"}
_TAKES_NUMBER = ("floor_div", "min", "max")


def text(a: Terms) -> str:
    return _sum(_readable(a))


def operation_text(kind: str, args: Iterable[str]) -> str:
    """An operation on operands that are text already."""
    if kind in SIGNS:
        return f"({f' {SIGNS[kind]} '.join(map(parenthesized, args))})"
    return reduce(lambda left, right: f"{kind}({left}, {right})", args)


def parenthesized(operand: str) -> str:
    return f"({operand})" if " " in operand else operand


def _readable(a: Terms) -> list[tuple[str, int]]:
    """(text of the monomial, coefficient) in the order to print; a number beside one rounded division goes into it."""
    terms = [(_monomial(mono, c), c) for mono, c in a if mono]
    lone = [(i, mono[0]) for i, (mono, c) in enumerate(a) if c == 1 and len(mono) == 1 and mono[0].kind in _TAKES_NUMBER]
    left = constant(a)
    if len(lone) == 1:
        index, atom = lone[0]
        replaced, left = (_rounded if atom.kind == "floor_div" else _shifted)(atom, left)
        terms[index] = (replaced, 1)
    return [*terms, ("", left)] if left else terms


def _rounded(atom: Atom, n: int) -> tuple[str, int]:
    """A rounded division plus a number, as ceil_div where that reads better, and the number that is left."""
    a, b = (arg.terms for arg in atom.args)
    divisor = atom.args[1].value
    if divisor is None and constant(a) == -1 and n >= 1:
        return operation_text("ceil_div", (text(added(a, number(1))), text(b))), n - 1
    if divisor is not None and n < 0:
        return operation_text("floor_div", (text(added(a, scaled(b, n))), text(b))), 0
    if divisor is not None and constant(a) == divisor - 1:
        return operation_text("ceil_div", (text(added(a, number(-constant(a)))), text(b))), n
    return atom.key, n


def _shifted(atom: Atom, n: int) -> tuple[str, int]:
    """`max(N, 4) - 1` as `max(N - 1, 3)`."""
    if n >= 0 or all(arg.value is None for arg in atom.args):
        return atom.key, n
    return operation_text(atom.kind, [text(added(arg.terms, number(n))) for arg in atom.args]), 0


def _monomial(mono: Monomial, c: int) -> str:
    if len(mono) == 1 and (mono[0].kind == "quotient" and abs(c) == 1 or mono[0].kind == "mod" and c == 1):
        return mono[0][1:-1]
    return " * ".join([*(atom for atom in mono if atom.kind not in SIGNS), *(atom for atom in mono if atom.kind in SIGNS)])


def _sum(terms: list[tuple[str, int]]) -> str:
    """What is added stands before what is taken away, because the syntax has no sign."""
    first = next((i for i, (_, c) in enumerate(terms) if c > 0), None)
    if first is None:
        return "0" + "".join(f" - {_term(mono, -c)}" for mono, c in terms)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    return "".join(f" {'+' if c > 0 else '-'} {_term(mono, abs(c))}" for mono, c in ordered)[3:]


def _term(mono: str, c: int) -> str:
    if not mono:
        return str(c)
    return mono if c == 1 else f"{c} * {mono}"
