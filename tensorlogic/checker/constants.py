"""The values of constants: what the compiler can work out from literals, other constants and arithmetic."""

import math
from collections.abc import Callable, Mapping

from tensorlogic.checker.scope import GlobalName, Namespace
from tensorlogic.checker.state import State
from tensorlogic.ir.ir import Const
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Bool, Float, Int, List, String, Tuple, Type

FUNCTIONS: Mapping[str, Callable] = {
    "min": min, "max": max, "abs": abs, "round": round, "floor_div": lambda a, b: a // b, "ceil_div": lambda a, b: -(-a // b),
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip
OPERATORS: Mapping[str, Callable] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: _product(a, b), "/": lambda a, b: a / b, "%": lambda a, b: a % b,
    "**": lambda a, b: _power(a, b), "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
}  # fmt: skip
CASTS: Mapping[str, Callable] = {"int": int, "float": float, "bool": bool, "string": str}
MAX_INT = 2**63
MAX_TEXT = 100_000


class NotConstant(Exception):
    """The expression has a part that only the running program knows."""


def constant_value(state: State, node: ast.Node, type_: Type) -> Const | None:
    """The value of an expression that was checked to be of `type_`; None where it is not known. OverflowError where it is too large."""
    try:
        value = _value(state, node)
    except (NotConstant, ArithmeticError, ValueError, TypeError) as problem:
        if isinstance(problem, OverflowError):
            raise
        return None
    if isinstance(type_, Float) and type(value) is int:
        value = float(value)
    known = _type_of(value, type_)
    return None if known is None else Const(value, known)


def _type_of(value: object, type_: Type) -> Type | None:
    """The type with all that the value says; None where the two do not belong together."""
    match value, type_:
        case bool(), Bool():
            return Bool(value)
        case int(), Int() if not isinstance(value, bool):
            return Int(Dim.const(value))
        case float(), Float():
            return Float(value)
        case str(), String():
            return String(value)
        case tuple(), List(element):
            items = [_type_of(v, element) for v in value]
            return None if None in items else List(element, tuple(i for i in items if i is not None))
        case tuple(), Tuple(parts) if len(parts) == len(value):
            items = [_type_of(v, p) for v, p in zip(value, parts, strict=True)]
            return None if None in items else Tuple(tuple(i for i in items if i is not None))
    return None


def _value(state: State, node: ast.Node) -> object:
    match node:
        case ast.IntLit(value=value) | ast.StringLit(value=value) | ast.BoolLit(value=value):
            return value
        case ast.FloatLit(text=text):
            return float(text.replace("_", ""))
        case ast.Name(name=name):
            return _of_binding(state.scope.find(name))
        case ast.Member(base=ast.Name(name=alias), name=name) if isinstance(space := state.scope.find(alias), Namespace):
            return _of_binding(space.scope.names.get(name))
        case ast.ListLit(items=items) | ast.TupleLit(items=items):
            return tuple(_part(state, item) for item in items)
    return _computed(state, node)


def _part(state: State, node: ast.Node) -> object:
    """Of a list written out; the name of another one would let it double at each step."""
    value = _value(state, node)
    if isinstance(value, tuple) and not isinstance(node, ast.ListLit | ast.TupleLit):
        raise NotConstant
    return value


def _of_binding(found: object) -> object:
    if isinstance(found, GlobalName) and found.item.kind == "const" and isinstance(found.item.value, Const):
        return found.item.value.value
    raise NotConstant


def _computed(state: State, node: ast.Node) -> object:
    match node:
        case ast.Unary(op="-", operand=operand):
            return _bounded(-_value(state, operand))  # type: ignore[operator]
        case ast.Unary(operand=operand):
            return not _value(state, operand)
        case ast.Binary():
            return _chain(state, node)
        case ast.Cast(operand=operand, type=ast.NamedType(name=name)) if name in CASTS:
            return _bounded(CASTS[name](_value(state, operand)))
        case ast.Call(callee=ast.Name(name=name), args=args) if name in FUNCTIONS and state.scope.find(name) is None:
            return _bounded(FUNCTIONS[name](*(_value(state, a.value) for a in args)))
    raise NotConstant


def _chain(state: State, node: ast.Binary) -> object:
    """Down the left side in a loop: a chain of operators may be long."""
    chain: list[ast.Binary] = []
    left: ast.Node = node
    while isinstance(left, ast.Binary):
        chain.append(left)
        left = left.left
    total = _value(state, left)
    for link in reversed(chain):
        if link.op not in OPERATORS:
            raise NotConstant
        total = _bounded(OPERATORS[link.op](total, _value(state, link.right)))
    return total


def _product(left, right):
    """A text or list is repeated only as long as the result stays small."""
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | tuple) and isinstance(count, int) and len(sequence) * count > MAX_TEXT:
            raise NotConstant
    return left * right


def _power(base: float, exponent: float) -> float:
    """Bounded before it is worked out."""
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 64:
        raise OverflowError
    return base**exponent


def _bounded(value: object) -> object:
    """Numbers stay in 64 bits, texts and lists small."""
    match value:
        case float() if not math.isfinite(value):
            raise OverflowError
        case int() if not -MAX_INT <= value < MAX_INT:
            raise OverflowError
        case str() | tuple() if len(value) > MAX_TEXT:
            raise NotConstant
        case complex():
            raise NotConstant
    return value
