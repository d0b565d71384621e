"""What a function requires of its sizes, collected and said in the words of the program: `D multiple of 64`, `T <= 2048`."""

from math import gcd, lcm

from tensorlogic.record import distinct_record, record
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Divides, Goal, Member, Rel, goal_dims, goal_symbols
from tensorlogic.types.signature import Signature

MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@record
class Condition:
    """One thing that sizes must keep. `origin` is `where` (declared), `guard` (TL0702) or `bound` (the operation itself checks it);
    `always` is False for a place that not every call reaches."""

    goal: Goal
    span: Span | None
    origin: str
    text: str
    always: bool = True


@distinct_record
class Described:
    """A function, method or model with all it requires. `sizes` are the names that a call gives numbers, in order; `facts` are what
    holds once every condition is met; `axes` are the unknown sizes of the parameters and how a program writes them, `x.shape[0]`."""

    kind: str  # function, method, model
    name: str  # as the program calls it: `forward`, `GPT.forward`
    unique: str  # in the module
    signature: Signature
    sizes: tuple[str, ...]
    conditions: tuple[Condition, ...]
    facts: Facts
    span: Span
    axes: tuple[tuple[str, str], ...] = ()


def simplified(goal: Goal) -> Goal:
    """The same claim with one name alone on the left, where it is about one name: `5 < N` is `N >= 6`."""
    match goal:
        case Rel(op, left, right):
            return _relation(op, left, right)
        case Divides(divisor, dividend) if dividend.name is None and divisor.value is not None:
            return _multiple(divisor.value, dividend) or goal
    return goal


def _relation(op: str, left: Dim, right: Dim) -> Goal:
    remainder = _remainder(left, right) if op == "==" else None
    if remainder is not None:
        return simplified(remainder)
    difference = left - right
    name = _only_name(difference)
    if name is not None:
        return _bound(op, name, (difference - difference.constant).exact_div(Dim.sym(name)).value or 1, difference.constant)
    return Rel(op, left, right)


def _remainder(left: Dim, right: Dim) -> Goal | None:
    """`D % 64 == 0` as what it means."""
    atom = next(left.atoms(), None) if right == Dim.const(0) and len(left.terms) == 1 else None
    return Divides(atom.args[1], atom.args[0]) if atom is not None and atom.kind == "mod" and len(left.terms[0][0]) == 1 else None


def _only_name(dim: Dim) -> str | None:
    """The name, where the size is `c * name + k`."""
    monos = [mono for mono, _ in dim.terms if mono]
    return monos[0][0].key if len(monos) == 1 and len(monos[0]) == 1 and not monos[0][0].args else None


def _bound(op: str, name: str, factor: int, constant: int) -> Goal:
    """`factor * name + constant op 0`, solved for the name."""
    if factor < 0:
        op, factor, constant = MIRRORED[op], -factor, -constant
    symbol, limit = Dim.sym(name), -constant
    match op:
        case "<":
            return Rel("<=", symbol, Dim.const(-(-limit // factor) - 1))
        case "<=":
            return Rel("<=", symbol, Dim.const(limit // factor))
        case ">":
            return Rel(">=", symbol, Dim.const(limit // factor + 1))
        case ">=":
            return Rel(">=", symbol, Dim.const(-(-limit // factor)))
    if limit % factor:
        return Rel(op, symbol * factor, Dim.const(limit))
    return Rel(op, symbol, Dim.const(limit // factor))


def _multiple(divisor: int, dividend: Dim) -> Goal | None:
    """`divisor` divides `c * name`: then what is left of it divides the name."""
    name = _only_name(dividend)
    if name is None or dividend.constant:
        return None
    factor = dividend.exact_div(Dim.sym(name)).value or 1
    return Divides(Dim.const(divisor // gcd(divisor, factor)), Dim.sym(name))


def words(goal: Goal) -> str:
    """The claim as a person says it. Unknown sizes stand as they are."""
    match simplified(goal):
        case Divides(divisor, dividend):
            return f"{dividend} multiple of {divisor}"
        case Member() | Rel() as plain:
            return str(plain)


def subject(goal: Goal, names: tuple[str, ...]) -> str | None:
    """The name that a condition is told with: what it says something of, else the first of `names` in it."""
    plain = simplified(goal)
    dims, inside = goal_dims(plain), goal_symbols(goal)
    about = reversed(dims) if isinstance(plain, Divides) else dims
    told = next((dim.name for dim in about if dim.name in names), None)
    return told or next((name for name in names if name in inside), None)


def multiple_of(facts: Facts, name: str) -> int:
    """The number that a size is certainly a multiple of; 1 where none is known."""
    goals = (simplified(goal) for goal, _ in facts.given)
    return lcm(*(g.divisor.value for g in goals if isinstance(g, Divides) and g.divisor.value and g.dividend == Dim.sym(name)))
