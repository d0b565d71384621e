"""Adapters beside PEFT's: the same values and gradients, merged and not, and files that either reads from the other."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.adapter_files import CONFIG, WEIGHTS, load_adapter, save_adapter
from tensorlogic.runtime.lora import Adapter, lora

peft = pytest.importorskip("peft")

TEXT = """
model Inner(D: int) {
    q_proj: Linear(D, D, bias: false)
    v_proj: Linear(D, D)
    fn forward(x: f32[...B, D]) -> f32[...B, D] { return x + v_proj(relu(q_proj(x))) }
}
model Net(V: int, D: int) {
    table: Embedding(V, D)
    blocks: [Inner(D); 2]
    norm: LayerNorm(D)
    head: Linear(D, V)
    fn forward(ids: int64[B, T]) -> f32[B, T, V] {
        let x = table(ids)
        for block in blocks { x = block(x) }
        return head(norm(x))
    }
}
"""
IDS = torch.tensor([[1, 5, 1, 0], [3, 2, 10, 4]])
TARGETS = [["q_proj"], ["table"], ["q_proj", "v_proj", "table", "head"], ["blocks.1.q_proj"]]


@pytest.fixture
def base() -> nn.Module:
    torch.manual_seed(0)
    return tl.compile(TEXT).Net(11, 8)


def theirs_of(base: nn.Module, targets: list[str] | str, **options) -> nn.Module:
    config = {"r": 3, "lora_alpha": 6, "target_modules": targets} | options
    return peft.get_peft_model(deepcopy(base), peft.LoraConfig(**config))


def factors_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """PEFT's factors by the names of its files."""
    return {name.replace(".default", ""): tensor for name, tensor in model.named_parameters() if ".lora_" in name}


def pair(base: nn.Module, targets: list[str]) -> tuple[nn.Module, Adapter, nn.Module]:
    """Both with an adapter of the same factors, none of them zero."""
    theirs, ours = theirs_of(base, targets), deepcopy(base)
    adapter = lora(ours, 3, 6.0, targets)
    mine = adapter.state_dict()
    assert mine.keys() == factors_of(theirs).keys()
    with torch.no_grad():
        for name, factor in factors_of(theirs).items():
            mine[name].copy_(factor.normal_(std=0.3))
    return ours, adapter, theirs


def codes(function, *args) -> tuple[str, str]:
    with pytest.raises(TensorLogicError) as caught:
        function(*args)
    return caught.value.diagnostics[0].code, caught.value.diagnostics[0].message


# --- values and gradients --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", TARGETS, ids=str)
def test_values_and_gradients(base: nn.Module, targets: list[str]) -> None:
    ours, adapter, theirs = pair(base, targets)
    y, wanted = ours(IDS), theirs(IDS)
    torch.testing.assert_close(y, wanted)
    assert not torch.allclose(y, base(IDS))
    weight = torch.randn_like(y)
    (y * weight).sum().backward()
    (wanted * weight).sum().backward()
    gradients = {name: factor.grad for name, factor in factors_of(theirs).items()}
    mine = dict(zip(adapter.state_dict(), (factor.grad for factor in adapter.parameters()), strict=True))
    torch.testing.assert_close(mine, gradients)
    assert all(gradient.abs().sum() > 0 for gradient in gradients.values())
    learns = [name for name, tensor in ours.named_parameters() if tensor.requires_grad]
    assert len(learns) == len(mine) and all(".lora." in name for name in learns)
    assert all(tensor.grad is None for name, tensor in ours.named_parameters() if ".lora." not in name)


@pytest.mark.parametrize("targets", TARGETS, ids=str)
def test_merged_unmerged_and_off(base: nn.Module, targets: list[str]) -> None:
    ours, adapter, theirs = pair(base, targets)
    before, plain = ours(IDS), base(IDS)
    adapter.enable(False)
    assert torch.equal(ours(IDS), plain)
    with theirs.disable_adapter():
        assert torch.equal(theirs(IDS), plain)
    adapter.enable(True)
    assert torch.equal(ours(IDS), before)
    adapter.merge()
    theirs.merge_adapter()
    bases = {n.removeprefix("base_model.model.").replace(".base_layer", ""): t for n, t in theirs.state_dict().items() if ".lora_" not in n}
    torch.testing.assert_close({n: t for n, t in ours.state_dict().items() if ".lora." not in n}, bases)
    torch.testing.assert_close(ours(IDS), theirs(IDS))
    adapter.unmerge()
    assert torch.equal(ours(IDS), before)
    assert all(torch.equal(ours.state_dict()[name], tensor) for name, tensor in base.state_dict().items())


