"""Relations in the IR: entity types, relations and rules, as data. The engine in `runtime/relations` has the same shapes."""

from tensorlogic.record import record
from tensorlogic.source import Span

SHARED = "entity"  # the open type of all columns declared so


@record
class Known:
    """A constant: a number, a string, or the name of an entity."""

    value: int | float | str


@record
class Arithmetic:
    op: str
    left: "Expression"
    right: "Expression"


@record
class Atom:
    """`parent(x, alice, _)`: a variable is its name, `_` is None."""

    relation: str
    terms: "tuple[Term, ...]"


@record
class Not:
    atom: Atom


@record
class Compare:
    """`=` binds a variable that has no value, and compares otherwise."""

    op: str
    left: "Expression"
    right: "Expression"


@record
class Aggregate:
    """`result = count(value : body)`"""

    result: str
    op: str
    value: str
    body: "tuple[Literal, ...]"


@record
class Rule:
    """`head op body`; `steps` and `tol` bound a recursion through sums."""

    head: Atom
    body: "tuple[Literal, ...]"
    op: str
    steps: int | None
    tol: float | None
    span: Span


@record
class Entities:
    """An entity type; an open one grows with the facts."""

    name: str
    members: tuple[str, ...]
    closed: bool
    span: Span | None


@record
class Relation:
    """`columns` are int, float, string or names of entity types. A relation is `declared`, or its rules declare it."""

    name: str
    columns: tuple[str, ...]
    weighted: bool
    semiring: str  # sum max min: how the proofs of a weighted row combine
    declared: bool
    span: Span


@record
class Knowledge:
    """All that a module says of relations but its facts, which are operations."""

    entities: tuple[Entities, ...] = ()
    relations: tuple[Relation, ...] = ()
    rules: tuple[Rule, ...] = ()


Term = str | Known | None
Expression = str | Known | Arithmetic
Literal = Atom | Not | Compare | Aggregate
