"""Sizes to try a function with: they meet every fact, differ from each other, and lie off the limits where that is possible."""

from collections.abc import Iterable, Iterator

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal, Rel
from tensorlogic.types.search import find_model

TRIES = 4000


def example_sizes(names: Iterable[str], facts: Facts, factor: int = 2) -> dict[str, int] | None:
    """A number for each name, at least `factor` times the least possible one where that can be; None where no small ones do.

    >>> from tensorlogic.types.goals import Divides
    >>> example_sizes(["B", "D"], Facts.empty.assume(Divides(Dim.const(4), Dim.sym("D"))))
    {'B': 3, 'D': 12}
    """
    found: dict[str, int] = {}
    for name in names:
        value = _value(name, facts, found, factor)
        if value is None:
            return None
        found[name] = value
        facts = facts.assume(Rel("==", Dim.sym(name), Dim.const(value)))
    return found


def alike_sizes(names: Iterable[str], facts: Facts) -> dict[str, int] | None:
    """The smallest number from 2 up for each name, whether others have it or not; None where no small ones meet the facts."""
    found: dict[str, int] = {}
    for name in names:
        symbol = Dim.sym(name)
        wanted = facts.assume(Rel(">=", symbol, Dim.const(2)))
        model = find_model(Rel("==", symbol, symbol + 1), wanted, wanted.solved, TRIES)
        if model is None:
            return None
        found[name] = model[name]
        facts = facts.assume(Rel("==", symbol, Dim.const(model[name])))
    return found


def _value(name: str, facts: Facts, taken: dict[str, int], factor: int) -> int | None:
    """The smallest wanted number for one name; wishes are given up one after the other where they cannot be met."""
    symbol = Dim.sym(name)
    for wishes in _wishes(symbol, facts, taken, factor):
        wanted = facts
        for wish in wishes:
            wanted = wanted.assume(wish)
        model = find_model(Rel("==", symbol, symbol + 1), wanted, wanted.solved, TRIES)
        if model is not None:
            return model[name]
    return None


def _wishes(symbol: Dim, facts: Facts, taken: dict[str, int], factor: int) -> Iterator[list[Goal]]:
    low, high = facts.bounds(symbol)
    inside: list[Goal] = [Rel(">", symbol, Dim.const(max(1, low or 0)))]
    inside += [Rel("<", symbol, Dim.const(high))] if high is not None else []
    different: list[Goal] = [Rel("!=", symbol, Dim.const(n)) for n in taken.values()]
    large: list[Goal] = [Rel(">=", symbol, Dim.const(2))]
    yield [*inside, *different, Rel(">", symbol, Dim.const(factor * max(1, low or 0)))]
    yield inside + different
    yield inside
    yield large
    yield []
