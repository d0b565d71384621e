"""Models on disk: loading through a memory map, saving through a temporary file."""

from tensorlogic.runtime.weights.load import load
from tensorlogic.runtime.weights.model import Model, load_model, tensor_names
from tensorlogic.runtime.weights.save import save_model

__all__ = ["Model", "load", "load_model", "save_model", "tensor_names"]
