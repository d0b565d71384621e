"""Whole models and functions against PyTorch: parameters, operations, memory in use, what training keeps."""

from pathlib import Path

import pytest
import torch

import tensorlogic as tl
from tensorlogic.cost.describe import Described, Row, describe
from tests.cost.measured import analysed, described, flops, kept_bytes, peak_bytes

ROOT = Path(__file__).resolve().parents[2]
GPT2 = (ROOT / "examples" / "lib" / "gpt2.tl").read_text()
EQUATIONS = (ROOT / "examples" / "20_equations.tl").read_text()
RECURRENT = (ROOT / "examples" / "21_recurrent_equations.tl").read_text()
SMALL = {"B": 2, "T": 24, "V": 500, "C": 32, "D": 32, "H": 4, "L": 3}
TOLERANCE = 0.25  # of the memory: some values in between are variables in Python, others not


def learning(*sizes: int) -> torch.Tensor:
    return torch.randn(*sizes, requires_grad=True)


def totals(item: Described) -> tuple[int | None, int | None]:
    assert item.work is not None
    known = [peak.value for peak in item.work.peaks]
    assert None not in known
    return max(peak for peak in known if peak is not None), item.work.kept.value


def test_gpt2_has_the_parameters_that_everybody_knows() -> None:
    sizes = {"V": 50257, "C": 1024, "D": 768, "H": 12, "L": 12, "B": 1, "T": 1024}
    item = described(GPT2, "GPT.forward", sizes)
    assert item.work is not None and item.work.tree is not None
    assert item.work.tree.parameters.value == 163_009_536 and item.work.tree.bytes.value == 4 * 163_009_536
    with torch.device("meta"):
        net = tl.compile(GPT2).GPT(V=50257, C=1024, D=768, H=12, L=12).eval()
        ids = torch.zeros(1, 1024, dtype=torch.int64)
    assert sum(p.numel() for p in net.parameters()) == item.work.tree.parameters.value
    assert flops(net, ids) == item.work.totals.products.value


def test_the_submodels_of_gpt2_add_up() -> None:
    item = described(GPT2, "GPT.forward", SMALL)
    assert item.work is not None and item.work.tree is not None
    net = tl.compile(GPT2).GPT(V=500, C=32, D=32, H=4, L=3)
    rows = {row.name: row for row in item.work.tree.rows}
    for name, row in rows.items():
        assert row.parameters.value == sum(p.numel() for p in getattr(net, name).parameters())
    check_sums(item.work.tree)
    assert rows["blocks"].count.value == 3 and rows["head"].totals.products.value == 2 * 2 * 24 * 32 * 500


def check_sums(row: Row) -> None:
    """A model has at least what its submodels have together, and those without own work exactly that."""
    assert sum(below.totals.products.value or 0 for below in row.rows) <= (row.totals.products.value or 0)
    for below in row.rows:
        check_sums(below)


def test_gpt2_takes_the_memory_that_is_said() -> None:
    net = tl.compile(GPT2).GPT(V=500, C=32, D=32, H=4, L=3, drop=0.0).train()
    ids = torch.randint(0, 500, (2, 24))
    peak, kept = totals(described(GPT2, "GPT.forward", SMALL))
    before = [ids, *net.parameters()]
    assert peak == pytest.approx(peak_bytes(net.eval(), (ids,), before), rel=0.05)
    assert kept == pytest.approx(kept_bytes(net, (ids,), before), rel=0.05)


