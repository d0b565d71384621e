"""`--set NAME=VALUE`: another value for a constant, of the type that it has."""

from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.ir.ir import Const
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Bool, Float, Int, String, Type


def setting_value(state: State, node: ast.Const, value: Const) -> Const | None:
    """The value of a constant: what the program says, unless a setting replaces it."""
    text = state.settings.get(node.name)
    if text is None:
        return value
    state.used_settings.add(node.name)
    replaced = _parse(text, value.type)
    if replaced is None:
        title = f"`--set {node.name}=...` must give {value.type}, found {text!r}"
        state.report(Diagnostic("TL0306", title, node.name_span, "set from the command line"))
    return replaced


def _parse(text: str, type_: Type) -> Const | None:
    try:
        match type_:
            case Int():
                number = int(text.replace("_", ""), 0)
                return Const(number, Int(Dim.const(number))) if -(2**63) <= number < 2**63 else None
            case Float():
                return Const(float(text), Float(float(text)), text)
            case Bool() if text in ("true", "false"):
                return Const(text == "true", Bool(text == "true"))
            case String():
                return Const(text, String(text))
    except ValueError:
        return None
    return None


def unused_settings(state: State) -> None:
    for name in state.settings.keys() - state.used_settings:
        state.report(Diagnostic("TL0201", f"`--set {name}=...`: the program has no constant `{name}`", file=state.file))
