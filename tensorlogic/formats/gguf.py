"""The header of a GGUF file, read strictly: counts fit the bytes that are left, and tensors follow each other exactly."""

import mmap
from dataclasses import dataclass
from itertools import zip_longest

from tensorlogic.formats.dtypes import GGML
from tensorlogic.formats.errors import Malformed, shown
from tensorlogic.formats.gguf_values import Cursor, read_value
from tensorlogic.formats.header import ModelHeader, TensorEntry
from tensorlogic.formats.safetensors import MAX_ELEMENTS, MAX_TENSORS, count_elements

MAX_HEADER = 100 * 1024 * 1024
MAX_VALUES = 1 << 16
MAX_DIMS = 4
LEAST_VALUE, LEAST_TENSOR = 14, 25  # bytes of the shortest metadata value and tensor entry there can be
DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class _Info:
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int | None  # None where the type is one we do not know


def read_gguf(descriptor: int, size: int, path: str) -> ModelHeader:
    """The header of an open file of `size` bytes. Raises `Malformed`."""
    end = min(size, MAX_HEADER)
    with mmap.mmap(descriptor, end, access=mmap.ACCESS_READ) as data:
        cursor = Cursor(data, end)
        tensors, values = _counts(cursor)
        metadata, types = _metadata(cursor, values)
        infos = [_info(cursor) for _ in range(tensors)]
    _check_names(infos)
    alignment = _alignment(metadata, types)
    entries = _entries(infos, _aligned(cursor.at, alignment), size, alignment, path)
    return ModelHeader("gguf", path, entries, metadata, {}, types)


def _counts(cursor: Cursor) -> tuple[int, int]:
    if cursor.numbers("B", 4) != tuple(b"GGUF"):
        raise Malformed("does not start with the letters GGUF", "byte 0")
    version = int(cursor.number("I"))
    if version and version & 0xFFFF == 0:
        advice = "convert it with gguf's gguf-convert-endian"
        raise Malformed("is a big-endian GGUF file; only little-endian ones are read", "byte 4", advice)
    if version not in (2, 3):
        raise Malformed(f"is GGUF version {version}; versions 2 and 3 are read", "byte 4")
    tensors, values = cursor.numbers("Q", 2)
    for count, least, limit, what, place in (
        (tensors, LEAST_TENSOR, MAX_TENSORS, "tensors", "byte 8"),
        (values, LEAST_VALUE, MAX_VALUES, "metadata values", "byte 16"),
    ):
        if count > min(cursor.left() // least, limit):
            raise Malformed(f"declares {count:,} {what}; {cursor.left():,} bytes follow, and the limit is {limit:,}", place)
    return tensors, values


def _metadata(cursor: Cursor, count: int) -> tuple[dict[str, object], dict[str, str]]:
    metadata: dict[str, object] = {}
    types: dict[str, str] = {}
    for _ in range(count):
        key = cursor.name("key")
        if key in metadata:
            raise Malformed("has one metadata key twice", f"key `{shown(key)}`")
        metadata[key], types[key] = read_value(cursor, key)
    return metadata, types


def _info(cursor: Cursor) -> _Info:
    name = cursor.name("tensor name")
    place = f"tensor `{shown(name)}`"
    dims = int(cursor.number("I"))
    if dims > MAX_DIMS:
        raise Malformed(f"has a tensor with {dims:,} axes; GGUF allows {MAX_DIMS}", place)
    shape = tuple(reversed(cursor.numbers("Q", dims)))
    kind, offset = int(cursor.number("I")), int(cursor.number("Q"))
    elements = count_elements(shape, place)
    if kind not in GGML:
        return _Info(name, f"ggml_type_{kind}", shape, offset, None)
    dtype, block, block_bytes = GGML[kind]
    if (shape[-1] if shape else 1) % block:
        raise Malformed(f"has a row of {shape[-1] if shape else 1:,} in blocks of {block} ({dtype})", place)
    nbytes = elements // block * block_bytes
    if nbytes >= MAX_ELEMENTS:
        raise Malformed("has a tensor of 2**63 bytes or more", place)
    return _Info(name, dtype, shape, offset, nbytes)


def _check_names(infos: list[_Info]) -> None:
    seen: set[str] = set()
    for info in infos:
        if info.name in seen:
            raise Malformed("has one tensor twice", f"tensor `{shown(info.name)}`")
        seen.add(info.name)


def _alignment(metadata: dict[str, object], types: dict[str, str]) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    typed = types.get("general.alignment", "uint32") == "uint32"
    if not typed or not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise Malformed(f"has the alignment {shown(alignment)}, which is not a power of two as uint32", "key `general.alignment`")
    return alignment


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _entries(infos: list[_Info], data_start: int, size: int, alignment: int, path: str) -> dict[str, TensorEntry]:
    extents = _extents(infos, max(size - data_start, 0), alignment)
    return {
        info.name: TensorEntry(info.name, info.dtype, info.shape, path, data_start + start, data_start + end)
        for info, (start, end) in zip(infos, extents, strict=True)
    }


def _extents(infos: list[_Info], room: int, alignment: int) -> list[tuple[int, int]]:
    """(start, end) of each tensor in the data section of `room` bytes, in which they follow each other, aligned."""
    order = sorted(range(len(infos)), key=lambda i: (infos[i].offset, infos[i].nbytes != 0))
    found = [(0, 0)] * len(infos)
    expected = 0
    for i, following in zip_longest(order, order[1:]):
        info, place = infos[i], f"tensor `{shown(infos[i].name)}`"
        if info.offset != expected:
            what = "overlaps the tensor before it" if info.offset < expected else "leaves a hole before it"
            raise Malformed(f"has a tensor whose data {what} (offset {info.offset:,}, expected {expected:,})", place)
        end = (room if following is None else infos[following].offset) if info.nbytes is None else info.offset + info.nbytes
        if end > room:
            raise Malformed(f"is cut off: the data ends at {end:,} of {room:,} bytes", place)
        found[i] = (info.offset, end)
        expected = _aligned(end, alignment)
    if room > expected:
        raise Malformed(f"has {room - expected:,} bytes after its last tensor")
    return found
