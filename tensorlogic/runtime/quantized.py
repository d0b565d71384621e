"""Block-quantized matrices: kept as the file's blocks, turned into floats where they are used."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats.dtypes import BLOCKS
from tensorlogic.runtime.quantized_blocks import DEQUANTIZERS
from tensorlogic.runtime.quantized_encode import QUANTIZERS

# how much of a matrix is unpacked at a time: on a CPU what its caches hold, elsewhere enough for the kernels to be worth their start
CHUNK_ELEMENTS, DEVICE_CHUNK_ELEMENTS = 1 << 20, 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedTensor:
    """`dtype` such as "q4_k"; `shape` in elements; `blocks` uint8 of shape (*shape[:-1], bytes of a row)."""

    dtype: str
    shape: tuple[int, ...]
    blocks: Tensor

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def device(self) -> torch.device:
        return self.blocks.device

    @property
    def nbytes(self) -> int:
        return self.blocks.numel()

    def dim(self) -> int:
        return len(self.shape)

    def numel(self) -> int:
        return prod(self.shape)

    def size(self, axis: int | None = None) -> int | tuple[int, ...]:
        return self.shape if axis is None else self.shape[axis]

    def __len__(self) -> int:
        return self.shape[0]

    def to(self, *args, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "Tensor | QuantizedTensor":
        """To a device (still quantized), or to a float dtype (dequantized)."""
        for arg in args:
            dtype, device = (arg, device) if isinstance(arg, torch.dtype) else (dtype, arg)
        moved = QuantizedTensor(self.dtype, self.shape, self.blocks.to(device)) if device is not None else self
        return moved if dtype is None else moved.dequantize(dtype)

    def dequantize(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """All values as a float tensor of `shape`."""
        if self.ndim < 2 or 0 in self.shape:
            return _unpack(self.dtype, self.blocks, self.shape).to(dtype)
        out = torch.empty(self.shape, dtype=dtype, device=self.device)
        flat = out.view(-1, self.shape[-1])
        for start, stop in _row_chunks(self):
            flat[start:stop] = _rows(self, start, stop, dtype)
        return out

    def __getitem__(self, rows) -> Tensor:
        """The rows chosen by an int, a slice or a tensor (not along the last axis), as float32."""
        if self.ndim < 2 or isinstance(rows, tuple):
            raise _unsupported(self.dtype, "indexed by row only")
        chosen = self.blocks[rows]
        return _unpack(self.dtype, chosen, (*chosen.shape[:-1], self.shape[-1]))

    def __matmul__(self, other: Tensor) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Tensor) -> Tensor:
        return matmul(other, self)

    def __repr__(self) -> str:
        return f"QuantizedTensor({self.dtype}{list(self.shape)})"

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        """Lets `F.linear(x, q)`, `F.embedding(ids, q)` and `torch.matmul(x, q)` of ordinary modules take one."""
        if own := _OVERRIDES.get(function):
            return own(*args, **(kwargs or {}))
        raise _unsupported("quantized", "a matrix in `@`, `linear` or `embedding`, dequantized, indexed by row or saved")


def _unsupported(dtype: str, what: str) -> TensorLogicError:
    return TensorLogicError(Diagnostic("TL0305", f"a {dtype} tensor can only be {what}", help=("call `dequantize` first",)))


def _unpack(dtype: str, blocks: Tensor, shape: tuple[int, ...]) -> Tensor:
    if 0 in shape:
        return torch.empty(shape, device=blocks.device)
    return DEQUANTIZERS[dtype](blocks.reshape(-1, BLOCKS[dtype][1])).reshape(shape)


def _row_chunks(q: QuantizedTensor) -> list[tuple[int, int]]:
    chunk = CHUNK_ELEMENTS if q.device.type == "cpu" else DEVICE_CHUNK_ELEMENTS
    rows, step = prod(q.shape[:-1]), max(1, chunk // max(1, q.shape[-1]))
    return [(start, min(start + step, rows)) for start in range(0, max(rows, 1), step)]


def _rows(q: QuantizedTensor, start: int, stop: int, dtype: torch.dtype) -> Tensor:
    return _unpack(q.dtype, q.blocks.flatten(0, -2)[start:stop], (stop - start, q.shape[-1])).to(dtype)


def check_can_quantize(dtype: str) -> None:
    """TL0305 for a block type that is only read."""
    if dtype not in QUANTIZERS:
        advice = f"these can be written: {', '.join(QUANTIZERS)}; llama.cpp's llama-quantize makes the k-types"
        raise TensorLogicError(Diagnostic("TL0305", f"cannot quantize to {dtype}", help=(advice,)))


def quantize(x: Tensor, dtype: str) -> QuantizedTensor:
    """`x` (rows of whole blocks) as blocks of `dtype`: q4_0 q4_1 q5_0 q5_1 q8_0. The others are TL0305, a bad row TL0309."""
    check_can_quantize(dtype)
    block, size = BLOCKS[dtype]
    if x.dim() == 0 or x.shape[-1] % block:
        raise TensorLogicError(Diagnostic("TL0309", f"a row of {x.shape[-1] if x.dim() else 1} is not a multiple of the block of {block}"))
    encoded = QUANTIZERS[dtype](x.detach().float().reshape(-1, block)) if x.numel() else x.new_empty(0, dtype=torch.uint8)
    return QuantizedTensor(dtype, tuple(x.shape), encoded.reshape(*x.shape[:-1], x.shape[-1] // block * size))


def linear(x: Tensor, q: QuantizedTensor, b: Tensor | None = None) -> Tensor:
    """`x[..., I] @ q[O, I].T + b[O]` in x's dtype."""
    if not isinstance(q, QuantizedTensor) or q.ndim != 2:
        raise _unsupported(getattr(q, "dtype", "quantized"), "the weight matrix of `linear`")
    parts = [F.linear(x, _rows(q, start, stop, x.dtype), b if b is None else b[start:stop]) for start, stop in _row_chunks(q)]
    return torch.cat(parts, -1) if len(parts) > 1 else parts[0]


def matmul(x: Tensor | QuantizedTensor, y: Tensor | QuantizedTensor) -> Tensor:
    """`x @ y` with one of them quantized, in the other one's dtype."""
    match x, y:
        case QuantizedTensor(), QuantizedTensor():
            raise _unsupported(y.dtype, "multiplied with a float tensor")
        case QuantizedTensor(), Tensor():
            return x.dequantize(y.dtype) @ y
        case Tensor(), QuantizedTensor():
            return x @ y.dequantize(x.dtype)
    raise _unsupported("quantized", "multiplied with a float tensor")


def embedding(ids: Tensor, q: QuantizedTensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Rows `ids` of `q` as floats: shape (*ids.shape, q.shape[-1])."""
    return q[ids].to(dtype)


def _torch_linear(input, weight, bias=None):
    return linear(input, weight, bias)


def _torch_embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    # the other options are about gradients, and blocks have none
    if max_norm is not None:
        raise _unsupported(weight.dtype, "embedded without `max_norm`")
    return embedding(input, weight)


_OVERRIDES: dict[Callable, Callable] = {
    F.linear: _torch_linear,
    F.embedding: _torch_embedding,
    torch.matmul: matmul,
    Tensor.matmul: matmul,
    Tensor.__matmul__: matmul,
    Tensor.__rmatmul__: lambda y, x: matmul(x, y),
}
