"""Trainings that send their own process a signal in the middle of a step, as a person or a machine does that ends it.

`killed.py FOLDER STOP SIGNAL [FOLDER STOP SIGNAL ...]` runs one after the other, each in a fork of this process, which itself computes
nothing (a fork of one that does may wait for threads that it has not); it prints their exit codes.
"""

import os
import signal
import sys
from typing import Any

import torch

from tensorlogic.runtime import training
from tests.training.conftest import Rows, loss_of, net


def train(folder: str, stop: int, number: int) -> None:
    """Twelve steps; the signal `number`, if it is not 0, comes between the two batches of step `stop`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = net(dropout=0.3)
    torch.manual_seed(11)
    done = 0

    def objective(batch: Any) -> torch.Tensor:
        nonlocal done
        done += 1
        if done == 2 * stop and number:
            os.kill(os.getpid(), number)
        return loss_of(model, batch)

    training.fit(
        objective,
        [("net", model)],
        Rows(),
        optimizer=training.rule(training.adamw, lr=1e-2),
        schedule=training.rule(training.warmup_cosine, warmup=3),
        steps=12,
        accumulate=2,
        clip_grad_norm=1.0,
        validate=training.every(5, lambda: torch.rand(()) + model(torch.ones(1, 3)).sum()),
        checkpoint=training.every(3, os.path.join(folder, "ck")),
        log=os.path.join(folder, "log.jsonl"),
        resume="auto",
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def run(folder: str, stop: int, number: int) -> int:
    """The exit code of a process that trains."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(folder, stop, number)
            code = 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    import torch._dynamo  # what an optimizer imports at its first step, once for all

    given = iter(sys.argv[1:])
    print(*(run(folder, int(stop), int(number)) for folder, stop, number in zip(given, given, given, strict=True)))
