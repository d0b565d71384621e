"""From a syntax tree to a typed module: every name, type and shape of a program and of what it imports."""

import os
from dataclasses import replace

from tensorlogic.checker import relations
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.copies import without_idle_copies
from tensorlogic.checker.declarations import declare_file, new_imports
from tensorlogic.checker.equations.together import arranged
from tensorlogic.checker.expressions import EXPRESSIONS, STATEMENTS
from tensorlogic.checker.functions import check_body, mutated_names
from tensorlogic.checker.imports import root_of
from tensorlogic.checker.initializers import initial_value
from tensorlogic.checker.lengths import resized_names
from tensorlogic.checker.limits import stack_room
from tensorlogic.checker.models import check_fields, check_methods
from tensorlogic.checker.program import Builder, Initialize
from tensorlogic.checker.scope import GlobalName, Scope, StructName
from tensorlogic.checker.settings import unused_settings
from tensorlogic.checker.state import Frame, State
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Module, Region, TestBlock
from tensorlogic.ir.rewrite import map_regions
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse
from tensorlogic.types.dims import DimTooLarge
from tensorlogic.types.facts import Facts
from tensorlogic.types.types import Tensor, is_unknown

DECLARATIONS = (
    ast.Import, ast.PythonImport, ast.Const, ast.FnDecl, ast.ModelDecl, ast.StructDecl, ast.ImplDecl, ast.EntityDecl, ast.Rule,
)  # fmt: skip


def check_program(source: Source, problems: Problems, *, settings: dict[str, str] | None = None) -> Module | None:
    """The module of a program. With errors in `problems` it is not whole, or None."""
    with stack_room():
        return check_tree(parse(source, problems), problems, settings=settings)


def _without_broken(tree: ast.Module, problems: Problems) -> ast.Module | None:
    """The functions with a syntax error are left out, as nothing can be said of them; None where an error stands outside of all."""
    places = [d.span.start for d in problems.errors if d.span is not None]
    if not places:
        return tree
    broken = [n for n in tree.statements if isinstance(n, ast.FnDecl) and any(n.span.start <= at <= n.span.end for at in places)]
    if any(not any(n.span.start <= at <= n.span.end for n in broken) for at in places):
        return None
    heads = {id(n): ast.FnDecl(n.span, n.name, n.name_span, n.type_params, n.params, n.result, n.where, None, n.doc) for n in broken}
    return ast.Module(tree.source, tuple(heads.get(id(n), n) for n in tree.statements), tree.comments)  # type: ignore[arg-type]


def check_tree(
    tree: ast.Module, problems: Problems, *, settings: dict[str, str] | None = None, float_dtype: str = "float32"
) -> Module | None:
    """As `check_program`, for a tree; what was wrong with its syntax stands in `problems` already. `float_dtype` is what literals, layers
    and loads have that do not say it."""
    whole = _without_broken(tree, problems)
    return _check(whole, problems, settings or {}, float_dtype) if whole else None


def _check(tree: ast.Module, problems: Problems, settings: dict[str, str], float_dtype: str) -> Module:
    state = State(problems, Scope(None, "file"), top_frame(), {}, EXPRESSIONS, STATEMENTS, float_dtype=float_dtype)
    builder = begin(tree, state, settings, _initialize_import)
    unused_settings(state)
    relations.finish(state)
    _functions(builder, state)
    return without_idle_copies(map_regions(_program(builder, state, tree), _without_idle_lambdas))


def top_frame() -> Frame:
    """That of the file itself."""
    return Frame("", None, Facts.empty, frozenset(), top=True)


def begin(tree: ast.Module, state: State, settings: dict[str, str], initialize: Initialize) -> Builder:
    """The declarations of a program and of what it imports, in a state that is new. `initialize` does what an import does at once."""
    path = tree.source.name if os.path.exists(tree.source.name) else os.path.join(os.getcwd(), "program.tl")
    state.folder = state.home = os.path.dirname(os.path.realpath(path))
    state.file, state.settings, state.written = tree.source.name, settings, written_paths(tree, settings)
    builder = Builder(new_imports(root_of(path), path), initialize)
    declare_file(builder, state, tree, "")
    return builder


