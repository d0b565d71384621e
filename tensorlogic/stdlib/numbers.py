"""Builtins on numbers of any kind, element by element: rounding, signs, bounds, comparison, choice, conversion."""

import math

from tensorlogic.stdlib.costs import each
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.precise import real
from tensorlogic.stdlib.registry import builtin


@builtin("abs(x: int) -> int")
def abs_of_int(x):
    """Absolute value."""
    return abs(x)


@builtin("abs(x: float) -> float")
def abs_of_float(x):
    """Absolute value."""
    return abs(x)


@builtin(
    "abs(x: complex64[...S]) -> float32[...S]",
    "abs(x: complex128[...S]) -> float64[...S]",
    "abs<T: number>(x: T[...S]) -> T[...S]",
)
def abs_(x):
    """Absolute value. See torch.abs."""
    return torch.abs(x)


@builtin("floor(x: int) -> int")
def floor_of_int(x):
    """The largest integer not above x."""
    return x


@builtin("floor(x: float) -> float")
def floor_of_float(x):
    """The largest integer not above x."""
    return float(math.floor(x))


@builtin("floor<T: number>(x: T[...S]) -> T[...S]", infer=real, cost=each(keeps=""))
def floor(x):
    """The largest integer not above x. See torch.floor."""
    return torch.floor(x)


@builtin("ceil(x: int) -> int")
def ceil_of_int(x):
    """The smallest integer not below x."""
    return x


@builtin("ceil(x: float) -> float")
def ceil_of_float(x):
    """The smallest integer not below x."""
    return float(math.ceil(x))


@builtin("ceil<T: number>(x: T[...S]) -> T[...S]", infer=real, cost=each(keeps=""))
def ceil(x):
    """The smallest integer not below x. See torch.ceil."""
    return torch.ceil(x)


@builtin("trunc(x: float) -> float")
def trunc_of_float(x):
    """The integer part."""
    return float(math.trunc(x))


@builtin("trunc<T: number>(x: T[...S]) -> T[...S]", infer=real, cost=each(keeps=""))
def trunc(x):
    """The integer part. See torch.trunc."""
    return torch.trunc(x)


@builtin("round(x: float, decimals: int = 0) -> float")
def round_of_float(x, decimals=0):
    """The nearest integer, halves to the even one; with `decimals`, the nearest number with that many digits."""
    return float(round(x, decimals))


@builtin("round<T: float>(x: T[...S], decimals: int = 0) -> T[...S]", cost=each(keeps=""))
def round_(x, decimals=0):
    """The nearest integer, halves to the even one. See torch.round."""
    return torch.round(x, decimals=decimals)


@builtin("frac<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps=""))
def frac(x):
    """The part behind the point. See torch.frac."""
    return torch.frac(x)


@builtin("neg<T: number>(x: T[...S]) -> T[...S]", cost=each(keeps=""))
def neg(x):
    """-x. See torch.neg."""
    return torch.neg(x)


@builtin("square<T: number>(x: T[...S]) -> T[...S]")
def square(x):
    """x * x. See torch.square."""
    return torch.square(x)


@builtin("sign(x: int) -> int")
def sign_of_int(x):
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)


@builtin("sign(x: float) -> float")
def sign_of_float(x):
    """-1, 0 or 1."""
    return float((x > 0) - (x < 0))


@builtin("sign<T: number>(x: T[...S]) -> T[...S]", infer=real, cost=each(keeps=""))
def sign(x):
    """-1, 0 or 1. See torch.sign."""
    return torch.sign(x)


@builtin("isnan(x: float) -> bool")
def isnan_of_float(x):
    """Whether it is not a number."""
    return math.isnan(x)


@builtin("isnan<T: number>(x: T[...S]) -> bool[...S]", cost=each(keeps=""))
def isnan(x):
    """Whether it is not a number. See torch.isnan."""
    return torch.isnan(x)


@builtin("isinf(x: float) -> bool")
def isinf_of_float(x):
    """Whether it is infinite."""
    return math.isinf(x)


@builtin("isinf<T: number>(x: T[...S]) -> bool[...S]", cost=each(keeps=""))
def isinf(x):
    """Whether it is infinite. See torch.isinf."""
    return torch.isinf(x)


@builtin("isfinite(x: float) -> bool")
def isfinite_of_float(x):
    """Whether it is neither infinite nor NaN."""
    return math.isfinite(x)


@builtin("isfinite<T: number>(x: T[...S]) -> bool[...S]", cost=each(keeps=""))
def isfinite(x):
    """Whether it is neither infinite nor NaN. See torch.isfinite."""
    return torch.isfinite(x)


