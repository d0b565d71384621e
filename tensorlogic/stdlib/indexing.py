"""Builtins that read and write at places given by tensors: gather, scatter, sort, topk, nonzero."""

from tensorlogic.stdlib.costs import PICK, WRITTEN, Cost, each, over
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.precise import real
from tensorlogic.stdlib.registry import builtin

_SORTED = over("x", 8, keeps="", extra="result * 8")  # about: the number of comparisons is the logarithm of the count
_SEARCHED = each(8, keeps="")
_ADDED = Cost("result", keeps="index source")
_RANKED = over("x", 8, keeps="places")


@builtin(
    "gather<T: any>(x: T[...S], dim: int, index: int64[...I]) -> T[...gather(S, dim, I)]", cost=Cost("0", memory="copy", keeps="x index")
)
def gather(x, dim, index):
    """Elements of an axis, chosen for each place by `index`. See torch.gather."""
    return torch.gather(x, dim, index)


@builtin(
    "take_along_dim<T: any>(x: T[...S], indices: int64[...I], dim: int) -> T[...take_along(S, I, dim)]",
    cost=Cost("0", memory="copy", keeps="x", extra="indices * 8"),
)
def take_along_dim(x, indices, dim):
    """Like `gather`; sizes of 1 broadcast. See torch.take_along_dim."""
    return torch.take_along_dim(x, indices, dim)


@builtin("take<T: any>(x: T[...S], index: int64[...I]) -> T[...taken(S, I)]", cost=PICK)
def take(x, index):
    """Elements of the flattened tensor. See torch.take."""
    return torch.take(x, index)


@builtin(
    "index_select<T: any>(x: T[...S], dim: int, index: int64[N]) -> T[...resize(S, dim, N)]",
    "index_select<T: any>(x: T[...S], dim: int, index: int64[]) -> T[...resize(S, dim, 1)]",
    cost=PICK,
)
def index_select(x, dim, index):
    """Slices of an axis in the order of `index`. See torch.index_select."""
    return torch.index_select(x, dim, index)


@builtin("scatter<T: number>(x: T[...S], dim: int, index: int64[...I], src: T[...U]) -> T[...scatter(S, dim, I, U)]", cost=WRITTEN)
def scatter(x, dim, index, src):
    """`x` with elements of `src` written to the places that `index` names along an axis. See torch.scatter."""
    return torch.scatter(x, dim, index, src)


@builtin(
    "scatter<T: int>(x: T[...S], dim: int, index: int64[...I], value: int) -> T[...scatter_value(S, dim, I)]",
    "scatter<T: float>(x: T[...S], dim: int, index: int64[...I], value: float) -> T[...scatter_value(S, dim, I)]",
    cost=WRITTEN,
)
def scatter_value(x, dim, index, value):
    """`x` with one value written to the places that `index` names along an axis. See torch.scatter."""
    return torch.scatter(x, dim, index, value)


@builtin("scatter_add<T: number>(x: T[...S], dim: int, index: int64[...I], src: T[...U]) -> T[...scatter(S, dim, I, U)]", cost=WRITTEN)
def scatter_add(x, dim, index, src):
    """`x` with elements of `src` added at the places that `index` names along an axis. See torch.scatter_add."""
    return torch.scatter_add(x, dim, index, src)


@builtin(
    "scatter_reduce<T: number>(x: T[...S], dim: int, index: int64[...I], src: T[...U], reduce: string, include_self: bool = true)"
    " -> T[...scatter(S, dim, I, U)]",
    cost=Cost("src", keeps=None),
)
def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    """`x` reduced ("sum", "prod", "mean", "amax", "amin") with elements of `src`. See torch.scatter_reduce."""
    return torch.scatter_reduce(x, dim, index, src, reduce, include_self=include_self)


@builtin(
    "index_add<T: number>(x: T[...S], dim: int, index: int64[N], source: T[...U]) -> T[...written(S, dim, N, U)]",
    "index_add<T: number>(x: T[...S], dim: int, index: int64[], source: T[...U]) -> T[...written(S, dim, 1, U)]",
    cost=_ADDED,
)
def index_add(x, dim, index, source):
    """`x` with slices of `source` added at the places `index` of an axis. See torch.index_add."""
    return torch.index_add(x, dim, index, source)


@builtin(
    "index_copy<T: any>(x: T[...S], dim: int, index: int64[N], source: T[...U]) -> T[...copied(S, dim, N, U)]",
    "index_copy<T: any>(x: T[...S], dim: int, index: int64[], source: T[...U]) -> T[...copied(S, dim, 1, U)]",
    cost=_ADDED,
)
def index_copy(x, dim, index, source):
    """`x` with slices of `source` at the places `index` of an axis. See torch.index_copy."""
    return torch.index_copy(x, dim, index, source)


