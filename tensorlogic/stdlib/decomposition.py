"""Builtins that write a tensor as a product of smaller ones: tensor trains, Tucker's form."""

from math import prod

from tensorlogic.stdlib.costs import FREE, Cost, grown, product, train
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import BadArgument, DTypeMismatch, RankMismatch, SizeMismatch
from tensorlogic.types.shapes_base import ONE, argument, equal, is_known, known_or_fresh
from tensorlogic.types.types import AnyTensor, List, Shape, Tensor, Tuple, Type

_DECOMPOSED = Cost("0", keeps="", untold="how long a decomposition takes depends on the numbers: not counted")


def _ranks(call, shape: Shape, n: int) -> tuple[Dim, ...] | None:
    ranks = argument(call.types["ranks"])
    if not is_known(shape) or not isinstance(ranks, tuple):
        return None
    if any(rank is not None and rank.value is not None and rank.value < 1 for rank in ranks):
        call.need.fail(BadArgument("TL0310", "a rank is at least 1"))
        return None
    if len(ranks) != n:
        call.need.fail(BadArgument("TL0304", f"a tensor of {len(shape)} dims takes {n} ranks here, not {len(ranks)}"))
        return None
    return tuple(known_or_fresh(rank) for rank in ranks)


def _cores(call) -> Type | None:
    """Cores [r0, n, r1]; a rank is cut to what the sizes allow, so only ranks that certainly fit are known."""
    x = call.types["x"]
    ranks = _ranks(call, x.shape, len(x.shape) - 1) if isinstance(x, Tensor) else None
    if ranks is None or not isinstance(x, Tensor):
        return List(AnyTensor())
    bonds = [ONE]
    for i, rank in enumerate(ranks):
        bonds.append(_bounded(call, x.shape, i, bonds[-1], rank))
    cores = tuple(Tensor(x.dtype, (row, size, column)) for row, size, column in zip(bonds, x.shape, (*bonds[1:], ONE), strict=True))
    return Tuple(cores)


def _bounded(call, shape: Shape, at: int, before: Dim, rank: Dim) -> Dim:
    """The rank behind axis `at` cannot be more than the matrix that is decomposed there has rows or columns."""
    rows, columns = shape[at : at + 1], shape[at + 1 :]
    left, right = (prod((s for s in side if isinstance(s, Dim)), start=start) for side, start in ((rows, before), (columns, ONE)))
    if call.need.holds(Rel("<=", rank, left)) and call.need.holds(Rel("<=", rank, right)):
        return rank
    known = [side.value for side in (left, right, rank)]
    return Dim.const(min(n for n in known if n is not None)) if None not in known else Dim.fresh()


@builtin("tt_svd<T: float>(x: T[...S], ranks: [int]) -> [T[?, ?, ?]]", infer=_cores, cost=_DECOMPOSED)
def tt_svd(x, ranks):
    """The tensor train of `x`: cores [r0, n, r1] whose product is `x`, or near it with smaller inner ranks."""
    return runtime.decompose.tt_svd(x, ranks)


def _train(call) -> Type | None:
    """Cores whose ranks meet give the sizes in between."""
    given = call.types["cores"]
    cores = _known_tensors(given)
    if not cores:
        return None
    if not _of_one_dtype(call, cores[0], cores):
        return None
    other = next((core for core in cores if len(core.shape) != 3), None)
    if other is not None:
        call.need.fail(RankMismatch("a core", "3", other))
        return None
    pairs = zip(cores, cores[1:], strict=False)
    ends = (("the first rank", cores[0].shape[0], ONE), ("the last rank", cores[-1].shape[2], ONE))
    inside = (("the ranks of neighbouring cores", a.shape[2], b.shape[0]) for a, b in pairs)
    agree = all(equal(call.need, *row) for row in (*ends, *inside))
    return Tensor(cores[0].dtype, tuple(core.shape[1] for core in cores)) if agree else None


