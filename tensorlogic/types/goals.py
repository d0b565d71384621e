"""What can be claimed about sizes: in a `where` clause, or as an obligation of the checker."""

from tensorlogic.record import record
from tensorlogic.types.dims import Dim

NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@record
class Rel:
    """`left op right`, op one of == != < <= > >=."""

    op: str
    left: Dim
    right: Dim

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@record
class Divides:
    """The dividend is a multiple of the divisor."""

    divisor: Dim
    dividend: Dim

    def __str__(self) -> str:
        return f"{self.dividend.as_operand()} % {self.divisor.as_operand()} == 0"


@record
class Member:
    """The size is one of a finite set of numbers."""

    dim: Dim
    values: frozenset[int]

    def __str__(self) -> str:
        return f"{self.dim} in {{{', '.join(map(str, sorted(self.values)))}}}"


Goal = Rel | Divides | Member


def goal_dims(goal: Goal) -> tuple[Dim, ...]:
    """The sizes a goal speaks of."""
    match goal:
        case Rel(_, left, right):
            return left, right
        case Divides(divisor, dividend):
            return divisor, dividend
        case Member(dim, _):
            return (dim,)


def with_dims(goal: Goal, dims: list[Dim]) -> Goal:
    """The same claim about other sizes."""
    match goal:
        case Rel(op):
            return Rel(op, dims[0], dims[1])
        case Divides():
            return Divides(dims[0], dims[1])
        case Member(_, values):
            return Member(dims[0], values)


def goal_symbols(goal: Goal) -> frozenset[str]:
    return frozenset().union(*(dim.symbols() for dim in goal_dims(goal)))


def holds(goal: Goal, values: dict[str, int]) -> bool:
    """Whether the goal is true for these numbers; ArithmeticError (ZeroDivisionError) where it has no value."""
    numbers = [dim.evaluate(values) for dim in goal_dims(goal)]
    match goal:
        case Rel(op, _, _):
            return compare(op, numbers[0] - numbers[1])
        case Divides():
            return numbers[1] % numbers[0] == 0
        case Member(_, allowed):
            return numbers[0] in allowed


def compare(op: str, difference: int) -> bool:
    """`difference op 0`."""
    match op:
        case "==":
            return difference == 0
        case "!=":
            return difference != 0
        case "<":
            return difference < 0
        case "<=":
            return difference <= 0
        case ">":
            return difference > 0
    return difference >= 0
