"""Blocks of statements, and the value of their last expression."""

from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.types import Type, Void


def nothing(span: Span) -> Typed:
    return Typed(Const(None, Void()), Void(), span)


def block_value(state: State, block: ast.Block, expected: Type | None) -> Typed:
    """Check the statements of a block, in the scope and the operations that are current; the value of its last expression."""
    for statement in block.statements[:-1]:
        state.statement(statement)
    if not block.statements:
        return nothing(block.span)
    last = block.statements[-1]
    if isinstance(last, ast.ExprStmt):
        return state.expr(last.value, expected)
    if isinstance(last, ast.If | ast.Match):
        return state.expr(last, expected)
    state.statement(last)
    return nothing(last.span)


def leaves(block: ast.Node | None) -> bool:
    """Whether control never reaches the end of a block: it returns, breaks, continues or panics on every way."""
    match block:
        case ast.Block(statements=statements):
            return any(leaves(s) for s in statements)
        case ast.Return() | ast.Break() | ast.Continue():
            return True
        case ast.ExprStmt(value=ast.Call(callee=ast.Name(name="panic"))):
            return True
        case ast.ExprStmt(value=ast.If() | ast.Match() as inner):
            return leaves(inner)
        case ast.If(then=then, otherwise=otherwise):
            return leaves(then) and leaves(otherwise)
        case ast.Match(arms=arms):
            return bool(arms) and all(leaves(arm.body) for arm in arms)
        case ast.While(condition=None, body=body):
            return not _breaks(body)
        case ast.NoGrad(body=body):
            return leaves(body)
    return False


def _breaks(block: ast.Block) -> bool:
    """Whether a `loop` can be left by `break`."""
    pending: list[ast.Node] = list(block.statements)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Break):
            return True
        if not isinstance(node, ast.For | ast.While | ast.Lambda):
            pending.extend(ast.children(node))
    return False
