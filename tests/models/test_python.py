"""Models from Python: classes that are modules like any other."""

from copy import deepcopy

import pytest
import torch

import tensorlogic as tl

TEXT = """
struct Line { w: f32[2] learnable, n: int }
model Block(D: int) { class: Linear(D, D); fn forward(x: f32[...B, D]) -> f32[...B, D] { return x + class(x) } }
model Net(D: int, L: int = 2, p: float = 0.1) where D % 2 == 0 {
    blocks: [Block(D); L]
    param scale: f32[D] = ones()
    param fixed: f32[D] frozen = ones()
    buffer calls: f32[] = zeros()
    drop: Dropout(p)
    fn forward(x: f32[B, D]) -> f32[B, D] {
        let h = x
        for b in blocks { h = b(h) }
        return drop(h) * scale * fixed
    }
    fn count() -> f32[] { calls = calls + 1.0; return calls }
}
"""


@pytest.fixture(scope="module")
def net() -> tl.Program:
    return tl.compile(TEXT)


def test_names_and_learning(net: tl.Program) -> None:
    model = net.Net(D=4)
    assert sorted(model.state_dict()) == sorted(
        ["scale", "fixed", "calls", *(f"blocks.{i}.class.{part}" for i in (0, 1) for part in ("weight", "bias"))]
    )
    assert {name for name, tensor in model.named_parameters() if not tensor.requires_grad} == {"fixed"}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    x = torch.ones(3, 4)
    before = model.eval()(x)
    model(x).sum().backward()
    optimizer.step()
    assert not torch.equal(model(x), before) and model.blocks[0].class_ is getattr(model.blocks[0], "class")
    other = net.Net(4)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.eval()(x), model(x)) and torch.equal(deepcopy(model)(x), model(x))


def test_results_are_values(net: tl.Program) -> None:
    model = net.Net(4)
    first, second = model.count(), model.count()
    assert (first.item(), second.item(), model.calls.item()) == (1.0, 2.0, 2.0)


def test_graphs(net: tl.Program) -> None:
    model, x = net.Net(4).eval(), torch.randn(3, 4)
    plain = tl.compile(TEXT.replace("class", "lin")).Net(4).eval()  # PyTorch's graphs cannot name a keyword
    assert torch.equal(torch.compile(model, backend="eager", fullgraph=True)(x), model(x))
    exported = torch.export.export(plain, (x,))
    torch.testing.assert_close(exported.module()(x), plain(x))


def test_wrong_sizes_name_model_and_place(net: tl.Program) -> None:
    with pytest.raises(tl.TensorLogicError, match="Net"):
        net.Net(D=3)
    with pytest.raises(tl.TensorLogicError, match=r"`x` of `Net\.forward`|Net\.forward"):
        net.Net(D=4)(torch.ones(3, 5))
    with pytest.raises(tl.TensorLogicError):
        net.Net(D=4)(torch.ones(3, 4, dtype=torch.float64))


def test_structs_hold_leaves(net: tl.Program) -> None:
    given = torch.ones(2)
    line = net.Line(given, 3)
    assert line.w.is_leaf and line.w.requires_grad and line.w is not given and not given.requires_grad


LISTS = """
model A() { param w: f32[2] = ones(); fn forward(x: f32[N, 2]) -> f32[N, 2] { return x * w } }
model Net(D: int, H: int) {
    layers: [Linear(D, H), Linear(H, D)]
    nested: [[A(), A()], [A()]]
    let pair = (LayerNorm(D), A())
    fn forward(x: f32[N, D]) -> f32[N, D] {
        let y: f32[N, ?] = x
        for layer in layers { y = relu(layer(y)) }
        return pair.0(y)
    }
}
"""


def test_lists_of_models_are_module_lists() -> None:
    """Names and numbers are those of the same network written with torch.nn."""
    made = tl.compile(LISTS).Net(D=4, H=6)
    layers = torch.nn.ModuleList([torch.nn.Linear(4, 6), torch.nn.Linear(6, 4)])
    norm = torch.nn.LayerNorm(4)
    names = [f"layers.{name}" for name in layers.state_dict()] + [f"pair.0.{name}" for name in norm.state_dict()]
    assert sorted(made.state_dict()) == sorted([*names, "pair.1.w", "nested.0.0.w", "nested.0.1.w", "nested.1.0.w"])
    layers.load_state_dict(made.layers.state_dict())
    x = torch.randn(3, 4)
    expected = x
    for layer in layers:
        expected = torch.relu(layer(expected))
    assert torch.equal(made(x), norm(expected))
    assert torch.equal(torch.compile(made, backend="eager", fullgraph=True)(x), made(x))
