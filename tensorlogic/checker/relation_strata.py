"""Whether rules can be evaluated one stratum after the other: no negation, aggregate or sum of weights runs through itself."""

from collections.abc import Iterator

from tensorlogic.checker.relation_atoms import find_relation
from tensorlogic.checker.relation_data import Reading
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.relations import Aggregate, Atom, Literal, Not
from tensorlogic.source import Span
from tensorlogic.syntax import ast


def check_strata(state: State) -> None:
    """TL0503 once for each cycle that is not allowed."""
    readings = state.relations.rules
    needs: dict[str, set[str]] = {}
    for reading in readings:
        needs.setdefault(reading.head.unique, set()).update(name for name, _ in used(reading.rule.body))
    reach = {name: _reached(name, needs) for name in needs}
    told: set[frozenset[str]] = set()
    for reading in readings:
        head = reading.head.unique
        for name, strict in used(reading.rule.body):
            cycle = frozenset(n for n in reach[head] if head in reach.get(n, ())) if name in reach[head] else frozenset()
            inside = head in reach.get(name, ())
            if inside and strict and cycle not in told:
                told.add(cycle)
                _report(state, reading, name)
        _check_weights(state, reading, reach)


def used(body: tuple[Literal, ...]) -> Iterator[tuple[str, bool]]:
    """The relations of a body, each with whether it must be complete before."""
    for part in body:
        match part:
            case Atom(relation):
                yield relation, False
            case Not(Atom(relation)):
                yield relation, True
            case Aggregate(_, _, _, inner):
                yield from ((name, True) for name, _ in used(inner))


def _reached(name: str, needs: dict[str, set[str]]) -> set[str]:
    """Every relation that `name` rests on; itself only where it is recursive."""
    found: set[str] = set()
    pending = list(needs[name])
    while pending:
        at = pending.pop()
        if at not in found:
            found.add(at)
            pending += needs.get(at, ())
    return found


def _report(state: State, reading: Reading, name: str) -> None:
    span, word = _place(state, reading.node, name)
    labels = (Label(reading.node.head.span, f"`{reading.head.name}` is defined here"),)
    title = f"`{reading.head.name}` rests on {word} `{state.relations.names[name].name}`, which rests on it again"
    help = "the relation behind `not` or in an aggregate must be complete before this rule"
    state.error("TL0503", span, title, "runs in a circle", help, labels=labels)


def _place(state: State, node: ast.Rule, name: str) -> tuple[Span, str]:
    """Where a rule negates a relation, or puts it together."""
    for item in ast.walk(*node.body):
        match item:
            case ast.Unary(op="not", operand=ast.Call() as atom) if _is(state, atom, name):
                return item.span, "`not`"
            case ast.Aggregate() if any(_is(state, a, name) for a in item.body if isinstance(a, ast.Call)):
                return item.span, "an aggregate of"
    return node.span, "an aggregate of"


def _is(state: State, atom: ast.Call, name: str) -> bool:
    found = find_relation(state, atom, quiet=True)
    return found is not None and found.unique == name


def _check_weights(state: State, reading: Reading, reach: dict[str, set[str]]) -> None:
    """Sums of weights over a cycle have no end of their own."""
    head, rule = reading.head, reading.rule
    recursive = any(head.unique in reach.get(name, ()) and name in reach[head.unique] for name, _ in used(rule.body))
    if recursive and head.weighted and head.semiring == "sum" and rule.steps is None and rule.tol is None:
        help = ("say where it ends: `where steps <= 10`, or `where tol < 1e-6`", "or take the best proof only: `max=` or `min=`")
        state.error("TL0503", reading.node.span, f"the proofs of `{head.name}` add up, and this recursion has no end", "sums", help)
