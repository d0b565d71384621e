"""Calls of builtins, by the costs of their declarations."""

from collections.abc import Mapping

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.cost.activation import Activation
from tensorlogic.cost.called import Called, charge, defaults_of
from tensorlogic.cost.formula import bytes_of, total
from tensorlogic.cost.functions import bind_parameter, invoke
from tensorlogic.cost.values import Array, Group, Host, Instance, Many, Thing, arrays
from tensorlogic.ir.ir import INITIALIZER, Omitted, Op
from tensorlogic.stdlib.costs import NEW, Cost
from tensorlogic.stdlib.registry import lookup
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Fn, Int, ModelOf, Tensor, Tuple, Type
from tensorlogic.types.unify import Bindings, Unifier


def call_builtin(act: Activation, op: Op) -> None:
    name, index = str(op.attrs["name"]), op.attrs["index"]
    if index == INITIALIZER:
        charge(act, op, NEW, {})
        return
    found = lookup(name)
    assert found is not None and isinstance(index, int)
    signature, cost = builtin_signatures(name)[index], found.costs[index]
    things = arguments(signature, [None if isinstance(arg, Omitted) else act.thing(arg) for arg in op.args])
    if cost.calls:
        _call_again(act, op, cost, things)
        return
    if cost.untold:
        act.program.remark(cost.untold, op.span)
    charge(act, op, cost, things, Called(things, None, sizes(signature, things), defaults_of(found.bodies[index])))


def arguments(signature: Signature, given: list[Thing | None]) -> dict[str, Thing]:
    """By the names of the parameters; a variadic one takes what is left."""
    found: dict[str, Thing] = {}
    for at, parameter in enumerate(signature.params):
        if parameter.variadic:
            rest = tuple(thing for thing in given[at:] if thing is not None)
            found[parameter.name] = Group(Tuple(tuple(thing.type for thing in rest)), rest)
        elif at < len(given) and (thing := given[at]) is not None:
            found[parameter.name] = thing
    return found


def sizes(signature: Signature, things: Mapping[str, Thing]) -> Bindings:
    """What the sizes of a signature are at a call."""
    unifier = Unifier(Obligations(Facts.empty), Bindings())
    for parameter in signature.params:
        if parameter.name in things and not parameter.variadic:
            bind_parameter(unifier, parameter.name, parameter.type, things[parameter.name])
    unifier.settle()
    return unifier.bound


# --- functions that are called by builtins ---------------------------------------------------------------------------


def _call_again(act: Activation, op: Op, cost: Cost, things: Mapping[str, Thing]) -> None:
    """`scan`, `map`, ...: the function many times, then the result."""
    function = things[cost.calls]
    recording, act.recording = act.recording, act.recording and cost.keeps is None
    items = things.get(cost.times)
    if isinstance(items, Group) and cost.memory == "items":
        results = tuple(invoke(act, function, (item,), op.span) for item in items.items)
        act.define(op, Group(act.type(op.results[0].type), results))
    else:
        given = _given(act, function, cost, things)
        act.program.repeat(act, _times(act, op, cost, things), lambda: _once(act, op, function, given))
        memory = "none" if cost.memory == "items" else cost.memory
        others = {name: thing for name, thing in things.items() if name != cost.calls}
        charge(act, op, Cost("0", memory=memory, keeps=cost.keeps or ""), others)
        if memory == "copy":  # all steps are there while they are put together
            act.see(act.memory.live + total(bytes_of(array.type) for value in op.results for array in arrays(act.thing(value))))
    act.recording = recording


def _once(act: Activation, op: Op, function: Thing, given: list[Thing]) -> str:
    """One call; what it gives is what the next one takes."""
    result = invoke(act, function, given, op.span)
    for at, thing in enumerate(given):
        if isinstance(thing, Array | Group) and type(thing) is type(result) and thing.type == result.type:
            given[at] = result
    return ""


def _times(act: Activation, op: Op, cost: Cost, things: Mapping[str, Thing]) -> Dim:
    if cost.times == "1":
        return ONE
    match things.get(cost.times):
        case Host(type=Int(value)) if value is not None:
            return value
        case Group(items=items):
            return Dim.const(len(items))
        case Many(count=count):
            return count
    line = op.span.line if op.span else "?"
    return act.program.factor(str(op.attrs["name"]), op.span, f"how many steps `{op.attrs['name']}` of line {line} takes")


def _given(act: Activation, function: Thing, cost: Cost, things: Mapping[str, Thing]) -> list[Thing]:
    """Arguments of the types that the function takes: what the builtin was given, or an item of it, where that fits."""
    wanted = function.type.params if isinstance(function.type, Fn) else ()
    offered = [thing for name, thing in things.items() if name != cost.calls]
    offered += [item for thing in offered if (item := _item(thing)) is not None]
    return [next((thing for thing in offered if _fits(want, thing)), None) or act.unseen(want) for want in wanted]


def _item(thing: Thing) -> Thing | None:
    match thing:
        case Group(items=(first, *_)):
            return first
        case Many(item=item):
            return item
    return None


def _fits(want: Type, thing: Thing) -> bool:
    if isinstance(want, Tensor):
        return isinstance(thing, Array) and len(thing.type.shape) == len(want.shape)
    if isinstance(want, Tuple):
        return isinstance(thing, Group) and len(thing.items) == len(want.items)
    return isinstance(want, ModelOf) and isinstance(thing, Instance)
