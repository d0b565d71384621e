"""Writing GGUF version 3: metadata with its types, dims turned round, tensors aligned."""

import struct
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown
from tensorlogic.formats.dtypes import GGML_NUMBERS
from tensorlogic.formats.gguf import DEFAULT_ALIGNMENT, MAX_DIMS
from tensorlogic.formats.gguf_values import ARRAY, SCALARS, VALUE_NUMBERS
from tensorlogic.runtime.quantized import QuantizedTensor
from tensorlogic.runtime.weights.dtypes import NAMES
from tensorlogic.runtime.weights.safetensors import tensor_bytes

Weight = Tensor | QuantizedTensor
# GGUF has no such types; these hold the same values
WIDER = {torch.bool: torch.int8, torch.uint8: torch.int16, torch.float8_e4m3fn: torch.float16, torch.float8_e5m2: torch.float16}
_FORMATS = dict(SCALARS.values())


def gguf_chunks(weights: Mapping[str, Weight], metadata: Mapping[str, object], types: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """The file in pieces. `types` are GGUF's names for the metadata values' types, where they are known."""
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise _refused("the metadata `general.alignment` is not a power of two")
    header = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(metadata))
    values = b"".join(_string(key) + _value(key, value, types.get(key) or _type_of(key, value)) for key, value in metadata.items())
    start = header + values + _infos(weights, alignment)
    yield start + bytes(-len(start) % alignment)
    for weight in weights.values():
        yield tensor_bytes(_data(weight))
        yield bytes(-_data(weight).nbytes % alignment)


def _data(weight: Weight) -> Tensor:
    return weight.blocks if isinstance(weight, QuantizedTensor) else weight


def _infos(weights: Mapping[str, Weight], alignment: int) -> bytes:
    parts, at = [], 0
    for name, weight in weights.items():
        shape = tuple(weight.shape)
        if len(shape) > MAX_DIMS:
            raise _refused(f"tensor `{shown(name)}` has {len(shape)} axes; GGUF allows {MAX_DIMS}")
        parts.append(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), _number(name, weight), at))
        at += -(-_data(weight).nbytes // alignment) * alignment
    return b"".join(parts)


def _number(name: str, weight: Weight) -> int:
    dtype = weight.dtype if isinstance(weight, QuantizedTensor) else NAMES.get(weight.dtype, str(weight.dtype))
    if dtype not in GGML_NUMBERS:
        raise _refused(f"tensor `{shown(name)}` is {dtype}, which GGUF cannot hold")
    return GGML_NUMBERS[dtype]


def _refused(message: str) -> TensorLogicError:
    return TensorLogicError(Diagnostic("TL0305", message, help=("save to a .safetensors file instead",)))


def _string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _type_of(key: str, value: object) -> str:
    """The GGUF type of a Python value: the narrowest that readers expect there."""
    match value:
        case bool():
            return "bool"
        case int():
            return _integer_type([value], "uint32")
        case float():
            return "float32"
        case str():
            return "string"
        case list() | tuple():
            return f"[{_item_type(key, value)}]"
    raise _refused(f"the metadata `{shown(key)}` is a {type(value).__name__}, which GGUF cannot hold")


def _item_type(key: str, items: Sequence[object]) -> str:
    if items and all(type(item) is int for item in items):
        return _integer_type(items, "int32")
    kinds = {_type_of(key, item) for item in items} or {"uint8"}
    if len(kinds) > 1 and kinds > {"float32"} and all(isinstance(item, int | float) for item in items):
        return "float32"
    if len(kinds) > 1:
        raise _refused(f"the metadata `{shown(key)}` is a list of different types")
    return kinds.pop()


def _integer_type(items: Sequence, preferred: str) -> str:
    for name in (preferred, "int32", "uint32", "int64", "uint64"):
        bits, low = 8 * struct.calcsize(_FORMATS[name]), 0 if name.startswith("u") else 1
        if -(1 << (bits - 1)) * low <= min(items) and max(items) < 1 << (bits - low):
            return name
    raise _refused("the metadata has a number beyond 64 bits")


def _value(key: str, value: object, kind: str) -> bytes:
    """The type number and the bytes of a metadata value."""
    if kind.startswith("["):
        return struct.pack("<I", ARRAY) + _array(key, value, kind[1:-1])
    return struct.pack("<I", VALUE_NUMBERS[kind]) + _bare(key, value, kind)


def _array(key: str, items: object, kind: str) -> bytes:
    if not isinstance(items, list | tuple):
        raise _refused(f"the metadata `{shown(key)}` is no longer a list")
    if kind.startswith("["):
        return struct.pack("<IQ", ARRAY, len(items)) + b"".join(_array(key, item, kind[1:-1]) for item in items)
    head = struct.pack("<IQ", VALUE_NUMBERS[kind], len(items))
    return head + b"".join(_bare(key, item, kind) for item in items)


def _bare(key: str, value: object, kind: str) -> bytes:
    try:
        return _string(value) if kind == "string" else struct.pack("<" + _FORMATS[kind], value)  # type: ignore[arg-type]
    except (struct.error, AttributeError, OverflowError):
        raise _refused(f"the metadata `{shown(key)}` does not fit its type {kind}") from None
