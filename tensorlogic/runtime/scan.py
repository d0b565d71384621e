"""Recurrences and fixpoints of tensor equations: one step after the other, with gradients through all of them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

MAX_STEPS = 100_000
LAST = -1  # of a state of which only the last value is kept


def scan(first: Tensor, steps: int, step: Callable[[int, Tensor], Tensor]) -> Tensor:
    """[steps + 1, ...]: `first`, and each state that `step(number, state before)` gives."""
    states = [first]
    for number in range(steps):
        states.append(step(number, states[-1]))
    return torch.stack(states)


def scan_last(first: Tensor, steps: int, step: Callable[[int, Tensor], Tensor]) -> Tensor:
    """Only the last state."""
    state = first
    for number in range(steps):
        state = step(number, state)
    return state


def scan_together(
    first: Sequence[Tensor],
    steps: int,
    step: Callable[[int, Sequence[Tensor]], Sequence[Tensor]],
    kept: Sequence[int],
    beside: Sequence[Tensor] = (),
) -> tuple[Tensor, ...]:
    """Several states that step together. `step` gives the next ones, and behind them what else is made in each step: tensors like `beside`.
    Of each the last value, or where `kept` is not `LAST` all of them: so many of `first`, up to its own, then one for every step."""
    states = first = (*first, *beside)
    made: list[Sequence[Tensor]] = []
    some = any(count != LAST for count in kept)
    for number in range(steps):
        states = step(number, states)
        if some:
            made.append(states)
    return tuple(
        states[at] if count == LAST else _stacked(first[at], [*first[at + 1 - count : at + 1], *(values[at] for values in made)])
        for at, count in enumerate(kept)
    )


def _stacked(like: Tensor, values: list[Tensor]) -> Tensor:
    return torch.stack(values) if values else like.new_empty((0, *like.shape))


def fixpoint(start: Tensor, step: Callable[[Tensor], Tensor], steps: int | None = None, tol: float | None = None) -> Tensor:
    """The state that `step` leaves as it is, changes by no more than rounding, or by less than `tol`; or the one after `steps` steps.

    TL0503 where there is none; ValueError where a value becomes NaN on the way.
    """
    state = start
    for _ in range(MAX_STEPS if steps is None else steps):
        after = step(state)
        if _settled(state, after, tol):
            return after
        if steps is None:
            _refuse(state, after)
        state = after
    if steps is None:
        raise _endless(f"it has come to no fixpoint after {MAX_STEPS:,} steps")
    return state


def _settled(before: Tensor, after: Tensor, tol: float | None) -> bool:
    with torch.no_grad():
        if torch.equal(before, after):
            return True
        if not after.is_floating_point():
            return False
        least = 4 * torch.finfo(after.dtype).eps * after.abs() if tol is None else torch.full_like(after, tol)
        close = ((after - before).abs() <= least) & after.isfinite()
        return bool((close | (after == before)).all())


def _refuse(before: Tensor, after: Tensor) -> None:
    """A best value becomes finite, never infinite; a sum over a cycle gets larger than any number."""
    if bool(after.isnan().any()):
        raise ValueError("the equation has no fixpoint: a value became NaN on the way")
    if bool((before.isfinite() & ~after.isfinite()).any()):
        raise _endless("a value grows without an end")


def _endless(why: str) -> TensorLogicError:
    help = ("say where it ends: `where steps <= 10`, or `where tol < 1e-6`",)
    return TensorLogicError(Diagnostic("TL0503", f"this recursion does not end by itself: {why}", help=help))
