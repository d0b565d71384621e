"""Activation functions, and dropout."""

import math

from tensorlogic.stdlib.costs import each
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.precise import real
from tensorlogic.stdlib.registry import builtin


@builtin("relu<T: number>(x: T[...S]) -> T[...S]", infer=real, cost=each(keeps="result"))
def relu(x):
    """max(x, 0). See torch.relu."""
    return torch.relu(x)


@builtin("relu6<T: float>(x: T[...S]) -> T[...S]")
def relu6(x):
    """min(max(x, 0), 6). See torch.nn.functional.relu6."""
    return torch.nn.functional.relu6(x)


@builtin('gelu<T: float>(x: T[...S], approximate: string = "none") -> T[...S]', cost=each(8))
def gelu(x, approximate="none"):
    """x times the normal distribution's probability up to x; `approximate: "tanh"` as in GPT-2. See torch.nn.functional.gelu."""
    return torch.nn.functional.gelu(x, approximate=approximate)


@builtin("silu<T: float>(x: T[...S]) -> T[...S]")
def silu(x):
    """x * sigmoid(x). See torch.nn.functional.silu."""
    return torch.nn.functional.silu(x)


@builtin("sigmoid(x: float) -> float")
def sigmoid_of_float(x):
    """1 / (1 + exp(-x))."""
    return 0.5 * (math.tanh(0.5 * x) + 1.0)


@builtin("sigmoid<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def sigmoid(x):
    """1 / (1 + exp(-x)). See torch.sigmoid."""
    return torch.sigmoid(x)


@builtin("tanh(x: float) -> float")
def tanh_of_float(x):
    """Hyperbolic tangent."""
    return math.tanh(x)


@builtin("tanh<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def tanh(x):
    """Hyperbolic tangent. See torch.tanh."""
    return torch.tanh(x)


@builtin("logsigmoid<T: float>(x: T[...S]) -> T[...S]")
def logsigmoid(x):
    """log(sigmoid(x)). See torch.nn.functional.logsigmoid."""
    return torch.nn.functional.logsigmoid(x)


@builtin("softsign<T: float>(x: T[...S]) -> T[...S]", cost=each(3, extra="x * item"))
def softsign(x):
    """x / (1 + |x|). See torch.nn.functional.softsign."""
    return torch.nn.functional.softsign(x)


@builtin("mish<T: float>(x: T[...S]) -> T[...S]")
def mish(x):
    """x * tanh(softplus(x)). See torch.nn.functional.mish."""
    return torch.nn.functional.mish(x)


@builtin("hardsigmoid<T: float>(x: T[...S]) -> T[...S]")
def hardsigmoid(x):
    """A piecewise linear sigmoid. See torch.nn.functional.hardsigmoid."""
    return torch.nn.functional.hardsigmoid(x)


@builtin("hardswish<T: float>(x: T[...S]) -> T[...S]")
def hardswish(x):
    """x * hardsigmoid(x). See torch.nn.functional.hardswish."""
    return torch.nn.functional.hardswish(x)


@builtin("selu<T: float>(x: T[...S]) -> T[...S]")
def selu(x):
    """Scaled exponential linear unit. See torch.nn.functional.selu."""
    return torch.nn.functional.selu(x)


@builtin("tanhshrink<T: float>(x: T[...S]) -> T[...S]", cost=each(2, keeps="", extra="result * item"))
def tanhshrink(x):
    """x - tanh(x). See torch.nn.functional.tanhshrink."""
    return torch.nn.functional.tanhshrink(x)


@builtin("softplus<T: float>(x: T[...S], beta: float = 1.0, threshold: float = 20.0) -> T[...S]")
def softplus(x, beta=1.0, threshold=20.0):
    """log(1 + exp(beta x)) / beta. See torch.nn.functional.softplus."""
    return torch.nn.functional.softplus(x, beta=beta, threshold=threshold)


@builtin("leaky_relu<T: float>(x: T[...S], negative_slope: float = 0.01) -> T[...S]")
def leaky_relu(x, negative_slope=0.01):
    """x where positive, a small multiple of it elsewhere. See torch.nn.functional.leaky_relu."""
    return torch.nn.functional.leaky_relu(x, negative_slope=negative_slope)


@builtin("elu<T: float>(x: T[...S], alpha: float = 1.0) -> T[...S]")
def elu(x, alpha=1.0):
    """x where positive, alpha (exp(x) - 1) elsewhere. See torch.nn.functional.elu."""
    return torch.nn.functional.elu(x, alpha=alpha)


@builtin("celu<T: float>(x: T[...S], alpha: float = 1.0) -> T[...S]")
def celu(x, alpha=1.0):
    """x where positive, alpha (exp(x / alpha) - 1) elsewhere. See torch.nn.functional.celu."""
    return torch.nn.functional.celu(x, alpha=alpha)


@builtin("hardtanh<T: float>(x: T[...S], min_val: float = -1.0, max_val: float = 1.0) -> T[...S]")
def hardtanh(x, min_val=-1.0, max_val=1.0):
    """x, moved between two bounds. See torch.nn.functional.hardtanh."""
    return torch.nn.functional.hardtanh(x, min_val=min_val, max_val=max_val)


@builtin("hardshrink<T: float>(x: T[...S], lambd: float = 0.5) -> T[...S]")
def hardshrink(x, lambd=0.5):
    """x outside [-lambd, lambd], 0 inside. See torch.nn.functional.hardshrink."""
    return torch.nn.functional.hardshrink(x, lambd=lambd)


@builtin("softshrink<T: float>(x: T[...S], lambd: float = 0.5) -> T[...S]")
def softshrink(x, lambd=0.5):
    """x moved towards 0 by lambd. See torch.nn.functional.softshrink."""
    return torch.nn.functional.softshrink(x, lambd=lambd)


@builtin("threshold<T: float>(x: T[...S], threshold: float, value: float) -> T[...S]")
def threshold(x, threshold, value):
    """x where it is above the threshold, `value` elsewhere. See torch.nn.functional.threshold."""
    return torch.nn.functional.threshold(x, threshold, value)


@builtin("step<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps=""))
def step(x):
    """1 where x is positive, 0 elsewhere."""
    return torch.heaviside(x, torch.zeros((), dtype=x.dtype, device=x.device))


@builtin("prelu<T: float>(x: T[...S], weight: T[...K]) -> T[...channelwise(S, K)]")
def prelu(x, weight):
    """x where positive, `weight` times x elsewhere. See torch.nn.functional.prelu."""
    return torch.nn.functional.prelu(x, weight)


@builtin("glu<T: float>(x: T[...S], dim: int = -1) -> T[...halved(S, dim)]")
def glu(x, dim=-1):
    """One half of the axis times the sigmoid of the other. See torch.nn.functional.glu."""
    return torch.nn.functional.glu(x, dim=dim)


@builtin(
    "dropout<T: float>(x: T[...S], p: float = 0.5, training: bool = true) -> T[...S]",
    effect="random",
    cost=each(2, keeps="", extra="result"),
)
def dropout(x, p=0.5, training=True):
    """Zero with probability p and 1 / (1 - p) times x otherwise, while training. See torch.nn.functional.dropout."""
    return torch.nn.functional.dropout(x, p=p, training=training)
