"""Checkpoints: folders `step-00000100` of safetensors and JSON, there whole or not at all, from which a training goes on to the bit."""

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime import distributed
from tensorlogic.runtime.data.json_files import json_value
from tensorlogic.runtime.data.text_files import whole_text
from tensorlogic.runtime.training import saved_state
from tensorlogic.runtime.training.roots import weights
from tensorlogic.runtime.weights import load_model, save_model
from tensorlogic.runtime.weights.atomic import flush_folder, write_atomically, write_errors

if TYPE_CHECKING:
    from tensorlogic.runtime.training.loop import Trainer

Content = tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]
KEPT = 2
EARLIER = "earlier"  # where the checkpoints of another training in the same folder go
FORMAT = 1
POSITION = ("step", "epoch", "batch")
MAX_JSON = 64 * 1024 * 1024
_NAME, _UNFINISHED = re.compile(r"step-\d{8,}"), re.compile(r"\.step-\d{8,}\.tmp")


class Checkpoints:
    """The checkpoints of one training in a folder; the two newest are kept."""

    def __init__(self, folder: str, every: int) -> None:
        self.folder, self.every = folder, every

    def latest(self) -> str | None:
        """The newest whole checkpoint."""
        found = self._all()
        return os.path.join(self.folder, found[-1]) if found else None

    def _all(self) -> list[str]:
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return sorted((name for name in names if _NAME.fullmatch(name)), key=_step)

    def start(self, step: int) -> None:
        """Make the folder. What another training left there behind `step` goes to `earlier/`: it is neither the newest nor lost."""
        with write_errors(self.folder):
            os.makedirs(self.folder, exist_ok=True)
            for name in filter(_UNFINISHED.fullmatch, os.listdir(self.folder)):
                shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
            others = [name for name in self._all() if _step(name) > step]
            if not others:
                return
            place = os.path.join(self.folder, EARLIER)
            shutil.rmtree(place, ignore_errors=True)
            os.makedirs(place)
            for name in others:
                os.replace(os.path.join(self.folder, name), os.path.join(place, name))
        print(f"tlc: the checkpoints of an earlier training in {self.folder} are now in {place}", file=sys.stderr)

    def save(self, trainer: "Trainer") -> str:
        """Written beside its place and renamed, so that a killed process leaves the older one. Gives its folder. Of several processes
        the first one writes, and all of them give it their parts of the weights."""
        name = f"step-{trainer.state.step:08d}"
        place, fresh = os.path.join(self.folder, name), os.path.join(self.folder, f".{name}.tmp")
        content = _content(trainer)
        if distributed.is_first():
            self._replace(trainer, content, place, fresh)
        distributed.wait()
        return place

    def _replace(self, trainer: "Trainer", content: Content, place: str, fresh: str) -> None:
        with write_errors(place):
            shutil.rmtree(fresh, ignore_errors=True)
            os.makedirs(fresh)
            _write(trainer, content, fresh)
            shutil.rmtree(place, ignore_errors=True)  # of a training that went on from a checkpoint elsewhere
            os.replace(fresh, place)
            flush_folder(self.folder)
        for old in self._all()[:-KEPT]:
            shutil.rmtree(os.path.join(self.folder, old), ignore_errors=True)


def named(place: str) -> str:
    """The folder of a checkpoint; where `place` holds checkpoints, the newest of them."""
    return Checkpoints(place, 1).latest() or place


def _step(name: str) -> int:
    return int(name.removeprefix("step-"))


def _content(trainer: "Trainer") -> Content:
    """The weights, and the optimizer's tensors and other values, whole."""
    tensors, values = saved_state.optimizer_state(trainer.optimizer)
    whole = {name: distributed.whole(tensor) for name, tensor in weights(trainer.roots).items()}
    return whole, {name: distributed.whole(tensor) for name, tensor in tensors.items()}, values


def _write(trainer: "Trainer", content: Content, folder: str) -> None:
    whole, tensors, values = content
    save_model(whole, os.path.join(folder, "weights.safetensors"))
    save_model({**tensors, **saved_state.random_state()}, os.path.join(folder, "optimizer.safetensors"))
    state = {
        "format": FORMAT,
        **{name: getattr(trainer.state, name) for name in POSITION},
        "optimizer": values,
        "schedule": saved_state.schedule_state(trainer.scheduler),
        "scaler": trainer.scaler.state_dict() if trainer.scaler is not None else None,
        "seed": getattr(trainer.batches, "seed", None),
        "data": trainer.data,
        "began": trainer.seed,
    }
    write_atomically(os.path.join(folder, "state.json"), [json.dumps(state).encode()])


