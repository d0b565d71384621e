"""Formulas: with numbers put in they are what the numbers give from the start; what nobody knows has a name or a remark."""

import pytest
from hypothesis import given, settings, strategies as st

from tensorlogic.cost.describe import describe
from tensorlogic.cost.formula import covers, foremost, leading, readable, worked_out
from tensorlogic.types.dims import ZERO, Dim
from tests.cost.measured import analysed, described

A, B, C = map(Dim.sym, "ABC")

PROGRAMS = {
    "products": "fn f(x: f32[N, K], w: f32[K, M], b: f32[M]) -> f32[N, M] {\n"
    "    return relu(x @ w + b).softmax(dim: -1) @ w.transpose(0, 1) @ w\n}",
    "attention": "fn f(q: f32[N, H, K, D], k: f32[N, H, M, D]) -> f32[N, H, K, D] { return attention(q, k, k, causal: false) }",
    "convolution": "fn f(x: f32[N, K, H, M], w: f32[D, K, 3, 3]) -> f32[N, D, H, M] { return conv2d(x, w, padding: 1) }",
    "einsum": 'fn f(x: f32[N, K, H], y: f32[H, M], z: f32[M, D]) -> f32[N, D, K] { return einsum("nkh,hm,md->ndk", x, y, z) }',
    "loops": "fn f(x: f32[K, K], N: int) -> f32[K, K] {\n    let y = x\n    for i in 0..N { y = tanh(y @ x) }\n    return y\n}",
    "scan": "fn f(W: f32[H, H], X: f32[N, H]) -> f32[N + 1, H] {\n    S[0, i] = X[0, i]\n"
    "    S[t + 1, i] = tanh(W[i, j] S[t, j] + X[t, i])\n    return S\n}",
    "scans": "fn f(W: f32[H, H], X: f32[N, H]) -> f32[N + 1, H] {\n    A[0, i] = X[0, i]\n    B[0, i] = X[0, i]\n"
    "    A[t + 1, i] = tanh(W[i, j] B[t, j] + X[t, i])\n    B[t + 1, i] = tanh(W[i, j] A[t, j])\n    return A\n}",
    "calls": "fn g(x: f32[...B, K], w: f32[M, K]) -> f32[...B, M] { return linear(x, w) }\n"
    "fn f(x: f32[N, H, K], w: f32[M, K]) -> f32[N, H, M] { return g(g(x, w) @ w, w) }",
    "model": "model L(D: int, K: int) {\n    layers: [Linear(D, D); K]\n    fn forward(x: f32[N, D]) -> f32[N, D] {\n"
    "        for layer in layers { x = relu(layer(x)) }\n        return x\n    }\n}",
}
NAMES = "NKMHD"


@pytest.mark.parametrize("name", PROGRAMS)
@given(st.tuples(*(st.integers(2, 9) for _ in NAMES)))
@settings(max_examples=12)
def test_numbers_put_in_later_give_the_same(name: str, numbers: tuple[int, ...]) -> None:
    module, sizes = analysed(PROGRAMS[name]).checked(), dict(zip(NAMES, numbers, strict=True))
    for formula, number in zip(describe(module), describe(module, sizes), strict=True):
        assert formula.work is not None and number.work is not None
        known = {size: sizes[size] for size in formula.sizes if size in sizes} | {"...B": 1}
        for field in ("products", "others", "moved"):
            assert_same(getattr(formula.work.totals, field), getattr(number.work.totals, field), known)
        assert_same(formula.work.kept, number.work.kept, known)
        if "B" not in formula.sizes:
            peaks = [peak.evaluate(known) for peak in formula.work.peaks]
            assert max(peaks) == max(peak.value or 0 for peak in number.work.peaks)


def assert_same(formula: Dim, number: Dim, sizes: dict[str, int]) -> None:
    put_in = formula.substitute({name: Dim.const(value) for name, value in sizes.items()})
    assert put_in == number.substitute({name: Dim.const(value) for name, value in sizes.items()})


def test_a_run_of_sizes_is_their_product() -> None:
    item = described(PROGRAMS["calls"], "g")
    assert item.work is not None and readable(item.work.totals.products) == "2 * ...B * K * M"
    known = described(PROGRAMS["calls"], "g", {"B": 6, "K": 2, "M": 3})
    assert known.work is not None and known.work.totals.products.value == 2 * 6 * 2 * 3


def test_loops_that_nobody_knows_have_a_name() -> None:
    text = "fn f(x: f32[N]) -> f32[N] {\n    let y = x\n    while y[0] < 1.0 { y = y + x }\n    return y\n}"
    item = described(text, "f")
    assert item.work is not None and dict(item.factors) == {"loop_3": "how often the loop of line 3 runs"}
    assert "loop_3" in readable(item.work.totals.others)
    known = described(text, "f", {"loop_3": 10, "N": 4})
    assert known.work is not None and known.work.totals.others.value == 10 * (4 + 1)


