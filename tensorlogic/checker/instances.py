"""Instances of models: what a model's own parameters are for one of them, and the standard layers."""

from dataclasses import replace
from functools import cache

from tensorlogic.checker.annotations import Annotations
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
from tensorlogic.types.types import Int, ModelOf


def instance_of(model: ModelName, values: dict[str, object]) -> ModelOf:
    return ModelOf(model.unique, tuple((p.name, values.get(p.name)) for p in model.signature.params if isinstance(p.type, Int)))


def instance_values(type_: ModelOf) -> dict[str, Dim]:
    """The sizes of an instance by the names of the model's parameters."""
    return {name: value for name, value in type_.args if isinstance(value, Dim)}


def model_of(state: State, type_: ModelOf) -> ModelName:
    return state.models.get(type_.name) or layer(type_.name)


@cache
def layer(name: str) -> ModelName:
    """A standard layer as a model, read from its declaration."""
    found = LAYERS[name]
    signature = _read(found.signature, {})
    sizes = signature.own_sizes
    fields = _read(f"fields({found.fields})", sizes)
    head = parse_signature(found.forward)
    forward = FunctionName(f"{name}_forward", replace(_read(found.forward, sizes), span=None), head, Scope(), "")
    node = ast.ModelDecl(head.span, name, head.name_span, (), (), (), None)
    return ModelName(
        name, replace(signature, span=None), node, Scope(), "", {p.name: _member(found, p) for p in fields.params}, {"forward": forward}
    )


def library_signatures(name: str) -> tuple[Signature, ...]:
    """The overloads of a builtin, or what makes a standard layer."""
    return builtin_signatures(name) or (layer(name).signature,)


def _member(layer: Layer, parameter: Parameter) -> Member:
    kind = "buffer" if parameter.name in layer.buffers else "param"
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
