"""What Python and PyTorch call a type, and how it is written here."""

TYPES = {
    "str": "write `string`",
    "list": "a list of ints is `[int]`",
    "List": "a list of ints is `[int]`",
    "tuple": "write `(int, string)`",
    "Tuple": "write `(int, string)`",
    "dict": "write a `struct`",
    "Dict": "write a `struct`",
    "Optional": "every parameter has a value; one that may be left out has a default: `eps: float = 1e-5`",
    "Callable": "a function is `fn(float) -> float`",
    "float": "a tensor has a dtype: `float32[N]`",
    "int": "a tensor has a dtype: `int64[N]`; a list of ints is `[int]`",
    "Tensor": "a tensor type is its dtype and its sizes: `float32[N, D]`",
    "Module": "a model is written as it is made: `m: Mlp(I, H)`",
    "double": "write `float64`",
    "half": "write `float16`",
    "long": "write `int64`",
}


def type_hint(name: str) -> str:
    """How a type of another language is written; empty where the name is no such type."""
    return TYPES.get(name, "")
