"""Headers of model files (safetensors, GGUF, sharded folders), read strictly with the standard library only."""

from tensorlogic.formats.errors import FormatError, shown
from tensorlogic.formats.folder import read_header
from tensorlogic.formats.header import ModelHeader, TensorEntry

__all__ = ["FormatError", "ModelHeader", "TensorEntry", "read_header", "shown"]
