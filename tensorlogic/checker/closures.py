"""Lambdas and functions as values. A lambda is checked when the types of its parameters are known: at its uses."""

from collections.abc import Mapping
from dataclasses import replace

from tensorlogic.checker.blocks import block_value
from tensorlogic.checker.instances import instance_values, model_of
from tensorlogic.checker.matching import Argument, Attempt, Matcher, explain_failure
from tensorlogic.checker.patterns import bind_parameter, named_once, read_type
from tensorlogic.checker.scope import Closure, FunctionName, Scope
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import FnRef, Omitted, Op, Operand, Region, Value
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Fn, ModelOf, Type, Unknown, Void, is_unknown

MAX_INSTANTIATIONS = 10_000


def check_lambda(state: State, node: ast.Lambda, expected: Type | None) -> Typed:
    """Leaves room for the operation, which the first use fills."""
    named_once(state, node.params)
    value = Value("", Fn((), Unknown()))
    placeholder = Op("lambda", (), (value,), {}, (), node.span)
    state.ops.append(placeholder)
    closure = Closure(node, state.scope, state.ops, placeholder, value)
    typed = Typed(value, value.type, node.span, closure)
    if isinstance(expected, Fn) and len(expected.params) == len(node.params):
        result = apply_closure(state, closure, expected.params)
        return Typed(closure.value, Fn(expected.params, result), node.span, closure)
    return typed


def function_value(state: State, typed: Typed) -> Operand:
    """The operand for a function given as an argument."""
    if isinstance(typed.closure, FunctionName):
        return FnRef(typed.closure.unique, typed.type)
    return typed.closure.value if typed.closure is not None else typed.operand


def apply_callable(state: State, typed: Typed, params: tuple[Type, ...]) -> Type:
    """The result type of a lambda, a named function or a function value for these parameter types."""
    if isinstance(typed.closure, FunctionName):
        return _apply_function(state, typed, typed.closure, params)
    if typed.closure is not None:
        if len(typed.closure.node.params) != len(params):
            title = f"a function of {len(params)} arguments is expected, this lambda takes {len(typed.closure.node.params)}"
            state.error("TL0307", typed.span, title)
            return Unknown()
        return apply_closure(state, typed.closure, params)
    if isinstance(typed.type, ModelOf):
        forward = model_of(state, typed.type).methods.get("forward")
        return _apply_function(state, typed, forward, params, instance_values(typed.type)) if forward is not None else Unknown()
    return typed.type.result if isinstance(typed.type, Fn) else Unknown()


def _apply_function(
    state: State, typed: Typed, function: FunctionName, params: tuple[Type, ...], sizes: Mapping[str, Dim] | None = None
) -> Type:
    """`sizes` are those of the instance whose method it is."""
    attempt = Attempt(function.signature, 0, state.need())
    attempt.bound.dims.update(sizes or {})
    matcher = Matcher(state, attempt, lambda inner, types: apply_callable(state, inner, types))
    node = ast.BoolLit(typed.span, True)  # any node: only its place is used
    arguments = [Argument(None, Typed(Value("", p), p, typed.span), node) for p in params]
    matcher.run(arguments, typed.span)
    if attempt.failed:
        state.report(explain_failure(attempt, arguments, typed.span, lambda a: Label(a.node.span, f"given {a.typed.type}")))
        return Unknown()
    return matcher.result()


def apply_closure(state: State, closure: Closure, params: tuple[Type, ...]) -> Type:
    """Check the body for these parameter types and give the type of its result."""
    state.instantiations += 1
    if state.instantiations > MAX_INSTANTIATIONS:
        state.error("TL0104", closure.node.span, f"lambdas are used with more than {MAX_INSTANTIATIONS} different types")
        return Unknown()
    if closure.open:
        state.error("TL0306", closure.node.span, "a lambda cannot call itself", help="write it as a function")
        return Unknown()
    closure.open = True
    frame = replace(state.frame, name="lambda", result=None, returned=[], top=False, loops=0)
    with state.framed(frame), state.block("lambda", Scope(closure.scope, "lambda")) as ops:
        values = [bind_parameter(state, p, t) for p, t in zip(closure.node.params, params, strict=True)]
        result = _body(state, closure.node)
        returns = frame.returned or []
    closure.open = False
    type_ = returns[0].type if returns and isinstance(result.type, Void) else result.type
    if is_unknown(type_):
        _spoil(closure)
    else:
        _fill(state, closure, Region(tuple(values), tuple(ops), () if isinstance(type_, Void) else (result.operand,)), params, type_)
    return type_


def _body(state: State, node: ast.Lambda) -> Typed:
    if not isinstance(node.body, ast.Block):
        body = state.expr(node.body)
        return _function_result(state, body) if body.closure else body
    return block_value(state, node.body, None)


def _function_result(state: State, body: Typed) -> Typed:
    """A lambda that a lambda gives: nobody will ask for it again, so its parameters have to say their types."""
    closure = body.closure
    if not isinstance(closure, Closure):
        return replace(body, operand=function_value(state, body))
    patterns = [p for p in closure.node.params if isinstance(p, ast.BindPattern) and p.type is not None]
    if len(patterns) < len(closure.node.params):
        help = "write its types: `|x| |y: float| x + y`"
        return state.error("TL0306", closure.node.span, "the types of this lambda's parameters are not known here", help=help)
    types = tuple(read_type(state, p.type) for p in patterns if p.type is not None)
    result = apply_closure(state, closure, types)
    return Typed(closure.value, Fn(types, result), body.span) if not is_unknown(result) else state.unknown(body.span)


def _spoil(closure: Closure) -> None:
    """Its body has a mistake, which was told: nothing more is said of it."""
    at = next(i for i, op in enumerate(closure.ops) if op is closure.placeholder)
    closure.placeholder = replace(closure.placeholder, attrs={"told": True})
    closure.ops[at] = closure.placeholder


def _fill(state: State, closure: Closure, region: Region, params: tuple[Type, ...], result: Type) -> None:
    """Put the operation in its place at the first use; a later use must come to the same operations."""
    shape = _outline(region)
    if closure.outline is None:
        closure.outline = shape
        value = replace(closure.value, type=Fn(params, result))
        at = next(i for i, op in enumerate(closure.ops) if op is closure.placeholder)
        closure.value = value
        closure.placeholder = Op("lambda", (), (value,), {}, (region,), closure.node.span)
        closure.ops[at] = closure.placeholder
    elif closure.outline != shape:
        help = "write a function with typed parameters for each use"
        state.error("TL0306", closure.node.span, "this lambda is used with types for which it means different things", help=help)


def _outline(region: Region) -> tuple:
    """What a region does, types aside."""
    return tuple((op.code, _called(op), op.attrs.get("op"), tuple(_outline(r) for r in op.regions)) for op in region.ops)


def _called(op: Op) -> object:
    """The name of what is called; methods of different models are called alike where every argument is given."""
    alike = op.code == "call_method" and not any(isinstance(arg, Omitted) for arg in op.args)
    return op.attrs.get("method" if alike else "name")
