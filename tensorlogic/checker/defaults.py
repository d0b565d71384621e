"""The default values of parameters, which shapes may depend on."""

from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Bool, Float, Int, NoneType, String, Type


def default_value(node: object) -> object:
    """The value of a default in a signature: a number, bool, string, NoneType, or None for what shapes never depend on."""
    match node:
        case ast.IntLit(value=value) | ast.BoolLit(value=value) | ast.StringLit(value=value):
            return value
        case ast.FloatLit(text=text):
            return float(text.replace("_", ""))
        case ast.Unary(op="-", operand=ast.IntLit(value=value)):
            return -value
        case ast.Unary(op="-", operand=ast.FloatLit(text=text)):
            return -float(text.replace("_", ""))
        case ast.Name(name="none"):
            return NoneType()
        case ast.ListLit(items=items):
            return tuple(Dim.const(v) if type(v := default_value(i)) is int else None for i in items)
    return None


def type_of_default(parameter: Parameter, value: object) -> Type:
    match value:
        case NoneType():
            return value
        case bool():
            return Bool(value)
        case int():
            return Int(Dim.const(value))
        case float():
            return Float(value)
        case str():
            return String(value)
    return parameter.type
