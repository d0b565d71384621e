"""The standard layers as models: what they hold, and what their methods cost, by their declarations."""

from collections.abc import Mapping, Sequence

from tensorlogic.checker.instances import layer
from tensorlogic.cost.activation import Activation
from tensorlogic.cost.called import Called, charge, defaults_of
from tensorlogic.cost.program import Program
from tensorlogic.cost.tally import Totals
from tensorlogic.cost.values import Array, Instance, Storage, Thing
from tensorlogic.ir.ir import Op
from tensorlogic.source import Span
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import Int, ModelOf, Tensor
from tensorlogic.types.unify import Bindings, Unifier, substitute


def is_layer(program: Program, name: str) -> bool:
    return name in LAYERS and name not in program.models


def layer_instance(program: Program, type_: ModelOf, given: Mapping[str, Thing], span: Span | None) -> Instance:
    """A layer with its parameters and buffers as fields."""
    sizes = {name: value if isinstance(value, Dim) else Dim.fresh(name) for name, value in type_.args}
    made = Instance(type_.name, sizes, given, span, type_)
    program.made.append(made)
    declared = LAYERS[type_.name]
    call = asked(made)
    bound = Bindings(dims=dict(sizes))
    for member in layer(type_.name).fields.values():
        type_of = substitute(member.type, bound, keep_open=True)
        if isinstance(type_of, ModelOf):
            bias = {"bias": given["bias"]} if "bias" in given else {}
            made.fields[member.name] = layer_instance(program, type_of, bias, span)
        elif isinstance(type_of, Tensor) and not (declared.parameters and declared.replaces) and _is_there(member.name, call):
            made.fields[member.name] = _parameter(type_of, span, member.kind == "param")
    for name, shape in declared.parameters(call) if declared.parameters else ():
        made.fields[name] = _parameter(Tensor("float32", shape), span, True)
    return made


def _is_there(name: str, call: Called) -> bool:
    return not ("bias" in name and call.value("bias") is False)


def _parameter(type_: Tensor, span: Span | None, learnable: bool) -> Array:
    return Array(type_, Storage(type_, span, True), None, learnable)


def asked(instance: Instance) -> Called:
    """The sizes and arguments of a layer, for the rules of its declaration."""
    return Called(instance.arguments, None, Bindings(dims=dict(instance.sizes)), defaults_of(LAYERS[instance.name].body))


def layer_call(act: Activation, op: Op, owner: Instance, given: Sequence[Thing | None]) -> None:
    """A method of a standard layer: one operation with the parameters of the layer among its operands."""
    declared, method = LAYERS[owner.name], str(op.attrs["method"])
    signature = layer(owner.name).methods[method].signature
    bound = Bindings(dims=dict(owner.sizes))
    unifier = Unifier(Obligations(Facts.empty), bound)
    things = {p.name: thing for p, thing in zip(signature.params, given, strict=True) if thing is not None}
    for parameter in signature.params:
        if parameter.name in things and not isinstance(parameter.type, Int):
            unifier.fit(parameter.type, things[parameter.name].type, parameter.name)
    unifier.settle()
    parameters = {f"self.{at}": array for at, array in enumerate(parameter_arrays(owner))}
    call = Called({**owner.arguments, **things, **parameters}, None, bound, defaults_of(declared.body), method)
    before = act.tally.totals
    charge(act, op, declared.cost, {**things, **parameters}, call)
    after = act.tally.totals
    spent = Totals(after.products - before.products, after.others - before.others, after.moved - before.moved)
    act.tally.inside[owner] = act.tally.inside.get(owner, Totals()).plus(spent)


def parameter_arrays(instance: Instance) -> list[Array]:
    """All tensors that a layer holds."""
    found: list[Array] = []
    for thing in instance.fields.values():
        match thing:
            case Array():
                found.append(thing)
            case Instance():
                found += parameter_arrays(thing)
    return found
