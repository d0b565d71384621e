"""Layers that are written in the language: `tensorlogic/library/NAME.tl` is the model NAME.

A program that names one and declares nothing of that name gets it as a model of its own, checked with the program. What the checker
may say of a library file is our mistake, not the program's: it is no diagnostic.
"""

from dataclasses import replace

from tensorlogic.checker import models
from tensorlogic.checker.program import Builder
from tensorlogic.checker.scope import ModelName, Scope
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.stdlib.library import library_model, library_names
from tensorlogic.syntax import ast


def declare_library(builder: Builder, state: State, tree: ast.Module) -> None:
    """Declare the layers that a file names and neither declares nor imports, in the scope that is current."""
    mentioned = [name for name in library_names() if name in tree.source.text and name not in state.scope.names]
    if not mentioned:
        return
    own = {getattr(node, "name", None) for node in tree.statements}
    for name in sorted(used_names(tree.statements) & set(mentioned) - own):
        state.scope.names[name] = _declared(builder, state, name)


def used_names(nodes: tuple[ast.Node, ...]) -> set[str]:
    """The names that are called and the models that types name."""
    return {name for node in ast.walk(*nodes) if (name := _named(node))}


def _named(node: ast.Node) -> str | None:
    match node:
        case ast.Call(callee=ast.Name(name=name)) | ast.ModelTypeExpr(module=None, name=name):
            return name
    return None


def _declared(builder: Builder, state: State, name: str) -> ModelName:
    """The layer as a model of the program; once, however many files name it."""
    known = builder.library.get(name)
    if known is not None:
        return known
    node, outer = library_model(name, state.float_dtype), (state.problems, state.scope)
    state.problems, state.scope = Problems(), Scope(None, "file")
    try:
        for other in used_names((node,)) & set(library_names()):
            state.scope.names[other] = _declared(builder, state, other)
        model = builder.library[name] = models.read_model(state, node, builder.unique(name, "library"))
        state.models[model.unique] = model
        _check(builder, state, model)
        if state.problems.errors:
            raise ValueError(f"library/{name}.tl: {state.problems.errors[0].message}")
    finally:
        state.problems, state.scope = outer
    return model


def _check(builder: Builder, state: State, model: ModelName) -> None:
    """Its fields and methods. What its signatures want is shown as text: their places are in a file that nobody reads."""
    builder.made.append(models.check_fields(state, model))
    builder.functions += models.check_methods(state, model)
    model.signature = replace(model.signature, span=None)
    for method in model.methods.values():
        method.signature = replace(method.signature, span=None)
