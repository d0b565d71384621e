"""Values at places that are worked out: `Y[ids[n], d] += X[n, d]`."""

from collections.abc import Sequence

import torch
from torch import Tensor

REDUCTIONS = {"*": "prod", "max": "amax", "min": "amin"}


def neutral(like: Tensor, shape: Sequence[int], by: str) -> Tensor:
    """What a new tensor holds at the places that nothing is written to: the identity of the operator."""
    if by in ("max", "min"):
        return like.new_full(tuple(shape), _extreme(like.dtype, by == "max"))
    return like.new_full(tuple(shape), 1 if by in ("*", "/") else 0)


def _extreme(dtype: torch.dtype, lowest: bool) -> float:
    """Below all other values, or above them."""
    if dtype.is_floating_point:
        return -torch.inf if lowest else torch.inf
    if dtype == torch.bool:
        return not lowest
    return torch.iinfo(dtype).min if lowest else torch.iinfo(dtype).max


def scatter_at(x: Tensor, places: Sequence[Tensor], values: Tensor, by: str) -> Tensor:
    """x[*axes, *rest] with values[*shape, *rest] at places[*shape], one for each of the first axes, each from 0 up to the axis. Values for
    one place are put together by "+", "*", "max" or "min", and with what `x` holds there; with "=" one of them stays."""
    axes = x.shape[: len(places)]
    rest = x.shape[len(places) :]
    flat = torch.zeros_like(places[0])
    for place, size in zip(places, axes, strict=True):
        flat = flat * size + place
    rows = x.reshape(-1, *rest) if x.numel() else x.new_empty((axes.numel(), *rest))
    return _put(rows, flat.reshape(-1), values.reshape(flat.numel(), *rest), by).reshape(x.shape)


def _put(rows: Tensor, at: Tensor, values: Tensor, by: str) -> Tensor:
    match by:
        case "=":
            return rows.index_copy(0, at, values)
        case "+":
            return rows.index_add(0, at, values)
    wide = at.reshape(-1, *[1] * (values.ndim - 1)).expand(values.shape)
    return rows.scatter_reduce(0, wide, values, REDUCTIONS[by])