def _functions(builder: Builder, state: State) -> None:
    for model in builder.models:
        builder.made.append(check_fields(state, model))
    for model in builder.models:
        builder.functions += check_methods(state, model)
    for function, struct in builder.pending:
        try:
            body = check_body(state, function, struct)
        except DimTooLarge as problem:
            state.error("TL0314", function.declaration.name_span, f"a size here is too large to reason about: {problem}")
            continue
        if body is not None:
            builder.functions.append(body)


def _initialize_import(builder: Builder, state: State, tree: ast.Module) -> None:
    """An import takes declarations only: of its statements just the initial values of its tensors run."""
    outer, state.ops = state.ops, builder.program
    for node in tree.statements:
        if isinstance(node, ast.TensorDecl):
            _initialize(state, node)
        elif isinstance(node, ast.RelationDecl):
            relations.define(state, node)
    state.ops = outer


def _initialize(state: State, node: ast.TensorDecl) -> None:
    found = state.scope.names.get(node.name)
    if not isinstance(found, GlobalName) or not isinstance(found.item.type, Tensor):
        return
    value = initial_value(state, node, found.item.type)
    if not is_unknown(value.type):
        fitted = coerce(state, value, found.item.type, f"`{node.name}`", of=node.type.span)
        state.add("set_global", (fitted.operand,), node.span, name=found.item.name, initial=True)


def _program(builder: Builder, state: State, tree: ast.Module) -> Module:
    """The statements of the file in order, then `main`; the tests see the same variables."""
    statements = [n for n in tree.statements if not isinstance(n, DECLARATIONS)]
    state.frame.mutated, state.frame.resized = mutated_names(statements), resized_names(statements)
    state.ops = builder.program
    for node in arranged(state, statements):
        if isinstance(node, ast.TensorDecl):
            _initialize(state, node)
        elif isinstance(node, ast.RelationDecl):
            relations.define(state, node)
        elif not isinstance(node, ast.Main | ast.Test):
            state.statement(node)
    main: Region | None = None
    tests: list[TestBlock] = []
    for node in statements:
        if isinstance(node, ast.Main):
            if main is not None:
                state.error("TL0203", node.span, "there are two `main` blocks")
            main = _block(state, node.body)
        elif isinstance(node, ast.Test):
            tests.append(TestBlock(node.name.value, _block(state, node.body), node.span))
    structs = tuple(s.item for s in state.structs.values() if isinstance(s, StructName))
    program = Region((), tuple(builder.program))
    return Module(
        tree.source,
        structs,
        tuple(builder.globals),
        tuple(builder.functions),
        program,
        main,
        tuple(tests),
        tuple(builder.python),
        tuple(builder.made),
        state.relations.knowledge(),
    )


def _block(state: State, block: ast.Block) -> Region:
    with state.block() as ops:
        for statement in arranged(state, block.statements):
            state.statement(statement)
    return Region((), tuple(ops))


def _without_idle_lambdas(region: Region) -> Region:
    """A lambda that nothing uses has no types, and is no operation."""
    return replace(region, ops=tuple(op for op in region.ops if op.code != "lambda" or op.regions))


def written_paths(tree: ast.Module, settings: dict[str, str]) -> frozenset[str]:
    """Literal and constant paths that the program writes to anywhere: their headers are not read."""
    constants = {
        n.name: settings.get(n.name, n.value.value)
        for n in tree.statements
        if isinstance(n, ast.Const) and isinstance(n.value, ast.StringLit)
    }
    found: set[str] = set()
    for node in ast.walk(*tree.statements):
        match node:
            case ast.Call(callee=ast.Name(name="save_model" | "save_adapter"), args=(_, ast.Arg(value=ast.StringLit(value=path)), *_)):
                found.add(path)
            case ast.Call(callee=ast.Name(name="save_model" | "save_adapter"), args=(_, ast.Arg(value=ast.Name(name=name)), *_)):
                found.add(constants.get(name, ""))
    return frozenset(found)
