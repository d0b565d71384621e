"""The syntax tree: one frozen dataclass per construct of the language. Every node keeps its span.

Left operands of long operator chains (`a + b + c ...`) may nest thousands deep; everything else nests at most 200 levels
(`TL0104`). Whoever walks a tree follows the left spine of `Binary` in a loop.
"""

from typing import Literal

from tensorlogic.record import distinct_record, record
from tensorlogic.source import Source, Span


@distinct_record
class Node:
    span: Span


# --- expressions -----------------------------------------------------------------------------------------------------


@distinct_record
class IntLit(Node):
    value: int
    text: str  # as written: `0xff`, `1_000`


@distinct_record
class FloatLit(Node):
    text: str  # as written, so that it is rounded once, to its final dtype


@distinct_record
class StringLit(Node):
    value: str
    text: str  # as written, with its quotes


@distinct_record
class BoolLit(Node):
    value: bool


@distinct_record
class Name(Node):
    name: str  # index names may end in primes


@distinct_record
class ListLit(Node):
    items: tuple["Expr", ...]


@distinct_record
class TupleLit(Node):
    items: tuple["Expr", ...]


@distinct_record
class SetLit(Node):
    """`{1, 3, 5}` after `in`."""

    items: tuple["Expr", ...]


@distinct_record
class DictEntry(Node):
    key: "Expr"
    value: "Expr"


@distinct_record
class DictLit(Node):
    """`{"attn.c_attn": "qkv"}`, as an argument."""

    entries: tuple[DictEntry, ...]


@distinct_record
class FieldInit(Node):
    name: str
    value: "Expr"


@distinct_record
class StructLit(Node):
    struct: "Expr"  # Name or Member (`geometry.Point`)
    fields: tuple[FieldInit, ...]


@distinct_record
class Unary(Node):
    op: Literal["-", "not"]  # `!` is "not"
    operand: "Expr"


@distinct_record
class Binary(Node):
    """`op` is one of `** @ * / % + - == != < <= > >= in and or juxt`; `juxt` is juxtaposition in an equation; `&&` is "and"."""

    op: str
    left: "Expr"
    right: "Expr"
    op_span: Span  # of the operator; for `juxt` the empty place between the factors


@distinct_record
class Range(Node):
    """`a..b`"""

    start: "Expr"
    stop: "Expr"


@distinct_record
class Cast(Node):
    operand: "Expr"
    type: "TypeExpr"


@distinct_record
class Arg(Node):
    name: str | None
    value: "Expr"


@distinct_record
class Call(Node):
    """`f<float16>(x, dim: 1)`. `sum[j](e)` is a call of an `Index`; `x.relu()` of a `Member`; `Point::origin()` of a `Path`."""

    callee: "Expr"
    type_args: tuple["TypeExpr", ...]
    args: tuple[Arg, ...]


@distinct_record
class Slice(Node):
    start: "Expr | None"
    stop: "Expr | None"
    step: "Expr | None"


@distinct_record
class Ellipsis(Node):
    """`...` inside an index."""


@distinct_record
class DottedIndex(Node):
    """`s.` on the left of an equation: the index that is normalized."""

    name: str


@distinct_record
class VirtualIndex(Node):
    """`*t` or `*t + 1` on both sides of a recurrence: the index that leaves no axis."""

    index: "Expr"


@distinct_record
class Index(Node):
    base: "Expr"
    items: tuple["Expr", ...]


@distinct_record
class Member(Node):
    """`x.name`; `t.0` has the name "0"."""

    base: "Expr"
    name: str
    name_span: Span


@distinct_record
class Path(Node):
    """`Point::origin`"""

    base: "Expr"
    name: str
    name_span: Span


@distinct_record
class Lambda(Node):
    params: tuple["Pattern", ...]
    body: "Expr | Block"


@distinct_record
class If(Node):
    """Statement and expression. `otherwise` is the `else` block; `else if` is an `If` in it."""

    condition: "Expr"
    then: "Block"
    otherwise: "Block | If | None"


@distinct_record
class Arm(Node):
    patterns: tuple["Pattern", ...]  # alternatives: `1 | 2`
    guard: "Expr | None"
    body: "Stmt | Block"  # an expression arm is an `ExprStmt`


@distinct_record
class Match(Node):
    value: "Expr"
    arms: tuple[Arm, ...]


@distinct_record
class Query(Node):
    """`query ancestor(alice, who)` (prefix) or `ancestor(alice, who)?`."""

    atom: "Expr"
    prefix: bool


@distinct_record
class Aggregate(Node):
    """`count(y : edge(x, y))` in the body of a rule."""

    op: str
    value: "Expr"
    body: tuple["Expr", ...]


