"""Ctrl-C during a training: the first one waits for the end of the step, so that what is saved is a whole step."""

import signal
import sys
import threading
from types import FrameType
from typing import Any


class Interrupts:
    """`asked` says whether Ctrl-C was pressed since the block was entered. Pressed once more, it stops at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if sys.stderr.isatty():
            sys.stderr.write("\nstopping after this step (Ctrl-C again: at once)\n")
