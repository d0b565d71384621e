"""What people write out of habit, and mistakes with a likely fix: each gets one message, of the right code, whose help says how."""

import pytest

from tensorlogic.driver import analyse
from tensorlogic.source import Source

HEAD = "fn f(x: f32[N, D], y: f32[N, D]) -> f32[N, D] { "

# (program, code, a part of the help or of the message)
CASES = [
    # members and names of PyTorch and Python
    ("let t = ones([2, 3]).T", "TL0202", ".transpose(-2, -1)"),
    ("let t = ones([2, 3]).t()", "TL0202", ".transpose(-2, -1)"),
    ("let t = ones([2]).cuda()", "TL0202", ".to(device: gpu)"),
    ("let t = ones([2]).numpy()", "TL0202", "functions give tensors"),
    ("let t = ones([2]).relu_()", "TL0202", "x = x.relu(...)"),
    ("let t = ones([2])\nt.add_(1.0)", "TL0202", "x += y"),
    ("let xs = [1]\nxs.append(2)", "TL0202", ".push(x)"),
    ("let k = None", "TL0201", "unsqueeze(1)"),
    ("let k = True", "TL0201", "write `true`"),
    ("let m = nn.Linear(2, 3)", "TL0201", "without a prefix"),
    ("let x = F.softmax(ones([2]), dim: 0)", "TL0201", "without a prefix"),
    ("let x = torch.tensor([1.0])", "TL0201", "without a prefix"),
    ("let b = Sequential(1, 2)", "TL0201", "one layer after the other"),
    ("let x = ones([2]).to(\"cuda\")", "TL0306", "names, not text"),
    ("let y = ones([2])[:, None]", "TL0201", "x.unsqueeze(1)"),
    ("let y = torch.nn.functional.relu(ones([2]))", "TL0201", "`relu(...)`"),
    ("let y = np.exp(ones([2]))", "TL0201", "`exp(...)`"),
    ("let y = np.linspace2(ones([2]))", "TL0201", "python import numpy as np"),
    ("let a = ReLU()", "TL0201", "`relu(...)`"),
    ("let a = MSELoss()", "TL0201", "`mse_loss(...)`"),
    ("let a = LogSoftmax()", "TL0201", "`log_softmax(...)`"),
    ("let a = inf", "TL0201", 'float("inf")'),
    ("let a = pi", "TL0201", "3.14159"),
    ("let x = ones([2]).astype(float16)", "TL0202", ".to(float16)"),
    ("let m = Linear(2, 3)\nm.eval()", "TL0202", "`eval(m)`"),
    ("let m = Linear(2, 3)\nfor p in m.parameters() { print(p.shape) }", "TL0202", "`params(m)`"),
    ("let m = Linear(2, 3)\nsgd(m.parameters(), lr: 0.1)", "TL0202", "`params(m)`"),
    ("fn f(x: str) -> int { 3 }", "TL0201", "`string`"),
    ("fn f(x: list[int]) -> int { 3 }", "TL0201", "`[int]`"),
    ("fn f(x: float[N]) -> int { 3 }", "TL0201", "`float32[N]`"),
    ("fn f(x: Tensor[N, D]) -> int { 3 }", "TL0201", "`float32[N, D]`"),
    ("fn f(x: f32[-1, D]) -> int { 3 }", "TL0306", "write `?`"),
    ("fn f(x: float) -> float32 { x }", "TL0306", "`float32[]`"),
    # statements of Python
    ("import torch", "TL0101", "need no import"),
    ("from torch import nn", "TL0101", "need no import"),
    ("@torch.no_grad()\nfn f() -> int { 1 }", "TL0101", "no_grad { ... }"),
    ("with torch.no_grad() { print(1) }", "TL0101", "no_grad { ... }"),
    ("let a = 1 if 3 > 2 else 4", "TL0101", "if c { a } else { b }"),
    ("let a = [i * 2 for i in range(3)]", "TL0101", ".map(|x| x * 2)"),
    ("let a, b = (3, 4)", "TL0101", "let (a, b)"),
    ("let a = 3, 4", "TL0101", "let (a, b)"),
    ("let x = 3\nx **= 2", "TL0101", "x = x ** y"),
    ("for i in range(10):\n    print(i)", "TL0101", "for ... { ... }"),
    ("if 1 > 2 { print(1) } elif 2 > 1 { print(2) }", "TL0101", "else if"),
    ("def f(x):\n    return x", "TL0101", "begins with `fn`"),
    ("let f = lambda x: x", "TL0101", "|x| x * 2"),
    ("raise ValueError(1)", "TL0101", "panic"),
    # an unknown name is told once
    ("fn f(x: f32[N]) -> f32[M] { let y: f32[M] = zeros([M]); print(M + M * M)\n print(M)\n y }", "TL0201", "`?`"),
    ("model M(D: int) { l: Linear(D, K); w: Linear(K, K); param p: f32[K] = ones(); fn forward(x: f32[N, D]) -> f32[N, K] { w(l(x)) } }",
     "TL0201", ""),
    # a variable keeps its type, and what rests on a mistake is silent
    ("fn f(x: f32[B, 6]) -> f32[B, 6] { let h = x\n h = h[:, ::2]\n return h @ ones([6, 6]) }", "TL0301", "let h = ..."),
    ("fn f(g: fn(f32[2, 3]) -> f32[2, 3]) -> int { 1 }\nprint(f(Linear(3, 4)))", "TL0301", ""),
    # models of different types
    ("let ms = [Linear(2, 3), Linear(3, 2)]\nfor i in 0..2 { print(ms[i].bias) }", "TL0306", "for m in models"),
    ("let ms = [Linear(2, 3), Linear(3, 2)]\nfor m in ms { break }", "TL0305", "write `if`"),
    ("model M() { let t = (Linear(2, 2), 3) }", "TL0306", "a field of its own"),
    ("model M() { t: [Linear(2, 2), 3] }", "TL0306", ""),
    # arguments
    ("let x = ones(2, 3)", "TL0306", "`[2, 3]`"),
    ("let x = zeros(3)", "TL0306", "`[3]`"),
    ("let x = ones([6]).view(2, 3)", "TL0307", "`[2, 3]`"),
    ("let x = reshape(ones([6]), 2, 3)", "TL0307", "`[2, 3]`"),
    ("let x = ones([1, 2, 3]).permute(0, 2, 1)", "TL0307", "`[0, 2, 1]`"),
    ("let s = sum(ones([2, 2]), axis: 1)", "TL0202", "did you mean `dim`?"),
    ("let s = sum(ones([2, 2]), keepdims: true)", "TL0202", "did you mean `keepdim`?"),
    ("let s = sum(ones([2, 2]), wrong: 1)", "TL0202", "its parameters are x, dim, keepdim"),
    ("let x = ones([2]).item()", "TL0306", "a tensor with one element"),
    ('let m = load_model("a.gguf", dtype: q8_0)', "TL0305", "`save_model` quantizes"),
    ('save_model(ones([2]), "a.safetensors")', "TL0306", "`param` or `buffer`"),
    ('save_model([1, 2], "a.safetensors")', "TL0306", "`param` or `buffer`"),
    ('struct P { w: float }\nsave_model(P { w: 1.0 }, "a.safetensors")', "TL0306", "`param` or `buffer`"),
    # literals and texts
    ("let x = tensor([[1, 2], [3, 4], [5]])", "TL0306", "row 2 has 1 number, row 0 has 2 numbers"),
    ("let x: f32[2, 2] = [[1.0, 2.0], [3.0]]", "TL0306", "row 1 has 1 number"),
    ("let x = ones([2, 2]) + [[1.0, 2.0], [3.0]]", "TL0306", "row 1 has 1 number"),
    ("let x = tensor([[[1, 2], [3, 4]], [[5, 6], [7]]])", "TL0306", "row 1 has 1 number"),
    ('let s = "a" + 1', "TL0305", "`1 as string`"),
    ('let s = 2.5 + "a"', "TL0305", "`2.5 as string`"),
    ("let f = |x: float| |y| x + y\nprint(f(1.0)(2.0))", "TL0306", "|y: float|"),
    ("let (a, b) = (1, 2, 3)", "TL0307", "`_`"),
    # shapes
    (HEAD + "return x @ y }", "TL0301", "y.transpose(-2, -1)"),
    (HEAD + "return x / sum(x, dim: 1) }", "TL0301", "keepdim: true"),
    (HEAD + "return x / (sum(x, dim: 1) + 1.0) }", "TL0301", "(sum(x, dim: 1) + 1.0).unsqueeze(1)"),
    ("fn f(x: f16[N], y: f32[N]) -> f32[N] { return x + y }", "TL0302", "`x.to(float32)` or `y.to(float16)`"),
    ("fn f(x: f32[N, A, B], w: f32[K, A * B]) -> f32[N, K] { return linear(x, w) }", "TL0301", ""),
    ("fn f(h: f32[N, A, B], w: f32[A * B, K]) -> f32[N, K] { return h @ w }", "TL0301", "h.flatten(1)"),
    ("fn f(x: f32[N, D], w: f32[D, K]) -> f32[N, K] { return linear(x, w) }", "TL0301", "w.transpose(0, 1)"),
    ("fn f(x: f32[N, C], w: f32[M, C]) -> f32[N + M, C] { return cat([x, w], dim: 1) }", "TL0301", "dim: 0"),
    ("fn f(x: f32[B, T, D], wpe: f32[C, D]) -> f32[B, T, D] { return x + wpe[0:T] }", "TL0301", "where T <= C"),
]  # fmt: skip