def _of_one_dtype(call, first: Tensor, others: tuple[Tensor, ...]) -> bool:
    odd = next((item for item in others if item.dtype != first.dtype), None)
    if odd is not None:
        call.need.fail(DTypeMismatch("the parts", first.dtype, odd.dtype))
    return odd is None


def _known_tensors(given: Type) -> tuple[Tensor, ...]:
    """The items of a list of tensors that all have a known number of dims, or nothing."""
    items = given.items if isinstance(given, List | Tuple) else None
    known = tuple(item for item in items or () if isinstance(item, Tensor) and is_known(item.shape))
    return known if len(known) == len(items or ()) else ()


@builtin("tt_reconstruct(cores: [Tensor]) -> Tensor", infer=_train, cost=product(train))
def tt_reconstruct(cores):
    """The tensor that a tensor train stands for."""
    return runtime.decompose.tt_reconstruct(cores)


def _tucker(call) -> Type | None:
    x = call.types["x"]
    ranks = _ranks(call, x.shape, len(x.shape)) if isinstance(x, Tensor) else None
    if ranks is None or not isinstance(x, Tensor):
        return Tuple((AnyTensor(), List(AnyTensor())))
    fits = [_rank_fits(call, rank, size) for rank, size in zip(ranks, x.shape, strict=True)]
    if not all(fits):
        return None
    factors = tuple(Tensor(x.dtype, (size, rank)) for size, rank in zip(x.shape, ranks, strict=True))
    return Tuple((Tensor(x.dtype, ranks), Tuple(factors)))


def _rank_fits(call, rank: Dim, size) -> bool:
    return call.need.require(Rel("<=", rank, size), lambda w: SizeMismatch("a rank above its size", rank, size, w), certain=True)


@builtin("tucker<T: float>(x: T[...S], ranks: [int]) -> (Tensor, [T[?, ?]])", infer=_tucker, cost=_DECOMPOSED)
def tucker(x, ranks):
    """Tucker's form of `x`: a core of the given sizes and one factor [n, r] for each axis."""
    return runtime.decompose.tucker(x, ranks)


def _from_core(call) -> Type | None:
    core, items = call.types["core"], _known_tensors(call.types["factors"])
    if not isinstance(core, Tensor) or not items or not is_known(core.shape):
        return None
    if len(items) != len(core.shape) or any(len(i.shape) != 2 for i in items):
        call.need.fail(BadArgument("TL0304", f"a core of {len(core.shape)} dims needs as many factors [n, r]"))
        return None
    if not _of_one_dtype(call, core, items):
        return None
    agree = all(equal(call.need, "the rank", rank, factor.shape[1]) for rank, factor in zip(core.shape, items, strict=True))
    return Tensor(core.dtype, tuple(i.shape[0] for i in items)) if agree else None


@builtin("tucker_reconstruct<T: float>(core: T[...S], factors: [Tensor]) -> Tensor", infer=_from_core, cost=product(grown))
def tucker_reconstruct(core, factors):
    """The tensor that a core and its factors stand for."""
    return runtime.decompose.tucker_reconstruct(core, factors)


@builtin("khatri_rao<T: number>(a: T[N, R], b: T[M, R]) -> T[N * M, R]")
def khatri_rao(a, b):
    """The outer products of the columns, one by one."""
    return runtime.decompose.khatri_rao(a, b)


def _bonds(call) -> Type | None:
    """The cores must be a train."""
    cores = _known_tensors(call.types["cores"])
    return call.result if not cores or _train(call) is not None else None


@builtin("tt_ranks(cores: [Tensor]) -> [int]", infer=_bonds, cost=FREE)
def tt_ranks(cores):
    """The ranks between the cores of a tensor train, with the 1 at both ends."""
    return runtime.decompose.tt_ranks(cores)


@builtin("compression_ratio<T: any>(x: T[...S], parts: [Tensor]) -> float", cost=FREE)
def compression_ratio(x, parts):
    """How many times more elements `x` has than the parts together."""
    return runtime.decompose.compression_ratio(x, parts)
