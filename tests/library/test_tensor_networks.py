"""Tensor-network layers: equal to dense ones at full rank, canonical form, ranks that grow and shrink, training from `.tl`."""

import os
from math import prod

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.tensor_networks import Network, TTLinear, TuckerLinear, allowed_ranks, tt_linear_from, tucker_linear_from
from tensorlogic.runtime.tensor_networks_training import adapt_ranks, core_norms, recondition, set_tt_ranks, tt_report

EXAMPLES = settings(max_examples=1000 if os.environ.get("TLC_FULL") == "1" else 25)
FACTORS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4)
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def code(function, *args) -> str:
    with pytest.raises(TensorLogicError) as caught:
        function(*args)
    return caught.value.diagnostics[0].code


def some_train() -> TTLinear:
    return tt_linear_from(nn.Linear(64, 128).double(), [4, 4, 4], [4, 8, 4], [6, 5])


@EXAMPLES
@given(FACTORS)
def test_full_rank_is_dense(factors: list[tuple[int, int]]) -> None:
    inputs, outputs = zip(*factors, strict=True)
    dense = nn.Linear(prod(inputs), prod(outputs)).double()
    layer = tt_linear_from(dense, inputs, outputs, [999] * (len(factors) - 1))
    x = torch.randn(3, 2, dense.in_features, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(layer(x), dense(x), **EXACT)
    torch.testing.assert_close(layer.dense(), dense.weight, **EXACT)
    for mine, theirs in zip(*(torch.autograd.grad(m(x).square().sum(), (x, m.bias)) for m in (layer, dense)), strict=True):
        torch.testing.assert_close(mine, theirs, **EXACT)


def test_tucker_of_full_rank_is_dense() -> None:
    dense, x = nn.Linear(12, 10).double(), torch.randn(4, 12, dtype=torch.float64)
    layer = tucker_linear_from(dense, [4, 3], [10], [4, 3], [10])
    torch.testing.assert_close(layer(x), dense(x), **EXACT)
    torch.testing.assert_close(layer.dense(), dense.weight, **EXACT)


def test_less_rank_is_the_nearest_of_two_cores() -> None:
    """With two cores the train is one SVD, which nothing of that rank beats."""
    dense = nn.Linear(12, 20).double()
    layer = tt_linear_from(dense, [3, 4], [4, 5], [3])
    pairs = dense.weight.reshape(4, 5, 3, 4).permute(2, 0, 3, 1).reshape(12, 20)
    error = (layer.dense() - dense.weight).norm()
    torch.testing.assert_close(error, torch.linalg.svdvals(pairs)[3:].norm(), **EXACT)


@EXAMPLES
@given(FACTORS, st.integers(1, 6))
def test_part_by_part_is_the_weight(factors: list[tuple[int, int]], rank: int) -> None:
    inputs, outputs = zip(*factors, strict=True)
    train = TTLinear(inputs, outputs, allowed_ranks(inputs, outputs, [rank] * (len(factors) - 1))).double()
    form = TuckerLinear(inputs, outputs, [min(n, rank) for n in inputs], [min(m, rank) for m in outputs]).double()
    x = torch.randn(3, train.I, dtype=torch.float64)
    for layer in (train, form):
        torch.testing.assert_close(layer.transformed(x), x @ layer.matrix(), **EXACT)
        with FlopCounterMode(display=False) as counted:
            layer.transformed(x[:1])
        assert counted.get_total_flops() == 2 * layer.multiplications()


@EXAMPLES
@given(FACTORS, st.integers(1, 6))
def test_canonical_form_computes_the_same(factors: list[tuple[int, int]], rank: int) -> None:
    inputs, outputs = zip(*factors, strict=True)
    layer = TTLinear(inputs, outputs, allowed_ranks(inputs, outputs, [rank] * (len(factors) - 1))).double()
    before, objects = layer.dense().detach(), layer.parts()
    recondition(layer)
    torch.testing.assert_close(layer.dense(), before, **EXACT)
    assert all(a is b for a, b in zip(objects, layer.parts(), strict=True)), "an optimizer goes on with the same parameters"
    for core in layer.parts()[:-1]:
        columns = core.detach().flatten(0, 2)
        torch.testing.assert_close(columns.T @ columns, torch.eye(columns.shape[1], dtype=torch.float64), **EXACT)
    torch.testing.assert_close(layer.parts()[-1].norm(), before.norm(), **EXACT)


def test_canonical_tucker_computes_the_same() -> None:
    layer = TuckerLinear([4, 3], [2, 5], [3, 2], [2, 4]).double()
    with torch.no_grad():
        for factor in layer.input_factors:
            factor.normal_()
    before = layer.dense().detach()
    recondition(nn.Sequential(nn.Linear(2, 2), layer))
    torch.testing.assert_close(layer.dense(), before, **EXACT)
    torch.testing.assert_close(layer.core.norm(), before.norm(), **EXACT)


def test_more_rank_computes_the_same_and_learns() -> None:
    layer = some_train()
    before = layer.dense().detach()
    set_tt_ranks(layer, [9, 999])
    assert layer.ranks == [9, 16]
    torch.testing.assert_close(layer.dense(), before, **EXACT)
    layer(torch.randn(3, 64, dtype=torch.float64)).square().sum().backward()
    assert all(core.grad is not None and core.grad.abs().sum() > 0 for core in layer.parts())
    new = layer.parts()[1].grad
    assert new is not None and new[6:].abs().max() > 0, "the new directions have gradients"
    set_tt_ranks(layer, [6, 5])
    torch.testing.assert_close(layer.dense(), before, **EXACT)


def test_less_rank_takes_the_nearest_weight() -> None:
    layer = some_train()
    before = layer.dense().detach()
    set_tt_ranks(layer, [4, 5])
    assert layer.ranks == [4, 5]
    unfolded = before.reshape(4, 8, 4, 4, 4, 4).permute(3, 0, 4, 1, 5, 2).reshape(16, -1)
    torch.testing.assert_close((layer.dense() - before).norm(), torch.linalg.svdvals(unfolded)[4:].norm(), **EXACT)


def test_ranks_follow_gradients() -> None:
    layer = some_train()
    assert code(adapt_ranks, layer, 0.0, 1.0, 1, 9) == "TL0305"
    layer(torch.randn(3, 64, dtype=torch.float64)).square().sum().backward()
    assert adapt_ranks(layer, 0.0, 1e9, 1, 9) == 0 and layer.ranks == [6, 5]
    assert adapt_ranks(layer, 0.0, 1e-9, 1, 6) == 1 and layer.ranks == [6, 6]
    layer(torch.randn(3, 64, dtype=torch.float64)).square().sum().backward()
    assert adapt_ranks(layer, 1e9, 1e10, 6, 9) == 0
    assert adapt_ranks(layer, 1e9, 1e10, 2, 9) == 2 and layer.ranks == [5, 5]


@pytest.mark.parametrize("init", ["uniform", "orthogonal"])
def test_first_values_have_the_spread_of_a_dense_layer(init: str) -> None:
    torch.manual_seed(0)
    assert 0.8 < TTLinear([8, 8], [8, 16], [12], init=init).dense().var().item() * 3 * 64 < 1.25


def test_what_is_watched() -> None:
    model = nn.Sequential(some_train(), nn.ReLU(), TuckerLinear([128], [10], [7], [4]))
    assert len(core_norms(model)) == 3 + 3
    first, second = tt_report(model).splitlines()
    assert first.startswith("0: ranks [6, 5], norms [")
    assert first.endswith("], 1,136 elements of 8,192, 19,456 multiplications of 8,192")
    assert second.startswith("2: ranks [7, 4], ")
    assert code(tt_report, nn.Linear(2, 2)) == "TL0602" and code(set_tt_ranks, model, [3]) == "TL0304"
    assert code(set_tt_ranks, model, [3, 0]) == "TL0310"


def test_factors_of_another_layer_are_refused() -> None:
    assert code(tt_linear_from, nn.Linear(6, 6), [2, 3], [2, 2], [2]) == "TL0301"
    assert code(tt_linear_from, nn.ReLU(), [2, 3], [2, 3], [2]) == "TL0306"


TRAINING = """
model Net(D: int) where D >= 4 {
    up: TTLinear([D, 4], [4, 4], ranks: [4])
    down: TuckerLinear([16], [3], [8], [3])
    fn forward(x: f32[B, 4 * D]) -> f32[B, 3] { return down(relu(up(x))) }
}
let net = Net(4)
let x = randn([32, 16])
let wanted = x[:, 0:3]
fn learn_step(net: Net(4), x: f32[B, 16], wanted: f32[B, 3], opt: Optimizer) -> float {
    let loss = mse_loss(net(x), wanted)
    zero_grad(opt)
    backward(loss)
    opt.step()
    return loss.item()
}
let first = mse_loss(net(x), wanted).item()
for ranks in [[4], [8]] {
    set_tt_ranks(net, ranks)
    let opt = adam(params(net), lr: 0.02)
    for i in 0..40 {
        learn_step(net, x, wanted, opt)
        if i % 20 == 0 { recondition(net) }
    }
}
let last = mse_loss(net(x), wanted).item()
let text = tt_report(net)
let norms = core_norms(net)
"""


def test_a_program_trains_with_growing_ranks() -> None:
    torch.manual_seed(0)
    program = tl.compile(TRAINING)
    program.run()
    found = program.values
    assert found["last"] < 0.3 * found["first"]
    assert found["text"].startswith("up: ranks [8]") and len(found["norms"]) == 5
    assert isinstance(found["net"].up, Network)
