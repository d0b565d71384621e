"""Recurrences that need each other, that look further back, that run backward; and what of them is worked out ahead."""

import os
from itertools import permutations

import numpy as np
import pytest
import torch

import tensorlogic as tl
from tests.equations.recurrences import RecurrenceCase

CASES = 1500 if os.environ.get("TLC_FULL") else 100
LSTM = [
    "I[t, i] = sigmoid(W[0, i, k] X[t, k] + U[0, i, j] H[t, j] + b[0, i])",
    "F[t, i] = sigmoid(W[1, i, k] X[t, k] + U[1, i, j] H[t, j] + b[1, i])",
    "G[t, i] = tanh(W[2, i, k] X[t, k] + U[2, i, j] H[t, j] + b[2, i])",
    "O[t, i] = sigmoid(W[3, i, k] X[t, k] + U[3, i, j] H[t, j] + b[3, i])",
    "C[t + 1, i] = F[t, i] * C[t, i] + I[t, i] * G[t, i]",
    "H[t + 1, i] = O[t, i] * tanh(C[t + 1, i])",
]
HEAD = "X: f64[T, D], h: f64[N], c: f64[N], W: f64[4, N, D], U: f64[4, N, N], b: f64[4, N]"
PROGRAM = (
    """
fn gru(X: f64[T, D], h: f64[N], W: f64[3, N, D], U: f64[3, N, N], b: f64[3, N], c: f64[3, N]) -> f64[T + 1, N] {
    H[0, i] = h[i]
    R[t, i] = sigmoid(W[0, i, k] X[t, k] + b[0, i] + U[0, i, j] H[t, j] + c[0, i])
    Z[t, i] = sigmoid(W[1, i, k] X[t, k] + b[1, i] + U[1, i, j] H[t, j] + c[1, i])
    G[t, i] = tanh(W[2, i, k] X[t, k] + b[2, i] + R[t, i] * (U[2, i, j] H[t, j] + c[2, i]))
    H[t + 1, i] = (1.0 - Z[t, i]) * G[t, i] + Z[t, i] * H[t, i]
    return H
}
fn last(X: f64[T, B, D], h0: f64[B, N], c0: f64[B, N], W: f64[4, N, D], U: f64[4, N, N], b: f64[4, N]) -> (f64[B, N], f64[B, N]) {
    let h[n, i] = h0[n, i]
    let c[n, i] = c0[n, i]
    h[*t + 1, n, i] = g[3, *t, n, i] * tanh(c[*t + 1, n, i])
    g[q, *t, n, i] = sigmoid((1.0 + x[q]) * (W[q, i, k] X[t, n, k] + U[q, i, j] h[*t, n, j] + b[q, i])) * (1.0 + x[q]) - x[q]
    c[*t + 1, n, i] = g[1, *t, n, i] * c[*t, n, i] + g[0, *t, n, i] * g[2, *t, n, i]
    return (h, c)
}
fn fibonacci() -> int64[12] {
    F[0] = 1
    F[1] = 1
    F[n + 2] = F[n + 1] + F[n] where n in 0..10
    return F
}
fn leapfrog(x0: f64[N], v0: f64[N], dt: float, steps: int) -> (f64[steps + 1, N], f64[steps + 1, N], f64[steps, N]) where steps >= 0 {
    x[0, i] = x0[i]
    v[0, i] = v0[i]
    x[t + 1, i] = x[t, i] + dt * half[t, i] where t in 0..steps
    half[t, i] = v[t, i] - 0.5 * dt * x[t, i]
    v[t + 1, i] = half[t, i] - 0.5 * dt * x[t + 1, i]
    return (x, v, half)
}
fn hidden(p: f64[S], A: f64[S, S], E: f64[S, O], seen: int64[T]) -> (f64[T, S], f64[T, S]) where T >= 1 {
    a[0, j] = p[j] * E[j, seen[0]]
    a[t, j] = E[j, seen[t]] * (a[t - 1, i] A[i, j])
    B[T - 1, i] = p[i] / p[i]
    B[t - 1, i] = A[i, j] E[j, seen[t]] B[t, j]
    return (a, B)
}
fn between(A: f64[S, S], E: f64[S, O], seen: int64[T], one: f64[S]) -> f64[T, S] where T >= 1 {
    B[T - 1, i] = one[i]
    B[t, i] = A[i, j] M[t + 1, j]
    M[t + 1, j] = E[j, seen[t + 1]] B[t + 1, j]
    return B
}
fn regression(w: f64[3], e: f64[T], s: f64[3]) -> f64[T] where T >= 3 {
    y[0] = s[0]
    y[1] = s[1]
    y[2] = s[2]
    y[t] = w[0] * y[t - 1] + w[1] * y[t - 2] + w[2] * y[t - 3] + e[t]
    return y
}
fn kalman(z: f64[T], q: float, r: float, x0: f64[], p0: f64[]) -> (f64[T + 1], f64[T + 1], f64[T]) {
    x[0] = x0
    p[0] = p0
    x[t + 1] = x[t] + gain[t] * (z[t] - x[t])
    p[t + 1] = (1.0 - gain[t]) * (p[t] + q)
    gain[t] = (p[t] + q) / (p[t] + q + r) where t in 0..T
    return (x, p, gain)
}
fn automaton(next: int64[Q, A], word: int64[T]) -> int64[T + 1] {
    q[0] = 0
    q[t + 1] = next[q[t], word[t]]
    return q
}
fn ahead(h: f64[N], X: f64[T, N]) -> (f64[T + 1, N], f64[T + 1, N]) {
    H[0, i] = h[i]
    I[t + 1, i] = tanh(H[t, i] + X[t, i])
    H[t + 1, i] = I[t + 1, i] * 0.5 + H[t, i]
    return (H, I)
}
fn generic<T: float>(x: T[N]) -> T[N] {
    H[0, i] = x[i]
    I[t, i] = H[t, i] * x[i]
    H[t + 1, i] = I[t, i] where t in 0..3
    let s[i] = H[3, i] + I[2, i]
    return s
}
""".replace("(1.0 + x[q])", "scale[q]")
    .replace("- x[q]", "- scale[q] + 1.0")
    .replace("b: f64[4, N]) -> (f64[B", "b: f64[4, N], scale: f64[4]) -> (f64[B")
)


