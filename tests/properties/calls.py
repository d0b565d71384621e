"""Calls of builtins drawn from their signatures: the call as program text beside the values that the body gets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from random import Random

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
)  # fmt: skip

AXES = {"dim", "dim0", "dim1", "dim2", "start_dim", "end_dim", "source", "destination", "axis"}
# No float16: torch 2.13's conv2d on the CPU crashes the process with it, for sizes that are right.
USUAL = {
    "float": ("float32", "float32", "float64", "bfloat16"),
    "int": ("int64", "int64", "int32", "int16", "int8", "uint8"),
    "bool": ("bool",),
    "number": ("float32", "float32", "int64", "float64", "int32", "bfloat16", "uint8"),
    "any": ("float32", "float32", "int64", "bool", "float64", "int32", "bfloat16"),
}
WORDS = {
    "reduction": ("mean", "sum", "none"),
    "approximate": ("none", "tanh"),
    "mode": ("constant", "nearest", "reflect", "bilinear"),
    "reduce": ("sum", "prod", "mean", "amax", "amin"),
    "equation": ("ij,jk->ik", "ij->ji", "bij,bjk->bik", "i,i->", "ij,ij", "...ij,...jk->...ik", "ii->i", "i,j->ij", "ij,kj", "ij->"),
}


class NotDrawn(Exception):
    """The signature has a parameter that this page cannot draw: a function, a model, a device."""


@dataclass
class Call:
    """One call. `text` is what the program says, `values` what the body is called with, `variadic` the values after those."""

    signature: Signature
    random: Random
    dims: dict[str, int] = field(default_factory=dict)
    segments: dict[str, tuple[int, ...]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)  # parameters of the function around the call
    values: dict[str, object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    variadic: tuple[object, ...] = ()

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def pick(self, items):
        return self.random.choice(items)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first tensor: what axes and sizes are about."""
        return tuple(next(iter(self.tensors.values())).shape) if self.tensors else ()

    @property
    def arguments(self) -> tuple[object, ...]:
        """What the body gets by position: all, if there is a parameter that takes any number."""
        return (*self.values.values(), *self.variadic) if self.variadic else ()

    @property
    def named_arguments(self) -> dict[str, object]:
        return {} if self.variadic else self.values | dict(omitted(self))

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

    def tensor(self, type_: Tensor) -> torch.Tensor:
        sizes = [n for item in type_.shape for n in (self.run(item.name) if isinstance(item, Segment) else (self.size(item),))]  # type: ignore[arg-type]
        return self.filled(self._perhaps_wrong(sizes), self.dtype(type_.dtype))

    def _perhaps_wrong(self, sizes: list[int]) -> list[int]:
        """Sometimes one size, or the rank, is not what the signature asks for."""
        if not self.chance(0.12):
            return sizes
        at = self.random.randrange(len(sizes) + 1)
        return self.pick(([*sizes[:at], 2, *sizes[at:]], sizes[:at] + sizes[at + 1 :], [*sizes[:at], 5, *sizes[at + 1 :]]))

    def dtype(self, dtype: str | DTypeVar) -> str:
        if isinstance(dtype, str):
            return dtype
        if self.chance(0.05):
            return self.pick(USUAL["any"])
        return self.dtypes.setdefault(dtype.name, self.pick(USUAL[dtype.kind]))

    def filled(self, sizes: list[int], dtype: str) -> torch.Tensor:
        """Values that are right wherever shapes are: indices of 0, probabilities, matrices that have an inverse."""
        wide = torch.rand(sizes, generator=torch.Generator().manual_seed(len(sizes)))
        if len(sizes) >= 2 and sizes[-1] == sizes[-2]:
            wide = (wide + wide.mT) / (2 * max(sizes[-1], 1) + 2) + torch.eye(sizes[-1]) / 2
        if dtype == "bool":
            return wide > 0.5
        return wide.to(getattr(torch, dtype)) if dtype.startswith(("float", "bfloat")) else torch.zeros(sizes, dtype=getattr(torch, dtype))

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
        if parameter.has_default and (parameter.name in ("device", "dtype") or self.chance(0.55)):
            return
        value, text = self.value(parameter.type, parameter.name)
        self.values[parameter.name], self.texts[parameter.name] = value, text

    def value(self, type_: Type, name: str) -> tuple[object, str]:
        match type_:
            case Tensor():
                return self.named(self.tensor(type_))
            case AnyTensor():
                return self.named(self.filled(list(self.run("")), "float32"))
            case Bool():
                truth = self.chance(0.5)
                return truth, str(truth).lower()
            case Float():
                number = self.pick((0.5, 0.5, 1.0, 0.25))
                return number, repr(number)
            case Int():
                return (n := self.integer(name)), str(n)
            case List(Int()):
                return (found := self.integers(name)), str(found)
            case String():
                return (word := self.pick(WORDS.get(name, ("a", "a,b")))), f'"{word}"'
            case DTypeValue(variable):
                dtype = self.dtype(variable)
                return getattr(torch, dtype), dtype
            case Any():
                return (found := self.pick((1, 2, 3, [2], [1, 2], [2, 2], [1, 1, 2]))), str(found)
            case List(AnyTensor()):
                return self.several()
        raise NotDrawn

    def named(self, tensor: torch.Tensor) -> tuple[object, str]:
        name = f"t{len(self.tensors)}"
        self.tensors[name] = tensor
        return tensor, name

    def several(self) -> tuple[object, str]:
        """A list of tensors of one shape, of which one axis may differ."""
        sizes = [self.pick((1, 2, 3)) for _ in range(self.random.randrange(4))]
        axis = self.random.randrange(len(sizes)) if sizes and self.chance(0.5) else None
        pairs = []
        for _ in range(self.pick((1, 2, 3))):
            if axis is not None:
                sizes[axis] = self.pick((1, 2, 3))
            pairs.append(self.named(self.filled(self._perhaps_wrong(list(sizes)), self.dtype(DTypeVar("T", "float")))))
        return [tensor for tensor, _ in pairs], f"[{', '.join(text for _, text in pairs)}]"

    def further(self) -> None:
        """What a parameter that takes any number of arguments is given."""
        letters = str(self.values.get("equation", "")).partition("->")[0].split(",")
        ranks = [len(part.replace("...", "")) + self.pick((0, 1)) * part.count("...") for part in letters]
        pairs = [self.named(self.filled(self._perhaps_wrong([self.pick((2, 3, 3))] * rank), "float32")) for rank in ranks]
        self.variadic = tuple(tensor for tensor, _ in pairs)
        self.texts["*"] = ", ".join(text for _, text in pairs)


