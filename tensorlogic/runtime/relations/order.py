"""In which order the parts of a rule's body are evaluated, and which variables each step still has to keep."""

from collections.abc import Callable
from dataclasses import dataclass

from tensorlogic.runtime.relations.terms import Aggregate, Atom, Compare, Known, Literal, Not, names_in, variables_of

Size = Callable[[Atom], int]
GUESS = 0.1  # the share of rows that one bound column leaves


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a body; `place` is where it stands there, `keep` are the variables that are read behind it."""

    place: int
    literal: Literal
    keep: frozenset[str]


def steps_of(
    body: tuple[Literal, ...], wanted: tuple[str, ...], size: Size, first: int | None = None, bound: frozenset[str] = frozenset()
) -> tuple[Step, ...]:
    """The body in an order in which every part has what it needs, small joins first; `first` begins where it is given."""
    left = list(range(len(body)))
    known, order = set(bound), []
    while left:
        place = first if first in left and _is_atom(body, first) else _next(body, left, known, size)
        left.remove(place)
        order.append(place)
        known.update(_bound_by(body[place]))
    keep, found = set(wanted), []
    for place in reversed(order):
        found.append(Step(place, body[place], frozenset(keep)))
        keep.update(variables_of(body[place]))
    return tuple(reversed(found))


def _is_atom(body: tuple[Literal, ...], place: int | None) -> bool:
    return place is not None and isinstance(body[place], Atom)


def _bound_by(literal: Literal) -> tuple[str, ...]:
    """What has a value behind it; of a comparison only what `=` binds is new."""
    return () if isinstance(literal, Not) else variables_of(literal)


def _next(body: tuple[Literal, ...], left: list[int], known: set[str], size: Size) -> int:
    """A filter as soon as it can be evaluated, else the atom that leaves the fewest rows, else an aggregate."""
    for place in left:
        literal = body[place]
        if isinstance(literal, Compare) and is_ready(literal, known):
            return place
        if isinstance(literal, Not) and set(variables_of(literal)) <= known:
            return place
    aggregates = [p for p in left if isinstance(body[p], Aggregate)]
    ready = [p for p in aggregates if _outer(body, p) <= known]
    if ready:
        return ready[0]
    atoms = [p for p in left if isinstance(body[p], Atom)]
    if atoms:
        return min(atoms, key=lambda place: _cost(body[place], known, size))  # type: ignore[arg-type]
    return aggregates[0] if aggregates else left[0]


def is_ready(compare: Compare, known: set[str] | frozenset[str]) -> bool:
    """Whether all has a value, or `=` can give one to the only name that has none."""
    left, right = set(names_in(compare.left)) - known, set(names_in(compare.right)) - known
    if not left and not right:
        return True
    if compare.op != "=":
        return False
    return (isinstance(compare.left, str) and not right) or (isinstance(compare.right, str) and not left)


def _outer(body: tuple[Literal, ...], place: int) -> set[str]:
    """The variables that an aggregate shares with the rest of the body."""
    others = {name for at, literal in enumerate(body) if at != place for name in variables_of(literal)}
    return others & set(group_of(body[place]))  # type: ignore[arg-type]


def group_of(aggregate: Aggregate) -> tuple[str, ...]:
    """Every variable of its body but the one whose values are put together."""
    names = (name for literal in aggregate.body for name in variables_of(literal))
    return tuple(dict.fromkeys(name for name in names if name != aggregate.value))


def _cost(atom: Atom, known: set[str], size: Size) -> tuple[bool, float]:
    fixed = sum(isinstance(term, Known) or term in known for term in atom.terms if term is not None)
    return (bool(known) and not fixed and bool(atom.terms), size(atom) * GUESS**fixed)
