"""The syntax tree: one frozen dataclass per construct of the language. Every node keeps its span.

Left operands of long operator chains (`a + b + c ...`) may nest thousands deep; everything else nests at most 200 levels
(`TL0104`). Whoever walks a tree follows the left spine of `Binary` in a loop.
"""

from dataclasses import dataclass, fields
from typing import Literal, Union

from tensorlogic.source import Source, Span


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    span: Span


# --- expressions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class IntLit(Node):
    value: int
    text: str  # as written: `0xff`, `1_000`


@dataclass(frozen=True, slots=True, eq=False)
class FloatLit(Node):
    text: str  # as written, so that it is rounded once, to its final dtype


@dataclass(frozen=True, slots=True, eq=False)
class StringLit(Node):
    value: str
    text: str  # as written, with its quotes


@dataclass(frozen=True, slots=True, eq=False)
class BoolLit(Node):
    value: bool


@dataclass(frozen=True, slots=True, eq=False)
class Name(Node):
    name: str  # index names may end in primes


@dataclass(frozen=True, slots=True, eq=False)
class ListLit(Node):
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, eq=False)
class TupleLit(Node):
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, eq=False)
class SetLit(Node):
    """`{1, 3, 5}` after `in`."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, eq=False)
class DictEntry(Node):
    key: "Expr"
    value: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class DictLit(Node):
    """`{"attn.c_attn": "qkv"}`, as an argument."""

    entries: tuple[DictEntry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FieldInit(Node):
    name: str
    value: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class StructLit(Node):
    struct: "Expr"  # Name or Member (`geometry.Point`)
    fields: tuple[FieldInit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Node):
    op: Literal["-", "not"]  # `!` is "not"
    operand: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Node):
    """`op` is one of `** @ * / % + - == != < <= > >= in and or juxt`; `juxt` is juxtaposition in an equation; `&&` is "and"."""

    op: str
    left: "Expr"
    right: "Expr"
    op_span: Span  # of the operator; for `juxt` the empty place between the factors


@dataclass(frozen=True, slots=True, eq=False)
class Range(Node):
    """`a..b`"""

    start: "Expr"
    stop: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Cast(Node):
    operand: "Expr"
    type: "TypeExpr"


@dataclass(frozen=True, slots=True, eq=False)
class Arg(Node):
    name: str | None
    value: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """`f<float16>(x, dim: 1)`. `sum[j](e)` is a call of an `Index`; `x.relu()` of a `Member`; `Point::origin()` of a `Path`."""

    callee: "Expr"
    type_args: tuple["TypeExpr", ...]
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Node):
    start: Union["Expr", None]
    stop: Union["Expr", None]
    step: Union["Expr", None]


@dataclass(frozen=True, slots=True, eq=False)
class Ellipsis(Node):
    """`...` inside an index."""


@dataclass(frozen=True, slots=True, eq=False)
class DottedIndex(Node):
    """`s.` on the left of an equation: the index that is normalized."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class VirtualIndex(Node):
    """`*t` or `*t + 1` on both sides of a recurrence: the index that leaves no axis."""

    index: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Index(Node):
    base: "Expr"
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Member(Node):
    """`x.name`; `t.0` has the name "0"."""

    base: "Expr"
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Path(Node):
    """`Point::origin`"""

    base: "Expr"
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Lambda(Node):
    params: tuple["Pattern", ...]
    body: Union["Expr", "Block"]


@dataclass(frozen=True, slots=True, eq=False)
class If(Node):
    """Statement and expression. `otherwise` is the `else` block; `else if` is an `If` in it."""

    condition: "Expr"
    then: "Block"
    otherwise: Union["Block", "If", None]


@dataclass(frozen=True, slots=True, eq=False)
class Arm(Node):
    patterns: tuple["Pattern", ...]  # alternatives: `1 | 2`
    guard: Union["Expr", None]
    body: Union["Stmt", "Block"]  # an expression arm is an `ExprStmt`


@dataclass(frozen=True, slots=True, eq=False)
class Match(Node):
    value: "Expr"
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Query(Node):
    """`query ancestor(alice, who)` (prefix) or `ancestor(alice, who)?`."""

    atom: "Expr"
    prefix: bool


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate(Node):
    """`count(y : edge(x, y))` in the body of a rule."""

    op: str
    value: "Expr"
    body: tuple["Expr", ...]


# --- patterns --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class BindPattern(Node):
    name: str
    type: Union["TypeExpr", None] = None  # in lambda parameters


