"""Builtins that put elements on a common scale: softmax, layer, group and batch normalization."""

from tensorlogic.stdlib.costs import each
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin


@builtin("softmax<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]", cost=each(4, keeps="result"))
def softmax(x, dim):
    """Exponentials that sum to 1 along an axis. See torch.softmax."""
    return torch.softmax(x, dim)


@builtin("log_softmax<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]", cost=each(4, keeps="result"))
def log_softmax(x, dim):
    """The logarithm of softmax. See torch.log_softmax."""
    return torch.log_softmax(x, dim)


@builtin("softmin<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]", cost=each(5, keeps="result"))
def softmin(x, dim):
    """softmax of -x. See torch.nn.functional.softmin."""
    return torch.nn.functional.softmin(x, dim)


@builtin(
    "gumbel_softmax<T: float>(x: T[...S], tau: float = 1.0, hard: bool = false, dim: int = -1) -> T[...along(S, dim)]",
    effect="random",
    cost=each(7, keeps="result"),
)
def gumbel_softmax(x, tau=1.0, hard=False, dim=-1):
    """A random choice along an axis that gradients flow through. See torch.nn.functional.gumbel_softmax."""
    return torch.nn.functional.gumbel_softmax(x, tau=tau, hard=hard, dim=dim)


@builtin(
    "layer_norm<T: float>(x: T[...S], shape: [int], weight: T[...shape] = none, bias: T[...shape] = none, eps: float = 1e-5)"
    " -> T[...trailing(S, shape)]",
    cost=each(5),
)
def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    """Mean 0 and variance 1 over the last axes, then `weight` and `bias`. See torch.nn.functional.layer_norm."""
    return torch.nn.functional.layer_norm(x, shape, weight=weight, bias=bias, eps=eps)


@builtin(
    "rms_norm<T: float>(x: T[...S], shape: [int], weight: T[...shape] = none, eps: float = none) -> T[...trailing(S, shape)]",
    cost=each(5),
)
def rms_norm(x, shape, weight=None, eps=None):
    """Mean square 1 over the last axes, then `weight`. See torch.nn.functional.rms_norm."""
    return torch.nn.functional.rms_norm(x, shape, weight=weight, eps=eps)


@builtin(
    "group_norm<T: float>(x: T[N, C, ...S], num_groups: int, weight: T[C] = none, bias: T[C] = none, eps: float = 1e-5)"
    " -> T[N, C, ...spatial(N * C / num_groups, S)] where num_groups >= 1, C % num_groups == 0",
    cost=each(5),
)
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Mean 0 and variance 1 over groups of channels. See torch.nn.functional.group_norm."""
    return torch.nn.functional.group_norm(x, num_groups, weight=weight, bias=bias, eps=eps)


@builtin(
    "instance_norm<T: float>(x: T[N, C, ...S], weight: T[C] = none, bias: T[C] = none, eps: float = 1e-5) -> T[N, C, ...spatial(1, S)]",
    cost=each(5),
)
def instance_norm(x, weight=None, bias=None, eps=1e-5):
    """Mean 0 and variance 1 over each channel of each instance. See torch.nn.functional.instance_norm."""
    return torch.nn.functional.instance_norm(x, weight=weight, bias=bias, eps=eps)


@builtin(
    "batch_norm<T: float>(x: T[N, C, ...S], running_mean: T[C], running_var: T[C], weight: T[C] = none, bias: T[C] = none,"
    " training: bool = false, momentum: float = 0.1, eps: float = 1e-5) -> T[N, C, ...spatial(N, S, training)]",
    "batch_norm<T: float>(x: T[N, C, ...S], weight: T[C] = none, bias: T[C] = none, training: bool, eps: float = 1e-5)"
    " -> T[N, C, ...trained(N, S, training)]",
    cost=each(5),
)
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Mean 0 and variance 1 of each channel over the batch, or with running statistics. See torch.nn.functional.batch_norm."""
    return torch.nn.functional.batch_norm(
        x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias, training=training, momentum=momentum, eps=eps
    )


@builtin(
    "normalize<T: float>(x: T[...S], p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> T[...along(S, dim)]", cost=each(4, keeps="x")
)
def normalize(x, p=2.0, dim=1, eps=1e-12):
    """Vectors of norm 1 along an axis. See torch.nn.functional.normalize."""
    return torch.nn.functional.normalize(x, p=p, dim=dim, eps=eps)
