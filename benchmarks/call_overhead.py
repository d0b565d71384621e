"""Calling a compiled function, its argument checks on, costs at most 1.05 of the same PyTorch written by hand."""

import sys
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from pairs import interleaved, print_machine, print_pairs, ratio, show, verdict

import tensorlogic as tl

PAIRS, SECONDS, LIMIT = 31, 0.02, 1.05  # SECONDS: about how long one measurement takes
B, T, D, H = 1, 128, 768, 12
PROGRAM = """\
fn mlp(x: f32[N, D], w1: f32[D, D], b1: f32[D], w2: f32[D, D], b2: f32[D], w3: f32[D, D], b3: f32[D]) -> f32[N, D] {
    let first = relu(linear(x, w1, b1))
    let second = relu(linear(first, w2, b2))
    return linear(second, w3, b3)
}

fn norm(x: f32[B, T, D], gain: f32[D], bias: f32[D]) -> f32[B, T, D] {
    return layer_norm(x, [D], gain, bias)
}

fn qkv(x: f32[B, T, D], w: f32[3 * D, D], b: f32[3 * D]) -> f32[B, T, 3 * D] {
    return linear(x, w, b)
}

fn split_heads(x: f32[B, T, D], H: int) -> f32[B, H, T, D / H] where D % H == 0 {
    return x.reshape([B, T, H, D / H]).transpose(1, 2)
}

fn attend(q: f32[B, H, T, K], k: f32[B, H, T, K], v: f32[B, H, T, K]) -> f32[B, H, T, K] {
    return attention(q, k, v, causal: true)
}

fn project(x: f32[B, H, T, K], w: f32[H * K, H * K], b: f32[H * K]) -> f32[B, T, H * K] {
    return linear(x.transpose(1, 2).reshape([B, T, H * K]), w, b)
}

fn feed_forward(x: f32[B, T, D], w1: f32[4 * D, D], b1: f32[4 * D], w2: f32[D, 4 * D], b2: f32[D]) -> f32[B, T, D] {
    return linear(gelu(linear(x, w1, b1), approximate: "tanh"), w2, b2)
}

fn block(
    x: f32[B, T, D], g1: f32[D], c1: f32[D], w_qkv: f32[3 * D, D], b_qkv: f32[3 * D], w_proj: f32[D, D], b_proj: f32[D],
    g2: f32[D], c2: f32[D], w_in: f32[4 * D, D], b_in: f32[4 * D], w_out: f32[D, 4 * D], b_out: f32[D], H: int
) -> f32[B, T, D] where D % H == 0 {
    let (q, k, v) = chunk(qkv(norm(x, g1, c1), w_qkv, b_qkv), 3, dim: -1)
    let heads = attend(split_heads(q, H), split_heads(k, H), split_heads(v, H))
    let h = x + linear(heads.transpose(1, 2).reshape([B, T, D]), w_proj, b_proj)
    return h + feed_forward(norm(h, g2, c2), w_in, b_in, w_out, b_out)
}
"""

# --- the same by hand ------------------------------------------------------------------------------------------------


def mlp(x, w1, b1, w2, b2, w3, b3):
    first = F.relu(F.linear(x, w1, b1))
    second = F.relu(F.linear(first, w2, b2))
    return F.linear(second, w3, b3)


def norm(x, gain, bias):
    return F.layer_norm(x, [x.shape[-1]], gain, bias)


def qkv(x, w, b):
    return F.linear(x, w, b)


