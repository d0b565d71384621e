"""The syntax tree: one frozen dataclass per construct of the language. Every node keeps its span.

Left operands of long operator chains (`a + b + c ...`) may nest thousands deep; everything else nests at most 200 levels
(`TL0104`). Whoever walks a tree follows the left spine of `Binary` in a loop.
"""

from collections.abc import Iterator

from tensorlogic.record import distinct_record, record
from tensorlogic.source import Source, Span
from tensorlogic.syntax.ast_expressions import (
    Aggregate as Aggregate,
    Arg as Arg,
    Arm as Arm,
    Binary as Binary,
    BindPattern as BindPattern,
    BoolLit as BoolLit,
    Call as Call,
    Cast as Cast,
    DictEntry as DictEntry,
    DictLit as DictLit,
    DottedIndex as DottedIndex,
    Ellipsis as Ellipsis,
    FieldInit as FieldInit,
    FloatLit as FloatLit,
    FnTypeExpr as FnTypeExpr,
    If as If,
    Index as Index,
    IntLit as IntLit,
    Lambda as Lambda,
    ListLit as ListLit,
    ListTypeExpr as ListTypeExpr,
    LiteralPattern as LiteralPattern,
    Match as Match,
    Member as Member,
    ModelTypeExpr as ModelTypeExpr,
    Name as Name,
    NamedType as NamedType,
    Node as Node,
    Path as Path,
    Query as Query,
    Range as Range,
    SetLit as SetLit,
    Slice as Slice,
    StringLit as StringLit,
    StructLit as StructLit,
    TensorTypeExpr as TensorTypeExpr,
    TupleLit as TupleLit,
    TuplePattern as TuplePattern,
    TupleTypeExpr as TupleTypeExpr,
    Unary as Unary,
    UnknownDim as UnknownDim,
    Variadic as Variadic,
    VirtualIndex as VirtualIndex,
    WildcardPattern as WildcardPattern,
)
from tensorlogic.syntax.ast_statements import (
    Assert as Assert,
    Assign as Assign,
    Block as Block,
    Break as Break,
    Column as Column,
    Const as Const,
    Continue as Continue,
    EntityDecl as EntityDecl,
    Explain as Explain,
    ExprStmt as ExprStmt,
    FnDecl as FnDecl,
    For as For,
    ImplDecl as ImplDecl,
    Import as Import,
    Infer as Infer,
    Learn as Learn,
    LearnOption as LearnOption,
    Let as Let,
    Main as Main,
    ModelDecl as ModelDecl,
    NoGrad as NoGrad,
    Param as Param,
    PythonImport as PythonImport,
    RelationDecl as RelationDecl,
    Return as Return,
    Rule as Rule,
    StructDecl as StructDecl,
    StructField as StructField,
    SubmodelField as SubmodelField,
    TensorDecl as TensorDecl,
    Test as Test,
    TypeParam as TypeParam,
    While as While,
)


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


def walk(*nodes: Node, closed: tuple[type[Node], ...] = ()) -> Iterator[Node]:
    """Nodes and everything in them, in source order; what is in nodes of the types `closed` stays out."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, closed):
            pending.extend(reversed(children(node)))


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
