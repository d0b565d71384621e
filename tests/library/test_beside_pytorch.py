"""Every standard layer beside PyTorch's own, with every option: first values, values, gradients, buffers and names, in both modes, as the
compiler runs it and as `tlc build` writes it."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

import tensorlogic as tl
from tensorlogic import driver
from tensorlogic.source import Source
from tensorlogic.stdlib.layers import LAYERS

IDS = torch.tensor([[3, 0, 9], [1, 3, 3]])


class First(nn.Module):
    """A module of PyTorch's that gives more than its first result, or that attends to what it gets."""

    def __init__(self, inner: nn.Module, times: int = 1, **options) -> None:
        super().__init__()
        self.inner, self.times, self.options = inner, times, options

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(*[x] * self.times, **self.options)[0]


def recurrent(kind: type, *sizes: int, **options) -> First:
    return First(kind(*sizes, batch_first=True, **options))


def attention(D: int, H: int, **options) -> First:
    return First(nn.MultiheadAttention(D, H, batch_first=True, **options), 3, need_weights=False)


def encoder(*sizes: int | float, **options) -> nn.Module:
    return nn.TransformerEncoderLayer(*sizes, batch_first=True, **options)  # type: ignore[arg-type]


# The layer as a program makes it, PyTorch's, and the shape of its argument (None for ids).
ROWS: list[tuple[str, Callable[[], nn.Module], tuple[int, ...] | None]] = [
    ("Linear(4, 6)", lambda: nn.Linear(4, 6), (2, 3, 4)),
    ("Linear(I: 4, O: 6, bias: false)", lambda: nn.Linear(4, 6, bias=False), (4,)),
    ("Embedding(10, 6)", lambda: nn.Embedding(10, 6), None),
    ("Embedding(10, 6, padding_idx: 3)", lambda: nn.Embedding(10, 6, 3), None),
    ("LayerNorm(6)", lambda: nn.LayerNorm(6), (2, 3, 6)),
    ("LayerNorm(6, eps: 0.1, bias: false)", lambda: nn.LayerNorm(6, 0.1, bias=False), (2, 6)),
    ("RMSNorm(6)", lambda: nn.RMSNorm(6, 1e-6), (2, 3, 6)),
    ("RMSNorm(6, eps: 0.1)", lambda: nn.RMSNorm(6, 0.1), (6,)),
    ("GroupNorm(2, 6)", lambda: nn.GroupNorm(2, 6), (2, 6)),
    ("GroupNorm(3, 6, eps: 0.1)", lambda: nn.GroupNorm(3, 6, 0.1), (2, 6, 3, 4)),
    ("BatchNorm1d(6)", lambda: nn.BatchNorm1d(6), (4, 6)),
    ("BatchNorm1d(6, eps: 0.1, momentum: 0.3)", lambda: nn.BatchNorm1d(6, 0.1, 0.3), (4, 6, 5)),
    ("BatchNorm2d(6)", lambda: nn.BatchNorm2d(6), (4, 6, 3, 2)),
    ("BatchNorm2d(6, eps: 0.1, momentum: 0.3)", lambda: nn.BatchNorm2d(6, 0.1, 0.3), (4, 6, 3, 2)),
    ("Dropout()", lambda: nn.Dropout(), (3, 7)),
    ("Dropout(p: 0.2)", lambda: nn.Dropout(0.2), (3, 7, 2)),
    ("Conv1d(4, 6, 3)", lambda: nn.Conv1d(4, 6, 3), (2, 4, 9)),
    (
        "Conv1d(4, 6, 3, stride: 2, padding: 1, dilation: 2, groups: 2, bias: false)",
        lambda: nn.Conv1d(4, 6, 3, 2, 1, 2, 2, False),
        (2, 4, 9),
    ),
    ("Conv2d(4, 6, 3)", lambda: nn.Conv2d(4, 6, 3), (2, 4, 9, 7)),
    (
        "Conv2d(4, 8, 2, stride: 2, padding: 1, dilation: 2, groups: 4, bias: false)",
        lambda: nn.Conv2d(4, 8, 2, 2, 1, 2, 4, False),
        (4, 9, 7),
    ),
    ("MaxPool1d(3)", lambda: nn.MaxPool1d(3), (2, 3, 10)),
    ("MaxPool1d(3, stride: 1, padding: 1, dilation: 2)", lambda: nn.MaxPool1d(3, 1, 1, 2), (2, 3, 10)),
    ("MaxPool2d(2)", lambda: nn.MaxPool2d(2), (2, 3, 9, 8)),
    ("MaxPool2d(3, stride: 1, padding: 1, dilation: 2)", lambda: nn.MaxPool2d(3, 1, 1, 2), (2, 3, 9, 8)),
    ("AvgPool1d(2, padding: 1)", lambda: nn.AvgPool1d(2, padding=1), (2, 3, 9)),
    ("AvgPool1d(3, stride: 2, padding: 1, count_include_pad: false)", lambda: nn.AvgPool1d(3, 2, 1, count_include_pad=False), (2, 3, 9)),
    ("AvgPool2d(2)", lambda: nn.AvgPool2d(2), (2, 3, 9, 8)),
    ("AvgPool2d(3, stride: 2, padding: 1, count_include_pad: false)", lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 3, 9, 8)),
    ("AdaptiveAvgPool2d(3)", lambda: nn.AdaptiveAvgPool2d(3), (2, 3, 7, 5)),
    ("AdaptiveAvgPool2d([2, 3])", lambda: nn.AdaptiveAvgPool2d((2, 3)), (2, 3, 7, 5)),
    ("RNN(4, 6)", lambda: recurrent(nn.RNN, 4, 6), (2, 5, 4)),
    (
        'RNN(4, 6, num_layers: 2, bidirectional: true, dropout: 0.5, nonlinearity: "relu", bias: false)',
        lambda: recurrent(nn.RNN, 4, 6, num_layers=2, bidirectional=True, dropout=0.5, nonlinearity="relu", bias=False),
        (2, 5, 4),
    ),
    ("LSTM(4, 6)", lambda: recurrent(nn.LSTM, 4, 6), (2, 5, 4)),
    (
        "LSTM(4, 6, num_layers: 2, bidirectional: true, dropout: 0.5, bias: false)",
        lambda: recurrent(nn.LSTM, 4, 6, num_layers=2, bidirectional=True, dropout=0.5, bias=False),
        (2, 5, 4),
    ),
    ("GRU(4, 6)", lambda: recurrent(nn.GRU, 4, 6), (2, 5, 4)),
    (
        "GRU(4, 6, num_layers: 2, bidirectional: true, dropout: 0.5, bias: false)",
        lambda: recurrent(nn.GRU, 4, 6, num_layers=2, bidirectional=True, dropout=0.5, bias=False),
        (2, 5, 4),
    ),
    ("MultiHeadAttention(8, 2)", lambda: attention(8, 2), (2, 5, 8)),
    ("MultiHeadAttention(8, 4, bias: false)", lambda: attention(8, 4, bias=False), (2, 5, 8)),
    ("MultiHeadAttention(8, 2, dropout: 0.5)", lambda: attention(8, 2, dropout=0.5), (2, 5, 8)),
    ("TransformerBlock(8, 2, 16, dropout: 0.0)", lambda: encoder(8, 2, 16, 0.0), (2, 5, 8)),
    (
        'TransformerBlock(8, 2, 16, dropout: 0.0, activation: "gelu", eps: 0.1, norm_first: true, bias: false)',
        lambda: encoder(8, 2, 16, 0.0, "gelu", 0.1, norm_first=True, bias=False),
        (2, 5, 8),
    ),
]
OURS_ALONE = {"LoRALinear", "TTLinear", "TuckerLinear"}  # PyTorch has none; tests/library has their tests, and tests/models/test_peft.py


