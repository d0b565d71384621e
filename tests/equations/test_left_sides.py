"""Arithmetic, tensors of places and repeated indices on the left of equations."""

import os

import numpy as np
import pytest
import torch

import tensorlogic as tl
from tests.equations.left_sides import LeftCase

CASES = 3000 if os.environ.get("TLC_FULL") else 200
RUN = """
fn bag(Y: f64[V, D], ids: int64[N], X: f64[N, D]) -> f64[V, D] {
    Y[ids[n], d] += X[n, d]
    return Y
}
fn least(Y: f64[V, D], ids: int64[N], X: f64[N, D]) -> f64[V, D] {
    Y[ids[n], d] min= X[n, d]
    return Y
}
fn times(Y: f64[D, V], ids: int64[N], X: f64[N, D]) -> f64[D, V] {
    Y[d, ids[n]] *= X[n, d]
    return Y
}
fn put(Y: f64[V, D], ids: int64[N], X: f64[N, D]) -> f64[V, D] {
    Y[ids[n], d] = X[n, d]
    return Y
}
fn away(Y: f64[V], ids: int64[N], X: f64[N]) -> f64[V] {
    Y[ids[n]] -= X[n]
    Y[ids[n]] /= X[n]
    return Y
}
fn on_diagonal(v: f64[N]) -> f64[N, N] {
    let D[i, i] = v[i]
    return D
}
fn added(A: f64[N, N], v: f64[N]) -> f64[N, N] {
    A[i, i] += v[i]
    return A
}
fn transposed(X: f64[B, C, N], K: f64[C, O, L]) -> f64[B, O, 2 * N + L - 2] where N >= 1, L >= 1 {
    Y[b, o, 2 * x + dx] += X[b, c, x] K[c, o, dx]
    return Y
}
fn upsampled(X: f64[N, M]) -> f64[2 * N - 1, M + 3] {
    let Y[2 * i, j + 3] = X[i, j]
    return Y
}
fn distances(far: f64[V], source: int64[E], target: int64[E], length: f64[E]) -> f64[V] {
    far[target[e]] min= far[source[e]] + length[e]
    return far
}
fn counted(ids: int64[A, B]) -> int64[7] {
    let h[v] = 0 where v in 0..7
    h[ids[a, b]] += 1
    return h
}
"""


@pytest.fixture(scope="module")
def program() -> tl.Program:
    return tl.compile(RUN)


def test_random_left_sides_are_what_python_makes_of_them() -> None:
    for start in range(0, CASES, 100):
        cases = [LeftCase(seed) for seed in range(start, start + 100)]
        program = tl.compile("\n".join(case.function() for case in cases))
        for case in cases:
            given = [torch.from_numpy(np.array(value)) for value in case.arguments().values()]
            np.testing.assert_allclose(program[case.name](*given).numpy(), case.result(), rtol=1e-12, err_msg=case.function())


def test_transposed_convolution(program: tl.Program) -> None:
    X, K = torch.randn(2, 3, 5, dtype=torch.float64), torch.randn(3, 4, 3, dtype=torch.float64)
    torch.testing.assert_close(program.transposed(X, K), torch.nn.functional.conv_transpose1d(X, K, stride=2))


def test_scatter_against_torch(program: tl.Program) -> None:
    Y, ids, X = torch.rand(4, 2, dtype=torch.float64), torch.tensor([3, 0, 3, -1, 1]), torch.rand(5, 2, dtype=torch.float64)
    at = ids % 4
    torch.testing.assert_close(program.bag(Y, ids, X), Y.index_add(0, at, X))
    wide = at[:, None].expand(X.shape)
    torch.testing.assert_close(program.least(Y, ids, X), Y.scatter_reduce(0, wide, X, "amin"))
    torch.testing.assert_close(program.times(Y.T, ids, X), Y.scatter_reduce(0, wide, X, "prod").T)
    torch.testing.assert_close(program.put(Y, ids[:2], X[:2]), Y.index_copy(0, at[:2], X[:2]))
    v = torch.ones(4, dtype=torch.float64)
    less = v.index_add(0, at, X[:, 0], alpha=-1)
    torch.testing.assert_close(program.away(v, ids, X[:, 0]), less / v.scatter_reduce(0, at, X[:, 0], "prod"))
    assert program.counted(torch.tensor([[0, 1], [1, 6]])).tolist() == [1, 2, 0, 0, 0, 0, 1]


