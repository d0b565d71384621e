"""The log of a training as TensorBoard reads it, where TensorBoard is installed."""

from typing import Any

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

_NO_SERIES = ("step", "epoch")


class Board:
    """Events in a folder: one series for each number of a step. What an interrupted training logged behind `step` is hidden."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._writer: Any = None

    def start(self, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            help = ("install the package `tensorboard`, or log to a file such as `log.jsonl`",)
            raise TensorLogicError(Diagnostic("TL0305", f"a log to the folder {self.folder} needs TensorBoard", help=help)) from None
        self._writer = SummaryWriter(self.folder, purge_step=step + 1)

    def write(self, entry: dict[str, Any]) -> None:
        for name, value in entry.items():
            if name not in _NO_SERIES and value is not None:
                self._writer.add_scalar(name, value, entry["step"])

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
