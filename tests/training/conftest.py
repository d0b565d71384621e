"""A small training that every test of `learn` at run time varies: a network, its batches, and the plain PyTorch loop beside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

ROWS, SIZE = 22, 4


class Rows:
    """Batches of fixed rows, shuffled anew in each epoch from a seed of its own."""

    def __init__(self, size: int = SIZE, seed: int = 5) -> None:
        numbers = torch.Generator().manual_seed(1)
        self.x, self.y = torch.randn(ROWS, 3, generator=numbers), torch.randn(ROWS, 2, generator=numbers)
        self.size, self.seed = size, seed

    def __len__(self) -> int:
        return -(-ROWS // self.size)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Any]:
        order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(self.seed * 1000 + number)).split(self.size)
        return (SimpleNamespace(x=self.x[rows], y=self.y[rows]) for rows in order[skip:])


class Net(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.up, self.down, self.drop = nn.Linear(3, 8), nn.Linear(8, 2), nn.Dropout(dropout)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.down(self.drop(torch.tanh(self.up(x))))


def net(dropout: float = 0.0) -> Net:
    torch.manual_seed(3)
    return Net(dropout)


def loss_of(model: nn.Module, batch: Any) -> Tensor:
    return nn.functional.mse_loss(model(batch.x), batch.y)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
