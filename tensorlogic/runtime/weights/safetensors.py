"""Writing safetensors: the same bytes as the library writes, but through our own temporary file."""

import json
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown
from tensorlogic.formats.dtypes import SAFETENSORS
from tensorlogic.formats.strict_json import MAX_JSON
from tensorlogic.runtime.weights.dtypes import ALL_DTYPES, NAMES

_CODES = {ALL_DTYPES[name]: code for code, (name, _) in SAFETENSORS.items() if name in ALL_DTYPES}
_ORDER = {code: place for place, code in enumerate(SAFETENSORS)}


def safetensors_chunks(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """The file in pieces: the header, then each tensor's bytes. Widest types first, so that all data is aligned.

    Tensors that are the same memory are stored once; the other names go into the metadata, as `safetensors.torch.save_model` does.
    """
    kept, aliases = split_aliases(tensors)
    order = sorted(kept, key=lambda name: (-_ORDER[_code(name, kept[name])], name))
    yield _header(order, kept, {**aliases, **metadata})
    for name in order:
        yield tensor_bytes(kept[name])


def split_aliases(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors to store, other names -> the stored name) where tensors are views of exactly the same memory."""
    first: dict[tuple, str] = {}
    kept, aliases = {}, {}
    for name in sorted(tensors):
        tensor = tensors[name]
        same = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()) if tensor.numel() else (name,)
        if same in first and name != "format":
            aliases[name] = first[same]
        else:
            first[same] = name
            kept[name] = tensor
    return kept, aliases


def tensor_bytes(tensor: Tensor) -> memoryview | bytes:
    """A tensor's values in row order, as bytes in this machine's (little-endian) order."""
    if not tensor.numel():
        return b""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _code(name: str, tensor: Tensor) -> str:
    if tensor.dtype in _CODES:
        return _CODES[tensor.dtype]
    dtype = NAMES.get(tensor.dtype, str(tensor.dtype))
    raise TensorLogicError(Diagnostic("TL0305", f"tensor `{shown(name)}` is {dtype}, which safetensors cannot hold"))


def _header(order: list[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    table: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name in order:
        end = at + tensors[name].numel() * tensors[name].element_size()
        table[name] = {"dtype": _code(name, tensors[name]), "shape": list(tensors[name].shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_JSON:
        raise TensorLogicError(Diagnostic("TL0604", f"the header would take {len(text):,} bytes; the limit is {MAX_JSON:,}"))
    return len(text).to_bytes(8, "little") + text
