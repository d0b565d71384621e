"""Builtins that put two operands, a condition or a bound together, and conversions between types of elements."""

from tensorlogic.stdlib.costs import CAST, COPY, FLAT, VIEW, Cost, each
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.precise import real
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.types import AnyTensor, DTypeValue, Float, Int, Tensor, Type


def _power(call) -> Type:
    """A negative power of an int is a fraction."""
    b = call.types["b"]
    negative = isinstance(b, Int) and b.value is not None and b.value.value is not None and b.value.value < 0
    return Float() if negative and isinstance(call.types["a"], Int) else call.result


@builtin("pow(a: int, b: int) -> int", infer=_power)
def pow_of_ints(a, b):
    """`a` to the power of `b`."""
    return a**b


@builtin("pow(a: float, b: float) -> float")
def pow_of_floats(a, b):
    """`a` to the power of `b`; a root of a number below zero is NaN."""
    return runtime.host.power(a, b)


@builtin(
    "pow<T: int>(a: T[...S], b: int) -> T[...S]",
    "pow<T: float>(a: T[...S], b: float) -> T[...S]",
    "pow<T: int>(a: int, b: T[...S]) -> T[...S]",
    "pow<T: float>(a: float, b: T[...S]) -> T[...S]",
    "pow<T: number>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]",
    mixes=True,
)
def pow_(a, b):
    """`a` to the power of `b`, also written `a ** b`. See torch.pow."""
    return torch.pow(a, b)


@builtin("floor_div(a: int, b: int) -> int where result == floor_div(a, b)", "floor_div(a: float, b: float) -> float")
def floor_div_of_numbers(a, b):
    """The quotient, rounded down."""
    return a // b


@builtin(
    "floor_div<T: int>(a: T[...S], b: int) -> T[...S]",
    "floor_div<T: float>(a: T[...S], b: float) -> T[...S]",
    "floor_div<T: number>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]",
    infer=real,
    mixes=True,
    cost=each(keeps=""),
)
def floor_div(a, b):
    """The quotient, rounded down. See torch.floor_divide."""
    return torch.floor_divide(a, b)


def _rounded_up(call) -> Type | None:
    """The value is followed for a divisor above zero, as the sizes of types are."""
    a, b = call.types["a"], call.types["b"]
    if not isinstance(a, Int) or not isinstance(b, Int):
        return real(call)
    if a.value is None or b.value is None or not call.need.holds(Rel(">=", b.value, Dim.const(1))):
        return Int()
    try:
        return Int(a.value.ceil_div(b.value))
    except DimTooLarge:
        return Int()