def test_a_step_of_training_is_the_same(base: nn.Module) -> None:
    ours, adapter, theirs = pair(base, ["q_proj", "table"])
    for model, factors in ((ours, list(adapter.parameters())), (theirs, list(factors_of(theirs).values()))):
        optimizer = torch.optim.AdamW(factors, lr=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(IDS).flatten(0, 1), IDS.roll(1, 1).flatten()).backward()
            optimizer.step()
    torch.testing.assert_close(ours(IDS), theirs(IDS))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_factors_of_a_half_layer_are_precise(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    base, x = nn.Sequential(nn.Linear(6, 5)).to(dtype), torch.randn(4, 6).to(dtype)
    ours, adapter, theirs = pair(base, ["0"])
    assert [factor.dtype for factor in adapter.parameters()] == [factor.dtype for factor in factors_of(theirs).values()]
    assert ours(x).dtype == theirs(x).dtype == dtype
    torch.testing.assert_close(ours(x), theirs(x))
    adapter.merge()
    theirs.merge_adapter()
    torch.testing.assert_close(ours[0].weight, theirs.base_model.model[0].base_layer.weight)


def test_padding_learns_nothing() -> None:
    torch.manual_seed(0)
    ours, adapter, theirs = pair(nn.Sequential(nn.Embedding(7, 6, padding_idx=3)), ["0"])
    ids = torch.tensor([3, 1, 3, 5])
    torch.testing.assert_close(ours(ids), theirs(ids))
    for model in (ours, theirs):
        model(ids).square().sum().backward()
    mine = {name: factor.grad for name, factor in zip(adapter.state_dict(), adapter.parameters(), strict=True)}
    torch.testing.assert_close(mine, {name: factor.grad for name, factor in factors_of(theirs).items()})
    assert not ours[0].lora.A.grad[:, 3].any()


def test_dropout_is_on_the_input_of_the_addition() -> None:
    torch.manual_seed(0)
    base, x = nn.Sequential(nn.Linear(6, 5)), torch.randn(4, 6)
    theirs, ours = theirs_of(base, ["0"], lora_dropout=0.5, init_lora_weights=False), deepcopy(base)
    adapter = lora(ours, 3, 6.0, ["0"], dropout=0.5)
    for name, factor in factors_of(theirs).items():
        adapter.state_dict()[name].copy_(factor.detach())
    found = []
    for model in (ours, theirs):
        torch.manual_seed(1)
        found.append(model.train()(x))
        assert not torch.equal(model(x), found[-1])
    torch.testing.assert_close(*found)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [*TARGETS, ["*_proj"], ["blocks.*.v_proj", "head"]], ids=str)
def test_peft_reads_ours(base: nn.Module, targets: list[str], tmp_path: Path) -> None:
    ours = deepcopy(base)
    adapter = lora(ours, 3, 6.0, targets, dropout=0.25)
    with torch.no_grad():
        for factor in adapter.parameters():
            factor.normal_(std=0.3)
    save_adapter(adapter, str(tmp_path))
    theirs = peft.PeftModel.from_pretrained(deepcopy(base), str(tmp_path))
    torch.testing.assert_close(ours.eval()(IDS), theirs(IDS))
    torch.testing.assert_close({name: tensor.data for name, tensor in factors_of(theirs).items()}, adapter.state_dict())
    config = theirs.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout, config.bias, config.peft_type) == (3, 6, 0.25, "none", "LORA")


@pytest.mark.parametrize("targets", [*TARGETS, r".*\.[qv]_proj", "all-linear"], ids=str)
def test_we_read_pefts(base: nn.Module, targets: list[str] | str, tmp_path: Path) -> None:
    theirs = theirs_of(base, targets, init_lora_weights=False)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours = deepcopy(base)
    adapter = load_adapter(ours, str(tmp_path / "theirs"))
    torch.testing.assert_close(ours(IDS), theirs(IDS))
    assert (adapter.rank, adapter.alpha, adapter.dropout) == (3, 6.0, 0.0)
    save_adapter(adapter, str(tmp_path / "again"))
    again = peft.PeftModel.from_pretrained(deepcopy(base), str(tmp_path / "again"))
    torch.testing.assert_close(again(IDS), theirs(IDS))


def test_rank_stabilized_scale(base: nn.Module, tmp_path: Path) -> None:
    theirs = theirs_of(base, ["q_proj"], use_rslora=True, init_lora_weights=False)
    theirs.save_pretrained(str(tmp_path))
    ours = deepcopy(base)
    assert load_adapter(ours, str(tmp_path)).alpha == pytest.approx(6 * 3**0.5)
    torch.testing.assert_close(ours(IDS), theirs(IDS))


REFUSED = {
    "use_dora": {"use_dora": True},
    "rank_pattern": {"rank_pattern": {"blocks.0.v_proj": 2}},
    "alpha_pattern": {"alpha_pattern": {"blocks.0.v_proj": 2}},
    "bias": {"bias": "lora_only"},
    "lora_bias": {"lora_bias": True},
    "modules_to_save": {"modules_to_save": ["norm"]},
    "init_lora_weights": {"init_lora_weights": "pissa"},
    "trainable_token_indices": {"target_modules": ["v_proj"], "trainable_token_indices": {"table": [1]}},
}


