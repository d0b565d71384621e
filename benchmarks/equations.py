"""Equations beside the same in PyTorch, forward alone and with gradients: attention in time and peak memory, a batched chain of five
products beside opt_einsum, and convolution, pooling, a graph network and a kernel machine beside the operations by hand.

`python benchmarks/equations.py [PAIRS] [NAME ...]`. Needs opt_einsum for the chain. Memory is the highest resident size of a process of
its own that runs the case, less that of one that only makes the inputs.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch
import torch.nn.functional as F
from pairs import interleaved, interval, print_machine, print_pairs, ratio, run_process, show, verdict

import tensorlogic as tl

PAIRS, SECONDS = 21, 0.15  # SECONDS: about how long one measurement takes
LIMIT, SLACK = 1.0, 0.03

PROGRAM = """
fn attention_equations(Q: f32[B, H, T, D], K: f32[B, H, S, D], V: f32[B, H, S, E]) -> f32[B, H, T, E] {
    let W[b, h, t, s.] = softmax(Q[b, h, t, d] * K[b, h, s, d] / sqrt(D))
    let O[b, h, t, e] = W[b, h, t, s] V[b, h, s, e]
    return O
}
fn causal_equations(Q: f32[B, H, T, D], K: f32[B, H, S, D], V: f32[B, H, S, E]) -> f32[B, H, T, E] {
    let W[b, h, t, s.] = softmax(where(s <= t, Q[b, h, t, d] * K[b, h, s, d] / sqrt(D), -1e9))
    let O[b, h, t, e] = W[b, h, t, s] V[b, h, s, e]
    return O
}
fn attention_builtin(Q: f32[B, H, T, D], K: f32[B, H, S, D], V: f32[B, H, S, E]) -> f32[B, H, T, E] {
    return attention(Q, K, V)
}
fn causal_builtin(Q: f32[B, H, T, D], K: f32[B, H, S, D], V: f32[B, H, S, E]) -> f32[B, H, T, E] {
    return attention(Q, K, V, causal: true)
}
fn layer(X: f32[B, T, D], WQ: f32[H, K, D], WK: f32[H, K, D], WV: f32[H, K, D], WO: f32[D, H, K]) -> f32[B, T, D] {
    let Q[b, h, t, k] = WQ[h, k, d] X[b, t, d]
    let P[b, h, t, k] = WK[h, k, d] X[b, t, d]
    let V[b, h, t, k] = WV[h, k, d] X[b, t, d]
    let W[b, h, t, s.] = softmax(where(s <= t, Q[b, h, t, k] P[b, h, s, k] / sqrt(K), -1e9))
    let Y[b, t, d] = WO[d, h, k] * W[b, h, t, s] V[b, h, s, k]
    return Y
}
fn chain(A: f32[N, I, J], B: f32[N, J, K], C: f32[N, K, L], D: f32[N, L, M], E: f32[N, M, O]) -> f32[N, I, O] {
    let y[n, i, o] = A[n, i, j] B[n, j, k] C[n, k, l] D[n, l, m] E[n, m, o]
    return y
}
fn chain_of_sizes(
    A: f32[32, 200, 30], B: f32[32, 30, 150], C: f32[32, 150, 20], D: f32[32, 20, 180], E: f32[32, 180, 40]
) -> f32[32, 200, 40] {
    let y[n, i, o] = A[n, i, j] B[n, j, k] C[n, k, l] D[n, l, m] E[n, m, o]
    return y
}
fn network(A: f32[N, 6, 32, 20], B: f32[N, 20, 6, 24], C: f32[32, 16], D: f32[24, 16, 8], x: f32[N, 8]) -> f32[N] {
    let y[n] = A[n, a, b, c] B[n, c, a, d] C[b, e] D[d, e, f] x[n, f]
    return y
}
fn convolution(I: f32[N, C, H, W], K: f32[O, C, 3, 3], b: f32[O]) -> f32[N, O, H, W] {
    let y[n, o, p, q] = relu(K[o, c, u, v] I[n, c, p + u - 1, q + v - 1] + b[o]) where p in 0..H, q in 0..W
    return y
}
fn strided(I: f32[N, C, 2 * H + 1, 2 * W + 1], K: f32[O, C, 3, 3]) -> f32[N, O, H, W] {
    let y[n, o, p, q] = K[o, c, u, v] I[n, c, 2 * p + u, 2 * q + v]
    return y
}
fn largest(I: f32[N, C, 2 * H, 2 * W]) -> f32[N, C, H, W] {
    P[n, c, p / 2, q / 2] max= I[n, c, p, q]
    return P
}
fn means(I: f32[N, C, 2 * H, 2 * W]) -> f32[N, C, H, W] {
    let P[n, c, p, q] = mean[u, v](I[n, c, 2 * p + u, 2 * q + v]) where u in 0..2, v in 0..2
    return P
}
fn graph(N: f32[V, V], X: f32[V, D], W: f32[E, D], U: f32[E, D]) -> f32[V, E] {
    let y[n, e] = relu(N[n, m] W[e, d] X[m, d] + U[e, d] X[n, d])
    return y
}
fn kernel(A: f32[N], Y: f32[N], seen: f32[N, D], X: f32[M, D]) -> f32[M] {
    let K[n, m] = exp(-(seen[n, d] - X[m, d]) ** 2 / 2.0)
    let f[m] = A[n] Y[n] K[n, m]
    return f
}
fn loss(Z: f32[B, K], y: int64[B]) -> f32[] {
    let L[b, k.] = log_softmax(Z[b, k])
    let l = mean[b](-L[b, y[b]])
    return l
}
"""


@dataclass(frozen=True)
class Case:
    """Two functions of the same tensors, whose shapes these are. `theirs` is a function, another one of the program, or a rule for
    opt_einsum."""

    ours: str
    theirs: Callable[..., torch.Tensor] | str
    shapes: tuple[tuple[int, ...], ...]
    classes: int = 0  # the last tensor has numbers below this

    def tensors(self, gradients: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        made = [torch.randn(shape) for shape in self.shapes]
        if self.classes:
            made[-1] = torch.randint(0, self.classes, self.shapes[-1])
        return [tensor.requires_grad_(gradients and tensor.is_floating_point()) for tensor in made]


# --- the same by hand ------------------------------------------------------------------------------------------------


def layer(x, *weights):
    """The projections as matrices, heads split off by views."""
    heads, width, inner = weights[0].shape
    parts = [F.linear(x, weight.reshape(-1, inner)).unflatten(-1, (heads, width)).transpose(1, 2) for weight in weights[:3]]
    mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
    return F.linear(mixed.transpose(1, 2).flatten(2), weights[3].reshape(inner, -1))


def convolution(image, kernel, bias):
    return torch.relu(F.conv2d(image, kernel, bias, padding=1))


def graph(neighbours, states, weights, own):
    return torch.relu(neighbours @ states @ weights.T + states @ own.T)


def kernel(weights, labels, seen, points):
    distances = ((seen[:, None, :] - points[None, :, :]) ** 2).sum(-1)
    return (weights * labels) @ torch.exp(-distances / 2)


CHAIN = ((32, 200, 30), (32, 30, 150), (32, 150, 20), (32, 20, 180), (32, 180, 40))
SQUARE = ((16, 96, 96),) * 5
NETWORK = ((64, 6, 32, 20), (64, 20, 6, 24), (32, 16), (24, 16, 8), (64, 8))
HEADS = ((2, 8, 512, 64),) * 3
LONG = ((2, 8, 4096, 64),) * 3  # for memory: what is written out would be 2 GB


def cases() -> dict[str, Case]:
    return {
        "attention": Case("attention_equations", "attention_builtin", HEADS),
        "causal attention": Case("causal_equations", "causal_builtin", HEADS),
        "self-attention": Case("layer", layer, ((2, 256, 256), *((8, 32, 256),) * 3, (256, 8, 32))),
        "chain, sizes known": Case("chain_of_sizes", "nij,njk,nkl,nlm,nmo->nio", CHAIN),
        "chain, sizes not known": Case("chain", "nij,njk,nkl,nlm,nmo->nio", SQUARE),
        "network": Case("network", "nabc,ncad,be,def,nf->n", NETWORK),
        "convolution": Case("convolution", convolution, ((8, 32, 32, 32), (64, 32, 3, 3), (64,))),
        "strided convolution": Case("strided", partial(F.conv2d, stride=2), ((8, 32, 33, 33), (64, 32, 3, 3))),
        "max pooling": Case("largest", partial(F.max_pool2d, kernel_size=2), ((8, 32, 64, 64),)),
        "mean pooling": Case("means", partial(F.avg_pool2d, kernel_size=2), ((8, 32, 64, 64),)),
        "graph network": Case("graph", graph, ((600, 600), (600, 64), (64, 64), (64, 64))),
        "kernel machine": Case("kernel", kernel, ((300,), (300,), (300, 16), (200, 16))),
        "cross entropy": Case("loss", F.cross_entropy, ((512, 2000), (512,)), classes=2000),
    }


# --- measuring -------------------------------------------------------------------------------------------------------


def runner(function: Callable, tensors: list[torch.Tensor], gradients: bool) -> Callable[[], object]:
    """One run: the value, or with gradients those of a sum of it."""
    if not gradients:
        return lambda: function(*tensors)
    learned = [tensor for tensor in tensors if tensor.requires_grad]
    value = function(*tensors)
    weights = torch.ones_like(value)
    return lambda: torch.autograd.grad(function(*tensors), learned, weights)


def timed(run: Callable[[], object], calls: int) -> float:
    """Seconds of one run, the mean of `calls`."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def functions(case: Case) -> tuple[Callable, Callable]:
    """Ours and theirs; opt_einsum with the path worked out before."""
    program = tl.compile(PROGRAM)
    if not isinstance(case.theirs, str):
        return program[case.ours], case.theirs
    if "->" not in case.theirs:
        return program[case.ours], program[case.theirs]
    import opt_einsum

    return program[case.ours], opt_einsum.contract_expression(case.theirs, *case.shapes, optimize="optimal")


