"""Operators on tensors: dtypes that mix, shapes that broadcast, matrix products."""

from dataclasses import replace

from tensorlogic.checker.advice import operand_advice
from tensorlogic.checker.coerce import default_dtype, leaf_fits, literal_shape, to_tensor, uneven
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.members import operand_label
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.syntax import ast
from tensorlogic.types.dtypes import QUANTIZED, is_float, promote_ints
from tensorlogic.types.mistakes import AccidentalBroadcast, DTypeMismatch, NotDefined, SizeMismatch, WrongType
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes import broadcast, matmul
from tensorlogic.types.types import AnyTensor, Bool, DTypeVar, Float, Int, List, Tensor, Type, is_tensor, is_unknown

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def undefined(state: State, node: ast.Binary, side: Typed, advice: str = "") -> Typed:
    state.report(describe(NotDefined(f"`{node.op}`", side.type, advice), side.span))
    return state.unknown(node.span)


def tensor_operator(state: State, node: ast.Binary, left: Typed, right: Typed) -> Typed:
    for side in (left, right):
        if not is_tensor(side.type) and not isinstance(side.type, Int | Float | Bool | List):
            return undefined(state, node, side)
    if any(_quantized(side.type) for side in (left, right)) and node.op != "@":
        return undefined(state, node, left if _quantized(left.type) else right, "dequantize it with `.to(float32)`")
    left, right = _lists_to_tensors(state, left, right)
    if is_unknown(left.type) or is_unknown(right.type):
        return state.unknown(node.span)
    if isinstance(left.type, AnyTensor) or isinstance(right.type, AnyTensor):
        return state.emit("binary", (left.operand, right.operand), AnyTensor(), node.span, op=node.op)
    need = state.need()
    type_ = _result_type(need, node.op, left.type, right.type)
    if need.mistakes or type_ is None:
        return _refused(state, node, need, left, right)
    add_guards(state, need.guards, node.span)
    return state.emit("binary", (left.operand, right.operand), type_, node.span, op=node.op)


def _refused(state: State, node: ast.Binary, need: Obligations, left: Typed, right: Typed) -> Typed:
    if need.mistakes:
        sides = ((node.left, left), (node.right, right))
        labels = tuple(dict.fromkeys(operand_label(state, n, t) for n, t in sides if is_tensor(t.type)))
        mistake = need.mistakes[0]
        subject = f"`{node.op}`" if isinstance(mistake, SizeMismatch | AccidentalBroadcast) else ""
        told = describe(mistake, node.span, labels, subject)
        advice = operand_advice(node.op, (node.left, node.right), (left.type, right.type), mistake)
        state.report(replace(told, help=advice or told.help))
        return state.unknown(node.span)
    return state.emit("binary", (left.operand, right.operand), AnyTensor(), node.span, op=node.op)


def _quantized(type_: Type) -> bool:
    return isinstance(type_, Tensor) and type_.dtype in QUANTIZED


