"""What is written between the parts of a pattern, and what the passes leave: the value and gradients of the program as it was written."""

import pytest
import torch

import tensorlogic as tl
from tensorlogic import driver
from tensorlogic.ir.ir import Module
from tensorlogic.ir.verify import verify
from tensorlogic.passes import all as passes

N, K = 3, 4

# Each reads `x` when the first part is worked out, and writes it before the last part.
WRITTEN = {
    "a softmax": "let p = softmax(x, 0)\nx = x * 3.0\nlet y = log(p)",
    "exponentials": "let e = exp(x)\nx = x * 3.0\nlet y = log(sum(e, 1))",
    "a sum over three axes": "let s[i, j, k] = x[i, j] + B[j, k]\nx = x * 3.0\nlet y[i, k] = logsumexp[j](s[i, j, k])",
    "weights of a linear map": "let h[i, o] = V[i, j] x[o, j]\nx = x * 3.0\nlet y = h + b",
    "a mask of attention": "let s = V @ V.permute([1, 0]) + x @ x.permute([1, 0])\nx = x * 3.0\nlet y = softmax(s, -1) @ V",
    "keys": "let t = x.permute([1, 0])\nx = x * 3.0\nlet y = softmax(V @ t, -1) @ V",
    "a scale": "let c = a\nlet s = (V @ x.permute([1, 0])) * c\nc = 3.0\nx = x * c\nlet y = softmax(s, -1) @ V",
    "probabilities": "let L[i, k.] = log_softmax(V[i, k])\nlet l[i] = x[i, k] L[i, k]\nx = x * 3.0\nlet y = mean(l)",
    "in a loop": "let y = sum(x) * 0.0\nfor i in 0..3 {\nlet e = exp(x)\nx = x + 1.0\ny = y + log(sum(e))\n}",
}
PARAMETERS = "first: f64[N, K], V: f64[N, K], B: f64[K, N], b: f64[N], a: float"

# As it is written, this is no pattern, or one with more to it.
SAME = {
    "keepdim that is known when it runs": ("x: f64[N, K], keep: bool", "let y = log(sum(exp(x), 0, keep))", (torch.rand(N, K), True)),
    "a class from the end": (
        "x: f64[N, K], c: int64[N]", "let L[i, k.] = log_softmax(x[i, k])\nlet y[i] = -L[i, c[i]]",
        (torch.rand(N, K), torch.tensor([-1, 0, -K])),
    ),
    "a lambda that reads a part": (
        "x: f64[N, K]", "let p = softmax(x, 0)\nlet g = |z| z + p\nlet y = g(log(p))", (torch.rand(N, K),),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def each_pass_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PASSES", tuple(lambda module, change=change: verify(change(module)) for change in passes.PASSES))


def outcome(text: str, given: list) -> list[torch.Tensor]:
    value = tl.compile(text).f(*given)
    learned = [tensor for tensor in given if isinstance(tensor, torch.Tensor) and tensor.requires_grad]
    return [value, *torch.autograd.grad((value * torch.linspace(1, 2, value.shape[-1]) if value.dim() else value).sum(), learned)]


def as_written(text: str, given: list, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    def unchanged(module: Module) -> Module:
        return module

    with monkeypatch.context() as patch:
        patch.setattr(driver, "optimized", unchanged)
        return outcome(text, given)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_between_is_not_read_late(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"fn f({PARAMETERS}) -> Tensor {{\nlet x = first\n{WRITTEN[name]}\nreturn y + sum(x) + sum(b) + sum(B) + sum(V)\n}}\n"
    torch.manual_seed(4)
    given = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((N, K), (N, K), (K, N), (N,))]
    for got, wanted in zip(outcome(text, [*given, 0.7]), as_written(text, [*given, 0.7], monkeypatch), strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("name", SAME)
def test_the_same_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters, equations, values = SAME[name]
    text = f"fn f({parameters}) -> Tensor {{\n{equations}\nreturn y\n}}\n"
    given = [values[0].double().requires_grad_(), *values[1:]]
    for got, wanted in zip(outcome(text, given), as_written(text, given, monkeypatch), strict=True):
        torch.testing.assert_close(got, wanted)


def test_a_buffer_that_is_written_between_is_not_read_late() -> None:
    model = tl.compile("""
model M(D: int) {
    buffer w: f64[D, D] = ones()
    fn forward(x: f64[N, D], b: f64[D]) -> f64[N, D] {
        let h[n, i] = x[n, j] w[i, j]
        grow()
        return h + b
    }
    fn grow() { w = w * 3.0 }
}
""").M(2)
    torch.testing.assert_close(model(torch.ones(1, 2).double(), torch.zeros(2).double()), torch.full((1, 2), 2.0).double())