def measure(name: str, case: Case, gradients: bool, count: int) -> bool:
    ours, theirs = functions(case)
    tensors = case.tensors(gradients)
    wanted = theirs(*tensors).detach()
    torch.testing.assert_close(ours(*tensors).detach(), wanted, rtol=1e-3, atol=1e-5 * float(wanted.abs().max()))
    runs = runner(ours, tensors, gradients), runner(theirs, tensors, gradients)
    calls = max(1, int(SECONDS / timed(runs[1], 3)))
    pairs = interleaved(lambda: timed(runs[0], calls), lambda: timed(runs[1], calls), count)
    found = ratio(pairs)
    label = f"{name}, {'with gradients' if gradients else 'forward'}"
    print(f"{label}: ratio {show(found)}; the other {median(other for _, other in pairs) * 1e3:.3g} ms")
    print_pairs(pairs, 1e3, "ms")
    return verdict(label, found[0], LIMIT + SLACK)


# --- memory ----------------------------------------------------------------------------------------------------------


def memory(name: str, count: int) -> bool:
    """Peak memory of forward and backward, beside the builtin's, in processes of their own."""
    peaks = {kind: partial(_peak, name, kind) for kind in ("ours", "theirs", "inputs")}
    inputs = median(peaks["inputs"]() for _ in range(3))
    pairs = interleaved(lambda: peaks["ours"]() - inputs, lambda: peaks["theirs"]() - inputs, max(3, count // 4))
    print_pairs(pairs, 1 / 1024, "MB")
    found = interval([own / other for own, other in pairs])
    print(f"{name}, peak memory with gradients: ratio {show(found)}")
    return verdict(f"{name}, peak memory", found[0], LIMIT + SLACK)


def _peak(name: str, kind: str) -> float:
    return run_process([sys.executable, __file__, "--once", name, kind])[2]


def once(name: str, kind: str) -> None:
    """What a process for memory does: all make the inputs and compile, two run."""
    case = replace(cases()[name], shapes=LONG)
    own, other = functions(case)
    tensors = case.tensors(True)
    if kind != "inputs":
        function = own if kind == "ours" else other
        torch.autograd.grad(function(*tensors).sum(), tensors)


def main() -> int:
    if sys.argv[1:2] == ["--once"]:
        once(*sys.argv[2:])
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    print_machine("torch", "opt_einsum")
    print(f"{torch.get_num_threads()} threads")
    wanted = sys.argv[2:] or list(cases())
    kept = [measure(name, case, gradients, count) for name, case in cases().items() if name in wanted for gradients in (False, True)]
    kept += [memory(name, count) for name in cases() if name in wanted and name in ("attention", "causal attention")]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
