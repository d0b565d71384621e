"""From GGUF blocks to float32: one function per block type, (blocks, bytes) uint8 in, (blocks, elements) float32 out.

The bits are those of ggml's reference, so every product and difference stands alone and in its order.
"""

import torch
from torch import Tensor


def _half(blocks: Tensor, at: int) -> Tensor:
    """The float16 at a byte offset of each block, as float32 of shape (blocks, 1)."""
    return blocks[:, at : at + 2].contiguous().view(torch.float16).float()


def _bits(data: Tensor, shifts: tuple[int, ...], mask: int) -> Tensor:
    """(..., n) bytes to (..., shifts, n): the same bytes, shifted by each and masked."""
    steps = torch.tensor(shifts, dtype=torch.uint8, device=data.device).unsqueeze(-1)
    return (data.unsqueeze(-2) >> steps) & mask


def _nibbles(data: Tensor) -> Tensor:
    """(blocks, 16) bytes to (blocks, 32): the low halves, then the high ones."""
    return _bits(data, (0, 4), 0x0F).flatten(1)


def _fifth_bits(data: Tensor) -> Tensor:
    """(blocks, 4) bytes to (blocks, 32): bit i of the little-endian word, times 16."""
    steps = torch.arange(8, dtype=torch.uint8, device=data.device)
    return (((data.unsqueeze(-1) >> steps) & 1) << 4).flatten(1)


def _q4_0(blocks: Tensor) -> Tensor:
    return _half(blocks, 0) * (_nibbles(blocks[:, 2:]).float() - 8)


def _q4_1(blocks: Tensor) -> Tensor:
    return _half(blocks, 0) * _nibbles(blocks[:, 4:]).float() + _half(blocks, 2)


def _q5_0(blocks: Tensor) -> Tensor:
    values = _nibbles(blocks[:, 6:]) | _fifth_bits(blocks[:, 2:6])
    return _half(blocks, 0) * (values.float() - 16)


def _q5_1(blocks: Tensor) -> Tensor:
    values = _nibbles(blocks[:, 8:]) | _fifth_bits(blocks[:, 4:8])
    return _half(blocks, 0) * values.float() + _half(blocks, 2)


def _q8_0(blocks: Tensor) -> Tensor:
    return blocks[:, 2:].contiguous().view(torch.int8).float() * _half(blocks, 0)


def _q2_k(blocks: Tensor) -> Tensor:
    count = len(blocks)
    scales = blocks[:, :16]
    values = _bits(blocks[:, 16:80].reshape(count, 2, 32), (0, 2, 4, 6), 3).reshape(count, 16, 16).float()
    scale = (_half(blocks, 80) * (scales & 0x0F).float()).unsqueeze(-1)
    least = (_half(blocks, 82) * (scales >> 4).float()).unsqueeze(-1)
    return (scale * values - least).flatten(1)


def _q3_k(blocks: Tensor) -> Tensor:
    count = len(blocks)
    low = _bits(blocks[:, 32:96].reshape(count, 2, 32), (0, 2, 4, 6), 3).reshape(count, 16, 16)
    high = _bits(blocks[:, :32], tuple(range(8)), 1).reshape(count, 16, 16) ^ 1
    # sixteen scales of six bits: four low bits in 8 bytes, two high ones in the next 4
    scales = _bits(blocks[:, 96:104], (0, 4), 0x0F).flatten(1) | (_bits(blocks[:, 104:108], (0, 2, 4, 6), 3).flatten(1) << 4)
    scale = (_half(blocks, 108) * (scales.float() - 32)).unsqueeze(-1)
    return (scale * (low.float() - (high << 2).float())).flatten(1)


def _scales_and_mins(data: Tensor) -> tuple[Tensor, Tensor]:
    """The 12 packed bytes of q4_k and q5_k to eight 6-bit scales and eight 6-bit minima, as float32."""
    scales, mins, both = data[:, :4], data[:, 4:8], data[:, 8:]
    high_scales = (both & 0x0F) | ((scales >> 2) & 0x30)
    high_mins = (both >> 4) | ((mins >> 2) & 0x30)
    return torch.cat((scales & 0x3F, high_scales), 1).float(), torch.cat((mins & 0x3F, high_mins), 1).float()


def _eighths(blocks: Tensor, values: Tensor) -> Tensor:
    """Scale the (blocks, 8, 32) values of q4_k and q5_k, whose first 16 bytes have the same layout."""
    scales, mins = _scales_and_mins(blocks[:, 4:16])
    scale = (_half(blocks, 0) * scales).unsqueeze(-1)
    least = (_half(blocks, 2) * mins).unsqueeze(-1)
    return (scale * values.float() - least).flatten(1)


def _q4_k(blocks: Tensor) -> Tensor:
    return _eighths(blocks, _bits(blocks[:, 16:].reshape(-1, 4, 32), (0, 4), 0x0F).reshape(-1, 8, 32))


def _q5_k(blocks: Tensor) -> Tensor:
    low = _bits(blocks[:, 48:].reshape(-1, 4, 32), (0, 4), 0x0F).reshape(-1, 8, 32)
    return _eighths(blocks, low | (_bits(blocks[:, 16:48], tuple(range(8)), 1) << 4))


def _q6_k(blocks: Tensor) -> Tensor:
    count = len(blocks)
    low = _bits(blocks[:, :128].reshape(count, 2, 64), (0, 4), 0x0F).reshape(count, 8, 32)
    high = _bits(blocks[:, 128:192].reshape(count, 2, 32), (0, 2, 4, 6), 3).reshape(count, 8, 32)
    scales = blocks[:, 192:208].contiguous().view(torch.int8).float()
    values = (low | (high << 4)).float() - 32
    return ((_half(blocks, 208) * scales).unsqueeze(-1) * values.reshape(count, 16, 16)).flatten(1)


DEQUANTIZERS = {
    "q4_0": _q4_0,
    "q4_1": _q4_1,
    "q5_0": _q5_0,
    "q5_1": _q5_1,
    "q8_0": _q8_0,
    "q2_k": _q2_k,
    "q3_k": _q3_k,
    "q4_k": _q4_k,
    "q5_k": _q5_k,
    "q6_k": _q6_k,
}
