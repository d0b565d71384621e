"""Recurrences and fixpoints of tensor equations: one step after the other, with gradients through all of them."""

from collections.abc import Callable

import torch
from torch import Tensor

MAX_STEPS = 100_000


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


def fixpoint(start: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
    """The state that `step` leaves as it is, or changes by no more than rounding. ValueError where there is none."""
    state = start
    for _ in range(MAX_STEPS):
        after = step(state)
        if _settled(state, after):
            return after
        state = after
    raise ValueError(f"the equation has come to no fixpoint after {MAX_STEPS} steps")


def _settled(before: Tensor, after: Tensor) -> bool:
    with torch.no_grad():
        if torch.equal(before, after):
            return True
        if not after.is_floating_point():
            return False
        if not torch.equal(before.isfinite(), after.isfinite()) or bool(after.isnan().any()):
            _refuse(after)
            return False
        finite = after.isfinite()
        close = (after - before).abs() <= 4 * torch.finfo(after.dtype).eps * after.abs()
        return bool((close | ~finite & (after == before)).all())


def _refuse(state: Tensor) -> None:
    if bool(state.isnan().any()):
        raise ValueError("the equation has no fixpoint: a value became NaN on the way")
