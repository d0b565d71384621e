"""Struct literals."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.members import named_struct
from tensorlogic.checker.messages import describe
from tensorlogic.checker.scope import StructName
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Operand
from tensorlogic.syntax import ast
from tensorlogic.types.types import Any, List, Struct, Tuple, Type, TypeVar, Unknown, is_unknown, widen
from tensorlogic.types.unify import Bindings, Unifier, substitute


def check_struct(state: State, node: ast.StructLit, expected: Type | None) -> Typed:
    found = named_struct(state, node.struct)
    if found is None:
        for init in node.fields:
            state.expr(init.value)
        return state.unknown(node.span)
    given = _given(state, node, found)
    bound = Bindings()
    if isinstance(expected, Struct) and expected.name == found.item.name:
        bound.types.update(zip(found.item.type_vars, expected.args, strict=True))
    operands = [_field(state, node, found, name, type_, given, bound) for name, type_ in found.item.fields]
    if any(o is None for o in operands):
        return state.unknown(node.span)
    args = tuple(bound.types.get(v, Unknown()) for v in found.item.type_vars)
    ready: tuple[Operand, ...] = tuple(o for o in operands if o is not None)
    return state.emit("struct", ready, Struct(found.item.name, args), node.span, name=found.item.name)


def _given(state: State, node: ast.StructLit, found: StructName) -> dict[str, ast.FieldInit]:
    """The fields by name; unknown and repeated ones are reported."""
    names, given = [name for name, _ in found.item.fields], {}
    for init in node.fields:
        if init.name not in names:
            near = did_you_mean(init.name, names)
            help = f"did you mean `{near}`?" if near else f"its fields are {', '.join(names)}"
            state.error("TL0202", init.span, f"`{found.item.name}` has no field `{init.name}`", help=help)
        elif init.name in given:
            state.error("TL0203", init.span, f"`{init.name}` is given twice")
        else:
            given[init.name] = init
    return given


def _field(
    state: State, node: ast.StructLit, found: StructName, name: str, type_: Type, given: dict[str, ast.FieldInit], bound: Bindings
) -> Operand | None:
    init = given.get(name)
    if init is None:
        state.error("TL0307", node.span, f"the field `{name}` of `{found.item.name}` is missing", f"`{name}: {type_}` is not given")
        return None
    wanted = substitute(type_, bound, keep_open=True)
    value = state.expr(init.value, wanted)
    if is_unknown(value.type):
        return None
    need = state.need()
    Unifier(need, bound).fit(_only_variables(type_), widen(value.type), f"`{name}`")
    if need.mistakes:
        state.report(describe(need.mistakes[0], value.span))
        return None
    return coerce(state, value, substitute(type_, bound, keep_open=True), f"`{name}`").operand


def _only_variables(type_: Type) -> Type:
    """What binds type parameters; the rest is compared when the value is fitted."""
    return type_ if isinstance(type_, TypeVar | List | Tuple | Struct) else Any()
