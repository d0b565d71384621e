"""Brackets on the right side of an equation: what stands on each axis of a tensor."""

from collections.abc import Callable

from tensorlogic.checker.equations.names import names_index
from tensorlogic.checker.equations.tree import (
    NOTHING,
    Computed,
    Defined,
    Equation,
    Held,
    Host,
    Item,
    Linear,
    Node,
    Place,
    Quotient,
    Reference,
    uses_of,
)  # fmt: skip
from tensorlogic.checker.state import Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.types import Int, List, Tensor, Unknown

Build = Callable[[Equation, ast.Node, int], Node]


def silent(equation: Equation, node: ast.Node, group: bool) -> Host:
    equation.wrong = True
    return Host(node.span, NOTHING, group, equation.state.unknown(node.span), node)


def host(equation: Equation, node: ast.Node, group: bool) -> Host:
    typed = equation.state.expr(node, Int() if equation.inside else None)
    equation.wrong = equation.wrong or isinstance(typed.type, Unknown)
    return Host(node.span, NOTHING, group, typed, node)


def reference(equation: Equation, node: ast.Index, group: bool, build: Build) -> Node:
    """`A[i, j + 1]`; `build` makes the trees of what is worked out in the brackets."""
    held = equation.states.get(node.base.name) if isinstance(node.base, ast.Name) else None
    if held is None and _is_unfinished(equation, node):
        return silent(equation, node, group)
    base = equation.state.expr(node.base) if held is None else _state_read(equation, node, held)
    if base is None:
        return silent(equation, node, group)
    if isinstance(base.type, List) and not names_index(equation, node):
        return host(equation, node, group)
    if not isinstance(base.type, Tensor):
        if not isinstance(base.type, Unknown):
            help = "declare its dtype and shape" if str(base.type) == "Tensor" else ""
            equation.fail("TL0404", node.base.span, f"an index stands on the axis of a tensor, found {base.type}", "", help)
        return silent(equation, node, group)
    asts = node.items if held is None else node.items[: held.axis] + node.items[held.axis + 1 :]
    stepping = equation.step if held is not None or any(map(equation.reads_state, asts)) else ""
    items = tuple(item_of(equation, item, build, stepping) for item in asts)
    uses = NOTHING.union(*(uses_of(item) for item in items))
    return Reference(node.span, uses, group, base, items, node)


def _state_read(equation: Equation, node: ast.Index, held: Held) -> Typed | None:
    """The state that a step reads; None after a message."""
    name = node.base.span.text
    found = step_place(node.items[held.axis]) if held.axis < len(node.items) else None
    if found is None or found[0] != equation.step:
        known = ", ".join(f"`{place_text(equation.step, added)}`" for added in sorted(held.states))
        equation.fail("TL0404", node.span, f"a step reads `{name}` at another place than its own", "", f"it can read {known}")
        return None
    if held.virtual != isinstance(node.items[held.axis], ast.VirtualIndex):
        help = (
            f"`{name}` keeps its last state alone: write `*{equation.step}`" if held.virtual else f"`{name}` keeps all states: write no `*`"
        )
        equation.fail("TL0404", node.items[held.axis].span, "`*` stands on both sides of a recurrence or on none", "", help)
        return None
    return held.states[found[1]]


def place_text(index: str, added: int) -> str:
    """`t`, `t + 1`, `t - 1`"""
    return index if not added else f"{index} {'+' if added > 0 else '-'} {abs(added)}"


def _is_unfinished(equation: Equation, node: ast.Index) -> bool:
    """Whether it reads states of a recurrence of which only the first is there."""
    variable = equation.state.find_variable(node.base.name) if isinstance(node.base, ast.Name) else None
    known = variable.equation if variable is not None else None
    if not isinstance(known, Defined) or not known.firsts or known.axis >= len(node.items):
        return False
    if not names_index(equation, node.items[known.axis]):
        return False
    assert variable is not None
    title = f"`{node.base.span.text}` has only its first state here"
    labels = (Label(variable.span, "given here"),)
    help = "equations that need each other stand one after the other, with nothing else between them"
    equation.wrong = True
    equation.state.error("TL0404", node.span, title, "its steps are read", help, labels=labels)
    return True


def step_place(item: ast.Node | None) -> tuple[str, int] | None:
    """`t`, `t + 1` and `t - 1`, or with a star, as an index and what is added to it."""
    match item:
        case ast.VirtualIndex(index=inner):
            return step_place(inner)
        case ast.Name(name=name):
            return name, 0
        case ast.Binary(op="+" | "-" as op, left=ast.Name(name=name), right=ast.IntLit(value=value)):
            return name, value if op == "+" else -value
    return None


