"""Builtins of attention: scaled dot products with grouped heads, rotary positions."""

from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.registry import builtin

_SETTINGS = "scale: float = none, causal: bool = false, dropout: float = 0.0"
_MASK_ALONE = "scale: float = none, dropout: float = 0.0"
_MASK_AND_CAUSAL = "scale: float = none, causal: bool, dropout: float = 0.0"
_HEADS = "q: T[...B, H, L, D], k: T[...B, G, S, D], v: T[...B, G, S, E]"
_RESULT = "T[...masked(B, H, L, S, M), H, L, E]"


@builtin(
    f"attention<T: float>({_HEADS}, {_SETTINGS}) -> T[...ungrouped(B, H, G), H, L, E]",
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_ALONE}) -> T[...masked_ungrouped(B, H, G, L, S, M), H, L, E]",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_ALONE}) -> T[...masked_ungrouped(B, H, G, L, S, M), H, L, E]",
)
def attention(q, k, v, mask=None, scale=None, causal=False, dropout=0.0):
    """softmax(q k^T * scale) v. True in a bool `mask` takes part; a float mask is added. Heads may be grouped: the number of heads of
    `k` and `v` must divide that of `q`. See torch.nn.functional.scaled_dot_product_attention."""
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal, scale=scale)


@builtin(
    f"attention<T: float>({_HEADS}, {_SETTINGS}) -> T[...B, H, L, E] where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_ALONE}) -> {_RESULT} where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_ALONE}) -> {_RESULT} where H % G == 0",
)
def grouped_attention(q, k, v, mask=None, scale=None, causal=False, dropout=0.0):
    """`attention` with fewer heads of keys and values than of queries."""
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal, scale=scale, enable_gqa=True
    )


@builtin(
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_AND_CAUSAL}) -> {_RESULT} where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_AND_CAUSAL}) -> {_RESULT} where H % G == 0",
)
def causal_attention(q, k, v, mask, causal, scale=None, dropout=0.0):
    """`attention` under a mask that may be causal besides, which PyTorch's own function refuses."""
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=runtime.ops.causal_mask(mask, q, k, causal), dropout_p=dropout, scale=scale, enable_gqa=True
    )


@builtin(
    "rope<T: float>(x: T[...B, L, D], positions: int64[L] = none, base: float = 10000.0, interleaved: bool = false) -> T[...B, L, D]"
    " where D % 2 == 0"
)
def rope(x, positions=None, base=10000.0, interleaved=False):
    """Rotary position embedding: pairs of the last axis turned by angles that grow with the position (0, 1, 2, ... unless given).
    The pairs are (i, i + D / 2), or neighbours if `interleaved`."""
    return runtime.ops.rope(x, positions, base, interleaved)


@builtin("positional_encoding(length: int, dim: int, base: float = 10000.0) -> float32[length, dim]")
def positional_encoding(length, dim, base=10000.0):
    """Sines and cosines of the positions, as in "Attention is all you need"."""
    return runtime.ops.positional_encoding(length, dim, base)
