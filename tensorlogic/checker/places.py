"""Assignment: to variables, to parts of tensors, lists and structs, and to several names at once."""

from dataclasses import replace

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.tree import Defined
from tensorlogic.checker.indexing import set_item
from tensorlogic.checker.instances import instance_values, model_of
from tensorlogic.checker.lengths import kept_length
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.members import struct_fields
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.overloads import apply_builtin
from tensorlogic.checker.patterns import bind_name, parts_of
from tensorlogic.checker.scope import Closure, FunctionName, GlobalName, MemberName, Unsupported, Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import Member
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.types import Any, List, ModelOf, Struct, Type, Unknown, Void, is_unknown, widen
from tensorlogic.types.unify import Bindings, substitute


def is_equation(state: State, target: ast.Node) -> bool:
    """`y[i] = ...` where `y` is new, or has only the states that a recurrence begins with, or where a name in the brackets has no value."""
    if not isinstance(target, ast.Index):
        return isinstance(target, ast.Call) and isinstance(state.scope.find(target.callee.span.text), Unsupported)
    found = state.scope.find(target.base.name) if isinstance(target.base, ast.Name) else target
    if found is None or (isinstance(found, Variable) and isinstance(found.equation, Defined) and found.equation.firsts):
        return True
    return any(isinstance(item, ast.DottedIndex | ast.VirtualIndex) or _has_free_name(state, item) for item in target.items)


def _has_free_name(state: State, node: ast.Node) -> bool:
    names = (item.name for item in ast.walk(node) if isinstance(item, ast.Name))
    return any(state.scope.find(name) is None and state.scope.hidden(name) is None for name in names)


def assign(state: State, node: ast.Assign) -> None:
    if isinstance(node.target, ast.TupleLit):
        _assign_several(state, node, node.target)
        return
    value = state.own(state.expr(node.value, place_type(state, node.target))) if node.op in ("=", ":=") else _updated(state, node)
    if isinstance(value.type, Void):
        value = state.error("TL0306", node.value.span, "this has no value", "void")
    write(state, node.target, value, node.span)


def _updated(state: State, node: ast.Assign) -> Typed:
    """`x += e` is `x = x + e`, and `x max= e` is `x = max(x, e)`."""
    old, new = state.expr(node.target), state.expr(node.value)
    if node.op in ("max=", "min="):
        arguments = [Argument(None, old, node.target), Argument(None, new, node.value)]
        return apply_builtin(state, node.op[:-1], arguments, node.span)
    span = node.target.span.to(node.value.span)
    binary = ast.Binary(span, node.op[0], node.target, node.value, Span(span.source, node.target.span.end, node.value.span.start))
    return apply_operator(state, binary, old, new)


def place_type(state: State, target: ast.Node) -> Type | None:
    """What is declared of a place, as a hint for the value."""
    if isinstance(target, ast.Name):
        found = state.scope.find(target.name)
        if isinstance(found, Variable):
            return found.type
        return found.item.type if isinstance(found, GlobalName) else None
    return None


def write(state: State, target: ast.Node, value: Typed, span: Span) -> None:
    match target:
        case ast.Name():
            _write_name(state, target, value, span)
        case ast.Index(base=base):
            whole = state.expr(base)
            changed = None if is_unknown(whole.type) else set_item(state, target, whole, value)
            if changed is not None:
                write(state, base, changed, span)
        case ast.Member(base=base):
            changed = _with_field(state, target, state.expr(base), value)
            if changed is not None:
                write(state, base, changed, span)
        case _:
            state.error("TL0101", target.span, "this is no place that can be assigned to", help="a place is a name, `x[i]` or `p.field`")


def _with_field(state: State, target: ast.Member, base: Typed, value: Typed) -> Typed | None:
    if is_unknown(base.type):
        return None
    if isinstance(base.type, ModelOf):
        _write_member_of(state, target, base, value)
        return None
    if not isinstance(base.type, Struct):
        state.error("TL0305", target.span, f"{base.type} has no fields to assign to")
        return None
    fields = struct_fields(state, base.type)
    if target.name not in fields:
        state.error("TL0202", target.name_span, f"`{base.type}` has no field `{target.name}`", help=f"its fields are {', '.join(fields)}")
        return None
    fitted = coerce(state, value, fields[target.name], f"`{target.name}`")
    return state.emit("set_field", (base.operand, fitted.operand), base.type, target.span, name=target.name, struct=base.type.name)