@builtin("ceil_div(a: int, b: int) -> int", infer=_rounded_up)
def ceil_div_of_ints(a, b):
    """The quotient, rounded up."""
    return -(-a // b)


@builtin(
    "ceil_div<T: int>(a: T[...S], b: int) -> T[...S]",
    "ceil_div<T: number>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]",
    mixes=True,
    cost=each(2, keeps=""),
)
def ceil_div(a, b):
    """The quotient, rounded up."""
    return -torch.floor_divide(-a, b)


@builtin("clamp(x: int, min: int, max: int) -> int", "clamp(x: float, min: float, max: float) -> float")
def clamp_of_number(x, min, max):
    """`x`, moved between the bounds."""
    return sorted((min, x, max))[1]


@builtin(
    "clamp<T: int>(x: T[...S], min: int, max: int = none) -> T[...S]",
    "clamp<T: int>(x: T[...S], max: int) -> T[...S]",
    "clamp<T: float>(x: T[...S], min: float, max: float = none) -> T[...S]",
    "clamp<T: float>(x: T[...S], max: float) -> T[...S]",
    "clamp<T: number>(x: T[...S], min: T[...A], max: T[...B]) -> T[...broadcast3(S, A, B)]",
    infer=real,
    mixes=True,
)
def clamp(x, min=None, max=None):
    """`x`, moved between the bounds. See torch.clamp."""
    return torch.clamp(x, min=min, max=max)


@builtin(
    "where<T: number>(condition: bool[...C], x: T[...A], y: T[...B]) -> T[...broadcast3(C, A, B)]",
    "where<T: any>(condition: bool[...C], x: T[...A], y: T[...B]) -> T[...broadcast3(C, A, B)]",
    mixes=True,
    cost=each(keeps="condition"),
)
def where(condition, x, y):
    """`x` where the condition is true, `y` elsewhere. See torch.where."""
    return torch.where(condition, x, y)


@builtin(
    "masked_fill<T: int>(x: T[...S], mask: bool[...M], value: int) -> T[...broadcast(S, M)]",
    "masked_fill<T: float>(x: T[...S], mask: bool[...M], value: float) -> T[...broadcast(S, M)]",
    "masked_fill<T: any>(x: T[...S], mask: bool[...M], value: bool) -> T[...broadcast(S, M)]",
    "masked_fill<T: any>(x: T[...S], mask: bool[...M], value: T[]) -> T[...broadcast(S, M)]",
    cost=each(keeps="mask"),
)
def masked_fill(x, mask, value):
    """`value` where the mask is true, `x` elsewhere. See torch.masked_fill."""
    return torch.masked_fill(x, mask, value)


@builtin("lerp<T: float>(a: T[...A], b: T[...B], weight: float) -> T[...broadcast(A, B)]", mixes=True, cost=each(3, keeps=""))
def lerp(a, b, weight):
    """`a + weight * (b - a)`. See torch.lerp."""
    return torch.lerp(a, b, weight)


@builtin("nan_to_num<T: float>(x: T[...S], nan: float = 0.0, posinf: float = none, neginf: float = none) -> T[...S]", cost=each(3))
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """Numbers in place of NaN and infinities. See torch.nan_to_num."""
    return torch.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _dequantized(call) -> Type | None:
    """The overload for quantized tensors, which takes nothing else."""
    x, dtype = call.types["x"], call.types.get("dtype")
    if isinstance(x, Tensor) and x.dtype in QUANTIZED and isinstance(dtype, DTypeValue):
        return Tensor(dtype.dtype, x.shape)
    if isinstance(x, Tensor) and isinstance(call.result, AnyTensor):
        call.need.fail(WrongType("`x`", "a quantized tensor", x))
    return call.result


@builtin("dequantize<U: float>(x: Tensor, dtype: DType<U> = float32) -> Tensor", infer=_dequantized, cost=Cost("2 * result", keeps=""))
def dequantize(x, dtype=None):
    """The values of a block-quantized tensor."""
    return x.to(dtype=dtype)


@builtin(
    "to<T: any, U: any>(x: T[...S], dtype: DType<U>, device: Device = none) -> U[...S]",
    "to<T: any>(x: T[...S], device: Device) -> T[...S]",
    "to<U: float>(x: Tensor, dtype: DType<U>, device: Device = none) -> Tensor",
    infer=_dequantized,
    cost=CAST,
)
def to(x, dtype=None, device=None):
    """Another type of elements, another device. See torch.Tensor.to."""
    return x.to(dtype=dtype, device=device)


@builtin("clone<T: any>(x: T[...S]) -> T[...S]", cost=COPY)
def clone(x):
    """A copy. See torch.clone."""
    return torch.clone(x)


@builtin("detach<T: any>(x: T[...S]) -> T[...S]", cost=VIEW)
def detach(x):
    """The same values, outside the gradient. See torch.Tensor.detach."""
    return x.detach()


@builtin("contiguous<T: any>(x: T[...S]) -> T[...S]", cost=FLAT)
def contiguous(x):
    """The same values, one after the other in memory. See torch.Tensor.contiguous."""
    return x.contiguous()


@builtin("cpu<T: any>(x: T[...S]) -> T[...S]", cost=VIEW)
def cpu(x):
    """The tensor on the CPU. See torch.Tensor.cpu."""
    return x.cpu()


@builtin("float(x: float) -> float", "float(x: bool) -> float", "float(x: string) -> float")
def float_of_value(x):
    """A number as a float; of a string, the number that it spells."""
    return float(x)


@builtin("float<T: any>(x: T[...S]) -> float32[...S]", cost=CAST)
def float_(x):
    """As float32. See torch.Tensor.float."""
    return x.float()


@builtin("half<T: any>(x: T[...S]) -> float16[...S]", cost=CAST)
def half_(x):
    """As float16. See torch.Tensor.half."""
    return x.half()


@builtin("long<T: any>(x: T[...S]) -> int64[...S]", cost=CAST)
def long_(x):
    """As int64. See torch.Tensor.long."""
    return x.long()


@builtin("int(x: float) -> int", "int(x: bool) -> int", "int(x: string) -> int")
def int_of_value(x):
    """A number without its fraction; of a string, the integer that it spells."""
    return int(x)


@builtin("int<T: any>(x: T[...S]) -> int32[...S]", cost=CAST)
def int_(x):
    """As int32. See torch.Tensor.int."""
    return x.int()


@builtin("bool(x: float) -> bool", "bool(x: bool) -> bool")
def bool_of_value(x):
    """Whether it is not zero."""
    return bool(x)


@builtin("bool<T: any>(x: T[...S]) -> bool[...S]", cost=CAST)
def bool_(x):
    """Whether each element is not zero. See torch.Tensor.bool."""
    return x.bool()
