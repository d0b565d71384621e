"""Tensors as products of smaller ones: tensor trains by repeated SVD, Tucker's form by alternating least squares."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

SWEEPS = 25  # of the alternating improvement of Tucker's factors
TOLERANCE = 1e-7  # relative gain below which the improvement stops


def _wide(x: Tensor) -> Tensor:
    """LAPACK knows float32 and float64."""
    return x if x.dtype in (torch.float32, torch.float64) else x.to(torch.float32)


def tt_svd(x: Tensor, ranks: Sequence[int]) -> tuple[Tensor, ...]:
    """Cores [r0, n, r1] of x; `ranks` are the d - 1 inner ones, cut to what the sizes allow."""
    rest, rank, cores = _wide(x), 1, []
    for size, wanted in zip(x.shape[:-1], ranks, strict=True):
        rows = rest.reshape(rank * size, -1)
        u, s, vh = torch.linalg.svd(rows, full_matrices=False)
        kept = min(wanted, s.shape[0])
        cores.append(u[:, :kept].reshape(rank, size, kept))
        rest, rank = s[:kept, None] * vh[:kept], kept
    return tuple(core.to(x.dtype) for core in (*cores, rest.reshape(rank, x.shape[-1], 1)))


def tt_reconstruct(cores: Sequence[Tensor]) -> Tensor:
    """The tensor [n1, ..., nd] of cores [r0, n, r1]."""
    rows = cores[0].reshape(-1, cores[0].shape[-1])
    for core in cores[1:]:
        rows = (rows @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[-1])
    return rows.reshape([core.shape[1] for core in cores])


def tt_ranks(cores: Sequence[Tensor]) -> list[int]:
    """r0, ..., rd"""
    return [cores[0].shape[0], *(core.shape[-1] for core in cores)]


def _unfold(x: Tensor, axis: int) -> Tensor:
    """[n_axis, all others]"""
    return x.movedim(axis, 0).reshape(x.shape[axis], -1)


def _times(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """`matrix` [m, n_axis] applied along an axis."""
    return (matrix @ _unfold(x, axis)).reshape(-1, *x.shape[:axis], *x.shape[axis + 1 :]).movedim(0, axis)


def _leading(x: Tensor, axis: int, rank: int) -> Tensor:
    """The first left singular vectors [n_axis, rank] of an unfolding, completed where it has fewer columns."""
    rows = _unfold(x, axis)
    return torch.linalg.svd(rows, full_matrices=rank > rows.shape[1])[0][:, :rank]


def _projected(x: Tensor, factors: Sequence[Tensor], skip: int | None = None) -> Tensor:
    for axis, factor in enumerate(factors):
        if axis != skip:
            x = _times(x, factor.T, axis)
    return x


def tucker(x: Tensor, ranks: Sequence[int]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(core [r1, ..., rd], factors [n, r] with orthonormal columns). Higher-order SVD, then alternating improvement (HOOI)."""
    full = _wide(x)
    if len(ranks) != x.dim() or any(not 1 <= rank <= size for rank, size in zip(ranks, x.shape, strict=False)):
        raise ValueError(f"sizes {list(x.shape)} do not match ranks {list(ranks)}: one from 1 to the size for each axis")
    factors = [_leading(full, axis, rank) for axis, rank in enumerate(ranks)]
    core = _projected(full, factors)
    for _ in range(SWEEPS if tuple(ranks) != tuple(x.shape) else 0):
        before = core.norm()
        for axis, rank in enumerate(ranks):
            factors[axis] = _leading(_projected(full, factors, skip=axis), axis, rank)
        core = _projected(full, factors)
        if core.norm() - before <= TOLERANCE * before:
            break
    return core.to(x.dtype), tuple(factor.to(x.dtype) for factor in factors)


def tucker_reconstruct(core: Tensor, factors: Sequence[Tensor]) -> Tensor:
    """[n1, ..., nd] of core [r1, ..., rd] and factors [n, r]."""
    for axis, factor in enumerate(factors):
        core = _times(core, factor, axis)
    return core


def khatri_rao(a: Tensor, b: Tensor) -> Tensor:
    """[n * m, r] of [n, r] and [m, r]: the Kronecker product of each pair of columns."""
    return (a[:, None, :] * b[None, :, :]).reshape(-1, a.shape[1])


def compression_ratio(x: Tensor, parts: Sequence[Tensor]) -> float:
    """Elements of x for each element of the parts."""
    return x.numel() / sum(prod(part.shape) for part in parts)