def item_of(equation: Equation, item: ast.Node, build: Build, stepping: str) -> Item:
    """What stands on one axis. Beside what a step works out, the index `stepping` of the steps is a number like any other."""
    if isinstance(item, ast.Slice | ast.Ellipsis | ast.DottedIndex | ast.VirtualIndex):
        equation.fail("TL0404", item.span, "an axis takes an index, a number or a tensor of numbers here")
        return Linear((), ZERO, item.span)
    if not names_index(equation, item):
        return _fixed(equation, item)
    linear = _linear(equation, item) if not stepping or not names_index(equation, item, stepping) else None
    if linear is not None:
        factors = tuple((name, factor) for name, factor in linear[0].items() if factor.value != 0)
        for name, _ in factors:
            equation.places.setdefault(name, []).append(item.span)
        return Linear(factors, linear[1], item.span)
    match item:
        case ast.Binary(op="/", left=ast.Name(name=name), right=right) if equation.is_index(name) and not names_index(equation, right):
            equation.places.setdefault(name, []).append(item.span)
            return Quotient(name, _int(equation, right), item.span)
    outer, equation.inside = equation.inside, True
    node = build(equation, item, item.span.start)
    equation.inside = outer
    return Computed(node, item.span)


def _fixed(equation: Equation, item: ast.Node) -> Item:
    typed = equation.state.expr(item, Int())
    match typed.type:
        case Int():
            return Place(typed, item.span)
        case Tensor(dtype, shape) if isinstance(dtype, str) and dtype.startswith(("int", "uint")) and not shape:
            return Computed(Host(item.span, NOTHING, False, typed, item), item.span)
        case Tensor(dtype, shape) if isinstance(dtype, str) and dtype.startswith(("int", "uint")):
            help = f"give its axes indices: `{item.span.text}[{', '.join('nmklpq'[: len(shape)])}]`"
            equation.fail("TL0304", item.span, f"`{item.span.text}` is {typed.type}: its axes have no indices here", "", help)
        case Unknown():
            equation.wrong = True
        case _:
            help = "a name in brackets is the value in scope, where there is one; give the index another name"
            equation.fail("TL0306", item.span, f"an axis takes an index or a number, found {typed.type}", "", help)
    return Linear((), ZERO, item.span)


def _int(equation: Equation, node: ast.Node) -> Dim:
    """A host int as a size."""
    typed = equation.state.expr(node, Int())
    if isinstance(typed.type, Int):
        return typed.type.value if typed.type.value is not None else equation.state.dim_for(typed.operand)
    if not isinstance(typed.type, Unknown):
        equation.fail("TL0306", node.span, f"arithmetic in brackets is of ints, found {typed.type}")
    equation.wrong = True
    return ONE


def _linear(equation: Equation, node: ast.Node) -> tuple[dict[str, Dim], Dim] | None:
    """(factors of the indices, the rest) of a sum of multiples of indices; None where it is something else."""
    if not _is_linear(equation, node):
        return None
    factors: dict[str, Dim] = {}
    offset = ZERO
    pending: list[tuple[ast.Node, Dim]] = [(node, ONE)]
    while pending:
        item, times = pending.pop()
        match item:
            case ast.Name(name=name) if equation.is_index(name):
                factors[name] = factors.get(name, ZERO) + times
            case ast.Binary(op="+" | "-" as op, left=left, right=right) if names_index(equation, item):
                pending += [(right, -times if op == "-" else times), (left, times)]
            case ast.Binary(op="*", left=left, right=right) if names_index(equation, item):
                inner, outer = (left, right) if names_index(equation, left) else (right, left)
                pending.append((inner, times * _int(equation, outer)))
            case ast.Unary(operand=operand) if names_index(equation, item):
                pending.append((operand, -times))
            case _:
                offset = offset + times * _int(equation, item)
    return factors, offset


def _is_linear(equation: Equation, node: ast.Node) -> bool:
    pending = [node]
    while pending:
        item = pending.pop()
        if not names_index(equation, item) or isinstance(item, ast.Name):
            continue
        match item:
            case ast.Binary(op="+" | "-", left=left, right=right):
                pending += [left, right]
            case ast.Binary(op="*", left=left, right=right):
                if names_index(equation, left) and names_index(equation, right):
                    return False
                pending += [left, right]
            case ast.Unary(op="-", operand=operand):
                pending.append(operand)
            case _:
                return False
    return True
