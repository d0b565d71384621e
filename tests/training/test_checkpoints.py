"""Checkpoints: a training that was stopped goes on to the bit; what is damaged or of another model is refused and nothing is lost."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import nn

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import training
from tensorlogic.runtime.weights import load_model
from tests.training.conftest import Net, Rows, lines, loss_of, net

FULL = bool(os.environ.get("TLC_FULL"))
STEPS = 30
RULES: dict[str, Any] = {
    "adamw": training.rule(training.adamw, lr=1e-2),
    "momentum": training.rule(training.sgd, lr=1e-2, momentum=0.9, nesterov=True),
    "sgd": training.rule(training.sgd, lr=1e-2),
    "rmsprop": training.rule(training.rmsprop, lr=1e-3, momentum=0.5),
}


class Killed(Exception):
    pass


def trained(folder: Path, stop: int | None = None, steps: int = STEPS, model: nn.Module | None = None, **options: Any) -> nn.Module:
    """Train, and give up before step `stop + 1`, as a process does that is killed."""
    model = net(0.3) if model is None else model
    torch.manual_seed(11)
    chosen: dict[str, Any] = {
        "optimizer": RULES["adamw"],
        "schedule": training.rule(training.warmup_cosine, warmup=3),
        "checkpoint": training.every(4, str(folder / "ck")),
        "log": str(folder / "log.jsonl"),
        "resume": "auto",
        **options,
    }
    calls = 0

    def objective(batch: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if stop is not None and calls > stop:
            raise Killed
        return loss_of(model, batch) + torch.rand(())

    try:
        training.fit(objective, [("net", model)], Rows(), steps=steps, **chosen)
    except Killed:
        assert stop is not None
    return model


def told(folder: Path) -> list[tuple[Any, ...]]:
    return [(e["step"], e["epoch"], e["loss"], e["lr"], e.get("validation")) for e in lines(folder / "log.jsonl")]


def files(folder: Path) -> dict[str, bytes]:
    newest = sorted((folder / "ck").glob("step-*"))[-1]
    return {path.name: path.read_bytes() for path in newest.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    trained(folder)
    return folder


@settings(max_examples=20 if FULL else 6, deadline=None, suppress_health_check=list(HealthCheck))
@given(stops=st.lists(st.integers(1, STEPS - 1), min_size=1, max_size=3))
def test_stopped_and_resumed_to_the_byte(whole: Path, tmp_path_factory: pytest.TempPathFactory, stops: list[int]) -> None:
    folder = tmp_path_factory.mktemp("parts")
    for stop in stops:
        trained(folder, stop)
    trained(folder)
    assert files(folder) == files(whole) and told(folder) == told(whole)


@pytest.mark.parametrize("name", RULES)
def test_every_optimizer_goes_on(tmp_path: Path, name: str) -> None:
    for part, stops in (("a", (None,)), ("b", (9, None))):
        for stop in stops:
            trained(tmp_path / part, stop, 14, optimizer=RULES[name], schedule=training.rule(training.step_decay, every=3))
    assert files(tmp_path / "a") == files(tmp_path / "b") and told(tmp_path / "a") == told(tmp_path / "b")


def test_the_scale_of_float16_goes_on(tmp_path: Path) -> None:
    for part, stops in (("a", (None,)), ("b", (9, None))):
        for stop in stops:
            trained(tmp_path / part, stop, 14, precision=torch.float16)
    assert files(tmp_path / "a") == files(tmp_path / "b")


# --- folders ---------------------------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_are_kept(whole: Path) -> None:
    assert names(whole / "ck") == ["step-00000028", "step-00000030"]
    assert names(whole / "ck" / "step-00000030") == ["optimizer.safetensors", "state.json", "weights.safetensors"]
    saved = load_model(whole / "ck" / "step-00000030" / "weights.safetensors")
    assert sorted(saved.names()) == ["net.calls", "net.down.bias", "net.down.weight", "net.up.bias", "net.up.weight"]


def test_a_new_training_does_not_lose_the_old_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(tmp_path, steps=9)
    trained(tmp_path, steps=5, resume=None)
    assert names(tmp_path / "ck") == ["earlier", "step-00000004", "step-00000005"]
    assert names(tmp_path / "ck" / "earlier") == ["step-00000008", "step-00000009"] and "earlier" in capsys.readouterr().err
    assert len(told(tmp_path)) == 5
    trained(tmp_path, steps=7)
    assert [entry[0] for entry in told(tmp_path)] == [*range(1, 8)]


def test_from_a_checkpoint_by_its_name(tmp_path: Path, whole: Path) -> None:
    shutil.copytree(whole / "ck" / "step-00000028", tmp_path / "some where")
    shutil.copy(whole / "log.jsonl", tmp_path / "log.jsonl")
    trained(tmp_path, resume=str(tmp_path / "some where"))
    assert files(tmp_path) == files(whole) and told(tmp_path) == told(whole)
    model = trained(tmp_path / "no folder of its own", checkpoint=None, log=None, resume=str(tmp_path / "some where"))
    saved = load_model(tmp_path / "ck" / "step-00000030" / "weights.safetensors")
    assert torch.equal(model.up.weight, saved["net.up.weight"])


def test_a_finished_training_stays_as_it_is(whole: Path) -> None:
    before = files(whole), (whole / "log.jsonl").read_bytes()
    trained(whole)
    assert (files(whole), (whole / "log.jsonl").read_bytes()) == before


def test_leftovers_and_broken_logs(tmp_path: Path) -> None:
    trained(tmp_path, 9, 14)
    (tmp_path / "ck" / ".step-00000012.tmp").mkdir()
    (tmp_path / "ck" / "step-x").mkdir()
    with open(tmp_path / "log.jsonl", "ab") as file:
        file.write(b'\xff\n{"step": "9"}\n[1]\n{"step": 9, "loss')
    trained(tmp_path, None, 14)
    assert [entry[0] for entry in told(tmp_path)] == [*range(1, 15)]
    assert names(tmp_path / "ck") == ["step-00000012", "step-00000014", "step-x"]


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "ck"):
        with pytest.raises(TensorLogicError) as caught:
            trained(tmp_path, steps=2, checkpoint=training.every(1, str(folder)))
        assert caught.value.diagnostics[0].code in ("TL0604", "TL0606") and (tmp_path / "file").read_text() == "mine"


# --- damage ----------------------------------------------------------------------------------------------------------


def edited(change: Any) -> Any:
    """Damage that puts another value into `state.json`."""

    def damage(folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text())
        change(state)
        (folder / "state.json").write_text(json.dumps(state))

    return damage


def cut(name: str, size: int) -> Any:
    return lambda folder: os.truncate(folder / name, size)


def put(*path: Any) -> Any:
    *places, value = path

    def change(state: Any) -> None:
        for place in places[:-1]:
            state = state[place]
        state[places[-1]] = value

    return edited(change)


DAMAGE = {
    "state is cut": (cut("state.json", 40), "TL0604", "state.json"),
    "state is empty": (cut("state.json", 0), "TL0604", "state.json"),
    "weights are cut": (cut("weights.safetensors", 100), "TL0604", "weights.safetensors"),
    "optimizer is cut": (cut("optimizer.safetensors", 300), "TL0604", "optimizer.safetensors"),
    "no state": (lambda folder: (folder / "state.json").unlink(), "TL0606", "state.json"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), "TL0606", "weights.safetensors"),
    "no optimizer": (lambda folder: (folder / "optimizer.safetensors").unlink(), "TL0606", "optimizer.safetensors"),
    "a list": (lambda folder: (folder / "state.json").write_text("[1]"), "TL0604", "state.json"),
    "deep": (lambda folder: (folder / "state.json").write_text("[" * 100_000), "TL0604", "state.json"),
    "no text": (lambda folder: (folder / "state.json").write_bytes(b"\xff\xfe\0"), "TL0604", "state.json"),
    "another version": (put("format", 99), "TL0604", "another version"),
    "step is text": (put("step", "8"), "TL0604", "`step`"),
    "batch is below 0": (put("batch", -1), "TL0604", "`batch`"),
    "epoch is none": (put("epoch", None), "TL0604", "`epoch`"),
    "seed is a list": (put("seed", [1]), "TL0604", "`seed`"),
    "another optimizer": (put("optimizer", "kind", "SGD"), "TL0604", "its optimizer is SGD, the program's is AdamW"),
    "optimizer is a list": (put("optimizer", []), "TL0604", "optimizer"),
    "no groups": (put("optimizer", "groups", {}), "TL0604", "optimizer"),
    "rate is text": (put("optimizer", "groups", 0, "lr", "fast"), "TL0604", "optimizer"),
    "other parameters": (put("optimizer", "groups", 0, "params", [7]), "TL0604", "optimizer"),
    "values of nothing": (put("optimizer", "values", {"99": {}}), "TL0604", "optimizer"),
    "no schedule": (put("schedule", None), "TL0604", "its schedule is none"),
    "schedule of text": (put("schedule", "last_epoch", "x"), "TL0604", "schedule"),
    "a method replaced": (put("schedule", "get_lr", 3), "TL0604", "schedule"),
    "a scale": (put("scaler", {"scale": 2.0}), "TL0604", "precision"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused(tmp_path: Path, whole: Path, name: str) -> None:
    damage, code, words = DAMAGE[name]
    shutil.copytree(whole, tmp_path / "run")
    damage(sorted((tmp_path / "run" / "ck").glob("step-*"))[-1])
    model = net(0.3)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    left = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(TensorLogicError) as caught:
        trained(tmp_path / "run", model=model)
    found = caught.value.diagnostics[0]
    assert found.code == code and words in f"{found.message} {found.file}"
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == left


class Wider(Net):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(3, 9), nn.Linear(9, 2)


class Deeper(Net):
    def __init__(self) -> None:
        super().__init__()
        self.more = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        (Wider, "TL0603", "`net.up.weight` is [8, 3] in the checkpoint"),
        (Deeper, "TL0602", "it has no `net.more.bias`"),
        (lambda: Net().double(), "TL0302", "is float32 in the checkpoint"),
        (lambda: nn.Sequential(nn.Linear(3, 2)), "TL0602", "another model"),
    ],
)
def test_another_model_is_refused(whole: Path, model: Any, code: str, words: str) -> None:
    before = files(whole)
    with pytest.raises(TensorLogicError) as caught:
        trained(whole, model=model())
    assert caught.value.diagnostics[0].code == code and words in caught.value.diagnostics[0].message
    assert files(whole) == before


@settings(max_examples=200 if FULL else 20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(["state.json", "weights.safetensors", "optimizer.safetensors"]))
def test_any_byte_may_be_wrong(whole: Path, tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, name: str) -> None:
    folder = tmp_path_factory.mktemp("byte")
    shutil.copytree(whole, folder / "run")
    path = sorted((folder / "run" / "ck").glob("step-*"))[-1] / name
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data)
    with suppress(TensorLogicError):
        trained(folder / "run", steps=STEPS + 1)