def told(program: str) -> list:
    return analyse(Source("main.tl", program), {}).diagnostics


@pytest.mark.parametrize(("program", "code", "words"), CASES, ids=[case[0][:40] for case in CASES])
def test_hint(program: str, code: str, words: str) -> None:
    (found,) = told(program)
    assert found.code == code
    assert words in " ".join((found.message, *found.help)), found


def test_an_unknown_name_is_one_mistake_in_a_function() -> None:
    body = "{ let a = zeros([Q])\n let b = zeros([Q])\n return a + b + zeros([Q]) + missing(1) + missing(2) }"
    first, second, third = told(f"fn f(x: f32[N]) -> f32[N] {body}\nfn g(x: f32[N]) -> f32[N] {{ return x + Q }}")
    assert (first.span.line, second.span.line, third.span.line) == (1, 3, 4)
    assert all(found.code == "TL0201" for found in (first, second, third))


def test_no_promise_that_no_size_keeps() -> None:
    """`where S + 1 == S` would be no help."""
    (found,) = told("fn f(k: f32[S + 1, D], v: f32[S, D]) -> f32[S, D] { return k + v }")
    assert found.code == "TL0301" and found.help == ()
    assert found.notes == ("for example S = 2 breaks it: 3 is not 2",)


def test_where_a_size_comes_from() -> None:
    (found,) = told("model Net(K: int) {\n    head: Linear(16, K)\n    fn forward(x: f32[B, 8]) -> f32[B, K] { return head(x) }\n}")
    assert found.code == "TL0301" and "which is 16, found 8" in found.message
    assert {(label.span.line, label.text) for label in found.labels} == {(2, "`head` is Linear(16, K)"), (3, "`x` is float32[B, 8]")}


def test_a_broadcast_by_accident_says_what_it_would_make() -> None:
    (found,) = told("fn f(x: f32[N, 1], y: f32[N]) -> f32[N, N] { return x - y }")
    assert found.code == "TL0303" and found.notes == ("PyTorch would make [N, N] of them",)
    assert found.help == ("give it its missing axis: `y.unsqueeze(1)`",)


def test_requirements_of_builtins_are_not_shown_in_their_text() -> None:
    (found,) = told("fn f(q: f32[B, 32, T, 8], k: f32[B, 6, T, 8]) -> f32[B, 32, T, 8] { return attention(q, k, k) }")
    assert found.code == "TL0311" and {label.span.source.name for label in found.labels} == {"main.tl"}