def rand(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(scope="module")
def program() -> tl.Program:
    return tl.compile(PROGRAM)


def lstm(lines: list[str]) -> str:
    return f"fn f({HEAD}) -> f64[T + 1, N] {{\n" + "\n".join(["H[0, i] = h[i]", "C[0, i] = c[i]", *lines, "return H", "}", ""])


def test_lstm_is_that_of_pytorch() -> None:
    torch.manual_seed(0)
    net = torch.nn.LSTM(3, 4).double()
    X, h, c = rand(5, 3), rand(4), rand(4)
    W, U = net.weight_ih_l0.reshape(4, 4, 3), net.weight_hh_l0.reshape(4, 4, 4)
    program = tl.compile(lstm(LSTM))
    got = program.f(X, h, c, W, U, (net.bias_ih_l0 + net.bias_hh_l0).reshape(4, 4))[1:]
    want = net(X[:, None], (h[None, None], c[None, None]))[0][:, 0]
    torch.testing.assert_close(got, want)
    sources = [X, h, c, *net.parameters()]
    for one, other in zip(*(torch.autograd.grad(y.sin().sum(), sources) for y in (got, want)), strict=True):
        torch.testing.assert_close(one, other)
    loop = program.python.partition("def v")[2]
    assert loop.count("torch.matmul") == 4 and "X" not in loop  # what comes from the input is worked out before the steps


def test_the_order_of_the_lines_does_not_matter() -> None:
    wanted = None
    given = [torch.randn(*shape, dtype=torch.float64) for shape in ((3, 2), (2,), (2,), (4, 2, 2), (4, 2, 2), (4, 2))]
    for order in list(permutations(LSTM))[::97]:
        found = tl.compile(lstm(list(order))).f(*given)
        wanted = found if wanted is None else wanted
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_gru_and_the_last_state_of_an_lstm(program: tl.Program) -> None:
    torch.manual_seed(0)
    net = torch.nn.GRU(3, 4).double()
    X, h = rand(5, 3), rand(4)
    W, U = net.weight_ih_l0.reshape(3, 4, 3), net.weight_hh_l0.reshape(3, 4, 4)
    got = program.gru(X, h, W, U, net.bias_ih_l0.reshape(3, 4), net.bias_hh_l0.reshape(3, 4))[1:]
    want = net(X[:, None], h[None, None])[0][:, 0]
    torch.testing.assert_close(got, want)
    for one, other in zip(*(torch.autograd.grad(y.sin().sum(), [X, h, *net.parameters()]) for y in (got, want)), strict=True):
        torch.testing.assert_close(one, other)
    deep = torch.nn.LSTM(3, 4).double()
    X, h, c = rand(5, 2, 3), rand(2, 4), rand(2, 4)
    bias = (deep.bias_ih_l0 + deep.bias_hh_l0).reshape(4, 4)
    scale = torch.tensor([1.0, 1.0, 2.0, 1.0], dtype=torch.float64)  # tanh(x) is 2 sigmoid(2 x) - 1
    found = program.last(X, h, c, deep.weight_ih_l0.reshape(4, 4, 3), deep.weight_hh_l0.reshape(4, 4, 4), bias, scale)
    _, wanted = deep(X, (h[None], c[None]))
    torch.testing.assert_close(found, tuple(value[0] for value in wanted))


def test_random_recurrences_are_what_numpy_makes_of_them() -> None:
    for start in range(0, CASES, 50):
        cases = [RecurrenceCase(seed) for seed in range(start, start + 50)]
        program = tl.compile("\n".join(case.function() for case in cases))
        for case in cases:
            found = program[case.name](*map(torch.from_numpy, case.tensors.values()))
            for got, want in zip(found if isinstance(found, tuple) else (found,), case.result(), strict=True):
                np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-12, err_msg=case.function())


