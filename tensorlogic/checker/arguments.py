"""The arguments of a call: each checked once, with what the signatures want of it as a hint."""

from tensorlogic.checker.matching import Argument
from tensorlogic.checker.members import operand_label
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.syntax import ast
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import Float, Int, List, Struct, Tuple, Type


def arguments_of(state: State, node: ast.Call, signatures: tuple[Signature, ...], first: Argument | None = None) -> list[Argument]:
    """Every argument checked once. What the signatures agree upon is a hint: `D / H` is exact where an int is expected."""
    arguments = [first] if first else []
    for arg in node.args:
        hint = _hint(signatures, len(arguments), arg.name)
        arguments.append(Argument(arg.name, state.expr(arg.value, hint), arg.value))
    return arguments


def _hint(signatures: tuple[Signature, ...], position: int, name: str | None) -> Type | None:
    wanted = [p for p in (_parameter_at(s, position, name) for s in signatures) if p is not None]
    for parameter in wanted:
        if _is_closed(parameter.type):
            return parameter.type
    return None


def _parameter_at(signature: Signature, position: int, name: str | None) -> Parameter | None:
    if name is not None:
        return next((p for p in signature.params if p.name == name), None)
    return signature.params[position] if position < len(signature.params) else None


def _is_closed(type_: Type) -> bool:
    """Whether the type says all there is to know: no variable of the signature is in it."""
    match type_:
        case Int() | Float() | Struct(_, ()):
            return True
        case List(element):
            return _is_closed(element)
        case Tuple(items):
            return all(_is_closed(i) for i in items)
    return False


def argument_label(state: State, argument: Argument) -> Label:
    return operand_label(state, argument.node, argument.typed)
