"""Builtins that work on each element alone: roots, powers, exponentials, trigonometry."""

import math

from tensorlogic.stdlib.costs import each
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin


@builtin("sqrt(x: float) -> float")
def sqrt_of_float(x):
    """Square root."""
    return math.sqrt(x)


@builtin("sqrt<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def sqrt(x):
    """Square root. See torch.sqrt."""
    return torch.sqrt(x)


@builtin("exp(x: float) -> float")
def exp_of_float(x):
    """e to the power of x."""
    return math.exp(x)


@builtin("exp<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def exp(x):
    """e to the power of x. See torch.exp."""
    return torch.exp(x)


@builtin("log(x: float) -> float")
def log_of_float(x):
    """Natural logarithm."""
    return math.log(x)


@builtin("log<T: float>(x: T[...S]) -> T[...S]")
def log(x):
    """Natural logarithm. See torch.log."""
    return torch.log(x)


@builtin("log2(x: float) -> float")
def log2_of_float(x):
    """Logarithm to base 2."""
    return math.log2(x)


@builtin("log2<T: float>(x: T[...S]) -> T[...S]")
def log2(x):
    """Logarithm to base 2. See torch.log2."""
    return torch.log2(x)


@builtin("log10(x: float) -> float")
def log10_of_float(x):
    """Logarithm to base 10."""
    return math.log10(x)


@builtin("log10<T: float>(x: T[...S]) -> T[...S]")
def log10(x):
    """Logarithm to base 10. See torch.log10."""
    return torch.log10(x)


@builtin("log1p(x: float) -> float")
def log1p_of_float(x):
    """Logarithm of 1 + x."""
    return math.log1p(x)


@builtin("log1p<T: float>(x: T[...S]) -> T[...S]")
def log1p(x):
    """Logarithm of 1 + x. See torch.log1p."""
    return torch.log1p(x)


@builtin("expm1(x: float) -> float")
def expm1_of_float(x):
    """e to the power of x, minus 1."""
    return math.expm1(x)


@builtin("expm1<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def expm1(x):
    """e to the power of x, minus 1. See torch.expm1."""
    return torch.expm1(x)


@builtin("sin(x: float) -> float")
def sin_of_float(x):
    """Sine."""
    return math.sin(x)


@builtin("sin<T: float>(x: T[...S]) -> T[...S]")
def sin(x):
    """Sine. See torch.sin."""
    return torch.sin(x)


@builtin("cos(x: float) -> float")
def cos_of_float(x):
    """Cosine."""
    return math.cos(x)


@builtin("cos<T: float>(x: T[...S]) -> T[...S]")
def cos(x):
    """Cosine. See torch.cos."""
    return torch.cos(x)


@builtin("tan(x: float) -> float")
def tan_of_float(x):
    """Tangent."""
    return math.tan(x)


@builtin("tan<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def tan(x):
    """Tangent. See torch.tan."""
    return torch.tan(x)


@builtin("asin(x: float) -> float")
def asin_of_float(x):
    """Inverse sine."""
    return math.asin(x)


@builtin("asin<T: float>(x: T[...S]) -> T[...S]")
def asin(x):
    """Inverse sine. See torch.asin."""
    return torch.asin(x)


@builtin("acos(x: float) -> float")
def acos_of_float(x):
    """Inverse cosine."""
    return math.acos(x)


@builtin("acos<T: float>(x: T[...S]) -> T[...S]")
def acos(x):
    """Inverse cosine. See torch.acos."""
    return torch.acos(x)


@builtin("atan(x: float) -> float")
def atan_of_float(x):
    """Inverse tangent."""
    return math.atan(x)


@builtin("atan<T: float>(x: T[...S]) -> T[...S]")
def atan(x):
    """Inverse tangent. See torch.atan."""
    return torch.atan(x)


@builtin("sinh(x: float) -> float")
def sinh_of_float(x):
    """Hyperbolic sine."""
    return math.sinh(x)


@builtin("sinh<T: float>(x: T[...S]) -> T[...S]")
def sinh(x):
    """Hyperbolic sine. See torch.sinh."""
    return torch.sinh(x)


@builtin("cosh(x: float) -> float")
def cosh_of_float(x):
    """Hyperbolic cosine."""
    return math.cosh(x)


@builtin("cosh<T: float>(x: T[...S]) -> T[...S]")
def cosh(x):
    """Hyperbolic cosine. See torch.cosh."""
    return torch.cosh(x)


@builtin("asinh<T: float>(x: T[...S]) -> T[...S]")
def asinh(x):
    """Inverse hyperbolic sine. See torch.asinh."""
    return torch.asinh(x)


@builtin("acosh<T: float>(x: T[...S]) -> T[...S]")
def acosh(x):
    """Inverse hyperbolic cosine. See torch.acosh."""
    return torch.acosh(x)


@builtin("atanh<T: float>(x: T[...S]) -> T[...S]")
def atanh(x):
    """Inverse hyperbolic tangent. See torch.atanh."""
    return torch.atanh(x)


@builtin("exp2<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def exp2(x):
    """2 to the power of x. See torch.exp2."""
    return torch.exp2(x)


@builtin("rsqrt<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def rsqrt(x):
    """1 / sqrt(x). See torch.rsqrt."""
    return torch.rsqrt(x)


@builtin("reciprocal<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps="result"))
def reciprocal(x):
    """1 / x. See torch.reciprocal."""
    return torch.reciprocal(x)


@builtin("erf(x: float) -> float")
def erf_of_float(x):
    """Error function."""
    return math.erf(x)


@builtin("erf<T: float>(x: T[...S]) -> T[...S]")
def erf(x):
    """Error function. See torch.erf."""
    return torch.erf(x)


@builtin("erfc(x: float) -> float")
def erfc_of_float(x):
    """1 - erf(x)."""
    return math.erfc(x)


@builtin("erfc<T: float>(x: T[...S]) -> T[...S]")
def erfc(x):
    """1 - erf(x). See torch.erfc."""
    return torch.erfc(x)


@builtin("erfinv<T: float>(x: T[...S]) -> T[...S]", cost=each(1))
def erfinv(x):
    """Inverse of the error function. See torch.erfinv."""
    return torch.erfinv(x)


@builtin("lgamma(x: float) -> float")
def lgamma_of_float(x):
    """Logarithm of the gamma function."""
    return math.lgamma(x)


@builtin("lgamma<T: float>(x: T[...S]) -> T[...S]")
def lgamma(x):
    """Logarithm of the gamma function. See torch.lgamma."""
    return torch.lgamma(x)


@builtin("digamma<T: float>(x: T[...S]) -> T[...S]")
def digamma(x):
    """Derivative of lgamma. See torch.digamma."""
    return torch.digamma(x)


@builtin("sinc<T: float>(x: T[...S]) -> T[...S]")
def sinc(x):
    """sin(pi x) / (pi x). See torch.sinc."""
    return torch.sinc(x)


@builtin("logit<T: float>(x: T[...S]) -> T[...S]")
def logit(x):
    """Inverse of sigmoid. See torch.logit."""
    return torch.logit(x)


@builtin("deg2rad(x: float) -> float")
def deg2rad_of_float(x):
    """Degrees to radians."""
    return math.radians(x)


@builtin("deg2rad<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps=""))
def deg2rad(x):
    """Degrees to radians. See torch.deg2rad."""
    return torch.deg2rad(x)


@builtin("rad2deg(x: float) -> float")
def rad2deg_of_float(x):
    """Radians to degrees."""
    return math.degrees(x)


@builtin("rad2deg<T: float>(x: T[...S]) -> T[...S]", cost=each(keeps=""))
def rad2deg(x):
    """Radians to degrees. See torch.rad2deg."""
    return torch.rad2deg(x)


@builtin("i0<T: float>(x: T[...S]) -> T[...S]")
def i0(x):
    """Modified Bessel function of the first kind, order 0. See torch.special.i0."""
    return torch.special.i0(x)
