"""Python functions and classes from the declarations of a module."""

import ast
import textwrap
from itertools import groupby

from tensorlogic.backends import nodes
from tensorlogic.backends.nodes import LOAD, STORE
from tensorlogic.backends.places import describe, place
from tensorlogic.backends.scope import FunctionScope, ModuleScope, function_scope
from tensorlogic.backends.struct_leaves import post_init
from tensorlogic.backends.text import comment_text, with_comment
from tensorlogic.backends.uses import Uses, analyse
from tensorlogic.backends.writer import Writer
from tensorlogic.ir.ir import Const, DimBinding, Function, Global, GlobalRef, Model, Omitted, Operand, Region, StructType, Value
from tensorlogic.ir.rewrite import operations_in
from tensorlogic.source import Source, Span
from tensorlogic.types.types import AnyTensor, Bool, Float, Int, List, String, Tensor, Tuple, Type


def function(scope: ModuleScope, item: Function) -> ast.FunctionDef:
    """A function of the program."""
    inner = scope.scopes[item.name]
    writer = Writer(inner, item.span.source)
    _late_defaults(writer, item)
    _dims(writer, item)
    if filled := _filled(scope, item.body):
        writer.emit(ast.Global(list(dict.fromkeys(filled))), item.span)
    _body(writer, item.body)
    own = (item.receiver,) if item.receiver is not None else ()
    found = definition(scope.functions[item.name], writer, (*own, *item.params), item.defaults, item.doc)
    nodes.locate(found, item.span, item.span.source)
    types = ", ".join(f"{param.name}: {param.type}" for param in item.params)
    with_comment(found, comment_text(f"{place(item.span)}   ({types}) -> {item.result}"))
    return found


def definition(name: str, writer: Writer, params: tuple[Value, ...], defaults: tuple[Operand, ...], doc: str | None) -> ast.FunctionDef:
    """A function of what was written; `defaults` are those of the last parameters."""
    named = [ast.arg(writer.scope.of(param)) for param in params]
    arguments = ast.arguments([], named, None, [], [], None, _defaults(writer.scope, defaults))
    body: list[ast.stmt] = [*docstring(doc), *writer.block.body]
    return ast.FunctionDef(name, arguments, body or [ast.Pass()], [], None)


def docstring(doc: str | None) -> list[ast.stmt]:
    if not doc:
        return []
    lines = [part for line in doc.strip().splitlines() for part in (textwrap.wrap(line, 92) or [""])]
    text = lines[0] if len(lines) == 1 else "\n    ".join((*lines, "")).replace("\n    \n", "\n\n")
    return [ast.Expr(ast.Constant(text))]


def _body(writer: Writer, region: Region) -> None:
    """The operations and what the function gives, as its last statement."""
    writer.region(region)
    writer.make_ready(region.yields)
    parts = [writer.part(operand) for operand in region.yields]
    if not parts:
        writer.flush()
        return
    node = parts[0].node if len(parts) == 1 else ast.Tuple([part.node for part in parts], LOAD)
    last = region.ops[-1].span if region.ops else None
    writer.statement(ast.Return(node), last, describe(getattr(region.yields[0], "type", None), last))


def block_of(writer: Writer, item: Model) -> None:
    """What makes the fields of a new model."""
    _late_defaults(writer, item)
    writer.region(item.init)
    writer.flush()


def _is_late(default: Operand) -> bool:
    """Whether a default has no value yet when the function is defined."""
    return not isinstance(default, Const | Omitted)


def _defaults(scope: FunctionScope, defaults: tuple[Operand, ...]) -> list[ast.expr]:
    given = [default for default in defaults if not isinstance(default, Omitted)]
    return [ast.Constant(None) if _is_late(default) else scope.constant(default).node for default in given]  # type: ignore[arg-type]


def _late_defaults(writer: Writer, item: Function | Model) -> None:
    for param, default in zip(item.params, item.defaults, strict=False):
        if _is_late(default):
            name = writer.scope.of(param)
            missing = ast.Compare(nodes.name(name).node, [ast.Is()], [ast.Constant(None)])
            statement = ast.If(missing, [ast.Assign([ast.Name(name, STORE)], writer.part(default).node)], [])
            writer.emit(statement, item.span)


def _dims(writer: Writer, item: Function) -> None:
    """`N, D = x.shape` for the sizes that the body reads."""
    read = [binding for binding in item.dims if writer.scope.uses.count.get(binding.value) and binding.value is not binding.param]
    for _, group in groupby(read, key=lambda binding: (id(binding.param), binding.items)):
        bindings = list(group)
        if not _unpack(writer, item, bindings):
            for binding in bindings:
                _read_dim(writer, item, binding)


def _shape(writer: Writer, binding: DimBinding) -> ast.expr:
    """`x.shape`, or `xs[0].shape` for the tensors of a list."""
    tensor = nodes.name(writer.scope.of(binding.param)).node
    for item in binding.items:
        tensor = ast.Subscript(tensor, nodes.number(item), LOAD)
    return ast.Attribute(tensor, "shape", LOAD)


def _unpack(writer: Writer, item: Function, bindings: list[DimBinding]) -> bool:
    """All sizes of a parameter in one statement, where most are read and none needs arithmetic."""
    type_ = bindings[0].param.type
    if (
        not isinstance(type_, Tensor)
        or any(b.axis is None for b in bindings)
        or len(bindings) * 2 < len(type_.shape)
        or any(b.scale != 1 or b.offset for b in bindings)
    ):
        return False
    if any(type(dim).__name__ != "Dim" for dim in type_.shape):
        return False
    at = {int(b.axis or 0) % len(type_.shape): writer.target(b.value) for b in bindings}
    targets = [at.get(axis) or ast.Name("_", STORE) for axis in range(len(type_.shape))]
    writer.emit(ast.Assign([ast.Tuple(targets, STORE)], _shape(writer, bindings[0])), item.span)
    return True


