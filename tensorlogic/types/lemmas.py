"""What is true of the operations and products in a sum, as inequalities; combined, they show more than intervals do."""

from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

from tensorlogic.types.certificate import combined
from tensorlogic.types.dims import Atom, Dim, Monomial, single, without
from tensorlogic.types.linear import (
    INFINITY,
    Budget,
    Inequality,
    Known,
    atom_interval,
    implied,
    interval,
    least,
    nonnegative,
    tightened,
    without_floor,
)

MAX_LEMMAS = 100
MAX_ROUNDS = 4
MAX_TERMS = 24
SHORT = 10
MAX_FLOORS = 6  # that are compared with each other


class Sums:
    """Combinations of facts and lemmas under one set of facts; what is found out about an operation is kept."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.of_atom: dict[Atom, list[Inequality]] = {}

    def show(self, dim: Dim) -> tuple[Any, ...] | None:
        """The spans that show `dim >= 0`, or None."""
        if len(dim.terms) > MAX_TERMS or interval(dim, self.known)[1] < 0 and not self.known.nonnegative:
            return None
        for goal in self._equivalent(dim):
            found = combined(goal, [*self.known.nonnegative, *self._lemmas(goal)])
            if found is not None:
                return found
        return None

    def _equivalent(self, dim: Dim) -> Iterator[Dim]:
        """`dim >= 0` for whole numbers is `q * dim + q - 1 >= 0` for q above zero: that frees a rounded quotient from its divisor."""
        yield dim
        shorter = tightened(without_floor(dim, self.known))
        if shorter != dim:
            yield shorter
        for q in dict.fromkeys(atom.args[1] for atom in dim.atoms() if atom.kind == "floor_div"):
            if q.value is None and interval(q, self.known)[0] >= 1:
                yield q * dim + q - 1

    def _lemmas(self, goal: Dim) -> list[Inequality]:
        """Inequalities about the products in the goal, about those that come up in them, and so on."""
        facts = [*self.known.nonnegative, *self._ordered_floors((goal, *(dim for dim, _ in self.known.nonnegative)))]
        found = dict(facts)
        seen: set[Monomial] = set()
        dims = [goal, *found]
        for turn in range(MAX_ROUNDS):
            monos = [mono for mono in dict.fromkeys(mono for dim in dims for mono, _ in dim.terms) if mono and mono not in seen]
            seen.update(monos)
            new = [pair for mono in monos for pair in self._about(mono, [] if turn else facts)]
            dims = [dim for dim, _ in new if dim not in found]
            found.update(new)
            if not dims or len(found) > MAX_LEMMAS:
                break
        return list(found.items())

    def _about(self, mono: Monomial, facts: list[Inequality]) -> Iterator[Inequality]:
        """Bounds of one factor times the others, and facts about some factors times the others, where these are not negative."""
        for atom in dict.fromkeys(mono):
            for beside in _cofactors(without(mono, (atom,)) or (), atom):
                if self._none_negative(beside):
                    yield from ((single(beside) * dim, spans) for dim, spans in self._of_atom(atom)) if beside else self._of_atom(atom)
        for dim, spans in facts if len(mono) > 1 else ():
            for part, _ in dim.terms:
                beside = without(mono, part) if part else None
                if beside and self._none_negative(beside):
                    yield single(beside) * dim, spans

    def _none_negative(self, beside: Monomial) -> bool:
        return all(atom_interval(atom, self.known)[0] >= 0 for atom in beside)

    def _of_atom(self, atom: Atom) -> list[Inequality]:
        found = self.of_atom.get(atom)
        if found is None:
            found = self.of_atom[atom] = list(_bounds(atom, self.known))
        return found

    def _ordered_floors(self, dims: Iterable[Dim]) -> Iterator[Inequality]:
        """Of two quotients by one divisor that with the larger dividend is not smaller; with up to a divisor more, by 1 at most."""
        floors = list(dict.fromkeys(atom for dim in dims for atom in dim.atoms() if atom.kind == "floor_div"))[:MAX_FLOORS]
        for large, small in permutations(floors, 2):
            (p, q), (r, s) = large.args, small.args
            if q == s and interval(q, self.known)[0] >= 1:
                if least(p - r, self.known) >= 0:
                    yield single((large,)) - single((small,)), ()
                elif least(p - r + q, self.known) >= 0:
                    yield single((large,)) - single((small,)) + 1, ()


def _cofactors(beside: Monomial, atom: Atom) -> Iterator[Monomial]:
    """What stands beside an operation, also without its divisor: what is known of a quotient comes multiplied by that."""
    yield beside
    if atom.kind in ("floor_div", "quotient") and len(atom.args[1].terms) == 1:
        less = without(beside, atom.args[1].terms[0][0])
        if less is not None and less != beside:
            yield less


def _bounds(atom: Atom, known: Known) -> Iterator[Inequality]:
    low, high = atom_interval(atom, known)
    result = single((atom,))
    if low > -INFINITY:
        yield result - int(low), ()
    if high < INFINITY:
        yield int(high) - result, ()
    if atom.kind == "floor_div" and high > 0 and interval(atom.args[1], known)[0] >= 1:
        p, q = atom.args
        spans = nonnegative(q - 1 - p, known, Budget(SHORT))
        if spans is not None:
            yield -result, spans
    yield from implied(result, known)
