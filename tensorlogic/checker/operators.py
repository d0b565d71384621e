"""Operators on host values and tensors: what they take, what they give, and the constants that can be worked out now."""

from tensorlogic.checker.coerce import need_type
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.messages import describe
from tensorlogic.checker.overloads import apply_builtin
from tensorlogic.checker.scope import GlobalName
from tensorlogic.checker.slips import STRING_SUM
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.tensor_operators import COMPARISONS, tensor_operator, undefined
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import Const, Op as IrOp, Region, Value
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.goals import Divides
from tensorlogic.types.mistakes import NotDefined, NotDivisible, WrongType
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Bool,
    Float,
    Int,
    List,
    Range,
    String,
    Struct,
    Tensor,
    Tuple,
    Type,
    is_number,
    is_tensor,
    is_unknown,
    widen,
)  # fmt: skip

ARITHMETIC = ("+", "-", "*", "/", "%", "**")
CHAINED = (*ARITHMETIC, "@", *COMPARISONS)
MAX_BITS = 64


def check_binary(state: State, node: ast.Binary, expected: Type | None) -> Typed:
    """Follows a chain of operators down its left side in a loop: it may be thousands of operators long."""
    if node.op in ("and", "or"):
        return _logic_chain(state, node)
    if node.op == "in":
        return _membership(state, node)
    if node.op not in CHAINED:
        return _side_by_side(state, node)
    chain: list[ast.Binary] = []
    left: ast.Node = node
    while isinstance(left, ast.Binary) and left.op in CHAINED:
        chain.append(left)
        left = left.left
    hint = expected if isinstance(expected, Int) else None
    total = state.expr(left, hint)
    for link in reversed(chain):
        right = state.expr(link.right, hint)
        total = apply_operator(state, link, total, right, exact=hint is not None)
    return total


def _side_by_side(state: State, node: ast.Binary) -> Typed:
    """Two values without an operator between them, outside an equation."""
    help = "write `,` or `*` between them"
    return state.error("TL0404", node.span, "two values stand side by side, and none has an index", "no operator", help)


def apply_operator(state: State, node: ast.Binary, left: Typed, right: Typed, exact: bool = False) -> Typed:
    if is_unknown(left.type) or is_unknown(right.type):
        return state.unknown(node.span)
    if is_tensor(left.type) or is_tensor(right.type):
        return tensor_operator(state, node, left, right)
    if node.op == "@":
        return undefined(state, node, left if not is_tensor(left.type) else right)
    if node.op in ("==", "!="):
        return _equality(state, node, left, right)
    if is_number(left.type) and is_number(right.type):
        return _number_operator(state, node, left, right, exact)
    return _sequence_operator(state, node, left, right)


# --- numbers ---------------------------------------------------------------------------------------------------------


def _number_operator(state: State, node: ast.Binary, left: Typed, right: Typed, exact: bool) -> Typed:
    op = node.op
    if op in COMPARISONS:
        return state.emit("binary", (left.operand, right.operand), Bool(), node.span, op=op)
    if isinstance(left.type, Float) or isinstance(right.type, Float):
        return _float_operator(state, node, left, right)
    assert isinstance(left.type, Int) and isinstance(right.type, Int)
    if op == "/" and exact:
        return _exact_division(state, node, left, right)
    if op == "/":
        if isinstance(right.operand, Const) and right.operand.value == 0:
            return state.error("TL0314", node.op_span, "division by zero")
        return state.emit("binary", (left.operand, right.operand), Float(), node.span, op="/")
    return _int_operator(state, node, left, right, left.type.value, right.type.value)


