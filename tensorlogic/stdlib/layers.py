"""The standard layers: what they are made with, what they hold, and what they do to a shape. Names are PyTorch's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """`signature` makes it; `fields` are its parameters and buffers; `forward` is written in its own parameters."""

    signature: str
    fields: str
    forward: str


_SAME = "forward<T: float>(x: T[...S]) -> T[...S]"
_CONV = "stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1, bias: bool = true"


def _window(size: str) -> str:
    return f"floor_div({size} + 2 * padding - dilation * (kernel_size - 1) - 1, stride) + 1"


LAYERS = {
    "Linear": Layer(
        "Linear(I: int, O: int, bias: bool = true)", "weight: f32[O, I], bias: f32[O]", "forward(x: f32[...B, I]) -> f32[...B, O]"
    ),
    "Embedding": Layer("Embedding(V: int, D: int)", "weight: f32[V, D]", "forward(ids: int64[...B]) -> f32[...B, D]"),
    "LayerNorm": Layer("LayerNorm(D: int, eps: float = 1e-5)", "weight: f32[D], bias: f32[D]", "forward(x: f32[...B, D]) -> f32[...B, D]"),
    "RMSNorm": Layer("RMSNorm(D: int, eps: float = 1e-6)", "weight: f32[D]", "forward(x: f32[...B, D]) -> f32[...B, D]"),
    "GroupNorm": Layer(
        "GroupNorm(G: int, C: int, eps: float = 1e-5) where C % G == 0",
        "weight: f32[C], bias: f32[C]",
        "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]",
    ),
    "BatchNorm1d": Layer(
        "BatchNorm1d(C: int, eps: float = 1e-5)", "weight: f32[C], bias: f32[C]", "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]"
    ),
    "BatchNorm2d": Layer(
        "BatchNorm2d(C: int, eps: float = 1e-5)", "weight: f32[C], bias: f32[C]", "forward(x: f32[B, C, H, W]) -> f32[B, C, H, W]"
    ),
    "Dropout": Layer("Dropout(p: float = 0.5)", "", _SAME),
    "Conv1d": Layer(
        f"Conv1d(I: int, O: int, kernel_size: int, {_CONV}) where I % groups == 0, O % groups == 0",
        "weight: f32[O, I / groups, kernel_size], bias: f32[O]",
        f"forward(x: f32[...B, I, L]) -> f32[...B, O, {_window('L')}]",
    ),
    "Conv2d": Layer(
        f"Conv2d(I: int, O: int, kernel_size: int, {_CONV}) where I % groups == 0, O % groups == 0",
        "weight: f32[O, I / groups, kernel_size, kernel_size], bias: f32[O]",
        f"forward(x: f32[...B, I, H, W]) -> f32[...B, O, {_window('H')}, {_window('W')}]",
    ),
    "MultiHeadAttention": Layer(
        "MultiHeadAttention(D: int, H: int, bias: bool = true, dropout: float = 0.0) where D % H == 0",
        "",
        "forward(x: f32[...B, T, D]) -> f32[...B, T, D]",
    ),
    "TransformerBlock": Layer(
        "TransformerBlock(D: int, H: int, F: int, dropout: float = 0.0) where D % H == 0",
        "",
        "forward(x: f32[...B, T, D]) -> f32[...B, T, D]",
    ),
}
