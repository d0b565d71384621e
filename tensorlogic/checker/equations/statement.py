"""What an equation does: defines a tensor, changes one, accumulates into one."""

from tensorlogic.checker.equations.build import is_value
from tensorlogic.checker.equations.grouping import grouped, is_grouped
from tensorlogic.checker.equations.ranges import stands_at
from tensorlogic.checker.equations.recurrence import base_axis, define_first, fixpoint, is_recurrence, reads_elsewhere, recurrence
from tensorlogic.checker.equations.solve import equation_value, right_side
from tensorlogic.checker.equations.store import read, slots_of, store
from tensorlogic.checker.equations.terms import Term, aligned, call, expanded
from tensorlogic.checker.equations.tree import KEEPING, Defined, Equation
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.places import write
from tensorlogic.checker.scope import Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.types import Tensor, Unknown, is_unknown

Left = tuple[tuple[str, Span], ...]


def let_equation(state: State, node: ast.Let) -> None:
    """`let Y[i] = e`: always a new tensor."""
    assert isinstance(node.target, ast.Index)
    _define(state, node.target, node, new=True)


def assign_equation(state: State, node: ast.Assign) -> None:
    target = node.target
    if isinstance(target, ast.Index):
        new = isinstance(target.base, ast.Name) and state.scope.find(target.base.name) is None
        if new and node.op in ("=", ":="):
            _define(state, target, node, new=False)
        elif new:
            _begin(state, target, node)
        else:
            _change(state, target, node)
    elif isinstance(target, ast.Name | ast.Member):
        _change_scalar(state, target, node)
    else:
        state.error("TL0101", target.span, "this is no place that can be assigned to", help="a place is a name, `x[i]` or `p.field`")


def _silence(state: State, target: ast.Index) -> None:
    """The name is declared, so that its uses say nothing more."""
    if isinstance(target.base, ast.Name) and state.scope.find(target.base.name) is None:
        state.declare(target.base.name, Unknown(), target.base.span)


# --- definitions -----------------------------------------------------------------------------------------------------


def _define(state: State, target: ast.Index, node: ast.Let | ast.Assign, new: bool) -> None:
    if not isinstance(target.base, ast.Name):
        state.error("TL0404", target.span, "an equation defines a name")
        return
    axis = base_axis(state, target, new)
    if axis is not None:
        define_first(state, target, node, axis)
        return
    left, value = _left_of(state, target, node.value)
    if left is None:
        _silence(state, target)
        return
    equation = Equation(state, tuple(name for name, _ in left))
    term = right_side(equation, value, node.where, left)
    declare(state, target.base.name, target.base.span, term.typed, equation.left)


def declare(state: State, name: str, span: Span, typed: Typed, names: tuple[str, ...]) -> Variable:
    variable = state.declare(name, typed.type, span)
    if not is_unknown(typed.type):
        state.bind_value(variable, typed)
    variable.equation = Defined(names)
    return variable


def _left_of(state: State, target: ast.Index, value: ast.Expr) -> tuple[Left | None, ast.Expr]:
    """The indices on the left; with a dot, the right side says which index it normalizes."""
    names: list[tuple[str, Span]] = []
    dotted: list[ast.Name] = []
    for item in target.items:
        match item:
            case ast.Name(name=name):
                names.append((name, item.span))
            case ast.DottedIndex(name=name):
                names.append((name, item.span))
                dotted.append(ast.Name(item.span, name))
            case _:
                help = "a recurrence needs a first state: `H[0, i] = ...`" if isinstance(item, ast.Binary) else ""
                state.error("TL0404", item.span, "the left side of a definition names indices", "this is none", help)
                return None, value
    double = next((name for at, (name, _) in enumerate(names) if name in dict(names[:at])), None)
    if double is not None:
        state.error(
            "TL0404", target.span, f"the index `{double}` stands twice on the left", "", "set the diagonal of a tensor that is there"
        )
        return None, value
    return tuple(names), _normalized(state, value, tuple(dotted)) if dotted else value


def _normalized(state: State, value: ast.Expr, dotted: tuple[ast.Name, ...]) -> ast.Expr:
    """`S[i, j.] = softmax(e)` is `S[i, j] = softmax[j](e)`."""
    match value:
        case ast.Call(callee=ast.Name(name=name) as callee) if name in KEEPING and state.scope.find(name) is None:
            span = callee.span
            return ast.Call(value.span, ast.Index(span, callee, dotted), value.type_args, value.args)
    help = f"write `softmax(...)`, or another of {', '.join(KEEPING[:4])}"
    state.error("TL0404", value.span, "a dot on the left names the index that the right side normalizes", "this normalizes nothing", help)
    return value


