"""Schedules of the learning rate, as PyTorch's schedulers. Steps count from 0."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR, LRScheduler, StepLR


def warmup_cosine(optimizer: Optimizer, warmup: int, total: int, min_lr: float = 0.0) -> LRScheduler:
    """Linear growth to the optimizer's rate over `warmup` steps, then half a cosine down to `min_lr` at step `total`."""
    return _warmed(optimizer, warmup, total, min_lr, lambda part: 0.5 * (1.0 + math.cos(math.pi * part)))


def warmup_linear(optimizer: Optimizer, warmup: int, total: int, min_lr: float = 0.0) -> LRScheduler:
    """Linear growth to the optimizer's rate over `warmup` steps, then a straight line down to `min_lr` at step `total`."""
    return _warmed(optimizer, warmup, total, min_lr, lambda part: 1.0 - part)


def _warmed(optimizer: Optimizer, warmup: int, total: int, min_lr: float, shape) -> LRScheduler:
    def factor(base: float):
        low = min_lr / base if base else 0.0

        def at(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            part = min(1.0, (step - warmup) / max(1, total - warmup))
            return low + (1.0 - low) * shape(part)

        return at

    return LambdaLR(optimizer, [factor(group["lr"]) for group in optimizer.param_groups])


def step_decay(optimizer: Optimizer, every: int, gamma: float = 0.1, total: int = 0) -> LRScheduler:
    """The rate times `gamma` after each `every` steps. A schedule that does not end needs no `total`."""
    return StepLR(optimizer, every, gamma)


def exponential_decay(optimizer: Optimizer, gamma: float, total: int = 0) -> LRScheduler:
    """The rate times `gamma` after each step. A schedule that does not end needs no `total`."""
    return ExponentialLR(optimizer, gamma)
