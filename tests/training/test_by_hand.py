"""Training written out in a program, `backward` and all, beside the same lines of plain PyTorch: losses, rates and weights are the same."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tensorlogic as tl

PROGRAM = """
model Net(H: int) {
    up: Linear(3, H)
    down: Linear(H, 2)
    fn forward(x: f32[B, 3]) -> f32[B, 2] { return down(tanh(up(x))) }
    fn lean(x: f32[B, 3]) -> f32[B, 2] { return down(gradient_checkpoint(|x: f32[B, 3]| tanh(up(x)), x)) }
}
let x = randn([8, 3])
let y = randn([8, 2])
let m = Net(5)
let opt = OPTIMIZER
BEFORE
let losses: [float] = []
let rates: [float] = []
for i in 0..5 {
    STEP
}
"""
STEP = """opt.zero_grad()
    let loss = mse_loss(m(x), y)
    backward(loss)
    losses.push(loss.item())
    rates.push(learning_rate(opt))
    opt.step()
"""
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd(m, lr: 0.1)": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd(params(m), lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01)": lambda p: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01
    ),
    "adam(m, lr: 0.01, betas: (0.8, 0.99), eps: 1e-6, weight_decay: 0.1)": lambda p: torch.optim.Adam(
        p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1
    ),
    "adam(m)": torch.optim.Adam,
    "adamw(params(m), lr: 0.01, weight_decay: 0.1)": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "adamw(m)": torch.optim.AdamW,
    "rmsprop(m, lr: 0.01, alpha: 0.9, momentum: 0.5, weight_decay: 0.1)": lambda p: torch.optim.RMSprop(
        p, lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.1
    ),
    "rmsprop(m)": torch.optim.RMSprop,
    "sgd([m.up.weight, m.down.bias], lr: 0.1)": lambda p: torch.optim.SGD([p[0], p[3]], lr=0.1),
}
LR = torch.optim.lr_scheduler
SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "warmup_cosine(opt, warmup: 2, total: 5, min_lr: 1e-3)": lambda o: LR.SequentialLR(
        o, [LR.LinearLR(o, 1 / 2, 1.0, 1), LR.CosineAnnealingLR(o, 3, 1e-3)], [2]
    ),
    "warmup_linear(opt, warmup: 2, total: 5)": lambda o: LR.LambdaLR(o, lambda s: (s + 1) / 2 if s < 2 else 1 - (s - 2) / 3),
    "step_decay(opt, every: 2)": lambda o: LR.StepLR(o, 2),
    "step_decay(opt, every: 2, gamma: 0.5)": lambda o: LR.StepLR(o, 2, 0.5),
    "exponential_decay(opt, gamma: 0.8)": lambda o: LR.ExponentialLR(o, 0.8),
}


def simple(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    return loss


def clipped(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = simple(model, x, y)
    nn.utils.clip_grad_norm_(model.parameters(), 0.05)
    return loss


def accumulated(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = nn.functional.mse_loss(model(x), y)
    (loss / 2).backward()
    (nn.functional.mse_loss(model(x[:3]), y[:3]) / 2).backward()
    return loss


def doubled(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = simple(model, x, y)
    with torch.no_grad():
        next(model.parameters()).mul_(2)
    return loss


# How a step is written in the language, and the same in PyTorch; each gives the loss.
WAYS: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "clipped": (STEP.replace("losses.push", "clip_grad_norm(m, 0.05)\n    losses.push"), clipped),
    "clipped tensors": (STEP.replace("losses.push", "clip_grad_norm(params(m), 0.05)\n    losses.push"), clipped),
    "checkpointed": (STEP.replace("m(x)", "m.lean(x)"), simple),
    "accumulated": (
        STEP.replace("backward(loss)", "backward(loss / 2.0)\n    backward(mse_loss(m(x[:3]), y[:3]) / 2.0)"),
        accumulated,
    ),
    "twice as large": (
        STEP.replace("opt.step()", "no_grad { m.up.weight = m.up.weight * 2.0 }\n    opt.step()"),
        doubled,
    ),
}


def compare(
    optimizer: str, make: Callable, step: str = STEP, way: Callable[..., Tensor] = simple, before: str = "", schedule: Any = None
) -> None:
    """Run both from the same random numbers."""
    torch.manual_seed(5)
    text = PROGRAM.replace("OPTIMIZER", optimizer).replace("BEFORE", before).replace("STEP", step)
    net = tl.compile(text)
    net.run()
    torch.manual_seed(5)
    x, y = torch.randn(8, 3), torch.randn(8, 2)
    up, down = nn.Linear(3, 5), nn.Linear(5, 2)
    model = nn.Sequential(up, nn.Tanh(), down)
    other = make([*model.parameters()])
    scheduler = schedule(other) if schedule else None
    losses, rates = [], []
    for _ in range(5):
        other.zero_grad()
        losses.append(way(model, x, y).item())
        rates.append(other.param_groups[0]["lr"])
        other.step()
        if scheduler is not None:
            scheduler.step()
    assert net.values["losses"] == pytest.approx(losses, rel=1e-6)
    assert net.values["rates"] == pytest.approx(rates, rel=1e-6, abs=1e-12)
    for found, wanted in zip(net.values["m"].parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer: str) -> None:
    compare(optimizer, OPTIMIZERS[optimizer])


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_schedulers(scheduler: str) -> None:
    step, before = f"{STEP}    scheduler.step()", f"let scheduler = {scheduler}"
    compare("adamw(m, lr: 0.1)", lambda p: torch.optim.AdamW(p, lr=0.1), step, before=before, schedule=SCHEDULERS[scheduler])


@pytest.mark.parametrize("name", WAYS)
def test_ways_to_step(name: str) -> None:
    step, way = WAYS[name]
    compare("sgd(m, lr: 0.1)", OPTIMIZERS["sgd(m, lr: 0.1)"], step, way)


def test_gradients_of_their_own() -> None:
    text = """
param w: f32[3] = [1.0, -2.0, 0.5]
let loss = sum(w ** 3)
let direct = grad(loss, w)
let untouched = gradient(w)
backward(loss)
backward(sum(2.0 * w))
let added = gradient(w)
no_grad { let again = sum(w * w) }
"""
    net = tl.compile(text)
    net.run()
    w = torch.tensor([1.0, -2.0, 0.5])
    assert torch.equal(net.values["direct"], 3 * w**2) and torch.equal(net.values["untouched"], torch.zeros(3))
    assert torch.equal(net.values["added"], 3 * w**2 + 2)
