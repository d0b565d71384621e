"""Files that are there whole or as they were: written beside their place, flushed to the disk, then renamed over it."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress

SUFFIX = ".tlc-tmp"
Chunk = bytes | bytearray | memoryview


def replace_text(path: str, text: str) -> None:
    """Replace the file behind a path. OSError where it cannot be written."""
    replace_behind(path, text.encode())


def replace_behind(path: str, content: bytes) -> None:
    """Replace the file that a path leads to (links are followed), keeping its permissions. OSError where it cannot be written."""
    place = os.path.realpath(path)
    mode = None
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(place).st_mode)
    replace_file(place, [content], mode)


def replace_file(path: str, chunks: Iterable[Chunk], mode: int | None = None) -> None:
    """Replace what stands at a path, a link itself too. `mode` is what a new file gets if None. On any failure, OSError or what the
    chunks raise, the old file is untouched and the temporary one gone."""
    _check_target(path)
    with suppress(OSError):
        _remove_leftovers(path)
    descriptor, temporary = _new_temporary(path)
    try:
        for chunk in chunks:
            _write_all(descriptor, chunk)
        if mode is not None:
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    with suppress(OSError):  # the file is in place; not every file system can flush a folder
        flush_folder(os.path.dirname(path) or ".")


def flush_folder(folder: str) -> None:
    """So that the names in it survive a crash of the machine. OSError where the file system cannot."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_target(path: str) -> None:
    with suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise OSError(0, "it is there already, and not a regular file")


def _prefix(path: str) -> str:
    return f".{os.path.basename(path)[:40]}."


def _new_temporary(path: str) -> tuple[int, str]:
    """(descriptor, name) of a new file beside `path`, locked as long as it is open. Its mode follows the umask."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    while True:
        temporary = os.path.join(os.path.dirname(path), f"{_prefix(path)}{secrets.token_hex(6)}{SUFFIX}")
        descriptor = os.open(temporary, flags, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # between opening and locking, another writer may have taken it for a leftover
        if os.fstat(descriptor).st_nlink == 1:
            return descriptor, temporary
        os.close(descriptor)


def _remove_leftovers(path: str) -> None:
    """Remove temporaries of `path` whose writer has died, which is when nobody holds their lock."""
    folder = os.path.dirname(path) or "."
    for name in os.listdir(folder):
        if name.startswith(_prefix(path)) and name.endswith(SUFFIX):
            _remove_if_abandoned(os.path.join(folder, name))


def _remove_if_abandoned(temporary: str) -> None:
    with suppress(OSError):
        descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(temporary)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, chunk: Chunk) -> None:
    rest = memoryview(chunk).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
