"""Builtins of the host language: printing, assertions, time, values out of tensors."""

from tensorlogic.stdlib.costs import FREE, over
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.precise import real
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.shapes_base import ONE, axis_of, count
from tensorlogic.types.types import Bool, Float, Int, List, Tensor, Type


@builtin(r'print(template: Template, values: Many<any>, end: string = "\n") -> void', effect="output", cost=FREE)
def print_filled(template, *values, end="\n"):
    """Write values separated by spaces; a literal with `{}` in front is filled with them."""
    return runtime.printing.print_values(runtime.printing.filled(template, *values), end=end)


@builtin("print(values: Many<Plain>) -> void", effect="output", cost=FREE)
def print_plain(*values):
    """Write values separated by spaces."""
    return print(*values)


@builtin(r'print(values: Many<any>, end: string = "\n") -> void', effect="output", cost=FREE)
def print_(*values, end="\n"):
    """Write values separated by spaces."""
    return runtime.printing.print_values(*values, end=end)


@builtin("args() -> [string]", effect="file", cost=FREE)
def args():
    """What stands behind `--` in `tlc run program.tl -- a b`, as texts."""
    return runtime.host.arguments()


@builtin("panic(message: string) -> void", effect="panic")
def panic(message):
    """Stop with a message and the place in the program."""
    return runtime.testing.panic(message)


_EQUAL = (
    "assert_eq(a: int, b: int) -> void",
    "assert_eq(a: float, b: float) -> void",
    "assert_eq(a: bool, b: bool) -> void",
    "assert_eq(a: string, b: string) -> void",
    "assert_eq<T: any>(a: T[...S], b: T[...S]) -> void",
    "assert_eq(a: any, b: any) -> void",
)


@builtin(*_EQUAL, effect="panic", cost=over("a", keeps=""))
def assert_eq(a, b):
    """Stop unless both are the same: numbers, strings, lists, tensors element by element."""
    return runtime.testing.assert_eq(a, b)


@builtin(
    "assert_close(a: float, b: float, tol: float = 1e-6) -> void",
    "assert_close<T: any>(a: T[...S], b: T[...S], tol: float = 1e-6) -> void",
    "assert_close<T: number>(a: T[...S], b: float, tol: float = 1e-6) -> void",
    effect="panic",
    cost=over("a", 4, keeps=""),
)
def assert_close(a, b, tol=1e-6):
    """Stop unless all elements differ by at most `tol`; shapes must be the same, a number stands for every element."""
    return runtime.testing.assert_close(a, b, tol)


def _elements_of(call) -> Type | None:
    x = call.types["x"]
    return Int(count(x.shape)) if isinstance(x, Tensor) else Int()


@builtin("numel<T: any>(x: T[...S]) -> int", infer=_elements_of, cost=FREE)
def numel(x):
    """The number of elements. See torch.numel."""
    return x.numel()


def _axis_size(call) -> Type | None:
    x, dim = call.types["x"], call.types["dim"]
    position = axis_of(x.shape, dim.value, call.need) if isinstance(x, Tensor) and isinstance(dim, Int) else None
    size = x.shape[position] if position is not None else None
    return Int(size) if isinstance(size, Dim) else Int()


@builtin("size<T: any>(x: T[...S], dim: int) -> int", infer=_axis_size, cost=FREE)
def size(x, dim):
    """The size of one axis. See torch.Tensor.size."""
    return x.shape[dim]


def _one_element(call) -> Type | None:
    x = call.types["x"]
    total = count(x.shape) if isinstance(x, Tensor) else None
    if total is not None and isinstance(x, Tensor):
        call.need.require(Rel("==", total, ONE), lambda _: WrongType("`x` of `item`", "a tensor with one element", x), certain=True)
    return call.result


@builtin(
    "item<T: float>(x: T[...S]) -> float",
    "item<T: int>(x: T[...S]) -> int",
    "item<T: bool>(x: T[...S]) -> bool",
    infer=_one_element,
    cost=FREE,
)
def item(x):
    """The value of a tensor with one element. See torch.Tensor.item."""
    return x.item()


def _nested(call) -> Type | None:
    x = call.types["x"]
    if not isinstance(x, Tensor) or count(x.shape) is None:
        return None
    real(call)
    kind = str(x.dtype)
    value: Type = Float() if kind.startswith(("float", "bfloat")) else Bool() if kind == "bool" else Int()
    for _ in x.shape:
        value = List(value)
    return value


@builtin("tolist<T: any>(x: T[...S]) -> any", infer=_nested, cost=FREE)
def tolist(x):
    """The elements as nested lists. See torch.Tensor.tolist."""
    return x.tolist()


@builtin("seed(n: int) -> void", effect="random")
def seed(n):
    """Start the random numbers anew. See torch.manual_seed."""
    return torch.manual_seed(n)


@builtin("manual_seed(n: int) -> void", effect="random")
def manual_seed(n):
    """Start the random numbers anew. See torch.manual_seed."""
    return torch.manual_seed(n)


@builtin("time() -> float", effect="output")
def time_():
    """Seconds since 1970, for measuring how long something takes."""
    return runtime.ops.seconds()
