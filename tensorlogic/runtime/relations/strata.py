"""Which relations have to be complete before which: strongly connected components, in the order of evaluation."""

from collections.abc import Iterable, Mapping, Sequence


def components(wanted: Iterable[str], needs: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The components of everything that is reached from `wanted`, each behind those it needs (Tarjan, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
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


def _taken(stack: list[str], on_stack: set[str], node: str) -> tuple[str, ...]:
    at = stack.index(node)
    taken = tuple(stack[at:])
    del stack[at:]
    on_stack.difference_update(taken)
    return taken
