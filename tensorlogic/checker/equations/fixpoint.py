"""Equations `Y op= e(Y)` that read what they write at other places: they run to their fixpoint."""

from dataclasses import replace

from tensorlogic.checker.bounds import bounds_of
from tensorlogic.checker.equations.names import names_in_brackets
from tensorlogic.checker.equations.scan import as_function
from tensorlogic.checker.equations.store import changed
from tensorlogic.checker.places import write
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const, Omitted, Value
from tensorlogic.syntax import ast
from tensorlogic.types.types import Float, Int


def reads_elsewhere(state: State, target: ast.Index, value: ast.Node) -> bool:
    """Whether the right side reads the tensor on the left at other indices, and the left side has an index."""
    if not isinstance(target.base, ast.Name) or not names_in_brackets(state, target)[0]:
        return False
    written = _places(target)
    name = target.base.name
    reads = (node for node in ast.walk(value) if isinstance(node, ast.Index) and isinstance(node.base, ast.Name) and node.base.name == name)
    return any(_places(node) != written for node in reads)


def _places(node: ast.Index) -> list[str]:
    """What stands in the brackets, however it is spaced."""
    return ["".join(item.span.text.split()) for item in node.items]


def fixpoint(state: State, target: ast.Index, node: ast.Assign, whole: Typed) -> None:
    """`D[i, j] min= D[i, k] + D[k, j]`: the least change of what `D` holds that the equation leaves as it is, or where `steps` or `tol`
    ends it. With `=` the right side is the next value, otherwise it is put together with what `D` held at first."""
    assert isinstance(target.base, ast.Name)
    held = Value("", whole.type)
    bounds = bounds_of(state, node.where)
    with as_function(state, (held,), node.span) as finish:
        state.scope.names[target.base.name] = Variable(held, whole.type, target.base.span)
        after = changed(state, target, replace(node, where=bounds.others), whole)
        if after is None:
            return
        function = finish(after)
    limits = tuple(Omitted() if given is None else Const(given, type_) for given, type_ in ((bounds.steps, Int()), (bounds.tol, Float())))
    typed = state.emit("builtin", (whole.operand, function, *limits), whole.type, node.span, name="fixpoint", index=0)
    write(state, target.base, typed, node.span)
