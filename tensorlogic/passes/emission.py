"""New operations of a pass, in order, with the types that they have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from tensorlogic.ir.ir import Const, Op, Operand, Value
from tensorlogic.passes.patterns import Axes, dtype_of, shape_of
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.types import Bool, Int, List, Tensor, Type


class Emission:
    """Collects what stands for the operation `old`; each method gives the value of the operation that it adds."""

    def __init__(self, old: Op) -> None:
        self.old = old
        self.ops: list[Op] = []

    def builtin(self, name: str, args: Sequence[Operand], type_: Type, index: int = 0) -> Value:
        return self.result("builtin", args, type_, name=name, index=index)

    def result(self, code: str, args: Sequence[Operand], type_: Type, **attrs: object) -> Value:
        value = Value("", type_)
        self.ops.append(Op(code, tuple(args), (value,), attrs, (), self.old.span))
        return value

    def finished(self) -> list[Op]:
        """The operations, the last of which gives the results of the old one."""
        return [*self.ops[:-1], replace(self.ops[-1], results=self.old.results)]

    # --- axes ---------------------------------------------------------------------------------------------------------

    def permuted(self, operand: Operand, axes: Axes, wanted: Axes) -> Operand:
        """The axes in another order."""
        if axes == wanted:
            return operand
        shape = sizes_of(operand)
        order = tuple(axes.index(axis) for axis in wanted)
        items = List(Int(), tuple(Int(Dim.const(at)) for at in order))
        return self.builtin("permute", (operand, Const(order, items)), Tensor(dtype_of(operand), tuple(shape[at] for at in order)))

    def unsqueezed(self, operand: Operand, at: int) -> Operand:
        shape = sizes_of(operand)
        return self.builtin("unsqueeze", (operand, number(at)), Tensor(dtype_of(operand), (*shape[:at], ONE, *shape[at:])))

    def selected(self, operand: Operand, axis: int) -> Operand:
        """The first place of an axis."""
        shape = sizes_of(operand)
        return self.builtin("select", (operand, number(axis), number(0)), Tensor(dtype_of(operand), (*shape[:axis], *shape[axis + 1 :])))

    def flattened(self, operand: Operand, first: int, count: int) -> Operand:
        """`count` axes from `first` on as one."""
        shape = sizes_of(operand)
        size = prod(shape[first : first + count], start=ONE)
        type_ = Tensor(dtype_of(operand), (*shape[:first], size, *shape[first + count :]))
        return self.builtin("flatten", (operand, number(first), number(first + count - 1)), type_)

    def unflattened(self, operand: Operand, axis: int, parts: Sequence[tuple[Operand, int]]) -> Operand:
        """One axis as several, as long as these axes of these tensors."""
        shape = sizes_of(operand)
        dims = tuple(sizes_of(tensor)[at] for tensor, at in parts)
        ints = [self.size(tensor, at) for tensor, at in parts]
        lengths = self.result("list", ints, List(Int(), tuple(map(Int, dims))))
        type_ = Tensor(dtype_of(operand), (*shape[:axis], *dims, *shape[axis + 1 :]))
        return self.builtin("unflatten", (operand, number(axis), lengths), type_)

    def size(self, tensor: Operand, axis: int) -> Operand:
        dim = sizes_of(tensor)[axis]
        return number(dim.value) if dim.value is not None else self.builtin("size", (tensor, number(axis)), Int(dim))

    def grouped(self, operand: Operand, axes: Axes, groups: Sequence[Axes]) -> Operand:
        """One axis for each group of axes: those of the group together, or one of size 1 where the operand has none of them."""
        present = [tuple(axis for axis in group if axis in axes) for group in groups]
        operand = self.permuted(operand, axes, tuple(axis for group in present for axis in group))
        for at, group in enumerate(present):
            if not group:
                operand = self.unsqueezed(operand, at)
            elif len(group) > 1:
                operand = self.flattened(operand, at, len(group))
        return operand

    def ungrouped(self, operand: Operand, groups: Sequence[Axes], places: Mapping[object, tuple[Operand, int]]) -> Operand:
        """Back from one axis per group; `places` says which axis of which tensor is as long."""
        for at, group in reversed(list(enumerate(groups))):
            if not group:
                operand = self.selected(operand, at)
            elif len(group) > 1:
                operand = self.unflattened(operand, at, [places[axis] for axis in group])
        return operand

    # --- values -------------------------------------------------------------------------------------------------------

    def elementwise(self, name: str, *operands: Operand, dtype: str = "") -> Value:
        """A builtin of tensors that broadcast."""
        shape: tuple[Dim, ...] = ()
        for operand in operands:
            shape = broadcast(shape, sizes_of(operand))
        return self.builtin(name, operands, Tensor(dtype or dtype_of(operands[-1]), shape))

    def times(self, left: Operand, right: Operand) -> Value:
        """Of tensors that broadcast; the dtype is that of the left one."""
        return self.result("binary", (left, right), Tensor(dtype_of(left), broadcast(sizes_of(left), sizes_of(right))), op="*")

    def any_along_last(self, operand: Operand) -> Value:
        """Whether any place along the last axis is true; the axis stays, with size 1."""
        shape = sizes_of(operand)
        return self.builtin("any", (operand, number(len(shape) - 1), Const(True, Bool(True))), Tensor("bool", (*shape[:-1], ONE)), 1)


def number(value: int | None) -> Const:
    return Const(value, Int(Dim.const(value or 0)))


def sizes_of(operand: Operand) -> tuple[Dim, ...]:
    shape = shape_of(operand)
    assert shape is not None
    return shape


def broadcast(left: tuple[Dim, ...], right: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The sizes of two shapes that are known to broadcast."""
    if len(left) < len(right):
        left, right = right, left
    offset = len(left) - len(right)
    return (*left[:offset], *(b if a.value == 1 else a for a, b in zip(left[offset:], right, strict=True)))
