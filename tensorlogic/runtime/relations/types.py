"""The types of a rule's variables, from the columns they stand in."""

from collections.abc import Callable

from tensorlogic.runtime.relations.numbers import type_of
from tensorlogic.runtime.relations.terms import Aggregate, Atom, Compare, Literal, Not, Rule, names_in

Columns = Callable[[str], tuple[str, ...]]


def types_of(rule: Rule, columns: Columns) -> dict[str, str]:
    """`int`, `float`, `string` or an entity type for every variable of a rule."""
    found: dict[str, str] = {}
    _body(rule.body, columns, found)
    return found


def _body(body: tuple[Literal, ...], columns: Columns, found: dict[str, str]) -> None:
    """Atoms first, then what `=` and aggregates give, until nothing is added."""
    for literal in body:
        atom = literal.atom if isinstance(literal, Not) else literal
        if isinstance(atom, Atom):
            for term, kind in zip(atom.terms, columns(atom.relation), strict=True):
                if isinstance(term, str):
                    found.setdefault(term, kind)
    before = -1
    while before != len(found):
        before = len(found)
        for literal in body:
            if isinstance(literal, Compare) and literal.op == "=":
                _equal(literal, found)
            elif isinstance(literal, Aggregate):
                _body(literal.body, columns, found)
                if literal.value in found:
                    kinds = {"count": "int", "mean": "float"}
                    found.setdefault(literal.result, kinds.get(literal.op, found[literal.value]))


def _equal(compare: Compare, found: dict[str, str]) -> None:
    for name, value in ((compare.left, compare.right), (compare.right, compare.left)):
        if isinstance(name, str) and name not in found and all(other in found for other in names_in(value)):
            found[name] = type_of(value, found)
