"""What the names in an equation are: values in scope, indices, reductions."""

from tensorlogic.checker.equations.tree import Equation
from tensorlogic.checker.relation_data import EntityMember
from tensorlogic.checker.scope import GlobalName, MemberName, Unsupported, Variable
from tensorlogic.checker.state import State
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast

VALUES = (Variable, GlobalName, MemberName, EntityMember, Unsupported)


def is_value(state: State, name: str) -> bool:
    """Whether a name in brackets is a value in scope."""
    return isinstance(state.scope.find(name), VALUES)


def names_in_brackets(state: State, node: ast.Node) -> tuple[set[str], set[str]]:
    """(names in the brackets of references that are no value, names behind reductions): what an equation takes for indices."""
    found, reduced = set(), set()
    pending: list[tuple[ast.Node, bool]] = [(node, False)]
    while pending:
        item, inside = pending.pop()
        match item:
            case ast.Name(name=name) if inside and not is_value(state, name):
                found.add(name)
            case ast.Call(callee=ast.Index(base=ast.Name(name=name), items=items)) if is_reduction(state, name):
                reduced |= {i.name for i in items if isinstance(i, ast.Name)}
                pending += [(arg.value, inside) for arg in item.args]
            case ast.Call(callee=ast.Name()):
                pending += [(arg.value, inside) for arg in item.args]
            case ast.Call(callee=ast.Member(base=base)):
                pending += [(base, inside), *((arg.value, inside) for arg in item.args)]
            case ast.Index(base=base, items=items):
                pending += [(base, False), *((i, True) for i in items)]
            case ast.Member(base=base):
                pending.append((base, inside))
            case ast.Binary() | ast.Unary() | ast.VirtualIndex() | ast.Cast():
                pending += [(child, inside) for child in ast.children(item)]
    return found, reduced


def is_reduction(state: State, name: str) -> bool:
    return registry.lookup(name) is not None and state.scope.find(name) is None


def has_juxtaposition(node: ast.Node) -> bool:
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Binary) and item.op == "juxt":
            return True
        if isinstance(item, ast.Binary | ast.Unary):
            pending += ast.children(item)
        elif isinstance(item, ast.Call):
            pending += [arg.value for arg in item.args]
    return False


def names_index(equation: Equation, node: ast.Node, name: str = "") -> bool:
    """Whether an index stands in it; with `name`, that one."""
    return any(isinstance(item, ast.Name) and equation.is_index(item.name) and name in ("", item.name) for item in ast.walk(node))


def is_place(state: State, node: ast.Node) -> bool:
    """Whether it is one place on an axis of what is defined: a number, or arithmetic with values alone. A name by itself is an index."""
    if not isinstance(node, ast.IntLit | ast.Binary):
        return False
    return all(is_value(state, item.name) for item in ast.walk(node) if isinstance(item, ast.Name))
