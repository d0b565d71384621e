"""In which order the factors of a product are multiplied: the cheapest one where it can be found, a greedy one beyond that.

Indices are bits of an int. A step multiplies two factors by their numbers; its result has the next number. What counts is how many
multiplications there are, then how large the results in between are. A softmax multiplied with what has its index is half the price: if
its scores come from a product it is attention, which never writes them out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import combinations
from math import prod

Step = tuple[int, int]
Cost = tuple[int, int]

EVERY = 6  # of so many factors all orders are weighed, also those that multiply factors without a common index
MOST = 1500  # groups of factors that hang together: of more, the order is a greedy one


def plan(
    factors: Sequence[frozenset[str]], result: frozenset[str], size: Callable[[str], int], soft: Mapping[int, str] | None = None
) -> list[Step]:
    """`factors` and `result` are the indices of each; `size` says how many places an index has; `soft` is the index of each factor
    that is a softmax."""
    if len(factors) < 3:
        return [(0, 1)][: len(factors) - 1]
    names = sorted(frozenset().union(*factors))
    bit = {name: 1 << at for at, name in enumerate(names)}
    sizes = {bit[name]: size(name) for name in names}
    masks = [sum(bit[name] for name in factor) for factor in factors]
    wanted = sum(bit[name] for name in result if name in bit)

    @cache
    def places(mask: int) -> int:
        return prod(sizes[one] for one in _bits(mask))

    groups = _groups(masks)
    cheap = {1 << at: bit[name] for at, name in (soft or {}).items() if name in bit}
    return _greedy(masks, wanted, places) if groups is None else _best(masks, wanted, places, groups, cheap)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


# --- the best order --------------------------------------------------------------------------------------------------


def _groups(masks: list[int]) -> list[list[int]] | None:
    """Sets of factors, as bits, by how many there are: all sets of a few factors, of more those that hang together by common indices.
    None where there are too many, or not all factors hang together."""
    count = len(masks)
    if count <= EVERY:
        return [[sum(1 << at for at in chosen) for chosen in combinations(range(count), n)] for n in range(1, count + 1)]
    near = [sum(1 << b for b in range(count) if b != a and masks[a] & masks[b]) for a in range(count)]
    levels = [[1 << at for at in range(count)]]
    while len(levels) < count:
        grown = {group | one for group in levels[-1] for at in _bits(group) for one in _bits(near[at.bit_length() - 1] & ~group)}
        levels.append(sorted(grown))
        if not grown or sum(map(len, levels)) > MOST:
            return None
    return levels


def _best(masks: list[int], wanted: int, places: Callable[[int], int], groups: list[list[int]], cheap: Mapping[int, int]) -> list[Step]:
    """From small sets to large ones: the cheapest way to split each in two. `cheap` is the index of each factor that is a softmax."""
    everything = (1 << len(masks)) - 1
    found: dict[int, tuple[Cost, int]] = dict.fromkeys(groups[0], ((0, 0), 0))
    having = {group: _union(masks, group) for level in groups for group in level}
    kept = {group: held & (wanted | _union(masks, everything & ~group)) for group, held in having.items()}
    for level in groups[1:]:
        for group in level:
            best: tuple[Cost, int] | None = None
            for part in _halves(group):
                other = group ^ part
                if part not in found or other not in found:
                    continue
                (a, b), (c, d) = found[part][0], found[other][0]
                both = kept[part] | kept[other]
                half = both ^ kept[group] in (cheap.get(part), cheap.get(other))
                cost = a + c + places(both) // (1 + half), b + d + places(kept[group])
                if best is None or cost < best[0]:
                    best = cost, part
            assert best is not None
            found[group] = best
    return _steps(len(masks), everything, found)


def _union(masks: list[int], group: int) -> int:
    total = 0
    for at in _bits(group):
        total |= masks[at.bit_length() - 1]
    return total


def _halves(group: int) -> Iterator[int]:
    """One part of each way to split a set in two."""
    first = group & -group
    rest = group ^ first
    part = rest
    while part:
        part = (part - 1) & rest
        yield part | first
        if not part:
            return


def _steps(count: int, everything: int, found: dict[int, tuple[Cost, int]]) -> list[Step]:
    """The splits from the last one back, as steps."""
    order: list[int] = []
    pending = [everything]
    while pending:
        group = pending.pop()
        part = found[group][1]
        if part:
            order.append(group)
            pending += [part, group ^ part]
    number = {1 << at: at for at in range(count)}
    steps: list[Step] = []
    for group in reversed(order):
        part = found[group][1]
        steps.append((number[part], number[group ^ part]))
        number[group] = count + len(steps) - 1
    return steps


# --- a greedy order --------------------------------------------------------------------------------------------------


def _greedy(masks: list[int], wanted: int, places: Callable[[int], int]) -> list[Step]:
    """Each time the pair with a common index whose result is smallest against what goes into it; at the end what has none in common."""
    left = dict(enumerate(masks))
    holders: dict[int, set[int]] = {}
    for at, mask in left.items():
        for one in _bits(mask):
            holders.setdefault(one, set()).add(at)

    def outcome(a: int, b: int) -> int:
        both = left[a] | left[b]
        gone = sum(one for one in _bits(both & ~wanted) if holders[one] <= {a, b})
        return both & ~gone

    def weighed(a: int, b: int) -> tuple[int, int, int]:
        return places(outcome(a, b)) - places(left[a]) - places(left[b]), a, b

    heap = [weighed(a, b) for group in holders.values() for a, b in combinations(sorted(group), 2)]
    heapify(heap)
    steps: list[Step] = []
    while len(left) > 1:
        a, b = _next(heap, left, places)
        mask, new = outcome(a, b), len(masks) + len(steps)
        for at in (a, b):
            for one in _bits(left.pop(at)):
                holders[one].discard(at)
        left[new] = mask
        for one in _bits(mask):
            holders[one].add(new)
        steps.append((a, b))
        near = {at for one in _bits(mask) for at in holders[one]} - {new}
        for at in near:
            heappush(heap, weighed(at, new))
    return steps


def _next(heap: list[tuple[int, int, int]], left: dict[int, int], places: Callable[[int], int]) -> Step:
    while heap:
        _, a, b = heappop(heap)
        if a in left and b in left:
            return a, b
    first, second = sorted(left, key=lambda at: places(left[at]))[:2]
    return first, second
