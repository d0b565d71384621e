"""The name that somebody probably meant."""

from collections.abc import Iterable
from heapq import nsmallest
from itertools import islice

LONGEST_NAME = 80
MOST_CANDIDATES = 2000
MOST_EDITS = 4


def did_you_mean(name: str, candidates: Iterable[str], limit: int = 1) -> str | None:
    """The candidate nearest to a misspelt name, or None where none is near.

    With a larger `limit`, up to so many, nearest first, joined so that one pair of backticks around the result is right for all:
    ``f"did you mean `{found}`?"`` gives "did you mean `mean` or `median`?".

    >>> did_you_mean("sofmax", ["softmax", "sigmoid"])
    'softmax'
    """
    found = nearest(name, candidates, limit)
    return "` or `".join(found) or None


def nearest(name: str, candidates: Iterable[str], limit: int) -> tuple[str, ...]:
    """Up to `limit` candidates by edit distance without regard to case, a mere difference of case first.

    Names beyond a length and candidates beyond a number are not looked at: a suggestion is not worth more.
    """
    if len(name) > LONGEST_NAME:
        return ()
    ranked = [
        (distance, edit_distance(name, candidate, MOST_EDITS), candidate)
        for candidate in set(islice(candidates, MOST_CANDIDATES))
        if candidate != name and (distance := near(name, candidate)) is not None
    ]
    return tuple(candidate for _, _, candidate in nsmallest(limit, ranked))


def near(name: str, candidate: str) -> int | None:
    """The distance without regard to case, if it is small and at most a third of the longer name."""
    cutoff = min(max(len(name), len(candidate)) // 3, MOST_EDITS)
    if len(candidate) > LONGEST_NAME or abs(len(name) - len(candidate)) > cutoff:
        return None
    distance = edit_distance(name.casefold(), candidate.casefold(), cutoff)
    return distance if distance <= cutoff else None


def edit_distance(a: str, b: str, cutoff: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`, or `cutoff + 1` if it takes more than `cutoff`.

    Only cells within `cutoff` of the diagonal are filled, since a path through any other costs more.
    """
    far = cutoff + 1
    before, row = [far] * (len(b) + 1), list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i] + [far] * len(b)
        for j in range(max(1, i - cutoff), min(len(b), i + cutoff) + 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != b[j - 1]))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, earlier[j - 2] + 1)
            row[j] = best
        if min(row) > cutoff and min(before) > cutoff:
            return far
    return min(row[-1], far)
