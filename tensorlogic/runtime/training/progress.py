"""The progress of a training: one line on stderr, written only where a person sees it."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from tensorlogic.runtime import distributed

BAR = 24
PAUSE = 0.1  # seconds between two looks
MARGIN = 1  # terminals wrap a line that fills the last column


class Progress:
    """A bar with loss, learning rate, samples per second and the time left, as much of it as the terminal is wide."""

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.first = total, done
        self.seen = sys.stderr.isatty() and distributed.is_first()
        self.start = self.shown = time.monotonic()
        self.done, self.unit = 0, "samples"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.seen and self.shown > self.start:
            sys.stderr.write("\n")

    def show(self, step: int, entry: dict[str, Any], group: list[Any]) -> None:
        """After a step. `group` are its batches."""
        if not self.seen:
            return
        counted = [_amount(batch) for batch in group]
        self.done, self.unit = self.done + sum(amount for amount, _ in counted), counted[0][1]
        now = time.monotonic()
        if now - self.shown < PAUSE and step < self.total:
            return
        self.shown = now
        sys.stderr.write(f"\r\x1b[2K{fitted(self._parts(step, entry, now - self.start), _columns() - MARGIN)}")
        sys.stderr.flush()

    def _parts(self, step: int, entry: dict[str, Any], seconds: float) -> list[str]:
        """The bar, and what stands behind it, the most important first."""
        rate = (step - self.first) / max(seconds, 1e-9)
        validation = [f"val {entry['validation']:.4f}"] if entry.get("validation") is not None else []
        return [
            ("█" * round(step / max(1, self.total) * BAR)).ljust(BAR, "░"),
            f"{step}/{self.total}",
            f"loss {entry['loss']:.4f}",
            f"lr {entry['lr']:.2e}",
            *validation,
            f"{self.done / max(seconds, 1e-9):,.0f} {self.unit}/s",
            f"{_time((self.total - step) / max(rate, 1e-9))} left",
        ]


def fitted(parts: Sequence[str], columns: int) -> str:
    """The parts in one line: without the bar where the line is too short for it, then without the last ones; cut at worst."""
    shown = "  ".join(parts)
    if len(shown) <= columns:
        return shown
    rest = [*parts[1:]]
    while len(rest) > 1 and len("  ".join(rest)) > columns:
        rest.pop()
    return "  ".join(rest)[: max(0, columns)]


def _columns() -> int:
    """Of the terminal as it is now. One that does not say (0) is taken for a wide one."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _amount(batch: Any) -> tuple[int, str]:
    """How much a batch is: the tokens of integers [B, T], otherwise the first size of its first tensor."""
    first = next((leaf for leaf in tree_leaves(vars(batch) if hasattr(batch, "__dict__") and not isinstance(batch, Tensor) else batch)
                  if isinstance(leaf, Tensor) and leaf.ndim), None)  # fmt: skip
    if first is None:
        return 1, "steps"
    return (first.numel(), "tokens") if first.ndim == 2 and not first.is_floating_point() else (first.shape[0], "samples")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
