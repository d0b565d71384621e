"""A training that sends its own process a signal in the middle of a step, as a person or a machine does that ends it."""

import os
import signal
from typing import Any

import torch

from tensorlogic.runtime import training
from tests.training.conftest import Rows, loss_of, net


def train(folder: str, steps: int, stop: int, number: int) -> None:
    """Up to `steps`; the signal `number`, if it is not 0, comes between the two batches of step `stop`."""
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
        steps=steps,
        accumulate=2,
        clip_grad_norm=1.0,
        validate=training.every(5, lambda: torch.rand(()) + model(torch.ones(1, 3)).sum()),
        checkpoint=training.every(3, os.path.join(folder, "ck")),
        log=os.path.join(folder, "log.jsonl"),
        resume="auto",
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
