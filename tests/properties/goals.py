"""Claims about sizes drawn at random: products, exact division, floor, ceil, min, max and mod up to degree 3, with `where` facts.

A size is a tree: a name, a number, or (operation, tree, tree). It becomes a `Dim`, with the rules of its normal form, or goes
to the oracle as it is; so the oracle judges the normal form too. The same seed gives the same claims on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Divides, Goal, Member, Rel

Tree = str | int | tuple  # (operation, left, right), operation one of + - * floor_div ceil_div mod min max exact_div
NAMES = ("B", "D", "H", "K", "N", "T")
OPERATIONS = ("+", "+", "+", "-", "*", "*", "floor_div", "ceil_div", "mod", "min", "max")
RELATIONS = ("==", "!=", "<", "<=", ">", ">=")
MAX_DEGREE = 3
GOALS_OF_A_FUNCTION = 8


@dataclass(frozen=True)
class Claim:
    """`left op right`; for `divides` the left divides the right, for `in` the left is one of the numbers of `values`."""

    op: str
    left: Tree
    right: Tree = 0
    values: frozenset[int] = frozenset()

    def goal(self) -> Goal:
        match self.op:
            case "divides":
                return Divides(dim(self.left), dim(self.right))
            case "in":
                return Member(dim(self.left), self.values)
        return Rel(self.op, dim(self.left), dim(self.right))


@dataclass(frozen=True)
class Case:
    """What is claimed, where these facts hold. `facts` is one object for the claims of one function, as in a check."""

    claim: Claim
    where: tuple[Claim, ...]
    facts: Facts


def dim(tree: Tree) -> Dim:
    match tree:
        case str():
            return Dim.sym(tree)
        case int():
            return Dim.const(tree)
        case ("+", left, right):
            return dim(left) + dim(right)
        case ("-", left, right):
            return dim(left) - dim(right)
        case ("*", left, right):
            return dim(left) * dim(right)
    return getattr(Dim, tree[0])(dim(tree[1]), dim(tree[2]))


def degree(tree: Tree) -> int:
    match tree:
        case str():
            return 1
        case int():
            return 0
        case ("*", left, right):
            return degree(left) + degree(right)
    return max(degree(tree[1]), degree(tree[2]))


def assuming(where: tuple[Claim, ...]) -> Facts:
    facts = Facts.empty
    for span, claim in enumerate(where):
        facts = facts.assume(claim.goal(), span)
    return facts


def cases(seed: int, count: int) -> list[Case]:
    """`count` claims, `GOALS_OF_A_FUNCTION` under each set of facts."""
    found: list[Case] = []
    while len(found) < count:
        draw = Draw(Random(f"{seed} {len(found)}"))
        facts = assuming(tuple(draw.where))
        found += [Case(draw.claim(), tuple(draw.where), facts) for _ in range(min(GOALS_OF_A_FUNCTION, count - len(found)))]
    return found


@dataclass
class Draw:
    """The facts of one function, and claims under them."""

    random: Random
    where: list[Claim] = field(default_factory=list)
    multiples: list[tuple[Tree, Tree]] = field(default_factory=list)
    smaller: list[tuple[Tree, Tree]] = field(default_factory=list)
    equal: list[tuple[Tree, Tree]] = field(default_factory=list)
    among: list[tuple[Tree, frozenset[int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for _ in range(self.random.choice((0, 1, 1, 2, 2, 3))):
            self.pick((self.multiple, self.multiple, self.product, self.order, self.order, self.bound, self.set, self.same))()

    def pick(self, among):
        return self.random.choice(among)

    # --- facts -------------------------------------------------------------------------------------------------------

    def two(self) -> tuple[str, str]:
        a, b = self.random.sample(NAMES, 2)
        return a, b

    def multiple(self) -> None:
        a, b = self.two()
        divisor = self.pick((b, b, self.random.randint(2, 8)))
        self.multiples.append((a, divisor))
        self.where.append(Claim("==", ("mod", a, divisor), 0))

    def product(self) -> None:
        a, b, c = self.random.sample(NAMES, 3)
        self.equal.append((a, ("*", b, c)))
        self.multiples += [(a, b), (a, c)]
        self.where.append(Claim("==", a, ("*", b, c)))

    def order(self) -> None:
        a, b, c = self.random.sample(NAMES, 3)
        left = self.pick((a, a, ("+", a, c)))
        self.smaller.append((left, b))
        self.where.append(Claim(self.pick(("<=", "<")), left, b))

    def bound(self) -> None:
        a, number = self.pick(NAMES), self.random.randint(2, 1024)
        op = self.pick(("<=", ">="))
        self.smaller.append((a, number) if op == "<=" else (number, a))
        self.where.append(Claim(op, a, number))

    def set(self) -> None:
        a, values = self.pick(NAMES), frozenset(self.pick((16, 32, 64, 128, 3, 6, 12)) for _ in range(3))
        self.among.append((a, values))
        self.where.append(Claim("in", a, values=values))

    def same(self) -> None:
        a, b = self.two()
        right = self.pick((b, ("+", b, 1), ("*", 2, b)))
        self.equal.append((a, right))
        self.where.append(Claim("==", a, right))

    # --- sizes -------------------------------------------------------------------------------------------------------

    def divisor(self) -> Tree:
        return self.pick((self.pick(NAMES), self.random.randint(2, 8), ("*", self.random.randint(2, 4), self.pick(NAMES))))

    def tree(self, depth: int) -> Tree:
        if depth == 0 or self.random.random() < 0.2:
            return self.pick(NAMES) if self.random.random() < 0.75 else self.random.randint(0, 9)
        if self.multiples and self.random.random() < 0.2:
            return ("exact_div", *self.pick(self.multiples))
        op = self.pick(OPERATIONS)
        left = self.tree(depth - 1)
        right = self.divisor() if op in ("floor_div", "ceil_div", "mod") else self.tree(depth - 1)
        made = (op, left, right)
        return made if degree(made) <= MAX_DEGREE else left

    def same_value(self, tree: Tree) -> Tree:
        """Another tree with the same value under the facts."""
        for _ in range(self.random.randint(1, 3)):
            other = self.pick(LAWS)(self, tree)
            tree = other if degree(other) <= MAX_DEGREE else tree
        return tree

    # --- claims ------------------------------------------------------------------------------------------------------

    def claim(self) -> Claim:
        return self.pick((self.equation, self.equation, self.inequality, self.bounded, self.divides, self.member, self.reshape, self.any))()

    def off(self, tree: Tree) -> Tree:
        """Now and then a little wrong."""
        if self.random.random() < 0.7:
            return tree
        return self.pick((("+", tree, 1), ("-", tree, 1), ("*", tree, 2), ("+", tree, self.pick(NAMES))))

    def equation(self) -> Claim:
        tree = self.tree(2)
        return Claim("==", tree, self.off(self.same_value(tree)))

    def inequality(self) -> Claim:
        """One side is larger by something that is never below zero."""
        tree = self.tree(2)
        rest, quotient = (("mod", self.pick(NAMES), self.divisor()), ("floor_div", self.pick(NAMES), self.divisor()))
        more = self.pick((0, 0, 1, self.pick(NAMES), rest, quotient))
        op, left, right = self.pick(("<=", "<=", "<")), tree, self.off(("+", self.same_value(tree), more))
        return Claim(op, left, right) if self.random.random() < 0.5 else Claim({"<=": ">=", "<": ">"}[op], right, left)

    def bounded(self) -> Claim:
        """A law about one operation, or a fact, perhaps with a common summand or factor on both sides."""
        tree, by = self.tree(1), self.divisor()
        laws = [
            ("<", ("mod", tree, by), by), ("<=", ("*", by, ("floor_div", tree, by)), tree), ("<=", tree, ("*", by, ("ceil_div", tree, by))),
            ("<=", ("min", tree, by), tree), ("<=", tree, ("max", tree, by)), ("<=", ("floor_div", tree, by), ("ceil_div", tree, by)),
            ("<=", ("floor_div", self.pick(NAMES), by), self.pick(NAMES)), *(("<=", a, b) for a, b in self.smaller * 3),
        ]  # fmt: skip
        op, left, right = self.pick(laws)
        wrap = self.pick(("", "+", "*", "floor_div", "ceil_div"))
        if wrap in ("+", "*"):
            other = self.pick(NAMES)
            left, right = (wrap, left, other), (wrap, right, other)
        elif wrap:
            number = self.random.randint(2, 4)
            op, left, right = "<=", (wrap, left, number), (wrap, right, number)
        return Claim(op, left, self.off(right))

    def divides(self) -> Claim:
        if self.multiples and self.random.random() < 0.7:
            dividend, divisor = self.pick(self.multiples)
        else:
            divisor = self.divisor()
            dividend = divisor
        more = ("+", dividend, ("*", divisor, self.tree(1)))
        dividend = self.pick((dividend, ("*", dividend, self.pick(NAMES)), ("*", self.tree(1), dividend), more))
        return Claim("divides", divisor, self.off(dividend) if degree(dividend) <= MAX_DEGREE else divisor)

    def member(self) -> Claim:
        if self.among and self.random.random() < 0.7:
            tree, values = self.pick(self.among)
            if self.random.random() < 0.5:
                return Claim("in", ("floor_div", tree, 2), values=frozenset(n // 2 for n in values))
            return Claim("in", tree, values=values | {7} if self.random.random() < 0.7 else frozenset(sorted(values)[1:]))
        number = self.random.randint(2, 5)
        return Claim("in", ("mod", self.tree(1), number), values=frozenset(range(number - (self.random.random() < 0.3))))

    def reshape(self) -> Claim:
        """As many elements before as after."""
        factors: list[Tree] = [self.pick(NAMES) for _ in range(2)]
        left = factors
        right = list(factors)
        if self.multiples:
            whole, part = self.pick(self.multiples)
            left, right = [*left, whole], [*right, part, (self.pick(("exact_div", "exact_div", "floor_div")), whole, part)]
        if self.random.random() < 0.3:
            right[0] = self.pick(NAMES)
        self.random.shuffle(right)
        return Claim("==", times(left), times(right))

    def any(self) -> Claim:
        return Claim(self.pick(RELATIONS), self.tree(2), self.tree(2))


def times(factors: list[Tree]) -> Tree:
    product = factors[0]
    for factor in factors[1:]:
        product = ("*", product, factor)
    return product


# --- laws: the same value in another form -----------------------------------------------------------------------------


def within(draw: Draw, tree: Tree) -> Tree:
    """A law on an operand."""
    if isinstance(tree, tuple) and tree[0] != "exact_div":
        op, left, right = tree
        if draw.random.random() < 0.5 or op not in "+-*":
            return (op, draw.pick(LAWS)(draw, left), right)
        return (op, left, draw.pick(LAWS)(draw, right))
    return tree


def multiplied_and_divided(draw: Draw, tree: Tree) -> Tree:
    by = draw.divisor()
    op = draw.pick(("floor_div", "ceil_div", "exact_div"))
    return (op, ("*", tree, by), by)


def rounded_away(draw: Draw, tree: Tree) -> Tree:
    number = draw.random.randint(2, 6)
    return ("floor_div", ("+", ("*", tree, number), draw.random.randrange(number)), number)


def remainder_and_rest(draw: Draw, tree: Tree) -> Tree:
    by = draw.divisor()
    return ("+", ("mod", tree, by), ("*", by, ("floor_div", tree, by)))


def extremes(draw: Draw, tree: Tree) -> Tree:
    other = draw.tree(1)
    return ("-", ("+", ("min", tree, other), ("max", tree, other)), other)


def cut_off(draw: Draw, tree: Tree) -> Tree:
    other = draw.pick((draw.pick(NAMES), draw.random.randint(1, 9)))
    return ("+", ("max", ("-", tree, other), 0), ("min", tree, other))


def halves(draw: Draw, tree: Tree) -> Tree:
    number = draw.pick((2, 2, 3))
    more = () if number == 2 else (("floor_div", ("+", tree, 1), 3),)
    parts = [("floor_div", tree, number), *more, ("ceil_div", tree, number)]
    return ("+", ("+", parts[0], parts[1]), parts[2]) if more else ("+", parts[0], parts[1])


def other_rounding(draw: Draw, tree: Tree) -> Tree:
    match tree:
        case ("ceil_div", left, right):
            return ("floor_div", ("-", ("+", left, right), 1), right)
        case ("floor_div", ("floor_div", left, inner), outer):
            return ("floor_div", left, ("*", inner, outer))
        case ("floor_div", left, right):
            return ("-", ("floor_div", ("+", left, right), right), 1)
        case ("mod", left, right):
            return ("-", left, ("*", right, ("floor_div", left, right)))
    return tree


def nested(draw: Draw, tree: Tree) -> Tree:
    """The tree divided in two steps, and back: only for a division."""
    match tree:
        case ("floor_div", left, ("*", inner, outer)):
            return ("floor_div", ("floor_div", left, inner), outer)
        case ("ceil_div", left, ("*", inner, outer)):
            return ("ceil_div", ("ceil_div", left, inner), outer)
    return tree


def by_fact(draw: Draw, tree: Tree) -> Tree:
    ways: list[Tree] = [right for left, right in draw.equal if left == tree]
    ways += [("*", part, ("exact_div", whole, part)) for whole, part in draw.multiples if whole == tree]
    ways += [("min", left, right) for left, right in draw.smaller if left == tree]
    ways += [("max", left, right) for left, right in draw.smaller if right == tree]
    return draw.pick(ways) if ways else tree


LAWS: tuple[Callable[[Draw, Tree], Tree], ...] = (
    within, within, multiplied_and_divided, rounded_away, remainder_and_rest, extremes, cut_off, halves,
    other_rounding, other_rounding, nested, by_fact, by_fact, by_fact,
)  # fmt: skip
