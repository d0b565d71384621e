"""Instances of models: what a model's own parameters are for one of them, and the standard layers."""

from dataclasses import replace
from functools import cache

from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.matching import Attempt
from tensorlogic.checker.scope import FunctionName, ModelName, Scope
from tensorlogic.checker.signatures import builtin_signatures, signature_of
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Member
from tensorlogic.source import Source, Span
from tensorlogic.stdlib.layers import LAYERS, Layer
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse_signature
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import ModelOf


def instance_of(model: ModelName, attempt: Attempt) -> ModelOf:
    """What the arguments make; what they cannot make of a standard layer is a mistake of the attempt."""
    found: dict[str, object] = dict(attempt.bound.values)
    sizes = LAYERS[model.unique].sizes if model.unique in LAYERS else None
    if sizes is not None:
        found |= sizes.of(attempt.types, attempt.need)
        attempt.at += [(mistake, None) for mistake in attempt.need.mistakes]
        attempt.need.mistakes.clear()
    return ModelOf(model.unique, tuple((name, found.get(name)) for name in model.signature.own_sizes))


def instance_values(type_: ModelOf) -> dict[str, Dim]:
    """The sizes of an instance by the names of the model's parameters."""
    return {name: value for name, value in type_.args if isinstance(value, Dim)}


def model_of(state: State, type_: ModelOf) -> ModelName:
    return state.models.get(type_.name) or layer(type_.name, state.float_dtype)


@cache
def layer(name: str, dtype: str = "float32") -> ModelName:
    """A standard layer as a model, read from its declaration, with floats of this dtype."""
    found = LAYERS[name]
    if dtype != "float32":
        methods = tuple(method.replace("f32", dtype) for method in found.methods)
        found = replace(found, fields=found.fields.replace("f32", dtype), methods=methods)
    signature = _read(found.signature, {})
    signature = replace(signature, span=None, derived=found.sizes.names if found.sizes else ())
    sizes = signature.own_sizes
    fields = _read(f"fields({found.fields})", sizes)
    methods = [_method(name, text, sizes) for text in found.methods]
    head = methods[0].declaration
    node = ast.ModelDecl(head.span, name, head.name_span, (), (), (), None)
    members = {p.name: _member(found, p) for p in fields.params}
    return ModelName(name, signature, node, Scope(), "", members, {m.declaration.name: m for m in methods})


def _method(layer: str, text: str, sizes: dict[str, Dim]) -> FunctionName:
    head = parse_signature(text)
    return FunctionName(f"{layer}_{head.name}", replace(_read(text, sizes), span=None), head, Scope(), "")


def library_signatures(name: str) -> tuple[Signature, ...]:
    """The overloads of a builtin, or what makes a standard layer."""
    return builtin_signatures(name) or (layer(name).signature,)


def _member(layer: Layer, parameter: Parameter) -> Member:
    kind = "submodel" if isinstance(parameter.type, ModelOf) else "buffer" if parameter.name in layer.buffers else "param"
    return Member(parameter.name, kind, parameter.type, kind == "param", Span(Source("<layers>", ""), 0, 0))


def _read(text: str, sizes: dict[str, Dim]) -> Signature:
    problems = Problems()
    if "->" not in text:
        head, where, conditions = text.partition(" where ")
        text = f"{head} -> void{where}{conditions}"
    signature = signature_of(parse_signature(text), Annotations(problems, Scope(), known=sizes.get, builtin=True))
    if problems.found:
        raise ValueError(f"layer {text!r}: {problems.found[0].message}")
    return replace(signature, text=text)
