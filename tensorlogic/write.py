"""Writing a text file so that it is there whole or as it was: a temporary file beside it, flushed, then renamed over it."""

import os
import tempfile
from contextlib import suppress


def replace_text(path: str, text: str) -> None:
    """Replace the file behind a path (links are followed), keeping its permissions. OSError where it cannot be written."""
    place = os.path.realpath(path)
    replace_file(place, text.encode(), permissions(place))


def permissions(place: str) -> int:
    """Those of the file that is there, else what a new file gets."""
    with suppress(FileNotFoundError):
        return os.stat(place).st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def replace_file(place: str, content: bytes, mode: int) -> None:
    folder = os.path.dirname(place)
    if os.path.exists(place) and not os.path.isfile(place):
        raise OSError(0, "it is no regular file")
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".tlc-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
    flush_folder(folder)


def flush_folder(folder: str) -> None:
    """So that the new name survives a crash of the machine; not every file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
