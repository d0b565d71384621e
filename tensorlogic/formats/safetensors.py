"""The header of a safetensors file, read strictly: every byte of the data belongs to exactly one tensor."""

from tensorlogic.formats.dtypes import SAFETENSORS
from tensorlogic.formats.errors import Malformed, shown
from tensorlogic.formats.files import read_up_to
from tensorlogic.formats.header import ModelHeader, TensorEntry
from tensorlogic.formats.strict_json import MAX_JSON, parse_strict

MAX_TENSORS = 1 << 16
MAX_RANK = 64
MAX_ELEMENTS = 1 << 63
_KEYS = {"dtype", "shape", "data_offsets"}


def read_safetensors(descriptor: int, size: int, path: str) -> ModelHeader:
    """The header of an open file of `size` bytes. Raises `Malformed`."""
    table, data_start = _read_table(descriptor, size)
    metadata = _metadata(table.pop("__metadata__", {}))
    if len(table) > MAX_TENSORS:
        raise Malformed(f"has {len(table):,} tensors; the limit is {MAX_TENSORS:,}")
    entries = {name: _entry(name, info, path, data_start) for name, info in table.items()}
    _check_extents(entries, data_start, size)
    aliases = _aliases(metadata, entries)
    entries |= {name: _renamed(entries[kept], name) for name, kept in aliases.items()}
    return ModelHeader("safetensors", path, entries, metadata, aliases)


def _read_table(descriptor: int, size: int) -> tuple[dict[str, object], int]:
    if size < 8:
        raise Malformed(f"has {size} bytes, too few for a safetensors file", "byte 0")
    length = int.from_bytes(read_up_to(descriptor, 8, 0), "little")
    if length > MAX_JSON:
        raise Malformed(f"is not safetensors: it declares a header of {length:,} bytes; the limit is {MAX_JSON:,}", "byte 0")
    if length > size - 8:
        raise Malformed(f"declares a header of {length:,} bytes, but only {size - 8:,} follow", "byte 0")
    table = parse_strict(read_up_to(descriptor, length, 8))
    if not isinstance(table, dict):
        raise Malformed("has a header that is not a JSON object", "byte 8")
    return table, 8 + length


def _metadata(found: object) -> dict[str, object]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Malformed("has metadata that is not text under text", "key `__metadata__`")
    return found


def _entry(name: str, info: object, path: str, data_start: int) -> TensorEntry:
    place = f"tensor `{shown(name)}`"
    check_name(name, place)
    if not isinstance(info, dict) or info.keys() != _KEYS:
        raise Malformed("describes a tensor by something else than dtype, shape and data_offsets", place)
    code, offsets = info["dtype"], info["data_offsets"]
    if not isinstance(code, str) or code not in SAFETENSORS:
        raise Malformed(f"has the unknown dtype `{shown(code)}`", place)
    dtype, bits = SAFETENSORS[code]
    shape = _numbers(info["shape"], "shape", place)
    extent = _numbers(offsets, "data_offsets", place)
    if len(extent) != 2 or extent[0] > extent[1]:
        raise Malformed(f"has the data_offsets {shown(offsets)}", place)
    if (extent[1] - extent[0]) * 8 != count_elements(shape, place) * bits:
        raise Malformed(f"gives {extent[1] - extent[0]:,} bytes to {code} of shape {shown(list(shape))}", place)
    return TensorEntry(name, dtype, shape, path, data_start + extent[0], data_start + extent[1])


def check_name(name: str, place: str) -> None:
    """A tensor's or key's name is text that can be written down again."""
    if "\0" in name or not (name.isascii() or _encodable(name)):
        raise Malformed("has a name with a NUL or half a Unicode character", place)


def _encodable(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _numbers(found: object, what: str, place: str) -> tuple[int, ...]:
    if not isinstance(found, list) or not all(type(item) is int and 0 <= item < MAX_ELEMENTS for item in found):
        raise Malformed(f"has a {what} that is not a list of whole numbers from 0 below 2**63", place)
    return tuple(found)


def count_elements(shape: tuple[int, ...], place: str) -> int:
    """How many elements a shape has; a rank or size that nothing could hold is refused, also beside a 0."""
    if len(shape) > MAX_RANK:
        raise Malformed(f"has a tensor with {len(shape):,} axes; the limit is {MAX_RANK}", place)
    bound = 1
    for size in shape:
        bound *= max(size, 1)
    if bound >= MAX_ELEMENTS:
        raise Malformed("has a tensor with 2**63 elements or more", place)
    return 0 if 0 in shape else bound


def _check_extents(entries: dict[str, TensorEntry], data_start: int, size: int) -> None:
    expected = data_start
    for entry in sorted(entries.values(), key=lambda entry: (entry.start, entry.end)):
        if entry.start != expected:
            what = "overlaps the tensor before it" if entry.start < expected else "leaves a hole before it"
            raise Malformed(f"has a tensor whose data {what}", f"tensor `{shown(entry.name)}`")
        expected = entry.end
    if expected != size:
        what = "is cut off: the data ends" if expected > size else "has bytes that belong to no tensor: the data ends"
        raise Malformed(f"{what} at byte {expected:,}, the file at {size:,}", f"byte {min(expected, size)}")


def _aliases(metadata: dict[str, object], entries: dict[str, TensorEntry]) -> dict[str, str]:
    """Names whose tensor is stored under another name, as `safetensors.torch.save_model` notes them in the metadata."""
    pairs = ((name, kept) for name, kept in metadata.items() if name != "format" and name not in entries)
    found = {name: kept for name, kept in pairs if isinstance(kept, str) and kept in entries}
    for name in found:
        check_name(name, "key `__metadata__`")
    return found


def _renamed(entry: TensorEntry, name: str) -> TensorEntry:
    return TensorEntry(name, entry.dtype, entry.shape, entry.file, entry.start, entry.end)
