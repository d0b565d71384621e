"""Runs a program in the ways there are, generated Python, fx graph and reference evaluator, and compares bit for bit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import fields, is_dataclass
from io import StringIO
from random import Random
from typing import Any

import torch

from tensorlogic import driver
from tensorlogic.backends.fx import NotPure, build_graph
from tensorlogic.backends.python import compile_module
from tensorlogic.ir.ir import Function, Module
from tensorlogic.source import Source
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Bool, DTypeVar, Float, Int, List, Segment, String, Tensor, Tuple, Type
from tests.reference import Reference, StructValue

SEED = 7
DTYPES = {"float": "float32", "int": "int64", "bool": "bool", "number": "float64", "any": "float32"}
MISTAKES = (RuntimeError, ValueError, IndexError, ZeroDivisionError, AssertionError, OverflowError, TypeError)


class NoArguments(Exception):
    """A parameter that cannot be drawn: a function, a model, a struct."""


class Program:
    """A program compiled to Python, beside the evaluator. `run()` runs both and gives what they printed."""

    def __init__(self, source: Source) -> None:
        self.analysis = driver.analyse(source)
        self.module: Module = self.analysis.checked()
        self.generated = driver.build(self.analysis)
        self.names: Any = compile_module(self.generated)
        torch.manual_seed(SEED)
        self.reference = Reference(self.module)

    def run(self) -> tuple[str, str]:
        return printed(lambda: [self.names[n]() for n in ("run", "main") if n in self.names]), printed(self._evaluate)

    def _evaluate(self) -> None:
        self.reference.run()
        self.reference.main()

    def values(self) -> Iterator[tuple[str, Any, Any]]:
        """The top-level variables after `run()`: name, what Python has, what the evaluator has."""
        found = {value.name: held for value, held in self.reference.top.items() if value.top}
        for name, python in self.generated.values.items():
            if name in found and python in self.names:
                yield name, self.names[python], found[name]

    def graph(self, name: str) -> Callable[..., Any] | None:
        tensors = {name: self.names[python] for name, python in self.generated.globals.items() if python in self.names}
        try:
            return build_graph(self.module, name, tensors)
        except NotPure:
            return None

    def call(self, way: Callable[..., Any], args: list[Any]) -> Any:
        """The result, or the kind of refusal."""
        torch.manual_seed(SEED)
        try:
            return way(*[arg.clone() if isinstance(arg, torch.Tensor) else arg for arg in args])
        except MISTAKES:
            return "refused"


def printed(action: Callable[[], object]) -> str:
    out = StringIO()
    torch.manual_seed(SEED)
    with redirect_stdout(out):
        action()
    return out.getvalue()


def same(a: Any, b: Any) -> bool:
    """Bit for bit; NaN equals NaN, a list a tuple."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and same_bits(a, b)
    if isinstance(a, tuple | list | range | torch.nn.ModuleList) and isinstance(b, tuple | list | range):
        return len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a) and isinstance(b, StructValue):
        return all(same(getattr(a, field.name), value) for field, value in zip(fields(a), b.fields.values(), strict=True))
    if (callable(a) and callable(b)) or (isinstance(a, torch.optim.Optimizer) and type(a) is type(b)):
        return True
    if hasattr(a, "state_dict") and hasattr(b, "state_dict"):
        return same(list(a.state_dict().values()), list(b.state_dict().values()))

    return type(a) is type(b) and (a == b or a != a and b != b)


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.dtype.is_floating_point or a.dtype.is_complex:
        return bool(torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))
    return torch.equal(a, b)


def arguments(function: Function, random: Random) -> list[Any]:
    """One argument for each parameter, with sizes drawn for its dims."""
    dims: dict[str, int] = {}
    runs: dict[str, list[int]] = {}
    given = [_argument(param.type, param.name, random, dims, runs) for param in function.params]
    return [dims.setdefault(p.name, v) if isinstance(p.type, Int) else v for p, v in zip(function.params, given, strict=True)]


def _argument(type_: Type, name: str, random: Random, dims: dict[str, int], runs: dict[str, list[int]]) -> Any:
    match type_:
        case Tensor(dtype, shape):
            sizes = [n for item in shape for n in _sizes(item, random, dims, runs)]
            known = DTYPES[dtype.kind] if isinstance(dtype, DTypeVar) else dtype
            return drawn(sizes, getattr(torch, known, None), random)
        case Int():
            return dims.setdefault(name, random.choice((1, 2, 4)))
        case Float():
            return random.choice((0.5, 1.0, 2.0))
        case Bool():
            return random.random() < 0.5
        case String():
            return "text"
        case List(element):
            return [_argument(element, name, random, dims, runs) for _ in range(2)]
        case Tuple(items):
            return tuple(_argument(item, name, random, dims, runs) for item in items)
    raise NoArguments


def _sizes(item: object, random: Random, dims: dict[str, int], runs: Mapping[str, list[int]]) -> list[int]:
    if isinstance(item, Segment):
        return runs.setdefault(item.name, [random.choice((1, 2, 3)) for _ in range(random.randrange(3))])  # type: ignore[attr-defined]
    if not isinstance(item, Dim):
        raise NoArguments
    for name in item.symbols():
        dims.setdefault(name, random.choice((1, 2, 4, 6)))
    return [item.evaluate(dims)]


def drawn(sizes: list[int], dtype: torch.dtype | None, random: Random) -> torch.Tensor:
    if dtype is None or any(n < 0 for n in sizes):
        raise NoArguments
    generator = torch.Generator().manual_seed(random.randrange(1000))
    wide = torch.randn(sizes, generator=generator, dtype=torch.float64)
    return wide > 0 if dtype == torch.bool else wide.abs().clamp(max=1).floor().to(dtype) if not dtype.is_floating_point else wide.to(dtype)
