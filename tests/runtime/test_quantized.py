"""Block types against the gguf package: the same floats from any bytes, the same bytes from any floats; and what such a tensor can do."""

import os

import gguf
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats.dtypes import BLOCKS, GGML, GGML_NUMBERS, QUANTIZED
from tensorlogic.runtime import quantized
from tensorlogic.runtime.quantized import QuantizedTensor, quantize
from tensorlogic.runtime.quantized_encode import QUANTIZERS

EXAMPLES = 500 if os.environ.get("TLC_FULL") == "1" else 25


def kind(dtype):
    return gguf.GGMLQuantizationType(GGML_NUMBERS[dtype])


def from_blocks(dtype, rows, blocks, data):
    elements, size = BLOCKS[dtype]
    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(rows, blocks * size)
    return QuantizedTensor(dtype, (rows, blocks * elements), raw)


def random_tensor(dtype, rows=5, blocks=2, seed=0):
    """Blocks whose scales are ordinary numbers."""
    elements, size = BLOCKS[dtype]
    if dtype in QUANTIZERS:
        return quantize(torch.randn(rows, blocks * elements, generator=torch.Generator().manual_seed(seed)), dtype)
    raw = np.random.default_rng(seed).integers(0, 60, rows * blocks * size, dtype=np.uint8)
    return from_blocks(dtype, rows, blocks, raw.tobytes())


def same_bits(ours, theirs):
    both_nan = torch.isnan(ours) & torch.isnan(theirs)
    return bool(((ours.view(torch.int32) == theirs.view(torch.int32)) | both_nan).all())


def test_the_table_of_blocks_is_ggufs():
    for number, (name, elements, size) in GGML.items():
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(number)] == (elements, size), name


@pytest.mark.parametrize("dtype", QUANTIZED)
@settings(max_examples=EXAMPLES)
@given(st.integers(1, 9), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_dequantize_any_bytes(dtype, rows, blocks, seed):
    data = np.random.default_rng(seed).integers(0, 256, rows * blocks * BLOCKS[dtype][1], dtype=np.uint8)
    q = from_blocks(dtype, rows, blocks, data.tobytes())
    with np.errstate(all="ignore"):
        theirs = gguf.dequantize(data.reshape(rows, -1), kind(dtype))
    assert same_bits(q.dequantize(), torch.from_numpy(theirs))


@pytest.mark.parametrize("dtype", QUANTIZED)
@pytest.mark.parametrize("scale", [0x0000, 0x8000, 0x0001, 0x7C00, 0xFC00, 0x7E00, 0x7BFF, 0x3C00])
def test_dequantize_odd_scales(dtype, scale):
    size = BLOCKS[dtype][1]
    data = np.random.default_rng(scale).integers(0, 256, (4, size), dtype=np.uint8)
    for at in (0, 2, size - 4, size - 2):
        data[:, at : at + 2] = [scale & 0xFF, scale >> 8]
    with np.errstate(all="ignore"):
        theirs = gguf.dequantize(data, kind(dtype))
    assert same_bits(from_blocks(dtype, 4, 1, data.tobytes()).dequantize(), torch.from_numpy(theirs))


@pytest.mark.parametrize("dtype", QUANTIZERS)
@settings(max_examples=EXAMPLES)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1e-3, 1.0, 300.0]), st.booleans())
def test_quantize_as_gguf(dtype, rows, seed, scale, ties):
    x = np.random.default_rng(seed).standard_normal((rows, 64)).astype(np.float32) * np.float32(scale)
    if ties:
        x = np.round(x / np.float32(scale) * 4).astype(np.float32) * np.float32(scale)
    with np.errstate(all="ignore"):
        theirs = gguf.quantize(x, kind(dtype))
    assert np.array_equal(quantize(torch.from_numpy(x), dtype).blocks.numpy(), theirs)


