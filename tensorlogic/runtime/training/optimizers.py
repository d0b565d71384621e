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


def _ready(of: Any) -> tuple[list[Tensor], dict[str, bool]]:
    """The parameters, and how to update them: all by one kernel where the device has it, one by one where only some are sharded."""
    found = learnable(of)
    if not found:
        help = "declare `param` fields, or `learnable` tensors"
        raise TensorLogicError(Diagnostic("TL0305", "there is nothing to learn: no tensor here is learnable", help=(help,)))
    if len({distributed.is_sharded(tensor) for tensor in found}) > 1:
        return found, {"foreach": False}
    return found, {"fused": all(t.is_floating_point() and t.device.type in ("cpu", "cuda", "mps") for t in found)}


def sgd(params: Any, **options: Any) -> torch.optim.Optimizer:
    """torch.optim.SGD."""
    found, how = _ready(params)
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
    return torch.optim.RMSprop(_ready(params)[0], **options)
