"""Text from files, plain or packed with gzip: read whole, within limits, as UTF-8; what is wrong is said with file and line."""

import gzip
import io
import os
import zlib

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats import FormatError
from tensorlogic.formats.files import located, opened

MAX_BYTES = 1 << 30
MAX_UNPACKED = 1 << 28  # a small file can unpack to a thousand times its size


def read_text(path: str) -> str:
    """The text of a UTF-8 file; `.gz` is unpacked; line ends become `\\n`. TL0606 not there, TL0604 empty, too large or no text."""
    text = whole_text(path)
    if not text:
        raise refused(path, None, "is empty")
    return text


def whole_text(path: str, limit: int = MAX_BYTES) -> str:
    """The same, empty files too."""
    data = whole_bytes(path, limit)
    data = _unpacked(path, data) if path.endswith(".gz") else data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise refused(path, line, f"is not UTF-8 text: byte {problem.start} is {data[problem.start]:#04x}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refused(path: str, line: int | None, reason: str, advice: str = "") -> TensorLogicError:
    """TL0604 about a line of a file, or the file."""
    place = _near(path) if line is None else f"{_near(path)}:{line}"
    return TensorLogicError(FormatError("TL0604", place, reason, advice=advice).diagnostic())


def _near(path: str) -> str:
    """As somebody in the working folder would say it."""
    near = os.path.relpath(path) if path else path
    return path if near.startswith("..") else near


def whole_bytes(path: str, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file."""
    try:
        with located(path), opened(path) as (descriptor, size):
            if size > limit:
                raise FormatError("TL0604", path, f"has {size:,} bytes; the limit is {limit:,}")
            with os.fdopen(os.dup(descriptor), "rb") as file:
                return file.read(limit)
    except FormatError as problem:
        raise TensorLogicError(problem.diagnostic()) from None


def _unpacked(path: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            found = file.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise refused(path, None, f"is not a whole gzip file: {problem}") from None
    if len(found) > MAX_UNPACKED:
        raise refused(path, None, f"unpacks to more than {MAX_UNPACKED:,} bytes", "unpack it beforehand")
    return found
