"""The reference evaluator: runs IR one operation at a time with the bodies of the builtins. The package has no such thing."""

import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import torch

from tensorlogic.backends.templates import INITIALIZER, LAYER, declared, is_template, overload
from tensorlogic.ir.ir import Const, EllipsisIndex, FnRef, Function, GlobalRef, Member, Module, Omitted, Op, Operand, Region, SliceOf, Value
from tensorlogic.runtime.training import fit
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.types.dtypes import canonical
from tensorlogic.types.goals import holds
from tensorlogic.types.types import DTypeValue, DTypeVar, Library, Tensor

BINARY: dict[str, Callable] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "**": operator.pow, "@": operator.matmul, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "in": lambda a, b: a in b,
}  # fmt: skip
UNARY: dict[str, Callable] = {"-": operator.neg, "~": operator.invert, "not": operator.not_}


class Leave(Exception):
    """`return`, `break` or `continue`."""

    def __init__(self, code: str, value: Any = None) -> None:
        super().__init__(code)
        self.code, self.value = code, value


@dataclass(frozen=True)
class StructValue:
    name: str
    fields: Mapping[str, Any]


class ModelValue(torch.nn.Module):
    """A model of a program: its fields, by name."""

    def keep(self, member: Member, value: Any) -> None:
        match member.kind:
            case "param":
                value = torch.nn.Parameter(value.detach().clone(), requires_grad=member.learnable)
            case "submodels":
                value = torch.nn.ModuleList(value)
            case "buffer":
                self.register_buffer(member.name, value)
                return
        setattr(self, member.name, value)


class Cells(dict):
    """Variables by value, with those of the surrounding functions behind them; an assignment finds the one that declared it."""

    def __init__(self, outer: "Cells | None" = None) -> None:
        super().__init__()
        self.outer = outer

    def find(self, value: Value) -> Any:
        cells: Cells | None = self
        while cells is not None:
            if value in cells:
                return cells[value]
            cells = cells.outer
        raise KeyError(value.name)

    def write(self, value: Value, new: Any) -> None:
        cells: Cells | None = self
        while cells is not None:
            if value in cells:
                cells[value] = new
                return
            cells = cells.outer
        self[value] = new