def test_diagonals_and_steps(program: tl.Program) -> None:
    v, A = torch.randn(3, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    assert torch.equal(program.on_diagonal(v), torch.diag(v)) and torch.equal(program.added(A, v), A + torch.diag(v))
    wide = torch.zeros(5, 6, dtype=torch.float64)
    wide[::2, 3:] = A
    assert torch.equal(program.upsampled(A), wide)


def test_shortest_ways_are_a_fixpoint(program: tl.Program) -> None:
    far = torch.tensor([0.0, torch.inf, torch.inf, torch.inf], dtype=torch.float64)
    source, target = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 3, 3])
    length = torch.tensor([1.0, 1.0, 1.0, 9.0], dtype=torch.float64)
    assert program.distances(far, source, target, length).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_gradients(program: tl.Program) -> None:
    made = torch.Generator().manual_seed(1)
    Y, X = (torch.rand(*shape, dtype=torch.float64, generator=made, requires_grad=True) for shape in ((4, 2), (3, 2)))
    ids = torch.tensor([3, 0, 3])
    for name in ("bag", "least", "put"):
        at = ids if name != "put" else torch.tensor([3, 0, 1])
        assert torch.autograd.gradcheck(lambda y, x, name=name, at=at: program[name](y, at, x), (Y, X))
    K = torch.rand(2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(program.transposed, (torch.rand(1, 2, 3, dtype=torch.float64, requires_grad=True), K))
    assert torch.autograd.gradcheck(program.on_diagonal, (X[0],))


def test_nothing_to_write(program: tl.Program) -> None:
    none, ids = torch.zeros(0, 2, dtype=torch.float64), torch.zeros(0, dtype=torch.int64)
    Y = torch.rand(4, 2, dtype=torch.float64)
    for name in ("bag", "least", "put"):
        assert torch.equal(program[name](Y, ids, none), Y) and program[name](none, ids, none).shape == (0, 2)
    assert program.on_diagonal(none[:, 0]).shape == (0, 0)


@pytest.mark.parametrize("ids", [[0, 4], [-5, 0]])
def test_places_that_are_not_there(program: tl.Program, ids: list[int]) -> None:
    with pytest.raises(tl.TensorLogicError) as caught:
        program.bag(torch.zeros(4, 1, dtype=torch.float64), torch.tensor(ids), torch.ones(2, 1, dtype=torch.float64))
    found = caught.value.diagnostics[0]
    assert found.code == "TL0310" and found.span is not None and found.span.text == "ids[n]"


REFUSED = {
    "let ids: int64[2] = [0, 1]\nlet Y[ids[n]] = 1.0": ("TL0403", 2),
    "let ids: int64[2] = [0, 1]\nY[ids[n]] += 1.0": ("TL0403", 2),
    "let X = ones([3])\nlet Y[i - 1] = X[i]": ("TL0310", 2),
    "let X = ones([3])\nlet Y[i + j] = X[i]": ("TL0403", 2),
    "let X = ones([3])\nlet Y[i / 2] = X[i]": ("TL0404", 2),
    "let X = ones([3])\nlet Y = ones([3])\nY[X[i]] += 1.0": ("TL0306", 3),
    "let X = ones([3])\nlet Y = ones([3])\nY[i + 1] += X[i]": ("TL0401", 3),
    "let Y = zeros([3])\nlet X = ones([3])\nlet K = ones([2])\nY[x + d] += X[x] K[d]": ("TL0310", 4),
    "let A = ones([2, 3])\nlet y[i, i] = A[i, i]": ("TL0401", 2),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    found = [(d.code, d.span.line if d.span else 0) for d in tl.check(text + "\n") if d.is_error]
    assert found == [REFUSED[text]]
