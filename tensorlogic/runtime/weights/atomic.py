"""Files of a run that are there whole or not at all, and what the system refuses of them as diagnostics."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats import FormatError
from tensorlogic.write import Chunk, flush_folder, replace_file

__all__ = ["flush_folder", "write_atomically", "write_errors"]


def write_atomically(path: str, chunks: Iterable[Chunk]) -> None:
    """Replace the file at `path` by the chunks. On any failure the old file is untouched and the temporary one gone."""
    with write_errors(path):
        replace_file(path, chunks)


@contextmanager
def write_errors(path: str) -> Iterator[None]:
    """What the system refuses becomes TL0606 (no such folder) or TL0604, and says that the old file is as it was."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        problem = FormatError("TL0606", path, "cannot be written: its folder is not there")
    except OSError as error:
        problem = FormatError("TL0604", path, f"cannot be written: {error.strerror or error}", advice="what was there before is unchanged")
    else:
        return
    raise TensorLogicError(problem.diagnostic())