def _begin(state: State, target: ast.Index, node: ast.Assign) -> None:
    """`Y[i] += e` of a new name starts from the identity of the operator."""
    assert isinstance(target.base, ast.Name)
    if is_grouped(target):
        typed, names = grouped(state, target, node)
    elif node.op == "/=":
        typed, names = state.error("TL0404", node.span, "`/=` has nothing to start from", "", "define the tensor with `=` first"), ()
    else:
        left, _ = _left_of(state, target, node.value)
        if left is None:
            _silence(state, target)
            return
        equation = Equation(state, tuple(name for name, _ in left))
        typed, names = right_side(equation, node.value, node.where, left, node.op[:-1]).typed, equation.left
        typed = call(equation, "neg", node.span, typed) if node.op == "-=" and not is_unknown(typed.type) else typed
    declare(state, target.base.name, target.base.span, typed, names)


# --- changes ---------------------------------------------------------------------------------------------------------


def _change(state: State, target: ast.Index, node: ast.Assign) -> None:
    """A tensor that is there: part of it, or all of it, gets new values."""
    base = target.base
    found = state.scope.find(base.name) if isinstance(base, ast.Name) else None
    variable = found if isinstance(found, Variable) else None
    if node.op in ("=", ":=") and variable is not None and is_recurrence(state, variable, target):
        recurrence(state, variable, target, node)
        return
    if node.op in ("=", ":=") and variable is not None and _defined_twice(state, variable, target):
        return
    whole = state.expr(base)
    if not isinstance(whole.type, Tensor):
        if not is_unknown(whole.type):
            state.error("TL0404", target.span, f"an index stands on the axis of a tensor, found {whole.type}")
        return
    if is_grouped(target):
        typed, _ = grouped(state, target, node, whole)
        if not is_unknown(typed.type):
            write(state, base, typed, node.span)
        return
    if node.op not in ("=", ":=") and isinstance(base, ast.Name) and reads_elsewhere(state, target, node.value):
        fixpoint(state, target, node, whole)
        return
    _replace(state, target, node, whole)


def _defined_twice(state: State, variable: Variable, target: ast.Index) -> bool:
    """A second `=` with the same index names (TL0402)."""
    names = tuple(item.name for item in target.items if isinstance(item, ast.Name) and not is_value(state, item.name))
    known = variable.equation
    if not isinstance(known, Defined) or len(names) != len(target.items) or names != known.names or not names:
        return False
    title = f"`{target.base.span.text}` is defined by two equations"
    help = ("write `+=`, `max=` or `min=` to accumulate, or `let` for a new tensor",)
    labels = (Label(variable.span, "defined here"),)
    state.report(Diagnostic("TL0402", title, target.span, "defined again", labels, help))
    return True


def _replace(state: State, target: ast.Index, node: ast.Assign, whole: Typed) -> None:
    slots = slots_of(state, target, whole)
    if slots is None:
        return
    left = tuple((slot.name, slot.span) for slot in slots if slot.name)
    equation = Equation(state, tuple(name for name, _ in left))
    for slot in slots:
        if slot.name and slot.size is not None:
            stands_at(equation, slot.name, slot.size, slot.span)
    op = "" if node.op in ("=", ":=") else node.op[:-1]
    term = right_side(equation, node.value, node.where, left, op)
    if equation.wrong or term.unknown:
        return
    if op:
        term = operated(equation, node, op, read(equation, whole, slots, target.span), term)
    typed = store(equation, whole, slots, term, node.span)
    if not is_unknown(typed.type):
        write(state, target.base, typed, node.span)


def operated(equation: Equation, node: ast.Assign, op: str, old: Term, new: Term) -> Term:
    """`old op new`, element by element."""
    axes = old.axes
    values = aligned(equation, old, axes), aligned(equation, new, axes)
    if op in ("max", "min"):
        return Term(call(equation, op, node.span, *values), axes)
    span = Span(node.span.source, node.target.span.end, node.value.span.start)
    binary = ast.Binary(node.span, op, node.target, node.value, span)
    return Term(apply_operator(equation.state, binary, *values), axes)


def _change_scalar(state: State, target: ast.Name | ast.Member, node: ast.Assign) -> None:
    """`loss = Y[i] Y[i]`, `loss += ...`, `best max= A[i]`."""
    if node.op in ("=", ":="):
        write(state, target, equation_value(state, node.value, node.where), node.span)
        return
    op = node.op[:-1]
    equation = Equation(state, ())
    term = right_side(equation, node.value, node.where, (), op)
    if term.unknown:
        return
    if isinstance(target, ast.Name) and state.scope.find(target.name) is None:
        typed = term.typed
    else:
        typed = operated(equation, node, op, expanded(equation, Term(state.expr(target), ()), (), target.span), term).typed
    write(state, target, typed, node.span)
