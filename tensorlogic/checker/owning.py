"""Variables are values: what one takes from a tensor that is written in place, by learning or by hand, is a copy.

Written in place are the tensors of models, parameters of the file and `learnable` fields of structs; everything else is never changed,
so that variables can share it. Where a function gives what it was given, and whether anything changes while the variable is read, shows
when all is checked: see `copies`.
"""

from typing import TYPE_CHECKING

from tensorlogic.ir.ir import GlobalRef, Op, Operand, Value
from tensorlogic.types.types import AnyTensor, List, ModelOf, Struct, Tensor, Tuple, Type

if TYPE_CHECKING:
    from tensorlogic.checker.state import State

_VIEWS = """
    broadcast_to chunk contiguous cpu detach diagonal expand flatten float movedim narrow permute real reshape select split squeeze
    swapaxes to transpose unbind unflatten unfold unsqueeze view
"""
VIEWS = frozenset(_VIEWS.split())  # builtins whose result may be their argument, seen otherwise
LENDING = frozenset(("filter", "fixpoint", "map", "scan_last"))  # whose result may be what a function of the program gave
PASSING = frozenset(("copy", "item", "list_item", "list_slice", "list", "tuple", "set_field", "set_list_item", "check_type"))


def shares(state: "State", operand: Operand) -> bool:
    """Whether a value may have a tensor that is written in place while the frame still needs the value as it is."""
    if isinstance(operand, GlobalRef):
        return _changing(state) and state.globals[operand.name].learnable
    if not isinstance(operand, Value) or not holds_tensors(state, operand.type):
        return False
    op = None if operand.name else next((op for op in reversed(state.ops) if operand in op.results), None)
    variable = op is None or op.code in ("copy", "item", "list_item")  # which is a value already, or a part of one
    if variable and _changing(state) and _learns(state, operand.type):
        return True
    return op is not None and ((operand in state.lent and _changing(state)) or _made(state, op))


def _made(state: "State", op: Op) -> bool:
    match op.code:
        case "field":
            return _from_field(state, op)
        case "struct":  # its learnable fields become its own
            item = state.structs[str(op.attrs["name"])].item
            return any(shares(state, arg) for (name, _), arg in zip(item.fields, op.args, strict=True) if name not in item.learnable)
        case "index":
            whole = not any(isinstance(getattr(arg, "type", None), Tensor | List | AnyTensor) for arg in op.args[1:])
            return whole and shares(state, op.args[0])
        case "builtin":
            lent = op.attrs["name"] in LENDING and _changing(state)
            return lent or (op.attrs["name"] in VIEWS and any(shares(state, arg) for arg in op.args))
        case "call_value":
            return _changing(state)
        case "if":
            return any(_yields_place(state, region.ops, region.yields) for region in op.regions)
    return op.code in PASSING and any(shares(state, arg) for arg in op.args)


def _yields_place(state: "State", ops: tuple[Op, ...], yields: tuple[Operand, ...]) -> bool:
    outer, state.ops = state.ops, [*state.ops, *ops]
    try:
        return any(shares(state, operand) for operand in yields)
    finally:
        state.ops = outer


def _from_field(state: "State", op: Op) -> bool:
    owner, name = op.args[0], str(op.attrs["name"])
    if owner is state.frame.receiver and name in state.frame.written:
        return True
    type_ = getattr(owner, "type", None)
    if isinstance(type_, Struct) and name not in state.structs[type_.name].item.learnable:
        return shares(state, owner) or (_changing(state) and _learns(state, op.results[0].type))
    return _changing(state) and isinstance(type_, Struct | ModelOf)


def _changing(state: "State") -> bool:
    return state.frame.top or state.frame.changes


def holds_tensors(state: "State", type_: Type) -> bool:
    return any(isinstance(part, Tensor | AnyTensor) for part in _parts(state, type_))


def _learns(state: "State", type_: Type) -> bool:
    """Whether a value of this type has structs with learnable fields in it."""
    return any(isinstance(part, Struct) and state.structs[part.name].item.learnable for part in _parts(state, type_))


def _parts(state: "State", type_: Type) -> list[Type]:
    """A type, and the types of what is in it."""
    found: list[Type] = [type_]
    for part in found:
        match part:
            case Tuple(items):
                found += items
            case List(element):
                found.append(element)
            case Struct(name):
                found += [field for _, field in state.structs[name].item.fields if field not in found]
    return found