def test_systems_that_step_together(program: tl.Program) -> None:
    assert program.fibonacci().tolist() == [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
    start = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    x, v, half = program.leapfrog(*start, 0.1, 50)
    assert half.shape == (50, 2) and abs(float((x**2 + v**2)[-1].sum()) - 2) < 1e-2
    torch.testing.assert_close(x[1:] - x[:-1], 0.1 * half)
    z = torch.randn(4, dtype=torch.float64)
    x, p, gain = program.kalman(z, 0.1, 0.2, torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
    torch.testing.assert_close(gain, (p[:-1] + 0.1) / (p[:-1] + 0.3))
    torch.testing.assert_close(x[1:], x[:-1] + gain * (z - x[:-1]))
    assert program.automaton(torch.tensor([[1, 0], [2, 0], [2, 2]]), torch.tensor([0, 0, 1, 1])).tolist() == [0, 1, 2, 2, 2]
    H, made = program.ahead(torch.ones(2, dtype=torch.float64), torch.ones(3, 2, dtype=torch.float64))
    assert not made[0].any()
    torch.testing.assert_close(made[1:], torch.tanh(H[:-1] + 1))
    assert program.generic(torch.tensor([2.0])).tolist() == [32.0] and program.generic(torch.ones(2).double()).dtype == torch.float64


def test_forward_and_backward_of_a_hidden_markov_model(program: tl.Program) -> None:
    made = torch.Generator().manual_seed(0)
    A, E = torch.rand(3, 3, dtype=torch.float64, generator=made), torch.rand(3, 4, dtype=torch.float64, generator=made)
    p, seen = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64), torch.tensor([0, 3, 2, 1, 1])
    a, b = program.hidden(p, A, E, seen)
    total = (a * b).sum(1)
    torch.testing.assert_close(total, total[:1].expand(5))
    want = [torch.ones(3, dtype=torch.float64)]
    for t in range(4, 0, -1):
        want.insert(0, A @ (E[:, seen[t]] * want[0]))
    torch.testing.assert_close(b, torch.stack(want))
    torch.testing.assert_close(program.between(A, E, seen, torch.ones(3, dtype=torch.float64)), b)
    assert program.hidden(p, A, E, seen[:1])[1].shape == (1, 3)


def test_further_back(program: tl.Program) -> None:
    w, e, s = (torch.randn(n, dtype=torch.float64) for n in (3, 7, 3))
    y = list(s)
    for t in range(3, 7):
        y.append(w[0] * y[t - 1] + w[1] * y[t - 2] + w[2] * y[t - 3] + e[t])
    torch.testing.assert_close(program.regression(w, e, s), torch.stack(y))
    assert torch.equal(program.regression(w, e[:3], s), s)


def test_gradients(program: tl.Program) -> None:
    assert torch.autograd.gradcheck(program.regression, (rand(3), rand(6), rand(3)))
    assert torch.autograd.gradcheck(lambda x, v: program.leapfrog(x, v, 0.1, 3), (rand(2), rand(2)))
    A, E, seen = rand(2, 2), rand(2, 3), torch.tensor([0, 2, 1])
    assert torch.autograd.gradcheck(lambda p, a, e: program.hidden(p, a, e, seen)[1], (rand(2).exp(), A, E))


def test_no_step(program: tl.Program) -> None:
    one = torch.ones(2, dtype=torch.float64)
    x, v, half = program.leapfrog(one, one, 0.1, 0)
    assert torch.equal(x, one[None]) and torch.equal(v, one[None]) and half.shape == (0, 2)
    H, made = program.ahead(one, one.new_empty(0, 2))
    assert torch.equal(H, one[None]) and torch.equal(made, torch.zeros(1, 2, dtype=torch.float64))
    assert program.ahead(one[:0], one.new_empty(3, 0))[1].shape == (4, 0)


BEGIN = "let A = ones([2])\nH[0, i] = A[i]\nG[0, i] = A[i]\n"
REFUSED = {  # the code, the place, the other places
    "H[t + 1, i] = H[t + 2, i] where t in 0..3": ("TL0404", "H[t + 2, i]", "H[t + 1, i]"),
    "H[t + 1, i] = G[t + 1, i] where t in 0..3\nG[t + 1, i] = H[t + 1, i]": ("TL0404", "G[t + 1, i]", "H[t + 1, i]"),
    "H[t + 1, i] = H[t + 1, i] * 2.0 where t in 0..3": ("TL0404", "H[t + 1, i]", "H[t + 1, i]"),
    "H[t + 1, i] = H[t, i] + H[t - 1, i] where t in 0..3": ("TL0404", "H[t - 1, i]", "H[t + 1, i]"),
    "H[t + 1, i] = H[t, i] + Z[t - 1, i] where t in 0..3\nZ[t, i] = H[t, i] * 2.0": ("TL0404", "Z[t - 1, i]", "H[t + 1, i]"),
    "H[t + 2, i] = H[t + 1, i] where t in 0..3": ("TL0404", "H[t + 2, i]"),
    "H[1, i] = A[i]\nH[t + 1, i] = H[t - 1, i] + Z[t, i] where t in 0..3\nZ[t, i] = H[t, i] * 2.0": ("TL0404", "Z[t, i]"),
    "H[t + 1, i] = H[t, i] + Z[t, i]\nZ[t, i] = H[t, i] * 2.0": ("TL0403", "Z[t, i]"),
    "H[t + 1, i] = H[t, i] * x[t] + Z[t]\nZ[t] = H[t, 0] * y[t]": ("TL0401", "t", "Z[t] = H[t, 0] * y[t]"),
    "H[t + 1, i] = G[t, i] where t in 0..3\nlet n = 3\nG[t + 1, i] = H[t, i] where t in 0..3": ("TL0404", "G[t, i]", "G"),
    "let h[i] = A[i]\nh[*t + 1, i] = h[t, i] where t in 0..3": ("TL0404", "t"),
    "let h[i] = A[i]\nh[*t + 2, i] = h[*t, i] where t in 0..3": ("TL0404", "h[*t + 2, i]"),
    "let n = 4\nB[n - 1, i] = A[i]\nB[t + 1, i] = B[t + 2, i]": ("TL0404", "B[t + 1, i]"),
    "D[t + 1, i] = D[t, i] + A[i] where t in 0..3": ("TL0404", "D[t + 1, i]"),
    "H[1, i] = 1 where i in 0..2": ("TL0404", "1", "A[i]"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    head = "let x = ones([3])\nlet y = ones([4])\n" + BEGIN
    found = [d for d in tl.check(head + text + "\n") if d.is_error]
    code, *places = REFUSED[text]
    assert [d.code for d in found] == [code]
    assert found[0].span is not None and [found[0].span.text, *(label.span.text for label in found[0].labels)] == places


@pytest.mark.parametrize(
    "noise",
    [
        "dropout(one[i], 0.5)",
        "rand_like(one)[i]",
        "noise(one)[i]",
        "rand([]).to(float64)",
        "rand_like(Z)[t, i]",
        "dropout(1.0 + Z[t, i], 0.5)",
    ],
)
def test_each_step_draws_its_own_numbers(noise: str) -> None:
    text = f"""
fn noise(x: f64[N]) -> f64[N] {{
    return rand_like(x)
}}
fn walk(Z: f64[T, N], one: f64[N]) -> f64[T + 1, N] {{
    let H[0, i] = one[i]
    H[t + 1, i] = H[t, i] + Z[t, i] + {noise}
    return H
}}
"""
    steps = tl.compile(text).walk(torch.zeros(40, 2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)).diff(dim=0)
    assert len(set(steps[:, 0].tolist())) > 1
