"""Attention in many spellings: one operation each, with the values and gradients of the program as it was written."""

import pytest
import torch

import tensorlogic as tl
from tensorlogic import driver

SIZES = {"A": 2, "B": 3, "G": 2, "H": 4, "T": 5, "S": 6, "D": 7, "E": 3}

# Name: (the parameters with their shapes, the shape of the result, the equations).
FOUND = {
    "heads": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E]", "B,H,T,E", """
        let W[b, h, t, s'] = softmax[s'](Q[b, h, t, d] * K[b, h, s', d] / sqrt(D))
        let O[b, h, t, e] = W[b, h, t, s] V[b, h, s, e]"""),
    "three equations, heads in the middle": ("Q[B,T,H,D] K[B,S,H,D] V[B,S,H,E]", "B,T,H,E", """
        let S[b, h, t, s] = Q[b, t, h, d] K[b, s, h, d]
        let W[b, h, t, s.] = softmax(S[b, h, t, s] * D ** -0.5)
        let O[b, t, h, e] = W[b, h, t, s] V[b, s, h, e]"""),
    "no batch, no scale": ("Q[T,D] K[S,D] V[S,E]", "T,E", """
        let W[t, s.] = softmax(Q[t, d] K[s, d])
        let O[t, e] = W[t, s] V[s, e]"""),
    "one query": ("q[D] K[S,D] V[S,E]", "E", "let O[e] = softmax[s](q[d] K[s, d] / sqrt(D)) V[s, e]"),
    "one equation, keys on the last axis": ("Q[B,T,D] K[B,D,S] V[B,S,E]", "B,T,E", """
        let O[b, t, e] = softmax[s](Q[b, t, d] K[b, d, s] / 3.0) V[b, s, e]"""),
    "scores the other way round": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,E,T", """
        let W[s, b, t] = softmax[s](0.5 * Q[b, t, d] K[b, s, d])
        let O[b, e, t] = V[b, s, e] W[s, b, t]"""),
    "many batches": ("Q[A,B,G,H,T,D] K[A,B,G,H,S,D] V[A,B,G,H,S,E]", "A,B,G,H,T,E", """
        let O[a, b, g, h, t, e] = softmax[s](Q[a, b, g, h, t, d] K[a, b, g, h, s, d] / sqrt(D)) V[a, b, g, h, s, e]"""),
    "grouped heads": ("Q[B,G,H,T,D] K[B,G,S,D] V[B,G,S,E]", "B,G,H,T,E", """
        let O[b, g, h, t, e] = softmax[s](Q[b, g, h, t, d] K[b, g, s, d] / sqrt(D)) V[b, g, s, e]"""),
    "one head of keys": ("Q[B,H,T,D] K[B,S,D] V[B,S,E]", "B,T,H,E", """
        let O[b, t, h, e] = softmax[s](Q[b, h, t, d] K[b, s, d] / sqrt(D)) V[b, s, e]"""),
    "causal": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let O[b, t, e] = softmax[s](where(s <= t, Q[b, t, d] K[b, s, d] / sqrt(D), -1e9)) V[b, s, e]"""),
    "causal, the mask from the other side": ("Q[T,D] K[S,D] V[S,E]", "T,E", """
        let M[t, s] = where(s > t, -1e30, Q[t, d] K[s, d] / sqrt(D))
        let O[t, e] = softmax[s](M[t, s]) V[s, e]"""),
    "causal, grouped heads": ("Q[B,G,H,T,D] K[B,G,S,D] V[B,G,S,E]", "B,G,H,T,E", """
        let O[b, g, h, t, e] = softmax[s](where(t >= s, Q[b, g, h, t, d] K[b, g, s, d] / sqrt(D), -1e9)) V[b, g, s, e]"""),
    "a window": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let M[t, s] = where(t - s < 2 and s <= t, 1.0, 0.0) where t in 0..T, s in 0..S
        let O[b, t, e] = softmax[s](where(M[t, s] > 0.5, Q[b, t, d] K[b, s, d] / sqrt(D), -1e9)) V[b, s, e]"""),
    "a future window leaves rows without keys": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let O[b, t, e] = softmax[s](where(s < t - 2, Q[b, t, d] K[b, s, d] / sqrt(D), -1e9)) V[b, s, e]"""),
    "padding": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] ok:bool[B,S]", "B,H,T,E", """
        let O[b, h, t, e] = softmax[s](where(ok[b, s], Q[b, h, t, d] K[b, h, s, d] / sqrt(D), -1e9)) V[b, h, s, e]"""),
    "padding, grouped heads": ("Q[B,G,H,T,D] K[B,G,S,D] V[B,G,S,E] ok:bool[B,S]", "B,G,H,T,E", """
        let O[b, g, h, t, e] = softmax[s](where(ok[b, s], Q[b, g, h, t, d] K[b, g, s, d] / sqrt(D), -1e9)) V[b, g, s, e]"""),
    "an added mask": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] M[T,S]", "B,H,T,E", """
        let O[b, h, t, e] = softmax[s](Q[b, h, t, d] K[b, h, s, d] / sqrt(D) + M[t, s]) V[b, h, s, e]"""),
    "an added bias per head, in front": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] M[H,T,S]", "B,H,T,E", """
        let O[b, h, t, e] = softmax[s](M[h, t, s] + Q[b, h, t, d] K[b, h, s, d] * 0.3) V[b, h, s, e]"""),
    "both masks": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] M[H,T,S] ok:bool[B,T,S]", "B,H,T,E", """
        let O[b, h, t, e] = softmax[s](where(ok[b, t, s], Q[b, h, t, d] K[b, h, s, d] + M[h, t, s], -1e9)) V[b, h, s, e]"""),
    "causal and added": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] M[H,T,S]", "B,H,T,E", """
        let O[b, h, t, e] = softmax[s](where(s <= t, Q[b, h, t, d] K[b, h, s, d] + M[h, t, s], -1e9)) V[b, h, s, e]"""),
    "a projection behind, in one equation": ("Q[B,H,T,D] K[B,H,S,D] V[B,H,S,E] W[A,H,E]", "B,T,A", """
        let P[b, h, t, s.] = softmax(Q[b, h, t, d] K[b, h, s, d] / sqrt(D))
        let O[b, t, a] = W[a, h, e] * P[b, h, t, s] V[b, h, s, e]"""),
    "projections inside": ("X[B,T,D] Wq[D,E] Wk[D,E] Wv[D,E]", "B,T,E", """
        let Q[b, t, e] = Wq[d, e] X[b, t, d]
        let O[b, t, e] = softmax[s](Q[b, t, c] Wk[a, c] X[b, s, a] / sqrt(E)) Wv[d, e] X[b, s, d]"""),
}  # fmt: skip

# What stays as it is written: the weights, the scores or a part of them are wanted, or it is something else.
LEFT = {
    "weights read again": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let W[b, t, s.] = softmax(Q[b, t, d] K[b, s, d])
        let O[b, t, e] = W[b, t, s] V[b, s, e] + W[b, t, 0]"""),
    "scores read again": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let S[b, t, s] = Q[b, t, d] K[b, s, d]
        let O[b, t, e] = softmax[s](S[b, t, s]) V[b, s, e] + S[b, t, 0]"""),
    "over the queries": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let O[b, t, e] = softmax[t](Q[b, t, d] K[b, s, d]) V[b, s, e]"""),
    "a mask that leaves weight": ("Q[B,T,D] K[B,S,D] V[B,S,E]", "B,T,E", """
        let O[b, t, e] = softmax[s](where(s <= t, Q[b, t, d] K[b, s, d], -3.0)) V[b, s, e]"""),
    "one table for all": ("X[B,D] K[S,D] V[B,S,E]", "B,E", "let O[b, e] = softmax[s](X[b, d] K[s, d]) V[b, s, e]"),
    "keys that differ from head to head": ("Q[B,T,D] K[B,S,D] V[S,E]", "B,T,E", """
        let O[b, t, e] = softmax[s](Q[b, t, d] K[b, s, d]) V[s, e]"""),
    "scaled after the mask": ("Q[B,T,D] K[B,S,D] V[B,S,E] M[T,S]", "B,T,E", """
        let O[b, t, e] = softmax[s]((Q[b, t, d] K[b, s, d] + M[t, s]) / 2.0) V[b, s, e]"""),
}  # fmt: skip


