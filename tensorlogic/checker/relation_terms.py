"""The terms of rules: what a name or a literal stands for, and whether it fits its column."""

from tensorlogic.checker.literals import check_float, check_int
from tensorlogic.checker.relation_data import EntityName, RelationName
from tensorlogic.checker.scope import GlobalName
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import Const
from tensorlogic.ir.relations import Known
from tensorlogic.source import Span
from tensorlogic.syntax import ast

KINDS = {int: "int", float: "float", str: "string"}


def constant_of(state: State, node: ast.Node) -> Known | None:
    """The constant that a term is: a literal, a known entity, or a `const`; None for a variable or an expression."""
    match node:
        case ast.IntLit():
            return _number(check_int(state, node, None))
        case ast.FloatLit():
            return _number(check_float(state, node, None))
        case ast.StringLit(value=value):
            return Known(value)
        case ast.Unary(op="-", operand=ast.IntLit() | ast.FloatLit() as operand):
            inner = constant_of(state, operand)
            return Known(-inner.value) if inner is not None and not isinstance(inner.value, str) else None
        case ast.Name(name=name) if name in state.relations.members:
            return Known(name)
        case ast.Name(name=name):
            found = state.scope.find(name)
            if isinstance(found, GlobalName) and found.item.kind == "const" and isinstance(found.item.value, Const):
                value = found.item.value.value
                return Known(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    return None


def _number(literal: Typed) -> Known:
    """A number as it is written; 0 after a message."""
    value = literal.operand.value if isinstance(literal.operand, Const) else 0
    assert isinstance(value, int | float)
    return Known(value)


def is_entity(node: ast.Node) -> bool:
    """Whether a constant is written as a name: then it is an entity, not a string."""
    return isinstance(node, ast.Name)


def fits(state: State, relation: RelationName, place: int, known: Known, node: ast.Node) -> bool:
    """Whether a constant may stand in a column; TL0504 or TL0502 otherwise."""
    kind = relation.columns[place]
    if kind is None:
        return True
    found = KINDS[type(known.value)]
    if kind in ("int", "float", "string"):
        entity = found == "string" and is_entity(node) and isinstance(node, ast.Name) and node.name in state.relations.members
        if entity or (found != kind and not (kind == "float" and found == "int")):
            wrong_type(state, relation, place, "an entity" if entity else f"a {found}" if found != "int" else "an int", node.span)
            return False
        return True
    return _fits_entity(state, relation, place, state.relations.entities[kind], known, node)


def _fits_entity(state: State, relation: RelationName, place: int, type_: EntityName, known: Known, node: ast.Node) -> bool:
    if not isinstance(known.value, str):
        wrong_type(state, relation, place, "a number", node.span)
        return False
    if known.value in type_.members or (not type_.closed and not isinstance(node, ast.Name)):
        return True
    member = state.relations.members.get(known.value)
    if isinstance(node, ast.Name) and member is not None:
        wrong_type(state, relation, place, f"`{known.value}`, a {member.types[0].unique}", node.span, member.span)
        return False
    if not type_.closed:
        return True
    unknown_entity(state, type_, known.value, node.span)
    return False


def unknown_entity(state: State, type_: EntityName, name: str, span: Span) -> None:
    labels = (Label(type_.span, f"`{type_.unique}` is closed"),) if type_.span else ()
    help = state.suggestion(name, type_.members) or f"its entities are {', '.join(list(type_.members)[:8])}"
    state.error("TL0502", span, f"`{name}` is no {type_.unique}", "unknown entity", help, labels=labels)


def wrong_type(state: State, relation: RelationName, place: int, found: str, span: Span, other: Span | None = None) -> None:
    labels = [Label(relation.span, f"`{relation.signature}`")]
    if other is not None and other != relation.span:
        labels.append(Label(other, "this says so"))
    title = f"column {place + 1} of `{relation.name}` is {relation.columns[place]}, found {found}"
    state.error("TL0504", span, title, f"{relation.columns[place]} expected", labels=tuple(labels))
