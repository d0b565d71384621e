"""The progress of a training: one line on stderr, written only where a person sees it."""

import sys
import time
from typing import Any

WIDTH = 24
PAUSE = 0.1  # seconds between two looks


class Progress:
    """A bar with loss, learning rate, samples per second and the time left."""

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.first = total, done
        self.seen = sys.stderr.isatty()
        self.start = self.shown = time.monotonic()
        self.samples = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.seen and self.shown > self.start:
            sys.stderr.write("\n")

    def show(self, step: int, entry: dict[str, Any], samples: int) -> None:
        self.samples += samples
        now = time.monotonic()
        if not self.seen or (now - self.shown < PAUSE and step < self.total):
            return
        self.shown = now
        sys.stderr.write(f"\r\x1b[2K{self._line(step, entry, now - self.start)}")
        sys.stderr.flush()

    def _line(self, step: int, entry: dict[str, Any], seconds: float) -> str:
        done = step / max(1, self.total)
        bar = ("█" * round(done * WIDTH)).ljust(WIDTH, "░")
        rate = (step - self.first) / max(seconds, 1e-9)
        left = (self.total - step) / max(rate, 1e-9)
        validation = f"  val {entry['validation']:.4f}" if "validation" in entry else ""
        speed = f"{self.samples / max(seconds, 1e-9):,.0f}/s"
        return f"{bar} {step}/{self.total}  loss {entry['loss']:.4f}  lr {entry['lr']:.2e}{validation}  {speed}  {_time(left)} left"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
