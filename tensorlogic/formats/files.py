"""Opening a file that a stranger may have made: regular files only, and what its first bytes say it is."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from tensorlogic.formats.errors import PICKLE_ADVICE, FormatError, Malformed

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
_PICKLE_SUFFIXES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".bin")
# protocol 0 and 1 start with a mark, an empty container or a global name in plain text
_OLD_PICKLE = re.compile(rb"\((?:dp|lp|tp|d|l|i)|[\]}](?:q.|p\d)|c[a-z_][\w.]*\n\w+\n|\([a-z_]*c[a-z_]+\n", re.DOTALL)


@contextmanager
def located(path: str) -> Iterator[None]:
    """Whatever goes wrong inside is a `FormatError` about `path`."""
    if "\0" in path:
        raise FormatError("TL0606", path, "is not a possible file name")
    try:
        yield
    except Malformed as problem:
        raise FormatError(problem.code, path, problem.reason, problem.place, problem.advice) from None
    except OSError as problem:
        missing = problem.errno in _NOT_THERE
        reason = "is not there" if missing else f"cannot be read: {problem.strerror or problem}"
        raise FormatError("TL0606" if missing else "TL0604", path, reason) from None


@contextmanager
def opened(path: str) -> Iterator[tuple[int, int]]:
    """(descriptor, size) of a regular file. A pipe or a device is refused without waiting for it."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Malformed("is not a regular file")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Malformed("is not a regular file")
        yield descriptor, status.st_size
    finally:
        os.close(descriptor)


def read_up_to(descriptor: int, count: int, offset: int) -> bytes:
    """Bytes from `offset`, fewer only where the file ends."""
    parts = []
    while count > 0 and (part := os.pread(descriptor, count, offset)):
        parts.append(part)
        count, offset = count - len(part), offset + len(part)
    return b"".join(parts)


def content_kind(start: bytes, size: int, path: str) -> str:
    """`gguf` or `safetensors`, from a file's first bytes (512 will do). Raises `Malformed` for anything else."""
    if start.startswith(b"GGUF"):
        return "gguf"
    if _looks_like_safetensors(start, size):
        return "safetensors"
    if what := _executable_content(start, path):
        raise Malformed(f"is {what}, which can run code when it is loaded, and is never opened", advice=PICKLE_ADVICE, code="TL0605")
    if path.lower().endswith(".gguf"):
        raise Malformed("does not start with the letters GGUF", "byte 0")
    return "safetensors"


def _looks_like_safetensors(start: bytes, size: int) -> bool:
    # a header of 640 bytes starts like a pickle of protocol 2, so this is asked before
    length = int.from_bytes(start[:8], "little")
    return 8 + length <= size and start[8:].lstrip(b" \t\r\n").startswith(b"{")


def _executable_content(start: bytes, path: str) -> str:
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "a zip archive, as `torch.save` writes"
    if start[257:262] == b"ustar":
        return "a tar archive, as old versions of PyTorch wrote"
    if len(start) > 2 and start[0] == 0x80 and start[1] <= 5 and start[2] != 0:
        return "a pickle"
    if _OLD_PICKLE.match(start):
        return "a pickle"
    return "not safetensors, but by its name a pickle" if path.lower().endswith(_PICKLE_SUFFIXES) else ""
