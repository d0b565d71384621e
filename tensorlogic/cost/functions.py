"""Calls of functions, methods and lambdas of the program. What a call with the same sizes came to is not worked out again."""

from collections.abc import Iterable, Sequence

from tensorlogic.cost.activation import Activation
from tensorlogic.cost.layers import is_layer, layer_call
from tensorlogic.cost.program import Program
from tensorlogic.cost.tally import Summary, Totals
from tensorlogic.cost.values import Array, Closure, Group, Host, Instance, Many, Storage, Thing, arrays, fresh, moved
from tensorlogic.ir.ir import Function, Omitted, Op
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import Int, ModelOf, Type
from tensorlogic.types.unify import Bindings, Unifier, substitute


def call_function(act: Activation, op: Op) -> None:
    function = act.program.functions[str(op.attrs["name"])]
    called(act, op, function, [None if isinstance(arg, Omitted) else act.thing(arg) for arg in op.args], None)


def call_method(act: Activation, op: Op) -> None:
    owner = act.thing(op.args[0])
    given = [None if isinstance(arg, Omitted) else act.thing(arg) for arg in op.args[1:]]
    if isinstance(owner, Instance) and is_layer(act.program, owner.name):
        layer_call(act, op, owner, given)
        return
    function = act.program.functions.get(str(op.attrs["name"]))
    if function is None or not isinstance(owner, Instance):
        act.program.remark(f"what `{op.attrs['method']}` does is not known: not counted", op.span)
        act.define(op, *(act.made(value.type, op.span) for value in op.results))
    else:
        called(act, op, function, given, owner)


def called(act: Activation, op: Op, function: Function, given: Sequence[Thing | None], owner: Instance | None) -> None:
    things = [thing or _default(function, at) for at, thing in enumerate(given)]
    summary = summary_of(act.program, function, things, owner, act.recording)
    result = act.apply(summary, _storages(things), op.span)
    if owner is not None:
        act.tally.inside[owner] = act.tally.inside.get(owner, Totals()).plus(summary.tally.totals)
    act.define(op, *((result,) if op.results else ()))


def _default(function: Function, at: int) -> Thing:
    default = function.defaults[at]
    return Host(function.params[at].type, getattr(default, "value", None))


def call_value(act: Activation, op: Op) -> None:
    function, *given = map(act.thing, op.args)
    result = invoke(act, function, given, op.span)
    act.define(op, *((result,) if op.results else ()))


def invoke(act: Activation, function: Thing, given: Sequence[Thing], span: Span | None, times: Dim | None = None) -> Thing:
    """A call of a function value; of what nobody knows nothing is counted."""
    if isinstance(function, Closure) and function.name:
        summary = summary_of(act.program, act.program.functions[function.name], list(given), None, act.recording)
    elif isinstance(function, Closure) and isinstance(function.seen, Activation):
        summary = _of_lambda(act, function, given)
    else:
        act.program.remark("which function is called here is not known: not counted", span)
        return Host(getattr(function, "type", None))  # type: ignore[arg-type]
    return act.apply(summary, _storages(given), span, times)


# --- summaries -------------------------------------------------------------------------------------------------------


def summary_of(program: Program, function: Function, given: Sequence[Thing], owner: Instance | None, recording: bool) -> Summary:
    """What a call costs its caller."""
    key = (function.name, owner, recording, _key(given))
    known = program.known.get(key)
    if known is None:
        known = _followed(program, function, given, owner, recording)
        if not any(isinstance(thing, Closure) and thing.region is not None for thing in given):
            program.known[key] = known
    return known


def _followed(program: Program, function: Function, given: Sequence[Thing], owner: Instance | None, recording: bool) -> Summary:
    table = _lent(_storages(given))
    act = Activation(program, bindings(function, given, owner), recording=recording)
    if function in program.calling and not _decided(given):
        program.remark(f"`{function.title}` calls itself: what the calls inside cost is not counted", function.span)
        return act.summary(tuple(table.values()), act.made(function.result, function.span))
    program.calling.append(function)
    if owner is not None and function.receiver is not None:
        act.memory.bind(function.receiver, owner)
    for param, thing in zip(function.params, given, strict=True):
        act.memory.bind(param, moved(thing, table))
    for binding in function.dims:
        if binding.value not in act.memory.things:
            act.memory.bind(binding.value, Host(act.type(binding.value.type)))
    _follow(act, function)
    program.calling.pop()
    return act.summary(tuple(table.values()), act.result or Host(function.result))


