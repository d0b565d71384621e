"""Calls of builtins drawn from their signatures: the call as program text beside the values that the body gets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import prod
from random import Random
from typing import Any as Anything

import torch

from tensorlogic.checker.matching import default_value
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Bool,
    DTypeValue,
    DTypeVar,
    Float,
    Int,
    List,
    NoneType,
    Segment,
    String,
    Tensor,
    Type,
    TypeVar,
)  # fmt: skip
from tests.properties.builtins_plans import plan_for

AXES = {"dim", "dim0", "dim1", "dim2", "start_dim", "end_dim", "source", "destination", "axis"}
FLOATS = ("float32",) * 6 + ("float64",) * 3 + ("bfloat16",) * 2 + ("float16",) * 2
INTS = ("int64",) * 3 + ("int32",) * 2 + ("int16", "int8", "uint8")
COMPLEX = ("complex64", "complex128")
USUAL = {
    "float": FLOATS,
    "int": INTS,
    "bool": ("bool",),
    "number": (*FLOATS, *INTS, *COMPLEX),
    "any": (*FLOATS, *INTS, *COMPLEX, "bool", "bool", "float8_e4m3fn", "float8_e5m2"),
}
BY_FLOATS = ("arange",)  # overloads for ints have plans of their own
# These need an element, of the whole tensor where they name no axis.
NONEMPTY = {
    "max", "min", "amax", "amin", "argmax", "argmin", "median", "quantile", "cross_entropy", "nll_loss", "instance_norm", "tt_svd", "pad",
    "adaptive_max_pool2d", "bilinear", "tucker_reconstruct", "cholesky", "det", "eigh", "eigvalsh", "qr", "svd", "svdvals",
}  # fmt: skip
COMPARED = {"eq", "ne", "lt", "le", "gt", "ge", "where"}
# Attention in torch 2.13 divides by the number of heads of the keys, and the process ends where that is 0; the others refuse what is
# empty by rules of their own, or check nothing then.
NEVER_EMPTY = {
    "attention", "quantile", "avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d", "batch_norm", "cross", "cummax", "cummin",
    "compression_ratio", "index_fill",
}  # fmt: skip
WORDS = {
    "reduction": ("mean", "sum", "none"),
    "approximate": ("none", "tanh"),
    "mode": ("constant", "nearest", "reflect", "bilinear"),
    "reduce": ("sum", "prod", "mean", "amax", "amin"),
    "equation": ("ij,jk->ik", "ij->ji", "bij,bjk->bik", "i,i->", "ij,ij", "...ij,...jk->...ik", "ii->i", "i,j->ij", "ij,kj", "ij->"),
}


class NotDrawn(Exception):
    """The signature has a parameter that this page cannot draw: a function, a model, a device."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tensor that is drawn: what the checker needs to know of it. `real` makes one."""

    sizes: tuple[int, ...]
    dtype: str

    def real(self, device: str = "cpu") -> torch.Tensor:
        if device == "narrow" and self.dtype == "float16":  # with which convolutions on the CPU end the process in torch 2.13
            return _filled(self.sizes, "bfloat16")
        return _abstract(self.sizes, self.dtype) if device == "meta" else _filled(self.sizes, self.dtype)


@lru_cache(20_000)
def _abstract(sizes: tuple[int, ...], dtype: str) -> torch.Tensor:
    return torch.empty(sizes, dtype=getattr(torch, dtype), device="meta")


@lru_cache(20_000)
def _filled(sizes: tuple[int, ...], dtype: str) -> torch.Tensor:
    """Values that are right wherever shapes are: indices of 0, probabilities, matrices that have an inverse."""
    wide = torch.rand(sizes, generator=torch.Generator().manual_seed(len(sizes)))
    if len(sizes) >= 2 and sizes[-1] == sizes[-2]:
        wide = (wide + wide.mT) / (2 * max(sizes[-1], 1) + 2) + torch.eye(sizes[-1]) / 2
    if dtype == "bool":
        return wide > 0.5
    number = dtype.startswith(("float", "bfloat", "complex"))
    return wide.to(getattr(torch, dtype)) if number else torch.zeros(sizes, dtype=getattr(torch, dtype))


def realized(value: object, device: str) -> object:
    """What the body of a builtin gets for a drawn value."""
    if isinstance(value, list | tuple):
        return type(value)(realized(item, device) for item in value)
    return value.real(device) if isinstance(value, Sample) else value


