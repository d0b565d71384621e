"""Which lists keep their length: of those an assignment to an item that is not there is found before the program runs."""

from collections.abc import Iterable, Iterator

from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.types import List, Type, widen


def resized_names(nodes: Iterable[ast.Node]) -> frozenset[str]:
    """Names below that get a whole new value, or that something else gets to see, which may then change the length of their list.

    What is only indexed, asked for its members and given to builtins is left alone; `xs.push(x)` and `push(xs, x)` count as changes.
    """
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            found.add(node.name)
        pending.extend(_seen(node))
    return frozenset(found)


def _seen(node: ast.Node) -> Iterator[ast.Node]:
    """The parts of a node that may give a list away."""
    match node:
        case ast.Index(base=ast.Name(), items=items):
            yield from items
        case ast.Call(callee=ast.Name(name=name), args=args) if (found := registry.lookup(name)) and found.effect != "mutation":
            yield from (arg.value for arg in args if not isinstance(arg.value, ast.Name))
        case _:
            yield from ast.children(node)


def kept_length(name: str, type_: Type, resized: frozenset[str] | None) -> Type:
    """The type of a variable that is assigned to later: nothing is known of values any more, but perhaps how many there are."""
    if resized is None or name in resized or not isinstance(type_, List) or type_.items is None:
        return widen(type_)
    element = widen(type_.element)
    return List(element, (element,) * len(type_.items))
