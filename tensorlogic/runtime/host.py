"""Values that come into a program without a type, and the calls of Python that make them."""

import math
from functools import reduce
from importlib import import_module
from typing import Any

import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

_arguments: list[str] = []


def use_arguments(given: list[str]) -> None:
    """What `args()` gives from now on."""
    _arguments[:] = given


def arguments() -> list[str]:
    """The arguments of the program, each a text."""
    return list(_arguments)


def power(a: float, b: float) -> float:
    """`a ** b`, and NaN for a root of a number below zero, as in PyTorch; Python would give a complex number."""
    result = a**b
    return math.nan if isinstance(result, complex) else result


def check_type(tensor: torch.Tensor, wanted: str, dtype: torch.dtype, shape: tuple) -> torch.Tensor:
    """The tensor, if it is of this type: an axis of `shape` is a number, None for any, `...` for any number of axes.

    TL0306 for what is no tensor, TL0302 for another dtype, TL0304 for another rank, TL0301 for another size.
    """
    if not isinstance(tensor, torch.Tensor):
        raise _mistake("TL0306", wanted, type(tensor).__name__)
    found = f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
    if tensor.dtype != dtype:
        raise _mistake("TL0302", wanted, found)
    sizes = _without_run(tuple(tensor.shape), shape)
    expected = tuple(size for size in shape if size is not ...)
    if sizes is None or len(sizes) != len(expected):
        raise _mistake("TL0304", wanted, found)
    if any(size is not None and size != actual for size, actual in zip(expected, sizes, strict=True)):
        raise _mistake("TL0301", wanted, found)
    return tensor


def python_call(module: str, name: str, keywords: dict[str, object] | None, *args: object) -> object:
    """A function of a Python module that the program imports. TL0807 with what it raised."""
    try:
        function: Any = reduce(getattr, name.split("."), import_module(module))
        return _called(function, args, keywords or {})
    except Exception as error:
        raise TensorLogicError(Diagnostic("TL0807", f"{module}.{name} raised {type(error).__name__}: {error}")) from error


def _called(function: Any, args: tuple, keywords: dict[str, object]) -> object:
    """Tensors go over as tensors; numpy, which calls methods that a tensor spells another way, takes them as arrays."""
    try:
        return function(*args, **keywords)
    except TypeError:
        arrays = [arg.detach().cpu().numpy() if isinstance(arg, torch.Tensor) else arg for arg in args]
        if not getattr(function, "__module__", "").startswith("numpy") or all(a is b for a, b in zip(arrays, args, strict=True)):
            raise
        return function(*arrays, **keywords)


def python_tensor(value: object, wanted: str, dtype: torch.dtype, shape: tuple) -> torch.Tensor:
    """What Python gave as a tensor of this type; numbers and numpy arrays take the declared dtype. Codes as for `check_type`."""
    if not isinstance(value, torch.Tensor):
        try:
            value = torch.as_tensor(value).to(dtype)
        except (TypeError, ValueError, RuntimeError):
            raise _mistake("TL0306", wanted, type(value).__name__) from None
    return check_type(value, wanted, dtype, shape)


def _without_run(sizes: tuple[int, ...], shape: tuple) -> tuple[int, ...] | None:
    """The sizes without those that `...` stands for; None where there are too few."""
    if ... not in shape:
        return sizes
    before, behind = shape.index(...), len(shape) - shape.index(...) - 1
    if len(sizes) < before + behind:
        return None
    return sizes[:before] + sizes[len(sizes) - behind :]


def _mistake(code: str, wanted: str, found: str) -> TensorLogicError:
    return TensorLogicError(Diagnostic(code, f"expected {wanted}, found {found}"))
