"""What a model file says about itself before any data is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor: `dtype` in `.tl` spelling, `shape` rows first, `start` to `end` (exclusive) the bytes in `file`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: str
    start: int
    end: int

    @property
    def nbytes(self) -> int:
        return self.end - self.start

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """All tensors of a model by name, in the file's order. `kind` is safetensors, gguf or folder.

    `aliases` are names of `entries` that share another entry's bytes; `metadata_types` the GGUF types of metadata values.
    """

    kind: str
    path: str
    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, object]
    aliases: Mapping[str, str] = field(default_factory=dict)
    metadata_types: Mapping[str, str] = field(default_factory=dict)
