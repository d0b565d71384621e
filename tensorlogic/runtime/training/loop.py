"""The loop behind `learn`: objective, gradients, optimizer step, and what happens between steps."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.training.checkpoint import Checkpoints
from tensorlogic.runtime.training.log import Log
from tensorlogic.runtime.training.nonfinite import where_it_began
from tensorlogic.runtime.training.optimizers import Rule, learnable
from tensorlogic.runtime.training.progress import Progress


@dataclass(frozen=True, slots=True)
class Every:
    """What happens after each `steps` steps: a function that is called, or a folder that is saved to."""

    steps: int
    action: Any


@dataclass(slots=True)
class Plan:
    """The options of one `learn` block, by their names in the language."""

    optimizer: Any
    schedule: Rule | None = None
    epochs: int | None = None
    steps: int | None = None
    clip_grad_norm: float | None = None
    accumulate: int = 1
    precision: torch.dtype | None = None
    validate: Every | None = None
    checkpoint: Every | None = None
    log: str | None = None
    resume: Any = None


@dataclass(slots=True)
class State:
    """Where a training stands: steps done, the epoch, batches done in it."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    last: dict[str, float] = field(default_factory=dict)


def fit(objective: Callable, roots: Sequence[tuple[str, Any]], batches: Iterable | None = None, params: Any = None, **options: Any) -> None:
    """Make the objective small. `roots` are what it reaches, by name: modules and tensors; `params` what learns of them (all).

    `objective` takes a batch where there are `batches`, and gives a scalar tensor. `options` are those of `Plan`. Raises
    TensorLogicError: TL0305 without anything to learn, TL0803 at a loss that is not finite, TL0604 for a checkpoint that does not fit.
    """
    plan = Plan(**{"optimizer": None, **options})
    Trainer(objective, tuple(roots), batches, learnable(params if params is not None else [thing for _, thing in roots]), plan).run()


class Trainer:
    """One training. Steps are optimizer steps; each takes `accumulate` batches."""

    def __init__(self, objective: Callable, roots: tuple[tuple[str, Any], ...], batches: Any, params: list[Tensor], plan: Plan) -> None:
        self.objective, self.roots, self.batches, self.plan = objective, roots, batches, plan
        self.params = params
        self.optimizer = plan.optimizer(params) if isinstance(plan.optimizer, Rule) else plan.optimizer
        self.total = self._total()
        self.scheduler = plan.schedule(self.optimizer, total=self.total) if isinstance(plan.schedule, Rule) else plan.schedule
        self.scaler = torch.amp.GradScaler(self.device.type) if plan.precision is torch.float16 else None
        self.state = State()
        self.checkpoints = Checkpoints(plan.checkpoint.action, plan.checkpoint.steps) if plan.checkpoint else None
        self.log = Log(plan.log)

    @property
    def device(self) -> torch.device:
        return self.params[0].device

    def _total(self) -> int:
        """Optimizer steps of the whole training."""
        plan = self.plan
        if plan.steps is not None:
            return plan.steps
        return (plan.epochs or 0) * math.ceil(self._batches_of_an_epoch() / plan.accumulate)

    def _batches_of_an_epoch(self) -> int:
        return 1 if self.batches is None else len(self.batches)

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        if self.checkpoints is not None and self.plan.resume:
            self.checkpoints.restore(self, self.plan.resume)
        self.log.start(self.state.step)
        with Progress(self.total, self.state.step) as progress:
            try:
                self._epochs(progress)
            except KeyboardInterrupt:
                self._save()
                raise
        self._save()

    def _epochs(self, progress: Progress) -> None:
        while self.state.step < self.total:
            for group in self._steps_of_an_epoch():
                loss = self._step(group)
                self.state.step += 1
                self.state.batch += len(group)
                self._between(loss, group, progress)
                if self.state.step >= self.total:
                    return
            self.state.epoch, self.state.batch = self.state.epoch + 1, 0

    def _steps_of_an_epoch(self) -> Iterator[list[Any]]:
        """The batches of each step; after a resume, those that are still to come."""
        if self.batches is None:
            yield [None] * self.plan.accumulate
            return
        group: list[Any] = []
        for batch in self.batches.epoch(self.state.epoch, skip=self.state.batch):
            group.append(batch)
            if len(group) == self.plan.accumulate:
                yield group
                group = []
        if group:
            yield group

    def _step(self, group: list[Any]) -> float:
        """Gradients of the batches, then one step of the optimizer; the mean loss."""
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in group:
            total += self._gradients(batch, len(group))
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        if self.plan.clip_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.params, self.plan.clip_grad_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        if self.scheduler is not None:
            self.scheduler.step()
        return total / len(group)

    def _gradients(self, batch: Any, parts: int) -> float:
        random = torch.get_rng_state()
        with self._precision():
            loss = self._loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            self._stop(batch, random, value)
        scaled = loss / parts if parts > 1 else loss
        (scaled if self.scaler is None else self.scaler.scale(scaled)).backward()
        return value

    def _loss(self, batch: Any) -> Tensor:
        loss = self.objective() if self.batches is None else self.objective(batch)
        if not loss.requires_grad:
            help = ("what it computes must reach a `param`, or a `learnable` tensor",)
            raise TensorLogicError(Diagnostic("TL0305", "the objective depends on nothing that learns", help=help))
        return loss.reshape(())

    def _precision(self) -> AbstractContextManager:
        wanted = self.plan.precision
        return nullcontext() if wanted in (None, torch.float32) else torch.autocast(self.device.type, dtype=wanted)

    def _stop(self, batch: Any, random: Tensor, value: float) -> None:
        """TL0803: a loss that is not a number, with the step and the operation that gave the first such number."""
        torch.set_rng_state(random)
        with self._precision():
            origin = where_it_began(lambda: self._loss(batch))
        kept = self.checkpoints.latest() if self.checkpoints is not None else None
        notes = tuple(filter(None, (origin.words, f"the checkpoint {kept} is kept" if kept else "")))
        told = TensorLogicError(Diagnostic("TL0803", f"the loss is {value} at step {self.state.step + 1}", notes=notes))
        raise told.with_traceback(origin.traceback)

    # --- between steps ------------------------------------------------------------------------------------------------

    def _between(self, loss: float, group: list[Any], progress: Progress) -> None:
        state, plan = self.state, self.plan
        rate = self.optimizer.param_groups[0]["lr"]
        entry: dict[str, Any] = {"step": state.step, "epoch": state.epoch, "loss": loss, "lr": rate}
        if plan.validate is not None and state.step % plan.validate.steps == 0:
            entry["validation"] = self._validate(plan.validate.action)
        state.last = entry
        self.log.write(entry)
        progress.show(state.step, entry, sum(_size(batch) for batch in group))
        if self.checkpoints is not None and state.step % self.checkpoints.every == 0:
            self._save()

    def _validate(self, action: Callable) -> float:
        """In evaluation mode and without gradients; the modes and the random numbers are afterwards as they were."""
        modules = [m for _, thing in self.roots if isinstance(thing, torch.nn.Module) for m in thing.modules()]
        modes = [m.training for m in modules]
        for module in modules:
            module.training = False
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                return float(action())
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode

    def _save(self) -> None:
        if self.checkpoints is not None:
            self.log.flush()
            self.checkpoints.save(self)


def _size(batch: Any) -> int:
    """How many samples a batch has: the first size of its first tensor."""
    first = batch
    while first is not None and not isinstance(first, Tensor):
        first = next(iter(first), None) if isinstance(first, list | tuple) else next(iter(vars(first).values()), None)
    return first.shape[0] if isinstance(first, Tensor) and first.ndim else 1
