"""Bodies of builtins as graph nodes: the same syntax that becomes Python is walked with torch's own functions."""

import ast
import builtins
import math
import operator
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorlogic.backends import nodes
from tensorlogic.backends.fill import arguments
from tensorlogic.backends.uses import size_bindings
from tensorlogic.ir.ir import Omitted, Op
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim

if TYPE_CHECKING:
    from tensorlogic.backends.fx_values import Build

_HOST = frozenset(("builtins", "math", "_operator", "operator"))
_BINARY = {type(node): sign for sign, node in {**nodes.BINARY, **nodes.COMPARE}.items()}
_UNARY: dict[type, Callable] = {ast.USub: operator.neg, ast.Invert: operator.invert, ast.Not: operator.not_}


def makes_tensors(function: Callable) -> bool:
    """Whether a call must wait for the run although everything is known: it makes a tensor, or a random one."""
    return getattr(function, "__module__", None) not in _HOST and not isinstance(function, type)


def text() -> Callable:
    return import_module("tensorlogic.runtime.printing").text


def with_item(tensor: Any, index: Any, value: Any) -> Any:
    """A copy of the tensor with `value` at `index`."""
    updated = tensor.clone()
    updated[index] = value
    return updated


def builtin(build: "Build", op: Op, call: Callable, span: Span) -> Any:
    """The value of a call of a builtin."""
    from tensorlogic.backends.fx_values import NotPure

    body, given, defaults = arguments(op)
    effect = body.effect
    if effect not in (None, "random", "mutation", "calls"):
        raise NotPure(f"`{op.attrs['name']}` does more than compute a value", span)
    values = {i: build.value(arg) for i, arg in enumerate(op.args) if not isinstance(arg, Omitted)}
    env = {name: [values[i] for i in taken] if name == body.variadic else values[taken[0]] for name, taken in given.items()}
    walker = _Body(build, env, defaults, lambda function, args: call(function, args, span))
    return walker.value(body.body)


def check_type(build: "Build", op: Op, args: list) -> Any:
    wanted: Any = op.attrs["type"]
    names = {name: build.value(value) for name, value in size_bindings(op).items()}
    shape = tuple(_known(build, item, names) for item in wanted.shape)
    check = import_module("tensorlogic.runtime.host").check_type
    return build.apply(check, args[0], str(wanted), build.dtype(wanted.dtype), shape)


def _known(build: "Build", item: Any, names: dict) -> Any:
    if not isinstance(item, Dim):
        return ...
    return build.size(item, names) if item.symbols() <= names.keys() else None


class _Body:
    def __init__(self, build: "Build", env: dict[str, Any], defaults: dict[str, ast.expr], call: Callable) -> None:
        self.build, self.env, self.defaults, self.call = build, env, defaults, call

    def value(self, node: ast.expr | None) -> Any:
        match node:
            case None:
                return None
            case ast.Constant(value):
                return value
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=owner, attr=attribute):
                return self._attribute(self.value(owner), attribute)
            case ast.Call():
                return self._call(node)
            case ast.List(elts=items):
                return self._items(items)
            case ast.Tuple(elts=items):
                return tuple(self._items(items))
            case ast.Subscript(value=whole, slice=index):
                return self.build.apply(operator.getitem, self.value(whole), self.value(index))
            case ast.Slice(lower=start, upper=stop, step=step):
                return slice(self.value(start), self.value(stop), self.value(step))
        return self._operator(node)

    def _operator(self, node: ast.expr) -> Any:
        from tensorlogic.backends.fx_values import BINARY

        match node:
            case ast.UnaryOp(op=op, operand=operand):
                return self.build.apply(_UNARY[type(op)], self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.build.apply(BINARY[_BINARY[type(op)]], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[right]):
                return (self.value(left) is self.value(right)) is isinstance(op, ast.Is)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.build.apply(BINARY[_BINARY[type(op)]], self.value(left), self.value(right))
            case ast.IfExp(test=test, body=yes, orelse=no):
                return self.value(yes if self._decided(self.value(test)) else no)
            case ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=name), iter=items)]):
                return [self._with(name, item).value(element) for item in self._decided(self.value(items))]
        raise TypeError(f"a body has {type(node).__name__}")

    def _with(self, name: str, value: Any) -> "_Body":
        return _Body(self.build, {**self.env, name: value}, self.defaults, self.call)

    def _decided(self, value: Any) -> Any:
        import torch

        if isinstance(value, torch.fx.Node):
            raise TypeError("what it does depends on a value that is known only at run time")
        return value

    def _items(self, items: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for item in items:
            found += self._decided(self.value(item.value)) if isinstance(item, ast.Starred) else [self.value(item)]
        return found

    def _name(self, name: str) -> Any:
        if name in self.env:
            return self.env[name]
        if name in self.defaults:
            return self.value(self.defaults[name])
        match name:
            case "torch":
                return import_module("torch")
            case "F":
                return import_module("torch.nn.functional")
            case "math":
                return math
        return getattr(builtins, name, None) or import_module(f"tensorlogic.runtime.{name}")

    def _attribute(self, owner: Any, attribute: str) -> Any:
        return self.build.apply(getattr, owner, attribute) if self.build.has_nodes(owner) else getattr(owner, attribute)

    def _call(self, node: ast.Call) -> Any:
        args = self._items(node.args)
        keywords = {k.arg: self.value(k.value) for k in node.keywords if k.arg and not self._left_out(k.value)}
        while args and args[-1] is None and not keywords and self._left_out(node.args[len(args) - 1 - len(node.args)]):
            args.pop()
        if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
            return self._method(self.value(node.func.value), node.func.attr, args, keywords)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id in self.env:
            return self._method(self.env[node.func.value.id], node.func.attr, args, keywords)
        return self._apply(self.value(node.func), args, keywords)

    def _method(self, owner: Any, name: str, args: list, keywords: dict) -> Any:
        if self.build.has_nodes(owner) and not isinstance(owner, list | tuple | dict):
            return self.build.create("call_method", name, (owner, *args), keywords)
        return self.build.apply(getattr(owner, name), *args, **keywords)

    def _apply(self, function: Any, args: list, keywords: dict) -> Any:
        from tensorlogic.backends.fx_values import Closure
        from tensorlogic.ir.ir import Function

        if isinstance(function, Closure | Function):
            return self.call(function, args)
        if function in (list, tuple, len, zip, enumerate, reversed) and isinstance(args[0], list | tuple | range):
            return _settled(function(*args, **keywords))
        if any(isinstance(arg, Closure | Function) for arg in args):
            called = [self._callable(arg, function.__name__ == "mapped") if isinstance(arg, Closure | Function) else arg for arg in args]
            return function(*map(self._decided, called), **keywords)
        return self.build.apply(function, *args, **keywords)

    def _callable(self, function: Any, open_results: bool) -> Callable:
        """The function for a runtime function that calls it now; what decides something must be known now."""

        def called(*args: Any) -> Any:
            result = self.call(function, list(args))
            return result if open_results else self._decided(result)

        return called

    def _left_out(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Name) or node.id in self.env:
            return False
        default = self.defaults.get(node.id)
        return isinstance(default, ast.Constant) and default.value is None


def _settled(value: Any) -> Any:
    return value if isinstance(value, list | tuple | int | range) else list(value)