@pytest.mark.parametrize("option", REFUSED)
def test_what_is_not_supported_is_named(base: nn.Module, option: str, tmp_path: Path) -> None:
    chosen = {"targets": ["v_proj"]} | REFUSED[option]
    theirs_of(base, chosen.pop("targets"), **chosen).save_pretrained(str(tmp_path))
    ours = deepcopy(base)
    code, message = codes(load_adapter, ours, str(tmp_path))
    assert code == "TL0604" and f"`{option}`" in message
    assert all(tensor.requires_grad for tensor in ours.parameters()) and torch.equal(ours(IDS), base(IDS))


def test_every_option_of_peft_is_known(tmp_path: Path) -> None:
    """A configuration as PEFT writes it has no option that we neither honour nor know to be off."""
    base = nn.Sequential(nn.Linear(6, 5))
    theirs_of(base, ["0"]).save_pretrained(str(tmp_path))
    written = json.loads((tmp_path / CONFIG).read_text())
    for option, value in {"a_new_one": True, "another": {"a": 1}, "last": "on"}.items():
        (tmp_path / CONFIG).write_text(json.dumps(written | {option: value}))
        assert option in codes(load_adapter, deepcopy(base), str(tmp_path))[1]
    (tmp_path / CONFIG).write_text(json.dumps(written | {"a_new_one": False, "another": {}, "last": None}))
    assert load_adapter(deepcopy(base), str(tmp_path)).rank == 3


def test_the_model_is_unchanged_where_the_adapter_is_of_another(base: nn.Module, tmp_path: Path) -> None:
    theirs_of(base, ["q_proj", "head"]).save_pretrained(str(tmp_path))
    for other, code in ((tl.compile(TEXT).Net(12, 8), "TL0603"), (nn.Sequential(nn.Linear(8, 8)), "TL0602")):
        assert codes(load_adapter, other, str(tmp_path))[0] == code
        assert not any(".lora." in name for name in other.state_dict()) and all(tensor.requires_grad for tensor in other.parameters())


# --- models of transformers ------------------------------------------------------------------------------------------


def test_an_adapter_of_conv1d_layers_fits_linear_ones(tmp_path: Path) -> None:
    """GPT-2 in transformers has its weights [in, out]; the factors of an adapter do not depend on that."""
    transformers = pytest.importorskip("transformers")
    conv1d = transformers.pytorch_utils.Conv1D
    torch.manual_seed(0)
    stored, ours, x = nn.Sequential(conv1d(5, 6)), nn.Sequential(nn.Linear(6, 5)), torch.randn(4, 6)
    ours.load_state_dict({"0.weight": stored[0].weight.T, "0.bias": stored[0].bias})
    theirs = theirs_of(stored, ["0"], fan_in_fan_out=True, init_lora_weights=False)
    theirs.save_pretrained(str(tmp_path))
    adapter = load_adapter(ours, str(tmp_path))
    torch.testing.assert_close(ours(x), theirs(x))
    adapter.merge()
    theirs.merge_adapter()
    torch.testing.assert_close(ours[0].weight, theirs.base_model.model[0].base_layer.weight.T)


def test_weights_of_the_base_beside_the_factors_are_named(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 20, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes))
    peft.get_peft_model(deepcopy(model), peft.LoraConfig(target_modules=["wte"])).save_pretrained(str(tmp_path), save_embedding_layers=True)
    assert (tmp_path / WEIGHTS).exists()
    code, message = codes(load_adapter, model, str(tmp_path))
    assert code == "TL0604" and "which is no factor" in message


# --- in the language -------------------------------------------------------------------------------------------------


def test_a_program_reads_trains_merges_and_writes(base: nn.Module, tmp_path: Path) -> None:
    theirs_of(base, ["q_proj", "table"], init_lora_weights=False).save_pretrained(str(tmp_path / "theirs"))
    program = tl.compile(
        TEXT
        + f"""
let net = Net(11, 8)
let a = load_adapter(net, "{tmp_path}/theirs")
let ids = tensor<int64>([[1, 5, 1, 0], [3, 2, 10, 4]])
let learns = len(params(a))
learn {{ objective: mean(net(ids).square()), optimizer: adamw(lr: 0.05), steps: 3, params: a }}
save_adapter(a, "{tmp_path}/ours")
a.enable(false)
let off = net(ids)
a.enable()
let on = net(ids)
a.merge()
let merged = net(ids)
a.unmerge()
assert_eq(net(ids), on)
"""
    )
    program.run()
    found = program.values
    assert found["learns"] == 6
    torch.testing.assert_close(found["merged"], found["on"])
    assert not torch.allclose(found["off"], found["on"])
    plain = deepcopy(base)
    plain.load_state_dict({name: tensor for name, tensor in found["net"].state_dict().items() if ".lora." not in name})
    theirs = peft.PeftModel.from_pretrained(plain, str(tmp_path / "ours"))
    torch.testing.assert_close(theirs(IDS), found["on"])
