"""What the operations of the IR cost that are no control flow."""

import operator
from collections.abc import Callable
from dataclasses import replace

from tensorlogic.cost.activation import Activation
from tensorlogic.cost.builtins import call_builtin
from tensorlogic.cost.called import charge
from tensorlogic.cost.formula import bytes_of
from tensorlogic.cost.functions import call_function, call_method, call_value
from tensorlogic.cost.models import parameters
from tensorlogic.cost.tally import Totals
from tensorlogic.cost.values import Array, Closure, Group, Host, Instance, Many, Thing, arrays
from tensorlogic.ir.ir import Const, EllipsisIndex, Omitted, Op, Region, SliceOf, Value
from tensorlogic.stdlib.costs import COPY, NEW, PART, PICK, VIEW, each, product
from tensorlogic.types.types import Bool, Int, ModelOf, Tensor

COMPARED: dict[str, Callable] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
MULTIPLIED = product("2 * result * last(a)")


def nothing(act: Activation, op: Op) -> None:
    """Host work: it gives a value of its type."""
    act.define(op, *(act.made(value.type, op.span) for value in op.results))


def binary(act: Activation, op: Op) -> None:
    left, right = (act.thing(arg) for arg in op.args)
    sign = str(op.attrs["op"])
    if not isinstance(left, Array) and not isinstance(right, Array):
        act.define(op, _host(act, op, sign, left, right))
        return
    cost = MULTIPLIED if sign == "@" else each(keeps=_kept(sign, left, right))
    charge(act, op, cost, {"a": left, "b": right})


def _host(act: Activation, op: Op, sign: str, left: Thing, right: Thing) -> Thing:
    if isinstance(left, Host) and isinstance(right, Host) and sign in COMPARED:
        first, second = left.known, right.known
        if type(first) is type(second) and isinstance(first, int | str | float):
            return Host(Bool(), COMPARED[sign](first, second))
    return act.made(op.results[0].type, op.span)


def _kept(sign: str, left: Thing, right: Thing) -> str:
    """What the gradient of an operator needs."""
    grads = [isinstance(side, Array) and side.grad for side in (left, right)]
    match sign:
        case "*":
            return " ".join(name for name, other in (("a", grads[1]), ("b", grads[0])) if other)
        case "/":
            return "a b" if grads[1] else "b"
        case "**":
            return "a b result" if isinstance(right, Array) else "a"
    return ""


def unary(act: Activation, op: Op) -> None:
    thing = act.thing(op.args[0])
    if isinstance(thing, Array):
        charge(act, op, each(keeps=""), {"a": thing})
        return
    known = thing.known if isinstance(thing, Host) else None
    act.define(op, Host(Bool(), not known) if isinstance(known, bool) else act.made(op.results[0].type, op.span))


def copied(act: Activation, op: Op) -> None:
    """The same value under another name, or with a type that was checked."""
    act.define(op, act.thing(op.args[0]))


def checked(act: Activation, op: Op) -> None:
    thing, type_ = act.thing(op.args[0]), act.type(op.results[0].type)
    act.define(op, replace(thing, type=type_) if isinstance(thing, Array) and isinstance(type_, Tensor) else act.made(type_, op.span))


def assign(act: Activation, op: Op) -> None:
    target = op.attrs["target"]
    assert isinstance(target, Value)
    act.memory.bind(target, act.thing(op.args[0]))


# --- parts of values -------------------------------------------------------------------------------------------------


def listed(act: Activation, op: Op) -> None:
    act.define(op, Group(act.type(op.results[0].type), tuple(act.thing(arg) for arg in op.args)))


def struct(act: Activation, op: Op) -> None:
    fields = next(s.fields for s in act.program.module.structs if s.name == op.attrs["name"])
    act.define(op, Group(act.type(op.results[0].type), tuple(map(act.thing, op.args)), tuple(name for name, _ in fields)))


def field(act: Activation, op: Op) -> None:
    owner, name = act.thing(op.args[0]), str(op.attrs["name"])
    match owner:
        case Instance(fields=fields) if name in fields:
            act.define(op, fields[name])
        case Group(items=items, names=names) if name in names:
            act.define(op, items[names.index(name)])
        case _:
            act.define(op, act.unseen(op.results[0].type))


def set_field(act: Activation, op: Op) -> None:
    owner, name, value = act.thing(op.args[0]), str(op.attrs["name"]), act.thing(op.args[1])
    if isinstance(owner, Group) and name in owner.names:
        items = tuple(value if n == name else item for n, item in zip(owner.names, owner.items, strict=True))
        act.define(op, replace(owner, items=items))
    else:
        act.define(op, owner)


def item(act: Activation, op: Op) -> None:
    owner, at = act.thing(op.args[0]), op.attrs["index"]
    if isinstance(owner, Group) and isinstance(at, int) and at < len(owner.items):
        act.define(op, owner.items[at])
    else:
        act.define(op, act.unseen(op.results[0].type))


