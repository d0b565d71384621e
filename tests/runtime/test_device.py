"""The one decision where tensors live, with machines made up."""

import pytest
import torch

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import device
from tensorlogic.runtime.device import NO_ACCELERATOR, Choice, choose_device


@pytest.mark.parametrize(
    ("request_", "cuda", "mps", "choice"),
    [
        ("auto", True, False, Choice("cuda")),
        ("auto", True, True, Choice("cuda")),
        ("auto", False, True, Choice("mps")),
        ("auto", False, False, Choice("cpu")),
        ("gpu", True, False, Choice("cuda")),
        ("gpu", False, True, Choice("mps")),
        ("gpu", False, False, Choice("cpu", NO_ACCELERATOR)),
        ("cpu", True, True, Choice("cpu")),
        ("cuda", True, False, Choice("cuda")),
        ("mps", False, True, Choice("mps")),
    ],
)
def test_choices(request_: str, cuda: bool, mps: bool, choice: Choice) -> None:
    assert choose_device(request_, cuda, mps) == choice


@pytest.mark.parametrize(("request_", "cuda", "mps"), [("cuda", False, True), ("mps", True, False), ("tpu", True, True)])
def test_what_is_not_there_is_said(request_: str, cuda: bool, mps: bool) -> None:
    with pytest.raises(TensorLogicError) as caught:
        choose_device(request_, cuda, mps)
    assert caught.value.diagnostics[0].code == "TL0805"


def test_use_sets_the_default_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list = []
    monkeypatch.setattr(torch, "set_default_device", made.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.use("auto") == Choice("cuda")
    assert device.use("cpu") == Choice("cpu")
    assert made == ["cuda", None]


def test_the_machine_is_described() -> None:
    found = device.describe()
    assert found["torch"] == torch.__version__ and found["device"] in ("cpu", "cuda", "mps")
    assert device.current().type in ("cpu", "cuda", "mps")