def _read_dim(writer: Writer, item: Function, binding: DimBinding) -> None:
    if binding.field:
        name = writer.scope.module.fields.get(binding.param.type.name, {}).get(binding.field, binding.field)  # type: ignore[union-attr]
        source: ast.expr = ast.Attribute(nodes.name(writer.scope.of(binding.param)).node, name, LOAD)
        if binding.axis is not None:
            source = ast.Subscript(ast.Attribute(source, "shape", LOAD), nodes.number(binding.axis), LOAD)
        writer.emit(ast.Assign([writer.target(binding.value)], source), item.span)
        return
    if binding.axis is None:
        if binding.param.mutable:
            writer.emit(ast.Assign([writer.target(binding.value)], nodes.name(writer.scope.of(binding.param)).node), item.span)
        return
    node: ast.expr = ast.Subscript(_shape(writer, binding), nodes.number(binding.axis), LOAD)
    if binding.offset:
        operator = ast.Sub() if binding.offset > 0 else ast.Add()
        node = ast.BinOp(node, operator, ast.Constant(abs(binding.offset)))
    if binding.scale != 1:
        node = ast.BinOp(node, ast.FloorDiv(), nodes.number(binding.scale))
    writer.emit(ast.Assign([writer.target(binding.value)], node), item.span)


def block(scope: ModuleScope, name: str, region: Region, source: Source, doc: str, span: Span | None = None) -> ast.FunctionDef:
    """The program, `main` or a test: a function without parameters that sees the variables of the file."""
    uses = analyse((), region)
    writer = Writer(function_scope(scope, uses), source)
    changed = _assigned_outside(scope, uses, region)
    if changed:
        writer.emit(ast.Global(changed), None)
    writer.region(region)
    writer.flush()
    found = definition(name, writer, (), (), doc)
    nodes.locate(found, span, source)
    return with_comment(found, comment_text(place(span))) if span else found  # type: ignore[return-value]


def _assigned_outside(scope: ModuleScope, uses: Uses, region: Region) -> list[str]:
    """Names of the module's variables that the block itself writes."""
    values = (*uses.first, *uses.assigned.get(None, ()))
    written = [scope.variables[v] for v in values if v in scope.variables and uses.owner.get(v) is None]
    return list(dict.fromkeys((*written, *_filled(scope, region))))


def _filled(scope: ModuleScope, region: Region) -> list[str]:
    """Names of the tensors of the file that a block writes."""
    return [scope.globals[str(op.attrs["name"])] for op in operations_in((region,)) if op.code == "set_global"]


def struct(scope: ModuleScope, item: StructType) -> ast.ClassDef:
    """A struct as a dataclass; a changed struct is a copy."""
    scope.roots.add("dataclasses")
    names = scope.fields[item.name]
    fields: list[ast.stmt] = []
    for name, type_ in item.fields:
        field = ast.AnnAssign(ast.Name(names[name], STORE), _annotation(scope, type_), None, 1)
        fields.append(with_comment(field, comment_text(str(type_))))  # type: ignore[arg-type]
    frozen = ast.Call(nodes.path("dataclasses", "dataclass"), [], [ast.keyword("frozen", ast.Constant(True))])
    body = [
        *docstring(item.doc),
        *fields,
        *_shown(scope, item),
        *post_init(names[name] for name, _ in item.fields if name in item.learnable),
    ]
    found = ast.ClassDef(scope.structs[item.name], [], [], body or [ast.Pass()], [frozen])
    nodes.locate(found, item.span, item.span.source)
    return with_comment(found, comment_text(place(item.span)))  # type: ignore[return-value]


def _shown(scope: ModuleScope, item: StructType) -> list[ast.stmt]:
    """`__shown__ = ("O", "class")`: what prints in place of the names of the class and its fields, where Python has others."""
    names = (item.name, *(name for name, _ in item.fields))
    if names == (scope.structs[item.name], *(scope.fields[item.name][name] for name in names[1:])):
        return []
    return [ast.Assign([ast.Name("__shown__", STORE)], ast.Tuple([ast.Constant(name) for name in names], LOAD))]


def _annotation(scope: ModuleScope, type_: Type) -> ast.expr:
    match type_:
        case Tensor() | AnyTensor():
            scope.roots.add("torch")
            return nodes.path("torch", "Tensor")
        case Int() | Float() | Bool():
            return nodes.path(str(type_))
    return nodes.path({String: "str", List: "list", Tuple: "tuple"}.get(type(type_), "object"))


def constants(scope: ModuleScope) -> list[ast.stmt]:
    """`N = 4` for the constants of the file that have their value."""
    return [_constant(scope, item, item.value) for item in scope.module.globals if isinstance(item.value, Const | GlobalRef)]


def _constant(scope: ModuleScope, item: Global, known: Const | GlobalRef) -> ast.stmt:
    empty = FunctionScope(scope, Uses(), {})
    node = empty.constant(known).node if isinstance(known, Const) else empty.reference(known).node
    statement = ast.Assign([ast.Name(scope.globals[item.name], STORE)], node)
    nodes.locate(statement, item.span, scope.module.source)
    return with_comment(statement, describe(item.type, item.span))  # type: ignore[return-value]
