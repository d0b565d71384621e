"""`save_model`: which tensors, in which types and which file; the writing itself is in the files beside this one."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import ModelHeader, shown
from tensorlogic.formats.dtypes import BLOCKS, QUANTIZED
from tensorlogic.formats.files import opened, read_up_to
from tensorlogic.formats.folder import WHOLE
from tensorlogic.runtime import distributed
from tensorlogic.runtime.quantized import QuantizedTensor, check_can_quantize, quantize
from tensorlogic.runtime.weights.atomic import write_atomically, write_errors
from tensorlogic.runtime.weights.dtypes import ALL_DTYPES, dtype_name
from tensorlogic.runtime.weights.gguf import WIDER, gguf_chunks
from tensorlogic.runtime.weights.safetensors import safetensors_chunks

Weight = Tensor | QuantizedTensor
Metadata = Mapping[str, object]
LONG_ARRAY = 1024  # a vocabulary does not go into the header of a safetensors file
# what makes a folder a language model; saved along with weights that came from one
COMPANIONS = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"),
)
MAX_COMPANION = 64 * 1024 * 1024


def save_model(model, path: str | os.PathLike, dtype: str | torch.dtype | None = None, metadata: Metadata | None = None) -> None:
    """Save an `nn.Module`, a loaded `Model` or a dict of tensors: to a .safetensors or .gguf file, or (no suffix) a folder.

    `dtype` converts the float tensors; a quantized one (.gguf only) those of rank 2 whose rows are whole blocks, the rest become
    float32. Tensors that share memory are stored once in safetensors. Of a model with a LoRA adapter the weights are written, into which
    a merged one has gone; its factors are `save_adapter`'s. The old file stays as it is until the new one is complete.
    Raises `TensorLogicError`: TL0606 no such folder, TL0604 cannot be written, TL0305 a type that the format cannot hold.
    """
    target = os.fspath(path)
    weights, header = _weights_of(model), getattr(model, "header", None)
    if not distributed.is_first():
        return
    header = header if isinstance(header, ModelHeader) else None
    wanted = None if dtype is None else dtype_name(dtype)
    found = {**(header.metadata if header else {}), **(metadata or {})}
    suffix = os.path.splitext(target)[1].lower()
    if suffix == ".gguf":
        _save_gguf(weights, target, wanted, found, header)
    elif suffix == ".safetensors":
        _save_safetensors(weights, target, wanted, found)
    elif suffix == "" or target.endswith(os.sep) or os.path.isdir(target):
        _save_folder(weights, target, wanted, found, header)
    else:
        message = f"`{shown(target, 200)}` is neither .safetensors nor .gguf nor a folder"
        raise TensorLogicError(Diagnostic("TL0604", message, file=target))


def _weights_of(model) -> dict[str, Weight]:
    found = model.state_dict() if hasattr(model, "state_dict") else model
    if not isinstance(found, Mapping):
        raise TensorLogicError(Diagnostic("TL0306", f"a model or a dict of tensors can be saved, not a {type(model).__name__}"))
    for name, weight in found.items():
        if not isinstance(weight, Tensor | QuantizedTensor):
            raise TensorLogicError(Diagnostic("TL0306", f"`{shown(name)}` is a {type(weight).__name__}, not a tensor"))
        if "\0" in name or weight.device.type == "meta":
            raise TensorLogicError(Diagnostic("TL0305", f"tensor `{shown(name)}` cannot be saved: it has no data, or a NUL in its name"))
    return {name: _whole(weight) for name, weight in found.items() if found is model or ".lora." not in name}


def _whole(weight: Weight) -> Weight:
    return distributed.whole(weight) if isinstance(weight, Tensor) else weight


def _notice(text: str) -> None:
    print(f"tlc: {text}", file=sys.stderr)


def _save_safetensors(weights: dict[str, Weight], path: str, dtype: str | None, metadata: Metadata) -> None:
    if dtype in QUANTIZED:
        raise TensorLogicError(Diagnostic("TL0305", f"safetensors cannot hold {dtype}", help=("save to a .gguf file instead",)))
    blocks = [name for name, weight in weights.items() if isinstance(weight, QuantizedTensor)]
    if blocks:
        _notice(f"{len(blocks)} quantized tensors are saved as {dtype or 'float32'}: safetensors has no block types")
    tensors = {name: _as_float(weight, dtype) for name, weight in weights.items()}
    write_atomically(path, safetensors_chunks(tensors, {"format": "pt", **_as_text(metadata)}))


def _as_float(weight: Weight, dtype: str | None) -> Tensor:
    """A weight as a plain tensor, floats in `dtype`. Integers stay as they are."""
    if isinstance(weight, QuantizedTensor):
        return weight.dequantize(ALL_DTYPES[dtype or "float32"])
    return weight.detach().to(ALL_DTYPES[dtype]) if dtype and weight.is_floating_point() else weight.detach()


def _as_text(metadata: Metadata) -> dict[str, str]:
    text = {}
    for key, value in metadata.items():
        if isinstance(value, list | tuple) and len(value) > LONG_ARRAY:
            _notice(f"the metadata `{shown(key)}` ({len(value):,} items) is left out: safetensors keeps short text")
        else:
            text[key] = value if isinstance(value, str) else json.dumps(value)
    return text


def _save_gguf(weights: dict[str, Weight], path: str, dtype: str | None, metadata: Metadata, header: ModelHeader | None) -> None:
    stored = {name: _for_gguf(name, weight, dtype) for name, weight in weights.items()}
    types = header.metadata_types if header else {}
    known = {key: kind for key, kind in types.items() if header and metadata[key] is header.metadata[key]}
    whole = {key: value for key, value in metadata.items() if not key.startswith("split.")}  # of a source that was in parts
    write_atomically(path, gguf_chunks(stored, {"general.architecture": "tensorlogic", **whole}, known))


def _for_gguf(name: str, weight: Weight, dtype: str | None) -> Weight:
    if dtype in QUANTIZED:
        return _quantized(name, weight, dtype)
    if isinstance(weight, QuantizedTensor):
        return weight if dtype is None else weight.dequantize(ALL_DTYPES[dtype])
    tensor = _as_float(weight, dtype)
    if tensor.dtype not in WIDER:
        return tensor
    _notice(f"`{shown(name)}` is saved as {dtype_name(WIDER[tensor.dtype])}: GGUF has no {dtype_name(tensor.dtype)}")
    return tensor.to(WIDER[tensor.dtype])


def _quantized(name: str, weight: Weight, dtype: str) -> Weight:
    if isinstance(weight, QuantizedTensor) and weight.dtype == dtype:
        return weight
    check_can_quantize(dtype)
    tensor = _as_float(weight, "float32")
    whole = tensor.dim() == 2 and tensor.is_floating_point() and tensor.shape[-1] % BLOCKS[dtype][0] == 0
    try:
        return quantize(tensor.cpu(), dtype) if whole else tensor
    except TensorLogicError as problem:
        raise TensorLogicError(replace(problem.diagnostics[0], notes=(f"in tensor `{shown(name)}`",))) from None


def _save_folder(weights: dict[str, Weight], path: str, dtype: str | None, metadata: Metadata, header: ModelHeader | None) -> None:
    made = not os.path.isdir(path)
    with write_errors(path):
        os.makedirs(path, exist_ok=True)
    try:
        _save_safetensors(weights, os.path.join(path, WHOLE), dtype, metadata)
    except BaseException:
        if made:
            with suppress(OSError):
                os.rmdir(path)
        raise
    if header and os.path.isdir(header.path) and os.path.realpath(header.path) != os.path.realpath(path):
        _copy_companions(header.path, path)


def _copy_companions(source: str, target: str) -> None:
    """Take the configuration and the tokenizer along; files that the target has already are left alone."""
    for name in COMPANIONS:
        origin, copy = os.path.join(source, name), os.path.join(target, name)
        if os.path.isfile(origin) and not os.path.lexists(copy):
            with opened(origin) as (descriptor, size):
                write_atomically(copy, [read_up_to(descriptor, min(size, MAX_COMPANION), 0)])
