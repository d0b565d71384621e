"""What a name means at a place: scopes, one inside the other, and the kinds of things names stand for."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tensorlogic.checker.relation_data import EntityMember, EntityName, RelationName
from tensorlogic.ir.ir import Global, Member, Op, StructType, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Goal
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Int, ModelOf, Type


@dataclass(eq=False)
class Variable:
    """A variable of host code. `type` may say less than `value.type` after assignments in a loop, never something else."""

    value: Value
    type: Type
    span: Span
    closure: "Closure | FunctionName | None" = None
    size: bool = False  # a dimension variable: it is what the arguments say
    equation: object = None  # how an equation defined it


@dataclass(eq=False)
class Closure:
    """A lambda: its body is checked at each use, when the types of its parameters are known. `placeholder` stands in `ops` until then."""

    node: ast.Lambda
    scope: "Scope"
    ops: list[Op]
    placeholder: Op
    value: Value
    outline: tuple | None = None  # what its first use made of it, to refuse a second meaning
    open: bool = False  # its body is being checked


@dataclass(eq=False)
class GlobalName:
    """A `const`, `param` or `tensor`."""

    item: Global
    span: Span


@dataclass(eq=False)
class FunctionName:
    """A function of the program, by its unique name in the module."""

    unique: str
    signature: Signature
    declaration: ast.FnDecl
    scope: "Scope"
    folder: str  # of its file
    refuted: tuple[Goal, ...] = ()  # divisions in its types that may leave a remainder, reported already
    positive: tuple[str, ...] = ()  # sizes that its body takes to be at least 1
    model: "ModelName | None" = None  # whose method it is
    unbound: frozenset[str] = frozenset()  # sizes of its result that stand in no parameter, reported already

    @property
    def outer(self) -> Signature | None:
        """Of the model whose method it is."""
        return self.model.signature if self.model else None


@dataclass(eq=False)
class StructName:
    item: StructType
    methods: dict[str, FunctionName] = field(default_factory=dict)


@dataclass(eq=False)
class MemberName:
    """A field of the model whose method (or own beginning) this is."""

    item: Member

    @property
    def span(self) -> Span:
        return self.item.span


@dataclass(eq=False)
class ModelName:
    """A model: `signature` makes an instance; fields and methods are written in its parameters."""

    unique: str
    signature: Signature
    declaration: ast.ModelDecl
    scope: "Scope"
    folder: str
    fields: dict[str, Member] = field(default_factory=dict)
    methods: dict[str, FunctionName] = field(default_factory=dict)
    unknown_names: set[str] = field(default_factory=set)  # reported already

    @property
    def instance(self) -> ModelOf:
        """The model in its own parameters: the type of what its methods belong to."""
        return ModelOf(self.unique, tuple((p.name, Dim.sym(p.name)) for p in self.signature.params if isinstance(p.type, Int)))


@dataclass(eq=False)
class Namespace:
    """`import "f.tl" as name`."""

    alias: str
    scope: "Scope"
    span: Span


@dataclass(eq=False)
class PythonModule:
    """`python import numpy as np`."""

    module: str
    span: Span


@dataclass(eq=False)
class Unsupported:
    """A declaration that was reported: whatever uses the name is silent."""

    span: Span


Binding = (
    EntityName | EntityMember | RelationName | Variable | GlobalName | FunctionName | StructName | MemberName | ModelName
    | Namespace | PythonModule | Unsupported
)  # fmt: skip


@dataclass(eq=False)
class Scope:
    """`kind` is file, function, block, lambda. Names of the file's own variables (`top`) are hidden from functions."""

    parent: "Scope | None" = None
    kind: str = "block"
    names: dict[str, Binding] = field(default_factory=dict)
    gap: Span | None = None  # of an import that could not be read: any name may have come from there

    def member(self, name: str) -> Binding | None:
        """What `module.name` is."""
        return self.names.get(name) or (Unsupported(self.gap) if self.gap else None)

    def incomplete(self) -> bool:
        """Whether an unknown name may be the fault of an import."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope.gap is not None

    def find(self, name: str) -> Binding | None:
        """The nearest binding. Functions do not see the variables of the file."""
        scope, in_function = self, False
        while scope is not None:
            found = scope.names.get(name)
            if found is not None and not (in_function and isinstance(found, Variable)):
                return found
            in_function = in_function or scope.kind == "function"
            scope = scope.parent
        return None

    def hidden(self, name: str) -> Variable | None:
        """A variable of the file that is not seen here only because this is a function."""
        scope = self
        while scope is not None:
            found = scope.names.get(name)
            if isinstance(found, Variable):
                return found
            scope = scope.parent
        return None

    def visible(self) -> Iterator[str]:
        scope = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent
