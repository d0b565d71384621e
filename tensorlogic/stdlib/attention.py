"""Builtins of attention: scaled dot products with grouped heads, rotary positions."""

from tensorlogic.stdlib.costs import Call, Cost, each
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim

_SETTINGS = "scale: float = none, causal: bool = false, dropout: float = 0.0"
_MASK_ALONE = "scale: float = none, dropout: float = 0.0"
_MASK_AND_CAUSAL = "scale: float = none, causal: bool, dropout: float = 0.0"
_HEADS = "q: T[...B, H, L, D], k: T[...B, G, S, D], v: T[...B, G, S, E]"
_RESULT = "T[...masked(B, H, L, S, M), H, L, E]"


def _scores(call: Call) -> Dim:
    """Bytes that are kept: one number for each query. The scores themselves are there only where PyTorch has no fused function: for
    other than four axes."""
    rows = call.size("B") * call.size("H") * call.size("L")
    ranks = {len(tensor.shape) for tensor in call.tensors("q")}
    return rows * 4 if ranks == {4} else (rows * call.size("S") + call.size("q") + call.size("k")) * call.size("item")


_SCORES = Cost("2 * B * H * L * S * (D + E)", True, shape="heads", keeps="q k v result", extra=_scores)


@builtin(
    f"attention<T: float>({_HEADS}, {_SETTINGS}) -> T[...ungrouped(B, H, G), H, L, E]",
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_ALONE}) -> T[...masked_ungrouped(B, H, G, L, S, M), H, L, E]",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_ALONE}) -> T[...masked_ungrouped(B, H, G, L, S, M), H, L, E]",
    cost=_SCORES,
)
def attention(q, k, v, mask=None, scale=None, causal=False, dropout=0.0):
    """softmax(q k^T * scale) v. True in a bool `mask` takes part; a float mask is added. Heads may be grouped: the number of heads of
    `k` and `v` must divide that of `q`. See torch.nn.functional.scaled_dot_product_attention."""
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal, scale=scale)


@builtin(
    f"attention<T: float>({_HEADS}, {_SETTINGS}) -> T[...B, H, L, E] where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_ALONE}) -> {_RESULT} where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_ALONE}) -> {_RESULT} where H % G == 0",
    cost=_SCORES,
)
def grouped_attention(q, k, v, mask=None, scale=None, causal=False, dropout=0.0):
    """`attention` with fewer heads of keys and values than of queries."""
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal, scale=scale, enable_gqa=True
    )


@builtin(
    f"attention<T: float>({_HEADS}, mask: bool[...M], {_MASK_AND_CAUSAL}) -> {_RESULT} where H % G == 0",
    f"attention<T: float>({_HEADS}, mask: T[...M], {_MASK_AND_CAUSAL}) -> {_RESULT} where H % G == 0",
    cost=_SCORES,
)
def causal_attention(q, k, v, mask, causal, scale=None, dropout=0.0):
    """`attention` under a mask that may be causal besides, which PyTorch's own function refuses."""
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=runtime.ops.causal_mask(mask, q, k, causal), dropout_p=dropout, scale=scale, enable_gqa=True
    )


@builtin(
    "rope<T: float>(x: T[...B, L, D], positions: int64[L] = none, base: float = 10000.0, interleaved: bool = false) -> T[...B, L, D]"
    " where D % 2 == 0",
    cost=each(3, keeps="", extra="L * D * 4"),
)
def rope(x, positions=None, base=10000.0, interleaved=False):
    """Rotary position embedding: pairs of the last axis turned by angles that grow with the position (0, 1, 2, ... unless given).
    The pairs are (i, i + D / 2), or neighbours if `interleaved`."""
    return runtime.ops.rope(x, positions, base, interleaved)


@builtin(
    "positional_encoding(length: int, dim: int, base: float = 10000.0) -> float32[length, dim]",
    cost=Cost("3 * result", memory="new", keeps=""),
)
def positional_encoding(length, dim, base=10000.0):
    """Sines and cosines of the positions, as in "Attention is all you need"."""
    return runtime.ops.positional_encoding(length, dim, base)
