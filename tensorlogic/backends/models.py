"""Models as `torch.nn.Module` classes."""

import ast

from tensorlogic.backends import nodes
from tensorlogic.backends.functions import block_of, definition, docstring, function
from tensorlogic.backends.nodes import LOAD, STORE, Expr
from tensorlogic.backends.places import describe, place
from tensorlogic.backends.scope import ModuleScope
from tensorlogic.backends.text import comment_text, with_comment
from tensorlogic.backends.writer import DEEPEST, Writer
from tensorlogic.ir.ir import INITIALIZER, Member, Model, Op, Operand, Value
from tensorlogic.types.types import List, Tuple, Type

REGISTER = {"submodel": "add_module", "submodels": "add_module", "param": "register_parameter"}


def model(scope: ModuleScope, item: Model) -> ast.ClassDef:
    """A model of the program: a class that makes its fields and has its methods."""
    scope.roots.add("torch")
    body = [*docstring(item.doc), _init(scope, item), *_aliases(scope, item)]
    body += [function(scope, method) for method in scope.module.methods(item.name)]
    found = ast.ClassDef(scope.models[item.name], [nodes.path("torch", "nn", "Module")], [], body, [])
    nodes.locate(found, item.span, item.span.source)
    return with_comment(found, comment_text(place(item.span)))  # type: ignore[return-value]


def _init(scope: ModuleScope, item: Model) -> ast.FunctionDef:
    inner = scope.scopes[item.name]
    writer = Writer(inner, item.span.source)
    above = ast.Call(ast.Attribute(ast.Call(nodes.path("super"), [], []), "__init__", LOAD), [], [])
    writer.emit(ast.Expr(above), item.span)
    block_of(writer, item)
    found = definition("__init__", writer, (item.receiver, *item.params), item.defaults, None)
    return nodes.locate(found, item.span, item.span.source)  # type: ignore[return-value]


def _aliases(scope: ModuleScope, item: Model) -> list[ast.stmt]:
    """`class_ = property(lambda self: getattr(self, "class"))`"""
    found: list[ast.stmt] = []
    for name, python in scope.fields[item.name].items():
        kind = next(m.kind for m in item.members if m.name == name)
        if name != python and kind != "value":
            read = ast.Call(nodes.path("getattr"), [ast.Name("self", LOAD), ast.Constant(name)], [])
            reader = ast.Lambda(ast.arguments([], [ast.arg("self")], None, [], [], None, []), read)
            found.append(ast.Assign([ast.Name(python, STORE)], ast.Call(nodes.path("property"), [reader], [])))
    return found


# --- fields that are made and written --------------------------------------------------------------------------------


def new_member(writer: Writer, op: Op) -> None:
    """`self.w = torch.nn.Parameter(torch.ones(O, I))`"""
    owner = writer.scope.module.by_model[op.args[0].type.name]  # type: ignore[union-attr]
    member = next(m for m in owner.members if m.name == op.attrs["name"])
    python = writer.scope.module.fields[owner.name][member.name]
    fresh = member.kind != "param" or is_fresh(writer, op.args[1])
    writer.make_ready(op.args[1:], deepest=DEEPEST + 1)
    value = _registered(member, writer.part(op.args[1]).node, fresh)
    target = writer.part(op.args[0]).node
    statement: ast.stmt
    if member.kind == "buffer":
        statement = _register(target, "register_buffer", member, value)
    elif python != member.name and member.kind != "value":
        statement = _register(target, REGISTER[member.kind], member, value)
    else:
        statement = ast.Assign([ast.Attribute(target, python, STORE)], value)
    if member.kind != "value":
        writer.scope.module.roots.add("torch")
    writer.statement(statement, op.span, describe(member.type, op.span))


def _register(target: ast.expr, how: str, member: Member, value: ast.expr) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Attribute(target, how, LOAD), [ast.Constant(member.name), value], []))


def _registered(member: Member, value: ast.expr, fresh: bool) -> ast.expr:
    match member.kind:
        case "submodels":
            return _module_list(member.type, value)
        case "param":
            value = value if fresh else ast.Call(ast.Attribute(value, "clone", LOAD), [], [])
            frozen = [] if member.learnable else [ast.keyword("requires_grad", ast.Constant(False))]
            return ast.Call(nodes.path("torch", "nn", "Parameter"), [value], frozen)
    return value


def _module_list(type_: Type, value: ast.expr) -> ast.expr:
    """`torch.nn.ModuleList(value)`, around lists of the same for a list of lists."""
    parts = type_.items if isinstance(type_, List | Tuple) and type_.items is not None else (getattr(type_, "element", None),)
    if isinstance(parts[0], List | Tuple):
        rows = ast.comprehension(ast.Name("row", STORE), value, [], 0)
        value = ast.ListComp(_module_list(parts[0], ast.Name("row", LOAD)), [rows])
    return ast.Call(nodes.path("torch", "nn", "ModuleList"), [value], [])


def is_fresh(writer: Writer, operand: Operand) -> bool:
    """Whether a tensor was made for this field alone."""
    waiting = writer.block.pending.get(operand) if isinstance(operand, Value) else None
    return waiting is not None and (waiting[1].code == "tensor" or waiting[1].attrs.get("index") == INITIALIZER)


def learnable_global(name: str, value: ast.expr, fresh: bool, initial: bool) -> ast.stmt:
    """`w = torch.ones(3).requires_grad_()`, and later `w.data.copy_(value)`: what learns stays the same tensor."""
    if not initial:
        data = ast.Attribute(ast.Name(name, LOAD), "data", LOAD)
        return ast.Expr(ast.Call(ast.Attribute(data, "copy_", LOAD), [value], []))
    for method in () if fresh else ("detach", "clone"):
        value = ast.Call(ast.Attribute(value, method, LOAD), [], [])
    return ast.Assign([ast.Name(name, STORE)], ast.Call(ast.Attribute(value, "requires_grad_", LOAD), [], []))


def set_member(writer: Writer, op: Op) -> None:
    """`self.count.copy_(value)` for what is saved with the model, `self.n = value` for host values."""
    name = str(op.attrs["name"])
    python = writer.scope.module.fields.get(str(op.attrs["struct"]), {}).get(name, name)
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    target, value = (writer.part(operand).node for operand in op.args)
    statement: ast.stmt = ast.Assign([ast.Attribute(target, python, STORE)], value)
    if op.attrs["kind"] != "value":
        place_, kept = ast.Attribute(target, python, LOAD), ast.Call(ast.Attribute(value, "detach", LOAD), [], [])
        statement = ast.Expr(ast.Call(ast.Attribute(place_, "copy_", LOAD), [kept], []))
    writer.statement(statement, op.span, describe(None, op.span))


def repeat(writer: Writer, op: Op, count: Expr, item: Expr) -> Expr:
    """`[Block(D, H) for _ in range(L)]`"""
    numbers = ast.Call(nodes.path("range"), [count.node], [])
    node = ast.ListComp(item.node, [ast.comprehension(ast.Name("_", STORE), numbers, [], 0)])
    return nodes.join(node, [count, item], 20)
