"""Builtins that tensor equations become where one expression does not do: recurrences and fixpoints."""

from tensorlogic.stdlib.costs import NEW, Cost, calls, over
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List, Tensor, Tuple, Type


@builtin("neutral<T: any>(like: T[...S], shape: [int], by: string) -> T[...shape]", cost=NEW)
def neutral(like, shape, by):
    """A tensor with the dtype of `like` that holds everywhere what an operator (such as "+" or "max") leaves other values alone by."""
    return runtime.scatter.neutral(like, shape, by)


@builtin("scatter_at<T: any>(x: T[...S], places: [Tensor], values: Tensor, by: string) -> T[...S]", cost=over("values", keeps="places"))
def scatter_at(x, places, values, by):
    """`x` with each of the `values` at its own place on the first axes: put there ("=") or combined with what is there ("+", "*", "max",
    "min")."""
    return runtime.scatter.scatter_at(x, places, values, by)


@builtin(
    "scan<T: any>(first: T[...S], steps: int, step: fn(int, T[...S]) -> T[...S]) -> T[steps + 1, ...S]",
    effect="calls",
    cost=calls("step", "steps", memory="copy"),
)
def scan(first, steps, step):
    """All states of a recurrence: the first one, and what `step(number, state)` makes of each."""
    return runtime.scan.scan(first, steps, step)


@builtin(
    "scan_last<T: any>(first: T[...S], steps: int, step: fn(int, T[...S]) -> T[...S]) -> T[...S]",
    effect="calls",
    cost=calls("step", "steps"),
)
def scan_last(first, steps, step):
    """The last state of a recurrence."""
    return runtime.scan.scan_last(first, steps, step)


def _scanned(call) -> Type | None:
    """A step says what the last values are; of what is kept there is one more axis."""
    first, beside, kept, steps = (call.types.get(name) for name in ("first", "beside", "kept", "steps"))
    states = (*getattr(first, "items", ()), *getattr(beside, "items", ()))
    last = call.apply(call.types["step"], (Int(), Tuple(states)))
    if not isinstance(last, Tuple) or not isinstance(kept, List) or len(kept.items or ()) != len(last.items):
        return None
    counts = [getattr(item, "value", None) for item in kept.items or ()]
    return Tuple(tuple(_all(item, getattr(steps, "value", None), count) for item, count in zip(last.items, counts, strict=True)))


def _all(last: Type, steps: Dim | None, count: Dim | None) -> Type:
    if not isinstance(last, Tensor) or count == Dim.const(-1):
        return last
    return Tensor(last.dtype, (steps + count if steps is not None and count is not None else Dim.fresh(), *last.shape))


@builtin(
    "scan_together(first: any, steps: int, step: any, kept: [int], beside: any = none) -> any",
    infer=_scanned,
    effect="calls",
    cost=calls("step", "steps", memory="copy"),
)
def scan_together(first, steps, step, kept, beside=()):
    """Several states that step together: `step(number, states)` makes the next ones, and behind them tensors like those `beside`. Of each
    there is the last value (-1 in `kept`), or all: so many of the first ones, then those that the steps make."""
    return runtime.scan.scan_together(first, steps, step, kept, beside)


@builtin(
    "fixpoint<T: any>(start: T[...S], step: fn(T[...S]) -> T[...S], steps: int = none, tol: float = none) -> T[...S]",
    effect="calls",
    cost=calls("step", "steps"),
)
def fixpoint(start, step, steps=None, tol=None):
    """What `step` leaves as it is, reached from `start`; or the value after `steps` steps, or the first that changed by less than `tol`."""
    return runtime.scan.fixpoint(start, step, steps, tol)


@builtin("logsumexp_of_sum(x: Tensor, y: Tensor, dim: int) -> Tensor", cost=Cost("6 * result", untold="the axis that is summed"))
def logsumexp_of_sum(x, y, dim):
    """`logsumexp(x + y, dim)` of tensors that broadcast, in blocks where `x + y` would be large."""
    return runtime.log_sums.logsumexp_of_sum(x, y, dim)
