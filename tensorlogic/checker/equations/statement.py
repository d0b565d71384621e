"""What an equation does: defines a tensor, changes one, accumulates into one."""

from tensorlogic.checker.bounds import bounds_of
from tensorlogic.checker.equations.firsts import define_first, further_state
from tensorlogic.checker.equations.fixpoint import fixpoint, reads_elsewhere
from tensorlogic.checker.equations.grouping import grouped, is_grouped
from tensorlogic.checker.equations.left import is_plain
from tensorlogic.checker.equations.names import is_value
from tensorlogic.checker.equations.recurrence import is_recurrence, recurrence
from tensorlogic.checker.equations.solve import equation_value, right_side
from tensorlogic.checker.equations.store import changed, made, operated
from tensorlogic.checker.equations.terms import Term, call, expanded
from tensorlogic.checker.equations.together import first_axis, names_of
from tensorlogic.checker.equations.tree import KEEPING, Defined, Equation
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
    axis = first_axis(state, target)
    if axis is not None:
        define_first(state, target, node, axis)
        return
    if not is_plain(target):
        _place(state, target, node, "")
        return
    left, value = _left_of(state, target, node.value)
    if left is None or value is None:
        _silence(state, target)
        return
    equation = Equation(state, tuple(name for name, _ in left))
    term = right_side(equation, value, node.where, left)
    declare(state, target.base.name, target.base.span, term.typed, equation.left)


def _place(state: State, target: ast.Index, node: ast.Let | ast.Assign, op: str) -> None:
    """A new tensor whose places are worked out: `D[i, i] = v[i]`, `Y[x + dx] += X[x] K[dx]`."""
    assert isinstance(target.base, ast.Name)
    name = target.base.name
    if _goes_on(state, target, node):
        help = f"give it: `{name}[0, ...] = ...`, or without the axis of the steps where it has `*`"
        state.error("TL0404", target.span, f"the recurrence of `{name}` has no first state", "", help)
        _silence(state, target)
        return
    found = made(state, target, node, op)
    if found is None:
        _silence(state, target)
    else:
        declare(state, name, target.base.span, *found)


def _goes_on(state: State, target: ast.Index, node: ast.Let | ast.Assign) -> bool:
    """Whether it is like the step of a recurrence: it has a `*`, or reads what it defines."""
    assert isinstance(target.base, ast.Name)
    if any(isinstance(item, ast.VirtualIndex) for item in target.items):
        return True
    return isinstance(node, ast.Assign) and target.base.name in names_of(node.value)


def declare(state: State, name: str, span: Span, typed: Typed, names: tuple[str, ...]) -> Variable:
    variable = state.declare(name, typed.type, span)
    if not is_unknown(typed.type):
        state.bind_value(variable, typed)
    variable.equation = Defined(names)
    return variable


def _left_of(state: State, target: ast.Index, value: ast.Expr) -> tuple[Left | None, ast.Expr | None]:
    """The indices on the left; with a dot, the right side says which index it normalizes. None for what is wrong, after a message."""
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
                state.error("TL0404", item.span, "the left side of a definition names indices", "this is none")
                return None, value
    return tuple(names), _normalized(state, value, tuple(dotted)) if dotted else value


def _normalized(state: State, value: ast.Expr, dotted: tuple[ast.Name, ...]) -> ast.Expr | None:
    """`S[i, j.] = softmax(e)` is `S[i, j] = softmax[j](e)`."""
    match value:
        case ast.Call(callee=ast.Name(name=name) as callee) if name in KEEPING and state.scope.find(name) is None:
            span = callee.span
            return ast.Call(value.span, ast.Index(span, callee, dotted), value.type_args, value.args)
    help = f"write `softmax(...)`, or another of {', '.join(KEEPING[:4])}"
    state.error("TL0404", value.span, "a dot on the left names the index that the right side normalizes", "this as a whole does not", help)
    return None


def _begin(state: State, target: ast.Index, node: ast.Assign) -> None:
    """`Y[i] += e` of a new name starts from the identity of the operator."""
    assert isinstance(target.base, ast.Name)
    if is_grouped(target):
        typed, names = grouped(state, target, node)
    elif node.op == "/=":
        typed, names = state.error("TL0404", node.span, "`/=` has nothing to start from", "", "define the tensor with `=` first"), ()
    elif not is_plain(target):
        _place(state, target, node, node.op[:-1])
        return
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
    if node.op in ("=", ":=") and variable is not None and further_state(state, variable, target, node):
        return
    recursive = isinstance(base, ast.Name) and reads_elsewhere(state, target, node.value)
    bounded = recursive and bounds_of(state, node.where).given
    if node.op in ("=", ":=") and variable is not None and not bounded and _defined_so(state, variable, target):
        _second(state, variable, target, recursive)
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
    if recursive and (bounded or node.op not in ("=", ":=")):
        fixpoint(state, target, node, whole)
        return
    typed = changed(state, target, node, whole)
    if typed is not None:
        write(state, base, typed, node.span)


def _defined_so(state: State, variable: Variable, target: ast.Index) -> bool:
    """Whether an equation with the same index names defined the tensor."""
    names = tuple(item.name for item in target.items if isinstance(item, ast.Name) and not is_value(state, item.name))
    known = variable.equation
    return isinstance(known, Defined) and len(names) == len(target.items) and names == known.names and bool(names)


def _second(state: State, variable: Variable, target: ast.Index, recursive: bool) -> None:
    """A second `=` (TL0402), or a recursion without an end (TL0503)."""
    name, labels = target.base.span.text, (Label(variable.span, "defined here"),)
    if recursive:
        help = ("say where it ends: `where steps <= 10`, or `where tol < 1e-6`", "or write `let` for a new tensor")
        told = Diagnostic("TL0503", f"`{name}` follows from itself, and this recursion has no end", target.span, "", labels, help=help)
    else:
        help = ("write `+=`, `max=` or `min=` to accumulate, or `let` for a new tensor",)
        told = Diagnostic("TL0402", f"`{name}` is defined by two equations", target.span, "defined again", labels, help=help)
    state.report(told)


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