# --- patterns --------------------------------------------------------------------------------------------------------


@distinct_record
class BindPattern(Node):
    name: str
    type: "TypeExpr | None" = None  # in lambda parameters


@distinct_record
class WildcardPattern(Node):
    pass


@distinct_record
class TuplePattern(Node):
    items: tuple["Pattern", ...]


@distinct_record
class LiteralPattern(Node):
    value: "Expr"  # IntLit, FloatLit, StringLit, BoolLit, or Unary("-", ...) of a number


# --- types -----------------------------------------------------------------------------------------------------------


@distinct_record
class NamedType(Node):
    """`int`, `Pair<int>`, `geometry.Box`, `KVCache<S>`; also a dtype variable standing alone."""

    name: str
    module: str | None
    args: tuple["TypeExpr | Expr", ...]


@distinct_record
class Variadic(Node):
    """`...B`, or `...` alone (name None). In builtin signatures also `...reduce(S, dim, keepdim)`: `function` with `args`."""

    name: str | None
    function: str | None = None
    args: tuple["Expr", ...] = ()


@distinct_record
class UnknownDim(Node):
    """`?`"""


@distinct_record
class TensorTypeExpr(Node):
    dtype: str
    dtype_span: Span
    shape: tuple["Expr | Variadic | UnknownDim", ...]


@distinct_record
class ListTypeExpr(Node):
    element: "TypeExpr"


@distinct_record
class TupleTypeExpr(Node):
    items: tuple["TypeExpr", ...]


@distinct_record
class FnTypeExpr(Node):
    params: tuple["TypeExpr", ...]
    result: "TypeExpr"


@distinct_record
class ModelTypeExpr(Node):
    """`Attention(D, H)` as the type of a parameter."""

    name: str
    module: str | None
    args: tuple[Arg, ...]


# --- statements ------------------------------------------------------------------------------------------------------


@distinct_record
class Block(Node):
    """`{ ... }`. The value of a last expression is the block's value where one is wanted."""

    statements: tuple["Stmt", ...]


@distinct_record
class ExprStmt(Node):
    value: "Expr"


@distinct_record
class Let(Node):
    """`let x: T = e`, `let (a, b) = e`, and the equation `let y[i] = e where ...` (the target is an `Index`)."""

    target: "Pattern | Index"
    type: "TypeExpr | None"
    value: "Expr"
    where: tuple["Expr", ...] = ()


@distinct_record
class Assign(Node):
    """`target op value`, op one of `= := += -= *= /= max= min=`: assignment, item assignment, equation, weighted fact. The kind is decided later."""

    target: "Expr"
    op: str
    value: "Expr"
    where: tuple["Expr", ...] = ()


@distinct_record
class For(Node):
    target: "Pattern"
    iterable: "Expr"
    body: Block


@distinct_record
class While(Node):
    condition: "Expr | None"  # None: `loop`
    body: Block


@distinct_record
class Break(Node):
    pass


@distinct_record
class Continue(Node):
    pass


@distinct_record
class Return(Node):
    value: "Expr | None"


@distinct_record
class Assert(Node):
    condition: "Expr"
    message: "Expr | None"


@distinct_record
class NoGrad(Node):
    body: Block


# --- declarations ----------------------------------------------------------------------------------------------------


@distinct_record
class Import(Node):
    path: StringLit
    alias: str | None


@distinct_record
class PythonImport(Node):
    module: str  # dotted
    alias: str | None


@distinct_record
class Const(Node):
    name: str
    name_span: Span
    type: "TypeExpr | None"
    value: "Expr"
    doc: str | None = None


@distinct_record
class TensorDecl(Node):
    """`param w: T = init`, `tensor b: T = init`, `buffer m: T = init`."""

    kind: Literal["param", "tensor", "buffer"]
    name: str
    name_span: Span
    type: "TypeExpr"
    modifier: Literal["learnable", "frozen"] | None
    value: "Expr | None"
    doc: str | None = None

    @property
    def learnable(self) -> bool:
        return self.modifier == "learnable" or (self.kind == "param" and self.modifier != "frozen")


@distinct_record
class TypeParam(Node):
    """`T: float` of `fn f<T: float>`; the kind is None in a struct's `<T>`."""

    name: str
    kind: str | None


@distinct_record
class Param(Node):
    name: str
    name_span: Span
    type: "TypeExpr | None"  # None only for `self`
    default: "Expr | None"


@distinct_record
class FnDecl(Node):
    name: str
    name_span: Span
    type_params: tuple[TypeParam, ...]
    params: tuple[Param, ...]
    result: "TypeExpr | None"
    where: tuple["Expr", ...]
    body: Block | None  # None: only a signature (builtin declarations)
    doc: str | None = None


