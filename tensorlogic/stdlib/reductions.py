"""Builtins that put elements of a tensor together along axes: sums, means, norms, running totals."""

from tensorlogic.stdlib.costs import each, over
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.shapes import broadcast
from tensorlogic.types.types import Tensor, Type


@builtin(
    "sum<T: float>(x: T[...S]) -> T[]",
    "sum<T: int>(x: T[...S]) -> int64[]",
    "sum<T: bool>(x: T[...S]) -> int64[]",
    cost=over("x", keeps=""),
)
def sum_(x):
    """The sum of all elements, or along axes; of integers and bools an int64. See torch.sum."""
    return torch.sum(x)


@builtin(
    "sum<T: float>(x: T[...S], dim: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "sum<T: float>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "sum<T: int>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    "sum<T: int>(x: T[...S], dim: [int], keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    "sum<T: bool>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    "sum<T: bool>(x: T[...S], dim: [int], keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    cost=over("x", keeps=""),
)
def sum_along(x, dim, keepdim=False):
    """The sum of all elements, or along axes; of integers and bools an int64. See torch.sum."""
    return torch.sum(x, dim, keepdim)


@builtin(
    "prod<T: float>(x: T[...S]) -> T[]",
    "prod<T: int>(x: T[...S]) -> int64[]",
    "prod<T: bool>(x: T[...S]) -> int64[]",
    cost=over("x", keeps="x result"),
)
def prod(x):
    """The product of all elements, or along an axis; of integers and bools an int64. See torch.prod."""
    return torch.prod(x)


@builtin(
    "prod<T: float>(x: T[...S], dim: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "prod<T: int>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    "prod<T: bool>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...reduce(S, dim, keepdim)]",
    cost=over("x", keeps="x result"),
)
def prod_along(x, dim, keepdim=False):
    """The product of all elements, or along an axis; of integers and bools an int64. See torch.prod."""
    return torch.prod(x, dim, keepdim)


@builtin("mean<T: float>(x: T[...S]) -> T[]", cost=over("x", keeps=""))
def mean(x):
    """The mean of all elements, or along axes. See torch.mean."""
    return torch.mean(x)


@builtin(
    "mean<T: float>(x: T[...S], dim: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "mean<T: float>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", keeps=""),
)
def mean_along(x, dim, keepdim=False):
    """The mean of all elements, or along axes. See torch.mean."""
    return torch.mean(x, dim, keepdim)


@builtin("var<T: float>(x: T[...S], unbiased: bool = true) -> T[]", cost=over("x", 4))
def var(x, unbiased=True):
    """The variance, by default the unbiased estimate; `correction` is subtracted from the count. See torch.var."""
    return torch.var(x, unbiased=unbiased)


@builtin(
    "var<T: float>(x: T[...S], dim: int, unbiased: bool = true, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "var<T: float>(x: T[...S], dim: [int], unbiased: bool = true, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 4),
)
def var_along(x, dim, unbiased=True, keepdim=False):
    """The variance, by default the unbiased estimate; `correction` is subtracted from the count. See torch.var."""
    return torch.var(x, dim, unbiased=unbiased, keepdim=keepdim)


@builtin("var<T: float>(x: T[...S], correction: int) -> T[]", cost=over("x", 4))
def var_corrected(x, correction):
    """The variance, by default the unbiased estimate; `correction` is subtracted from the count. See torch.var."""
    return torch.var(x, correction=correction)


@builtin(
    "var<T: float>(x: T[...S], dim: int, correction: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "var<T: float>(x: T[...S], dim: [int], correction: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 4),
)
def var_along_corrected(x, dim, correction, keepdim=False):
    """The variance, by default the unbiased estimate; `correction` is subtracted from the count. See torch.var."""
    return torch.var(x, dim, correction=correction, keepdim=keepdim)


@builtin("std<T: float>(x: T[...S], unbiased: bool = true) -> T[]", cost=over("x", 4, keeps="x result"))
def std(x, unbiased=True):
    """The standard deviation, by default from the unbiased variance. See torch.std."""
    return torch.std(x, unbiased=unbiased)


@builtin(
    "std<T: float>(x: T[...S], dim: int, unbiased: bool = true, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "std<T: float>(x: T[...S], dim: [int], unbiased: bool = true, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 4, keeps="x result"),
)
def std_along(x, dim, unbiased=True, keepdim=False):
    """The standard deviation, by default from the unbiased variance. See torch.std."""
    return torch.std(x, dim, unbiased=unbiased, keepdim=keepdim)


@builtin("std<T: float>(x: T[...S], correction: int) -> T[]", cost=over("x", 4, keeps="x result"))
def std_corrected(x, correction):
    """The standard deviation, by default from the unbiased variance. See torch.std."""
    return torch.std(x, correction=correction)


@builtin(
    "std<T: float>(x: T[...S], dim: int, correction: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "std<T: float>(x: T[...S], dim: [int], correction: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 4, keeps="x result"),
)
def std_along_corrected(x, dim, correction, keepdim=False):
    """The standard deviation, by default from the unbiased variance. See torch.std."""
    return torch.std(x, dim, correction=correction, keepdim=keepdim)


@builtin(
    "norm<T: float>(x: T[...S], p: float = 2.0) -> T[]",
    "norm<T: float>(x: T[...S], p: float = 2.0, dim: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "norm<T: float>(x: T[...S], p: float = 2.0, dim: [int], keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 2, keeps="x result"),
)
def norm(x, p=2.0, dim=None, keepdim=False):
    """The p-norm of all elements, or along axes. See torch.linalg.vector_norm."""
    return torch.linalg.vector_norm(x, p, dim=dim, keepdim=keepdim)


@builtin(
    "logsumexp<T: float>(x: T[...S], dim: int, keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    "logsumexp<T: float>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...reduce(S, dim, keepdim)]",
    cost=over("x", 3, keeps="x result"),
)
def logsumexp(x, dim, keepdim=False):
    """log(sum(exp(x))) along axes, without overflow. See torch.logsumexp."""
    return torch.logsumexp(x, dim, keepdim=keepdim)


@builtin(
    "cumsum<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]",
    "cumsum<T: int>(x: T[...S], dim: int) -> int64[...along(S, dim)]",
    "cumsum<T: bool>(x: T[...S], dim: int) -> int64[...along(S, dim)]",
    cost=each(keeps=""),
)
def cumsum(x, dim):
    """Running sums along an axis. See torch.cumsum."""
    return torch.cumsum(x, dim)


@builtin(
    "cumprod<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]",
    "cumprod<T: int>(x: T[...S], dim: int) -> int64[...along(S, dim)]",
    "cumprod<T: bool>(x: T[...S], dim: int) -> int64[...along(S, dim)]",
    cost=each(keeps="x result"),
)
def cumprod(x, dim):
    """Running products along an axis. See torch.cumprod."""
    return torch.cumprod(x, dim)


@builtin("logcumsumexp<T: float>(x: T[...S], dim: int) -> T[...along(S, dim)]", cost=each(3, keeps="x result"))
def logcumsumexp(x, dim):
    """Running log(sum(exp(x))) along an axis. See torch.logcumsumexp."""
    return torch.logcumsumexp(x, dim)


@builtin("diff<T: number>(x: T[...B, N]) -> T[...B, N - 1]", cost=each(keeps=""))
def diff(x):
    """Differences of neighbours on the last axis. See torch.diff."""
    return torch.diff(x)


def _compared(call) -> Type | None:
    a, b = call.types["a"], call.types["b"]
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        broadcast(call.need, a.shape, b.shape)
    return call.result


@builtin(
    "allclose<T: number>(a: T[...A], b: T[...B], rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = false) -> bool",
    infer=_compared,
    cost=over("a", 4, keeps=""),
)
def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements agree up to `atol + rtol * |b|`. See torch.allclose."""
    return torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


@builtin(
    "isclose<T: number>(a: T[...A], b: T[...B], rtol: float = 1e-5, atol: float = 1e-8) -> bool[...broadcast(A, B)]", cost=each(4, keeps="")
)
def isclose(a, b, rtol=1e-5, atol=1e-8):
    """Where two tensors agree up to `atol + rtol * |b|`. See torch.isclose."""
    return torch.isclose(a, b, rtol=rtol, atol=atol)


@builtin("equal<T: any>(a: T[...A], b: T[...B]) -> bool", cost=over("a", keeps=""))
def equal(a, b):
    """Whether shapes and all elements are the same. See torch.equal."""
    return torch.equal(a, b)


@builtin("histc<T: float>(x: T[...S], bins: int, min: float, max: float) -> T[bins] where bins >= 1", cost=over("x", keeps=""))
def histc(x, bins, min, max):
    """How many elements fall into each of `bins` equal intervals. See torch.histc."""
    return torch.histc(x, bins, min, max)


@builtin("bincount(x: int64[N], minlength: int = 0) -> int64[?]", cost=over("x", keeps=""))
def bincount(x, minlength=0):
    """How often each number occurs. See torch.bincount."""
    return torch.bincount(x, minlength=minlength)
