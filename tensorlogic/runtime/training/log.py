"""The log of a training: one JSON object per step and line, or the events of TensorBoard."""

import json
import os
import time
from contextlib import suppress
from typing import Any

from tensorlogic.runtime.training.board import Board
from tensorlogic.runtime.weights.atomic import write_atomically, write_errors


def open_log(path: str | None) -> "Log | Board":
    """A folder, or a path that ends in `/`, is a log for TensorBoard; any other path is a file of lines; none, or "", is no log."""
    return Board(path) if path and (path.endswith("/") or os.path.isdir(path)) else Log(path or None)


class Log:
    """Lines go to `path`, where there is one. A training that goes on continues the file behind its own step."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.file: Any = None
        self.began = time.monotonic()

    def start(self, step: int) -> None:
        """Forget what an interrupted training logged behind `step`, from which it goes on; a new training starts a new file.
        The file is replaced at once: whoever kills the process loses no line. TL0604 where it cannot be written."""
        if self.path is None:
            return
        with write_errors(self.path):
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            kept = _entries_up_to(self.path, step) if step else []
            write_atomically(self.path, [line for line, _ in kept])
            self.file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 - open as long as the training
        self.began -= _seconds(kept[-1][1]) if kept else 0.0

    def write(self, entry: dict[str, Any]) -> None:
        """TL0604 where the disk is full."""
        if self.path is None or self.file is None:
            return
        with write_errors(self.path):
            self.file.write(json.dumps({**entry, "seconds": round(time.monotonic() - self.began, 3)}) + "\n")
            self.file.flush()

    def flush(self) -> None:
        if self.path is None or self.file is None:
            return
        with write_errors(self.path):
            self.file.flush()
            os.fsync(self.file.fileno())

    def close(self) -> None:
        if self.file is not None:
            with suppress(OSError):  # what is still to be written was refused before
                self.file.close()


def _entries_up_to(path: str, step: int) -> list[tuple[bytes, dict[str, Any]]]:
    """The whole lines of steps that the checkpoint has; the last line of a killed process may be broken."""
    try:
        with open(path, "rb") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    read = [(line, _entry(line)) for line in lines if line.endswith(b"\n")]
    return [(line, entry) for line, entry in read if type(entry.get("step")) is int and entry["step"] <= step]


def _entry(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(entry: dict[str, Any]) -> float:
    found = entry.get("seconds")
    return float(found) if isinstance(found, int | float) else 0.0
