"""Checkpoints: folders `step-00000100` of safetensors and JSON, there whole or not at all, from which a training goes on to the bit."""

import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.weights import load_model, save_model

if TYPE_CHECKING:
    from tensorlogic.runtime.training.loop import Trainer

KEPT = 2
_NAME = re.compile(r"step-(\d{8,})")
FORMAT = 1


class Checkpoints:
    """The checkpoints of one training in a folder; the two newest are kept."""

    def __init__(self, folder: str, every: int) -> None:
        self.folder, self.every = folder, max(1, every)

    def latest(self) -> str | None:
        """The newest whole checkpoint."""
        found = self._all()
        return os.path.join(self.folder, found[-1]) if found else None

    def _all(self) -> list[str]:
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return sorted(name for name in names if _NAME.fullmatch(name))

    def save(self, trainer: "Trainer") -> None:
        """Written beside its place and renamed, so that a killed process leaves the older one."""
        name = f"step-{trainer.state.step:08d}"
        place, fresh = os.path.join(self.folder, name), os.path.join(self.folder, f".{name}.tmp")
        if os.path.isdir(place):
            return
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        save_model(weights(trainer), os.path.join(fresh, "weights.safetensors"))
        tensors, values = optimizer_state(trainer.optimizer)
        save_model({**tensors, **random_state()}, os.path.join(fresh, "optimizer.safetensors"))
        _write_json(os.path.join(fresh, "state.json"), {"format": FORMAT, **_position(trainer), "optimizer": values})
        os.replace(fresh, place)
        _flush(self.folder)
        for old in self._all()[:-KEPT]:
            shutil.rmtree(os.path.join(self.folder, old), ignore_errors=True)

    def restore(self, trainer: "Trainer", wanted: Any) -> None:
        """Go on from the newest checkpoint, or from the one whose folder is `wanted`. Nothing happens where there is none yet."""
        place = wanted if isinstance(wanted, str) and wanted != "auto" else self.latest()
        if place is None:
            return
        with open(os.path.join(place, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        load_weights(trainer, load_model(os.path.join(place, "weights.safetensors")).state_dict(), place)
        saved = load_model(os.path.join(place, "optimizer.safetensors")).state_dict()
        restore_optimizer(trainer.optimizer, saved, state["optimizer"])
        if trainer.scheduler is not None and state["schedule"] is not None:
            trainer.scheduler.load_state_dict(state["schedule"])
        trainer.state.step, trainer.state.epoch, trainer.state.batch = state["step"], state["epoch"], state["batch"]
        restore_random(saved, state["python"])


def _position(trainer: "Trainer") -> dict[str, Any]:
    state, schedule = trainer.state, trainer.scheduler
    known = {k: v for k, v in schedule.state_dict().items() if k != "lr_lambdas"} if schedule is not None else None
    version, words, gauss = random.getstate()
    return {"step": state.step, "epoch": state.epoch, "batch": state.batch, "schedule": known, "python": [version, list(words), gauss]}


# --- weights ---------------------------------------------------------------------------------------------------------


def weights(trainer: "Trainer") -> dict[str, Tensor]:
    """Everything that the objective reaches, by the names of the program: `gpt.blocks.0.attn.qkv.weight`."""
    found: dict[str, Tensor] = {}
    for name, thing in trainer.roots:
        for key, tensor in named_tensors(thing):
            found[f"{name}.{key}" if key else name] = tensor.detach()
    return found


def named_tensors(thing: Any) -> list[tuple[str, Tensor]]:
    """The tensors of a module, an adapter or a struct by their paths; of a tensor itself the path is empty."""
    if isinstance(thing, Tensor):
        return [("", thing)]
    if hasattr(thing, "state_dict"):
        return [(key, value) for key, value in thing.state_dict().items() if isinstance(value, Tensor)]
    return [(key, value) for key, value in vars(thing).items() if isinstance(value, Tensor)] if hasattr(thing, "__dict__") else []


def load_weights(trainer: "Trainer", saved: Mapping[str, Any], place: str) -> None:
    """The saved numbers into the tensors of the program. TL0602 and TL0603 where they are of another model."""
    wanted = weights(trainer)
    missing, more = sorted(wanted.keys() - saved.keys()), sorted(saved.keys() - wanted.keys())
    if missing or more:
        word = f"has no `{missing[0]}`" if missing else f"has `{more[0]}`, which the program has not"
        raise TensorLogicError(Diagnostic("TL0602", f"the checkpoint {place} is of another model: it {word}"))
    for name, tensor in wanted.items():
        if saved[name].shape != tensor.shape:
            title = f"`{name}` is {list(saved[name].shape)} in the checkpoint {place}, and {list(tensor.shape)} in the program"
            raise TensorLogicError(Diagnostic("TL0603", title))
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(saved[name])


# --- optimizer and random numbers ------------------------------------------------------------------------------------


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The optimizer's tensors by `number.name`, and its other values."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    values: dict[str, dict[str, Any]] = {}
    for number, entry in state["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                values.setdefault(str(number), {})[name] = value
    return tensors, {"groups": state["param_groups"], "values": values}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Any], values: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {int(number): dict(entry) for number, entry in values["values"].items()}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        if number.isdecimal():
            state.setdefault(int(number), {})[key] = tensor.clone()
    groups = [{**group, **({"betas": tuple(group["betas"])} if "betas" in group else {})} for group in values["groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def random_state() -> dict[str, Tensor]:
    """The states of PyTorch's random numbers, on the CPU and on each device."""
    found = {"random.cpu": torch.get_rng_state()}
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        found[f"random.cuda.{i}"] = torch.cuda.get_rng_state(i)
    if torch.backends.mps.is_available():
        found["random.mps"] = torch.mps.get_rng_state()
    return found


def restore_random(saved: Mapping[str, Any], python: list) -> None:
    torch.set_rng_state(saved["random.cpu"].cpu().clone())
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"random.cuda.{i}" in saved:
            torch.cuda.set_rng_state(saved[f"random.cuda.{i}"].cpu().clone(), i)
    if "random.mps" in saved and torch.backends.mps.is_available():
        torch.mps.set_rng_state(saved["random.mps"].cpu().clone())
    random.setstate((python[0], tuple(python[1]), python[2]))


def _write_json(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
