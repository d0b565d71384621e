"""Operations brought to few forms, so that proofs by cases meet each of them once.

A minimum or maximum of two becomes a number beside `max(0, difference)`, nested divisions one, and of a division by `2 * T` the
division by T becomes a name of its own, with the facts that say so, so that the numbers stand alone.
"""

from collections.abc import Iterator
from functools import reduce
from math import gcd

from tensorlogic.types.dims import ONE, ZERO, Atom, Dim, Node, content, divide, rebuild, single
from tensorlogic.types.goals import Goal, Rel
from tensorlogic.types.linear import interval, least
from tensorlogic.types.polynomial import over
from tensorlogic.types.solve import Solved

MAX_NESTING = 4
OPERATIONS = ("min(", "max(", "floor_div(")


def inner_atoms(dim: Dim) -> Iterator[Atom]:
    """The atoms, those inside operands first."""
    for atom in dim.atoms():
        for arg in atom.args:
            yield from inner_atoms(arg)
        yield atom


def replaced(dim: Dim, target: Atom, value: Dim) -> Dim:
    """With the value in place of the operation, also inside others."""
    alone = single((target,))

    def node(kind: str, args: tuple[Dim, ...]) -> Dim:
        made = rebuild(kind, args)
        return value if made == alone else made

    return dim.rebuilt(lambda atom: bool(atom.args) and target in atom, lambda atom: single((atom,)), node)


class Canonical:
    """Rewrites sizes that `solved` has normalised; `facts` are those about the names that came up, to be added to it."""

    def __init__(self, solved: Solved) -> None:
        self.solved = solved
        self.facts: list[Goal] = []
        self.units: dict[Dim, int] = {}  # of each divisor without its number: what divides all numbers that it has

    def dims(self, dims: list[Dim]) -> list[Dim]:
        if not any(operation in dim.key for dim in dims for operation in OPERATIONS):
            return dims
        dims = [self._rewritten(dim, self._flattened) for dim in dims]
        divisors = list(dict.fromkeys(atom.args[1] for dim in dims for atom in inner_atoms(dim) if atom.kind == "floor_div"))
        for divisor in divisors:
            number = content(divisor)
            if number:
                alone = Dim(over(divisor.terms, (), number))
                self.units[alone] = gcd(self.units.get(alone, 0), number)
        if all(content(divisor) == self.units.get(Dim(over(divisor.terms, (), content(divisor) or 1))) for divisor in divisors):
            return dims
        return [self._rewritten(dim, self._with_names) for dim in dims]

    def _rewritten(self, dim: Dim, node: Node) -> Dim:
        return dim.rebuilt(lambda atom: bool(atom.args), lambda atom: single((atom,)), node)

    def _flattened(self, kind: str, args: tuple[Dim, ...]) -> Dim:
        match kind:
            case "min" | "max":
                return reduce(self._least if kind == "min" else self._greatest, args)
            case "floor_div":
                a, b = args
                for _ in range(MAX_NESTING):
                    flat = self._flat(a, b)
                    if flat is None:
                        break
                    a, b = flat
                return a.floor_div(b)
        return rebuild(kind, args)

    def _with_names(self, kind: str, args: tuple[Dim, ...]) -> Dim:
        """`floor(a / (k * y))` is `floor(floor(a / y) / k)`, the inner quotient by a name."""
        if kind != "floor_div" or not content(args[1]) or interval(args[1], self.solved)[0] < 1:
            return rebuild(kind, args)
        a, b = args
        number = content(b)
        alone = Dim(over(b.terms, (), number))
        unit = self.units.get(alone, number)
        part = alone * unit
        whole, rest = divide(a, part) if unit > 1 or alone != ONE else (a, ZERO)
        return (whole + self._named(rest, part)).floor_div(number // unit)

    def _flat(self, a: Dim, b: Dim) -> tuple[Dim, Dim] | None:
        """`floor((floor(x / y) + t) / b)` is `floor((x + y * t) / (y * b))` for b above zero."""
        inner = [mono[0] for mono, c in a.terms if c == 1 and len(mono) == 1 and mono[0].kind == "floor_div"]
        if len(inner) != 1 or interval(b, self.solved)[0] < 1:
            return None
        x, y = inner[0].args
        return (x + y * (a - single((inner[0],))), y * b) if y.terms else None

    def _named(self, dividend: Dim, divisor: Dim) -> Dim:
        """A name for a rounded quotient. Names with a `#` are zero or more, so only for one that is."""
        quotient = dividend.floor_div(divisor)
        if quotient.value is not None or interval(quotient, self.solved)[0] < 0:
            return quotient
        name = Dim.sym(f"[{quotient.key}]#")
        facts = [Rel("<=", divisor * name, dividend), Rel("<", dividend, divisor * name + divisor)]  # an equation would rewrite it
        self.facts += [fact for fact in facts if fact not in self.facts]
        return name

    def _greatest(self, a: Dim, b: Dim) -> Dim:
        low, more = self._above(a, b)
        return low + more

    def _least(self, a: Dim, b: Dim) -> Dim:
        low, more = self._above(a, b)
        return a + b - low - more

    def _above(self, a: Dim, b: Dim) -> tuple[Dim, Dim]:
        """One of the two, and how much the greater is above it: the same `max(0, d)` whichever comes first."""
        difference = a - b
        if difference.terms and difference.terms[0][1] < 0:
            a, b, difference = b, a, -difference
        if least(difference, self.solved) >= 0:
            return b, difference
        if least(-difference, self.solved) >= 0:
            return b, ZERO
        return b, Dim.max(ZERO, difference)