def compiled(layer: str) -> nn.Module:
    program = tl.compile(f"let made = {layer}")
    program.run()
    return program.values["made"]


def built(layer: str) -> nn.Module:
    text = driver.build(driver.analyse(Source("built.tl", f"let made = {layer}\n"))).text
    names = {"__name__": "__main__"}
    exec(compile(text, "built.py", "exec"), names)
    return names["made"]  # type: ignore[return-value]


def inner(module: nn.Module) -> nn.Module:
    return module.inner if isinstance(module, First) else module


def some_input(shape: tuple[int, ...] | None) -> Tensor:
    return IDS if shape is None else torch.randn(shape, requires_grad=True)


def outcome(module: nn.Module, x: Tensor, names: list[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """What a module gives, and the gradients of its argument and of the parameters of these names, the random numbers being the same."""
    torch.manual_seed(1)
    y = module(x)
    weights = torch.randn(y.shape)
    named = {name: parameter for name, parameter in inner(module).named_parameters() if name in names}
    wanted = {**named, **({"x": x} if x.requires_grad else {})}
    found = torch.autograd.grad((y * weights).sum(), list(wanted.values())) if wanted else ()
    return y.detach(), dict(zip(wanted, found, strict=True))


def ids(row: object) -> str | None:
    return row if isinstance(row, str) else None


def test_every_layer_and_every_option_is_here() -> None:
    text = "\n".join(row[0] for row in ROWS)
    for name, layer in LAYERS.items():
        if name in OURS_ALONE:
            continue
        assert f"{name}(" in text
        options = {part.split(":")[0].strip() for part in layer.signature.partition("(")[2].partition(")")[0].split(",") if "=" in part}
        rows = " ".join(row[0] for row in ROWS if row[0].startswith(f"{name}("))
        assert not {option for option in options if f"{option}:" not in rows}, name


@pytest.mark.parametrize("make", [compiled, built])
@pytest.mark.parametrize(("layer", "theirs", "shape"), ROWS, ids=ids)
def test_beside_pytorch(layer: str, theirs: Callable[[], nn.Module], shape: tuple[int, ...] | None, make: Callable) -> None:
    torch.manual_seed(0)
    ours = make(layer)
    torch.manual_seed(0)
    other = theirs()
    torch.testing.assert_close(ours.state_dict(), inner(other).state_dict(), rtol=0.0, atol=0.0)
    for tensor in ours.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    inner(other).load_state_dict(ours.state_dict(), strict=True)
    names = [name for name, _ in ours.named_parameters()]
    assert names == [name for name, _ in inner(other).named_parameters()]
    x = some_input(shape)
    for _ in range(2):  # the running statistics of the first are in the second
        torch.testing.assert_close(outcome(ours, x, names), outcome(other, x, names))
    torch.testing.assert_close(dict(ours.named_buffers()), dict(inner(other).named_buffers()), rtol=0.0, atol=0.0)
    ours.eval()
    other.eval()
    torch.testing.assert_close(outcome(ours, x, names), outcome(other, x, names))
    again = make(layer)
    again.load_state_dict(inner(other).state_dict(), strict=True)
    torch.testing.assert_close(again.eval()(x), ours(x))


ONE_OF_EACH = {layer.partition("(")[0]: (layer, shape) for layer, _, shape in ROWS}


@pytest.mark.parametrize(("layer", "shape"), ONE_OF_EACH.values(), ids=ONE_OF_EACH)
def test_compiled_exported_copied(layer: str, shape: tuple[int, ...] | None) -> None:
    torch.manual_seed(0)
    torch.compiler.reset()
    ours, x = compiled(layer).eval(), some_input(shape).detach()
    wanted = ours(x)
    torch.testing.assert_close(torch.compile(ours, fullgraph=True, backend="eager")(x), wanted)
    torch.testing.assert_close(torch.export.export(ours, (x,)).module()(x), wanted)
    torch.testing.assert_close(deepcopy(ours)(x), wanted)
    torch.testing.assert_close(torch.func.functional_call(ours, ours.state_dict(), (x,)), wanted)
