"""Sizes for `torch.export`: what a signature and its facts say as `dynamic_shapes`, and inputs to trace with."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tensorlogic.backends.names import Namespace
from tensorlogic.types.conditions import multiple_of
from tensorlogic.types.dims import Dim
from tensorlogic.types.examples import example_sizes
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Rel
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import DTypeVar, Int, Segment, ShapeItem, Tensor

if TYPE_CHECKING:
    import torch

DTYPES = {"float": "float32", "number": "float32", "any": "float32", "int": "int64", "bool": "bool"}  # of an exported dtype variable


def dynamic_shapes(
    signature: Signature, facts: Facts, known: Mapping[str, int] | None = None, loose: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """What `torch.export.export` takes as `dynamic_shapes`: by parameter, `{axis: Dim}` for a tensor, `Dim.DYNAMIC` for an int.

    A size is `Dim("T", min=, max=)`, one that is a multiple of 64 `64*Dim("D_64")`, `3 * N` is `3*Dim("N")`; a number is fixed. A size
    that `Dim` cannot say, and one of `loose`, is `Dim.DYNAMIC` with its limits. `...B` is one axis. `known` are sizes that are numbers
    already: those of the instance whose method this is.
    """
    table = {name: Dim.const(number) for name, number in (known or {}).items()}
    for name, number in table.items():
        facts = facts.assume(Rel("==", Dim.sym(name), number))
    writer = _Shapes(facts, loose, frozenset(_in_arithmetic(signature, facts)))
    return {parameter.name: writer.parameter(parameter, table) for parameter in signature.params}


class _Shapes:
    def __init__(self, facts: Facts, loose: frozenset[str], arithmetic: frozenset[str]) -> None:
        self.facts, self.loose, self.arithmetic = facts, loose, arithmetic
        self.names = Namespace()
        self.roots: dict[str, Any] = {}

    def parameter(self, parameter: Parameter, table: Mapping[str, Dim]) -> Any:
        from torch.export import Dim as TorchDim

        match parameter.type:
            case Int():
                return None if parameter.name in table else TorchDim.DYNAMIC
            case Tensor(_, shape):
                return {axis: self.item(_substituted(item, table)) for axis, item in enumerate(shape)}
        return None

    def item(self, item: ShapeItem) -> Any:
        """The Dim of an axis; a number is static."""
        from torch.export import Dim as TorchDim

        if isinstance(item, Segment) and item.name and f"...{item.name}" not in self.loose:
            return self.root(f"...{item.name}", item.name.partition("#")[0], 1, 1, None)
        if not isinstance(item, Dim):
            return TorchDim.DYNAMIC
        linear = _linear(item)
        low, high = self.facts.bounds(item)
        if item.value is not None or (low is not None and low == high):
            return TorchDim.STATIC
        if linear is None or linear[1] in self.loose or item.has_unknown:
            return TorchDim.DYNAMIC(min=low if low and low > 0 else None, max=high)
        factor, name, offset = linear
        found = factor * self.name(name) if factor != 1 else self.name(name)
        return found + offset if offset else found

    def name(self, name: str) -> Any:
        step = multiple_of(self.facts, name)
        low, high = self.facts.bounds(Dim.sym(name))
        low = -(-(low or 0) // step)
        found = self.root(name, name if step == 1 else f"{name}_{step}", step, low, None if high is None else high // step)
        return step * found if step != 1 else found

    def root(self, key: str, name: str, step: int, low: int, high: int | None) -> Any:
        from torch.export import Dim as TorchDim

        if key not in self.roots:
            told = f"{name}_" if key in self.arithmetic and _of_sympy(name) else name
            self.roots[key] = TorchDim(self.names.new(told), min=low, max=high)
        return self.roots[key]


def _in_arithmetic(signature: Signature, facts: Facts) -> Iterator[str]:
    """The names that stand in arithmetic somewhere: torch reads those as sympy expressions."""
    shapes = [p.type.shape for p in signature.params if isinstance(p.type, Tensor)]
    for item in (item for shape in shapes for item in shape if isinstance(item, Dim)):
        if item.name is None or multiple_of(facts, item.name) != 1:
            yield from item.symbols()


def _of_sympy(name: str) -> bool:
    """Whether sympy has something else of that name: `N` is a function there."""
    import sympy

    return hasattr(sympy, name)


def _substituted(item: ShapeItem, table: Mapping[str, Dim]) -> ShapeItem:
    return item.substitute(table) if isinstance(item, Dim) else item


def _linear(item: Dim) -> tuple[int, str, int] | None:
    """(factor, name, offset) of `factor * name + offset`, as far as `Dim` has it."""
    names = [mono for mono, _ in item.terms if mono]
    if len(names) != 1 or len(names[0]) != 1 or names[0][0].args:
        return None
    name = names[0][0].key
    factor = (item - item.constant).exact_div(Dim.sym(name)).value
    return (factor, name, item.constant) if factor is not None and factor > 0 else None


# --- inputs to trace with --------------------------------------------------------------------------------------------


def size_symbols(signature: Signature) -> Iterator[str]:
    """The names of sizes and int parameters, in order; a run `...B` stands as `...B`."""
    found: dict[str, None] = {}
    for param in signature.params:
        if isinstance(param.type, Int):
            found[param.name] = None
        for item in param.type.shape if isinstance(param.type, Tensor) else ():
            if isinstance(item, Dim):
                found |= dict.fromkeys(sorted(item.symbols()))
            elif isinstance(item, Segment):
                found[f"...{item.name}"] = None
    return iter(found)


def example_inputs(signature: Signature, facts: Facts, axes: Mapping[str, str], factor: int = 2) -> "tuple[torch.Tensor | int, ...] | None":
    """Zeros of different sizes that meet all facts, `factor` times the least where that can be; None where no small sizes do.

    `axes` are the names that facts have for the unknown sizes of parameters."""
    names = {name: axes.get(name, name) for name in size_symbols(signature)}
    sizes = example_sizes(dict.fromkeys(names.values()), facts, factor)
    if sizes is None:
        return None
    numbers = {name: sizes[told] for name, told in names.items()}
    return tuple(numbers[p.name] if isinstance(p.type, Int) else _zeros(p, numbers) for p in signature.params)


def _zeros(param: Parameter, numbers: Mapping[str, int]) -> "torch.Tensor":
    import torch

    assert isinstance(param.type, Tensor)
    dtype = param.type.dtype
    name = DTYPES[dtype.kind] if isinstance(dtype, DTypeVar) else dtype
    shape = [item.evaluate(numbers) if isinstance(item, Dim) else numbers[f"...{getattr(item, 'name', '')}"] for item in param.type.shape]
    return torch.zeros(shape, dtype=getattr(torch, name))
