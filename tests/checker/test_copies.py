"""Variables are values: which of them become copies of what is written in place, and what they hold when it was."""

from pathlib import Path

import pytest

from tensorlogic.driver import analyse, load
from tensorlogic.ir.rewrite import operations
from tensorlogic.source import Source
from tests.ir.test_text import printed

MODELS = Path(__file__).resolve().parents[1] / "models" / "programs"
NOT_SAID = {"members"}  # a list of the shapes of several layers, as a tensor
HEAD = """
model Net(D: int) {
    param w: f32[D, D] = ones()
    seen: BatchNorm1d(D)
    buffer count: f32[] = zeros()
    fn forward(x: f32[N, D]) -> f32[N, D] { return x @ w }
    fn tick() -> f32[] {
        count = count + 1.0
        return count * 1.0
    }
    fn rows() -> f32[D, D] { return w }
}
fn first(x: f32[N, D]) -> f32[D] { return x[0] }
fn double(x: f32[N]) -> f32[N] { return x * 2.0 }
fn train(m: Net(2)) -> f32[] {
    learn {
        objective: sum(m.w)
        optimizer: sgd(lr: 1.0)
        steps: 1
    }
    return sum(m.w)
}
fn through(m: Net(2)) -> f32[] { return train(m) }
param E: f32[2, 2] = ones()
let m = Net(2)
let x: f32[2, 2] = ones([2, 2])
"""
LEARN = "learn {\n    objective: sum(E) + sum(m.w)\n    optimizer: sgd(lr: 1.0)\n    steps: 1\n}\n"

# statements, and how many copies they take
NONE = {
    "read before": f"let a = E[0]\nprint(a)\n{LEARN}",
    "never written": "let a = E\nlet b = [m.w]\nlet c = m.w.transpose(0, 1)\nlet d = (c, a)\nmain { print(a, b, d) }\n",
    "all in the step": LEARN.replace("{\n", "{\n    let t = m.w.transpose(0, 1)\n    let y = x @ t\n    print(y)\n", 1),
    "made fresh": f"let a = E[0] * 2.0\nlet b = double(E[0])\nlet c = E[[1, 0]]\n{LEARN}print(a, b, c)\n",
    "given on, read before": f"let a = first(E)\nlet b = a * 1.0\n{LEARN}print(b)\n",
    "each turn its own": f"for i in 0..2 {{\n    let a = E[i]\n    print(a)\n    {LEARN}}}\n",
    "called, nothing written": "let f = |i| E[i]\nlet a = f(0)\nlet b = m(x)\nlet c = E[0]\nprint(f(1), a, b, c)\n",
    "one of two": f"let a = if sum(x) > 1.0 {{ E[0] }} else {{ m.w[0] }}\nprint(a)\n{LEARN}",
}
ONE = {
    "read after": f"let a = E[0]\n{LEARN}assert_close(a, [1.0, 1.0])\n",
    "in main": f"let a = E[0]\n{LEARN}main {{ assert_close(a, [1.0, 1.0]) }}\n",
    "in a test": f'let a = E[0]\n{LEARN}test "it" {{ assert_close(a, [1.0, 1.0]) }}\n',
    "seen otherwise": f"let a = E[0]\nlet b = a.reshape([2, 1])\n{LEARN}assert_close(b, [[1.0], [1.0]])\n",
    "in a list": f"let a = E[0]\nlet b = [a]\nlet c = (b, 1)\n{LEARN}assert_close(c.0[0], [1.0, 1.0])\n",
    "in a lambda": f"let a = E[0]\nlet f = || a * 1.0\n{LEARN}assert_close(f(), [1.0, 1.0])\n",
    "given on": f"let a = first(E)\n{LEARN}assert_close(a, [1.0, 1.0])\n",
    "given on by a variable": f"let a = E[0:1]\nlet b = a.reshape([2])\nlet c = b\n{LEARN}assert_close(c, [1.0, 1.0])\n",
    "of a lambda": f"let f = |i| E[i]\nlet a = f(0)\n{LEARN}assert_close(a, [1.0, 1.0])\n",
    "of a map": f"let a = [0, 1].map(|i| E[i])\n{LEARN}assert_close(a[1], [1.0, 1.0])\n",
    "by a call": "let a = m.w[0]\nlet b = through(m)\nassert_close(a, [1.0, 1.0])\n",
    "by a method": "let a = m.count.reshape([1])\nlet b = m.tick()\nassert_close(a, [0.0])\n",
    "by a layer": "let a = m.seen.running_mean[0:1]\nlet b = m.seen(x)\nassert_close(a, [0.0])\n",
    "later in the loop": f"let a = E[0]\nfor i in 0..2 {{\n    assert_close(a, [1.0, 1.0])\n    {LEARN}}}\n",
    "assigned": f"let a = zeros([2])\na = E[0]\n{LEARN}assert_close(a, [1.0, 1.0])\n",
    "pushed": f"let a = [zeros([2])]\na.push(E[0])\n{LEARN}assert_close(a[1], [1.0, 1.0])\n",
    "by hand": "let a = E[0]\nno_grad { E = E * 3.0 }\nassert_close(a, [1.0, 1.0])\nassert_close(E[0], [3.0, 3.0])\n",
}


def copies(text: str) -> int:
    return sum("implied" in op.attrs for op in operations(analyse(Source("copies.tl", text)).checked()))


@pytest.mark.parametrize("name", [*NONE, *ONE])
def test_copies(name: str) -> None:
    """Only those that are needed; read back from its IR the program is the same, and right."""
    text = HEAD + (NONE | ONE)[name]
    assert copies(text) - copies(HEAD) == (name in ONE)
    once = printed(text)
    assert once is not None and printed(once) == once
    for program in (text, once):
        loaded = load(analyse(Source("copies.tl", program)))
        loaded.run()
        for _, test in loaded.generated.tests:
            loaded.call(test)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.tl")), ids=lambda path: path.stem)
def test_models_read_back(path: Path) -> None:
    once = printed(path.read_text(encoding="utf-8"), str(path))
    if once is not None and path.stem not in NOT_SAID:
        assert printed(once, str(path)) == once


def test_values_read_back_are_right() -> None:
    once = printed((MODELS / "values.tl").read_text(encoding="utf-8"))
    assert once is not None
    load(analyse(Source("values.tl", once))).run()


def test_an_optimizer_of_the_ir_moves_the_same_tensors() -> None:
    once = printed(HEAD + "let o = sgd([m.w, E], 0.5)\nsum(m.w + E).backward()\no.step()\nassert_close(E, [[0.5, 0.5], [0.5, 0.5]])\n")
    assert once is not None and "sgd([m.w, E], 0.5)" in once
    load(analyse(Source("optimizer.tl", once))).run()