class Reference:
    """A program: `run()`, then `call(name, ...)`, `main()`, `test(i)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.top = Cells()
        self.globals = {item.name: self.operand(item.value, self.top) for item in module.globals if item.value is not None}

    def run(self) -> None:
        self.region(self.module.program, self.top)

    def main(self) -> None:
        if self.module.main is not None:
            self.region(self.module.main, Cells(self.top))

    def test(self, index: int) -> None:
        self.region(self.module.tests[index].body, Cells(self.top))

    def call(self, name: str, *args: Any) -> Any:
        function = self.module.function(name)
        given = (*args, *(Omitted() for _ in function.params[len(args) :]))
        return self.apply(function, given)

    def apply(self, function: Function, args: tuple, receiver: "ModelValue | None" = None) -> Any:
        cells = Cells()
        if function.receiver is not None:
            cells[function.receiver] = receiver
        for param, arg, default in zip(function.params, args, function.defaults, strict=True):
            cells[param] = self.operand(default, cells) if isinstance(arg, Omitted) else arg
        for binding in function.dims:
            if binding.value not in cells:
                found = cells[binding.param]
                if binding.field:
                    found = getattr(found, binding.field)
                    found = found if binding.axis is None else found.shape[binding.axis]
                    cells[binding.value] = found
                    continue
                size = found if binding.axis is None else (found.shape[binding.axis] - binding.offset) // binding.scale
                cells[binding.value] = size
        return self.body(function.body, cells)

    def _model(self, op: Op, cells: Cells) -> Any:
        if is_template(op):
            return self._builtin(op, cells)
        args = [arg if isinstance(arg, Omitted) else self.operand(arg, cells) for arg in op.args]
        model = next(m for m in self.module.models if m.name == op.attrs["name"])
        own = Cells()
        made = own[model.receiver] = ModelValue()
        for param, arg, default in zip(model.params, args, model.defaults, strict=True):
            own[param] = self.operand(default, own) if isinstance(arg, Omitted) else arg
        self.region(model.init, own)
        return made

    def _new_member(self, op: Op, cells: Cells) -> None:
        made, value = (self.operand(arg, cells) for arg in op.args)
        model = next(m for m in self.module.models if m.name == op.args[0].type.name)  # type: ignore[union-attr]
        made.keep(next(m for m in model.members if m.name == op.attrs["name"]), value)

    def _set_member(self, op: Op, cells: Cells) -> None:
        model, value = (self.operand(arg, cells) for arg in op.args)
        if op.attrs["kind"] == "value":
            setattr(model, str(op.attrs["name"]), value)
        else:
            getattr(model, str(op.attrs["name"])).data.copy_(value)

    def _learn(self, op: Op, cells: Cells) -> None:
        """The loop is that of the runtime; what learns is found by looking at everything there is."""
        batches, *values = (None if isinstance(arg, Omitted) else self.operand(arg, cells) for arg in op.args)
        options = dict(zip(op.attrs["options"], values, strict=True))  # type: ignore[call-overload]

        def objective(*batch: Any) -> Any:
            inner = Cells(cells)
            inner.update(zip(op.regions[0].params, batch, strict=True))
            return self.region(op.regions[0], inner)[0]

        things = [*self.globals.values(), *self.top.values(), *cells.values()]
        roots = {
            id(t): t for t in things if isinstance(t, torch.nn.Module) or (isinstance(t, torch.Tensor) and t.is_leaf and t.requires_grad)
        }
        pairs = [(str(i), thing) for i, thing in enumerate(roots.values())]
        fit(objective, pairs, batches=batches, **options)

    def _repeat(self, op: Op, cells: Cells) -> list:
        return [self.region(op.regions[0], cells)[0] for _ in range(self.operand(op.args[0], cells))]

    def _call_method(self, op: Op, cells: Cells) -> Any:
        """A method of a model, whose first argument is the model; the layers of PyTorch are called."""
        model, *given = (arg if isinstance(arg, Omitted) else self.operand(arg, cells) for arg in op.args)
        name = str(op.attrs["name"])
        return self.apply(self.module.function(name), tuple(given), model) if isinstance(model, ModelValue) else model(*given)

    def body(self, region: Region, cells: Cells) -> Any:
        try:
            values = self.region(region, cells)
        except Leave as leave:
            return leave.value
        return values[0] if len(values) == 1 else tuple(values) or None

    def region(self, region: Region, cells: Cells) -> list[Any]:
        for op in region.ops:
            results = self.op(op, cells)
            if len(op.results) < 2:
                results = (results,)
            cells.update(zip(op.results, results or (), strict=False))
        return [self.operand(operand, cells) for operand in region.yields]

    def operand(self, operand: Operand | None, cells: Cells) -> Any:
        match operand:
            case Value():
                return cells.find(operand)
            case Const(_, DTypeValue(dtype)):
                return self.dtype(dtype, cells)
            case Const("gpu", Library("Device")):
                return torch.get_default_device()
            case Const(value):
                return as_list(value)
            case FnRef(name):
                return lambda *args: self.apply(self.module.function(name), args)
            case GlobalRef(name):
                return self.globals[name]
            case SliceOf(start, stop, step):
                return slice(*(self.operand(part, cells) for part in (start, stop, step)))
            case EllipsisIndex():
                return ...
        return None

    def dtype(self, dtype: Any, cells: Cells) -> torch.dtype:
        if not isinstance(dtype, DTypeVar):
            return getattr(torch, dtype)
        scope: Cells | None = cells
        while scope is not None:
            for value, found in scope.items():
                if isinstance(value.type, Tensor) and value.type.dtype == dtype:
                    return found.dtype
            scope = scope.outer
        raise KeyError(dtype.name)

    def op(self, op: Op, cells: Cells) -> Any:
        control = getattr(self, f"_{op.code}", None)
        if control is not None:
            return control(op, cells)
        return self.expression(op, [self.operand(arg, cells) for arg in op.args], cells)

    def expression(self, op: Op, args: list, cells: Cells) -> Any:
        attrs = op.attrs
        match op.code:
            case "call_value":
                return args[0](*args[1:])
            case "binary":
                return BINARY[str(attrs["op"])](*args)
            case "unary":
                return UNARY[str(attrs["op"])](*args)
            case "cast":
                casts = {"int": int, "float": float, "bool": bool, "string": import_module("tensorlogic.runtime.printing").text}
                return casts[str(attrs["to"])](*args)
            case "tensor":
                return torch.tensor(args[0], dtype=self.dtype(attrs["dtype"], cells))
            case "list":
                return args
            case "tuple":
                return tuple(args)
            case "range":
                return range(*args)
            case "struct":
                struct = next(s for s in self.module.structs if s.name == attrs["name"])
                return StructValue(struct.name, dict(zip((name for name, _ in struct.fields), args, strict=True)))
            case "field":
                own = isinstance(args[0], StructValue)
                return args[0].fields[attrs["name"]] if own else getattr(args[0], attrs["name"])
            case "set_field":
                return replace(args[0], fields={**args[0].fields, attrs["name"]: args[1]})
            case "item":
                return args[0][attrs["index"]]
            case "list_item" | "index":
                return args[0][args[1] if len(args) == 2 else tuple(args[1:])]
            case "list_slice":
                return args[0][slice(*args[1:])]
            case "set_index":
                tensor, *index, new = args
                updated = tensor.clone()
                updated[index[0] if len(index) == 1 else tuple(index)] = new
                return updated
            case "set_list_item":
                updated = list(args[0])
                updated[args[1]] = args[2]
                return updated
            case "copy" | "check_type":
                return args[0]
        raise KeyError(op.code)

    def _builtin(self, op: Op, cells: Cells) -> Any:
        name, index = overload(op)
        found: Any = {INITIALIZER: registry.lookup_initializer, LAYER: LAYERS.get}.get(index, registry.lookup)(name)
        body = found.body if index < 0 else found.bodies[index]
        names = [*body.__code__.co_varnames[: body.__code__.co_argcount]]
        keyword_only = body.__code__.co_varnames[len(names) : len(names) + body.__code__.co_kwonlyargcount]
        args, given, rest = list(op.args), {}, ()
        parameters = declared(name, index)
        for parameter in parameters:
            if parameter.variadic:
                count = len(op.args) - len(parameters) + 1
                rest, args = tuple(self.operand(arg, cells) for arg in args[:count]), args[count:]
                continue
            arg = args.pop(0) if args else Omitted()
            key = parameter.name if parameter.name in (*names, *keyword_only) else parameter.name + "_"
            if not isinstance(arg, Omitted):
                given[key] = self.operand(arg, cells)
            elif parameter.default not in (None, "none"):
                given[key] = default_value(parameter.default)
        if "folder" in op.attrs:
            given["path"] = os.path.join(os.path.dirname(os.path.abspath(self.module.source.name)), str(op.attrs["folder"]), given["path"])
        positional = [given.pop(key) for key in names if key in given] if rest else []
        return body(*positional, *rest, **given)

    def _call(self, op: Op, cells: Cells) -> Any:
        args = tuple(arg if isinstance(arg, Omitted) else self.operand(arg, cells) for arg in op.args)
        return self.apply(self.module.function(str(op.attrs["name"])), args)

    def _lambda(self, op: Op, cells: Cells) -> Any:
        region = op.regions[0]

        def function(*args: Any) -> Any:
            inner = Cells(cells)
            inner.update(zip(region.params, args, strict=True))
            return self.body(region, inner)

        return function

    def _assign(self, op: Op, cells: Cells) -> None:
        cells.write(op.attrs["target"], self.operand(op.args[0], cells))  # type: ignore[arg-type]

    def _set_global(self, op: Op, cells: Cells) -> None:
        name, value = str(op.attrs["name"]), self.operand(op.args[0], cells)
        if not any(item.name == name and item.learnable for item in self.module.globals):
            self.globals[name] = value
        elif op.attrs["initial"]:
            self.globals[name] = value.detach().clone().requires_grad_()
        else:
            self.globals[name].data.copy_(value)

    def _if(self, op: Op, cells: Cells) -> Any:
        chosen = 0 if self.operand(op.args[0], cells) else 1
        values = self.region(op.regions[chosen], cells) if chosen < len(op.regions) else []
        return values[0] if len(op.results) == 1 else values

    def _and(self, op: Op, cells: Cells) -> Any:
        left = self.operand(op.args[0], cells)
        return self.region(op.regions[0], cells)[0] if left else left

    def _or(self, op: Op, cells: Cells) -> Any:
        return self.operand(op.args[0], cells) or self.region(op.regions[0], cells)[0]

    def _for(self, op: Op, cells: Cells) -> None:
        for item in self.operand(op.args[0], cells):
            inner = Cells(cells)
            inner[op.regions[0].params[0]] = item
            if self.leaves(op.regions[0], inner):
                break

    def _while(self, op: Op, cells: Cells) -> None:
        while self.region(op.regions[0], Cells(cells))[0]:
            if self.leaves(op.regions[1], Cells(cells)):
                break

    def leaves(self, region: Region, cells: Cells) -> bool:
        """Runs the body of a loop; whether it ends the loop."""
        try:
            self.region(region, cells)
        except Leave as leave:
            if leave.code == "return":
                raise
            return leave.code == "break"
        return False

    def _no_grad(self, op: Op, cells: Cells) -> Any:
        with torch.no_grad():
            values = self.region(op.regions[0], cells)
        return values[0] if len(op.results) == 1 else values

    def _break(self, op: Op, cells: Cells) -> None:
        raise Leave(op.code)

    _continue = _break

    def _return(self, op: Op, cells: Cells) -> None:
        raise Leave("return", self.operand(op.args[0], cells) if op.args else None)

    def _assert(self, op: Op, cells: Cells) -> None:
        condition, *message = (self.operand(arg, cells) for arg in op.args)
        assert condition, message

    def _guard(self, op: Op, cells: Cells) -> None:
        names: Any = op.attrs["names"]
        goal: Any = op.attrs["goal"]
        if not holds(goal, {name: self.operand(arg, cells) for name, arg in zip(names, op.args, strict=True)}):
            raise ValueError(f"this needs {goal}")


def as_list(value: object) -> Any:
    return [as_list(item) for item in value] if isinstance(value, tuple) else value


def default_value(text: str) -> Any:
    """The value of a default of a signature."""
    words = {"true": True, "false": False, "none": None}
    if text in words:
        return words[text]
    if canonical(text) is not None:
        return getattr(torch, str(canonical(text)))
    if text.startswith(("[", "(")):
        return [default_value(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if text.startswith('"'):
        return text[1:-1].encode().decode("unicode_escape")
    return float(text) if any(c in text for c in ".e") else int(text)