@distinct_record
class SubmodelField(Node):
    """`attn: Attention(D, H)`; with a count `blocks: [Block(D, H); L]`."""

    name: str
    name_span: Span
    value: "Expr"  # a Call
    count: "Expr | None"
    doc: str | None = None


@distinct_record
class ModelDecl(Node):
    name: str
    name_span: Span
    params: tuple[Param, ...]
    where: tuple["Expr", ...]
    members: tuple["SubmodelField | TensorDecl | Let | FnDecl", ...]
    doc: str | None = None


@distinct_record
class StructField(Node):
    name: str
    name_span: Span
    type: "TypeExpr"
    learnable: bool
    doc: str | None = None


@distinct_record
class StructDecl(Node):
    name: str
    name_span: Span
    type_params: tuple[TypeParam, ...]
    fields: tuple[StructField, ...]
    doc: str | None = None


@distinct_record
class ImplDecl(Node):
    struct: str
    struct_span: Span
    type_params: tuple[TypeParam, ...]
    methods: tuple[FnDecl, ...]


@distinct_record
class Main(Node):
    body: Block


@distinct_record
class Test(Node):
    name: StringLit
    body: Block


# --- relations and learning ------------------------------------------------------------------------------------------


@distinct_record
class EntityDecl(Node):
    name: str
    name_span: Span
    members: tuple[Name, ...] | None  # None: open
    doc: str | None = None


@distinct_record
class Column(Node):
    name: str | None
    type: "TypeExpr"


@distinct_record
class RelationDecl(Node):
    """`relation edge(int, int) from "f.tsv"`, `relation r(a, b): float32`, `relation r(a, b) = T[x, y] > 0.5`."""

    name: str
    name_span: Span
    columns: tuple[Column, ...]
    weight: "TypeExpr | None"
    file: "Expr | None"
    definition: "Expr | None"
    doc: str | None = None


@distinct_record
class Rule(Node):
    """`head <- atom, not atom, comparison, n = count(y : atom)`; op is `<-`, `max=` or `min=`. `=` in a body is `Binary("=", ...)`."""

    head: "Expr"
    op: str
    body: tuple["Expr", ...]
    where: tuple["Expr", ...] = ()


@distinct_record
class Explain(Node):
    atom: "Expr"


@distinct_record
class Infer(Node):
    direction: Literal["forward", "backward"]
    target: "Expr"  # Name or Call


@distinct_record
class LearnOption(Node):
    name: str
    name_span: Span
    value: "Expr"


@distinct_record
class Learn(Node):
    target: "Pattern | None"  # `learn batch in batches(...)`
    iterable: "Expr | None"
    statements: tuple["Stmt", ...]
    options: tuple[LearnOption, ...]


# --- a file ----------------------------------------------------------------------------------------------------------


@record
class Comment:
    """A comment as written, `//` or `/* */` included. Documentation comments (`///`) are here too."""

    span: Span
    text: str
    own_line: bool  # nothing but white space before it on its line


@distinct_record
class Module:
    source: Source
    statements: tuple["Stmt", ...]
    comments: tuple[Comment, ...]


Expr = (
    IntLit | FloatLit | StringLit | BoolLit | Name | ListLit | TupleLit | SetLit | DictLit | StructLit | Unary | Binary | Range | Cast |
    Call | Slice | Ellipsis | DottedIndex | VirtualIndex | Index | Member | Path | Lambda | If | Match | Query | Aggregate | Block
)  # fmt: skip
Pattern = BindPattern | WildcardPattern | TuplePattern | LiteralPattern
TypeExpr = NamedType | TensorTypeExpr | ListTypeExpr | TupleTypeExpr | FnTypeExpr | ModelTypeExpr
Declaration = (
    Import | PythonImport | Const | TensorDecl | FnDecl | ModelDecl | StructDecl | ImplDecl | Main | Test | EntityDecl | RelationDecl |
    Rule
)  # fmt: skip
Stmt = (
    Declaration | ExprStmt | Let | Assign | If | For | While | Match | Break | Continue | Return | Assert | NoGrad | Explain | Infer |
    Learn | Block
)  # fmt: skip


def children(node: Node) -> list[Node]:
    """The nodes directly below a node, in source order of their fields."""
    found: list[Node] = []
    for name in node.__match_args__:
        value = getattr(node, name)
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
            pending.extend((getattr(a, name), getattr(b, name)) for name in a.__match_args__ if name != "span")
        elif a != b:
            return False
    return True
