"""Every option of `learn` does what it says: the same losses, rates and weights as a plain PyTorch loop."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import training
from tests.training.conftest import Net, Rows, lines, loss_of, net

ADAMW = training.rule(training.adamw, lr=1e-2, weight_decay=0.1)


def learned(tmp_path: Path, model: nn.Module | None = None, **options: Any) -> tuple[nn.Module, list[dict[str, Any]]]:
    """The model after training, and the log."""
    model = net() if model is None else model
    given: dict[str, Any] = {"batches": Rows(), "optimizer": ADAMW, "log": str(tmp_path / "log.jsonl"), **options}
    training.fit(lambda batch: loss_of(model, batch), [("net", model)], **given)
    return model, lines(tmp_path / "log.jsonl")


def plain(steps: int, clip: float | None = None, precision: torch.dtype | None = None, size: int = 4, schedule: Any = None) -> Any:
    """The same in PyTorch alone: the model, its losses, its rates."""
    model, losses, rates = net(), [], []
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    scheduler = schedule(optimizer) if schedule else None
    data, epoch = Rows(size), 0
    while len(losses) < steps:
        for batch in data.epoch(epoch):
            if len(losses) == steps:
                break
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=precision or torch.bfloat16, enabled=precision is not None):
                loss = loss_of(model, batch)
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if scheduler:
                scheduler.step()
            losses.append(loss.item())
        epoch += 1
    return model, losses, rates


def same(model: nn.Module, other: nn.Module, tolerance: float = 1e-6) -> None:
    for (name, a), (_, b) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance, msg=name)


def test_as_pytorch_does(tmp_path: Path) -> None:
    model, log = learned(tmp_path, epochs=3)
    other, losses, rates = plain(18)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-6)
    assert [entry["step"] for entry in log] == [*range(1, 19)] and [entry["lr"] for entry in log] == rates
    assert [entry["epoch"] for entry in log] == [0] * 6 + [1] * 6 + [2] * 6
    same(model, other)


def test_steps_end_within_an_epoch(tmp_path: Path) -> None:
    model, log = learned(tmp_path, steps=8)
    assert [entry["loss"] for entry in log] == pytest.approx(plain(8)[1], abs=1e-6)
    same(model, plain(8)[0])
    assert len(learned(tmp_path, steps=5, epochs=3)[1]) == 5 and len(learned(tmp_path, steps=50, epochs=1)[1]) == 6


def test_clipping(tmp_path: Path) -> None:
    model, log = learned(tmp_path, steps=10, clip_grad_norm=0.05)
    other, losses, _ = plain(10, clip=0.05)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-6)
    same(model, other)


def test_four_batches_of_one_are_one_of_four(tmp_path: Path) -> None:
    model, log = learned(tmp_path, batches=Rows(1), accumulate=4, epochs=2)  # the last step of an epoch has two rows
    other, losses, _ = plain(12)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-6)
    same(model, other, 1e-5)


def test_bfloat16_is_autocast(tmp_path: Path) -> None:
    model, log = learned(tmp_path, steps=10, precision=torch.bfloat16)
    other, losses, _ = plain(10, precision=torch.bfloat16)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-6)
    assert [entry["loss"] for entry in log] != pytest.approx(plain(10)[1], abs=1e-6)
    same(model, other)
    assert model.up.weight.dtype == torch.float32


def test_float16_is_scaled(tmp_path: Path) -> None:
    losses = [entry["loss"] for entry in learned(tmp_path, steps=60, precision=torch.float16)[1]]
    assert losses[0] == pytest.approx(plain(1)[1][0], abs=5e-3)
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])  # the first steps may be left out while the scale is found
    assert [entry["loss"] for entry in learned(tmp_path, steps=6, precision=torch.float32)[1]] == pytest.approx(plain(6)[1], abs=1e-6)


LR = torch.optim.lr_scheduler
SCHEDULES = {
    "warmup_cosine": (
        training.rule(training.warmup_cosine, warmup=3, min_lr=1e-4),
        lambda o: LR.SequentialLR(o, [LR.LinearLR(o, 1 / 3, 1.0, 2), LR.CosineAnnealingLR(o, 9, 1e-4)], [3]),
    ),
    "step_decay": (training.rule(training.step_decay, every=4, gamma=0.5), lambda o: LR.StepLR(o, 4, 0.5)),
    "exponential_decay": (training.rule(training.exponential_decay, gamma=0.9), lambda o: LR.ExponentialLR(o, 0.9)),
    "warmup_linear": (
        training.rule(training.warmup_linear, warmup=3),
        lambda o: LR.LambdaLR(o, lambda s: (s + 1) / 3 if s < 3 else 1 - (s - 3) / 9),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_schedules(tmp_path: Path, name: str) -> None:
    rule, torchs = SCHEDULES[name]
    model, log = learned(tmp_path, steps=12, schedule=rule)
    other, losses, rates = plain(12, schedule=torchs)
    assert [entry["lr"] for entry in log] == pytest.approx(rates, rel=1e-6)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, abs=1e-6)
    same(model, other)


def test_only_params_learn(tmp_path: Path) -> None:
    model = net()
    before = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    learned(tmp_path, model, steps=3, params=model.down)
    changed = {name for name, tensor in model.named_parameters() if not torch.equal(tensor, before[name])}
    assert changed == {"down.weight", "down.bias"}
    assert all(tensor.grad is None for tensor in model.parameters())
    learned(tmp_path, model, steps=1, params=[model.up.weight])
    assert not torch.equal(model.up.weight, before["up.weight"]) and torch.equal(model.up.bias, before["up.bias"])


def test_an_optimizer_made_before(tmp_path: Path) -> None:
    model = net()
    optimizer = training.adamw(model, lr=1e-2, weight_decay=0.1)
    schedule = training.step_decay(optimizer, every=4, gamma=0.5)
    learned(tmp_path, model, optimizer=optimizer, schedule=schedule, steps=6)
    same(model, plain(6, schedule=lambda o: LR.StepLR(o, 4, 0.5))[0])
    with pytest.raises(TensorLogicError, match="parameters already"):
        learned(tmp_path, model, optimizer=optimizer, params=model.down, steps=1)
    with pytest.raises(TensorLogicError, match="another optimizer"):
        learned(tmp_path, model, schedule=schedule, steps=1)


def test_validation_changes_nothing(tmp_path: Path) -> None:
    model = net(0.5)
    model.down.eval()
    modes: list[tuple[bool, bool]] = []

    def validate() -> torch.Tensor:
        modes.append((model.training, torch.is_grad_enabled()))
        torch.rand(3)
        return torch.tensor(float("nan") if len(modes) == 1 else 2.5)

    _, log = learned(tmp_path, model, steps=6, validate=training.every(2, validate))
    assert modes == [(False, False)] * 3 and model.training and not model.down.training
    assert [entry.get("validation", 0) for entry in log] == [0, None, 0, 2.5, 0, 2.5]
    assert [entry["loss"] for entry in log] == [entry["loss"] for entry in learned(tmp_path, net(0.5), steps=6)[1]]
    _, log = learned(tmp_path, steps=2, validate=training.every(1, lambda: None))
    assert "validation" not in log[0]


def test_everything_that_holds_tensors_is_a_root() -> None:
    a, b, w = net(), nn.Linear(3, 2), torch.zeros(2).requires_grad_()
    roots = [("pair", (a, [b])), ("w", w)]
    x = torch.ones(1, 3)
    training.fit(lambda: ((a(x) + b(x) + w) ** 2).sum(), roots, optimizer=training.rule(training.sgd, lr=0.05), steps=20)
    assert ((a(x) + b(x) + w) ** 2).sum() < 1e-3
    assert not torch.equal(w, torch.zeros(2))


def refused(code: str, match: str, **options: Any) -> None:
    model = net()
    given: dict[str, Any] = {"optimizer": ADAMW, "steps": 1, **options}
    objective = given.pop("objective", lambda: model(torch.ones(1, 3)).sum())
    roots = given.pop("roots", [("net", model)])
    with pytest.raises(TensorLogicError, match=match) as caught:
        training.fit(objective, roots, **given)
    assert caught.value.diagnostics[0].code == code


class Empty:
    def __len__(self) -> int:
        return 0


def test_what_is_refused() -> None:
    refused("TL0801", "`steps` is above 0", steps=0)
    refused("TL0801", "`epochs` is above 0", epochs=-1)
    refused("TL0801", "`accumulate` is above 0", accumulate=0)
    refused("TL0801", "`clip_grad_norm` is above 0", clip_grad_norm=float("nan"))
    refused("TL0801", "`validate: every` is above 0", validate=training.every(0, lambda: 1.0))
    refused("TL0601", "epochs", steps=None)
    refused("TL0601", "`resume` needs", resume="auto")
    refused("TL0306", "needs a folder", checkpoint=training.every(1, lambda: 1))
    refused("TL0306", "needs a function", validate=training.every(1, "x"))
    refused("TL0306", "one number", validate=training.every(1, lambda: torch.ones(2)))
    refused("TL0311", "no batches", batches=Empty())
    refused("TL0305", "nothing to learn", roots=[])
    refused("TL0305", "nothing that learns", objective=lambda: torch.ones(()))
    refused("TL0306", "one number, found", objective=lambda: net()(torch.ones(1, 3)))
    other = net()
    refused("TL0305", "through a function value", objective=lambda: other(torch.ones(1, 3)).sum())


# --- numbers that are none -------------------------------------------------------------------------------------------


def test_nan_says_the_step_and_the_operation(tmp_path: Path) -> None:
    model = net()
    calls = []

    def objective(batch: SimpleNamespace) -> torch.Tensor:
        calls.append(1)
        return torch.log(model(batch.x).sum() * 0 - (1.0 if len(calls) > 3 else -1.0))

    checkpoint = training.every(2, str(tmp_path / "ck"))
    with pytest.raises(TensorLogicError, match="the loss is nan at step 4") as caught:
        training.fit(objective, [("net", model)], batches=Rows(), optimizer=ADAMW, steps=9, checkpoint=checkpoint)
    found = caught.value.diagnostics[0]
    assert found.code == "TL0803" and "`log`" in found.notes[0] and "step-00000002 is kept" in found.notes[1]


def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path) -> None:
    w = torch.ones(2).requires_grad_()
    sgd = training.rule(training.sgd, lr=1e38)
    checkpoint = training.every(1, str(tmp_path / "ck"))
    with pytest.raises(TensorLogicError, match="`w` is not finite after step 1") as caught:
        training.fit(lambda: (w * 1e3).sum(), [("w", w)], optimizer=sgd, steps=3, checkpoint=checkpoint)
    assert caught.value.diagnostics[0].code == "TL0803" and not [*(tmp_path / "ck").glob("step-*")]
    w = torch.ones(2).requires_grad_()
    with pytest.raises(TensorLogicError, match="`w` is not finite after step 1"):
        training.fit(lambda: (w * 1e3).sum(), [("w", w)], optimizer=sgd, steps=1)


# --- the log ---------------------------------------------------------------------------------------------------------


def test_log_places(tmp_path: Path) -> None:
    learned(tmp_path, steps=1, log=str(tmp_path / "log.jsonl"))
    m = net()
    training.fit(lambda: m(torch.ones(1, 3)).sum(), [("m", m)], optimizer=ADAMW, steps=2, log=str(tmp_path / "a" / "b" / "log.jsonl"))
    assert len(lines(tmp_path / "a" / "b" / "log.jsonl")) == 2
    (tmp_path / "file").write_text("x")
    for path in ("file/log.jsonl", "file/deeper/log.jsonl"):
        with pytest.raises(TensorLogicError):
            training.fit(lambda: m(torch.ones(1, 3)).sum(), [("m", m)], optimizer=ADAMW, steps=2, log=str(tmp_path / path))


def test_a_folder_is_for_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    m = net()
    written: list[Any] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            written.append((folder, purge_step))

        def add_scalar(self, *scalar: Any) -> None:
            written.append(scalar)

        def flush(self) -> None: ...

        def close(self) -> None:
            written.append("closed")

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer))
    folder = str(tmp_path / "runs") + "/"

    def learn() -> None:
        training.fit(lambda: (m(torch.ones(1, 3)) ** 2).sum(), [("m", m)], optimizer=ADAMW, steps=2, log=folder)

    learn()
    assert written[0] == (folder, 1) and written[-1] == "closed"
    assert [(name, step) for name, _, step in written[1:-1]] == [("loss", 1), ("lr", 1), ("loss", 2), ("lr", 2)]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TensorLogicError, match="needs TensorBoard"):
        learn()


def test_models_have_no_gradients_afterwards(tmp_path: Path) -> None:
    model, _ = learned(tmp_path, steps=2)
    assert isinstance(model, Net) and all(tensor.grad is None for tensor in model.parameters())
