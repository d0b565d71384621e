"""Training: optimizers and schedules, the loop behind `learn`, its checkpoints, its log and its progress."""

from tensorlogic.runtime.training.loop import fit
from tensorlogic.runtime.training.optimizers import Rule, adam, adamw, rmsprop, sgd
from tensorlogic.runtime.training.plan import Every
from tensorlogic.runtime.training.roots import learnable
from tensorlogic.runtime.training.schedules import exponential_decay, step_decay, warmup_cosine, warmup_linear

every, rule = Every, Rule

__all__ = [
    "Every", "Rule", "adam", "adamw", "every", "exponential_decay", "fit", "learnable", "rmsprop", "rule", "sgd", "step_decay",
    "warmup_cosine", "warmup_linear",
]  # fmt: skip