def list_item(act: Activation, op: Op) -> None:
    owner, at = act.thing(op.args[0]), act.thing(op.args[1])
    number = at.known if isinstance(at, Host) else None
    match owner:
        case Many(item=one):
            act.define(op, one)
        case Group(items=items) if isinstance(number, int) and -len(items) <= number < len(items):
            act.define(op, items[number])
        case _:
            act.define(op, act.unseen(op.results[0].type))


def list_slice(act: Activation, op: Op) -> None:
    owner = act.thing(op.args[0])
    bounds = [None if isinstance(arg, Omitted) else getattr(act.thing(arg), "known", None) for arg in op.args[1:]]
    if isinstance(owner, Group) and all(isinstance(arg, Omitted) or isinstance(n, int) for arg, n in zip(op.args[1:], bounds, strict=True)):
        act.define(op, Group(act.type(op.results[0].type), owner.items[slice(*bounds)]))  # type: ignore[misc]
    else:
        act.define(op, act.unseen(op.results[0].type))


def set_list_item(act: Activation, op: Op) -> None:
    act.define(op, act.thing(op.args[0]))


# --- parts of tensors ------------------------------------------------------------------------------------------------


def index(act: Activation, op: Op) -> None:
    """A view, unless a tensor says which elements are taken."""
    base, items = act.thing(op.args[0]), [act.thing(arg) for arg in op.args[1:] if not isinstance(arg, SliceOf | EllipsisIndex)]
    picks = tuple(thing for thing in items if isinstance(thing, Array))
    if picks or any(isinstance(thing, Group) for thing in items):
        charge(act, op, PICK, {"x": base, "index": Group(base.type, picks)})
    else:
        whole = all(isinstance(arg, Const) and isinstance(arg.type, Int) for arg in op.args[1:])
        charge(act, op, VIEW if whole else PART, {"x": base})


def set_index(act: Activation, op: Op) -> None:
    """A copy with a part that is written anew: tensors are values."""
    charge(act, op, COPY, {"x": act.thing(op.args[0])})
    write(act, act.thing(op.args[-1]))


def write(act: Activation, thing: Thing) -> None:
    """A tensor copied over another one in place."""
    for array in arrays(thing):
        act.spend(Totals(moved=bytes_of(array.type) * 2))


def set_member(act: Activation, op: Op) -> None:
    owner, value = act.thing(op.args[0]), act.thing(op.args[1])
    write(act, value)
    if isinstance(owner, Instance) and not isinstance(value, Array):
        owner.fields[str(op.attrs["name"])] = value


def new_member(act: Activation, op: Op) -> None:
    """In the `init` of a model, whose fields these are."""
    owner = act.thing(op.args[0])
    assert isinstance(owner, Instance)
    owner.fields[str(op.attrs["name"])] = act.thing(op.args[1])


def set_global(act: Activation, op: Op) -> None:
    if not op.attrs.get("initial"):
        write(act, act.thing(op.args[0]))


# --- calls -----------------------------------------------------------------------------------------------------------


def model(act: Activation, op: Op) -> None:
    type_ = act.type(op.results[0].type)
    assert isinstance(type_, ModelOf)
    params = parameters(act.program, type_.name)
    given = {p.name: act.thing(arg) for p, arg in zip(params, op.args, strict=False) if not isinstance(arg, Omitted)}
    act.define(op, act.program.make(act.program, type_, given, op.span))


def lambda_(act: Activation, op: Op) -> None:
    """One that is never called has no region."""
    act.define(op, Closure(op.results[0].type, op.regions[0] if op.regions else Region(), act))


def literal(act: Activation, op: Op) -> None:
    charge(act, op, NEW, {})


def unknown(words: str) -> Callable[[Activation, Op], None]:
    """Work that nobody can tell before the program runs."""

    def told(act: Activation, op: Op) -> None:
        act.program.remark(words, op.span)
        nothing(act, op)

    return told


_RELATIONS = unknown("what relations cost is not known before there are facts: not counted")

OPERATIONS: dict[str, Callable[[Activation, Op], None]] = {
    "builtin": call_builtin, "call": call_function, "call_method": call_method, "call_value": call_value, "model": model,
    "binary": binary, "unary": unary, "cast": nothing, "range": nothing, "assert": nothing, "guard": nothing, "tensor": literal,
    "list": listed, "tuple": listed, "struct": struct, "field": field, "set_field": set_field, "item": item, "list_item": list_item,
    "list_slice": list_slice, "set_list_item": set_list_item, "index": index, "set_index": set_index, "copy": copied,
    "check_type": checked, "assign": assign, "set_global": set_global, "new_member": new_member, "set_member": set_member,
    "lambda": lambda_, "python_call": unknown("what Python does is not known: not counted"),
    "fact": _RELATIONS, "facts": _RELATIONS, "query": _RELATIONS, "as_tensor": _RELATIONS, "as_relation": _RELATIONS,
    "entity": nothing,
}  # fmt: skip
