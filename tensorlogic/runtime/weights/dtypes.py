"""The `.tl` names of element types and the torch types they are."""

import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats.dtypes import QUANTIZED

TORCH_DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float8_e4m3fn": torch.float8_e4m3fn,
    "float8_e5m2": torch.float8_e5m2,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
}
# types that files have and the language does not name
FILE_DTYPES = {
    "uint16": torch.uint16,
    "uint32": torch.uint32,
    "uint64": torch.uint64,
    "float8_e4m3fnuz": torch.float8_e4m3fnuz,
    "float8_e5m2fnuz": torch.float8_e5m2fnuz,
}
if hasattr(torch, "float8_e8m0fnu"):  # since 2.7
    FILE_DTYPES["float8_e8m0fnu"] = torch.float8_e8m0fnu
SHORT_NAMES = {
    "f64": "float64",
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i64": "int64",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "u8": "uint8",
}
ALL_DTYPES = TORCH_DTYPES | FILE_DTYPES
NAMES = {dtype: name for name, dtype in ALL_DTYPES.items()}


def dtype_name(dtype: str | torch.dtype) -> str:
    """The full `.tl` name of a dtype given as a name (`f16`, `q8_0`) or as torch's own. Unknown ones are TL0201."""
    name = NAMES.get(dtype, str(dtype)) if isinstance(dtype, torch.dtype) else SHORT_NAMES.get(dtype, dtype)
    if name in ALL_DTYPES or name in QUANTIZED:
        return name
    raise TensorLogicError(Diagnostic("TL0201", f"unknown dtype `{name}`"))


def torch_dtype(dtype: str | torch.dtype) -> torch.dtype:
    """torch's dtype of a `.tl` name. A block-quantized type has none: TL0305."""
    name = dtype_name(dtype)
    if name in ALL_DTYPES:
        return ALL_DTYPES[name]
    raise TensorLogicError(Diagnostic("TL0305", f"`{name}` is a storage type of blocks, not an element type"))
