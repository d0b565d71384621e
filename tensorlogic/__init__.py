"""Typed tensor programs that become PyTorch. `tlc` is the command, this package the same from Python.

>>> import tensorlogic as tl
>>> program = tl.compile("fn double(x: float32[N]) -> float32[N] { return 2.0 * x }\\n")
>>> import torch
>>> program.double(torch.tensor([1.0, 2.0]))
tensor([2., 4.])

Importing it imports no torch: each name is fetched when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorlogic.api import Program, build, check, compile, format
    from tensorlogic.diagnostics.diagnostic import TensorLogicError
    from tensorlogic.import_hook import install_import_hook
    from tensorlogic.runtime.tokenizers import load_tokenizer
    from tensorlogic.runtime.weights import load_model, save_model

HOMES = {
    "Program": "tensorlogic.api",
    "TensorLogicError": "tensorlogic.diagnostics.diagnostic",
    "build": "tensorlogic.api",
    "check": "tensorlogic.api",
    "compile": "tensorlogic.api",
    "format": "tensorlogic.api",
    "install_import_hook": "tensorlogic.import_hook",
    "load_model": "tensorlogic.runtime.weights",
    "load_tokenizer": "tensorlogic.runtime.tokenizers",
    "save_model": "tensorlogic.runtime.weights",
}

__all__ = [
    "Program",
    "TensorLogicError",
    "build",
    "check",
    "compile",
    "format",
    "install_import_hook",
    "load_model",
    "load_tokenizer",
    "save_model",
]


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module 'tensorlogic' has no attribute {name!r}")
    value = getattr(import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
