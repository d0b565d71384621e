"""The configuration of an adapter may come from a stranger: whatever it says, it is read or refused with a code."""

import json
from pathlib import Path

import pytest
import torch

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.adapter_files import CONFIG, load_adapter, save_adapter
from tensorlogic.runtime.lora import lora

WRONG = (
    "", "{", "[]", "null", "[" * 100_000, '{"peft_type": "LORA"}',
    *(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4, **change}) for change in (
        {"r": True}, {"r": 0}, {"r": "2"}, {"lora_alpha": "4"}, {"lora_alpha": None}, {"lora_dropout": "a"}, {"target_modules": 3},
        {"target_modules": [3]}, {"use_dora": True}, {"bias": "all"}, {"peft_type": "IA3"},
        {"lora_alpha": 10**400}, {"lora_dropout": 10**400}, {"lora_alpha": float("nan")},
    )),
)  # fmt: skip


def model() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40])
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str) -> None:
    save_adapter(lora(model(), 2, 4.0, ["0"]), str(tmp_path))
    (tmp_path / CONFIG).write_text(text)
    untouched = model()
    before = {name: tensor.clone() for name, tensor in untouched.state_dict().items()}
    with pytest.raises(TensorLogicError) as told:
        load_adapter(untouched, str(tmp_path))
    assert told.value.diagnostics[0].code == "TL0604"
    assert all(torch.equal(tensor, before[name]) for name, tensor in untouched.state_dict().items())


def test_there_and_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = model()
    adapter = lora(first, 2, 4.0, ["0", "1"])
    with torch.no_grad():
        for factor in adapter.parameters():
            factor.normal_()
    save_adapter(adapter, str(tmp_path / "adapter"))
    second = model()
    second.load_state_dict({name: tensor for name, tensor in first.state_dict().items() if ".lora." not in name})
    load_adapter(second, str(tmp_path / "adapter"))
    x = torch.randn(5, 4)
    assert torch.equal(first(x), second(x))
    assert load_error(second, tmp_path / "nowhere") == "TL0606"


@pytest.mark.parametrize("rank", [1, 3, 10**12, 2**62])
def test_a_rank_that_the_factors_do_not_have(tmp_path: Path, rank: int) -> None:
    save_adapter(lora(model(), 2, 4.0, ["0"]), str(tmp_path))
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps({**config, "r": rank}))
    assert load_error(model(), tmp_path) == "TL0603"


def load_error(target: torch.nn.Module, path: Path) -> str:
    with pytest.raises(TensorLogicError) as told:
        load_adapter(target, str(path))
    return told.value.diagnostics[0].code
