"""Models while costs are worked out: made as the program makes them, with their parameters and submodels as fields."""

from collections.abc import Iterator, Mapping

from tensorlogic.checker.instances import layer
from tensorlogic.cost.activation import Activation
from tensorlogic.cost.layers import is_layer, layer_instance
from tensorlogic.cost.program import Program
from tensorlogic.cost.values import Array, Closure, Group, Host, Instance, Many, Storage, Thing
from tensorlogic.ir.ir import Model
from tensorlogic.ir.text_values import constant
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Int, ModelOf, NoneType, Tensor, Type
from tensorlogic.types.unify import Bindings


def parameters(program: Program, name: str) -> tuple[Parameter, ...]:
    """What a model is made with."""
    return (program.models[name] if name in program.models else layer(name)).signature.params


def written(program: Program, instance: Instance) -> str:
    """`Conv2d(3, 64, 7, stride: 2)`: with its sizes, and what else it was given."""
    shown: list[str] = []
    for parameter in parameters(program, instance.name):
        name, given = parameter.name, instance.arguments.get(parameter.name)
        if given is None and (parameter.has_default or name not in instance.sizes):
            continue
        text = _text(program, given) if given is not None else str(instance.sizes[name])
        shown.append(f"{name}: {text}" if parameter.has_default else text)
    return f"{instance.name}({', '.join(shown)})"


def _text(program: Program, thing: Thing) -> str:
    """A value as a program writes it; `?` where it is not known."""
    match thing:
        case Instance():
            return written(program, thing)
        case Group(items=items):
            return f"[{', '.join(_text(program, item) for item in items)}]"
        case Host(type=Int(Dim() as size)) if size.value is None:
            return str(size)
        case Host(known=known, type=type_) if known is not None or isinstance(type_, NoneType):
            return constant(known, type_)
        case Closure(name=name) if name:
            return name
    return "?"


def make(program: Program, type_: ModelOf, given: Mapping[str, Thing], span: Span | None) -> Instance:
    """A new model of a type, with these arguments by name. What is left out is its default."""
    if is_layer(program, type_.name):
        return layer_instance(program, type_, given, span)
    model = program.models[type_.name]
    sizes = {name: value if isinstance(value, Dim) else Dim.fresh(name) for name, value in type_.args}
    instance = Instance(type_.name, sizes, given, span, type_)
    act = Activation(program, Bindings(dims=dict(sizes)))
    act.memory.bind(model.receiver, instance)
    for param, default in zip(model.params, model.defaults, strict=True):
        thing = given.get(param.name) or _default(act, param.type, sizes.get(param.name), getattr(default, "value", None))
        act.memory.bind(param, thing)
    program.follow(act, model.init)
    return _settled(model, instance)


def _default(act: Activation, type_: Type, size: Dim | None, value: object) -> Thing:
    """What a parameter is that nothing was given for: a size by its name, a model of its type."""
    if isinstance(type_, ModelOf):
        return act.unseen(type_)
    return Host(Int(size)) if size is not None else Host(type_, value)


def _settled(model: Model, instance: Instance) -> Instance:
    """Its tensors belong to it, whatever made them; parameters learn."""
    for member in model.members:
        thing = instance.fields.get(member.name)
        if isinstance(thing, Array):
            storage = Storage(thing.type, member.span, True)
            instance.fields[member.name] = Array(thing.type, storage, None, member.kind == "param")
    return instance


@record
class Part:
    """A field of a model that is a model, `count` times."""

    name: str
    instance: Instance
    count: Dim = ONE


def parts(instance: Instance) -> Iterator[Part]:
    for name, thing in instance.fields.items():
        match thing:
            case Instance():
                yield Part(name, thing)
            case Many(item=Instance() as item, count=count):
                yield Part(name, item, count)
            case Group(items=items):
                yield from (Part(f"{name}.{at}", item) for at, item in enumerate(items) if isinstance(item, Instance))


def own_tensors(instance: Instance) -> Iterator[tuple[Tensor, bool]]:
    """The parameters and buffers that are its own, and whether they are parameters."""
    yield from ((thing.type, thing.grad) for thing in instance.fields.values() if isinstance(thing, Array))
