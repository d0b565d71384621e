"""Why arguments do not fit a function: the slow half of the check at the door."""

from collections.abc import Mapping
from typing import Any, NoReturn

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.ir.ir import Function, Value
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import KINDS
from tensorlogic.types.goals import goal_symbols, holds
from tensorlogic.types.types import Bool, DTypeVar, Float, Int, Segment, String, Tensor

_HOST: dict[type, tuple[type, ...]] = {Int: (int,), Float: (float, int), Bool: (bool,), String: (str,)}


def explain(
    function: Function, args: tuple, keywords: Mapping[str, Any], names: tuple[str, ...], sizes: Mapping[str, int] | None = None
) -> None:
    """Raises the first mistake among the arguments; returns if there is none after all (a call by keywords, say).

    `names` are the names of the parameters, `sizes` those of the model whose method it is.
    """
    given = _bound(function, args, keywords, names)
    check = _Check(function, sizes or {})
    for param, value in given.items():
        check.argument(param, value)
    for requirement in function.signature.where:
        goal = requirement.goal
        if goal_symbols(goal) <= check.sizes.keys() and not holds(goal, check.sizes):
            numbers = ", ".join(f"{name} = {check.sizes[name]}" for name in sorted(goal_symbols(goal)))
            check.fail(
                "TL0311",
                f"`{function.title}` needs {requirement.text or goal}, found {numbers}",
                *map(check.origin, sorted(goal_symbols(goal))),
            )


def _bound(function: Function, args: tuple, keywords: Mapping[str, Any], names: tuple[str, ...]) -> dict[Value, Any]:
    """Arguments by parameter."""
    count = len(function.params)
    if len(args) > count:
        _raise(function, "TL0307", f"`{function.title}` takes {count} arguments, found {len(args)}")
    given = dict(zip(function.params, args, strict=False))
    for key, value in keywords.items():
        param = function.params[names.index(key)] if key in names else None
        if param is None or param in given:
            _raise(function, "TL0307", f"`{function.title}` has no parameter `{key}`" if param is None else f"`{key}` is given twice")
        given[param] = value
    for param, declared in zip(function.params, function.signature.params, strict=True):
        if param not in given and not declared.has_default:
            _raise(function, "TL0307", f"`{function.title}` needs the argument `{param.name}: {param.type}`")
    return {param: given[param] for param in function.params if param in given}


def _raise(function: Function, code: str, message: str, *notes: str) -> NoReturn:
    raise TensorLogicError(Diagnostic(code, message, function.span, notes=tuple(filter(None, notes))))


def found_text(value: Any) -> str:
    """What an argument is: `float32[3, 4]`, or the name of its Python type."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is None or shape is None or type(value).__module__.startswith("numpy"):
        return type(value).__name__
    return f"{str(dtype).removeprefix('torch.')}[{', '.join(map(str, shape))}]"


class _Check:
    def __init__(self, function: Function, sizes: Mapping[str, int]) -> None:
        self.function = function
        self.sizes = dict(sizes)
        self.origins = dict.fromkeys(sizes, "of the model")
        self.segments: dict[str, tuple[int, ...]] = {}
        self.dtypes: dict[str, str] = {}

    def fail(self, code: str, message: str, *notes: str) -> NoReturn:
        _raise(self.function, code, message, *notes)

    def mismatch(self, code: str, param: Value, value: Any, *notes: str) -> NoReturn:
        self.fail(code, f"`{self.function.title}` expects `{param.name}: {param.type}`, found {found_text(value)}", *notes)

    def origin(self, name: str) -> str:
        """Where a size has its number from."""
        return f"{name} is {self.sizes[name]}: {self.origins[name]}" if name in self.origins else ""

    def argument(self, param: Value, value: Any) -> None:
        match param.type:
            case Tensor():
                self.tensor(param, param.type, value)
            case Int() | Float() | Bool() | String():
                if type(value) not in _HOST[type(param.type)]:
                    self.mismatch("TL0306", param, value)
                if isinstance(param.type, Int):
                    self.bind(param.name, value, param, "the argument itself")

    def tensor(self, param: Value, type_: Tensor, value: Any) -> None:
        found = found_text(value)
        if "[" not in found:
            self.mismatch("TL0306", param, value, "a torch tensor is needed here")
        self.dtype(param, type_.dtype, value)
        shape = tuple(value.shape)
        at = next((i for i, item in enumerate(type_.shape) if not isinstance(item, Dim)), None)
        if at is None:
            if len(shape) != len(type_.shape):
                self.mismatch("TL0304", param, value, f"expected {len(type_.shape)} axes, found {len(shape)}")
            self.axes(param, type_.shape, shape, value)
            return
        behind = len(type_.shape) - at - 1
        if len(shape) < at + behind:
            self.mismatch("TL0304", param, value, f"expected at least {at + behind} axes, found {len(shape)}")
        self.axes(param, type_.shape[:at], shape[:at], value)
        self.segment(param, type_.shape[at], shape[at : len(shape) - behind], value)
        self.axes(param, type_.shape[at + 1 :], shape[len(shape) - behind :], value)

    def dtype(self, param: Value, dtype: str | DTypeVar, value: Any) -> None:
        found = str(value.dtype).removeprefix("torch.")
        if isinstance(dtype, str):
            if found != dtype:
                self.mismatch("TL0302", param, value)
        elif self.dtypes.setdefault(dtype.name, found) != found:
            self.mismatch("TL0302", param, value, f"{dtype.name} is {self.dtypes[dtype.name]} from another argument")
        elif found not in KINDS.get(dtype.kind, KINDS["any"]):
            self.mismatch("TL0302", param, value, f"{dtype.name} is any {dtype.kind} dtype")

    def segment(self, param: Value, item: object, sizes: tuple[int, ...], value: Any) -> None:
        if isinstance(item, Segment) and item.name and self.segments.setdefault(item.name, sizes) != sizes:
            self.mismatch("TL0301", param, value, f"...{item.name} is {list(self.segments[item.name])} from another argument")

    def axes(self, param: Value, items: tuple, sizes: tuple[int, ...], value: Any) -> None:
        for i, (item, size) in enumerate(zip(items, sizes, strict=True)):
            if isinstance(item, Dim) and not item.has_unknown:
                self.axis(param, item, size, value, i)

    def axis(self, param: Value, item: Dim, size: int, value: Any, place: int) -> None:
        free = [name for name in item.symbols() if name not in self.sizes]
        if not free:
            if item.evaluate(self.sizes) != size:
                reasons = [self.origin(name) for name in sorted(item.symbols())]
                self.mismatch("TL0301", param, value, f"{item} should be {item.evaluate(self.sizes)}, found {size}", *reasons)
            return
        binding = next((b for b in self.function.dims if b.value.name in free), None)
        scale, offset = (binding.scale, binding.offset) if binding else (1, 0)
        if len(free) == 1 and item == Dim.sym(free[0]) * scale + offset:
            if (size - offset) % scale:
                self.mismatch("TL0309", param, value, f"axis {place} is {item}, and {size - offset} is not a multiple of {scale}")
            self.bind(free[0], (size - offset) // scale, param, f"axis {place} of `{param.name}`")

    def bind(self, name: str, number: int, param: Value, where: str) -> None:
        self.sizes.setdefault(name, number)
        self.origins.setdefault(name, where)
