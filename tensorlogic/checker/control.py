"""`if` and `match`, as statements and as expressions."""

from tensorlogic.checker.blocks import block_value, leaves, nothing
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import describe
from tensorlogic.checker.operators import condition, fits_condition
from tensorlogic.checker.patterns import bind_name, names_in, parts_of
from tensorlogic.checker.scope import Closure, Scope, Unsupported
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Op, Region, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.mistakes import NotDefined, WrongType
from tensorlogic.types.types import Bool, Float, Int, String, Tensor, Type, Unknown, Void, is_number, is_unknown, widen
from tensorlogic.types.unify import Bindings, Unifier

MAX_ARMS = 90


def check_if(state: State, node: ast.If, expected: Type | None) -> Typed:
    test = condition(state, node.condition)
    branches = [_branch(state, b, expected, node.span) for b in (node.then, node.otherwise)]
    return _joined(state, node.span, test, branches, [leaves(node.then), leaves(node.otherwise)])


Branch = tuple[list[Op], Typed]


def _branch(state: State, node: ast.Block | ast.If | None, expected: Type | None, span: Span) -> Branch:
    with state.block() as ops:
        if node is None:
            return ops, nothing(span)
        value = block_value(state, node, expected) if isinstance(node, ast.Block) else state.expr(node, expected)
    return ops, value


def _joined(state: State, span: Span, test: Typed | None, branches: list[Branch], left: list[bool]) -> Typed:
    """One `if` operation; its value where every branch that comes to its end has one."""
    ending = [branch for branch, gone in zip(branches, left, strict=True) if not gone]
    types = [value.type for _, value in ending]
    odd = next((value for _, value in ending if isinstance(value.closure, Closure)), None)
    if odd is not None:
        state.error("TL0306", odd.span, "a branch cannot have a lambda for its value", help="write functions with typed parameters")
    if test is None or odd is not None or any(is_unknown(t) for t in types):
        _emit(state, span, test, branches, None)
        return state.unknown(span)
    if not types or any(isinstance(t, Void) for t in types):
        _emit(state, span, test, branches, None)
        return nothing(span)
    joined = _common(state, ending)
    if joined is None:
        return state.unknown(span)
    value = Value("", joined)
    _emit(state, span, test, [_fit(state, b, joined, gone) for b, gone in zip(branches, left, strict=True)], value, left)
    state.trace(value, joined)
    return Typed(value, joined, span)


def _common(state: State, branches: list[Branch]) -> Type | None:
    """The type that all branches have; None after a message at the one that differs."""
    first = widen(branches[0][1].type)
    for _, value in branches[1:]:
        other = widen(value.type)
        if is_number(first) and is_number(other):
            first = Float() if isinstance(first, Float) or isinstance(other, Float) else Int()
        elif isinstance(first, Tensor) and is_number(other):
            continue
        elif isinstance(other, Tensor) and is_number(first):
            first = other
        elif not _agree(state, first, value):
            return None
    return first


def _agree(state: State, wanted: Type, value: Typed) -> bool:
    need = state.need()
    Unifier(need, Bindings(), rigid=True).fit(wanted, value.type, "the branches of `if` and `match`")
    if need.mistakes:
        state.report(describe(need.mistakes[0], value.span))
        return False
    add_guards(state, need.guards, value.span)
    return True


def _fit(state: State, branch: Branch, wanted: Type, gone: bool) -> Branch:
    """Ints become floats where another branch is one."""
    ops, value = branch
    if gone or not isinstance(wanted, Float | Tensor) or type(value.type) is type(wanted):
        return branch
    outer, state.ops = state.ops, ops
    fitted = coerce(state, value, wanted, "this branch")
    state.ops = outer
    return ops, fitted


def _emit(
    state: State, span: Span, test: Typed | None, branches: list[Branch], value: Value | None, left: list[bool] | None = None
) -> None:
    if test is None:
        return
    gone = left or [False] * len(branches)
    regions = tuple(
        Region((), tuple(ops), (typed.operand,) if value is not None and not away else ())
        for (ops, typed), away in zip(branches, gone, strict=True)
    )
    state.ops.append(Op("if", (test.operand,), (value,) if value else (), {}, regions, span))


# --- match -----------------------------------------------------------------------------------------------------------


def check_match(state: State, node: ast.Match, expected: Type | None) -> Typed:
    """Becomes nested `if`s: each arm is tried where the ones before it did not fit."""
    value = state.expr(node.value)
    if len(node.arms) > MAX_ARMS:
        return state.error("TL0104", node.span, f"a `match` has at most {MAX_ARMS} arms, found {len(node.arms)}")
    if not is_unknown(value.type) and not _exhaustive(node, value.type):
        end = Span(node.span.source, node.span.end - 1, node.span.end)
        return state.error("TL0313", end, "this `match` does not cover every value", "an arm is missing", "add an arm `_ => ...`")
    return _arms(state, node, value, node.arms, expected)


def _exhaustive(node: ast.Match, type_: Type) -> bool:
    patterns = [p for arm in node.arms if arm.guard is None for p in arm.patterns]
    literals = {p.value.value for p in patterns if isinstance(p, ast.LiteralPattern) and isinstance(p.value, ast.BoolLit)}
    return any(_irrefutable(p) for p in patterns) or (isinstance(type_, Bool) and literals == {True, False})


def _irrefutable(pattern: ast.Node) -> bool:
    match pattern:
        case ast.BindPattern() | ast.WildcardPattern():
            return True
        case ast.TuplePattern(items=items):
            return all(_irrefutable(i) for i in items)
    return False


