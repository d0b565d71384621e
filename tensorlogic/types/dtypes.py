"""The element types of tensors: names, short names, kinds, and what two of them give together."""

SHORT = {
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16",
    "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8", "u8": "uint8",
}  # fmt: skip
FLOATS = ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
INTS = ("int64", "int32", "int16", "int8", "uint8")
COMPLEX = ("complex64", "complex128")
QUANTIZED = {
    "q4_0": 32, "q4_1": 32, "q5_0": 32, "q5_1": 32, "q8_0": 32, "q2_k": 256, "q3_k": 256, "q4_k": 256, "q5_k": 256, "q6_k": 256,
}  # fmt: skip  # values per block
DTYPES = frozenset((*FLOATS, *INTS, "bool", *COMPLEX, *QUANTIZED))
KINDS = {
    "float": frozenset(FLOATS),
    "int": frozenset(INTS),
    "number": frozenset((*FLOATS, *INTS, *COMPLEX)),
    "any": DTYPES - frozenset(QUANTIZED),
    "bool": frozenset(("bool",)),
}


def canonical(name: str) -> str | None:
    """The full name of a dtype (`f32` is `float32`), or None where there is none of that name."""
    name = SHORT.get(name, name)
    return name if name in DTYPES else None


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def is_int(dtype: str) -> bool:
    return dtype in INTS


def promote_ints(left: str, right: str) -> str:
    """What PyTorch makes of two integer or bool dtypes of tensors that both have dims."""
    if left == right or right == "bool":
        return left
    if left == "bool":
        return right
    if "uint8" in (left, right):
        other = right if left == "uint8" else left
        return "int16" if other == "int8" else other
    return max(left, right, key=lambda d: int(d[3:]))
