"""The loop behind `learn`: objective, gradients, optimizer step, and what happens between steps."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime import distributed
from tensorlogic.runtime.training.checkpoint import Checkpoints, named, restore
from tensorlogic.runtime.training.culprit import bad_number, out_of_range
from tensorlogic.runtime.training.interrupt import Interrupts
from tensorlogic.runtime.training.log import open_log
from tensorlogic.runtime.training.nonfinite import first_bad, where_it_began
from tensorlogic.runtime.training.optimizers import Rule
from tensorlogic.runtime.training.owners import claim
from tensorlogic.runtime.training.plan import Plan
from tensorlogic.runtime.training.progress import Progress
from tensorlogic.runtime.training.roots import Roots, learnable, modules, top_modules, unnamed, with_params


@dataclass(slots=True)
class State:
    """Where a training stands: steps done, the epoch, batches done in it."""

    step: int = 0
    epoch: int = 0
    batch: int = 0


def fit(objective: Callable, roots: Sequence[tuple[str, Any]], batches: Iterable | None = None, params: Any = None, **options: Any) -> None:
    """Make the objective small. `roots` are what it reaches, by name: modules and tensors; `params` what learns of them (all).

    `objective` takes a batch where there are `batches`, and gives a scalar tensor. `options` are those of `Plan`. A batch source has the
    batches of an epoch as its `len`, and `epoch(number, skip)`, which gives them in the order of that epoch without the first `skip`.
    Gradients of everything that learns are taken while it runs, and given up at its end. Raises TensorLogicError: TL0305 without anything
    to learn, TL0801 for an option out of range, TL0803 at a loss that is not finite, TL0602, TL0603, TL0604 or TL0606 for a checkpoint
    that does not fit.
    """
    Trainer(objective, tuple(roots), batches, params, Plan(**{"optimizer": None, **options})).run()


class Trainer:
    """One training. Steps are optimizer steps; each takes `accumulate` batches."""

    def __init__(self, objective: Callable, roots: Roots, batches: Any, params: Any, plan: Plan) -> None:
        plan.check()
        _spread(plan, roots)
        self.objective, self.batches, self.plan = objective, batches, plan
        self.optimizer = _optimizer(plan, params if params is not None else [thing for _, thing in roots], params is not None)
        self.params: list[Tensor] = [tensor for group in self.optimizer.param_groups for tensor in group["params"]]
        self.all = params is None and isinstance(plan.optimizer, Rule)  # every learnable tensor that the objective reaches learns
        self.roots = with_params(roots, self.params if params is None else params)
        self.total = self._total()
        self.scheduler = self._scheduler()
        self.scaler = torch.amp.GradScaler(self.device.type) if plan.precision is torch.float16 else None
        self.state = State()
        self.checkpoints = Checkpoints(plan.checkpoint.action, plan.checkpoint.steps) if plan.checkpoint else None
        self.saved: str | None = None  # the checkpoint of the step that the training stands at
        self.log = open_log(plan.log if distributed.is_first() else None)
        self._claim()
        self.seed = torch.initial_seed()  # with which the training began, also when it goes on in another process
        self.data: str | None = batches.fingerprint() if self.checkpoints and hasattr(batches, "fingerprint") else None

    @property
    def device(self) -> torch.device:
        return self.params[0].device

    def _claim(self) -> None:
        """Folder and log are this `learn`'s own."""
        if self.checkpoints is not None:
            claim("checkpoint", self.checkpoints.folder, self.objective)
        if self.plan.log:
            claim("log", self.plan.log, self.objective)

    def _total(self) -> int:
        """Optimizer steps of the whole training."""
        batches = 1 if self.batches is None else len(self.batches)
        if not batches:
            raise TensorLogicError(Diagnostic("TL0311", "there are no batches to learn from"))
        each = 1 if self.batches is None else math.ceil(batches / self.plan.accumulate)
        ends = (self.plan.steps, self.plan.epochs and self.plan.epochs * each)
        return min(end for end in ends if end is not None)

    def _scheduler(self) -> Any:
        schedule = self.plan.schedule
        if isinstance(schedule, Rule):
            return schedule(self.optimizer, total=self.total)
        if schedule is not None and schedule.optimizer is not self.optimizer:
            help = ("leave the optimizer out: `schedule: warmup_cosine(warmup: 100)`",)
            raise TensorLogicError(Diagnostic("TL0305", "the schedule is made for another optimizer", help=help))
        return schedule

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        with distributed.together():
            self._run()

    def _run(self) -> None:
        self._start()
        try:
            with Progress(self.total, self.state.step) as progress, Interrupts() as interrupts, self._own_random():
                self._epochs(progress, interrupts)
            self._check_weights()
            self._save()
        finally:
            self._forget_gradients()
            self.log.close()

    def _start(self) -> None:
        resume = self.plan.resume
        newest = self.checkpoints.latest() if self.checkpoints is not None else None
        place = named(resume) if isinstance(resume, str) and resume != "auto" else newest if resume else None
        if place is not None:
            restore(self, place)
            self.saved = place if place == newest else None
        if self.checkpoints is not None and distributed.is_first():
            self.checkpoints.start(self.state.step)
        distributed.wait()
        self.log.start(self.state.step)

    def _epochs(self, progress: Progress, interrupts: Interrupts) -> None:
        state = self.state
        while state.step < self.total:
            for group in self._steps_of_an_epoch():
                rate = self.optimizer.param_groups[0]["lr"]
                loss = self._step(group)
                state.step, state.batch, self.saved = state.step + 1, state.batch + len(group), None
                self._between({"step": state.step, "epoch": state.epoch, "loss": loss, "lr": rate}, group, progress)
                if interrupts.asked():
                    self._interrupted()
                if state.step >= self.total:
                    return
            state.epoch, state.batch = state.epoch + 1, 0

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
        self._forget_gradients()
        if distributed.count() > 1 and not self.plan.tensor_parallel:
            torch.manual_seed(self.seed + self.state.step * distributed.count() + distributed.rank())
        total = 0.0
        for batch in group:
            total += self._gradients(batch, len(group))
        if distributed.count() > 1 and not self.plan.tensor_parallel:
            distributed.sum_gradients(self.params)
            total = distributed.total(total)
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        if self.plan.clip_grad_norm is not None:
            clip = distributed.clip if distributed.count() > 1 else torch.nn.utils.clip_grad_norm_
            clip(self.params, self.plan.clip_grad_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        if self.scheduler is not None:
            self.scheduler.step()
        return total / len(group)

    def _forget_gradients(self) -> None:
        """Also of what learns, but not in this training: its gradients would add up."""
        self.optimizer.zero_grad(set_to_none=True)
        for tensor in learnable([thing for _, thing in self.roots]):
            tensor.grad = None

    def _gradients(self, batch: Any, parts: int) -> float:
        """Those of one batch, or of this process's share of it; the loss, times its part of the whole."""
        share = distributed.share(batch) if not self.plan.tensor_parallel else distributed.Share(batch, 1.0)
        batch, part = share.batch, share.part
        random = torch.get_rng_state()
        try:
            with self._precision():
                loss = self._loss(batch)
        except IndexError:
            self._tell_out_of_range(batch, random)
            raise
        value = loss.item()
        if not math.isfinite(value):
            self._stop(batch, random, value)
        weight = part * (distributed.count() if self.plan.distributed == "fsdp" else 1) / parts  # FSDP takes the mean over processes
        scaled = loss * weight if weight != 1.0 else loss
        (scaled if self.scaler is None else self.scaler.scale(scaled)).backward()
        return value * part

    def _loss(self, batch: Any) -> Tensor:
        loss = self.objective() if self.batches is None else self.objective(batch)
        if loss.numel() != 1:
            help = ("reduce it with `mean(...)` or `sum(...)`",)
            raise TensorLogicError(Diagnostic("TL0306", f"the objective is one number, found {list(loss.shape)}", help=help))
        if not loss.requires_grad:
            help = ("what it computes must reach a `param`, or a `learnable` tensor",)
            raise TensorLogicError(Diagnostic("TL0305", "the objective depends on nothing that learns", help=help))
        if self.all and not self.plan.distributed and not self.plan.tensor_parallel:  # whose weights are others inside a module
            self.all = False
            self._check_reached(loss)
        return loss.reshape(())

    def _check_reached(self, loss: Tensor) -> None:
        """What a function value hides from the compiler is not left out in silence."""
        if (hidden := unnamed(loss, self.params)) is not None:
            help = ("list what learns: `params: model`",)
            title = f"the objective reaches a learnable tensor {list(hidden.shape)} through a function value"
            raise TensorLogicError(Diagnostic("TL0305", title, help=help))

    def _precision(self) -> AbstractContextManager:
        wanted = self.plan.precision
        return nullcontext() if wanted in (None, torch.float32) else torch.autocast(self.device.type, dtype=wanted)

    # --- numbers that are none ----------------------------------------------------------------------------------------

    def _stop(self, batch: Any, random: Tensor, value: float) -> None:
        """TL0803: a loss that is not a number, with the step and the operation that gave the first such number."""
        self._check_weights()
        torch.set_rng_state(random)
        with self._precision():
            origin = where_it_began(lambda: self._loss(batch))
        told = self._not_finite(f"the loss is {value} at step {self.state.step + 1}", origin.words or bad_number(batch))
        raise told.with_traceback(origin.traceback)

    def _tell_out_of_range(self, batch: Any, random: Tensor) -> None:
        """TL0310 with the label, or the id, and its place in the batch, where that is what failed."""
        torch.set_rng_state(random)
        with self._precision():
            words, place, traceback = out_of_range(lambda: self._loss(batch), batch)
        if words:
            note = f"in the batch of step {self.state.step + 1}{place}"
            raise TensorLogicError(Diagnostic("TL0310", words, notes=(note,))).with_traceback(traceback)

    def _check_weights(self) -> None:
        """TL0803 where a step has made a weight that is not a number, which the loss shows only at the next."""
        if bad := first_bad(self.roots, self.params):
            title = f"`{bad}` is not finite after step {self.state.step}"
            raise self._not_finite(title, "the gradient or the step was too large: a lower `lr` or `clip_grad_norm` may help")

    def _not_finite(self, title: str, words: str) -> TensorLogicError:
        kept = self.checkpoints.latest() if self.checkpoints is not None else None
        notes = tuple(filter(None, (words, f"the checkpoint {kept} is kept" if kept else "")))
        return TensorLogicError(Diagnostic("TL0803", title, notes=notes))

    # --- between steps ------------------------------------------------------------------------------------------------

    def _between(self, entry: dict[str, Any], group: list[Any], progress: Progress) -> None:
        step, plan = self.state.step, self.plan
        if plan.validate is not None and step % plan.validate.steps == 0:
            entry |= self._validation(plan.validate.action)
        self.log.write(entry)
        progress.show(step, entry, group)
        if self.checkpoints is not None and step % self.checkpoints.every == 0:
            self._save()

    def _validation(self, action: Callable) -> dict[str, float | None]:
        """In evaluation mode and without gradients; the modes and the random numbers are afterwards as they were."""
        modes = [(module, module.training) for module in modules(self.roots)]
        for module, _ in modes:
            module.training = False
        try:
            with torch.no_grad(), self._kept_random():
                found = action()
        finally:
            for module, mode in modes:
                module.training = mode
        if found is None:
            return {}
        if not (isinstance(found, int | float) or (isinstance(found, Tensor) and found.numel() == 1)):
            raise TensorLogicError(Diagnostic("TL0306", "what `validate` calls gives one number, or nothing"))
        return {"validation": float(found) if math.isfinite(found) else None}

    def _own_random(self) -> AbstractContextManager:
        """Processes that share the work draw numbers of their own while they train, and the same ones again afterwards."""
        return self._kept_random() if distributed.count() > 1 else nullcontext()

    def _kept_random(self) -> AbstractContextManager:
        kind = self.device.type
        return torch.random.fork_rng([self.device] if kind == "cuda" else [], device_type="cuda")

    def _save(self) -> None:
        if self.checkpoints is not None and self.saved is None:
            self._check_weights()
            self.log.flush()
            self.saved = self.checkpoints.save(self)

    def _interrupted(self) -> None:
        self._save()
        saved = f"; it goes on from {self.saved} with `resume: auto`" if self.saved else ""
        print(f"tlc: stopped after step {self.state.step}{saved}", file=sys.stderr)
        raise KeyboardInterrupt


def _spread(plan: Plan, roots: Roots) -> None:
    """Shards or splits the models before the optimizer is made of their weights."""
    if plan.distributed == "fsdp":
        distributed.shard(top_modules(roots))
    if plan.tensor_parallel:
        distributed.split_linear_layers(top_modules(roots))


def _optimizer(plan: Plan, params: Any, given: bool) -> torch.optim.Optimizer:
    if isinstance(plan.optimizer, Rule):
        return plan.optimizer(params)
    if given:
        help = ("leave `params` out, or leave them out of the optimizer",)
        raise TensorLogicError(Diagnostic("TL0601", "the optimizer has its parameters already", help=help))
    return plan.optimizer
