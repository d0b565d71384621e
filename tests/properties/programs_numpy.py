"""What the numpy text of random programs calls: the builtins by their definitions, written without PyTorch."""

import numpy as np
from numpy import abs, cos, exp2, expm1, maximum, minimum, sin, sinc, square, tanh  # noqa: F401 - used by the texts


def relu(x):
    return np.maximum(x, 0.0)


def relu6(x):
    return np.clip(x, 0.0, 6.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def softsign(x):
    return x / (1.0 + np.abs(x))


atan = np.arctan


def erf(x):
    """By its Taylor series near 0 and a continued fraction further out: good to 1e-12."""
    x = np.asarray(x, dtype=np.float64)
    small = np.clip(x, -3.0, 3.0)
    term, total = small, small
    for n in range(1, 70):
        term = -term * small * small / n
        total = total + term / (2 * n + 1)
    large = np.maximum(np.abs(x), 2.5)
    tail = np.zeros_like(large)
    for n in range(60, 0, -1):
        tail = (n / 2.0) / (large + tail)
    outer = 1.0 - np.exp(-large * large) / (np.sqrt(np.pi) * (large + tail))
    return np.where(np.abs(x) <= 3.0, 2.0 / np.sqrt(np.pi) * total, np.sign(x) * outer)


def sum_(x, axis=None, keep=False):
    return np.sum(x, axis=axis, keepdims=keep)


def mean_(x, axis=None, keep=False):
    return np.mean(x, axis=axis, keepdims=keep)


def prod_(x, axis=None, keep=False):
    return np.prod(x, axis=axis, keepdims=keep)


def max_(x, axis=None, keep=False):
    return np.max(x, axis=axis, keepdims=keep)


def min_(x, axis=None, keep=False):
    return np.min(x, axis=axis, keepdims=keep)


amax_, amin_ = max_, min_


def var_(x, axis=None, keep=False):
    return np.var(x, axis=axis, keepdims=keep, ddof=1)


def std_(x, axis=None, keep=False):
    return np.std(x, axis=axis, keepdims=keep, ddof=1)


def logsumexp_(x, axis=None, keep=False):
    top = np.max(x, axis=axis, keepdims=True)
    result = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return result if keep else np.squeeze(result, axis=axis)


def log_softmax(x, axis):
    return x - logsumexp_(x, axis, True)


def softmax(x, axis):
    return np.exp(log_softmax(x, axis))


def softmin(x, axis):
    return softmax(-x, axis)


def cumsum(x, axis):
    return np.cumsum(x, axis=axis)


def flip(x, axis):
    return np.flip(x, axis)


def roll(x, axis):
    return np.roll(x, 2, axis)


def sort(x, axis):
    return np.sort(x, axis)


def mse_loss(x, y):
    return np.mean((x - y) ** 2)


def l1_loss(x, y):
    return np.mean(np.abs(x - y))


def layer_norm(x, eps):
    middle = np.mean(x, axis=-1, keepdims=True)
    return (x - middle) / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)


def rms_norm(x, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)


def one_hot(x, count):
    return np.eye(count, dtype=np.int64)[x]


def ceil_div(a, b):
    return -(-a // b)


def rounded(values, dtype):
    """Numbers as a dtype holds them."""
    return np.array(values, dtype={"f32": np.float32, "f16": np.float16}.get(dtype, np.float64))


def attention(x, size, causal):
    scores = x @ x.T / np.sqrt(size)
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape)) > 0, scores, -np.inf)
    return softmax(scores, -1) @ x