def _write_name(state: State, target: ast.Name, value: Typed, span: Span) -> None:
    found = state.scope.find(target.name)
    match found:
        case Variable(type=declared):
            _write_variable(state, found, declared, value, target, span)
        case GlobalName(item=item) if item.kind == "const":
            labels = (Label(found.span, "declared here"),)
            state.error("TL0206", target.span, f"`{target.name}` is a constant", "it cannot be assigned to", labels=labels)
        case GlobalName(item=item):
            fitted = coerce(state, value, item.type, f"`{target.name}`", of=found.span)
            state.add("set_global", (fitted.operand,), span, name=item.name, initial=False)
        case MemberName(item=item) if state.frame.receiver is not None:
            receiver = state.frame.receiver
            _write_member(state, item, Typed(receiver, receiver.type, target.span), value, span)
        case Unsupported():
            return
        case _:
            kept = value if value.closure is not None else Typed(value.operand, _declared_type(state, target.name, value.type), value.span)
            bind_name(state, target.name, kept, target.span)


def _write_member_of(state: State, target: ast.Member, base: Typed, value: Typed) -> None:
    """`m.w = value`"""
    assert isinstance(base.type, ModelOf)
    model = model_of(state, base.type)
    member = model.fields.get(target.name)
    if member is None:
        help = f"its fields are {', '.join(model.fields)}"
        state.error("TL0202", target.name_span, f"`{base.type}` has no field `{target.name}`", help=help)
        return
    type_ = substitute(member.type, Bindings(dims=instance_values(base.type)))
    _write_member(state, replace(member, type=type_), base, value, target.span)


def _write_member(state: State, member: Member, base: Typed, value: Typed, span: Span) -> None:
    """A buffer, or a parameter where no gradients are kept, gets new numbers; a host value is replaced."""
    assert isinstance(base.type, ModelOf)
    labels = (Label(member.span, "declared here"),) if member.span.source.text else ()
    if member.kind in ("submodel", "submodels", "mode") or member.name in model_of(state, base.type).signature.own_sizes:
        state.error("TL0206", span, f"`{member.name}` belongs to what the model is made of", "it cannot be assigned to", labels=labels)
        return
    if member.kind == "param" and not state.frame.no_grad:
        help = "assign to it inside `no_grad { ... }`, or declare it `buffer`"
        state.error("TL0305", span, f"`{member.name}` is learned, and is not assigned to", "a parameter", help, labels=labels)
        return
    fitted = coerce(state, value, widen(member.type), f"`{member.name}`", of=member.span if labels else None)
    if not is_unknown(fitted.type):
        state.add("set_member", (base.operand, fitted.operand), span, name=member.name, kind=member.kind, struct=base.type.name)


def _declared_type(state: State, name: str, type_: Type) -> Type:
    return kept_length(name, type_, state.frame.resized) if name in state.frame.mutated else type_


def _write_variable(state: State, variable: Variable, declared: Type, value: Typed, target: ast.Name, span: Span) -> None:
    if isinstance(declared, Unknown) or is_unknown(value.type):
        return
    if variable.size:
        title = f"`{target.name}` is a size of the arguments"
        state.error("TL0206", target.span, title, "it cannot be assigned to", "declare another one with `let`")
        return
    if isinstance(variable.closure, Closure | FunctionName):
        state.error(
            "TL0306", target.span, f"`{target.name}` is a function and cannot be assigned again", help="give the second one its own name"
        )
        return
    if isinstance(declared, List) and isinstance(declared.element, Any) and isinstance(value.type, List):
        variable.type = declared = widen(value.type)  # `xs = []` learns its element type from its first assignment
    advice = f"a variable keeps its type: write `let {target.name} = ...` for another one, or declare a size that changes as `?`"
    fitted = coerce(state, value, declared, f"`{target.name}`", of=variable.span, advice=advice)
    if fitted.doubted:
        variable.type = Unknown()  # what it is from here on rests on the mistake
    state.add("assign", (fitted.operand,), span, target=variable.value)


def _assign_several(state: State, node: ast.Assign, target: ast.TupleLit) -> None:
    """`(a, b) = f(x)`"""
    value = state.expr(node.value)
    parts = parts_of(value.type)
    if is_unknown(value.type) or parts is None or len(parts) != len(target.items):
        if not is_unknown(value.type):
            found = f"{len(parts)} values" if parts is not None else str(value.type)
            code = "TL0307" if parts is not None else "TL0306"
            state.error(code, target.span, f"{len(target.items)} places for {found}")
        return
    taken = [
        state.emit("item", (value.operand,), part, item.span, index=i)
        for i, (part, item) in enumerate(zip(parts, target.items, strict=True))
    ]
    for item, part in zip(target.items, taken, strict=True):
        if not (isinstance(item, ast.Name) and item.name == "_"):
            write(state, item, part, node.span)
