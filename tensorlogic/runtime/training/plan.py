"""The options of one `learn` block, looked at before anything begins."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError


@dataclass(frozen=True, slots=True)
class Every:
    """What happens after each `steps` steps: a function that is called, or a folder that is saved to."""

    steps: int
    action: Any


@dataclass(slots=True)
class Plan:
    """The options by their names in the language. `optimizer` and `schedule` are PyTorch's, or a `Rule` that makes them.

    A training ends with `epochs` or with `steps`, whichever comes first. `resume` is "auto" or True (the newest checkpoint, where there is
    one), the folder of a checkpoint, or None or False.
    """

    optimizer: Any
    schedule: Any = None
    epochs: int | None = None
    steps: int | None = None
    clip_grad_norm: float | None = None
    accumulate: int = 1
    precision: torch.dtype | None = None
    validate: Every | None = None
    checkpoint: Every | None = None
    log: str | None = None
    resume: Any = None
    distributed: str | None = None
    tensor_parallel: bool = False

    def check(self) -> None:
        """TL0801 for a number that is not above 0, TL0601 for options that do not go together."""
        numbers = {"epochs": self.epochs, "steps": self.steps, "clip_grad_norm": self.clip_grad_norm, "accumulate": self.accumulate}
        for name in ("validate", "checkpoint"):
            option = getattr(self, name)
            numbers[f"{name}: every"] = option.steps if option is not None else None
        for name, number in numbers.items():
            if number is not None and not (isfinite(number) and number > 0):
                raise TensorLogicError(Diagnostic("TL0801", f"`{name}` is above 0, found {number}"))
        if (self.distributed is not None or self.tensor_parallel) and not hasattr(self.optimizer, "make"):
            help = ("write it without parameters: `optimizer: adamw(lr: 1e-3)`",)
            raise TensorLogicError(Diagnostic("TL0601", "the optimizer is made after the weights are shared out", help=help))
        if self.epochs is None and self.steps is None:
            raise TensorLogicError(Diagnostic("TL0601", "`learn` needs `epochs` or `steps`"))
        if self.resume in ("auto", True) and self.checkpoint is None:
            help = ('for example `checkpoint: every(100, "checkpoints/")`',)
            raise TensorLogicError(Diagnostic("TL0601", "`resume` needs `checkpoint`, which says where the checkpoints are", help=help))
        if self.checkpoint is not None and not (self.checkpoint.action and isinstance(self.checkpoint.action, str)):
            raise TensorLogicError(Diagnostic("TL0306", "`checkpoint` needs a folder", help=('for example `every(100, "checkpoints/")`',)))
        if self.validate is not None and not callable(self.validate.action):
            raise TensorLogicError(Diagnostic("TL0306", "`validate` needs a function", help=("for example `every(100, || loss(model))`",)))
