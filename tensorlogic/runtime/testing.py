"""Assertions of programs: what differs first, and both values. The caller adds the place."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from math import isclose, isnan
from typing import NoReturn

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.printing import source


def panic(message: str) -> NoReturn:
    """TL0802 with the program's own words."""
    raise TensorLogicError(Diagnostic("TL0802", message))


def assert_eq(a: object, b: object) -> None:
    """The same values of the same shape; TL0802 names the first place where they are not."""
    difference = _difference(a, b, "")
    if difference is not None:
        panic(f"assert_eq failed: {difference}")


def assert_close(a: object, b: object, tol: float = 1e-6) -> None:
    """All elements differ by at most `tol`. A number stands for every element of a tensor; NaN is close to nothing."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        _tensors_close(a, b, tol)
    elif isinstance(a, Sequence) and isinstance(b, Sequence):
        _lists_close(a, b, tol)
    elif not (a == b or isclose(float(a), float(b), rel_tol=0.0, abs_tol=tol)):  # type: ignore[arg-type]
        panic(f"assert_close failed: {source(a)} is not within {tol} of {source(b)}")


def _lists_close(a: Sequence, b: Sequence, tol: float) -> None:
    if len(a) != len(b):
        panic(f"assert_close failed: {len(a)} items against {len(b)}")
    for left, right in zip(a, b, strict=True):
        assert_close(left, right, tol)


def _as_tensor(value: object, like: object) -> Tensor:
    if isinstance(value, torch.Tensor):
        return value.detach()
    return torch.tensor(value, dtype=like.dtype, device=like.device) if isinstance(like, torch.Tensor) else torch.tensor(value)


def _tensors_close(a: object, b: object, tol: float) -> None:
    left, right = _as_tensor(a, b), _as_tensor(b, a)
    if left.shape != right.shape and not (_is_number(a) or _is_number(b)):
        panic(f"assert_close failed: the shapes are {list(left.shape)} and {list(right.shape)}")
    exact = torch.complex128 if left.is_complex() or right.is_complex() else torch.float64
    wide, other = torch.broadcast_tensors(left.cpu().to(exact), right.cpu().to(exact))
    apart = ~(((wide - other).abs() <= tol) | (wide == other))
    if bool(apart.any()):
        place = apart.nonzero()[0].tolist()
        x, y = wide[tuple(place)].item(), other[tuple(place)].item()
        size = (wide - other).abs()[apart]
        worst = size[~size.isnan()].max().item() if not bool(size.isnan().all()) else float("nan")
        how_many = f"{int(apart.sum())} of {apart.numel()} differ, at most {worst:.3g}"
        panic(f"assert_close failed{_at(place)}: {x} is not within {tol} of {y}; {how_many}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _at(place: list[int]) -> str:
    return f" at [{', '.join(map(str, place))}]" if place else ""


def _difference(a: object, b: object, path: str) -> str | None:
    """What differs first, in words."""
    where = f" at {path}" if path else ""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return _tensor_difference(a, b, where)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return _sequence_difference(a, b, path)
    if is_dataclass(a) and type(a) is type(b):
        pairs = ((f.name, _difference(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")) for f in fields(a))
        return next((text for _, text in pairs if text), None)
    same_kind = isinstance(a, bool) == isinstance(b, bool)
    if same_kind and (a == b or (isinstance(a, float) and isinstance(b, float) and isnan(a) and isnan(b))):
        return None
    return f"{source(a)} against {source(b)}{where}"


def _sequence_difference(a: Sequence, b: Sequence, path: str) -> str | None:
    if len(a) != len(b):
        return f"{source(list(a))} has {len(a)} items, {source(list(b))} has {len(b)}"
    found = (_difference(x, y, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b, strict=True)))
    return next((text for text in found if text), None)


def _tensor_difference(a: object, b: object, where: str) -> str | None:
    left, right = _as_tensor(a, b).cpu(), _as_tensor(b, a).cpu()
    if left.shape != right.shape:
        return f"the shapes are {list(left.shape)} and {list(right.shape)}{where}"
    apart = left != right
    if left.is_floating_point() and right.is_floating_point():
        apart &= ~(left.isnan() & right.isnan())
    if not bool(apart.any()):
        return None
    place = apart.nonzero()[0].tolist()
    return f"{source(left[tuple(place)].item())} against {source(right[tuple(place)].item())}{where}{_at(place)}"
