"""The cost of single operations as formulas, for printed IR: what products and recurrences take."""

from collections.abc import Callable

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.cost.builtins import arguments, sizes
from tensorlogic.cost.called import Called, defaults_of
from tensorlogic.cost.formula import readable
from tensorlogic.cost.operations import MULTIPLIED
from tensorlogic.cost.values import Array, Group, Host, Storage, Thing, fresh
from tensorlogic.ir.ir import Const, Module, Omitted, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import operations, operations_in
from tensorlogic.stdlib.costs import Cost
from tensorlogic.stdlib.registry import lookup
from tensorlogic.types.dims import ZERO, Dim, DimTooLarge
from tensorlogic.types.types import Int, Tensor


def remarks(module: Module) -> Callable[[Op], str]:
    """What to write beside an operation: `2 * K * N flop`, or nothing."""
    lambdas = {op.results[0]: op.regions[0] for op in operations(module) if op.code == "lambda" and op.regions}

    def told(op: Op) -> str:
        try:
            work = products(op, lambdas)
        except DimTooLarge:
            return ""
        return f"{readable(work)} flop" if work.terms and not work.has_unknown else ""

    return told


def products(op: Op, lambdas: dict[Value, Region]) -> Dim:
    """The operations of a contraction, a convolution, an attention; of a recurrence those of all its steps, where they are known."""
    if op.code == "binary" and op.attrs["op"] == "@":
        left, right = map(_thing, op.args)
        return _worth(MULTIPLIED, Called({"a": left, "b": right}), op)
    found = lookup(str(op.attrs["name"])) if op.code == "builtin" else None
    index = op.attrs.get("index")
    if found is None or not isinstance(index, int) or index < 0:
        return ZERO
    cost, signature = found.costs[index], builtin_signatures(found.name)[index]
    if not cost.product and not cost.calls:
        return ZERO
    things = arguments(signature, [None if isinstance(arg, Omitted) else _thing(arg) for arg in op.args])
    if cost.calls:
        called = op.args[[parameter.name for parameter in signature.params].index(cost.calls)]
        return _steps(things.get(cost.times)) * _inside(lambdas.get(called), lambdas) if isinstance(called, Value) else ZERO
    return _worth(cost, Called(things, None, sizes(signature, things), defaults_of(found.bodies[index])), op)


def _worth(cost: Cost, call: Called, op: Op) -> Dim:
    call.result = next((value.type for value in op.results if isinstance(value.type, Tensor)), None)
    return call.worth(cost.operations)


def _inside(region: Region | None, lambdas: dict[Value, Region]) -> Dim:
    """What the operations of a step take together; a lambda in it belongs to the operation that calls it."""
    found = operations_in((region,)) if region is not None else ()
    return sum((products(op, lambdas) for op in found if op.code in ("binary", "builtin")), start=ZERO)


def _steps(thing: Thing | None) -> Dim:
    return thing.type.value if isinstance(thing, Host) and isinstance(thing.type, Int) and thing.type.value is not None else ZERO


def _thing(operand: Operand) -> Thing:
    match operand:
        case Const(value, type_):
            return Host(type_, value)
        case Value(type=Tensor() as type_):
            return Array(type_, Storage(type_))
    type_ = getattr(operand, "type", None)
    return fresh(type_, None) if type_ is not None else Group(Int(), ())
