"""Calls of builtins drawn from their signatures: argument types for the checker beside values for the body."""

from dataclasses import dataclass, field
from random import Random

import torch

from tensorlogic.checker.matching import Argument, Attempt, Matcher, default_value
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Value
from tensorlogic.source import Source, Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import Any, Bool, DTypeValue, DTypeVar, Float, Int, List, NoneType, Segment, Tensor, Type

SPAN = Span(Source("<test>", " "), 0, 1)
AXES = {"dim", "dim0", "dim1", "dim2", "start_dim", "end_dim", "source", "destination"}
LISTS = {"dims": "axes", "dim": "axes", "shape": "sizes", "sizes": "sizes", "repeats": "sizes", "pad": "pads", "shifts": "axes"}
KIND_DTYPES = {
    "float": ("float32", "float64"),
    "int": ("int64", "int32"),
    "bool": ("bool",),
    "number": ("float32", "int64"),
    "any": ("float32", "bool"),
}


@dataclass
class Drawn:
    """One call: `types` and `values` by parameter."""

    random: Random
    dims: dict[str, int] = field(default_factory=dict)
    segments: dict[str, tuple[int, ...]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    rank: int = 0

    def size(self, dim: Dim) -> int:
        for name in dim.symbols():
            self.dims.setdefault(name, self.random.choice((1, 2, 3, 4)))
        return dim.evaluate(self.dims)

    def run(self, name: str) -> tuple[int, ...]:
        if name not in self.segments:
            self.segments[name] = self._like_another() or tuple(self.random.choice((1, 2, 3)) for _ in range(self.random.randrange(4)))
        return self.segments[name]

    def _like_another(self) -> tuple[int, ...] | None:
        """Often the shape of another segment, some sizes 1 and some leading ones left out, so that broadcasting has a chance."""
        if not self.segments or self.random.random() < 0.2:
            return None
        shape = self.random.choice(list(self.segments.values()))
        shape = tuple(1 if self.random.random() < 0.2 else s for s in shape)
        return shape[self.random.choice((0, 0, 0, 1)) :] or None

    def tensor(self, type_: Tensor) -> tuple[Type, object]:
        dtype = self.dtype(type_.dtype)
        shape = tuple(n for item in type_.shape for n in (self.run(item.name) if isinstance(item, Segment) else (self.size(item),)))
        self.rank = self.rank or len(shape)
        return Tensor(dtype, tuple(map(Dim.const, shape))), values_of(shape, getattr(torch, dtype))

    def dtype(self, dtype: str | DTypeVar) -> str:
        if isinstance(dtype, str):
            return dtype
        return self.dtypes.setdefault(dtype.name, self.random.choice(KIND_DTYPES[dtype.kind]))

    def value(self, parameter: Parameter) -> tuple[Type, object] | None:
        """A type and a value for the parameter, or None where it is left out."""
        if parameter.has_default and (self.random.random() < 0.6 or parameter.name in ("device", "dtype")):
            return None
        match parameter.type:
            case Tensor():
                return self.tensor(parameter.type)
            case Int() | Any():
                n = self.number(parameter.name)
                return Int(Dim.const(n)), n
            case Float():
                return Float(0.5), 0.5
            case Bool():
                truth = self.random.random() < 0.5
                return Bool(truth), truth
            case DTypeValue(DTypeVar() as variable):
                name = self.dtype(variable)
                return DTypeValue(name), getattr(torch, name)
            case List(Int()):
                numbers = self.numbers(parameter.name)
                return List(Int(), tuple(Int(Dim.const(n)) for n in numbers)), numbers
        return None

    def number(self, name: str) -> int:
        if name in AXES:
            return self.random.randrange(-self.rank - (self.random.random() < 0.1), max(self.rank, 1))
        self.dims.setdefault(name, self.random.choice((1, 2, 3)))
        return self.dims[name]

    def numbers(self, name: str) -> list[int]:
        axes = list(range(self.rank))
        self.random.shuffle(axes)
        match LISTS.get(name):
            case "axes":
                return axes if name == "dims" else axes[: self.random.randrange(max(len(axes), 1)) + 1]
            case "pads":
                return [self.random.choice((0, 1, 2)) for _ in range(2 * self.random.randrange(self.rank + 1))]
        return [self.random.choice((1, 2, 3)) for _ in range(max(self.rank, 1))]


def values_of(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    if dtype == torch.bool:
        return torch.rand(shape) > 0.5
    return torch.rand(shape, dtype=dtype) if dtype.is_floating_point else torch.zeros(shape, dtype=dtype)


def draw(signature: Signature, seed: int) -> Drawn | None:
    """Arguments for a signature; None where it needs what cannot be drawn."""
    drawn = Drawn(Random(seed))
    for parameter in signature.params:
        found = drawn.value(parameter)
        if found is None and not parameter.has_default:
            return None
        if found is not None:
            drawn.types[parameter.name], drawn.values[parameter.name] = found
    for parameter in signature.params:
        if parameter.name not in drawn.values:
            _default(drawn, parameter)
    return drawn


def _default(drawn: Drawn, parameter: Parameter) -> None:
    """What the body gets for an omitted argument."""
    value = default_value(parameter.default)
    if isinstance(parameter.default, ast.Name) and parameter.default.name != "none":
        drawn.values[parameter.name] = getattr(torch, parameter.default.name)
    elif isinstance(value, tuple):
        drawn.values[parameter.name] = [dim.value for dim in value]
    elif not isinstance(value, NoneType):
        drawn.values[parameter.name] = value


def infer(signature: Signature, index: int, drawn: Drawn) -> tuple[Attempt, Type | None]:
    """What the checker makes of the call."""
    attempt = Attempt(signature, index, Obligations(Facts.empty))
    matcher = Matcher(None, attempt, lambda *_: None)  # type: ignore[arg-type]
    node = ast.BoolLit(SPAN, True)
    matcher.run([Argument(name, Typed(Value("", type_), type_, SPAN), node) for name, type_ in drawn.types.items()], SPAN)
    return attempt, None if attempt.failed else matcher.result()