# --- going on --------------------------------------------------------------------------------------------------------


def restore(trainer: "Trainer", place: str) -> None:
    """Go on from the checkpoint in the folder `place`. Everything is read and compared first: where something does not fit, nothing is
    changed. Raises TensorLogicError: TL0606 for a file that is not there, TL0604 for a damaged one, TL0602 and TL0603 for weights of
    another model."""
    path = os.path.join(place, "state.json")
    state = _state(path)
    saved = load_model(os.path.join(place, "weights.safetensors")).state_dict()
    tensors = load_model(os.path.join(place, "optimizer.safetensors")).state_dict()
    wanted = weights(trainer.roots)
    _check_weights(wanted, saved, place)
    try:
        optimizer = saved_state.fitting_optimizer_state(trainer.optimizer, tensors, state.get("optimizer"))
        schedule = saved_state.fitting_schedule_state(trainer.scheduler, state.get("schedule"))
        scaler = _fitting_scaler(trainer, state.get("scaler"))
        saved_state.check_random(tensors)
    except saved_state.Unfit as problem:
        raise _damaged(path, f"the checkpoint {place} does not fit this training: {problem}") from None
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(distributed.like(tensor, saved[name]))  # type: ignore[arg-type]
    trainer.optimizer.load_state_dict(saved_state.spread(trainer.optimizer, optimizer))
    if schedule is not None:
        trainer.scheduler.load_state_dict(schedule)
    if scaler is not None:
        trainer.scaler.load_state_dict(scaler)  # type: ignore[union-attr]
    if state.get("seed") is not None and hasattr(trainer.batches, "seed"):
        trainer.batches.seed = state["seed"]
    _compare_data(trainer, state, place)
    trainer.seed = trainer.seed if state.get("began") is None else state["began"]
    trainer.state.step, trainer.state.epoch, trainer.state.batch = (state[name] for name in POSITION)
    saved_state.restore_random(tensors)


def _state(path: str) -> dict[str, Any]:
    """What `state.json` says, so far as any training can tell whether it is right."""
    found = json_value(path, whole_text(path, MAX_JSON))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _damaged(path, f"{path} is not the state of a training, or of another version")
    bad = [name for name in POSITION if type(found.get(name)) is not int or found[name] < 0]
    bad += [name for name in ("seed", "began") if type(found.get(name)) not in (int, type(None))]
    if bad:
        raise _damaged(path, f"{path} is damaged: its `{bad[0]}` is no number")
    return found


def _compare_data(trainer: "Trainer", state: dict[str, Any], place: str) -> None:
    """A notice where the training goes on with other data, which somebody may have changed on purpose."""
    if state.get("data") in (None, trainer.data) or not distributed.is_first():
        return
    began = state.get("began")
    advice = f"; made of random numbers they are the same with `--seed {began}`" if began not in (None, torch.initial_seed()) else ""
    print(f"tlc: the data are not those of the training in {place}{advice}", file=sys.stderr)


def _fitting_scaler(trainer: "Trainer", saved: Any) -> dict[str, Any] | None:
    current = trainer.scaler.state_dict() if trainer.scaler is not None else None
    if not saved_state.alike(saved, current):
        raise saved_state.Unfit("its precision is another one")
    return saved


def _damaged(path: str, title: str) -> TensorLogicError:
    return TensorLogicError(Diagnostic("TL0604", title, file=path, help=("name an older checkpoint with `resume`, or move this one away",)))


def _check_weights(wanted: dict[str, Tensor], saved: dict[str, Any], place: str) -> None:
    """TL0602, TL0603 and TL0302 where the saved tensors are of another model."""
    missing, more = sorted(wanted.keys() - saved.keys()), sorted(saved.keys() - wanted.keys())
    if missing or more:
        word = f"has no `{missing[0]}`" if missing else f"has `{more[0]}`, which the program has not"
        raise TensorLogicError(Diagnostic("TL0602", f"the checkpoint {place} is of another model: it {word}"))
    for name, tensor in wanted.items():
        found = saved[name]
        if found.shape != tensor.shape:
            title = f"`{name}` is {list(found.shape)} in the checkpoint {place}, and {list(tensor.shape)} in the program"
            raise TensorLogicError(Diagnostic("TL0603", title))
        if found.dtype != tensor.dtype:
            title = f"`{name}` is {found.dtype} in the checkpoint {place}, and {tensor.dtype} in the program"
            raise TensorLogicError(Diagnostic("TL0302", title.replace("torch.", "")))
