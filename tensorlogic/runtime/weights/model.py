"""A model file in use: tensors come out of a private memory map one at a time, when they are asked for."""

import mmap
import os
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import FormatError, ModelHeader, TensorEntry, read_header, shown
from tensorlogic.formats.dtypes import BLOCKS, GGML_NUMBERS, QUANTIZED
from tensorlogic.runtime.quantized import QuantizedTensor
from tensorlogic.runtime.weights.dtypes import ALL_DTYPES, dtype_name, torch_dtype

Weight = Tensor | QuantizedTensor
_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0)


def load_model(path: str | os.PathLike, dtype: str | torch.dtype | None = None, device: str | torch.device | None = None) -> "Model":
    """Open a .safetensors or .gguf file, a folder with one, or a sharded index. No tensor is read before it is asked for.

    `dtype` turns every float tensor into that float type; integers stay, and quantized tensors stay quantized.
    Raises `TensorLogicError` with TL0604 (malformed), TL0605 (a pickle) or TL0606 (not there).
    """
    wanted = None if dtype is None else torch_dtype(dtype)
    if wanted is not None and not wanted.is_floating_point:
        raise TensorLogicError(Diagnostic("TL0302", f"a model loads as a float type, not as {dtype_name(wanted)}"))
    try:
        return Model(read_header(path), wanted, device)
    except FormatError as problem:
        raise TensorLogicError(problem.diagnostic()) from None


def tensor_names(model: "Model | torch.nn.Module") -> list[str]:
    """The names of the tensors of a loaded model, in the file's order, or of a module."""
    return model.names() if isinstance(model, Model) else list(model.state_dict())


class Model:
    """The tensors of a file by name: `model["a.weight"]`, `model.get_tensor("a.weight", "float16")`."""

    def __init__(self, header: ModelHeader, dtype: torch.dtype | None = None, device: str | torch.device | None = None):
        self.header, self.path, self.metadata = header, header.path, header.metadata
        self.dtype, self.device = dtype, device
        self._maps: dict[str, _MappedFile] = {}

    def names(self) -> list[str]:
        """The tensors' names in the file's order."""
        return list(self.header.entries)

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Each tensor's shape, rows first."""
        return {name: entry.shape for name, entry in self.header.entries.items()}

    def get_tensor(self, name: str, dtype: str | torch.dtype | None = None) -> Weight:
        """One tensor; `dtype` converts between float types and dequantizes. TL0602 if there is none, TL0302 if it cannot be `dtype`."""
        entry = self.header.entries.get(name)
        if entry is None:
            raise TensorLogicError(self._missing(name))
        weight = self._read(entry)
        if dtype is not None:
            weight = _converted(weight, dtype_name(dtype), name)
        elif self.dtype is not None and isinstance(weight, Tensor) and weight.is_floating_point():
            weight = weight.to(self.dtype)
        return weight.to(device=self.device or torch.get_default_device())

    def state_dict(self) -> dict[str, Weight]:
        """All tensors by name."""
        return {name: self.get_tensor(name) for name in self.header.entries}

    def __getitem__(self, name: str) -> Weight:
        return self.get_tensor(name)

    def __contains__(self, name: object) -> bool:
        return name in self.header.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.header.entries)

    def __len__(self) -> int:
        return len(self.header.entries)

    def __repr__(self) -> str:
        return f"Model({self.path!r}, {len(self)} tensors)"

    def _missing(self, name: str) -> Diagnostic:
        close = get_close_matches(name, self.header.entries, n=1)
        advice = f"did you mean `{shown(close[0])}`?" if close else "`tlc inspect` lists the tensors of a file"
        message = f"`{shown(self.path, 200)}` has no tensor `{shown(name)}`"
        return Diagnostic("TL0602", message, help=(advice,), file=self.path)

    def _read(self, entry: TensorEntry) -> Weight:
        if entry.file not in self._maps:
            self._maps[entry.file] = _MappedFile(entry.file, max(e.end for e in self.header.entries.values() if e.file == entry.file))
        return _interpret(entry, self._maps[entry.file].bytes_of(entry))


class _MappedFile:
    """The bytes of a file, mapped privately: what is written into a tensor never reaches the file."""

    def __init__(self, path: str, needed: int):
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            self.size = os.fstat(self.descriptor).st_size
            if self.size < needed:
                raise _changed(path)
            protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | _NO_RESERVE
            self.map = mmap.mmap(self.descriptor, self.size, flags, protection)
        except OSError as problem:
            raise TensorLogicError(FormatError("TL0604", path, f"cannot be read: {problem.strerror}").diagnostic()) from None

    def __del__(self):
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)

    def bytes_of(self, entry: TensorEntry) -> Tensor:
        # reading a page past the end of a file that was cut short would end the process
        if os.fstat(self.descriptor).st_size != self.size:
            raise _changed(self.path)
        if entry.nbytes == 0:
            return torch.empty(0, dtype=torch.uint8)
        return torch.frombuffer(self.map, dtype=torch.uint8, count=entry.nbytes, offset=entry.start)


def _changed(path: str) -> TensorLogicError:
    reason = "changed its size while it was in use"
    return TensorLogicError(FormatError("TL0604", path, reason, advice="replace a model file by renaming a new one over it").diagnostic())


def _interpret(entry: TensorEntry, data: Tensor) -> Weight:
    if entry.dtype in ALL_DTYPES:
        dtype = ALL_DTYPES[entry.dtype]
        aligned = data if entry.start % dtype.itemsize == 0 else data.clone()
        return aligned.view(dtype).reshape(entry.shape)
    if entry.dtype in QUANTIZED:
        block, size = BLOCKS[entry.dtype]
        return QuantizedTensor(entry.dtype, entry.shape, data.reshape(*entry.shape[:-1], entry.shape[-1] // block * size))
    return _foreign(entry, data)


def _foreign(entry: TensorEntry, data: Tensor) -> Tensor:
    """A block type that the language does not name, through the tables of the gguf package, as float32."""
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import dequantize

    try:
        found = dequantize(data.numpy(), GGMLQuantizationType(GGML_NUMBERS[entry.dtype]))
    except (KeyError, ValueError, NotImplementedError):
        message = f"tensor `{shown(entry.name)}` has the type {entry.dtype}, which cannot be loaded"
        raise TensorLogicError(Diagnostic("TL0305", message, file=entry.file)) from None
    print(f"tlc: `{shown(entry.name)}` is {entry.dtype}; loaded as float32", file=sys.stderr)
    return torch.from_numpy(found).reshape(entry.shape)


def _converted(weight: Weight, wanted: str, name: str) -> Weight:
    found = weight.dtype if isinstance(weight, QuantizedTensor) else dtype_name(weight.dtype)
    if found == wanted:
        return weight
    target = ALL_DTYPES.get(wanted)
    if target is not None and target.is_floating_point:
        if isinstance(weight, QuantizedTensor):
            return weight.dequantize(target)
        if weight.is_floating_point():
            return weight.to(target)
    message = f"tensor `{shown(name)}` is {found}, which a load does not turn into {wanted}"
    help_text = "a load converts between float types and dequantizes; load it as it is and use `.to(...)`"
    raise TensorLogicError(Diagnostic("TL0302", message, help=(help_text,)))
