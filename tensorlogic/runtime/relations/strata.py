"""What has to be complete before what, relations or nodes of a graph: strongly connected components, in the order of evaluation."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def components(wanted: Iterable[Node], needs: Mapping[Node, Sequence[Node]]) -> list[tuple[Node, ...]]:
    """The components of everything that is reached from `wanted`, each behind those it needs (Tarjan, without recursion)."""
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    on_stack: set[Node] = set()
    found: list[tuple[Node, ...]] = []
    for root in wanted:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(needs.get(root, ())))]
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append(_taken(stack, on_stack, node))
            elif following not in number:
                number[following] = low[following] = len(number)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(needs.get(following, ()))))
            elif following in on_stack:
                low[node] = min(low[node], number[following])
    return found


def _taken(stack: list[Node], on_stack: set[Node], node: Node) -> tuple[Node, ...]:
    at = stack.index(node)
    taken = tuple(stack[at:])
    del stack[at:]
    on_stack.difference_update(taken)
    return taken
