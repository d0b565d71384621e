"""The syntax tree, first part: expressions, patterns and types."""

from typing import TYPE_CHECKING, Literal

from tensorlogic.record import distinct_record
from tensorlogic.source import Span

if TYPE_CHECKING:
    from tensorlogic.syntax.ast import Block, Expr, Pattern, Stmt, TypeExpr


@distinct_record
class Node:
    span: Span


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
