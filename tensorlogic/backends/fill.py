"""Calls of builtins, written out: the body of the builtin with the operands in the places of its parameters."""

import ast

from tensorlogic.backends import nodes
from tensorlogic.backends.nodes import Expr
from tensorlogic.backends.templates import Template, declared, default_node, overload, template
from tensorlogic.ir.ir import Omitted, Op, Operand


def arguments(op: Op) -> tuple[Template, dict[str, list[int]], dict[str, ast.expr]]:
    """The body of the builtin, which operands each of its parameters gets, and the defaults of those that were left out."""
    builtin, index = overload(op)
    body = template(builtin, index)
    given: dict[str, list[int]] = {}
    defaults = dict(body.defaults)
    place = 0
    parameters = declared(builtin, index)
    for position, parameter in enumerate(parameters):
        name = body.variadic if parameter.variadic and body.variadic else _body_name(body, parameter.name, position)
        count = len(op.args) - len(parameters) + 1 if parameter.variadic else 1
        taken = range(place, min(place + count, len(op.args)))
        place += count
        if any(isinstance(op.args[i], Omitted) for i in taken) or not taken:
            if parameter.default is not None:
                defaults[name] = default_node(parameter.default)
        else:
            given[name] = list(taken)
    return body, given, defaults


def _body_name(body: Template, name: str, position: int) -> str:
    """The parameter of the body: by name, with a trailing `_` where Python wants one, or by position."""
    for candidate in (name, name + "_"):
        if candidate in body.parameters:
            return candidate
    return body.parameters[position]


def evaluation_order(op: Op) -> tuple[tuple[Operand, ...], frozenset[int]]:
    """The operands in the order in which the body reads them, and the places of those that must be plain names or constants
    because the body reads them twice, conditionally or not at all."""
    body, given, _ = arguments(op)
    order: list[int] = []
    plain: set[int] = set()
    for name in body.order:
        taken = given.get(name, [])
        if taken and taken[0] in order:
            plain.update(taken)
        else:
            order += taken
    unread = [i for name, taken in given.items() if name not in body.order for i in taken]
    plain.update(unread, (i for name in body.guarded for i in given.get(name, ())))
    return tuple(op.args[i] for i in (*unread, *order)), frozenset(plain)


def filled(op: Op, parts: dict[int, Expr], roots: set[str]) -> Expr:
    """The body with `parts`, the operands by position, in place; adds to `roots` the modules that it needs."""
    body, given, defaults = arguments(op)
    roots |= body.roots
    roots.update("torch" for default in defaults.values() if isinstance(default, ast.Attribute))
    table = {name: [parts[i].node for i in taken] for name, taken in given.items()}
    if "folder" in op.attrs:
        roots.add("files")
        table["path"] = [_beside(str(op.attrs["folder"]), table["path"][0])]
    used = [parts[i] for taken in given.values() for i in taken]
    return nodes.join(_Fill(table, defaults).fill(body.body), used, body.width, body.calls)


def _beside(folder: str, path: ast.expr) -> ast.expr:
    """`files.beside(__file__, "lib", path)`: relative to the file that names it, wherever the program runs."""
    function = ast.Attribute(ast.Name("files", ast.Load()), "beside", ast.Load())
    return ast.Call(function, [ast.Name("__file__", ast.Load()), ast.Constant(folder), path], [])


class _Fill:
    def __init__(self, given: dict[str, list[ast.expr]], defaults: dict[str, ast.expr]) -> None:
        self.given, self.defaults = given, defaults

    def fill(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Name(id=name) if name in self.given:
                return self.given[name][0]
            case ast.Name(id=name) if name in self.defaults:
                return self.copy(self.defaults[name])
            case ast.Call():
                return self._call(node)
        return self.copy(node)

    def copy(self, node):
        """A copy of the node with its parts filled in."""
        match node:
            case ast.expr_context() | ast.operator() | ast.unaryop() | ast.boolop() | ast.cmpop():
                return node
            case ast.AST():
                return type(node)(**{field: self._part(getattr(node, field, None)) for field in node._fields})
        return node

    def _part(self, part):
        if isinstance(part, list):
            return [self._part(item) for item in part]
        return self.fill(part) if isinstance(part, ast.expr) else self.copy(part)

    def _call(self, node: ast.Call) -> ast.expr:
        args = [item for arg in node.args for item in self._argument(arg)]
        count = len(args)
        while count and _is_none(args[count - 1]) and self._left_out(node.args[count - 1 - len(args)]):
            count -= 1
        keywords = [ast.keyword(k.arg, self.fill(k.value)) for k in node.keywords if not self._left_out(k.value)]
        return ast.Call(self.fill(node.func), args[:count], keywords)

    def _argument(self, node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name):
            return self.given.get(node.value.id, [])
        return [self.fill(node)]

    def _left_out(self, node: ast.expr) -> bool:
        """Whether this argument is a parameter of the builtin that was left out and whose default is none."""
        return isinstance(node, ast.Name) and node.id not in self.given and _is_none(self.defaults.get(node.id))


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
