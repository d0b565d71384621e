"""Blocks of statements, and the value of their last expression."""

from collections.abc import Iterator

from tensorlogic.checker.equations.together import arranged
from tensorlogic.checker.relation_queries import is_relation
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.types import Type, Void


def nothing(span: Span) -> Typed:
    return Typed(Const(None, Void()), Void(), span)


def block_value(state: State, block: ast.Block, expected: Type | None) -> Typed:
    """Check the statements of a block, in the scope and the operations that are current; the value of its last expression."""
    span = block.span
    for statement in arranged(state, block.statements):
        if statement is block.statements[-1] and _has_value(state, statement, expected):
            return state.expr(statement.value if isinstance(statement, ast.ExprStmt) else statement, expected)
        state.statement(statement)
        span = statement.span
    return nothing(span)


def _has_value(state: State, statement: ast.Node, expected: Type | None) -> bool:
    """Whether a statement is an expression: no fact, and no query where nothing is expected (`Void`), for such a query prints."""
    if isinstance(statement, ast.ExprStmt):
        prints = isinstance(statement.value, ast.Query) and isinstance(expected, Void)
        return not prints and not is_relation(state, statement.value)
    return isinstance(statement, ast.If | ast.Match)


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
    return any(isinstance(node, ast.Break) for node in in_this_loop(block))


def in_this_loop(block: ast.Block) -> Iterator[ast.Node]:
    """What stands in the body of a loop, and in no loop or lambda inside it."""
    return ast.walk(*block.statements, closed=(ast.For, ast.While, ast.Lambda))
