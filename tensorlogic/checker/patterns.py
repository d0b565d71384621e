"""Patterns: what `let (a, b) = ...`, `for`, lambda parameters and match arms bind, and which values they take."""

from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.guards import divisions_hold
from tensorlogic.checker.lengths import kept_length
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List, Tuple, Type, Unknown, is_unknown


def read_type(state: State, node: ast.TypeExpr) -> Type:
    """A type written in a body: its sizes must be in scope."""
    reader = Annotations(state.problems, state.scope, open_dims=False, known=lambda name: known_size(state, name))
    reader.dtype_vars = dict(state.frame.dtype_vars)
    reader.type_vars = dict(state.frame.type_vars)
    reader.segments = list(state.frame.segments)
    reader.reported = state.frame.unknown_names
    found = reader.type(node)
    return found if divisions_hold(state, reader.obligations) else Unknown()


def known_size(state: State, name: str) -> Dim | None:
    """The size that an int variable in scope stands for."""
    variable = state.find_variable(name)
    if variable is None or not isinstance(variable.type, Int):
        return None
    return variable.type.value if variable.type.value is not None else state.dim_for(variable.value)


def bind(state: State, pattern: ast.Pattern, typed: Typed) -> None:
    """Declare the names of a pattern. The value must have its shape."""
    match pattern:
        case ast.BindPattern(name=name, type=None, span=span):
            bind_name(state, name, typed, span)
        case ast.BindPattern(name=name, type=type_, span=span) if type_ is not None:
            bind_name(state, name, coerce(state, typed, read_type(state, type_), f"`{name}`"), span)
        case ast.TuplePattern(items=items):
            named_once(state, items)
            _bind_tuple(state, pattern, items, typed)
        case ast.LiteralPattern():
            state.error("TL0101", pattern.span, "a literal cannot stand where a name is bound")


def named_once(state: State, patterns: tuple[ast.Pattern, ...]) -> None:
    """A name may stand once in a pattern, or among the parameters of a lambda."""
    seen: set[str] = set()
    for pattern in patterns:
        names = names_in(pattern)
        if seen.intersection(names):
            state.error("TL0203", pattern.span, f"`{next(n for n in names if n in seen)}` is bound twice here")
        seen.update(names)


def bind_name(state: State, name: str, typed: Typed, span: Span) -> None:
    if name in state.frame.mutated and typed.closure is None:
        typed = Typed(typed.operand, kept_length(name, typed.type, state.frame.resized), typed.span)
    variable = state.declare(name, typed.type, span)
    variable.closure = typed.closure
    state.bind_value(variable, typed)


def _bind_tuple(state: State, pattern: ast.Node, items: tuple[ast.Pattern, ...], typed: Typed) -> None:
    parts = parts_of(typed.type)
    if is_unknown(typed.type):
        parts = (Unknown(),) * len(items)
    elif isinstance(typed.type, List) and parts is None:
        parts = (typed.type.element,) * len(items)
    elif parts is None:
        state.error("TL0306", pattern.span, f"a tuple is expected here, found {typed.type}", "this takes a tuple apart")
        parts = (Unknown(),) * len(items)
    if len(parts) != len(items):
        state.error(
            "TL0307",
            pattern.span,
            f"{len(items)} names for {len(parts)} values",
            f"the value is {typed.type}",
            "a part that is not needed is `_`",
        )
        parts = (Unknown(),) * len(items)
    for index, (item, part) in enumerate(zip(items, parts, strict=True)):
        if not isinstance(item, ast.WildcardPattern):
            bind(state, item, _part(state, typed, index, part, item.span))


def _part(state: State, typed: Typed, index: int, part: Type, span: Span) -> Typed:
    if isinstance(part, Unknown):
        return state.unknown(span)
    return state.emit("item", (typed.operand,), part, span, index=index)


def parts_of(type_: Type) -> tuple[Type, ...] | None:
    """The types of the parts of a tuple, or of a list whose items are known."""
    match type_:
        case Tuple(items):
            return items
        case List(_, items) if items is not None:
            return items
    return None


def bind_parameter(state: State, pattern: ast.Pattern, type_: Type) -> Value:
    """The value for a lambda's parameter; a tuple pattern is taken apart in the body."""
    if isinstance(pattern, ast.BindPattern):
        if pattern.type is not None:
            wanted = read_type(state, pattern.type)
            type_ = coerce(state, Typed(Value("", type_), type_, pattern.span), wanted, f"`{pattern.name}`").type
        variable = state.declare(pattern.name, type_, pattern.span)
        state.trace(variable.value, type_)
        return variable.value
    value = Value("", type_)
    if not isinstance(pattern, ast.WildcardPattern):
        bind(state, pattern, Typed(value, type_, pattern.span))
    return value


def names_in(pattern: ast.Node) -> list[str]:
    match pattern:
        case ast.BindPattern(name=name):
            return [name]
        case ast.TuplePattern(items=items) | ast.TupleLit(items=items):
            return [n for item in items for n in names_in(item)]
    return []
