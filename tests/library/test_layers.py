"""The standard layers beside PyTorch's: values, gradients, names, sizes at check time; compiled and exported."""

from pathlib import Path

import pytest
import torch
from torch import nn

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.stdlib.library import layer_names, layer_pages

MODELS = tl.compile(Path(__file__).parent / "layers.tl")

# The model, what it is made with, and the shape of its argument.
WHOLE = {
    "Norms": ((8,), (2, 3, 8)),
    "Attending": ((8, 2), (2, 3, 8)),
    "Blocks": ((8, 2), (2, 3, 8)),
    "Places": ((6, 8), (2, 3, 8)),
    "Pools": ((), (2, 3, 16, 18)),
    "Rows": ((), (2, 3, 11)),
    "Recurrences": ((4, 6), (2, 5, 4)),
    "Trains": ((4, 3), (2, 16)),
    "Adapted": ((4, 6), (2, 4)),
}


def made(layer: str) -> nn.Module:
    """A layer as a program makes it."""
    program = tl.compile(f"let made = {layer}")
    program.run()
    return program.values["made"]


@pytest.mark.parametrize("name", WHOLE)
def test_compiled_and_exported(name: str) -> None:
    arguments, shape = WHOLE[name]
    torch.manual_seed(0)
    model, x = MODELS[name](*arguments), torch.randn(shape)
    wanted = model(x)
    torch.testing.assert_close(torch.compile(model, fullgraph=True, backend="eager")(x), wanted)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), wanted)
    model.eval()
    assert not any(m.training for m in model.modules())


# --- what a layer does beside its forward ---------------------------------------------------------------------------


def test_states_go_in_and_out() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 4)
    lstm, gru = made("LSTM(4, 6)"), made("GRU(4, 6)")
    zeros = torch.zeros(1, 2, 6)
    first, state = lstm.run(x[:, :2], (zeros, zeros))
    rest, (h, c) = lstm.run(x[:, 2:], state)
    torch.testing.assert_close(torch.cat((first, rest), dim=1), lstm(x))
    assert h.shape == c.shape == (1, 2, 6)
    first, last = gru.run(x[:, :2], zeros)
    torch.testing.assert_close(torch.cat((first, gru.run(x[:, 2:], last)[0]), dim=1), gru(x))


def test_attention_to_the_past_and_to_another_sequence() -> None:
    torch.manual_seed(0)
    ours, x, memory = made("MultiHeadAttention(8, 2)"), torch.randn(2, 5, 8), torch.randn(2, 7, 8)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(ours(x, causal=True), theirs(x, x, x, attn_mask=future, need_weights=False)[0])
    torch.testing.assert_close(ours.cross(x, memory), theirs(x, memory, memory, need_weights=False)[0])


def test_dropout_is_for_training() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 8)
    for layer in ("TransformerBlock(8, 2, 16, dropout: 0.5)", "MultiHeadAttention(8, 2, dropout: 0.5)"):
        model = made(layer)
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert torch.equal(model(x), model(x))