@builtin(
    "index_fill<T: int>(x: T[...S], dim: int, index: int64[N], value: int) -> T[...along(S, dim)]",
    "index_fill<T: float>(x: T[...S], dim: int, index: int64[N], value: float) -> T[...along(S, dim)]",
    "index_fill<T: int>(x: T[...S], dim: int, index: int64[], value: int) -> T[...along(S, dim)]",
    "index_fill<T: float>(x: T[...S], dim: int, index: int64[], value: float) -> T[...along(S, dim)]",
    cost=WRITTEN,
)
def index_fill(x, dim, index, value):
    """`x` with one value at the places `index` of an axis. See torch.index_fill."""
    return torch.index_fill(x, dim, index, value)


@builtin("masked_select<T: any>(x: T[...S], mask: bool[...M]) -> T[...selected(S, M)]", cost=Cost("x", keeps="x mask"))
def masked_select(x, mask):
    """The elements where the mask is true. See torch.masked_select."""
    return torch.masked_select(x, mask)


@builtin(
    "nonzero<T: any>(x: T[A]) -> int64[?, 1]",
    "nonzero<T: any>(x: T[A, B]) -> int64[?, 2]",
    "nonzero<T: any>(x: T[...S]) -> int64[?, ?]",
    cost=over("x", keeps=""),
)
def nonzero(x):
    """The places of the elements that are not zero, one per row. See torch.nonzero."""
    return torch.nonzero(x)


@builtin(
    "sort<T: any>(x: T[...S], dim: int = -1, descending: bool = false, stable: bool = false)"
    " -> (T[...along(S, dim)], int64[...along(S, dim)])",
    infer=real,
    cost=_RANKED,
)
def sort(x, dim=-1, descending=False, stable=False):
    """Sorted values along an axis, and where they were. See torch.sort."""
    return torch.sort(x, dim=dim, descending=descending, stable=stable)


@builtin(
    "argsort<T: any>(x: T[...S], dim: int = -1, descending: bool = false, stable: bool = false) -> int64[...along(S, dim)]",
    infer=real,
    cost=_SORTED,
)
def argsort(x, dim=-1, descending=False, stable=False):
    """The places of the elements in sorted order. See torch.argsort."""
    return torch.argsort(x, dim=dim, descending=descending, stable=stable)


@builtin(
    "topk<T: number>(x: T[...S], k: int, dim: int = -1, largest: bool = true, sorted: bool = true)"
    " -> (T[...first(S, dim, k)], int64[...first(S, dim, k)])",
    infer=real,
    cost=_RANKED,
)
def topk(x, k, dim=-1, largest=True, sorted=True):
    """The k largest elements of an axis, and their places. See torch.topk."""
    return torch.topk(x, k, dim=dim, largest=largest, sorted=sorted)


@builtin(
    "kthvalue<T: number>(x: T[...S], k: int, dim: int = -1, keepdim: bool = false)"
    " -> (T[...ranked(S, k, dim, keepdim)], int64[...ranked(S, k, dim, keepdim)])",
    infer=real,
    cost=_RANKED,
)
def kthvalue(x, k, dim=-1, keepdim=False):
    """The k-th smallest element of an axis, and its place. See torch.kthvalue."""
    return torch.kthvalue(x, k, dim, keepdim)


@builtin("unique<T: any>(x: T[...S], sorted: bool = true) -> T[?]", infer=real, cost=_SORTED)
def unique(x, sorted=True):
    """The different elements. See torch.unique."""
    return torch.unique(x, sorted=sorted)


@builtin(
    "searchsorted<T: number>(sorted: T[N], values: T[...S], right: bool = false) -> int64[...S]",
    "searchsorted<T: number>(sorted: T[...B, N], values: T[...B, M], right: bool = false) -> int64[...B, M]",
    infer=real,
    cost=_SEARCHED,
)
def searchsorted(sorted, values, right=False):
    """Where each value would go in a sorted vector. See torch.searchsorted."""
    return torch.searchsorted(sorted, values, right=right)


@builtin("bucketize<T: number>(x: T[...S], boundaries: T[N], right: bool = false) -> int64[...S]", infer=real, cost=_SEARCHED)
def bucketize(x, boundaries, right=False):
    """The interval that each element falls into. See torch.bucketize."""
    return torch.bucketize(x, boundaries, right=right)


@builtin("isin<T: number>(x: T[...S], values: T[...V]) -> bool[...S]", infer=real, cost=_SEARCHED)
def isin(x, values):
    """Whether each element is one of the values. See torch.isin."""
    return torch.isin(x, values)