def test_what_nobody_knows_is_told() -> None:
    text = "fn f(n: int) -> int {\n    if n < 2 { return 1 }\n    return f(n - 1)\n}"
    assert [remark.text for remark in described(text, "f").remarks] == ["`f` calls itself: what the calls inside cost is not counted"]
    ends = "fn g(x: f32[N], n: int) -> f32[N] { return if n == 0 { x } else { g(x + x, n - 1) } }\n"
    work = described(f"{ends}fn f(x: f32[N]) -> f32[N] {{ return g(x, 5) }}", "f").work
    assert work is not None and readable(work.totals.others) == "5 * N"
    text = "fn f(x: f32[4, 4, 4]) -> int {\n    let cores = tt_svd(x, ranks: [2, 2])\n    return len(cores)\n}"
    assert [remark.span.line for remark in described(text, "f").remarks if remark.span] == [2]


def test_models_as_parameters_are_followed() -> None:
    text = "model W(inner: Linear(2, 3)) {\n    fn forward(x: f32[N, 2]) -> f32[N, 3] { return inner(x) }\n}\n"
    work = described(text, "W.forward").work
    assert work is not None and readable(work.totals.products) == "12 * N"
    text = "fn f(m: Linear(2, 3), x: f32[N, 2]) -> f32[N, 3] { return m(x) }"
    work = described(text, "f").work
    assert work is not None and readable(work.totals.products) == "12 * N"


def test_lists_of_tensors() -> None:
    text = "fn f(q: f32[N, 6, 8]) -> f32[N, 6, 4] {\n    let (a, b) = chunk(q, 2, dim: -1).map(|y| relu(y))\n    return a * b\n}"
    work = described(text, "f").work
    assert work is not None and readable(work.totals.others) == "72 * N" and readable(work.kept) == "192 * N"
    text = "fn f(x: f32[N, D]) -> f32[D] {\n    let s = zeros([D])\n    for row in x { s = s + row }\n    return s\n}"
    work = described(text, "f").work
    assert work is not None and readable(work.totals.others) == "D * N"


def test_the_dearer_branch_counts() -> None:
    text = "fn f(x: f32[N, N], deep: bool) -> f32[N, N] { return if deep { x @ x @ x } else { x @ x } }"
    work = described(text, "f").work
    assert work is not None and readable(work.totals.products) == "4 * N^3"
    text = "fn f(x: f32[N, N], deep: bool) -> f32[N, N] {\n    if deep { return x + x }\n    return x @ x\n}"
    work = described(text, "f").work
    assert work is not None and readable(work.totals.products) == "2 * N^3" and readable(work.totals.others) == "N^2"


def test_no_gradient_keeps_nothing() -> None:
    text = "fn f(x: f32[N]) -> f32[N] {\n    let y = x\n    no_grad { y = exp(exp(x)) }\n    return y\n}"
    work = described(text, "f").work
    assert work is not None and work.kept == ZERO
    text = "fn g(x: f32[N]) -> f32[N] { return exp(exp(exp(x))) }\nfn f(x: f32[N]) -> f32[N] { return gradient_checkpoint(g, exp(x)) }"
    work = described(text, "f").work
    assert work is not None and readable(work.kept) == "4 * N"


def test_deep_programs_end() -> None:
    calls = "\n".join(f"fn f{i}(x: f32[N]) -> f32[N] {{ return f{i + 1}(f{i + 1}(x)) }}" for i in range(60))
    work = described(f"{calls}\nfn f60(x: f32[N]) -> f32[N] {{ return x + x }}", "f0").work
    assert work is not None and work.totals.others == Dim.sym("N") * 2**60
    calls = "\n".join(f"fn f{i}(x: f32[N]) -> f32[N] {{ return f{i + 1}(x) }}" for i in range(200))
    item = described(f"{calls}\nfn f200(x: f32[N]) -> f32[N] {{ return x }}", "f0")
    assert item.work is None and "nest" in item.problem
    loops = "".join(f"for i{n} in 0..2 {{ " for n in range(30)) + "y = y + x" + " }" * 30
    work = described(f"fn f(x: f32[N]) -> f32[N] {{\n    let y = x\n    {loops}\n    return y\n}}", "f").work
    assert work is not None and work.totals.others == Dim.sym("N") * 2**30


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_formulas_of_declarations() -> None:
    def size(name: str) -> Dim:
        return Dim.sym(name)

    assert worked_out("2 * A * (B + C) // 3", size, size) == (A * (B + C) * 2).floor_div(3)
    assert worked_out("last(A) - 1", size, lambda name: B) == B - 1
    for wrong in ("A ** 2", "f(A)", "'x'"):
        with pytest.raises((ValueError, KeyError)):
            worked_out(wrong, size, size)


def test_what_covers_what() -> None:
    assert covers(A * B + B, B) and not covers(A, B) and not covers(B, A * B) and covers(A, A)
    assert foremost((A, A + B, C)) == (A + B, C)
    assert leading((A * B, A * 8, C)) == (A * B, C)


def test_formulas_read_well() -> None:
    assert readable(A * A * B * 12 - C * 3 + 20_000) == "12 * A^2 * B + 20,000 - 3 * C"
    assert readable(ZERO) == "0" and readable(-A) == "0 - A"
