"""The declarations of one file, in the order that lets each see what it needs: imports, constants, structs, heads, tensors."""

import os

from tensorlogic.checker import functions, models, relations
from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.constants import constant_value
from tensorlogic.checker.guards import divisions_hold
from tensorlogic.checker.imports import Imports, read_import, resolve
from tensorlogic.checker.library import declare_library
from tensorlogic.checker.program import Builder
from tensorlogic.checker.scope import Binding, FunctionName, GlobalName, ModelName, Namespace, PythonModule, Scope, StructName, Unsupported
from tensorlogic.checker.settings import setting_value
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.ir.ir import Const, Global, StructType
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.types import Struct, TypeVar, Unknown, is_unknown, widen


def declare_file(builder: Builder, state: State, tree: ast.Module, prefix: str) -> None:
    """Fill the scope that is current. `prefix` makes names of an imported file unique where they must be."""
    for node in tree.statements:
        match node:
            case ast.Import():
                _import(builder, state, node)
            case ast.PythonImport():
                builder.python.append(node.span)
                declare(state, node.alias or node.module.partition(".")[0], PythonModule(node.module, node.span), node.span)
    declare_library(builder, state, tree)
    for node in tree.statements:
        if isinstance(node, ast.Const):
            _const(builder, state, node, prefix)
    for node in tree.statements:
        match node:
            case ast.StructDecl():
                _struct_name(builder, state, node, prefix)
    relations.declare_all(state, tree, lambda name: builder.unique(name, prefix), declare)
    _heads(builder, state, tree, prefix)
    relations.read_all(state, tree)


def _heads(builder: Builder, state: State, tree: ast.Module, prefix: str) -> None:
    for node in tree.statements:
        if isinstance(node, ast.ModelDecl):
            _model(builder, state, node, prefix)
    for node in tree.statements:
        if isinstance(node, ast.StructDecl):
            _struct_fields(state, node)
    for node in tree.statements:
        match node:
            case ast.FnDecl():
                function = functions.read_head(state, node, builder.unique(node.name, prefix))
                if declare(state, node.name, function, node.name_span):
                    builder.pending.append((function, None))
            case ast.ImplDecl():
                _impl(builder, state, node)
            case ast.TensorDecl():
                _tensor(builder, state, node, prefix)


def _model(builder: Builder, state: State, node: ast.ModelDecl, prefix: str) -> None:
    model = models.read_model(state, node, builder.unique(node.name, prefix))
    if declare(state, node.name, model, node.name_span):
        state.models[model.unique] = model
        builder.models.append(model)


def declare(state: State, name: str, binding: Binding, span: Span) -> bool:
    """Whether the name was free; a message at the second definition otherwise."""
    known = state.scope.names.get(name)
    if known is not None:
        first = place_of(known)
        labels = (Label(first, "first defined here"),) if first else ()
        state.error("TL0203", span, f"`{name}` is defined twice", "defined again", labels=labels)
        return False
    if registry.lookup(name) is not None:
        help = ("give it another name if the builtin is needed too",)
        told = Diagnostic("TL0701", f"`{name}` is also a builtin", span, "in this file it is this one", help=help, severity="warning")
        state.report(told)
    state.scope.names[name] = binding
    return True


def place_of(binding: Binding) -> Span | None:
    match binding:
        case FunctionName(declaration=node):
            return node.name_span
        case StructName(item=item):
            return item.span
        case ModelName(declaration=node):
            return node.name_span
    return getattr(binding, "span", None)


# --- imports ---------------------------------------------------------------------------------------------------------


def _import(builder: Builder, state: State, node: ast.Import) -> None:
    path = resolve(builder.imports, node, state.folder, state.problems)
    if path is None:
        if node.alias:
            state.scope.names[node.alias] = Unsupported(node.span)
        else:
            state.scope.gap = node.span
        return
    scope = builder.imports.done.get(path)
    if scope is None:
        scope = _read(builder, state, node, path)
    if node.alias:
        declare(state, node.alias, Namespace(node.alias, scope, node.span), node.span)
        return
    state.scope.gap = state.scope.gap or (node.span if scope.gap else None)
    for name, binding in scope.names.items():
        if state.scope.names.get(name) is not binding and not isinstance(binding, Namespace) and binding is not builder.library.get(name):
            declare(state, name, binding, node.span)


def _read(builder: Builder, state: State, node: ast.Import, path: str) -> Scope:
    """Declare the file in a scope of its own."""
    scope = Scope(None, "file")
    builder.imports.done[path] = scope
    before = len(state.problems.errors)
    tree = read_import(path, state.folder, node, state.problems)
    if len(state.problems.errors) > before:
        scope.gap = node.span
    if tree is None:
        return scope
    outer = state.scope, state.folder
    state.scope, state.folder = scope, os.path.dirname(path)
    builder.imports.open.append(path)
    declare_file(builder, state, tree, node.alias or os.path.splitext(os.path.basename(path))[0])
    builder.imports.open.pop()
    builder.initialize(builder, state, tree)
    state.scope, state.folder = outer
    return scope