@dataclass(frozen=True, slots=True, eq=False)
class WildcardPattern(Node):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class TuplePattern(Node):
    items: tuple["Pattern", ...]


@dataclass(frozen=True, slots=True, eq=False)
class LiteralPattern(Node):
    value: "Expr"  # IntLit, FloatLit, StringLit, BoolLit, or Unary("-", ...) of a number


# --- types -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class NamedType(Node):
    """`int`, `Pair<int>`, `geometry.Box`, `KVCache<S>`; also a dtype variable standing alone."""

    name: str
    module: str | None
    args: tuple[Union["TypeExpr", "Expr"], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Variadic(Node):
    """`...B`, or `...` alone (name None). In builtin signatures also `...reduce(S, dim, keepdim)`: `function` with `args`."""

    name: str | None
    function: str | None = None
    args: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class UnknownDim(Node):
    """`?`"""


@dataclass(frozen=True, slots=True, eq=False)
class TensorTypeExpr(Node):
    dtype: str
    dtype_span: Span
    shape: tuple[Union["Expr", Variadic, UnknownDim], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ListTypeExpr(Node):
    element: "TypeExpr"


@dataclass(frozen=True, slots=True, eq=False)
class TupleTypeExpr(Node):
    items: tuple["TypeExpr", ...]


@dataclass(frozen=True, slots=True, eq=False)
class FnTypeExpr(Node):
    params: tuple["TypeExpr", ...]
    result: "TypeExpr"


@dataclass(frozen=True, slots=True, eq=False)
class ModelTypeExpr(Node):
    """`Attention(D, H)` as the type of a parameter."""

    name: str
    module: str | None
    args: tuple[Arg, ...]


# --- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Block(Node):
    """`{ ... }`. The value of a last expression is the block's value where one is wanted."""

    statements: tuple["Stmt", ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExprStmt(Node):
    value: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Let(Node):
    """`let x: T = e`, `let (a, b) = e`, and the equation `let y[i] = e where ...` (the target is an `Index`)."""

    target: Union["Pattern", Index]
    type: Union["TypeExpr", None]
    value: "Expr"
    where: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Assign(Node):
    """`target op value`, op one of `= := += -= *= /= max= min=`: assignment, item assignment, equation, weighted fact. The kind is decided later."""

    target: "Expr"
    op: str
    value: "Expr"
    where: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class For(Node):
    target: "Pattern"
    iterable: "Expr"
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class While(Node):
    condition: Union["Expr", None]  # None: `loop`
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Break(Node):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Continue(Node):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Return(Node):
    value: Union["Expr", None]


@dataclass(frozen=True, slots=True, eq=False)
class Assert(Node):
    condition: "Expr"
    message: Union["Expr", None]


@dataclass(frozen=True, slots=True, eq=False)
class NoGrad(Node):
    body: Block


# --- declarations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Import(Node):
    path: StringLit
    alias: str | None


@dataclass(frozen=True, slots=True, eq=False)
class PythonImport(Node):
    module: str  # dotted
    alias: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Const(Node):
    name: str
    name_span: Span
    type: Union["TypeExpr", None]
    value: "Expr"
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TensorDecl(Node):
    """`param w: T = init`, `tensor b: T = init`, `buffer m: T = init`."""

    kind: Literal["param", "tensor", "buffer"]
    name: str
    name_span: Span
    type: "TypeExpr"
    modifier: Literal["learnable", "frozen"] | None
    value: Union["Expr", None]
    doc: str | None = None

    @property
    def learnable(self) -> bool:
        return self.modifier == "learnable" or (self.kind == "param" and self.modifier != "frozen")


@dataclass(frozen=True, slots=True, eq=False)
class TypeParam(Node):
    """`T: float` of `fn f<T: float>`; the kind is None in a struct's `<T>`."""

    name: str
    kind: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Param(Node):
    name: str
    name_span: Span
    type: Union["TypeExpr", None]  # None only for `self`
    default: Union["Expr", None]


@dataclass(frozen=True, slots=True, eq=False)
class FnDecl(Node):
    name: str
    name_span: Span
    type_params: tuple[TypeParam, ...]
    params: tuple[Param, ...]
    result: Union["TypeExpr", None]
    where: tuple["Expr", ...]
    body: Block | None  # None: only a signature (builtin declarations)
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SubmodelField(Node):
    """`attn: Attention(D, H)`; with a count `blocks: [Block(D, H); L]`."""

    name: str
    name_span: Span
    value: "Expr"  # a Call
    count: Union["Expr", None]
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelDecl(Node):
    name: str
    name_span: Span
    params: tuple[Param, ...]
    where: tuple["Expr", ...]
    members: tuple[Union[SubmodelField, TensorDecl, "Let", FnDecl], ...]
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StructField(Node):
    name: str
    name_span: Span
    type: "TypeExpr"
    learnable: bool
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StructDecl(Node):
    name: str
    name_span: Span
    type_params: tuple[TypeParam, ...]
    fields: tuple[StructField, ...]
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ImplDecl(Node):
    struct: str
    struct_span: Span
    type_params: tuple[TypeParam, ...]
    methods: tuple[FnDecl, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Main(Node):
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Test(Node):
    name: StringLit
    body: Block


# --- relations and learning ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class EntityDecl(Node):
    name: str
    name_span: Span
    members: tuple[Name, ...] | None  # None: open
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Column(Node):
    name: str | None
    type: "TypeExpr"


@dataclass(frozen=True, slots=True, eq=False)
class RelationDecl(Node):
    """`relation edge(int, int) from "f.tsv"`, `relation r(a, b): float32`, `relation r(a, b) = T[x, y] > 0.5`."""

    name: str
    name_span: Span
    columns: tuple[Column, ...]
    weight: Union["TypeExpr", None]
    file: Union["Expr", None]
    definition: Union["Expr", None]
    doc: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Node):
    """`head <- atom, not atom, comparison, n = count(y : atom)`; op is `<-`, `max=` or `min=`. `=` in a body is `Binary("=", ...)`."""

    head: "Expr"
    op: str
    body: tuple["Expr", ...]
    where: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Explain(Node):
    atom: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Infer(Node):
    direction: Literal["forward", "backward"]
    target: "Expr"  # Name or Call


@dataclass(frozen=True, slots=True, eq=False)
class LearnOption(Node):
    name: str
    name_span: Span
    value: "Expr"


@dataclass(frozen=True, slots=True, eq=False)
class Learn(Node):
    target: Union["Pattern", None]  # `learn batch in batches(...)`
    iterable: Union["Expr", None]
    statements: tuple["Stmt", ...]
    options: tuple[LearnOption, ...]


# --- a file ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as written, `//` or `/* */` included. Documentation comments (`///`) are here too."""

    span: Span
    text: str
    own_line: bool  # nothing but white space before it on its line


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    source: Source
    statements: tuple["Stmt", ...]
    comments: tuple[Comment, ...]


Expr = Union[
    IntLit, FloatLit, StringLit, BoolLit, Name, ListLit, TupleLit, SetLit, DictLit, StructLit, Unary, Binary, Range, Cast, Call, Slice,
    Ellipsis, DottedIndex, VirtualIndex, Index, Member, Path, Lambda, If, Match, Query, Aggregate, Block,
]  # fmt: skip
Pattern = Union[BindPattern, WildcardPattern, TuplePattern, LiteralPattern]
TypeExpr = Union[NamedType, TensorTypeExpr, ListTypeExpr, TupleTypeExpr, FnTypeExpr, ModelTypeExpr]
Declaration = Union[
    Import, PythonImport, Const, TensorDecl, FnDecl, ModelDecl, StructDecl, ImplDecl, Main, Test, EntityDecl, RelationDecl, Rule,
]  # fmt: skip
Stmt = Union[
    Declaration, ExprStmt, Let, Assign, If, For, While, Match, Break, Continue, Return, Assert, NoGrad, Explain, Infer, Learn, Block,
]  # fmt: skip


def children(node: Node) -> list[Node]:
    """The nodes directly below a node, in source order of their fields."""
    found: list[Node] = []
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(v for v in value if isinstance(v, Node))
    return found


def same_tree(left: object, right: object) -> bool:
    """Whether two trees are equal, spans aside. Iterative: trees may be deep."""
    pending = [(left, right)]
    while pending:
        a, b = pending.pop()
        if isinstance(a, Span) and isinstance(b, Span):
            continue
        if type(a) is not type(b):
            return False
        if isinstance(a, tuple) and isinstance(b, tuple):
            if len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif isinstance(a, Module) and isinstance(b, Module):
            pending.append((a.statements, b.statements))
        elif isinstance(a, Node):
            pending.extend((getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name != "span")
        elif a != b:
            return False
    return True