@dataclass
class Call:
    """One call. `values` are the drawn arguments by parameter, a `Sample` for a tensor; `variadic` the values after those."""

    signature: Signature
    random: Random
    dims: dict[str, int] = field(default_factory=dict)
    segments: dict[str, tuple[int, ...]] = field(default_factory=dict)
    planned: dict[str, object] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    tensors: list[Sample] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    variadic: tuple[object, ...] = ()

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def pick(self, items: Sequence) -> Anything:
        return self.random.choice(items)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first tensor: what axes and sizes are about."""
        return self.tensors[0].sizes if self.tensors else ()

    def given(self, device: str = "cpu") -> tuple[tuple, dict[str, object]]:
        """What the body gets: all by position, if there is a parameter that takes any number, else by name."""
        if device == "cpu" and self.signature.name.startswith("conv"):
            device = "narrow"
        values = {p.name: realized(self._tensor_of(p, self.values[p.name]), device) for p in self.signature.params if p.name in self.values}
        if self.variadic:
            return (*values.values(), *(realized(v, device) for v in self.variadic)), {}
        return (), values | dict(omitted(self))

    def named(self) -> Iterator[tuple[str | None, object]]:
        """The arguments as a program gives them: by name from the first one on that was left out or has several names."""
        positional = True
        for place, parameter in enumerate(self.signature.params):
            if parameter.variadic:
                yield from ((None, value) for value in self.variadic)
                continue
            here = parameter.name in self.values
            positional = positional and here and len(_names_at(self.signature.name, place)) < 2
            if here:
                yield None if positional else parameter.name, self.values[parameter.name]

    def _tensor_of(self, parameter: Parameter, value: object) -> object:
        """A number where a tensor is wanted is one, of the dtype that is wanted if that can hold it."""
        if not isinstance(parameter.type, Tensor) or not isinstance(value, int | float):
            return value
        dtype = parameter.type.dtype
        dtype = self.dtypes.get(dtype.name, "float32") if isinstance(dtype, DTypeVar) else dtype
        if isinstance(value, float) and "float" not in dtype:
            return Sample((), "float32")
        return Sample((), "bool" if isinstance(value, bool) else "int64" if dtype == "bool" else dtype)

    # --- tensors ---

    def size(self, dim: Dim) -> int:
        for name in dim.symbols():
            self.dims.setdefault(name, self.pick((1, 2, 2, 3, 3, 4)))
        return max(dim.evaluate(self.dims), 0)

    def run(self, name: str) -> tuple[int, ...]:
        if name in self.values:  # `weight: T[...shape]`
            return tuple(n for n in self.values[name] if isinstance(n, int) and n >= 0)  # type: ignore[union-attr]
        if name not in self.segments:
            sizes = tuple(self.pick((1, 2, 3, 4)) for _ in range(self.random.randrange(5)))
            self.segments[name] = self._like_another() if self.segments and self.chance(0.8) else sizes
        return self.segments[name]

    def _like_another(self) -> tuple[int, ...]:
        """Often the shape of another segment, some sizes 1 and some leading ones left out, so that broadcasting has a chance."""
        shape = tuple(1 if self.chance(0.2) else s for s in self.pick(list(self.segments.values())))
        return shape[self.pick((0, 0, 0, 1)) :]

    def tensor(self, type_: Tensor) -> Sample:
        sizes = [n for item in type_.shape for n in (self.run(item.name) if isinstance(item, Segment) else (self.size(item),))]  # type: ignore[arg-type]
        return self.sample(self._perhaps_wrong(sizes), self.dtype(type_.dtype))

    def sample(self, sizes: list[int], dtype: str) -> Sample:
        self.tensors.append(Sample(tuple(sizes), dtype))
        return self.tensors[-1]

    def _perhaps_wrong(self, sizes: list[int]) -> list[int]:
        """Sometimes one size, or the rank, is not what the signature asks for, or there are no elements at all."""
        if not self.chance(0.12):
            return sizes
        at = self.random.randrange(len(sizes) + 1)
        before, after = sizes[:at], sizes[at + 1 :]
        empty = [*before, 0 if self.may_be_empty else 7, *after]
        return self.pick(
            ([*before, 2, *sizes[at:]], [*before, 1, *sizes[at:]], before + after, [*before, 5, *after], [*before, 1, *after], empty)
        )

    @property
    def may_be_empty(self) -> bool:
        name = self.signature.name
        return name not in NEVER_EMPTY and (name not in NONEMPTY or any(p.name == "dim" for p in self.signature.params))

    def dtype(self, dtype: str | DTypeVar) -> str:
        if isinstance(dtype, str):
            return dtype
        if self.chance(0.04):
            return self.pick(USUAL["any"])
        return self.dtypes.setdefault(dtype.name, self.pick(USUAL[dtype.kind]))

    # --- numbers ---

    def integer(self, name: str) -> int:
        rank = len(self.shape)
        if name in AXES:
            return self.random.randrange(-rank, max(rank, 1)) if self.chance(0.85) else self.pick((-rank - 1, rank, rank + 1))
        if name not in self.dims:
            self.dims[name] = self.pick((1, 1, 2, 2, 3, 4, *self.shape)) if self.chance(0.8) else self.pick((0, -1, 5, 7))
        return self.dims[name]

    def integers(self, name: str) -> list[int]:
        guess = {"dims": self.axes, "dim": self.some_axes, "pad": self.pads, "shape": self.sizes, "sizes": self.sizes}.get(name)
        ways = (self.axes, self.some_axes, self.pads, self.sizes, self.counts)
        return (guess if guess and self.chance(0.75) else self.pick(ways))()

    def axes(self) -> list[int]:
        found = list(range(len(self.shape)))
        self.random.shuffle(found)
        return [n - len(found) if self.chance(0.2) else n for n in found]

    def some_axes(self) -> list[int]:
        found = self.axes()
        return found[: self.random.randrange(len(found) + 1)] + ([7] if self.chance(0.05) else [])

    def pads(self) -> list[int]:
        return [self.pick((0, 1, 2, 3, -1)) for _ in range(2 * self.random.randrange(len(self.shape) + 1))]

    def counts(self) -> list[int]:
        rank = len(self.shape)
        return [self.pick((1, 2, 3)) for _ in range(self.pick((rank, rank, rank + 1, max(rank - 1, 0))))]

    def sizes(self) -> list[int]:
        """The shape of the first tensor, its end, its elements in another layout, or wider where it is 1."""
        shape = list(self.shape)
        end = shape[self.random.randrange(len(shape) + 1) :]
        flat = self.pick(([prod(shape)], [1, *shape], [-1], [-1, *end], [prod(shape[:1]), -1], [*shape[:-1], -1]))
        return self.pick((end, end, shape, flat, flat, [3 if n == 1 else n for n in shape], [2, *shape], self.counts()))

    # --- parameters ---

    def parameter(self, parameter: Parameter) -> None:
        name = parameter.name
        if name in self.planned and not isinstance(parameter.type, Tensor):
            planned = self.planned[name]
            if isinstance(parameter.type, List) and isinstance(parameter.type.element, AnyTensor):
                planned = [self.sample(self._perhaps_wrong(list(sizes)), self.dtype(DTypeVar("T", "float"))) for sizes in planned]  # type: ignore[union-attr]
            if planned is not None:
                self.values[name] = planned
            return
        if parameter.has_default and name not in self.dims and (name in ("device", "dtype") or self.chance(0.55)):
            return
        self.values[name] = self.value(parameter.type, name)

    def value(self, type_: Type, name: str) -> object:
        match type_:
            case Tensor():
                return (
                    self.number(type_.dtype)
                    if len(self.tensors) > (self.signature.name == "where") and self.chance(0.02)
                    else self.tensor(type_)
                )
            case Bool():
                return self.chance(0.5)
            case Float():
                return self.pick((0.5, 0.5, 1.0, 0.25))
            case Int():
                return self.integer(name)
            case String():
                return self.pick(WORDS.get(name, ("3", "12")))
            case DTypeValue(variable):
                return getattr(torch, self.dtype(variable))
            case Any():
                return self.pick((1, 2, 3, [2], [1, 2], [2, 2], [1, 1, 2]))
            case List(element):
                return self.items(element, name)
        raise NotDrawn

    def number(self, dtype: str | DTypeVar) -> object:
        """A number in place of a tensor: one that the tensors which it meets can hold, where it matters."""
        if isinstance(dtype, str):
            return self.chance(0.5) if dtype == "bool" else 0  # of an index, which is within any size
        known = self.tensors[-1].dtype
        if known == "bool":
            return self.chance(0.5)
        return self.pick((2, 0.5, 1) if "float" in known or self.signature.name in COMPARED else (2, 1))

    def items(self, element: Type, name: str) -> list:
        match element:
            case Int():
                return self.integers(name)
            case AnyTensor():
                return self.several()
            case Float() | Any() | TypeVar() | String():
                return [self.value(Int() if isinstance(element, Any | TypeVar) else element, "") for _ in range(self.pick((1, 2, 3)))]
            case List(Int()):
                return [[self.pick((1, 2, 3)) for _ in range(self.pick((1, 2, 3)))] for _ in range(self.pick((1, 2, 3)))]
        raise NotDrawn

    def several(self) -> list[Sample]:
        """A list of tensors of one shape, of which one axis may differ."""
        sizes = [self.pick((1, 2, 3)) for _ in range(self.random.randrange(4))]
        axis = self.random.randrange(len(sizes)) if sizes and self.chance(0.5) else None
        found = []
        for _ in range(self.pick((1, 2, 3))):
            if axis is not None:
                sizes[axis] = self.pick((1, 2, 3))
            found.append(self.sample(self._perhaps_wrong(list(sizes)), self.dtype(DTypeVar("T", "float"))))
        return found

    def further(self) -> None:
        """What a parameter that takes any number of arguments is given: operands whose letters have one size each, mostly."""
        letters = str(self.values.get("equation", "")).partition("->")[0].split(",")
        sizes = {c: self.pick((1, 2, 3)) for c in "".join(letters)}
        self.variadic = tuple(self._operand(part.replace("...", "."), sizes) for part in letters)

    def _operand(self, part: str, sizes: dict[str, int]) -> Sample:
        found = [n for c in part for n in ([sizes[c]] if c != "." else [3] * self.pick((0, 1)))]
        return self.sample(self._perhaps_wrong(found), self.dtype(DTypeVar("T", "float")))


def draw(signature: Signature, seed: int) -> Call:
    """Arguments for a signature. Raises NotDrawn where it needs what cannot be drawn."""
    random = Random(seed)
    host = isinstance(signature.params[0].type, Float) if signature.name in BY_FLOATS else not _takes_tensors(signature)
    plan = plan_for(signature.name, host, random)
    call = Call(signature, random, plan.dims, plan.segments, plan.values)
    for parameter in _in_order(signature):
        if parameter.variadic:
            call.further()
        else:
            call.parameter(parameter)
    call.values = {p.name: call.values[p.name] for p in signature.params if p.name in call.values}
    return call


@cache
def _takes_tensors(signature: Signature) -> bool:
    return any(isinstance(p.type, Tensor) for p in signature.params)


@cache
def _in_order(signature: Signature) -> tuple[Parameter, ...]:
    """Tensors first, then what depends on their shapes, then tensors that depend on that."""
    names = {p.name for p in signature.params}

    def late(parameter: Parameter) -> int:
        type_ = parameter.type
        if not isinstance(type_, Tensor):
            return 1
        return 2 if any(isinstance(item, Segment) and item.name in names for item in type_.shape) else 0

    return tuple(sorted(signature.params, key=late))


# --- the call as a program ------------------------------------------------------------------------------------------------


def text_of(call: Call, name: str) -> str:
    """`name(t0, dim: -1)`: arguments by name from the first one on that was left out, or that another overload calls otherwise."""
    texts = Texts()
    parts = [texts.of(value) if key is None else f"{key}: {texts.of(value)}" for key, value in call.named()]
    return f"{name}({', '.join(parts)})"


@cache
def _names_at(name: str, place: int) -> set[str]:
    """What the overloads call the parameter at a place; of the first one nobody asks."""
    return {s.params[place].name for s in builtin_signatures(name) if place < len(s.params) and place}


class Texts:
    """Arguments as program text. Tensors are the parameters of the function around the call, in the order of the signature."""

    def __init__(self) -> None:
        self.tensors = 0

    def of(self, value: object) -> str:
        match value:
            case Sample():
                self.tensors += 1
                return f"t{self.tensors - 1}"
            case list():
                return f"[{', '.join(map(self.of, value))}]"
            case bool():
                return str(value).lower()
            case str():
                return f'"{value}"'
            case torch.dtype():
                return str(value).removeprefix("torch.")
        return repr(value)


def samples_of(call: Call) -> list[Sample]:
    """The tensors in the order of the arguments."""
    found: list[Sample] = []
    for value in (*call.values.values(), *call.variadic):
        found += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, Sample)]
    return found


def parameters_of(call: Call, names: dict[int, str] | None = None) -> str:
    """`t0: float32[2, 3]`; with `names` for sizes `t0: float32[P, Q]`."""

    def type_of(tensor: Sample) -> str:
        return f"{tensor.dtype}[{', '.join((names or {}).get(size, str(size)) for size in tensor.sizes)}]"

    return ", ".join(f"t{i}: {type_of(tensor)}" for i, tensor in enumerate(samples_of(call)))


def omitted(call: Call) -> Iterator[tuple[str, object]]:
    """What the body gets for the parameters that were left out."""
    for parameter in call.signature.params:
        if parameter.name in call.values or parameter.variadic:
            continue
        value = default_value(parameter.default)
        if isinstance(parameter.default, ast.Name) and parameter.default.name != "none":
            yield parameter.name, getattr(torch, parameter.default.name)
        elif isinstance(value, tuple):
            yield parameter.name, [dim.value for dim in value]
        elif not isinstance(value, NoneType):
            yield parameter.name, value