def program(case: tuple[str, str, str]) -> str:
    parameters, result, equations = case
    types = []
    for text in parameters.split():
        name, _, shape = text.rstrip("]").partition("[")
        name, _, dtype = name.partition(":")
        types.append(f"{name}: {dtype or 'float64'}[{shape}]")
    lines = "\n".join(line.strip() for line in equations.strip().splitlines())
    return f"fn f({', '.join(types)}) -> float64[{result}] {{\n{lines}\nreturn O\n}}\n"


def arguments(case: tuple[str, str, str]) -> list[torch.Tensor]:
    given = []
    for text in case[0].split():
        name, _, shape = text.rstrip("]").partition("[")
        sizes = [SIZES[size] for size in shape.split(",")]
        given.append(torch.rand(sizes) > 0.4 if ":bool" in name else torch.randn(sizes, dtype=torch.float64, requires_grad=True))
    return given


def outcome(text: str, given: list[torch.Tensor]) -> list[torch.Tensor]:
    """The value, and the gradients of a sum that weighs its places differently."""
    value = tl.compile(text).f(*given)
    learned = [tensor for tensor in given if tensor.requires_grad]
    weights = torch.linspace(0.5, 2.0, value.numel(), dtype=value.dtype).reshape(value.shape)
    return [value, *torch.autograd.grad((value * weights).sum(), learned)]


@pytest.mark.parametrize("name", FOUND)
def test_one_operation_with_the_same_values_and_gradients(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    text, given = program(FOUND[name]), arguments(FOUND[name])
    python = tl.compile(text).python
    assert python.count("F.scaled_dot_product_attention") == 1 and "softmax(" not in python, python
    found = outcome(text, given)
    monkeypatch.setattr(driver, "optimized", lambda module: module)
    assert "F.scaled_dot_product_attention" not in tl.compile(text).python
    for got, wanted in zip(found, outcome(text, given), strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("name", LEFT)
def test_left_as_it_is(name: str) -> None:
    python = tl.compile(program(LEFT[name])).python
    assert "F.scaled_dot_product_attention" not in python and "softmax(" in python


def test_a_variable_that_changes_between_is_not_read_late() -> None:
    text = """
        fn f(Q: f32[B, T, D], V: f32[B, T, D]) -> f32[B, T, D] {
            let K = Q
            let S[b, t, s] = Q[b, t, d] K[b, s, d]
            K = K * 0.0
            let O[b, t, d] = softmax[s](S[b, t, s]) V[b, s, d]
            return O + K
        }
    """
    Q, V = torch.randn(2, 2, 3, 4)
    torch.testing.assert_close(tl.compile(text).f(Q, V), torch.softmax(Q @ Q.mT, -1) @ V)