FUNCTIONS = {
    "two_layers": (EQUATIONS, {"H": 50, "D": 30, "K": 20}, ((50, 30), (20, 50), (50,), (30,))),
    "gaussian": (EQUATIONS, {"N": 40, "M": 30, "D": 5}, ((40, 5), (30, 5))),
    "kernel_machine": (EQUATIONS, {"N": 40, "M": 30, "D": 5}, ((40,), (40,), (40, 5), (30, 5))),
    "features": (EQUATIONS, {"H": 30, "W": 40}, ((30, 40), (3, 3))),
    "states": (RECURRENT, {"H": 16, "D": 5, "T": 12}, ((16, 16), (16, 5), (12, 5), (16,))),
    "last_state": (RECURRENT, {"H": 16, "D": 5, "T": 12}, ((16, 16), (16, 5), (12, 5), (16,))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_the_memory_that_is_said(name: str) -> None:
    text, sizes, shapes = FUNCTIONS[name]
    args = tuple(learning(*shape) for shape in shapes)
    function = getattr(tl.compile(text), name)
    peak, kept = totals(described(text, name, sizes))
    assert peak == pytest.approx(peak_bytes(function, args, args), rel=TOLERANCE)
    assert kept == pytest.approx(kept_bytes(function, args, args), rel=TOLERANCE)


def test_a_block_of_equations() -> None:
    item = described(RECURRENT, "Block.forward", {"D": 32, "H": 4, "E": 8, "F": 64, "P": 20})
    block, x = tl.compile(RECURRENT).Block(32, 4, 8, 64), learning(20, 32)
    assert item.work is not None and item.work.totals.products.value == flops(block, x)
    peak, kept = totals(item)
    before = [x, *block.parameters()]
    assert peak == pytest.approx(peak_bytes(block, (x,), before), rel=TOLERANCE)
    assert kept == pytest.approx(kept_bytes(block, (x,), before), rel=TOLERANCE)


# --- layers ----------------------------------------------------------------------------------------------------------

LAYERS = {
    "Linear(12, 20)": ((3, 12), {}),
    "Linear(12, 20, bias: false)": ((3, 12), {}),
    "LayerNorm(12)": ((3, 12), {}),
    "LayerNorm(12, bias: false)": ((3, 12), {}),
    "RMSNorm(12)": ((3, 12), {}),
    "GroupNorm(2, 6)": ((3, 6, 4), {}),
    "BatchNorm1d(6)": ((3, 6, 4), {}),
    "BatchNorm2d(6)": ((3, 6, 4, 4), {}),
    "Conv1d(4, 6, 3, padding: 1, groups: 2)": ((2, 4, 9), {}),
    "Conv2d(3, 8, 3, stride: 2, bias: false)": ((2, 3, 9, 11), {}),
    "MaxPool2d(2)": ((2, 3, 8, 8), {}),
    "MultiHeadAttention(12, 3)": ((2, 5, 12), {}),
    "MultiHeadAttention(12, 3, bias: false)": ((2, 5, 12), {}),
    "TransformerBlock(12, 3, 24)": ((2, 5, 12), {}),
    "LoRALinear(12, 20, 2, 4.0)": ((3, 12), {}),
    "TTLinear([4, 6], [6, 5], [3])": ((7, 24), {}),
    "TTLinear([4, 6], [6, 5], [24])": ((7, 24), {}),
    "TTLinear([2, 3, 4], [4, 2, 3], [3, 2], bias: false)": ((7, 24), {}),
    "TuckerLinear([4, 6], [6, 5], [2, 3], [3, 2])": ((7, 24), {}),
    "TuckerLinear([4, 6], [6, 5], [4, 6], [6, 5])": ((7, 24), {}),
}


def in_a_model(layer: str, shape: tuple[int, ...], result: str = "?") -> str:
    sizes = ", ".join(map(str, shape))
    return f"model M(Z: int) {{\n    inner: {layer}\n    fn forward(x: f32[{sizes}]) -> f32[{result}] {{ return inner(x) }}\n}}\n"


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_hold_and_take_what_pytorch_says(layer: str) -> None:
    shape, _ = LAYERS[layer]
    made = getattr(torch.nn, "Module")  # noqa: B009 - any module
    with torch.no_grad():
        text = in_a_model(layer, shape, ", ".join(["?"] * len(shape)))
        net = tl.compile(text).M(Z=1)
        x = torch.randn(*shape)
        assert isinstance(net.inner, made)
        counted = flops(net, x)
    item = described(text, "M.forward")
    assert item.work is not None and item.work.tree is not None
    assert item.work.totals.products.value == counted
    assert item.work.tree.parameters.value == sum(p.numel() for p in net.parameters())
    assert item.work.tree.buffers.value == sum(b.numel() for b in net.buffers())


@pytest.mark.parametrize("made", ["RNN(5, 7)", "GRU(5, 7, num_layers: 2)", "LSTM(5, 7, bidirectional: true, bias: false)"])
def test_recurrent_layers(made: str) -> None:
    """PyTorch counts nothing inside these: each step multiplies the input and the state by all weights of a layer and direction."""
    text = in_a_model(made, (3, 4, 5), "3, 4, ?")
    net = tl.compile(text).M(Z=1)
    item = described(text, "M.forward")
    assert item.work is not None and item.work.tree is not None
    weights = sum(p.numel() for p in net.parameters() if p.ndim == 2)
    assert item.work.tree.parameters.value == sum(p.numel() for p in net.parameters())
    assert item.work.totals.products.value == 2 * 3 * 4 * weights


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.tl")), ids=lambda path: path.stem)
def test_every_example_is_followed(path: Path) -> None:
    if "wrong" in path.parts:
        pytest.skip("has mistakes")
    found = describe(analysed(path.read_text(), str(path)).checked())
    assert all(item.work is not None for item in found)
