"""The torch.fx graph of a pure function: calls and lambdas inlined, loops over known lists unrolled, sizes as nodes.

Every name in a graph is a counter; names of the program are only in `node.meta["tl"]` (name, type, place).
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tensorlogic.backends.fx_values import Build, Closure, NotPure, Struct, Unbound
from tensorlogic.backends.places import place
from tensorlogic.ir.ir import Const, Function, Module, Omitted, Op, Operand, Region, Value
from tensorlogic.source import Span
from tensorlogic.types.types import Fn, Library, ModelOf, Struct as StructOf

if TYPE_CHECKING:
    import torch

__all__ = ["NotPure", "build_graph", "why_not_pure"]

DEEPEST = 60
MOST_OPERATIONS = 200_000


def build_graph(module: Module, name: str, values: Mapping[str, Any] | None = None) -> "torch.fx.GraphModule":
    """The graph of function `name`. Sizes stay open: one graph serves all sizes that the function takes.

    `values` are the `param`s and `tensor`s of the file by name, which become attributes `g0`, `g1`. Raises `NotPure` with the
    reason and the place for a function that is not one graph.
    """
    import torch

    function = module.function(name)
    if function.receiver is not None:
        raise NotPure("it is a method of a model, which is a torch.nn.Module", function.span)
    build = Build(module, torch.fx.Graph(), dict(values or {}))
    walk = _Walk(build)
    args = [walk.placeholder(i, param, default) for i, (param, default) in enumerate(_parameters(function))]
    with build.at(function.span, "result", str(function.result)):
        build.graph.output(build.plain(walk.call(function, args, function.span), function.span))
    return torch.fx.GraphModule(build.attributes, build.graph, "Graph")


def why_not_pure(module: Module, name: str, values: Mapping[str, Any] | None = None) -> tuple[str, Span] | None:
    """Why a function is not one graph, and where; None if it is."""
    try:
        build_graph(module, name, values)
    except NotPure as reason:
        return reason.reason, reason.span
    return None


def _parameters(function: Function) -> Iterator[tuple[Value, Operand]]:
    yield from zip(function.params, function.defaults, strict=True)


class _Leave(Exception):
    """`return`, `break` and `continue` while the operations of a function are walked."""

    def __init__(self, code: str, value: Any = None) -> None:
        super().__init__(code)
        self.code, self.value = code, value


class _Walk:
    def __init__(self, build: Build) -> None:
        self.build = build
        self.depth = 0
        self.count = 0
        self.active: list[Function] = []

    def placeholder(self, number: int, param: Value, default: Operand) -> Any:
        span = self.build.module.functions[0].span
        if isinstance(param.type, Fn | Library | ModelOf | StructOf):
            raise NotPure(f"the parameter `{param.name}` is a {param.type}", span)
        given = () if not isinstance(default, Const) or not isinstance(default.value, int | bool | str | None) else (default.value,)
        with self.build.at(None, param.name, str(param.type)):
            return self.build.create("placeholder", f"p{number}", given)

    def call(self, function: Function, args: list[Any], span: Span) -> Any:
        """The function's operations with these arguments, inlined."""
        if function in self.active:
            raise NotPure(f"`{function.name}` calls itself", span)
        outer, self.build.env = self.build.env, dict(zip(function.params, args, strict=True))
        self.build.env.update({binding.value: Unbound(binding) for binding in function.dims if binding.value not in function.params})
        self.active.append(function)
        try:
            return self.body(function.body, span)
        finally:
            self.active.pop()
            self.build.env = outer

    def apply(self, closure: Any, args: list[Any], span: Span) -> Any:
        """Calls a function value."""
        if isinstance(closure, Function):
            return self.call(closure, args, span)
        if not isinstance(closure, Closure):
            raise NotPure("the function that is called is known only at run time", span)
        outer, self.build.env = self.build.env, closure.env
        self.build.env.update(zip(closure.region.params, args, strict=True))
        try:
            return self.body(closure.region, span)
        finally:
            self.build.env = outer

    def body(self, region: Region, span: Span) -> Any:
        try:
            values = self.region(region, span)
        except _Leave as leave:
            return leave.value
        return values[0] if len(values) == 1 else tuple(values) or None

    def region(self, region: Region, span: Span | None) -> list[Any]:
        if self.depth >= DEEPEST:
            raise NotPure(f"more than {DEEPEST} calls and blocks inside each other", span or self.active[-1].span)
        self.depth += 1
        try:
            for op in region.ops:
                self.op(op)
            return [self.build.value(operand) for operand in region.yields]
        finally:
            self.depth -= 1

    def op(self, op: Op) -> None:
        self.count += 1
        span = op.span or self.active[-1].span
        if self.count > MOST_OPERATIONS:
            raise NotPure(f"unrolled it has more than {MOST_OPERATIONS} operations", span)
        first = op.results[0] if op.results else None
        with self.build.at(span, first.name if first else "", str(first.type) if first else ""):
            handler = getattr(self, f"_{op.code}", None)
            results = handler(op, span) if handler else (self.build.operation(op, self.apply, span),)
        self.build.env.update(zip(op.results, results or (), strict=False))

    def _call(self, op: Op, span: Span) -> tuple:
        function = self.build.module.function(str(op.attrs["name"]))
        pairs = zip(op.args, function.defaults, strict=True)
        args = [self.build.value(default if isinstance(arg, Omitted) else arg) for arg, default in pairs]
        return (self.call(function, args, span),)

    def _call_value(self, op: Op, span: Span) -> tuple:
        function, *args = map(self.build.value, op.args)
        return (self.apply(function, args, span),)

    def _lambda(self, op: Op, span: Span) -> tuple:
        return (Closure(op.regions[0], self.build.env),)

    def _assign(self, op: Op, span: Span) -> None:
        target = op.attrs["target"]
        assert isinstance(target, Value)
        self.build.env[target] = self.build.value(op.args[0])

    def _set_global(self, op: Op, span: Span) -> None:
        raise NotPure("it changes a variable of the file", span)

    def _if(self, op: Op, span: Span) -> list[Any]:
        chosen = 0 if self._known(op.args[0], "`if`", span) else 1
        return self.region(op.regions[chosen], span) if chosen < len(op.regions) else []

    def _known(self, operand: Operand, what: str, span: Span) -> bool:
        value = self.build.value(operand)
        if self.build.has_nodes(value):
            raise NotPure(f"{what} depends on a value that is known only at run time", span)
        return bool(value)

    def _and(self, op: Op, span: Span) -> list[Any]:
        return self.region(op.regions[0], span) if self._known(op.args[0], "`and`", span) else [False]

    def _or(self, op: Op, span: Span) -> list[Any]:
        return [True] if self._known(op.args[0], "`or`", span) else self.region(op.regions[0], span)

    def _for(self, op: Op, span: Span) -> None:
        items = self.build.value(op.args[0])
        if not isinstance(items, list | tuple | range):
            raise NotPure("the number of turns of this loop is known only at run time", span)
        for item in items:
            self.build.env[op.regions[0].params[0]] = item
            try:
                self.region(op.regions[0], span)
            except _Leave as leave:
                if leave.code == "break":
                    break
                if leave.code == "return":
                    raise

    def _while(self, op: Op, span: Span) -> None:
        raise NotPure("it has a `while` loop", span)

    def _no_grad(self, op: Op, span: Span) -> None:
        raise NotPure("it has a `no_grad` block", span)

    def _break(self, op: Op, span: Span) -> None:
        raise _Leave("break")

    def _continue(self, op: Op, span: Span) -> None:
        raise _Leave("continue")

    def _return(self, op: Op, span: Span) -> None:
        raise _Leave("return", self.build.value(op.args[0]) if op.args else None)

    def _assert(self, op: Op, span: Span) -> None:
        condition, *message = map(self.build.value, op.args)
        self.build.check(condition, str(message[0]) if message else f"assertion failed at {place(span)}")

    def _guard(self, op: Op, span: Span) -> None:
        names = op.attrs["names"]
        assert isinstance(names, tuple)
        known = {name: self.build.value(arg) for name, arg in zip(names, op.args, strict=True)}
        self.build.check(self.build.claim(op.attrs["goal"], known), f"this needs {op.attrs['goal']}")

    def _struct(self, op: Op, span: Span) -> tuple:
        struct = next(s for s in self.build.module.structs if s.name == op.attrs["name"])
        return (Struct(struct.name, dict(zip((name for name, _ in struct.fields), map(self.build.value, op.args), strict=True))),)

    def _field(self, op: Op, span: Span) -> tuple:
        return (self.build.value(op.args[0]).fields[op.attrs["name"]],)

    def _set_field(self, op: Op, span: Span) -> tuple:
        struct, value = map(self.build.value, op.args)
        return (Struct(struct.name, {**struct.fields, str(op.attrs["name"]): value}),)
