"""Small readable trees: `(= x (+ 1 (* 2 y)))` for tests."""

from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source, Span
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse


def tree(text: str) -> str:
    """The statements of a program without mistakes, one per line."""
    problems = Problems()
    module = parse(Source("t.tl", text), problems)
    assert not problems.found, [f"{d.message} at {d.span!r}" for d in problems.found]
    return "\n".join(dump(s) for s in module.statements)


def mistakes(text: str) -> list[tuple[str, int, int, str]]:
    """(code, line, column, message) of every mistake."""
    problems = Problems()
    parse(Source("t.tl", text), problems)
    return [(d.code, d.span.line, d.span.column, d.message) for d in problems.in_order() if d.span]


def dump(node) -> str:
    match node:
        case None:
            return "-"
        case str() | bool() | int():
            return str(node)
        case tuple():
            return "[" + " ".join(dump(n) for n in node) + "]"
        case ast.Name(name=name) | ast.BindPattern(name=name, type=None):
            return name
        case ast.IntLit(text=text) | ast.FloatLit(text=text) | ast.StringLit(text=text):
            return text
        case ast.Binary(op=op, left=left, right=right):
            return f"({op} {dump(left)} {dump(right)})"
        case ast.Unary(op=op, operand=operand):
            return f"({op} {dump(operand)})"
        case ast.ExprStmt(value=value) | ast.Arg(name=None, value=value) | ast.LiteralPattern(value=value):
            return dump(value)
        case ast.Arg(name=name, value=value) | ast.FieldInit(name=name, value=value):
            return f"{name}:{dump(value)}"
        case ast.NamedType(name=name, module=None, args=()):
            return name
        case ast.Assign(target=target, op=op, value=value, where=()):
            return f"({op} {dump(target)} {dump(value)})"
        case ast.WildcardPattern():
            return "_"
    return generic(node)


def generic(node: ast.Node) -> str:
    """`(Kind field field)`; absent and empty fields at the end are left out."""
    values = [getattr(node, f) for cls in type(node).__mro__ for f in getattr(cls, "__slots__", ()) if cls is not ast.Node]
    parts = [dump(v) for v in values if not isinstance(v, Span)]
    while parts and parts[-1] in ("-", "[]"):
        parts.pop()
    return "(" + " ".join([type(node).__name__, *parts]) + ")"
