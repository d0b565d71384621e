"""What torch has no single expression for: rotary positions, losses with the classes last, small helpers of the language."""

import dataclasses
from collections.abc import Callable, Iterable
from time import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def rope(x: Tensor, positions: Tensor | None, base: float = 10000.0, interleaved: bool = False) -> Tensor:
    """x [..., L, D] with each pair of the last axis turned by position * base ** (-2 i / D). Computed in float32 at least.

    Without `positions` they are 0 to L - 1.
    """
    if positions is None:
        positions = torch.arange(x.shape[-2], device=x.device)
    half = x.shape[-1] // 2
    exact = torch.float64 if x.dtype == torch.float64 else torch.float32
    steps = torch.arange(half, dtype=exact, device=x.device) / half
    angles = positions.to(device=x.device, dtype=exact)[:, None] / base**steps  # [L, D / 2]
    cos, sin = angles.cos(), angles.sin()
    wide = x.to(exact)
    if interleaved:
        a, b = wide[..., 0::2], wide[..., 1::2]
        return torch.stack((a * cos - b * sin, b * cos + a * sin), dim=-1).flatten(-2).to(x.dtype)
    a, b = wide[..., :half], wide[..., half:]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


def causal_mask(mask: Tensor, queries: Tensor, keys: Tensor, causal: bool) -> Tensor:
    """The mask [..., L, S] (or less, if it broadcasts); if `causal`, without what comes after each query."""
    if not causal:
        return mask
    past = torch.ones(queries.shape[-2], keys.shape[-2], dtype=torch.bool, device=mask.device).tril()
    return mask & past if mask.dtype == torch.bool else torch.where(past, mask, -torch.inf)


def positional_encoding(length: int, dim: int, base: float = 10000.0) -> Tensor:
    """[length, dim]: sines at even places, cosines at odd ones."""
    places = torch.arange(dim)
    angles = torch.arange(length, dtype=torch.float32)[:, None] / base ** ((places // 2 * 2).to(torch.float32) / dim)
    return torch.where(places % 2 == 0, angles.sin(), angles.cos())


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """logits [..., C], targets [...]: the rows one below the other are what torch takes."""
    rows = F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), weight=weight, ignore_index=ignore_index,
        label_smoothing=label_smoothing, reduction=reduction,
    )  # fmt: skip
    return rows.reshape(targets.shape) if reduction == "none" else rows


def soft_cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0, reduction: str = "mean") -> Tensor:
    """logits and targets [..., C], the targets a probability for each class."""
    classes = logits.shape[-1]
    rows = F.cross_entropy(
        logits.reshape(-1, classes), targets.reshape(-1, classes), label_smoothing=label_smoothing, reduction=reduction
    )  # fmt: skip
    return rows.reshape(targets.shape[:-1]) if reduction == "none" else rows


def nll_loss(log_probs: Tensor, targets: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """log_probs [..., C], targets [...]."""
    rows = F.nll_loss(
        log_probs.reshape(-1, log_probs.shape[-1]), targets.reshape(-1), weight=weight, ignore_index=ignore_index, reduction=reduction
    )  # fmt: skip
    return rows.reshape(targets.shape) if reduction == "none" else rows


def pad_sequences(sequences: list[list[int]], value: int = 0, length: int | None = None) -> Tensor:
    """int64 [len(sequences), length]"""
    width = max(map(len, sequences), default=0) if length is None else length
    rows = [[*ids[:width], *[value] * (width - len(ids))] for ids in sequences]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(sequences), width)


def mapped(items: Iterable, function: Callable) -> list | tuple:
    """The results one by one; of a tuple a tuple."""
    results = [function(item) for item in items]
    return tuple(results) if isinstance(items, tuple) else results


def filtered(items: Iterable, function: Callable) -> list:
    return [item for item in items if function(item)]


def seconds() -> float:
    """Since 1970."""
    return time()


def own(value: Any) -> Any:
    """The value with tensors of its own: a struct, list or tuple of them, as a variable takes it from something that changes."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: part.detach().clone() if _learns(part) else own(part) for name, part in parts.items()})
    return type(value)(own(item) for item in value) if isinstance(value, list | tuple) else value


def _learns(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad
