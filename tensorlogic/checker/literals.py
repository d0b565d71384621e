"""Literals: numbers, strings, lists, tuples, and tensors written out."""

from tensorlogic.checker.coerce import coerce, default_dtype, leaf_fits, literal_shape, to_tensor, uneven
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.submodels import ANY_MODEL
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import canonical
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Bool,
    DTypeValue,
    DTypeVar,
    Float,
    Int,
    Library,
    List,
    ModelOf,
    Range,
    String,
    Tensor,
    Tuple,
    Type,
    is_unknown,
    widen,
)  # fmt: skip

MAX_INT = 2**63


def check_int(state: State, node: ast.IntLit, expected: Type | None) -> Typed:
    if node.value >= MAX_INT:
        return state.error("TL0314", node.span, "this integer does not fit into 64 bits", "the largest is 9223372036854775807")
    type_ = Int(Dim.const(node.value))
    return Typed(Const(node.value, type_, node.text), type_, node.span)


def check_float(state: State, node: ast.FloatLit, expected: Type | None) -> Typed:
    value = float(node.text.replace("_", ""))
    if value == float("inf"):
        return state.error("TL0314", node.span, "this number does not fit into a float64", "the largest is about 1.8e308")
    return Typed(Const(value, Float(value), node.text), Float(value), node.span)


def check_string(state: State, node: ast.StringLit, expected: Type | None) -> Typed:
    return Typed(Const(node.value, String(node.value)), String(node.value), node.span)


def check_bool(state: State, node: ast.BoolLit, expected: Type | None) -> Typed:
    return Typed(Const(node.value, Bool(node.value)), Bool(node.value), node.span)


def check_list(state: State, node: ast.ListLit, expected: Type | None) -> Typed:
    """A list. Constants stay one constant, so that a tensor literal is one operation."""
    hint = expected.element if isinstance(expected, List) else expected if isinstance(expected, Tensor) else None
    items = [state.expr(item, hint) for item in node.items]
    if any(is_unknown(i.type) for i in items):
        return state.unknown(node.span)
    element = _common_type(state, items, expected)
    if element is None:
        return state.unknown(node.span)
    type_ = List(element, tuple(i.type for i in items))
    if all(isinstance(i.operand, Const) for i in items):
        values = tuple(i.operand.value for i in items)  # type: ignore[union-attr]
        return Typed(Const(values, type_), type_, node.span)
    return state.emit("list", tuple(i.operand for i in items), type_, node.span)


def _common_type(state: State, items: list[Typed], expected: Type | None) -> Type | None:
    """What the items of a list have in common, or None after a message."""
    if not items:
        return expected.element if isinstance(expected, List) else Any()  # learns its type from the first use
    kinds = [widen(i.type) for i in items]
    if all(k == kinds[0] for k in kinds):
        return kinds[0]
    if all(isinstance(k, Int | Float) for k in kinds):
        return Float()
    if all(isinstance(k, Tensor | AnyTensor) for k in kinds):
        return AnyTensor()
    if all(isinstance(k, List) for k in kinds):
        return kinds[0]
    if all(isinstance(k, ModelOf) for k in kinds):
        return ANY_MODEL
    odd = next(i for i, k in zip(items, kinds, strict=True) if k != kinds[0])
    state.report(describe(WrongType("an item of the list", str(kinds[0]), odd.type), odd.span))
    return None


def check_tuple(state: State, node: ast.TupleLit, expected: Type | None) -> Typed:
    hints: tuple = expected.items if isinstance(expected, Tuple) and len(expected.items) == len(node.items) else (None,) * len(node.items)
    items = [state.expr(item, hint) for item, hint in zip(node.items, hints, strict=True)]
    if any(is_unknown(i.type) for i in items):
        return state.unknown(node.span)
    type_ = Tuple(tuple(i.type for i in items))
    return state.emit("tuple", tuple(i.operand for i in items), type_, node.span)


def check_range(state: State, node: ast.Range, expected: Type | None) -> Typed:
    ends = [state.expr(end, Int()) for end in (node.start, node.stop)]
    if any(is_unknown(e.type) for e in ends):
        return state.unknown(node.span)
    fitted = [coerce(state, e, Int(), "an end of a range") for e in ends]
    if not all(isinstance(e.type, Int) for e in ends):
        return state.unknown(node.span)
    start, stop = (e.type.value if isinstance(e.type, Int) else None for e in ends)
    return state.emit("range", tuple(f.operand for f in fitted), Range(start, stop), node.span)


# --- tensor(...) -----------------------------------------------------------------------------------------------------


def tensor_call(state: State, node: ast.Call, expected: Type | None) -> Typed:
    """`tensor<float16>([[1.0, 2.0]], device: gpu)`"""
    dtype = _asked_dtype(state, node)
    data = [a for a in node.args if a.name is None]
    named = [a for a in node.args if a.name is not None]
    if len(data) != 1:
        return state.error(
            "TL0307", node.span, f"`tensor` takes one value, found {len(data)}", help="write `tensor<float32>([[1.0, 2.0]])`"
        )
    device: str | None = None
    for arg in named:
        if arg.name == "dtype":
            found = state.expr(arg.value).type
            dtype = found.dtype if isinstance(found, DTypeValue) else _no_dtype(state, arg.value.span)
            continue
        if arg.name != "device":
            help = "its parameters are the data, dtype and device"
            return state.error("TL0202", arg.span, f"`tensor` has no parameter `{arg.name}`", help=help)
        place = coerce(state, state.expr(arg.value), Library("Device"), "`device` of `tensor`")
        device = place.operand.value if isinstance(place.operand, Const) else None  # type: ignore[assignment]
    value = state.expr(data[0].value)
    if is_unknown(value.type) or dtype is False:
        return state.unknown(node.span)
    return _tensor_of(state, node, value, dtype, device)


def _no_dtype(state: State, span: Span) -> bool:
    state.error("TL0306", span, "a dtype is expected here", help="for example `dtype: float32`")
    return False


def _asked_dtype(state: State, node: ast.Call) -> str | DTypeVar | None | bool:
    """The dtype in `<...>`; None where there is none, False after a message."""
    if not node.type_args:
        return None
    first = node.type_args[0]
    name = first.name if isinstance(first, ast.NamedType) else ""
    dtype = state.frame.dtype_vars.get(name) or canonical(name)
    if dtype is None or len(node.type_args) > 1:
        state.error("TL0201", first.span, f"there is no dtype `{first.span.text}`")
        return False
    return dtype


def _tensor_of(state: State, node: ast.Call, value: Typed, dtype: str | DTypeVar | None | bool, device: str | None) -> Typed:
    assert not isinstance(dtype, bool)
    found = literal_shape(value.type)
    if found is None:
        if isinstance(value.type, Tensor):
            return value
        advice = uneven(value.type) or ("every row of a tensor literal has the same length" if isinstance(value.type, List) else "")
        state.report(describe(WrongType("the value of a tensor", "numbers or nested lists of numbers", value.type, advice), value.span))
        return state.unknown(node.span)
    wanted = dtype or default_dtype(state, found[1])
    if not leaf_fits(found[1], wanted):
        state.report(describe(WrongType(f"a tensor of {wanted}", str(wanted), found[1]), value.span))
        return state.unknown(node.span)
    made = to_tensor(state, value, wanted, device)
    return Typed(made.operand, made.type, node.span)
