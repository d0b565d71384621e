"""One call with a declared cost: its sizes by name, what it spends, what it keeps for the gradient, and the memory of its results."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from tensorlogic.cost.activation import Activation
from tensorlogic.cost.formula import bytes_of, elements, size_of, total, worked_out
from tensorlogic.cost.tally import Totals
from tensorlogic.cost.values import Array, Group, Host, Many, Storage, Thing, arrays, fresh
from tensorlogic.ir.ir import Op
from tensorlogic.stdlib.costs import Cost, Formula
from tensorlogic.types.dims import ZERO, Dim
from tensorlogic.types.types import Int, Tensor
from tensorlogic.types.unify import Bindings


@dataclass
class Called:
    """What the rule of a cost may ask (`tensorlogic.stdlib.costs.Call`). `defaults` are the values of what was left out."""

    things: Mapping[str, Thing]
    result: Tensor | None = None
    bound: Bindings = field(default_factory=Bindings)
    defaults: Mapping[str, object] = field(default_factory=dict)
    method: str = ""

    def size(self, name: str) -> Dim:
        """A size of the signature, the product of a run, the elements of a tensor, an int parameter."""
        if name in ("result", "item"):
            return self._of_result(name)
        if name in self.bound.dims:
            return self.bound.dims[name]
        if name in self.bound.segments:
            return elements(self.bound.segments[name])
        thing = self.things.get(name)
        if isinstance(thing, Host) and isinstance(thing.type, Int):
            return thing.type.value if thing.type.value is not None else Dim.fresh(name)
        if thing is None and type(self.defaults.get(name)) is int:
            return Dim.const(self.defaults[name])  # type: ignore[arg-type]
        return total(elements(tensor.shape) for tensor in self.tensors(name))

    def _of_result(self, name: str) -> Dim:
        if self.result is None:
            return ZERO
        return elements(self.result.shape) if name == "result" else Dim.const(size_of(self.result.dtype))

    def last(self, name: str) -> Dim:
        """The last size of a tensor."""
        shape = next((tensor.shape for tensor in self.tensors(name)), ())
        return elements(shape[-1:])

    def tensors(self, name: str) -> tuple[Tensor, ...]:
        thing = self.things.get(name)
        return () if thing is None else tuple(array.type for array in arrays(thing))

    def value(self, name: str) -> object:
        """What is known of a host argument: a tuple of an argument that is a list."""
        thing = self.things.get(name)
        match thing:
            case None:
                return self.defaults.get(name)
            case Host(value=value) if value is not None:
                return value
            case Host(type=Int(value)):
                return value if value is None or value.value is None else value.value
            case Group(items=items):
                return tuple(_plain(item) for item in items)
        return None

    def worth(self, formula: Formula) -> Dim:
        return worked_out(formula, self.size, self.last) if isinstance(formula, str) else formula(self)


@cache
def defaults_of(body: Callable) -> Mapping[str, object]:
    """The values of what is left out in a call of a builtin, or where a layer is made, by the Python of its declaration."""
    return {name: p.default for name, p in inspect.signature(body).parameters.items() if p.default is not p.empty}


def _plain(thing: Thing) -> object:
    if isinstance(thing, Host) and isinstance(thing.type, Int) and thing.type.value is not None:
        return thing.type.value
    return thing.value if isinstance(thing, Host) else None


def charge(act: Activation, op: Op, cost: Cost, things: Mapping[str, Thing], call: Called | None = None) -> None:
    """An operation with these operands happens: it is paid for, and its results are defined."""
    act.define(op, *(charge_result(act, op, value.type, cost, things, call) for value in op.results))
    if not op.results:
        spend(act, cost, call or Called(things), ())


def charge_result(act: Activation, op: Op, type_, cost: Cost, things: Mapping[str, Thing], call: Called | None = None) -> Thing:
    operands = tuple(array for thing in things.values() for array in arrays(thing))
    grad = any(array.grad for array in operands)
    result = _placed(act, op, cost, things, fresh(act.type(type_), op.span, grad=grad and act.recording))
    outputs = tuple(arrays(result))
    call = call or Called(things)
    call.result = outputs[0].type if outputs else None
    if outputs and outputs[0].storage in {array.storage for array in operands}:
        return result  # no work: the same elements
    for array in outputs:
        act.consider(array.storage)
    inside = spend(act, cost, call, outputs)
    act.see(act.memory.live + inside + total(bytes_of(array.type) for array in outputs))
    if any(array.grad for array in outputs):
        keep(act, cost, things, outputs)
        act.tally.kept = act.tally.kept + inside
    return result


def spend(act: Activation, cost: Cost, call: Called, outputs: tuple[Array, ...]) -> Dim:
    """Pays. Gives the bytes that are made inside."""
    operands = [array for thing in call.things.values() for array in arrays(thing)]
    work, written = call.worth(cost.operations), total(bytes_of(array.type) for array in outputs)
    read = total(bytes_of(array.type) for array in operands)
    moved = {"all": read + written, "copy": written * 2, "new": written, "none": ZERO}[cost.memory]
    contracted = cost.product and bool(work.terms)
    others = work if not cost.product else ZERO if contracted else call.size("result")
    act.spend(Totals(work if contracted else ZERO, others, moved))
    return call.worth(cost.extra)


def keep(act: Activation, cost: Cost, things: Mapping[str, Thing], outputs: tuple[Array, ...]) -> None:
    if cost.keeps is None:
        operands = [array for thing in things.values() for array in arrays(thing)]
        act.save(a for a in operands if not cost.product or any(b.grad for b in operands if b is not a))
        return
    made = {"result": outputs[:1], "places": outputs[-1:], "results": outputs}
    for name in cost.keeps.split():
        act.save(made[name] if name in made else arrays(things[name]) if name in things else ())


# --- where results lie -----------------------------------------------------------------------------------------------


def _placed(act: Activation, op: Op, cost: Cost, things: Mapping[str, Thing], made: Thing) -> Thing:
    base = next((array for thing in things.values() for array in arrays(thing)), None)
    if base is None:
        return made
    shared = _order(cost.shape, base, things, made)
    if shared is not None:
        return _within(made, base.storage, None if shared == (-1,) else shared)
    if cost.shape == "heads" and isinstance(made, Array):
        return replace(made, order=(len(made.type.shape) - 3, len(made.type.shape) - 2))
    dense = base.order if base.order and not cost.product and cost.shape == "" and cost.memory == "all" else None
    return replace(made, order=dense) if isinstance(made, Array) and made.type.shape == base.type.shape else made


IN_ORDER = (-1,)


def _order(shape: str, base: Array, things: Mapping[str, Thing], made: Thing) -> tuple[int, ...] | None:
    """The order of a result in the memory of its operand; IN_ORDER where its elements follow each other, None for memory of its own."""
    before = IN_ORDER if base.order is None else base.order
    match shape:
        case "view":
            return before if before == IN_ORDER else ()
        case "part":
            return before if before == IN_ORDER and _first_axis(things) else ()
        case "swap":
            return _swapped(before, base, things)
        case "flat" if before == IN_ORDER:
            return IN_ORDER
        case "cast" if isinstance(made, Array) and made.type.dtype == base.type.dtype:
            return before
    return None


def _first_axis(things: Mapping[str, Thing]) -> bool:
    axis = things.get("dim")
    return axis is None and "dims" not in things or isinstance(axis, Host) and axis.known == 0


def _swapped(before: tuple[int, ...], base: Array, things: Mapping[str, Thing]) -> tuple[int, ...]:
    rank = len(base.type.shape)
    axes = [thing.known for name in ("dim0", "dim1") if isinstance(thing := things.get(name), Host)]
    pair = tuple(sorted(axis % rank for axis in axes if isinstance(axis, int) and rank))
    if len(pair) != 2:
        return ()
    return pair if before == IN_ORDER else IN_ORDER if before == pair else ()


def _within(made: Thing, storage: Storage, order: tuple[int, ...] | None) -> Thing:
    match made:
        case Array():
            return replace(made, storage=storage, order=order)
        case Group(items=items):
            return replace(made, items=tuple(_within(item, storage, order) for item in items))
        case Many(item=item):
            return replace(made, item=_within(item, storage, order))
    return made