@builtin("logical_not<T: any>(x: T[...S]) -> bool[...S]", cost=each(keeps=""))
def logical_not(x):
    """Whether it is zero. See torch.logical_not."""
    return torch.logical_not(x)


@builtin("maximum<T: any>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", infer=real, mixes=True)
def maximum(a, b):
    """The larger of two, element by element. See torch.maximum."""
    return torch.maximum(a, b)


@builtin("minimum<T: any>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", infer=real, mixes=True)
def minimum(a, b):
    """The smaller of two, element by element. See torch.minimum."""
    return torch.minimum(a, b)


@builtin("fmod<T: number>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", infer=real, mixes=True)
def fmod(a, b):
    """Remainder with the sign of the dividend. See torch.fmod."""
    return torch.fmod(a, b)


@builtin("remainder<T: number>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", infer=real, mixes=True)
def remainder(a, b):
    """Remainder with the sign of the divisor. See torch.remainder."""
    return torch.remainder(a, b)


@builtin("atan2<T: float>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(4))
def atan2(a, b):
    """Angle of the point (b, a). See torch.atan2."""
    return torch.atan2(a, b)


@builtin("hypot<T: float>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(3, keeps="a b result"))
def hypot(a, b):
    """sqrt(a * a + b * b). See torch.hypot."""
    return torch.hypot(a, b)


@builtin("logaddexp<T: float>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(4))
def logaddexp(a, b):
    """log(exp(a) + exp(b)). See torch.logaddexp."""
    return torch.logaddexp(a, b)


@builtin("xlogy<T: float>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True)
def xlogy(a, b):
    """a * log(b), 0 where a is 0. See torch.xlogy."""
    return torch.xlogy(a, b)


@builtin("copysign<T: float>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(keeps="a result"))
def copysign(a, b):
    """The size of `a` with the sign of `b`. See torch.copysign."""
    return torch.copysign(a, b)


@builtin("logical_and<T: any>(a: T[...A], b: T[...B]) -> bool[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def logical_and(a, b):
    """Whether both are not zero. See torch.logical_and."""
    return torch.logical_and(a, b)


@builtin("logical_or<T: any>(a: T[...A], b: T[...B]) -> bool[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def logical_or(a, b):
    """Whether one is not zero. See torch.logical_or."""
    return torch.logical_or(a, b)


@builtin("logical_xor<T: any>(a: T[...A], b: T[...B]) -> bool[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def logical_xor(a, b):
    """Whether exactly one is not zero. See torch.logical_xor."""
    return torch.logical_xor(a, b)


def _comparison(name: str) -> tuple[str, str]:
    """Its signatures: of two tensors, and of a tensor and a number."""
    return f"{name}<T: any>(a: T[...A], b: T[...B]) -> bool[...broadcast(A, B)]", f"{name}<T: any>(a: T[...S], b: float) -> bool[...S]"


@builtin(*_comparison("eq"), mixes=True, cost=each(keeps=""))
def eq(a, b):
    """a == b. See torch.eq."""
    return torch.eq(a, b)


@builtin(*_comparison("ne"), mixes=True, cost=each(keeps=""))
def ne(a, b):
    """a != b. See torch.ne."""
    return torch.ne(a, b)


@builtin(*_comparison("lt"), infer=real, mixes=True, cost=each(keeps=""))
def lt(a, b):
    """a < b. See torch.lt."""
    return torch.lt(a, b)


@builtin(*_comparison("le"), infer=real, mixes=True, cost=each(keeps=""))
def le(a, b):
    """a <= b. See torch.le."""
    return torch.le(a, b)


@builtin(*_comparison("gt"), infer=real, mixes=True, cost=each(keeps=""))
def gt(a, b):
    """a > b. See torch.gt."""
    return torch.gt(a, b)


@builtin(*_comparison("ge"), infer=real, mixes=True, cost=each(keeps=""))
def ge(a, b):
    """a >= b. See torch.ge."""
    return torch.ge(a, b)


@builtin("bitwise_and<T: int>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def bitwise_and(a, b):
    """Bits in both. See torch.bitwise_and."""
    return torch.bitwise_and(a, b)


@builtin("bitwise_or<T: int>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def bitwise_or(a, b):
    """Bits in one at least. See torch.bitwise_or."""
    return torch.bitwise_or(a, b)


@builtin("bitwise_xor<T: int>(a: T[...A], b: T[...B]) -> T[...broadcast(A, B)]", mixes=True, cost=each(keeps=""))
def bitwise_xor(a, b):
    """Bits in exactly one. See torch.bitwise_xor."""
    return torch.bitwise_xor(a, b)
