"""PyTorch's optimizers over what a program calls parameters, fused where the device has such kernels."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime import distributed
from tensorlogic.runtime.training.roots import learnable


class Rule:
    """An optimizer or a schedule without what it works on: `learn` knows that only later."""

    def __init__(self, make: Callable[..., Any], **options: Any) -> None:
        self.make = make
        self.options = options

    def __call__(self, on: Any, **known: Any) -> Any:
        return self.make(on, **known, **self.options)


def _ready(of: Any, kernels: bool = True) -> tuple[list[Tensor], dict[str, bool]]:
    """The parameters, and how to update them: all by one kernel where there is one, also for sharded ones if `kernels`; one by one where
    only some are sharded."""
    found = learnable(of)
    if not found:
        help = "declare `param` fields, or `learnable` tensors"
        raise TensorLogicError(Diagnostic("TL0305", "there is nothing to learn: no tensor here is learnable", help=(help,)))
    sharded = {distributed.is_sharded(tensor) for tensor in found}
    if len(sharded) > 1 or not (kernels or sharded == {False}):
        return found, {"foreach": False}
    return found, {"fused": all(t.is_floating_point() and t.device.type in ("cpu", "cuda", "mps") for t in found)}


def sgd(params: Any, **options: Any) -> torch.optim.Optimizer:
    """torch.optim.SGD."""
    found, how = _ready(params, kernels=False)
    return torch.optim.SGD(found, **how, **options)


def adam(params: Any, **options: Any) -> torch.optim.Optimizer:
    """torch.optim.Adam."""
    found, how = _ready(params)
    return torch.optim.Adam(found, **how, **options)


def adamw(params: Any, **options: Any) -> torch.optim.Optimizer:
    """torch.optim.AdamW."""
    found, how = _ready(params)
    return torch.optim.AdamW(found, **how, **options)


def rmsprop(params: Any, **options: Any) -> torch.optim.Optimizer:
    """torch.optim.RMSprop."""
    found, how = _ready(params)
    return torch.optim.RMSprop(found, foreach=how.get("foreach"), **options)
