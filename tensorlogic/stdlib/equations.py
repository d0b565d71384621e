"""Builtins that tensor equations become where one expression does not do: recurrences and fixpoints."""

from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin("scan<T: any>(first: T[...S], steps: int, step: fn(int, T[...S]) -> T[...S]) -> T[steps + 1, ...S]", effect="calls")
def scan(first, steps, step):
    """All states of a recurrence: the first one, and what `step(number, state)` makes of each."""
    return runtime.scan.scan(first, steps, step)


@builtin("scan_last<T: any>(first: T[...S], steps: int, step: fn(int, T[...S]) -> T[...S]) -> T[...S]", effect="calls")
def scan_last(first, steps, step):
    """The last state of a recurrence."""
    return runtime.scan.scan_last(first, steps, step)


@builtin("fixpoint<T: any>(start: T[...S], step: fn(T[...S]) -> T[...S]) -> T[...S]", effect="calls")
def fixpoint(start, step):
    """What `step` leaves as it is, reached from `start`."""
    return runtime.scan.fixpoint(start, step)
