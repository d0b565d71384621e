"""The merging of byte pair encoding: neighbours of the lowest rank become one, the leftmost first, until none has a rank."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any


def merged(parts: Sequence[Any], rank: Callable[[Any, Any], float | None]) -> list[Any]:
    """The parts (texts or bytes) after all merges, in n log n steps: a text without a space costs no more than one with them."""
    found: list[Any] = list(parts)
    count = len(found)
    after, before = list(range(1, count + 1)), list(range(-1, count - 1))
    queue: list[tuple[float, int, Any, Any]] = []

    def offer(left: int) -> None:
        if left >= 0 and after[left] < count:
            pair = found[left], found[after[left]]
            if (value := rank(*pair)) is not None:
                heappush(queue, (value, left, *pair))

    for place in range(count - 1):
        offer(place)
    while queue:
        _, left, first, second = heappop(queue)
        right = after[left]
        if found[left] != first or right >= count or found[right] != second:
            continue  # one of them has become part of something else
        found[left], found[right] = first + second, None
        after[left] = after[right]
        if after[left] < count:
            before[after[left]] = left
        offer(before[left])
        offer(left)
    return [part for part in found if part is not None]