def _float_operator(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    if node.op in ("/", "%") and isinstance(right.operand, Const) and right.operand.value == 0:
        return state.error("TL0314", node.op_span, "division by zero")
    if node.op == "**" and not _stays_real(left, right):
        return apply_builtin(state, "pow", [Argument(None, left, node.left), Argument(None, right, node.right)], node.span)
    return state.emit("binary", (left.operand, right.operand), Float(), node.span, op=node.op)


def _stays_real(base: Typed, exponent: Typed) -> bool:
    """Whether Python's power is certainly a float: a whole exponent, or a base that is not below 0."""
    known = base.operand.value if isinstance(base.operand, Const) else None
    power = exponent.operand.value if isinstance(exponent.operand, Const) else None
    return (isinstance(known, int | float) and known >= 0) or (isinstance(power, int | float) and float(power).is_integer())


def _int_operator(state: State, node: ast.Binary, left: Typed, right: Typed, a: Dim | None, b: Dim | None) -> Typed:
    """`+ - * % **` on ints; the value is followed where it can be, and bounded before it is worked out."""
    try:
        value = _int_value(node.op, a, b)
    except DimTooLarge:
        value = None
    except (OverflowError, ZeroDivisionError) as problem:
        return state.error("TL0314", node.op_span, str(problem))
    if value is not None and value.value is not None:
        if not -(2**63) <= value.value < 2**63:
            return state.error("TL0314", node.op_span, "this constant does not fit into 64 bits")
        if isinstance(left.operand, Const) and isinstance(right.operand, Const):
            return Typed(Const(value.value, Int(value)), Int(value), node.span)
    if node.op == "**" and b is not None and b.value is not None and b.value < 0:
        return state.emit("binary", (left.operand, right.operand), Float(), node.span, op="**")
    return state.emit("binary", (left.operand, right.operand), Int(value), node.span, op=node.op)


def _int_value(op: str, a: Dim | None, b: Dim | None) -> Dim | None:
    if a is None or b is None:
        return None
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "%":
            if b.value == 0:
                raise ZeroDivisionError("division by zero")
            return a.mod(b)
    return _power(a.value, b.value)


def _power(base: int | None, exponent: int | None) -> Dim | None:
    """Bounded before it is computed: `9 ** 9 ** 9` must not take the machine."""
    if base is None or exponent is None or exponent < 0:
        return None
    if base.bit_length() * exponent > MAX_BITS * 2 and abs(base) > 1:
        raise OverflowError("this constant does not fit into 64 bits")
    return Dim.const(base**exponent)


def _exact_division(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    """`/` where an int is expected: the quotient, and the obligation that there is no remainder."""
    assert isinstance(left.type, Int) and isinstance(right.type, Int)
    a = left.type.value if left.type.value is not None else state.dim_for(left.operand)
    b = right.type.value if right.type.value is not None else state.dim_for(right.operand)
    if b.value == 0:
        return state.error("TL0309", node.op_span, "division by zero")
    need = state.need()
    need.require(Divides(b, a), lambda witness: NotDivisible(b, a, witness))
    if need.mistakes:
        labels = tuple(label for side, typed in ((node.left, left), (node.right, right)) for label in _constant_label(state, side, typed))
        state.report(describe(need.mistakes[0], node.span, labels))
        return state.unknown(node.span)
    add_guards(state, need.guards, node.span)
    value = a.exact_div(b)
    if value.value is not None and isinstance(left.operand, Const) and isinstance(right.operand, Const):
        return Typed(Const(value.value, Int(value)), Int(value), node.span)
    return state.emit("binary", (left.operand, right.operand), Int(value), node.span, op="//")


def _constant_label(state: State, node: ast.Node, typed: Typed) -> tuple[Label, ...]:
    """Where the value of a constant comes from."""
    found = state.scope.find(node.name) if isinstance(node, ast.Name) else None
    if not isinstance(found, GlobalName) or not isinstance(node, ast.Name) or not isinstance(typed.type, Int):
        return ()
    return (Label(found.span, f"`{node.name}` is {typed.type.value}"),)


# --- other host values -----------------------------------------------------------------------------------------------


def _equality(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    a, b = widen(left.type), widen(right.type)
    lists = isinstance(a, List) and isinstance(b, List)
    if a != b and not (is_number(a) and is_number(b)) and not lists and not (isinstance(a, Tuple) and isinstance(b, Tuple)):
        state.report(describe(WrongType(f"the right side of `{node.op}`", str(a), b), right.span))
        return state.unknown(node.span)
    return state.emit("binary", (left.operand, right.operand), Bool(), node.span, op=node.op)


def _sequence_operator(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    match node.op, widen(left.type), widen(right.type):
        case "+", String(), String():
            return _string_sum(state, node, left, right)
        case "+", List(a), List(b) if type(a) is type(b) or isinstance(a, Any) or isinstance(b, Any):
            items = _joined_items(left.type, right.type)
            return state.emit("binary", (left.operand, right.operand), List(b if isinstance(a, Any) else a, items), node.span, op="+")
        case "*", String(), Int():
            return state.emit("binary", (left.operand, right.operand), String(), node.span, op="*")
        case (("<" | "<=" | ">" | ">="), String(), String()):
            return state.emit("binary", (left.operand, right.operand), Bool(), node.span, op=node.op)
        case _, List(), _:
            return undefined(state, node, left, "write `tensor([...])` to calculate with numbers")
        case _, _, List():
            return undefined(state, node, right, "write `tensor([...])` to calculate with numbers")
        case _, Struct() | Tuple() | Range() | Bool(), _:
            return undefined(state, node, left)
    odd, other = (right, left) if is_number(left.type) or isinstance(left.type, String) else (left, right)
    number = next((side for side in (left, right) if is_number(side.type)), None)
    if node.op == "+" and number is not None and isinstance(odd.type, String) != isinstance(other.type, String):
        return undefined(state, node, odd, STRING_SUM.format(number.span.text if len(number.span.text) < 30 else "n"))
    return undefined(state, node, odd)


def _string_sum(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    if isinstance(left.operand, Const) and isinstance(right.operand, Const):
        value = f"{left.operand.value}{right.operand.value}"
        return Typed(Const(value, String(value)), String(value), node.span)
    return state.emit("binary", (left.operand, right.operand), String(), node.span, op="+")


def _joined_items(left: Type, right: Type) -> tuple[Type, ...] | None:
    if isinstance(left, List) and isinstance(right, List) and left.items is not None and right.items is not None:
        return left.items + right.items
    return None


def _membership(state: State, node: ast.Binary) -> Typed:
    left, right = state.expr(node.left), state.expr(node.right)
    if is_unknown(left.type) or is_unknown(right.type):
        return state.unknown(node.span)
    if not isinstance(right.type, List | String | Range | Tuple):
        return undefined(state, node, right)
    return state.emit("binary", (left.operand, right.operand), Bool(), node.span, op="in")


def check_set(state: State, node: ast.SetLit, expected: Type | None) -> Typed:
    return state.expr(ast.ListLit(node.span, node.items), expected)


# --- logic -----------------------------------------------------------------------------------------------------------


def condition(state: State, node: ast.Node, what: str = "a condition") -> Typed | None:
    """A host bool or a one-element tensor."""
    typed = state.expr(node)
    return typed if fits_condition(state, typed, what) else None


def fits_condition(state: State, typed: Typed, what: str) -> bool:
    if not need_type(state, typed, (Bool, Tensor, AnyTensor), "bool or a tensor of one element", what):
        return False
    sizes = typed.type.shape if isinstance(typed.type, Tensor) else ()
    wrong = next((d for d in sizes if isinstance(d, Dim) and d.value != 1 and not d.has_unknown), None)
    if wrong is not None:
        help = "reduce it with `any(...)` or `all(...)`"
        state.report(describe(WrongType(what, "bool or a tensor of one element", typed.type, help), typed.span))
        return False
    return True


def _logic_chain(state: State, node: ast.Binary) -> Typed:
    chain: list[ast.Binary] = []
    left: ast.Node = node
    while isinstance(left, ast.Binary) and left.op in ("and", "or"):
        chain.append(left)
        left = left.left
    total = state.expr(left)
    good = fits_condition(state, total, f"the left side of `{chain[-1].op}`")
    for link in reversed(chain):
        total, fine = _logic(state, link, total)
        good = good and fine
    return total if good else state.unknown(node.span)


def _logic(state: State, node: ast.Binary, left: Typed) -> tuple[Typed, bool]:
    left = _as_bool(state, left)
    with state.block() as ops:
        right = state.expr(node.right)
        good = fits_condition(state, right, f"the right side of `{node.op}`")
        right = _as_bool(state, right)
    value = Value("", Bool())
    region = Region((), tuple(ops), (right.operand,))
    state.ops.append(IrOp(node.op, (left.operand,), (value,), {}, (region,), node.span))
    return Typed(value, Bool(), node.span), good


def _as_bool(state: State, typed: Typed) -> Typed:
    """The value of a one-element tensor, so that `and` and `or` give a host bool."""
    if not isinstance(typed.type, Tensor | AnyTensor):
        return typed
    item = state.emit("builtin", (typed.operand,), Bool(), typed.span, name="item", index=0)
    return (
        item
        if isinstance(typed.type, Tensor) and typed.type.dtype == "bool"
        else state.emit("cast", (item.operand,), Bool(), typed.span, to="bool")
    )


def check_unary(state: State, node: ast.Unary, expected: Type | None) -> Typed:
    inner = state.expr(node.operand, expected if isinstance(expected, Int) else None)
    if is_unknown(inner.type):
        return state.unknown(node.span)
    return _negated(state, node, inner) if node.op == "-" else _inverted(state, node, inner)


def _negated(state: State, node: ast.Unary, inner: Typed) -> Typed:
    if isinstance(inner.operand, Const) and isinstance(inner.type, Int | Float):
        value = -inner.operand.value  # type: ignore[operator]
        type_ = Int(Dim.const(value)) if isinstance(inner.type, Int) else Float(value)
        return Typed(Const(value, type_, f"-{inner.operand.text}" if inner.operand.text else ""), type_, node.span)
    match inner.type:
        case Int(value):
            return state.emit("unary", (inner.operand,), Int(None if value is None else -value), node.span, op="-")
        case Float() | AnyTensor():
            return state.emit("unary", (inner.operand,), widen(inner.type), node.span, op="-")
        case Tensor(dtype) if dtype != "bool" and dtype not in QUANTIZED:
            return state.emit("unary", (inner.operand,), inner.type, node.span, op="-")
    state.report(describe(NotDefined("`-`", inner.type), node.span))
    return state.unknown(node.span)


def _inverted(state: State, node: ast.Unary, inner: Typed) -> Typed:
    if isinstance(inner.type, Tensor) and inner.type.dtype == "bool" and inner.type.shape:
        return state.emit("unary", (inner.operand,), inner.type, node.span, op="~")
    if not fits_condition(state, inner, "the operand of `not`"):
        return state.unknown(node.span)
    return state.emit("unary", (inner.operand,), Bool(), node.span, op="not")
