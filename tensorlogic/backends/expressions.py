"""Operations that are expressions in Python, each from the expressions of its operands."""

import ast
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

from tensorlogic.backends import nodes, relations
from tensorlogic.backends.fill import filled
from tensorlogic.backends.names import usable
from tensorlogic.backends.nodes import LOAD, Expr
from tensorlogic.backends.scope import FunctionScope, dtype
from tensorlogic.backends.sizes import size
from tensorlogic.backends.struct_leaves import detached
from tensorlogic.backends.uses import size_bindings
from tensorlogic.ir.ir import EllipsisIndex, Omitted, Op, Operand, SliceOf, StructType
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Bool, Float, Int, Record, Shape, String, Tensor

Parts = Callable[[Operand], Expr]


def expression(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    """The expression for an operation without regions; `part` gives that of an operand."""
    build = BUILDERS.get(op.code)
    if build is None:
        raise KeyError(f"no Python for the operation {op.code}")
    return build(op, part, scope)


def _builtin(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    return filled(op, {i: part(arg) for i, arg in enumerate(op.args) if not isinstance(arg, Omitted)}, scope.module.roots)


def _call(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    callee = str(op.attrs["name"])
    function = scope.module.functions[callee]
    return _called(op.args, nodes.path(function), len(function), scope.module.parameters(callee), part)


def _called(operands: tuple[Operand, ...], function: ast.expr, width: int, names: tuple[str, ...], part: Parts) -> Expr:
    """Arguments by position up to the first that is left out, by name behind it."""
    args: list[Expr] = []
    keywords: dict[str, Expr] = {}
    left_out = False
    for name, arg in zip_longest(names, operands):
        if isinstance(arg, Omitted):
            left_out = True
        elif left_out:
            keywords[name] = part(arg)
        else:
            args.append(part(arg))
    return nodes.call(function, args, width, keywords, calls=True)


def _model(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    name = str(op.attrs["name"])
    if name in scope.module.models:
        return _called(op.args, nodes.path(scope.module.models[name]), len(name), scope.module.parameters(name), part)
    made = _builtin(op, part, scope)
    if "dtype" not in op.attrs:
        return made
    return nodes.call(ast.Attribute(made.node, "to", LOAD), [dtype(scope, str(op.attrs["dtype"]))], made.width + 4)


def _call_method(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    """`block(x)`, which is its `forward`, or `block.name(x)`."""
    callee, owner = str(op.attrs["name"]), part(op.args[0])
    names = scope.module.parameters(callee) if callee in scope.module.functions else ()
    method = scope.module.functions.get(callee, str(op.attrs["method"]))
    function = owner.node if method == "forward" else ast.Attribute(owner.node, method, LOAD)
    return _called(op.args[1:], function, owner.width + len(method), names, part)


def _call_value(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    function, *args = map(part, op.args)
    return nodes.call(function.node, args, function.width, calls=True)


def _binary(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    sign = str(op.attrs["op"])
    left, right = map(part, op.args)
    if sign in nodes.COMPARE:
        return nodes.join(ast.Compare(left.node, [nodes.COMPARE[sign]], [right.node]), [left, right], len(sign) + 4)
    return nodes.join(ast.BinOp(left.node, nodes.BINARY[sign], right.node), [left, right], len(sign) + 4)


def _unary(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    sign, operand = str(op.attrs["op"]), part(op.args[0])
    match sign, operand.node:
        case "not", ast.Compare(left, [ast.In()], right):
            return nodes.join(ast.Compare(left, [nodes.COMPARE["not in"]], right), [operand], 4)
    return nodes.join(ast.UnaryOp(nodes.UNARY[sign], operand.node), [operand], len(sign) + 3)


def _cast(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    target, operand = op.attrs["to"], part(op.args[0])
    source = getattr(op.args[0], "type", None)
    if str(target) == "string" and not isinstance(source, Int | String):
        scope.module.roots.add("printing")
        return nodes.call(nodes.path("printing", "text"), [operand], 13)
    name = {"string": "str"}.get(str(target), str(target))
    return nodes.call(nodes.path(name), [operand], len(name))


def _tensor(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    keywords = {"dtype": dtype(scope, op.attrs["dtype"])}  # type: ignore[arg-type]
    device = op.attrs.get("device")
    if device is not None and device != "gpu":
        keywords["device"] = nodes.constant(device)
    scope.module.roots.add("torch")
    return nodes.call(nodes.path("torch", "tensor"), [part(op.args[0])], 12, keywords)


def _list(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    items = list(map(part, op.args))
    return nodes.join(ast.List([item.node for item in items], LOAD), items, 2 * len(items) + 2)


def _tuple(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    items = list(map(part, op.args))
    return nodes.join(ast.Tuple([item.node for item in items], LOAD), items, 2 * len(items) + 2)


def _range(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    bounds = list(map(part, op.args))
    match bounds:
        case [Expr(ast.Constant(0)), stop]:
            bounds = [stop]
    return nodes.call(nodes.path("range"), bounds, 5)


def _struct(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    name, item = scope.module.structs[str(op.attrs["name"])], _struct_type(scope, str(op.attrs["name"]))
    values = [detached(part(arg)) if field in item.learnable else part(arg) for (field, _), arg in zip(item.fields, op.args, strict=True)]
    return nodes.call(nodes.path(name), values, len(name))


def _struct_type(scope: FunctionScope, name: str) -> StructType:
    return next(item for item in scope.module.module.structs if item.name == name)


def _field_name(op: Op, scope: FunctionScope) -> str:
    struct = getattr(op.args[0], "type", None)
    field = str(op.attrs["name"])
    return scope.module.fields.get(getattr(struct, "name", ""), {}).get(field, field)


def _field(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    struct, name = part(op.args[0]), _field_name(op, scope)
    if isinstance(getattr(op.args[0], "type", None), Record) and not usable(name):
        return nodes.join(ast.Subscript(struct.node, ast.Constant(name), LOAD), [struct], len(name) + 4)
    return nodes.join(ast.Attribute(struct.node, name, LOAD), [struct], len(name) + 1)


def _set_field(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    scope.module.roots.add("dataclasses")
    struct, value = map(part, op.args)
    owner = op.args[0].type.name  # type: ignore
    value = detached(value) if op.attrs["name"] in _struct_type(scope, owner).learnable else value
    return nodes.call(nodes.path("dataclasses", "replace"), [struct], 19, {_field_name(op, scope): value})


def _item(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    whole = part(op.args[0])
    return nodes.join(ast.Subscript(whole.node, nodes.number(int(str(op.attrs["index"]))), LOAD), [whole], 4)


def _list_item(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    items, index = map(part, op.args)
    return nodes.join(ast.Subscript(items.node, index.node, LOAD), [items, index], 2)


def _list_slice(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    items = part(op.args[0])
    bounds = [None if isinstance(arg, Omitted) else part(arg) for arg in op.args[1:]]
    node = ast.Slice(*(bound.node if bound else None for bound in bounds))
    return nodes.join(ast.Subscript(items.node, node, LOAD), [items, *(bound for bound in bounds if bound)], 4)


def index_node(items: tuple[Operand, ...], part: Parts) -> tuple[ast.expr, list[Expr]]:
    """What stands between the brackets of an index, and its parts."""
    found: list[Expr] = []
    written: list[ast.expr] = []

    def bound(operand: Operand) -> ast.expr | None:
        if isinstance(operand, Omitted):
            return None
        found.append(part(operand))
        return found[-1].node

    for item in items:
        match item:
            case EllipsisIndex():
                written.append(ast.Constant(...))
            case SliceOf(start, stop, step):
                written.append(ast.Slice(bound(start), bound(stop), bound(step)))
            case _:
                written.append(bound(item) or ast.Constant(None))
    return written[0] if len(written) == 1 else ast.Tuple(written, LOAD), found


def _index(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    tensor = part(op.args[0])
    node, found = index_node(op.args[1:], part)
    return nodes.join(ast.Subscript(tensor.node, node, LOAD), [tensor, *found], 3 * len(op.args))


def _copy(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    return part(op.args[0])


def _check_type(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    """`host.check_type(x, "float32[N, ?]", torch.float32, (N, None))`; a size that is not known here is None."""
    wanted = op.attrs["type"]
    if not isinstance(wanted, Tensor):
        return part(op.args[0])
    scope.module.roots.add("host")
    operand = part(op.args[0])
    shape = known_shape(wanted.shape, {name: part(value).node for name, value in size_bindings(op).items()})
    args = [operand, nodes.constant(str(wanted)), dtype(scope, wanted.dtype), Expr(shape, 8 * len(wanted.shape) + 2)]
    return nodes.call(nodes.path("host", "check_type"), args, 15)


def _python_call(op: Op, part: Parts, scope: FunctionScope) -> Expr:
    """`host.python_call("numpy", "mean", x)`, and the check of what comes back."""
    scope.module.roots.add("host")
    names: Any = op.attrs["names"]
    where = [nodes.constant(op.attrs["module"]), nodes.constant(op.attrs["name"])]
    args = [part(arg) for name, arg in zip(names, op.args, strict=True) if not name]
    keywords = [Expr(ast.Constant(name), len(name)) for name in names if name]
    values = [part(arg) for name, arg in zip(names, op.args, strict=True) if name]
    if keywords:
        table = ast.Dict([key.node for key in keywords], [value.node for value in values])
        where.append(nodes.join(table, [*keywords, *values], 4 * len(values) + 2))
    else:
        where.append(nodes.constant(None))
    result = nodes.call(nodes.path("host", "python_call"), [*where, *args], 16, calls=True)
    wanted = op.attrs["type"]
    if not isinstance(wanted, Tensor):
        return result
    checks = [
        result,
        nodes.constant(str(wanted)),
        dtype(scope, wanted.dtype),
        Expr(known_shape(wanted.shape, {}), 8 * len(wanted.shape) + 2),
    ]
    return nodes.call(nodes.path("host", "python_tensor"), checks, 18)


def known_shape(shape: Shape, names: Mapping[str, ast.expr]) -> ast.expr:
    """The sizes as a tuple: None for one that is not known here, `...` for any number of them."""
    items: list[ast.expr] = []
    for item in shape:
        if not isinstance(item, Dim):
            items.append(ast.Constant(...))
        else:
            items.append(size(item, names) if item.symbols() <= names.keys() else ast.Constant(None))
    return ast.Tuple(items, LOAD)


BUILDERS = {
    "builtin": _builtin, "call": _call, "call_value": _call_value, "binary": _binary, "unary": _unary, "cast": _cast, "tensor": _tensor,
    "list": _list, "tuple": _tuple, "range": _range, "struct": _struct, "field": _field, "set_field": _set_field, "item": _item,
    "list_item": _list_item, "list_slice": _list_slice, "index": _index, "copy": _copy, "check_type": _check_type,
    "python_call": _python_call, "model": _model, "call_method": _call_method, **relations.BUILDERS,
}  # fmt: skip
_SCALARS = (Int, Float, Bool, String)


def is_scalar(type_: object) -> bool:
    """Whether a value is a host number, bool or string, which readers follow more easily in line than tensors."""
    return isinstance(type_, _SCALARS)
