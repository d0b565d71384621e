"""What stands behind a dot without parentheses, and what the compiler itself reads of tensors: names that begin with a dot."""

from tensorlogic.stdlib.costs import FREE, over
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin(".shape(x: Tensor) -> [int]", cost=FREE)
def shape(x):
    """The sizes of a tensor, as a list of ints."""
    return list(x.shape)


@builtin(".ndim(x: Tensor) -> int", cost=FREE)
def ndim(x):
    """The number of axes of a tensor."""
    return x.ndim


@builtin(".dtype(x: Tensor) -> any", cost=FREE)
def dtype(x):
    """The dtype of a tensor."""
    return x.dtype


@builtin(".device(x: Tensor) -> Device", cost=FREE)
def device(x):
    """The device that a tensor is on."""
    return x.device


@builtin(".size(x: Tensor, axis: int) -> int", cost=FREE)
def size(x, axis):
    """One size of a tensor."""
    return x.shape[axis]


@builtin(".get_tensor(model: Model, name: string, dtype: DType<T> = none) -> Tensor", effect="file", cost=FREE)
def get_tensor(model, name, dtype=None):
    """A tensor of a loaded model, converted to the dtype of its annotation: `let w: float16[3, 2] = m.get_tensor("w")`, `m["w"]`."""
    return model.get_tensor(name, dtype=dtype)


@builtin(".own(x: any) -> any", cost=over("x", keeps=""))
def own(x):
    """A value with tensors of its own."""
    return runtime.ops.own(x)