def new_imports(root: str, path: str) -> Imports:
    return Imports(root, {}, [os.path.realpath(path)])


# --- constants and tensors -------------------------------------------------------------------------------------------


def _const(builder: Builder, state: State, node: ast.Const, prefix: str) -> None:
    reader = Annotations(state.problems, state.scope, open_dims=False)
    wanted = reader.type(node.type) if node.type else None
    value = state.expr(node.value, wanted)
    if wanted is not None:
        value = coerce(state, value, wanted, f"`{node.name}`", of=node.type.span if node.type else None)
    operand = _constant_operand(state, node, value)
    operand = setting_value(state, node, operand) if isinstance(operand, Const) else None
    type_ = widen(value.type) if operand is not None else Unknown()
    item = Global(builder.unique(node.name, prefix), "const", type_, operand, False, node.span, node.doc)
    if declare(state, node.name, GlobalName(item, node.name_span), node.name_span):
        builder.add_global(state, item)


def _constant_operand(state: State, node: ast.Const, value: Typed) -> Const | None:
    """The value, worked out where it is not a literal; None after a message."""
    if isinstance(value.operand, Const) or is_unknown(value.type):
        return value.operand if isinstance(value.operand, Const) else None
    try:
        found = constant_value(state, node.value, widen(value.type))
    except OverflowError:
        state.error("TL0314", node.value.span, "this constant does not fit into 64 bits")
        return None
    if found is None:
        help = "use `let`, `param` or `tensor`"
        state.error("TL0306", node.value.span, "a constant is worked out by the compiler", "not known at compile time", help)
    return found


def _tensor(builder: Builder, state: State, node: ast.TensorDecl, prefix: str) -> None:
    if node.kind == "buffer":
        state.error("TL0101", node.span, "a `buffer` stands in a model", help="write `tensor` at the top of a file")
    reader = Annotations(state.problems, state.scope, open_dims=False)
    type_ = reader.type(node.type)
    if not divisions_hold(state, reader.obligations):
        type_ = Unknown()
    item = Global(builder.unique(node.name, prefix), node.kind, type_, None, node.learnable, node.span, node.doc)
    if declare(state, node.name, GlobalName(item, node.name_span), node.name_span):
        builder.add_global(state, item)


# --- structs ---------------------------------------------------------------------------------------------------------


def _struct_name(builder: Builder, state: State, node: ast.StructDecl, prefix: str) -> None:
    variables = tuple(p.name for p in node.type_params)
    item = StructType(builder.unique(node.name, prefix), variables, (), frozenset(), node.name_span, node.doc)
    struct = StructName(item)
    if declare(state, node.name, struct, node.name_span):
        state.structs[item.name] = struct


def _struct_fields(state: State, node: ast.StructDecl) -> None:
    struct = state.scope.names.get(node.name)
    if not isinstance(struct, StructName) or struct.item.fields:
        return
    reader = Annotations(state.problems, state.scope, open_dims=False)
    reader.type_vars = {name: TypeVar(name) for name in struct.item.type_vars}
    seen: set[str] = set()
    for field in node.fields:
        if field.name in seen:
            state.error("TL0203", field.name_span, f"there are two fields `{field.name}`")
        seen.add(field.name)
    first = {f.name: f for f in reversed(node.fields)}  # of two of one name the first holds
    fields = tuple((f.name, reader.type(f.type)) for f in node.fields if first[f.name] is f)
    divisions_hold(state, reader.obligations)
    learnable = frozenset(f.name for f in node.fields if f.learnable)
    old = struct.item
    struct.item = StructType(old.name, old.type_vars, fields, learnable, old.span, old.doc)


def _impl(builder: Builder, state: State, node: ast.ImplDecl) -> None:
    struct = state.scope.names.get(node.struct)
    if not isinstance(struct, StructName):
        if not isinstance(struct, Unsupported):
            state.error("TL0201", node.struct_span, f"there is no struct `{node.struct}`")
        return
    variables = {p.name: TypeVar(p.name) for p in node.type_params} or {v: TypeVar(v) for v in struct.item.type_vars}
    self_type = Struct(struct.item.name, tuple(variables.values()))
    for method in node.methods:
        if method.name in struct.methods or method.name in dict(struct.item.fields):
            state.error("TL0203", method.name_span, f"`{node.struct}` has `{method.name}` already")
            continue
        unique = builder.unique(f"{struct.item.name}_{method.name}", "")
        function = functions.read_head(state, method, unique, self_type, variables)
        struct.methods[method.name] = function
        builder.pending.append((function, struct.item.name))
