"""Ctrl-C during a training, or SIGTERM: the first one waits for the end of the step, so that what is saved is a whole step."""

import signal
import sys
import threading
from types import FrameType
from typing import Any

from tensorlogic.runtime import distributed

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LEFT_ALONE = (signal.SIG_IGN, None)  # as `nohup` asks for, or set by something that is not Python


class Interrupts:
    """Notes the signals that come while the block runs. The second one stops it at once."""

    def __init__(self) -> None:
        self._noted = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS if signal.getsignal(number) not in LEFT_ALONE}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether a signal came, here or in another process of the training: they stop after the same step."""
        return distributed.total(float(self._noted)) > 0 if distributed.count() > 1 else self._noted

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted:
            raise KeyboardInterrupt
        self._noted = True
        if sys.stderr.isatty() and distributed.is_first():
            sys.stderr.write("\nstopping after this step (Ctrl-C again: at once)\n")