def draw(signature: Signature, seed: int) -> Call:
    """Arguments for a signature. Raises NotDrawn where it needs what cannot be drawn."""
    call = Call(signature, Random(seed))
    names = {p.name for p in signature.params}

    def late(parameter: Parameter) -> int:
        type_ = parameter.type
        if not isinstance(type_, Tensor):
            return 1
        return 2 if any(isinstance(item, Segment) and item.name in names for item in type_.shape) else 0

    for parameter in sorted(signature.params, key=late):
        if parameter.variadic:
            call.further()
        else:
            call.parameter(parameter)
    return call


def text_of(call: Call, name: str) -> str:
    """`name(t0, dim: -1)`: arguments by name from the first one on that was left out, or that another overload calls otherwise."""
    parts, positional = [], True
    for place, parameter in enumerate(call.signature.params):
        text = call.texts.get("*" if parameter.variadic else parameter.name)
        others = {s.params[place].name for s in builtin_signatures(name) if place < len(s.params) and place}
        if text is None or len(others) > 1:
            positional = False
        if text is None:
            continue
        if text or not parameter.variadic:
            parts.append(text if positional else f"{parameter.name}: {text}")
    return f"{name}({', '.join(parts)})"


def parameters_of(call: Call, names: dict[int, str] | None = None) -> str:
    """`t0: float32[2, 3]`; with `names` for sizes `t0: float32[P, Q]`."""

    def type_of(tensor: torch.Tensor) -> str:
        sizes = ((names or {}).get(size, str(size)) for size in tensor.shape)
        return f"{str(tensor.dtype).removeprefix('torch.')}[{', '.join(sizes)}]"

    return ", ".join(f"{name}: {type_of(tensor)}" for name, tensor in call.tensors.items())


def omitted(call: Call) -> Iterator[tuple[str, object]]:
    """What the body gets for the parameters that were left out."""
    for parameter in call.signature.params:
        value = default_value(parameter.default)
        if parameter.name in call.values or parameter.variadic:
            continue
        if isinstance(parameter.default, ast.Name) and parameter.default.name != "none":
            yield parameter.name, getattr(torch, parameter.default.name)
        elif isinstance(value, tuple):
            yield parameter.name, [dim.value for dim in value]
        elif not isinstance(value, NoneType):
            yield parameter.name, value