def split_heads(x, heads):
    batch, steps, width = x.shape
    return x.reshape(batch, steps, heads, width // heads).transpose(1, 2)


def attend(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def project(x, w, b):
    batch, heads, steps, width = x.shape
    return F.linear(x.transpose(1, 2).reshape(batch, steps, heads * width), w, b)


def feed_forward(x, w1, b1, w2, b2):
    return F.linear(F.gelu(F.linear(x, w1, b1), approximate="tanh"), w2, b2)


def block(x, g1, c1, w_qkv, b_qkv, w_proj, b_proj, g2, c2, w_in, b_in, w_out, b_out, heads):
    q, k, v = qkv(norm(x, g1, c1), w_qkv, b_qkv).chunk(3, dim=-1)
    mixed = attend(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads))
    h = x + F.linear(mixed.transpose(1, 2).reshape(x.shape), w_proj, b_proj)
    return h + feed_forward(norm(h, g2, c2), w_in, b_in, w_out, b_out)


# --- measuring -------------------------------------------------------------------------------------------------------


def weights(*sizes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.randn(size) * 0.02 for size in sizes)


def cases() -> dict[str, tuple[Callable, tuple, float]]:
    """Name: the function by hand, its arguments, and the floating point operations of its matrix products."""
    x, heads = torch.randn(B, T, D), torch.randn(B, H, T, D // H)
    square, rows = weights(*[(256, 256), (256,)] * 3), B * T
    attention = 2 * 2 * B * T * T * D / 2  # causal: half of the scores
    normed, three, proj, wide = weights((D,), (D,)), weights((3 * D, D), (3 * D,)), weights((D, D), (D,)), weights((4 * D, D), (4 * D,))
    narrow = weights((D, 4 * D), (D,))
    whole = (x, *normed, *three, *proj, *weights((D,), (D,)), *wide, *narrow, H)
    return {
        "mlp": (mlp, (torch.randn(32, 256), *square), 3 * 2 * 32 * 256 * 256),
        "norm": (norm, (x, *normed), 0),
        "qkv": (qkv, (x, *three), 2 * rows * D * 3 * D),
        "split_heads": (split_heads, (x, H), 0),
        "attend": (attend, (heads, heads, heads), attention),
        "project": (project, (heads, *proj), 2 * rows * D * D),
        "feed_forward": (feed_forward, (x, *wide, *narrow), 2 * 2 * rows * D * 4 * D),
        "block": (block, whole, 2 * rows * D * 12 * D + attention),
    }


def timed(function: Callable, arguments: tuple, calls: int) -> float:
    """Seconds of one call, the mean of `calls`."""
    start = time.perf_counter()
    for _ in range(calls):
        function(*arguments)
    return (time.perf_counter() - start) / calls


def product_rate(rows: int, inner: int, columns: int) -> float:
    """GFLOP/s of one matrix product: what this machine can do at that size."""
    left, right = torch.randn(rows, inner), torch.randn(columns, inner).t()
    calls = max(1, int(SECONDS / timed(torch.mm, (left, right), 3)))
    return 2 * rows * inner * columns / min(timed(torch.mm, (left, right), calls) for _ in range(9)) / 1e9


def measure(name: str, ours: Callable, case: tuple[Callable, tuple, float]) -> float:
    """The median ratio; prints what was found."""
    theirs, arguments, operations = case
    assert torch.equal(ours(*arguments), theirs(*arguments)), name
    calls = max(1, int(SECONDS / timed(theirs, arguments, 3)))
    pairs = interleaved(lambda: timed(ours, arguments, calls), lambda: timed(theirs, arguments, calls), PAIRS)
    found = ratio(pairs)
    hand = median(other for _, other in pairs)
    rate = f", {operations / hand / 1e9:.1f} GFLOP/s" if operations else ""
    more = median(own - other for own, other in pairs) * 1e6
    least = min(own for own, _ in pairs) / min(other for _, other in pairs)
    print(f"{name:<13}{show(found)} of by hand, least of each {least:.3f}; by hand {hand * 1e6:.2f} us{rate}; {more:+.2f} us")
    print_pairs(pairs, 1e6, "us")
    return found[0]


def main() -> int:
    torch.manual_seed(1)
    torch.set_grad_enabled(False)
    print_machine("tensorlogic", "torch")
    sizes = (32, 256, 256), (T, D, 4 * D)
    rates = ", ".join(f"{' x '.join(map(str, size))} at {product_rate(*size):.1f} GFLOP/s" for size in sizes)
    print(f"{torch.get_num_threads()} threads; the limit is a matrix product alone: {rates}")
    program = tl.compile(PROGRAM)
    ratios = {name: measure(name, program[name], case) for name, case in cases().items()}
    kept = [verdict(name, ratios[name], LIMIT) for name in ratios]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
