"""The textbook's GPT-2 trained on the ids of a text in plain PyTorch: the side of `verdict.py` that is not ours."""

import time
from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from models.gpt2_book import GPT
from torch import Tensor
from torch.nn.functional import cross_entropy


def windows(ids: Tensor, length: int) -> Tensor:
    """Rows [N, length + 1] side by side: the inputs, and one more for the targets."""
    starts = range(0, len(ids) - length, length)
    return torch.stack([ids[start : start + length + 1] for start in starts])


def loss_of(model: GPT, rows: Tensor) -> Tensor:
    return cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())


@torch.no_grad()
def evaluate(model: GPT, batches: Sequence[Tensor]) -> float:
    """The mean loss of batches in evaluation mode."""
    model.eval()
    found = sum(loss_of(model, rows).item() for rows in batches) / len(batches)
    model.train()
    return found


def train(
    rows: Tensor, orders: Sequence[Tensor], sizes: Sequence[int], drop: float, batch: int, steps: int, every: int, lr: float, seed: int
) -> Iterator[tuple[int, float, float | None, float]]:
    """Train, and yield after each step its number, its loss, the evaluation where there is one, and the seconds so far.

    `rows` are windows, `orders` the order of each epoch, `sizes` those of the model.
    """
    torch.manual_seed(seed)
    model = GPT(*sizes, drop=drop)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1)
    count = len(rows) // batch
    seen = rows[: min(5, count) * batch].split(batch)
    groups = chain.from_iterable(order[: count * batch].split(batch) for order in orders)
    began = time.monotonic()
    for step, group in zip(range(1, steps + 1), groups, strict=False):
        optimizer.zero_grad()
        loss = loss_of(model, rows[group])
        loss.backward()
        optimizer.step()
        looked = evaluate(model, seen) if step == 1 or step % every == 0 or step == steps else None
        yield step, loss.item(), looked, time.monotonic() - began