def _lists_to_tensors(state: State, left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """A list of numbers beside a tensor is a tensor of its dtype."""
    if isinstance(left.type, List):
        return _list_to_tensor(state, left, right), right
    if isinstance(right.type, List):
        return left, _list_to_tensor(state, right, left)
    return left, right


def _list_to_tensor(state: State, typed: Typed, other: Typed) -> Typed:
    found = literal_shape(typed.type)
    if found is None:
        state.report(describe(WrongType("an operand beside a tensor", "numbers in equal rows", typed.type, uneven(typed.type)), typed.span))
        return state.unknown(typed.span)
    dtype = other.type.dtype if isinstance(other.type, Tensor) else None
    return to_tensor(state, typed, dtype if dtype and leaf_fits(found[1], dtype) else default_dtype(state, found[1]))


def _result_type(need: Obligations, op: str, left: Type, right: Type) -> Type | None:
    dtype = _result_dtype(need, op, left, right)
    if dtype is None:
        return None
    if not isinstance(left, Tensor) or not isinstance(right, Tensor):
        if op == "@":
            need.fail(NotDefined("`@`", left if not isinstance(left, Tensor) else right, "`@` is the matrix product; use `*` for numbers"))
            return None
        tensor = left if isinstance(left, Tensor) else right
        assert isinstance(tensor, Tensor)
        return Tensor(dtype, tensor.shape)
    shape = matmul(need, left.shape, right.shape) if op == "@" else broadcast(need, left.shape, right.shape)
    return None if shape is None else Tensor(dtype, shape)


def _result_dtype(need: Obligations, op: str, left: Type, right: Type) -> str | DTypeVar | None:
    dtypes = [operand_dtype(t, other) for t, other in ((left, right), (right, left))]
    dtype = mixed_dtype(need, op, dtypes[0], dtypes[1], left, right)
    if dtype is None:
        return None
    if op in COMPARISONS:
        return "bool"
    if isinstance(dtype, DTypeVar) and not _same_for_every_dtype(need, op, dtype, left, right):
        return None
    if op == "/" and (dtype.kind == "int" if isinstance(dtype, DTypeVar) else not is_float(dtype) and not dtype.startswith("complex")):
        return "float32"
    if op == "-" and dtype == "bool":
        need.fail(NotDefined("`-`", left if isinstance(left, Tensor) else right, "use `!=` or `not`"))
        return None
    return dtype


def _same_for_every_dtype(need: Obligations, op: str, dtype: DTypeVar, left: Type, right: Type) -> bool:
    """Whether the result's dtype is the same in terms of the variable, whatever dtype that is; a message where it is not."""
    tensor = left if isinstance(left, Tensor) else right
    fraction = op == "/" or isinstance(left, Float) or isinstance(right, Float)
    if dtype.kind == "number" and fraction:
        need.fail(NotDefined(f"`{op}` with a fraction", tensor, f"its result is {dtype.name} only for floats: say `{dtype.name}: float`"))
        return False
    if dtype.kind == "any" and op not in ("==", "!="):
        need.fail(NotDefined(f"`{op}`", tensor, f"say what kind of dtype it is: `{dtype.name}: number`"))
        return False
    return True


def operand_dtype(type_: Type, other: Type) -> str | DTypeVar:
    """A number takes the dtype of the tensor beside it, except a fraction beside integers."""
    if isinstance(type_, Tensor):
        return type_.dtype
    assert isinstance(other, Tensor)
    if isinstance(other.dtype, DTypeVar):
        return "float32" if other.dtype.kind == "int" and isinstance(type_, Float) else other.dtype
    if is_float(other.dtype) or other.dtype.startswith("complex"):
        return other.dtype
    if isinstance(type_, Float):
        return "float32"
    return "int64" if isinstance(type_, Int) and other.dtype == "bool" else other.dtype


def mixed_dtype(need: Obligations, op: str, a: str | DTypeVar, b: str | DTypeVar, left: Type, right: Type) -> str | DTypeVar | None:
    """What the dtypes of two operands of these types give together; None after a mistake."""
    if a == b:
        return a
    if op == "@" and (a in QUANTIZED or b in QUANTIZED):
        return b if a in QUANTIZED else a
    if isinstance(a, DTypeVar) or isinstance(b, DTypeVar):
        return _mixed_variable(need, op, a, b)
    floats = [d for d in (a, b) if is_float(d) or d.startswith("complex")]
    if len(floats) == 2 or (floats and op == "@"):
        need.fail(DTypeMismatch(f"the operands of `{op}`", a, b))
        return None
    if floats:
        return floats[0]
    if op == "@":
        need.fail(DTypeMismatch("the operands of `@`", a, b))
        return None
    scalar = [isinstance(t, Tensor) and not t.shape for t in (left, right)]
    if scalar[0] != scalar[1] and "bool" not in (a, b):
        return b if scalar[0] else a
    return promote_ints(a, b)


def _mixed_variable(need: Obligations, op: str, a: str | DTypeVar, b: str | DTypeVar) -> str | DTypeVar | None:
    """Integers and bools adapt to floats, also where one of the two is a variable."""
    for one, other in ((a, b), (b, a)):
        if op != "@" and isinstance(one, DTypeVar) and _takes(one, other):
            return one
        if op != "@" and isinstance(one, str) and is_float(one) and isinstance(other, DTypeVar) and other.kind == "int":
            return one
    need.fail(DTypeMismatch(f"the operands of `{op}`", a, b))
    return None


def _takes(variable: DTypeVar, other: str | DTypeVar) -> bool:
    """Whether `other` becomes the variable's dtype, whatever that is."""
    if isinstance(other, DTypeVar):
        return variable.kind == "float" and other.kind == "int"
    return other == "bool" if variable.kind in ("int", "number") else variable.kind == "float" and not is_float(other)
