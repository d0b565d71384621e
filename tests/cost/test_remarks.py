"""Printed IR with the costs of its products: what the formulas are, and that it reads back to the same text."""

import re
from pathlib import Path

import pytest

from tensorlogic.checker.instances import library_signatures
from tensorlogic.driver import analyse, ir_text
from tensorlogic.ir.text import print_module
from tensorlogic.source import Source
from tests.cost.measured import analysed

ROOT = Path(__file__).resolve().parents[2]
LINES = {
    "fn f(a: f32[N, K], b: f32[K, M]) -> f32[N, M] {\n    let y[n, m] = a[n, k] b[k, m]\n    return y\n}": "2 * K * M * N",
    "fn f(a: f32[B, N, K], b: f32[K, M]) -> f32[B, N, M] { return a @ b }": "2 * B * K * M * N",
    "fn f(a: f32[N, K], b: f32[K]) -> f32[N] { return a @ b }": "2 * K * N",
    "fn f(x: f32[B, C, 8, 8], w: f32[O, C, 3, 3]) -> f32[B, O, 6, 6] { return conv2d(x, w) }": "648 * B * C * O",
    "fn f(q: f32[B, H, T, D], k: f32[B, H, S, D]) -> f32[B, H, T, D] { return attention(q, k, k) }": "4 * B * D * H * S * T",
    'fn f(a: f32[N, K], b: f32[M, K], c: f32[M]) -> f32[N] { return einsum("nk,mk,m->n", a, b, c) }': "2 * K * M * N + 2 * M * N",
    "fn f(x: f32[...B, I], w: f32[O, I]) -> f32[...B, O] { return linear(x, w) }": "2 * ...B * I * O",
}


def remarks(text: str) -> list[str]:
    return re.findall(r"    // (.*) flop$", ir_text(analysed(text)), re.MULTILINE)


@pytest.mark.parametrize("program", LINES)
def test_products(program: str) -> None:
    assert remarks(program) == [LINES[program]]


def test_only_products_are_remarked() -> None:
    assert remarks("fn f(x: f32[N]) -> f32[N] {\n    let y[i, j] = x[i] * x[j]\n    return relu(x + x) * sum(y)\n}") == []


def test_a_scan_takes_all_its_steps() -> None:
    text = "fn f(W: f32[H, H], X: f32[T, H]) -> f32[T + 1, H] {\n    S[0, i] = X[0, i]\n    S[t + 1, i] = tanh(W[i, j] S[t, j] + X[t, i])\n"
    assert remarks(text + "    return S\n}") == ["2 * H^2", "2 * H^2 * T"]


def test_sizes_that_nobody_knows_give_no_formula() -> None:
    text = "fn f(x: f32[N], keep: bool[N]) -> f32[] {\n    let y = masked_select(x, keep)\n    return y @ y\n}"
    assert remarks(text) == []


@pytest.mark.parametrize("path", [*(ROOT / "examples").glob("*.tl"), *(ROOT / "examples" / "lib").glob("*.tl")], ids=lambda path: path.stem)
def test_costs_are_comments(path: Path) -> None:
    """What is printed with them is what is printed without, and reads back as that does."""
    found = analyse(Source(str(path), path.read_text()))
    told, plain = ir_text(found), print_module(found.checked(), library_signatures)
    assert re.sub("    // .* flop$", "", told, flags=re.MULTILINE) == plain
    again, bare = (analyse(Source(str(path), text)) for text in (told, plain))
    assert [d.code for d in again.diagnostics] == [d.code for d in bare.diagnostics]
    if not bare.problems.errors:
        assert print_module(again.checked(), library_signatures) == print_module(bare.checked(), library_signatures)
