"""Values while a graph is built: nodes for what is known at run time, Python's own values for what is known now."""

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from tensorlogic.backends import fx_bodies
from tensorlogic.backends.places import place
from tensorlogic.ir.ir import (
    Const,
    DimBinding,
    EllipsisIndex,
    FnRef,
    GlobalRef,
    Module,
    Op,
    Operand,
    Region,
    SliceOf,
    Value,
)  # fmt: skip
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Divides, Member, Rel
from tensorlogic.types.types import DTypeValue, DTypeVar, Library, List, Tensor, Tuple

LONGEST_POWER = 1 << 16  # bits of a host number that is computed while the graph is built

BINARY: dict[str, Callable] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "**": operator.pow, "@": operator.matmul, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
UNARY: dict[str, Callable] = {"-": operator.neg, "~": operator.invert, "not": operator.not_}


class NotPure(Exception):
    """A function that is not one graph, with the reason and the place."""

    def __init__(self, reason: str, span: Span) -> None:
        super().__init__(reason)
        self.reason, self.span = reason, span


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A lambda with the variables around it."""

    region: Region
    env: dict


@dataclass(frozen=True, slots=True, eq=False)
class Struct:
    name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Unbound:
    """A size that gets its node when it is first read."""

    binding: DimBinding


@dataclass(slots=True)
class Build:
    """A graph in the making: `env` has the values of the function being walked, `attributes` the tensors of the file."""

    module: Module
    graph: Any
    globals: dict[str, Any]
    env: dict = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    note: tuple[str, str, str] = ("", "", "")
    count: int = 0

    @contextmanager
    def at(self, span: Span | None, name: str, type_: str) -> Iterator[None]:
        """The nodes made inside belong to this value and place of the program."""
        outer, self.note = self.note, (name, type_, place(span))
        try:
            yield
        finally:
            self.note = outer

    def create(self, kind: str, target: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = target if kind in ("placeholder", "get_attr") else f"t{self.count}"
        self.count += kind not in ("placeholder", "get_attr")
        node = self.graph.create_node(kind, target, args, kwargs or {}, name)
        node.meta["tl"] = self.note
        return node

    def apply(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        """The function's value now if everything is known, else a node."""
        if not self.has_nodes((args, kwargs)) and not fx_bodies.makes_tensors(function):
            return function(*args, **kwargs)
        return self.create("call_function", function, args, kwargs)

    def has_nodes(self, value: Any) -> bool:
        import torch

        stack = [value]
        while stack:
            item = stack.pop()
            if isinstance(item, torch.fx.Node):
                return True
            match item:
                case list() | tuple():
                    stack += item
                case dict():
                    stack += item.values()
                case slice():
                    stack += (item.start, item.stop, item.step)
                case Struct():
                    stack += item.fields.values()
        return False

    # --- operands ---------------------------------------------------------------------------------------------------

    def value(self, operand: Operand) -> Any:
        match operand:
            case Value():
                found = self.env[operand]
                if isinstance(found, Unbound):
                    found = self.env[operand] = self._size(found.binding)
                return found
            case Const(_, DTypeValue(dtype)):
                return self.dtype(dtype)
            case Const("gpu", Library("Device")):
                import torch

                return torch.get_default_device()
            case Const(value):
                return _as_list(value)
            case FnRef(name):
                return self.module.function(name)
            case GlobalRef(name):
                return self._global(name)
            case SliceOf(start, stop, step):
                return slice(*(self.value(part) for part in (start, stop, step)))
            case EllipsisIndex():
                return ...
        return None

    def _size(self, binding: DimBinding) -> Any:
        if binding.axis is None:
            return self.value(binding.param)
        tensor = self.value(binding.param)
        for item in binding.items:
            tensor = self._item(tensor, item)
        shape = self.apply(getattr, tensor, "shape")
        size = self.apply(operator.getitem, shape, binding.axis)
        if binding.offset:
            size = self.apply(operator.sub, size, binding.offset)
        return self.apply(operator.floordiv, size, binding.scale) if binding.scale != 1 else size

    def _global(self, name: str) -> Any:
        item = next(g for g in self.module.globals if g.name == name)
        if item.value is not None:
            return self.value(item.value)
        if name not in self.globals:
            raise NotPure(f"it reads `{name}`, which has a value only after the program ran", item.span or self.module.functions[0].span)
        known = [key for key, value in self.attributes.items() if value is self.globals[name]]
        key = known[0] if known else f"g{len(self.attributes)}"
        self.attributes[key] = self.globals[name]
        return self.create("get_attr", key)

    def dtype(self, dtype: str | DTypeVar) -> Any:
        import torch

        if isinstance(dtype, str):
            return getattr(torch, dtype)
        for value, found in self.env.items():
            if isinstance(value, Value) and isinstance(value.type, Tensor) and value.type.dtype == dtype:
                return self.apply(getattr, found, "dtype")
        raise KeyError(dtype.name)

    def plain(self, value: Any, span: Span) -> Any:
        """The value as a graph can give it."""
        match value:
            case list() | tuple():
                return type(value)(self.plain(item, span) for item in value)
            case Closure() | Struct():
                raise NotPure("its result is no tensor, number, list or tuple", span)
        return value

    # --- operations -------------------------------------------------------------------------------------------------

    def operation(self, op: Op, call: Callable, span: Span) -> Any:
        """The value of an operation that is an expression."""
        try:
            return self._operation(op, call, span)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise NotPure(f"it fails: {error}", span) from error

    def _operation(self, op: Op, call: Callable, span: Span) -> Any:
        if op.code == "builtin":
            return self._opened(fx_bodies.builtin(self, op, call, span), op)
        if op.code == "set_index":
            tensor, *index, new = map(self.value, op.args)
            return self.apply(fx_bodies.with_item, tensor, _index(index), new)
        args = [self.value(arg) for arg in op.args]
        match op.code:
            case "binary":
                return self._binary(str(op.attrs["op"]), args, span)
            case "unary":
                return self.apply(UNARY[str(op.attrs["op"])], *args)
            case "cast":
                return self.apply({"int": int, "float": float, "bool": bool, "string": fx_bodies.text()}[str(op.attrs["to"])], *args)
            case "list":
                return args
            case "set_list_item":
                return _with_list_item(*args)
            case "tuple":
                return tuple(args)
            case "copy":
                return args[0]
            case "item":
                return self._item(args[0], op.attrs["index"])
            case "list_item" | "index":
                return self.apply(operator.getitem, args[0], _index(args[1:]))
            case "list_slice":
                return self.apply(operator.getitem, args[0], slice(*args[1:]))
            case "range":
                return self.apply(range, *args)
            case "tensor":
                return self._tensor(op, args[0])
            case "check_type":
                return fx_bodies.check_type(self, op, args)
        raise NotPure(f"it has the operation {op.code}", span)

    def _opened(self, value: Any, op: Op) -> Any:
        """What gives several values of a known number gives them one by one, so that loops and `map` over them unroll."""
        found = op.results[0].type if op.results else None
        items = found.items if isinstance(found, Tuple | List) else None
        if items is None or isinstance(value, list | tuple):
            return value
        parts = [self.apply(operator.getitem, value, i) for i in range(len(items))]
        return tuple(parts) if isinstance(found, Tuple) else parts

    def _item(self, value: Any, index: Any) -> Any:
        return value[index] if isinstance(value, list | tuple) else self.apply(operator.getitem, value, index)

    def _tensor(self, op: Op, value: Any) -> Any:
        device = op.attrs.get("device")
        more = {"device": device} if device not in (None, "gpu") else {}
        import torch

        return self.apply(torch.tensor, value, dtype=self.dtype(op.attrs["dtype"]), **more)  # type: ignore[arg-type]

    def _binary(self, sign: str, args: list, span: Span) -> Any:
        if sign == "in":
            return self.apply(operator.contains, args[1], args[0])
        if sign == "**" and all(isinstance(arg, int) for arg in args) and abs(args[0]).bit_length() * args[1] > LONGEST_POWER:
            raise NotPure("a number is too large", span)
        return self.apply(BINARY[sign], *args)

    def check(self, condition: Any, message: str) -> None:
        """Stops the run unless the condition holds."""
        import torch

        self.create("call_function", torch._assert, (condition, message))

    def size(self, dim: Dim, known: Mapping[str, Any]) -> Any:
        total: Any = None
        for mono, c in dim.terms:
            factors = [known[atom] if not atom.args else self._atom(atom.kind, [self.size(a, known) for a in atom.args]) for atom in mono]
            term = reduce(lambda a, b: self.apply(operator.mul, a, b), factors, c) if c != 1 or not factors else self._product(factors)
            total = term if total is None else self.apply(operator.add, total, term)
        return 0 if total is None else total

    def _product(self, factors: list) -> Any:
        return reduce(lambda a, b: self.apply(operator.mul, a, b), factors)

    def _atom(self, kind: str, args: list) -> Any:
        return self.apply({"mod": operator.mod, "min": min, "max": max}.get(kind, operator.floordiv), *args)

    def claim(self, goal: Any, known: Mapping[str, Any]) -> Any:
        match goal:
            case Rel(op, left, right):
                return self.apply(BINARY[op], self.size(left, known), self.size(right, known))
            case Divides(divisor, dividend):
                return self.apply(operator.eq, self.apply(operator.mod, self.size(dividend, known), self.size(divisor, known)), 0)
            case Member(dim, values):
                return self.apply(operator.contains, sorted(values), self.size(dim, known))


def _with_list_item(items: list, index: int, new: Any) -> list:
    updated = list(items)
    updated[index] = new
    return updated


def _index(items: list) -> Any:
    return items[0] if len(items) == 1 else tuple(items)


def _as_list(value: object) -> Any:
    return [_as_list(item) for item in value] if isinstance(value, tuple) else value
