"""Builtins that look for elements: the largest and smallest ones, their places, medians, and whether something holds."""

from tensorlogic.stdlib.costs import over
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.precise import precise, real
from tensorlogic.stdlib.registry import builtin

_SORTED = over("x", 8, keeps="", extra="result * 8")  # about: a search for a place among all elements
_QUANTILE = over("x", 8, keeps="", extra="2 * x * item")


@builtin("max(a: int, b: int) -> int where result == max(a, b)", "max(a: float, b: float) -> float")
def max_of_numbers(a, b):
    """The largest element, or along an axis the largest elements (their places: `argmax`).

    Of two operands, element by element. See torch.max."""
    return max(a, b)


@builtin("max<T: any>(x: T[...S]) -> T[]", infer=real, cost=over("x", keeps="x result"))
def max_of_all(x):
    """The largest element. See torch.max."""
    return torch.max(x)


@builtin(
    "max<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    cost=over("x", keeps="", extra="result * 8"),
)
def max_along(x, dim, keepdim=False):
    """The largest elements along an axis. See torch.max."""
    return torch.max(x, dim, keepdim).values


@builtin("max<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]", cost=over("x", keeps="x result"))
def max_along_axes(x, dim, keepdim=False):
    """The largest elements along axes. See torch.amax."""
    return torch.amax(x, dim, keepdim)