def _lent(storages: Iterable[Storage]) -> dict[Storage, Storage]:
    """What stands for the memory of arguments in the function that is called: none of its own."""
    return {storage: Storage(storage.type, storage.span, True) for storage in storages}


def _decided(given: Iterable[Thing]) -> bool:
    """Whether the ints of a call are known: then a function that calls itself comes to an end, or nests too deep."""
    ints = [thing.known for thing in given if isinstance(thing, Host) and isinstance(thing.type, Int)]
    return bool(ints) and None not in ints


def _follow(act: Activation, function: Function) -> None:
    act.program.follow(act, function.body)
    if act.result is None and function.body.yields:
        act.result = act.thing(function.body.yields[0])


def _of_lambda(act: Activation, closure: Closure, given: Sequence[Thing]) -> Summary:
    """A lambda sees all that the activation has in which it was made."""
    assert isinstance(closure.seen, Activation) and closure.region is not None
    outer, region = closure.seen, closure.region
    table = _lent(_storages((*given, *outer.memory.things.values())))
    inner = Activation(act.program, outer.bound, recording=act.recording)
    for value, thing in (*outer.memory.things.items(), *zip(region.params, given, strict=False)):
        inner.memory.bind(value, moved(thing, table))
    way = act.program.follow(inner, region)
    if not way and region.yields:
        inner.result = inner.thing(region.yields[0])
    back = {copy: storage for storage, copy in table.items()}
    act.save(Array(storage.type, back[storage]) for storage in inner.saved & back.keys())
    return inner.summary(tuple(table[s] for s in _storages(given)), moved(inner.result or Host(closure.type), back))


def bindings(function: Function, given: Iterable[Thing], owner: Instance | None) -> Bindings:
    """What the sizes of a function are at a call. What the arguments leave open is an unknown."""
    bound = Bindings(dims=dict(owner.sizes) if owner is not None else {})
    unifier = Unifier(Obligations(Facts.empty), bound)
    for param, thing in zip(function.params, given, strict=True):
        bind_parameter(unifier, param.name, param.type, thing)
    unifier.settle()
    for name in function.signature.dims:
        bound.dims.setdefault(name, Dim.fresh(name))
    for name in function.signature.segments:
        bound.segments.setdefault(name, (Dim.fresh(name),))
    return bound


def bind_parameter(unifier: Unifier, name: str, type_: Type, thing: Thing) -> None:
    if isinstance(type_, Int):
        value = thing.type.value if isinstance(thing, Host) and isinstance(thing.type, Int) else None
        unifier.bound.dims.setdefault(name, value if value is not None else Dim.fresh(name))
    else:
        unifier.fit(type_, thing.type, name)


def _storages(given: Iterable[Thing]) -> tuple[Storage, ...]:
    return tuple(dict.fromkeys(array.storage for thing in given for array in arrays(thing)))


def _key(given: Iterable[Thing]) -> tuple:
    """Equal for arguments that cost the same."""
    numbers: dict[Storage, int] = {}
    return tuple(_part(thing, numbers) for thing in given)


def _part(thing: Thing, numbers: dict[Storage, int]) -> object:
    match thing:
        case Array(type_, storage, order, grad):
            return type_, numbers.setdefault(storage, len(numbers)), order, grad
        case Group(type_, items):
            return type_, tuple(_part(item, numbers) for item in items)
        case Many(type_, item, count):
            return type_, _part(item, numbers), count
        case Host(type_, value):
            return type_, type(value), str(value)
    return thing


def root_things(program: Program, function: Function, owner: Instance | None) -> list[Thing]:
    """The arguments of a function that is looked at on its own: what its parameters say."""
    bound = Bindings(dims={**program.sizes, **(owner.sizes if owner is not None else {})})
    bound.segments.update((name, (program.sizes[name],)) for name in function.signature.segments if name in program.sizes)
    types = (substitute(param.type, bound, keep_open=True) for param in function.params)
    return [program.instance_of(t) if isinstance(t, ModelOf) else fresh(t, function.span, fixed=True, grad=True) for t in types]
