"""Contractions in logarithms: `logsumexp(x + y)` over an axis that both have, block by block, where the sum itself would be large."""

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 1 << 22  # elements of `x + y` that are made at a time


def logsumexp_of_sum(x: Tensor, y: Tensor, dim: int) -> Tensor:
    """`torch.logsumexp(x + y, dim)` of tensors that broadcast, in memory for the operands, the result and one block."""
    shape = torch.broadcast_shapes(x.shape, y.shape)
    if shape.numel() <= BLOCK or len(shape) < 2:
        return torch.logsumexp(x + y, dim)
    x, y = (part.reshape((1,) * (len(shape) - part.dim()) + tuple(part.shape)) for part in (x, y))
    return _InBlocks.apply(x, y, dim % len(shape))  # type: ignore[return-value]


class _InBlocks(torch.autograd.Function):
    """The gradient is the softmax along the axis, in the same blocks."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor, dim: int) -> Tensor:
        shape = torch.broadcast_shapes(x.shape, y.shape)
        found = torch.empty([*shape[:dim], 1, *shape[dim + 1 :]], dtype=torch.result_type(x, y), device=x.device)
        for block in _blocks(shape, dim):
            _part(found, block).copy_(torch.logsumexp(_part(x, block) + _part(y, block), dim, keepdim=True))
        ctx.save_for_backward(x, y, found)
        ctx.dim = dim
        return found.squeeze(dim)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        x, y, found = ctx.saved_tensors
        gradient, level = gradient.unsqueeze(ctx.dim), torch.where(found.isfinite(), found, 0.0)
        sides = torch.zeros_like(x), torch.zeros_like(y)
        for block in _blocks(torch.broadcast_shapes(x.shape, y.shape), ctx.dim):
            share = torch.exp(_part(x, block) + _part(y, block) - _part(level, block)) * _part(gradient, block)
            for side in sides:
                part = _part(side, block)
                part += share.sum_to_size(part.shape)
        return *sides, None


def _blocks(shape: torch.Size, dim: int) -> Iterator[tuple[int, int, int]]:
    """(axis, start, length) of the blocks along the longest of the other axes."""
    axis = max((at for at in range(len(shape)) if at != dim), key=shape.__getitem__)
    length = max(1, BLOCK * shape[axis] // shape.numel())
    for start in range(0, shape[axis], length):
        yield axis, start, min(length, shape[axis] - start)


def _part(tensor: Tensor, block: tuple[int, int, int]) -> Tensor:
    """The part of a tensor that a block reads: all of it, where it is broadcast along the axis."""
    axis, start, length = block
    return tensor if tensor.shape[axis] == 1 else tensor.narrow(axis, start, length)
