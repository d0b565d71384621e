"""Where the tensors of a model change under a program: what is read there before is kept as a copy, for a variable is a value."""

from collections.abc import Iterable
from functools import cache

from tensorlogic.syntax import ast


def changes_fields(nodes: Iterable[ast.Node]) -> bool:
    """Whether statements may write parameters or buffers of models: by learning, by hand, or by assigning to them."""
    for node in ast.walk(*nodes):
        match node:
            case ast.Learn() | ast.NoGrad() | ast.Call(callee=ast.Member(name="step")):
                return True
            case ast.Assign(target=target) if _root(target)[1]:
                return True
    return False


@cache
def written_fields(model: ast.ModelDecl) -> frozenset[str]:
    """The names that the methods of a model assign: those of its fields that change from call to call are among them."""
    found: set[str] = set()
    for node in ast.walk(*(m for m in model.members if isinstance(m, ast.FnDecl))):
        if isinstance(node, ast.Assign):
            targets = node.target.items if isinstance(node.target, ast.TupleLit) else (node.target,)
            found |= {_root(target)[0] for target in targets}
    return frozenset(found)


def _root(target: ast.Node) -> tuple[str, bool]:
    """The variable of a place, and whether the place is a field of it."""
    field = False
    while isinstance(target, ast.Index | ast.Member):
        field = field or isinstance(target, ast.Member)
        target = target.base
    return target.name if isinstance(target, ast.Name) else "", field