@pytest.mark.parametrize("dtype", QUANTIZERS)
def test_quantize_zeros_and_single_values(dtype):
    x = torch.zeros(3, 32)
    x[1, 5], x[2] = -3.0, 2.0
    assert np.array_equal(quantize(x, dtype).blocks.numpy(), gguf.quantize(x.numpy(), kind(dtype)))
    assert quantize(x, dtype).dequantize()[0].eq(0).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("dtype", QUANTIZERS)
def test_what_blocks_cannot_hold_is_refused(dtype, value):
    x = torch.zeros(1, 32)
    x[0, 3] = value
    with pytest.raises(TensorLogicError, match="TL0803"):
        quantize(x, dtype)


def test_quantize_refusals():
    with pytest.raises(TensorLogicError, match="TL0305"):
        quantize(torch.zeros(2, 256), "q4_k")
    with pytest.raises(TensorLogicError, match="TL0309"):
        quantize(torch.zeros(2, 33), "q8_0")


@pytest.mark.parametrize("dtype", QUANTIZED)
@pytest.mark.parametrize("float_type", [torch.float32, torch.bfloat16])
def test_linear_matmul_and_rows(dtype, float_type):
    q = random_tensor(dtype)
    w = q.dequantize(float_type)
    x, b = torch.randn(3, 2, q.shape[1]).to(float_type), torch.randn(5).to(float_type)
    y = torch.randn(4, 5).to(float_type)
    ids = torch.tensor([[0, 4], [2, 2]])
    pairs = [
        (quantized.linear(x, q, b), F.linear(x, w, b)),
        (F.linear(x, q, bias=b), F.linear(x, w, b)),
        (quantized.matmul(y, q), y @ w),
        (y @ q, y @ w),
        (torch.matmul(y, q), y @ w),
        (q @ y.new_ones(q.shape[1], 1), w @ y.new_ones(q.shape[1], 1)),
        (quantized.embedding(ids, q, float_type), F.embedding(ids, w)),
        (q[ids].to(float_type), w[ids]),
        (q[1].to(float_type), w[1]),
        (q[1:3].to(float_type), w[1:3]),
    ]
    for found, expected in pairs:
        assert found.dtype == float_type and torch.equal(found.nan_to_num(), expected.nan_to_num())
    assert torch.equal(F.embedding(ids, q), q.dequantize()[ids])


def test_in_chunks(monkeypatch):
    q = random_tensor("q4_0", rows=37, blocks=2)
    x, b = torch.randn(3, 64), torch.randn(37)
    whole, product = q.dequantize(torch.float16), quantized.linear(x, q, b)
    monkeypatch.setattr(quantized, "CHUNK_ELEMENTS", 200)
    assert torch.equal(q.dequantize(torch.float16), whole)
    torch.testing.assert_close(quantized.linear(x, q, b), product)


def test_gradients_pass_through_to_the_input():
    q, x = random_tensor("q8_0"), torch.randn(2, 64, requires_grad=True)
    F.linear(x, q).sum().backward()
    torch.testing.assert_close(x.grad, q.dequantize().sum(0).expand(2, -1))


@pytest.mark.parametrize("use", [lambda q: torch.exp(q), lambda q: q[0, 1], lambda q: q @ q, lambda q: torch.cat([q, q])])
def test_anything_else_is_refused(use):
    with pytest.raises(TensorLogicError, match="TL0305"):
        use(random_tensor("q8_0"))


def test_to():
    q = random_tensor("q8_0")
    assert isinstance(q.to("cpu"), QuantizedTensor) and q.to(device="cpu").dtype == "q8_0"
    assert torch.equal(q.to(torch.float16), q.dequantize(torch.float16))
    assert (len(q), q.ndim, q.numel(), q.nbytes, q.size(1)) == (5, 2, 320, 340, 64) and "q8_0[5, 64]" in repr(q)


@pytest.mark.parametrize("shape", [(0, 32), (2, 0), (32,), (0, 3, 32)])
def test_empty_and_flat(shape):
    q = quantize(torch.ones(shape), "q8_0")
    assert q.dequantize().shape == shape
    if len(shape) == 2:
        assert F.linear(torch.ones(3, shape[1]), q).shape == (3, shape[0])