def _arms(
    state: State, node: ast.Match, value: Typed, arms: tuple[ast.Arm, ...], expected: Type | None, first: Typed | None = None
) -> Typed:
    """`first` is the value of an arm before: the others have its type."""
    arm, rest = arms[0], arms[1:]
    outer = state.scope
    state.scope = Scope(outer)
    try:
        test = _arm_test(state, arm, value)
        if test is True or (not rest and test is not None):
            with state.block() as ops:
                result = _like(state, arm, first, _arm_body(state, arm, expected))
            state.ops.extend(ops)  # the arm that always fits needs no `if`
            return result
        with state.block() as ops:
            taken = ops, _like(state, arm, first, _arm_body(state, arm, expected))
    finally:
        state.scope = outer
    with state.block() as ops:
        other = ops, (_arms(state, node, value, rest, expected, first or _settled(arm, taken[1])) if rest else state.unknown(node.span))
    test = test if isinstance(test, Typed) else None
    return _joined(state, node.span, test, [taken, other], [leaves(arm.body), bool(rest) and all(leaves(a.body) for a in rest)])


def _settled(arm: ast.Arm, value: Typed) -> Typed | None:
    """The value of an arm, where it says what the others must be: a number may still become a tensor."""
    return value if isinstance(value.type, Tensor | String) and not leaves(arm.body) else None


def _like(state: State, arm: ast.Arm, first: Typed | None, value: Typed) -> Typed:
    """The value of a later arm; unknown after a message at it where it is another type."""
    if first is None or leaves(arm.body) or isinstance(value.type, Void) or isinstance(first.type, Tensor) and is_number(value.type):
        return value
    need = state.need()
    Unifier(need, Bindings(), rigid=True).fit(first.type, value.type, "the branches of `if` and `match`")
    if not need.mistakes:
        return value
    state.report(describe(need.mistakes[0], value.span))
    return state.unknown(value.span)


def _arm_body(state: State, arm: ast.Arm, expected: Type | None) -> Typed:
    if isinstance(arm.body, ast.Block):
        return block_value(state, arm.body, expected)
    return block_value(state, ast.Block(arm.body.span, (arm.body,)), expected)


def _arm_test(state: State, arm: ast.Arm, value: Typed) -> Typed | bool | None:
    """The condition of an arm, True where it always fits, None after a message."""
    tests = [_test(state, p, value) for p in arm.patterns]
    if any(t is None for t in tests):
        for name in (n for p in arm.patterns for n in names_in(p)):
            state.scope.names.setdefault(name, Unsupported(arm.span))
        return None
    if len(tests) > 1 and any(isinstance(p, ast.BindPattern | ast.TuplePattern) for p in arm.patterns):
        state.error("TL0101", arm.span, "alternatives of a pattern cannot bind names")
        return None
    test: Typed | bool | None = tests[0]
    for other in tests[1:]:
        test = True if test is True or other is True else _combine(state, "or", test, other, arm.span)
    if arm.guard is None:
        return test
    guard = state.expr(arm.guard)
    if not fits_condition(state, guard, "the guard of an arm"):
        return None
    return guard if test is True else _combine(state, "and", test, guard, arm.span)


def _combine(state: State, op: str, left: Typed | bool | None, right: Typed | bool | None, span: Span) -> Typed:
    assert isinstance(left, Typed) and isinstance(right, Typed)
    value = Value("", Bool())
    state.ops.append(Op(op, (left.operand,), (value,), {}, (Region((), (), (right.operand,)),), span))
    return Typed(value, Bool(), span)


def _test(state: State, pattern: ast.Node, value: Typed) -> Typed | bool | None:
    match pattern:
        case ast.WildcardPattern():
            return True
        case ast.BindPattern(name=name, span=span):
            bind_name(state, name, value, span)
            return True
        case ast.LiteralPattern(value=literal):
            return _literal_test(state, literal, value)
        case ast.TuplePattern(items=items):
            return _tuple_test(state, pattern, items, value)
    return None


def _literal_test(state: State, literal: ast.Node, value: Typed) -> Typed | None:
    typed = state.expr(literal)
    if is_unknown(value.type) or is_unknown(typed.type):
        return None
    if type(typed.type) is not type(value.type) and not (is_number(typed.type) and is_number(value.type)):
        known = isinstance(value.type, Int | Float | Bool | String)
        mistake = WrongType("a pattern", str(value.type), typed.type) if known else NotDefined("matching a literal", value.type)
        state.report(describe(mistake, typed.span))
        return None
    return state.emit("binary", (value.operand, typed.operand), Bool(), literal.span, op="==")


def _tuple_test(state: State, pattern: ast.Node, items: tuple[ast.Node, ...], value: Typed) -> Typed | bool | None:
    parts = parts_of(value.type)
    if parts is None or len(parts) != len(items):
        if not is_unknown(value.type):
            count = f"{len(parts)} values" if parts is not None else f"{value.type}"
            state.error("TL0307", pattern.span, f"a pattern of {len(items)} parts for {count}")
        return None
    total: Typed | bool | None = True
    for index, (item, part) in enumerate(zip(items, parts, strict=True)):
        if isinstance(item, ast.WildcardPattern):
            continue
        piece = state.emit("item", (value.operand,), part, item.span, index=index) if not isinstance(part, Unknown) else value
        test = _test(state, item, piece)
        if test is None:
            return None
        total = test if total is True else total if test is True else _combine(state, "and", total, test, pattern.span)
    return total
