"""What stands behind a dot without parentheses, and what the compiler itself reads of tensors: names that begin with a dot."""

from tensorlogic.stdlib.registry import builtin


@builtin(".shape(x: Tensor) -> [int]")
def shape(x):
    """The sizes of a tensor, as a list of ints."""
    return list(x.shape)


@builtin(".ndim(x: Tensor) -> int")
def ndim(x):
    """The number of axes of a tensor."""
    return x.ndim


@builtin(".dtype(x: Tensor) -> any")
def dtype(x):
    """The dtype of a tensor."""
    return x.dtype


@builtin(".device(x: Tensor) -> Device")
def device(x):
    """The device that a tensor is on."""
    return x.device


@builtin(".size(x: Tensor, axis: int) -> int")
def size(x, axis):
    """One size of a tensor."""
    return x.shape[axis]


@builtin(".get_tensor(model: Model, name: string, dtype: DType<T> = none) -> Tensor", effect="file")
def get_tensor(model, name, dtype=None):
    """A tensor of a loaded model, converted to the dtype of its annotation: `let w: float16[3, 2] = m.get_tensor("w")`, `m["w"]`."""
    return model.get_tensor(name, dtype=dtype)
