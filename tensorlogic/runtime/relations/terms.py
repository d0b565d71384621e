"""What a program of relations is made of, as data: entity types, relations, rules. A variable is its name, `_` is None."""

from dataclasses import dataclass

ORDERS = ("<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Known:
    """A constant: a number, or the name of an entity, or a string."""

    value: int | float | str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    op: str  # + - * / % **
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Atom:
    relation: str
    terms: tuple["Term", ...]

    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t for t in self.terms if isinstance(t, str)))


@dataclass(frozen=True, slots=True)
class Not:
    atom: Atom


@dataclass(frozen=True, slots=True)
class Compare:
    """`a < b`; `=` binds a variable that has no value yet, and compares otherwise."""

    op: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`result = count(value : body)`"""

    result: str
    op: str  # count sum min max mean
    value: str
    body: tuple["Literal", ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """`head op body`; `steps` and `tol` bound a recursion through sums."""

    head: Atom
    body: tuple["Literal", ...]
    op: str = "<-"
    steps: int | None = None
    tol: float | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Entities:
    """An entity type. An open one (`closed` is false) grows with the facts."""

    name: str
    members: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """`columns` are `int`, `float`, `string` or names of entity types; `semiring` says how the proofs of a weighted relation combine."""

    name: str
    columns: tuple[str, ...]
    weighted: bool = False
    semiring: str = "sum"  # sum max min


Term = str | Known | None
Expression = str | Known | Arithmetic
Literal = Atom | Not | Compare | Aggregate


def names_in(expression: Expression) -> tuple[str, ...]:
    """The variables of an expression."""
    pending, found = [expression], []
    while pending:
        match pending.pop():
            case str() as name:
                found.append(name)
            case Arithmetic(_, left, right):
                pending += [right, left]
    return tuple(found)


def variables_of(literal: Literal) -> tuple[str, ...]:
    """The variables of one part of a body; of an aggregate all that stand in it, its result first."""
    match literal:
        case Atom():
            return literal.variables()
        case Not(atom):
            return atom.variables()
        case Compare(_, left, right):
            return (*names_in(left), *names_in(right))
        case Aggregate(result, _, value, body):
            return (result, value, *(name for part in body for name in variables_of(part)))


def relations_of(body: tuple[Literal, ...]) -> tuple[tuple[str, bool], ...]:
    """The relations that a body reads, each with whether it must be complete before: under `not` and in aggregates."""
    found: list[tuple[str, bool]] = []
    for literal in body:
        match literal:
            case Atom(relation):
                found.append((relation, False))
            case Not(Atom(relation)):
                found.append((relation, True))
            case Aggregate(_, _, _, inner):
                found += [(name, True) for name, _ in relations_of(inner)]
    return tuple(found)


def rule_text(rule: Rule) -> str:
    """A rule as a program writes it."""
    return f"{atom_text(rule.head)} {rule.op} {', '.join(map(literal_text, rule.body))}"


def atom_text(atom: Atom) -> str:
    return f"{atom.relation}({', '.join('_' if t is None else _expression_text(t) for t in atom.terms)})"


def literal_text(literal: Literal) -> str:
    match literal:
        case Atom():
            return atom_text(literal)
        case Not(atom):
            return f"not {atom_text(atom)}"
        case Compare(op, left, right):
            return f"{_expression_text(left)} {op} {_expression_text(right)}"
        case Aggregate(result, op, value, body):
            return f"{result} = {op}({value} : {', '.join(map(literal_text, body))})"


def _expression_text(expression: Expression) -> str:
    match expression:
        case str():
            return expression
        case Known(value):
            return str(value)
        case Arithmetic(op, left, right):
            return f"({_expression_text(left)} {op} {_expression_text(right)})"
