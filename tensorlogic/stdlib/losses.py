"""Builtins that measure how far predictions are from targets. Both obey the rule of broadcasting: no accidental [N, N]."""

from tensorlogic.stdlib.costs import Cost, over
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.registry import builtin

_PAIR = "<T: float>(x: T[...A], target: T[...B]"
_WEIGHTED = 'reduction: string = "mean") -> T[...weighted_loss(A, B, reduction)]'
_LOGITS = "binary_cross_entropy_with_logits<T: float>(x: T[...A], target: T[...A]"
_RESULT = 'reduction: string = "mean") -> T[...loss(A, B, reduction)]'

_CROSS = over("logits", 4, keeps="targets", extra="logits * item")  # the logarithms of the softmax


@builtin(f"mse_loss{_PAIR}, {_RESULT}", cost=over("x", 3))
def mse_loss(x, target, reduction="mean"):
    """The mean of the squared differences. See torch.nn.functional.mse_loss."""
    return torch.nn.functional.mse_loss(x, target, reduction=reduction)


@builtin(f"l1_loss{_PAIR}, {_RESULT}", cost=over("x", 3, keeps="", extra="x * item"))
def l1_loss(x, target, reduction="mean"):
    """The mean of the absolute differences. See torch.nn.functional.l1_loss."""
    return torch.nn.functional.l1_loss(x, target, reduction=reduction)


@builtin(f"smooth_l1_loss{_PAIR}, beta: float = 1.0, {_RESULT}", cost=over("x", 5))
def smooth_l1_loss(x, target, beta=1.0, reduction="mean"):
    """Squares of small differences, sizes of large ones. See torch.nn.functional.smooth_l1_loss."""
    return torch.nn.functional.smooth_l1_loss(x, target, reduction=reduction, beta=beta)


@builtin(f"huber_loss{_PAIR}, delta: float = 1.0, {_RESULT}", cost=over("x", 5))
def huber_loss(x, target, delta=1.0, reduction="mean"):
    """Squares of differences below `delta`, sizes of larger ones. See torch.nn.functional.huber_loss."""
    return torch.nn.functional.huber_loss(x, target, reduction=reduction, delta=delta)


@builtin(
    'binary_cross_entropy<T: float>(x: T[...A], target: T[...A], reduction: string = "mean") -> T[...loss_of(A, reduction)]',
    f"binary_cross_entropy<T: float>(x: T[...A], target: T[...A], weight: T[...B], {_WEIGHTED}",
    cost=over("x", 6),
)
def binary_cross_entropy(x, target, weight=None, reduction="mean"):
    """The cross entropy of probabilities. See torch.nn.functional.binary_cross_entropy."""
    return torch.nn.functional.binary_cross_entropy(x, target, weight=weight, reduction=reduction)


@builtin(
    f'{_LOGITS}, reduction: string = "mean") -> T[...loss_of(A, reduction)]',
    f"{_LOGITS}, weight: T[...B], {_WEIGHTED}",
    f"{_LOGITS}, pos_weight: T[...B], {_WEIGHTED}",
    f"{_LOGITS}, weight: T[...B], pos_weight: T[...C], {_WEIGHTED.replace('B,', 'B, C,')}",
    cost=over("x", 8),
)
def binary_cross_entropy_with_logits(x, target, weight=None, pos_weight=None, reduction="mean"):
    """The cross entropy of sigmoid(x). See torch.nn.functional.binary_cross_entropy_with_logits."""
    return torch.nn.functional.binary_cross_entropy_with_logits(x, target, weight=weight, pos_weight=pos_weight, reduction=reduction)


_CLASSES = "weight: T[C] = none, ignore_index: int = -100"


