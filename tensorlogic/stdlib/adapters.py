"""Builtins of LoRA adapters."""

from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin(
    "lora(model: Model, rank: int, alpha: float, targets: [string], dropout: float = 0.0) -> Adapter where rank >= 1", effect="mutation"
)
def lora(model, rank, alpha, targets, dropout=0.0):
    """Give the layers that `targets` name a low-rank addition that learns, and freeze all else. See arXiv 2106.09685."""
    return runtime.lora.lora(model, rank, alpha, targets, dropout)


@builtin("merge(adapter: Adapter) -> void", effect="mutation")
def merge(adapter):
    """Put the additions of an adapter into the weights."""
    return adapter.merge()


@builtin("unmerge(adapter: Adapter) -> void", effect="mutation")
def unmerge(adapter):
    """Take the additions of a merged adapter out again, to the bit."""
    return adapter.unmerge()


@builtin("enable(adapter: Adapter, on: bool = true) -> void", effect="mutation")
def enable(adapter, on=True):
    """Whether calls of the model have the additions of an adapter."""
    return adapter.enable(on)


@builtin("save_adapter(adapter: Adapter, path: string) -> void", effect="file")
def save_adapter(adapter, path):
    """Write an adapter as a folder in PEFT's layout."""
    return runtime.adapter_files.save_adapter(adapter, path)


@builtin("load_adapter(model: Model, path: string) -> Adapter", effect="file")
def load_adapter(model, path):
    """Read an adapter in PEFT's layout into a model."""
    return runtime.adapter_files.load_adapter(model, path)