@builtin("max<T: any>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True)
def max_of_two(a, b):
    """The largest of two, element by element. See torch.maximum."""
    return torch.maximum(a, b)


@builtin("min(a: int, b: int) -> int where result == min(a, b)", "min(a: float, b: float) -> float")
def min_of_numbers(a, b):
    """The smallest element, or along an axis the smallest elements (their places: `argmin`).

    Of two operands, element by element. See torch.min."""
    return min(a, b)


@builtin("min<T: any>(x: T[...S]) -> T[]", infer=real, cost=over("x", keeps="x result"))
def min_of_all(x):
    """The smallest element. See torch.min."""
    return torch.min(x)


@builtin(
    "min<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    cost=over("x", keeps="", extra="result * 8"),
)
def min_along(x, dim, keepdim=False):
    """The smallest elements along an axis. See torch.min."""
    return torch.min(x, dim, keepdim).values


@builtin("min<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]", cost=over("x", keeps="x result"))
def min_along_axes(x, dim, keepdim=False):
    """The smallest elements along axes. See torch.amin."""
    return torch.amin(x, dim, keepdim)


@builtin("min<T: any>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True)
def min_of_two(a, b):
    """The smallest of two, element by element. See torch.minimum."""
    return torch.minimum(a, b)


@builtin("amax<T: any>(x: T[...S]) -> T[]", infer=real, cost=over("x", keeps="x result"))
def amax(x):
    """The largest elements along axes, sharing the gradient between equal ones. See torch.amax."""
    return torch.amax(x)


@builtin(
    "amax<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    "amax<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    cost=over("x", keeps="x result"),
)
def amax_along(x, dim, keepdim=False):
    """The largest elements along axes, sharing the gradient between equal ones. See torch.amax."""
    return torch.amax(x, dim, keepdim)


@builtin("amin<T: any>(x: T[...S]) -> T[]", infer=real, cost=over("x", keeps="x result"))
def amin(x):
    """The smallest elements along axes, sharing the gradient between equal ones. See torch.amin."""
    return torch.amin(x)


@builtin(
    "amin<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    "amin<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    cost=over("x", keeps="x result"),
)
def amin_along(x, dim, keepdim=False):
    """The smallest elements along axes, sharing the gradient between equal ones. See torch.amin."""
    return torch.amin(x, dim, keepdim)


@builtin("argmax<T: number>(x: T[...S]) -> int64[]", infer=real, cost=over("x", keeps=""))
def argmax(x):
    """The place of the largest element: in the flattened tensor, or along an axis. See torch.argmax."""
    return torch.argmax(x)


@builtin("argmax<T: number>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...chosen(S, dim, keepdim)]", cost=over("x", keeps=""))
def argmax_along(x, dim, keepdim=False):
    """The place of the largest element: in the flattened tensor, or along an axis. See torch.argmax."""
    return torch.argmax(x, dim, keepdim)


@builtin("argmin<T: number>(x: T[...S]) -> int64[]", infer=real, cost=over("x", keeps=""))
def argmin(x):
    """The place of the smallest element: in the flattened tensor, or along an axis. See torch.argmin."""
    return torch.argmin(x)


@builtin("argmin<T: number>(x: T[...S], dim: int, keepdim: bool = false) -> int64[...chosen(S, dim, keepdim)]", cost=over("x", keeps=""))
def argmin_along(x, dim, keepdim=False):
    """The place of the smallest element: in the flattened tensor, or along an axis. See torch.argmin."""
    return torch.argmin(x, dim, keepdim)


@builtin("any<T: any>(x: T[...S]) -> bool[]", cost=over("x", keeps=""))
def any_(x):
    """Whether any element is not zero; of all, or along axes. See torch.any."""
    return torch.any(x).bool()


@builtin(
    "any<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> bool[...holds_along(S, dim, keepdim)]",
    "any<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> bool[...holds_along(S, dim, keepdim)]",
    cost=over("x", keeps=""),
)
def any_along(x, dim, keepdim=False):
    """Whether any element is not zero; of all, or along axes. See torch.any."""
    return torch.any(x, dim, keepdim).bool()


@builtin("all<T: any>(x: T[...S]) -> bool[]", cost=over("x", keeps=""))
def all_(x):
    """Whether all elements are not zero; of all, or along axes. See torch.all."""
    return torch.all(x).bool()


@builtin(
    "all<T: any>(x: T[...S], dim: int, keepdim: bool = false) -> bool[...holds_along(S, dim, keepdim)]",
    "all<T: any>(x: T[...S], dim: [int], keepdim: bool = false) -> bool[...holds_along(S, dim, keepdim)]",
    cost=over("x", keeps=""),
)
def all_along(x, dim, keepdim=False):
    """Whether all elements are not zero; of all, or along axes. See torch.all."""
    return torch.all(x, dim, keepdim).bool()


@builtin(
    "cummax<T: number>(x: T[...S], dim: int) -> (T[...along(S, dim)], int64[...along(S, dim)])",
    infer=real,
    cost=over("x", keeps="x places"),
)
def cummax(x, dim):
    """The largest elements so far along an axis, and their places. See torch.cummax."""
    return torch.cummax(x, dim)


@builtin(
    "cummin<T: number>(x: T[...S], dim: int) -> (T[...along(S, dim)], int64[...along(S, dim)])",
    infer=real,
    cost=over("x", keeps="x places"),
)
def cummin(x, dim):
    """The smallest elements so far along an axis, and their places. See torch.cummin."""
    return torch.cummin(x, dim)


@builtin("median<T: number>(x: T[...S]) -> T[]", infer=real, cost=over("x", 8, keeps="x result"))
def median(x):
    """The lower median of all elements, or along an axis. See torch.median."""
    return torch.median(x)


@builtin("median<T: number>(x: T[...S], dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]", cost=_SORTED)
def median_along(x, dim, keepdim=False):
    """The lower median along an axis. See torch.median."""
    return torch.median(x, dim, keepdim).values


@builtin("mode<T: number>(x: T[...S], dim: int = -1, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]", infer=real, cost=_SORTED)
def mode(x, dim=-1, keepdim=False):
    """The most frequent element along an axis. See torch.mode."""
    return torch.mode(x, dim, keepdim).values


@builtin("quantile<T: float>(x: T[...S], q: float) -> T[]", infer=precise, cost=_QUANTILE)
def quantile(x, q):
    """The q-th quantile of all elements, or along an axis. See torch.quantile."""
    return torch.quantile(x, q)


@builtin(
    "quantile<T: float>(x: T[...S], q: float, dim: int, keepdim: bool = false) -> T[...chosen(S, dim, keepdim)]",
    infer=precise,
    cost=_QUANTILE,
)
def quantile_along(x, q, dim, keepdim=False):
    """The q-th quantile along an axis. See torch.quantile."""
    return torch.quantile(x, q, dim, keepdim)


@builtin(
    "count_nonzero<T: any>(x: T[...S]) -> int64[]",
    "count_nonzero<T: any>(x: T[...S], dim: int) -> int64[...drop(S, dim)]",
    cost=over("x", keeps=""),
)
def count_nonzero(x, dim=None):
    """How many elements are not zero. See torch.count_nonzero."""
    return torch.count_nonzero(x, dim=dim)
