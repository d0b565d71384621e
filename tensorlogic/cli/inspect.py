"""`tlc inspect`: what a model file says about itself, as text or JSON, without reading its data."""

import json
import os
from collections.abc import Iterable, Mapping

from tensorlogic.formats import ModelHeader, TensorEntry, read_header, shown

SHORT_ARRAY = 6


def inspect(path: str, as_json: bool) -> str:
    """A listing of a model file, folder or index: its kind, size, metadata and tensors. Raises `FormatError`."""
    header = read_header(path)
    return json.dumps(_as_object(header)) if as_json else "\n".join(_listing(header))


def _listing(header: ModelHeader) -> Iterable[str]:
    stored = _stored(header)
    yield f"{shown(header.path, 400)}: {header.kind}, {_size(sum(_file_sizes(header).values()))}"
    if header.kind == "folder":
        yield from (f"  {shown(os.path.basename(file))}: {_size(size)}" for file, size in _file_sizes(header).items())
    yield f"{len(stored):,} tensors, {sum(e.elements for e in stored):,} parameters, {_size(sum(e.nbytes for e in stored))} of data"
    if header.metadata:
        yield from ("", "metadata")
        yield from _aligned([(f"  {shown(key)}", _value(value)) for key, value in header.metadata.items()])
    if header.entries:
        yield from ("", "tensors")
        yield from _aligned([_row(entry, header.aliases.get(name)) for name, entry in header.entries.items()])


def _row(entry: TensorEntry, stored_as: str | None) -> tuple[str, ...]:
    name = f"  {shown(entry.name, 200)}"
    shape = f"[{', '.join(map(str, entry.shape))}]"
    return name, entry.dtype, shape, f"same as {shown(stored_as)}" if stored_as else f"{entry.nbytes:,} bytes"


def _aligned(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _value(value: object) -> str:
    match value:
        case str():
            return f'"{shown(value, 100)}"'
        case tuple() | list():
            few = ", ".join(_value(item) for item in value[:SHORT_ARRAY])
            return f"[{few}{', ...' if len(value) > SHORT_ARRAY else ''}] ({len(value):,} items)"
    return shown(value, 100)


def _stored(header: ModelHeader) -> list[TensorEntry]:
    return [entry for name, entry in header.entries.items() if name not in header.aliases]


def _file_sizes(header: ModelHeader) -> dict[str, int]:
    files = dict.fromkeys(entry.file for entry in header.entries.values())
    if not files and os.path.isfile(header.path):
        files = {header.path: None}
    return {file: os.path.getsize(file) for file in files}


def _size(count: int) -> str:
    amount, unit = float(count), 0
    while amount >= 1000 and unit < 4:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {('bytes', 'kB', 'MB', 'GB', 'TB')[unit]}" if unit else f"{count} bytes"


def _as_object(header: ModelHeader) -> dict[str, object]:
    stored = _stored(header)
    return {
        "kind": header.kind,
        "path": header.path,
        "files": _file_sizes(header),
        "metadata": {key: _plain(value) for key, value in header.metadata.items()},
        "tensors": [_tensor_object(entry, header.aliases.get(name)) for name, entry in header.entries.items()],
        "parameters": sum(entry.elements for entry in stored),
        "bytes": sum(entry.nbytes for entry in stored),
    }


def _tensor_object(entry: TensorEntry, stored_as: str | None) -> Mapping[str, object]:
    found = {"name": entry.name, "dtype": entry.dtype, "shape": entry.shape, "bytes": entry.nbytes, "file": entry.file}
    found |= {"start": entry.start, "end": entry.end}
    return found | {"same_as": stored_as} if stored_as else found


def _plain(value: object) -> object:
    """A metadata value as JSON has it; a long array as its length and its first items, NaN and infinity as text."""
    match value:
        case tuple() | list() if len(value) > SHORT_ARRAY:
            return {"length": len(value), "first": [_plain(item) for item in value[:SHORT_ARRAY]]}
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
    return value
