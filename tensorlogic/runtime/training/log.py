"""The log of a training: one JSON object per step and line."""

import json
import os
import time
from typing import Any


class Log:
    """Lines go to `path`, where there is one. A training that goes on continues the file behind its own step."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.file: Any = None
        self.began = time.monotonic()

    def start(self, step: int) -> None:
        """Forget what an interrupted training logged behind `step`, from which it goes on; a new training starts a new file."""
        if self.path is None:
            return
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        kept = _lines_up_to(self.path, step) if step else []
        self.file = open(self.path, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the training
        self.file.writelines(kept)
        self.file.flush()

    def write(self, entry: dict[str, Any]) -> None:
        if self.file is not None:
            self.file.write(json.dumps({**entry, "seconds": round(time.monotonic() - self.began, 3)}) + "\n")
            self.file.flush()

    def flush(self) -> None:
        if self.file is not None:
            self.file.flush()
            os.fsync(self.file.fileno())


def _lines_up_to(path: str, step: int) -> list[str]:
    """The whole lines of steps that the checkpoint has; the last line of a killed process may be broken."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    return [line for line in lines if line.endswith("\n") and _step(line) <= step]


def _step(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
