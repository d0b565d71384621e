"""z3 as a second opinion on a goal: is there an assignment that meets the facts and breaks it?"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import z3

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Divides, Goal, Member, Rel, goal_symbols, holds
from tensorlogic.types.prove import Proved, Refuted, Unknown
from tests.properties.goals import Claim, Tree

SECONDS = 1.0
KINDS = {"quotient": "exact_div"}
COMPARE = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def tree_of(dim: Dim) -> Tree:
    """The polynomial as the tree it stands for."""
    terms: list[Tree] = []
    for mono, c in dim.terms:
        factors: list[Tree] = [c] if c != 1 or not mono else []
        for atom in mono:
            kind = KINDS.get(atom.kind, atom.kind)
            factors.append(reduce(lambda a, b, kind=kind: (kind, a, b), map(tree_of, atom.args)) if atom.args else atom.key)
        terms.append(reduce(lambda a, b: ("*", a, b), factors))
    return reduce(lambda a, b: ("+", a, b), terms) if terms else 0


def claim_of(goal: Goal) -> Claim:
    match goal:
        case Rel(op, left, right):
            return Claim(op, tree_of(left), tree_of(right))
        case Divides(divisor, dividend):
            return Claim("divides", tree_of(divisor), tree_of(dividend))
        case Member(dim, values):
            return Claim("in", tree_of(dim), values=values)


class Translation:
    """Trees as z3 terms; `defined` holds where every division has a value."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.defined: list[Any] = []

    def claim(self, claim: Claim) -> Any:
        left = self.tree(claim.left)
        match claim.op:
            case "divides":
                right = self.tree(claim.right)
                return self._rest(right, self._divisor(left)) == 0
            case "in":
                return z3.Or(*(left == n for n in sorted(claim.values)))
        return COMPARE[claim.op](left, self.tree(claim.right))

    def tree(self, tree: Tree) -> Any:
        match tree:
            case str():
                return self.names.setdefault(tree, z3.Int(tree))
            case int():
                return z3.IntVal(tree)
        op, a, b = tree[0], self.tree(tree[1]), self.tree(tree[2])
        match op:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "min":
                return z3.If(a <= b, a, b)
            case "max":
                return z3.If(a >= b, a, b)
        return self._divided(op, a, self._divisor(b))

    def _divisor(self, b: Any) -> Any:
        self.defined.append(b != 0)
        return b

    def _divided(self, op: str, a: Any, b: Any) -> Any:
        match op:
            case "ceil_div":
                return -self._floor(-a, b)
            case "mod":
                return self._rest(a, b)
            case "exact_div":
                self.defined.append(self._rest(a, b) == 0)
        return self._floor(a, b)

    def _floor(self, a: Any, b: Any) -> Any:
        """z3 rounds so that the remainder is not negative, Python so that it has the sign of the divisor."""
        return a / b if _positive(b) else z3.If(b > 0, a / b, -a / -b)

    def _rest(self, a: Any, b: Any) -> Any:
        return a % b if _positive(b) else z3.If(b > 0, a % b, -(-a % -b))


def _positive(b: Any) -> bool:
    return z3.is_int_value(b) and b.as_long() > 0


@dataclass(frozen=True)
class Verdict:
    """`right`: the answer is sound. `z3`: what it says about a counterexample, see `judge`; "" where it was not asked."""

    right: bool
    z3: str = ""


def judge(
    goal: Goal,
    facts: Facts,
    answer: Proved | Refuted | Unknown,
    made_from: tuple[Claim, tuple[Claim, ...]] | None = None,
    seconds: float = SECONDS,
) -> Verdict:
    """A witness is put into the facts and the goal; for the other answers z3 looks for a counterexample.

    It is "sat" if there is one, "unsat" if not, "unknown" if z3 took longer than it may. "open" is a goal about a size known
    only at run time (`?`) that holds for some sizes and not for others: unknown is the only right answer. `made_from`: the trees
    of the goal and of the facts, before they became normal forms.
    """
    if isinstance(answer, Refuted):
        return Verdict(_breaks(goal, facts, answer.witness))
    claim, where = made_from or (claim_of(goal), tuple(claim_of(fact) for fact, _ in facts.given))
    found = counterexample(claim, where, facts.solved.stated, seconds)
    if isinstance(answer, Proved):
        return Verdict(found != "sat", found)
    if found == "sat" and any("#" in name for name in goal_symbols(goal)):
        example = counterexample(claim, where, facts.solved.stated, seconds, holds=True)
        return Verdict(True, "open" if example == "sat" else found)
    return Verdict(True, found)


def _breaks(goal: Goal, facts: Facts, witness: dict[str, int]) -> bool:
    """Whether the numbers, each as large as a size must be, meet the facts about them and break the goal."""
    about = [fact for fact, _ in facts.given if goal_symbols(fact) <= witness.keys()]
    least = facts.solved.stated
    admissible = all(n >= least.get(name, 0 if "#" in name else 1) for name, n in witness.items())
    return admissible and goal_symbols(goal) <= witness.keys() and all(holds(fact, witness) for fact in about) and not holds(goal, witness)


def counterexample(claim: Claim, where: tuple[Claim, ...], least: dict[str, int], seconds: float, *, holds: bool = False) -> str:
    """What z3 says in this time; with `holds` about sizes for which the claim is true."""
    to = Translation()
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    facts, claimed = [to.claim(fact) for fact in where], to.claim(claim)
    solver.add(*facts, claimed if holds else z3.Not(claimed))
    solver.add(*(number >= least.get(name, 0 if "#" in name else 1) for name, number in to.names.items()), *to.defined)
    return str(solver.check())
