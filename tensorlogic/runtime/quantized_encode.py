"""From float32 to GGUF blocks: (blocks, 32) float32 in, (blocks, bytes) uint8 out, the bytes that ggml's reference writes."""

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError


def _inverse(scale: Tensor) -> Tensor:
    return torch.where(scale == 0, 0.0, 1 / scale)


def _half_bytes(scale: Tensor) -> Tensor:
    """(blocks, 1) float32 to (blocks, 2) bytes of float16. What float16 cannot hold is refused: it would load as NaN."""
    half = scale.half()
    if not bool(torch.isfinite(half).all()):
        raise TensorLogicError(Diagnostic("TL0803", "cannot quantize a tensor with NaN, Inf or values beyond float16's range"))
    return half.view(torch.uint8)


def _whole(values: Tensor, most: int) -> Tensor:
    return values.trunc().to(torch.uint8).clamp(0, most)


def _pack_nibbles(values: Tensor) -> Tensor:
    return (values[:, :16] & 0x0F) | (values[:, 16:] << 4)


def _pack_fifth_bits(values: Tensor) -> Tensor:
    """(blocks, 32) to (blocks, 4): bit 4 of each value, in a little-endian word."""
    steps = torch.arange(8, dtype=torch.uint8, device=values.device)
    return ((values >> 4).reshape(-1, 4, 8) << steps).sum(-1, dtype=torch.uint8)


def _around_zero(blocks: Tensor, levels: int) -> tuple[Tensor, Tensor]:
    """(scale, whole values): the value of greatest size becomes -levels, zero the middle."""
    most = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = most / -levels
    return scale, _whole(blocks * _inverse(scale) + (levels + 0.5), 2 * levels - 1)


def _from_least(blocks: Tensor, levels: int) -> tuple[Tensor, Tensor, Tensor]:
    """(scale, minimum, whole values) between the least value and the greatest."""
    most, least = blocks.amax(1, keepdim=True), blocks.amin(1, keepdim=True)
    scale = (most - least) / levels
    return scale, least, _whole((blocks - least) * _inverse(scale) + 0.5, levels)


def _q4_0(blocks: Tensor) -> Tensor:
    scale, values = _around_zero(blocks, 8)
    return torch.cat((_half_bytes(scale), _pack_nibbles(values)), 1)


def _q4_1(blocks: Tensor) -> Tensor:
    scale, least, values = _from_least(blocks, 15)
    return torch.cat((_half_bytes(scale), _half_bytes(least), _pack_nibbles(values)), 1)


def _q5_0(blocks: Tensor) -> Tensor:
    scale, values = _around_zero(blocks, 16)
    return torch.cat((_half_bytes(scale), _pack_fifth_bits(values), _pack_nibbles(values)), 1)


def _q5_1(blocks: Tensor) -> Tensor:
    scale, least, values = _from_least(blocks, 31)
    return torch.cat((_half_bytes(scale), _half_bytes(least), _pack_fifth_bits(values), _pack_nibbles(values)), 1)


def _q8_0(blocks: Tensor) -> Tensor:
    scale = blocks.abs().amax(1, keepdim=True) / 127
    scaled = blocks * _inverse(scale)
    size = scaled.abs()
    whole = size.floor() + (2 * (size - size.floor())).floor()  # halves away from zero
    return torch.cat((_half_bytes(scale), (scaled.sign() * whole).to(torch.int8).view(torch.uint8)), 1)


QUANTIZERS = {"q4_0": _q4_0, "q4_1": _q4_1, "q5_0": _q5_0, "q5_1": _q5_1, "q8_0": _q8_0}
