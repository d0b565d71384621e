"""Cross entropy and logarithms of sums in many spellings: the stable operation, with the value and gradients of PyTorch's."""

import pytest
import torch
from torch.nn.functional import cross_entropy

import tensorlogic as tl

B, T, K = 5, 3, 7
Z2, Z3 = torch.randn(B, K, dtype=torch.float64), torch.randn(B, T, K, dtype=torch.float64)
Y2, Y3 = torch.softmax(torch.randn(B, K, dtype=torch.float64), -1), torch.softmax(torch.randn(B, T, K, dtype=torch.float64), -1)
y1, y2 = torch.randint(0, K, (B,)), torch.randint(0, K, (B, T))
ROWS, MANY = "Z: f64[B, K], Y: f64[B, K], y: int64[B]", "Z: f64[B, T, K], Y: f64[B, T, K], y: int64[B, T]"

# Name: (parameters, result, equations, the same of torch).
SPELLINGS = {
    "sum of probabilities": (ROWS, "", "let l = -(Y[b, k] * log(softmax[k](Z[b, k])))", lambda z: cross_entropy(z, Y2, reduction="sum")),
    "two equations": (
        ROWS, "", "let P[b, k.] = softmax(Z[b, k])\nlet l = -(Y[b, k] * log(P[b, k])) / B", lambda z: cross_entropy(z, Y2),
    ),
    "each row": (ROWS, "B", "let l[b] = -(log_softmax[k](Z[b, k]) Y[b, k])", lambda z: cross_entropy(z, Y2, reduction="none")),
    "mean of rows": (ROWS, "", "let l = mean[b](-(sum[k](Y[b, k] log_softmax[k](Z[b, k]))))", lambda z: cross_entropy(z, Y2)),
    "without a sign": (ROWS, "", "let l = Y[b, k] log_softmax[k](Z[b, k])", lambda z: -cross_entropy(z, Y2, reduction="sum")),
    "classes in the middle": (
        MANY.replace("T, K", "K, T"), "B, T", "let l[b, t] = -(Y[b, k, t] log_softmax[k](Z[b, k, t]))",
        lambda z: cross_entropy(z.mT.reshape(-1, K), Y3.reshape(-1, K), reduction="none").reshape(B, T),
    ),
    "classes by number": (
        ROWS, "B", "let L[b, k] = log_softmax[k](Z[b, k])\nlet l[b] = -L[b, y[b]]", lambda z: cross_entropy(z, y1, reduction="none"),
    ),
    "their sum": (ROWS, "", "let L[b, k.] = log_softmax(Z[b, k])\nlet l = -L[b, y[b]]", lambda z: cross_entropy(z, y1, reduction="sum")),
    "their mean": (ROWS, "", "let L[b, k.] = log_softmax(Z[b, k])\nlet l = -mean[b](L[b, y[b]])", lambda z: cross_entropy(z, y1)),
    "a log of a softmax by number": (
        ROWS, "", "let P[b, k.] = softmax(Z[b, k])\nlet L[b, k] = log(P[b, k])\nlet l = mean[b](-L[b, y[b]])",
        lambda z: cross_entropy(z, y1),
    ),
    "a mean over two axes": (
        MANY, "", "let L[b, t, k.] = log_softmax(Z[b, t, k])\nlet l = mean[b, t](-L[b, t, y[b, t]])",
        lambda z: cross_entropy(z.reshape(-1, K), y2.reshape(-1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_cross_entropy(name: str) -> None:
    parameters, shape, equations, theirs = SPELLINGS[name]
    program = tl.compile(f"fn f({parameters}) -> f64[{shape}] {{\n{equations}\nreturn l\n}}\n")
    assert "cross_entropy(" in program.python and "softmax(" not in program.python and "torch.log(" not in program.python, program.python
    wide = parameters != ROWS
    turned = wide and "K, T" in parameters
    logits, targets = (Z3.mT, Y3.mT) if turned else (Z3, Y3) if wide else (Z2, Y2)
    logits = logits.contiguous().requires_grad_()
    ours, wanted = program.f(logits, targets, y2 if wide else y1), theirs(logits)
    torch.testing.assert_close(ours, wanted)
    grads = [
        torch.autograd.grad((value * torch.linspace(1, 2, value.numel()).reshape(value.shape)).sum(), logits) for value in (ours, wanted)
    ]
    torch.testing.assert_close(*grads)


def test_large_logits_lose_nothing() -> None:
    program = tl.compile("""
fn loss(Z: f32[B, K], Y: f32[B, K]) -> f32[] {
    let l = -(Y[b, k] * log(softmax[k](Z[b, k])))
    return l
}
fn total(Z: f32[B, K]) -> f32[B] {
    let l[b] = log(exp(Z[b, k]))
    return l
}
fn both(Z: f32[B, K]) -> f32[] {
    let l = log(sum[b, k](exp(Z[b, k])))
    return l
}
""")
    Z = torch.tensor([[300.0, 0.0, -300.0]])
    torch.testing.assert_close(program.loss(Z, torch.full((1, 3), 1 / 3)), torch.tensor(300.0))
    assert "log_softmax" not in program.python and program.python.count("torch.logsumexp(") == 1
    torch.testing.assert_close(program.both(Z), torch.tensor(300.0))
    torch.testing.assert_close(program.total(torch.ones(2, 3)), torch.full((2,), 3.0))


LEFT = {
    "logarithms read again": "let L[b, k.] = log_softmax(Z[b, k])\nlet l = -(Y[b, k] L[b, k]) + L[0, 0]",
    "probabilities of other rows": "let L[b, k.] = log_softmax(Z[b, k])\nlet l = -(Y[b, k] L[0, k])",
    "a sum over the rows only": "let L[b, k.] = log_softmax(Z[b, k])\nlet r[k] = -(Y[b, k] L[b, k])\nlet l = r[0]",
    "shifted rows": "let L[b, k.] = log_softmax(Z[b, k])\nlet l = -L[b + 1, y[b]]",
    "softmax over the rows": "let L[b., k] = log_softmax(Z[b, k])\nlet l = -L[b, y[b]]",
}


@pytest.mark.parametrize("name", LEFT)
def test_left_as_it_is(name: str) -> None:
    program = tl.compile(f"fn f({ROWS}) -> f64[] {{\n{LEFT[name]}\nreturn l\n}}\n")
    assert "cross_entropy(" not in program.python
