"""The initial value of a declared tensor: `normal(0.02)` takes the declared shape and dtype; anything else is an expression."""

from tensorlogic.checker.arguments import arguments_of
from tensorlogic.checker.matching import Attempt, Matcher, explain_failure
from tensorlogic.checker.messages import shape_text
from tensorlogic.checker.relation_dims import is_readable
from tensorlogic.checker.signatures import initializer_signature
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import INITIALIZER, Const, Omitted, Operand
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import DTypeValue, Int, List, Tensor, Type, Unknown


def initial_value(state: State, node: ast.TensorDecl, type_: Tensor) -> Typed:
    value = node.value
    if value is None:
        return _initialize(state, "zeros", node, type_, (), node.span)
    if isinstance(value, ast.Call) and isinstance(value.callee, ast.Name) and state.scope.find(value.callee.name) is None:
        name = value.callee.name
        if registry.lookup_initializer(name) is not None and not _is_plain_call(name, value):
            return _call(state, value, name, node, type_)
    return state.expr(value, type_)


def _is_plain_call(name: str, node: ast.Call) -> bool:
    """`zeros([2, 3])` beside `zeros()`: a list in front is the shape of the builtin with that name."""
    return registry.lookup(name) is not None and any(isinstance(a.value, ast.ListLit) or a.name == "shape" for a in node.args)


def _call(state: State, node: ast.Call, name: str, declared: ast.TensorDecl, type_: Tensor) -> Typed:
    signature = initializer_signature(name)
    arguments = arguments_of(state, node, (signature,))
    attempt = Attempt(signature, 0, state.need())
    Matcher(state, attempt, lambda typed, params: Unknown()).run(arguments, node.span)
    if attempt.failed:
        state.report(explain_failure(attempt, arguments, node.span, lambda a: Label(a.node.span, f"this is {a.typed.type}")))
        return state.unknown(node.span)
    operands = tuple(Omitted() if slot is None else slot.typed.operand for slot in attempt.slots)
    return _initialize(state, name, declared, type_, operands, node.span)


def _initialize(state: State, name: str, node: ast.TensorDecl, type_: Tensor, operands: tuple[Operand, ...], span: Span) -> Typed:
    shape = _shape(state, node, type_)
    if shape is None:
        title = f"{shape_text(type_.shape)} has a size that is not known here"
        return state.error("TL0306", span, title, "the shape of a new tensor is known")
    dtype = Const(type_.dtype, DTypeValue(type_.dtype))
    return state.emit("builtin", (shape, dtype, *operands), type_, span, name=name, index=INITIALIZER)


def _shape(state: State, node: ast.TensorDecl, type_: Tensor) -> Operand | None:
    """The declared sizes as a list of ints: numbers, or what entity types and the parameters of a model make of them."""
    sizes = tuple(d for d in type_.shape if isinstance(d, Dim) and is_readable(state, d))
    if len(sizes) != len(type_.shape) or not isinstance(node.type, ast.TensorTypeExpr):
        return None
    items: tuple[Type, ...] = tuple(Int(size) for size in sizes)
    if all(size.value is not None for size in sizes):
        return Const(tuple(size.value for size in sizes), List(Int(), items))
    parts = tuple(state.expr(item, Int(size)).operand for item, size in zip(node.type.shape, sizes, strict=True))
    return state.emit("list", parts, List(Int(), items), node.type.span).operand
