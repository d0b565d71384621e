"""Small model files made by hand, right and wrong ones, for the tests of their readers."""

import json
import struct
from pathlib import Path

STRING, ARRAY = 8, 9


def safetensors(table: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A file from its header (a value, or the header's bytes) and data; `length` is what it claims of its header."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: object = (2,), offsets: object = (0, 8), dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def key(name: str | bytes, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def info(name: str | bytes = "w", dims: tuple[int, ...] = (4, 2), kind: int = 0, offset: int = 0, rank: int | None = None) -> bytes:
    head = struct.pack("<I", len(dims) if rank is None else rank)
    return text(name) + head + struct.pack(f"<{len(dims)}Q", *dims) + struct.pack("<IQ", kind, offset)


def gguf(
    keys: list[bytes] = (),
    infos: list[bytes] = (),
    data: bytes = b"",
    version: int = 3,
    counts: tuple[int, int] | None = None,
    align: int = 32,
) -> bytes:
    tensors, values = counts or (len(infos), len(keys))
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, values) + b"".join(keys) + b"".join(infos)
    return head + bytes(-len(head) % align) + data


def valid_files() -> dict[str, bytes]:
    """One good file of each kind, with several tensors and every sort of metadata."""
    table = {"__metadata__": {"a": "b"}, "x": tensor(), "é.y": tensor([2, 3], [8, 14], "I8"), "empty": tensor([0, 5], [14, 14], "F16")}
    keys = [
        key("general.architecture", STRING, text("tiny")),
        key("tiny.flag", 7, b"\x01"),
        key("tiny.ratio", 6, struct.pack("<f", 0.5)),
        key("tiny.words", ARRAY, struct.pack("<IQ", STRING, 2) + text("a") + text("ü")),
        key("tiny.nested", ARRAY, struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", 5, 2) + struct.pack("<2i", -1, 7)),
    ]
    infos = [info("w", (4, 2)), info("q", (32, 1), 8, 32), info("s", (), 1, 96)]
    return {"good.safetensors": safetensors(table, bytes(14)), "good.gguf": gguf(keys, infos, bytes(98))}


def write_index(folder: Path, weight_map: object, shards: dict[str, bytes] | None = None, **more: object) -> Path:
    """An index file with its shards; returns the index's path."""
    for name, data in (shards or {"s1.safetensors": safetensors({"a": tensor()}, bytes(8))}).items():
        (folder / name).write_bytes(data)
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 8}, "weight_map": weight_map} | more))
    return path
