"""The tensor functions of a GPT-2 block are one graph each, equal bit for bit to the Python functions, for other sizes too."""

import pytest
import torch

import tensorlogic as tl

PROGRAM = """
fn heads(x: f32[B, T, D], H: int) -> f32[B, H, T, D / H] where D % H == 0 {
    return x.reshape([B, T, H, D / H]).transpose(1, 2)
}
fn block(x: f32[B, T, D], wqkv: f32[3 * D, D], wo: f32[D, D], g: f32[D], b: f32[D], H: int) -> f32[B, T, D] where D % H == 0 {
    let h = layer_norm(x, [D], g, b)
    let (q, k, v) = chunk(linear(h, wqkv), 3, dim: -1).map(|y| heads(y, H))
    let y = attention(q, k, v, causal: true)
    return x + linear(y.transpose(1, 2).reshape([B, T, D]), wo)
}
fn tower(x: f32[B, T, D], ws: [f32[D, D]]) -> f32[B, T, D] {
    for w in ws { x = relu(x @ w) }
    return x
}
"""


@pytest.fixture(scope="module")
def program() -> tl.Program:
    return tl.compile(PROGRAM)


@pytest.mark.parametrize("sizes", [(2, 5, 8, 2), (1, 3, 12, 4)])
def test_a_block_is_one_graph(program: tl.Program, sizes: tuple[int, int, int, int]) -> None:
    batch, time, width, count = sizes
    torch.manual_seed(7)
    x, wqkv, wo = torch.randn(batch, time, width), torch.randn(3 * width, width), torch.randn(width, width)
    arguments = (x, wqkv, wo, torch.ones(width), torch.zeros(width), count)
    graph = program.fx("block")
    assert not any(node.op == "call_module" for node in graph.graph.nodes)
    assert torch.equal(graph(*arguments), program.block(*arguments))


def test_a_list_of_unknown_length_is_no_graph(program: tl.Program) -> None:
    with pytest.raises(tl.TensorLogicError) as caught:
        program.fx("tower")
    assert caught.value.diagnostics[0].span is not None