@builtin(
    f'cross_entropy<T: float>(logits: T[N, C], targets: int64[N], {_CLASSES}, label_smoothing: float = 0.0, reduction: string = "mean")'
    " -> T[...rows_loss(N, reduction)]",
    f'cross_entropy<T: float>(logits: T[C], targets: int64[], {_CLASSES}, label_smoothing: float = 0.0, reduction: string = "mean") -> T[]',
    cost=_CROSS,
)
def cross_entropy(logits, targets, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"):
    """The mean of -log softmax(logits) at the targets; the classes are the last axis. See torch.nn.functional.cross_entropy."""
    return torch.nn.functional.cross_entropy(
        logits, targets, weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


@builtin(
    f"cross_entropy<T: float>(logits: T[...B, C], targets: int64[...B], {_CLASSES}, label_smoothing: float = 0.0,"
    ' reduction: string = "mean") -> T[...loss_of(B, reduction)]',
    cost=_CROSS,
)
def cross_entropy_of_many(logits, targets, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"):
    """`cross_entropy` with any number of leading axes."""
    return runtime.ops.cross_entropy(logits, targets, weight, ignore_index, label_smoothing, reduction)


@builtin(
    'cross_entropy<T: float>(logits: T[...B, C], targets: T[...B, C], label_smoothing: float = 0.0, reduction: string = "mean")'
    " -> T[...loss_of(B, reduction)]",
    cost=over("logits", 6, keeps="targets", extra="logits * item"),
)
def cross_entropy_of_probabilities(logits, targets, label_smoothing=0.0, reduction="mean"):
    """`cross_entropy` with a probability for each class."""
    return runtime.ops.soft_cross_entropy(logits, targets, label_smoothing, reduction)


@builtin(
    f'nll_loss<T: float>(log_probs: T[...B, C], targets: int64[...B], {_CLASSES}, reduction: string = "mean")'
    " -> T[...loss_of(B, reduction)]",
    cost=Cost("targets", keeps="log_probs targets"),
)
def nll_loss(log_probs, targets, weight=None, ignore_index=-100, reduction="mean"):
    """The mean of -log_probs at the targets; the classes are the last axis. See torch.nn.functional.nll_loss."""
    return runtime.ops.nll_loss(log_probs, targets, weight, ignore_index, reduction)


@builtin(
    'kl_div<T: float>(x: T[...A], target: T[...B], log_target: bool = false, reduction: string = "mean") -> T[...loss(A, B, reduction)]',
    cost=over("x", 4, keeps="x target"),
)
def kl_div(x, target, log_target=False, reduction="mean"):
    """The divergence of log probabilities `x` from probabilities `target`. See torch.nn.functional.kl_div."""
    return torch.nn.functional.kl_div(x, target, reduction=reduction, log_target=log_target)


@builtin(f"soft_margin_loss<T: float>(x: T[...A], target: T[...B], {_WEIGHTED}", cost=over("x", 5))
def soft_margin_loss(x, target, reduction="mean"):
    """The mean of log(1 + exp(-target * x)). See torch.nn.functional.soft_margin_loss."""
    return torch.nn.functional.soft_margin_loss(x, target, reduction=reduction)


@builtin(f"poisson_nll_loss{_PAIR}, log_input: bool = true, {_RESULT}", cost=over("x", 4))
def poisson_nll_loss(x, target, log_input=True, reduction="mean"):
    """The negative log likelihood of Poisson counts. See torch.nn.functional.poisson_nll_loss."""
    return torch.nn.functional.poisson_nll_loss(x, target, log_input=log_input, reduction=reduction)


@builtin(
    'triplet_margin_loss<T: float>(anchor: T[...A], positive: T[...P], negative: T[...N], margin: float = 1.0, reduction: string = "mean")'
    " -> T[...triplet_loss(A, P, N, reduction)]",
    cost=over("anchor", 8, keeps="", extra="2 * anchor * item"),
)
def triplet_margin_loss(anchor, positive, negative, margin=1.0, reduction="mean"):
    """How far positives are nearer than negatives. See torch.nn.functional.triplet_margin_loss."""
    return torch.nn.functional.triplet_margin_loss(anchor, positive, negative, margin=margin, reduction=reduction)
