"""What the checker knows of entities and relations while it reads a program."""

from dataclasses import dataclass, field

from tensorlogic.ir.relations import SHARED, Entities, Knowledge, Relation, Rule
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim

NUMBERS = ("int", "float")


@dataclass(eq=False)
class EntityName:
    """An entity type. `dim` is its size: a number where it is closed, otherwise an unknown one that is read while the program runs."""

    unique: str
    members: dict[str, int]
    closed: bool
    dim: Dim
    span: Span | None


@dataclass(eq=False)
class EntityMember:
    """An entity, of the types in which there is one of its name."""

    name: str
    types: list[EntityName]
    span: Span


@dataclass(eq=False)
class RelationName:
    """A relation. A column's type is None until the rules have said it."""

    name: str
    unique: str
    columns: list[str | None]
    weighted: bool
    declared: bool
    span: Span
    semiring: str = "sum"
    tensors: list[str] = field(default_factory=list)  # learnable tensors that its weights come from

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(kind or '?' for kind in self.columns)})"


@dataclass(eq=False)
class Reading:
    """A rule as it was written, and as it was read."""

    node: ast.Rule
    rule: Rule
    head: RelationName
    types: dict[str, tuple[str, Span]] = field(default_factory=dict)


@dataclass(eq=False)
class Relations:
    """Everything a program has of them. `names` are by unique name."""

    entities: dict[str, EntityName] = field(default_factory=dict)
    members: dict[str, EntityMember] = field(default_factory=dict)
    names: dict[str, RelationName] = field(default_factory=dict)
    rules: list[Reading] = field(default_factory=list)

    def shared(self) -> EntityName:
        """The open type of all columns that are declared `entity`."""
        if SHARED not in self.entities:
            self.entities[SHARED] = EntityName(SHARED, {}, False, Dim.fresh(SHARED), None)
        return self.entities[SHARED]

    def of_dim(self, name: str) -> EntityName | None:
        """The open type whose size has this name among the unknown sizes."""
        return next((found for found in self.entities.values() if found.dim.name == name), None)

    def add_member(self, type_: EntityName, name: str, span: Span) -> EntityMember:
        type_.members.setdefault(name, len(type_.members))
        found = self.members.setdefault(name, EntityMember(name, [], span))
        if type_ not in found.types:
            found.types.append(type_)
        return found

    def knowledge(self) -> Knowledge:
        """The data for the module."""
        entities = tuple(Entities(e.unique, tuple(e.members) if e.closed else (), e.closed, e.span) for e in self.entities.values())
        relations = tuple(
            Relation(r.unique, tuple(kind or "int" for kind in r.columns), r.weighted, r.semiring, r.declared, r.span)
            for r in self.names.values()
        )
        return Knowledge(entities, relations, tuple(reading.rule for reading in self.rules))
