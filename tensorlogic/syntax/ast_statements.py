"""The syntax tree, second part: statements and declarations."""

from typing import TYPE_CHECKING, Literal

from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax.ast_expressions import Index, Name, Node, StringLit

if TYPE_CHECKING:
    from tensorlogic.syntax.ast import Expr, Pattern, Stmt, TypeExpr


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
    """`target op value`, op one of `= := += -= *= /= max= min=`: assignment, item assignment, equation, weighted fact.

    The kind is decided later."""

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
    value: "Expr"  # a Call, or a list of them
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