def test_lora_starts_as_the_layer_and_learns_the_addition() -> None:
    torch.manual_seed(0)
    layer, x = made("LoRALinear(4, 6, 2, 8.0)"), torch.randn(3, 4)
    assert list(layer.state_dict()) == ["weight", "bias", "lora.A", "lora.B"]
    assert [n for n, p in layer.named_parameters() if p.requires_grad] == ["lora.A", "lora.B"]
    torch.testing.assert_close(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    with torch.no_grad():
        layer.lora.B.normal_()
    whole = layer.weight + 4.0 * layer.lora.B @ layer.lora.A
    torch.testing.assert_close(layer(x), nn.functional.linear(x, whole, layer.bias))


def test_adapters_find_the_linear_layers_of_a_block() -> None:
    program = tl.compile(
        'let made = TransformerBlock(8, 2, 16)\nlet low = lora(made, rank: 2, alpha: 4.0, targets: ["out_proj", "linear*"])'
    )
    program.run()
    assert len(list(program.values["low"].parameters())) == 2 * 3
    program.values["made"](torch.randn(2, 3, 8)).sum().backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", WHOLE)
def test_on_a_gpu(name: str) -> None:
    arguments, shape = WHOLE[name]
    torch.manual_seed(0)
    model, x = MODELS[name](*arguments).eval(), torch.randn(shape)
    wanted = model(x)
    torch.testing.assert_close(model.to("cuda")(x.to("cuda")).cpu(), wanted, rtol=1e-2, atol=1e-3)


# --- at check time ---------------------------------------------------------------------------------------------------

GOOD = [
    "let y: f32[2, 3, 2, 5] = MaxPool2d(3, stride: 2)(ones([2, 3, 5, 11]))",
    "let y: f32[2, 3, 5] = AvgPool1d(2)(ones([2, 3, 11]))",
    "let y: f32[2, 3, 4, 4] = AdaptiveAvgPool2d(4)(ones([2, 3, 5, 11]))",
    "let y: f32[2, 5, 12] = LSTM(4, 6, bidirectional: true)(ones([2, 5, 4]))",
    "fn f(n: bool) -> f32[2, 5, ?] { return GRU(4, 6, bidirectional: n)(ones([2, 5, 4])) }",
    "let (y, (h, c)) = LSTM(4, 6, 2).run(ones([3, 5, 4]), (zeros([2, 3, 6]), zeros([2, 3, 6])))\nlet z: f32[2, 3, 6] = c",
    "let y: f32[7, 20] = TTLinear([2, 3], [4, 5], ranks: [8])(ones([7, 6]))",
    "fn f(a: int, x: f32[B, 4 * a]) -> f32[B, 8] where a >= 2 { return TTLinear([4, a], [2, 4], ranks: [2])(x) }",
    "let y: f32[7, 20] = tt_linear_from(Linear(6, 20), [2, 3], [4, 5], [4])(ones([7, 6]))",
    "let y: f32[2, 5, 8] = TransformerBlock(8, 2, 32)(ones([2, 5, 8]), causal: true)",
    "fn f(m: TransformerBlock(D, H, W), x: f32[B, T, D]) -> f32[B, T, D] { return m(x) }",
    "model RoPE(N: int) { fn forward(x: f32[N]) -> f32[N] { return x } }\nlet y: f32[3] = RoPE(3)(ones([3]))",
    "fn LearnedPositions(x: f32[N]) -> f32[N] { return x }\nlet y: f32[3] = LearnedPositions(ones([3]))",
]
BAD = [
    ("MaxPool2d(2)(ones([3, 4]))", "TL0304"),
    ("MaxPool1d(3)(ones([2, 4, 2]))", "TL0310"),
    ("AvgPool2d(3)(ones([2, 4, 2, 5]))", "TL0310"),
    ("Conv1d(4, 6, 3)(ones([2, 4, 2]))", "TL0310"),
    ("Conv2d(4, 6, 3)(ones([2, 4, 2, 5]))", "TL0310"),
    ("Conv1d(4, 6, 3)(ones([2, 3, 4, 9]))", "TL0304"),
    ("MaxPool2d(2, padding: 2)", "TL0311"),
    ("AvgPool1d(2, stride: 0)", "TL0311"),
    ("Conv1d(4, 6, 0)", "TL0311"),
    ("Conv2d(4, 6, 3, groups: 0)", "TL0311"),
    ("GroupNorm(0, 6)", "TL0311"),
    ("AdaptiveAvgPool2d([1, 2, 3])", "TL0306"),
    ('AdaptiveAvgPool2d("same")', "TL0306"),
    ("AdaptiveAvgPool2d(0)", "TL0310"),
    ("LSTM(4, 6)(ones([2, 5, 3]))", "TL0301"),
    ("LSTM(4, 6, num_layers: 0)", "TL0311"),
    ("GRU(4, 6).run(ones([2, 5, 4]), ones([2, 2, 6]))", "TL0301"),
    ('RNN(4, 6, nonlinearity: "gelu")', "TL0306"),
    ("MultiHeadAttention(8, 3)", "TL0311"),
    ("MultiHeadAttention(8, 2).cross(ones([2, 5, 8]), ones([3, 5, 8]))", "TL0301"),
    ("TransformerBlock(9, 2, 8)", "TL0311"),
    ("TransformerBlock(8, 2)", "TL0307"),
    ("TransformerBlock(8, 2, 8).feed(ones([2, 3, 9]))", "TL0301"),
    ("LearnedPositions(4, 8)(ones([2, 5, 8]))", "TL0311"),
    ("RoPE(7)", "TL0311"),
    ("LoRALinear(4, 6, 0, 1.0)", "TL0311"),
    ("TTLinear([2, 3], [4, 5], ranks: [16])", "TL0311"),
    ("TTLinear([2, 3], [4], ranks: [2])", "TL0304"),
    ("TTLinear([2, 0], [4, 5], ranks: [2])", "TL0310"),
    ('TTLinear([2, 3], [4, 5], ranks: [2], init: "ones")', "TL0306"),
    ("TTLinear([2, 3], [4, 5], ranks: [2])(ones([7, 5]))", "TL0301"),
    ("TuckerLinear([2, 3], [4], [3, 2], [1])", "TL0311"),
    ("TuckerLinear([2, 3], [4], [2], [1])", "TL0304"),
    ("tt_linear_from(Linear(6, 20), [2, 4], [4, 5], [4])", "TL0301"),
    ("tt_linear_from(LayerNorm(6), [2, 3], [4, 5], [4])", "TL0306"),
    ("TransformerBlok(8, 2, 8)", "TL0201"),
]


@pytest.mark.parametrize("program", GOOD)
def test_sizes_are_known(program: str) -> None:
    assert [d for d in tl.check(f"{program}\n") if d.severity == "error"] == []


@pytest.mark.parametrize(("expression", "code"), BAD)
def test_what_does_not_fit_is_said_at_its_place(expression: str, code: str) -> None:
    found = [d for d in tl.check(f"let y = {expression}\n") if d.severity == "error"]
    assert [d.code for d in found] == [code]
    places = [found[0].span, *(label.span for label in found[0].labels)]
    assert all(span is not None and span.source.name == "<text>" for span in places)


def test_lists_that_are_not_literal_are_looked_at_when_they_are_used() -> None:
    program = tl.compile("fn make(a: [int], b: [int], r: [int]) -> int { let m = TTLinear(a, b, ranks: r)\n return len(params(m)) }\n")
    assert program.make([2, 3], [4, 5], [2]) == 3
    for factors, code in ((([2, 3], [4], [2]), "TL0304"), (([2, 3], [4, 5], [16]), "TL0311"), (([2, 3], [4, 5], [0]), "TL0310")):
        with pytest.raises(TensorLogicError) as caught:
            program.make(*factors)
        assert caught.value.diagnostics[0].code == code


def test_every_layer_is_described() -> None:
    pages = list(layer_pages())
    assert [page.name for page in pages] == layer_names()
    assert all(page.doc.endswith(".") and page.signatures[0].startswith(page.name) and len(page.signatures) > 1 for page in pages)


def test_layers_of_imported_files_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "part.tl").write_text("fn turn(m: RoPE(D), x: f32[T, D]) -> f32[T, D] { return m(x) }\n")
    (tmp_path / "main.tl").write_text('import "part.tl"\nlet y: f32[3, 4] = turn(RoPE(4), ones([3, 4]))\n')
    assert tl.check(str(tmp_path / "main.tl")) == []
