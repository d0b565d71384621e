"""`Pool[x / 2, y / 2] max= F[x, y]`: an index divided on the left puts neighbours together, the last group may be smaller."""

from tensorlogic.checker.equations.names import is_value
from tensorlogic.checker.equations.ranges import all_ranged, holds, misspelt, size_operand, stands_at
from tensorlogic.checker.equations.solve import REDUCTIONS, prepare, tensor_of, unknown
from tensorlogic.checker.equations.terms import WHOLE, Term, aligned, call, expanded, index, number, numbers, permuted, reduce, sizes
from tensorlogic.checker.equations.tree import Equation, Range
from tensorlogic.checker.equations.values import evaluate
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const, Omitted
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.types import Bool, Float, Int, String, Tensor

Group = tuple[str, Dim, Span]  # index, how many neighbours, place


def is_grouped(target: ast.Index) -> bool:
    """Whether it has groups of places, and otherwise an index of its own on each axis."""
    groups = [item for item in target.items if isinstance(item, ast.Binary) and item.op == "/" and isinstance(item.left, ast.Name)]
    names = [item.name for item in (*target.items, *(group.left for group in groups)) if isinstance(item, ast.Name)]
    return bool(groups) and len(names) == len(target.items) == len(set(names))


def _groups(state: State, target: ast.Index) -> list[Group] | None:
    found: list[Group] = []
    for item in target.items:
        match item:
            case ast.Binary(op="/", left=ast.Name(name=name), right=right) if not is_value(state, name):
                typed = state.expr(right, Int())
                size = typed.type.value if isinstance(typed.type, Int) else None
                if size is None or not state.need().holds(Rel(">=", size, ONE)):
                    state.error("TL0404", right.span, "an index is divided by a size of at least 1")
                    return None
                found.append((name, size, item.span))
            case ast.Name(name=name) if not is_value(state, name):
                found.append((name, ONE, item.span))
            case _:
                state.error("TL0404", item.span, "beside a group, the left side has indices only")
                return None
    return found


def grouped(state: State, target: ast.Index, node: ast.Assign, whole: Typed | None = None) -> tuple[Typed, tuple[str, ...]]:
    """(the new value, its indices) of an accumulation into groups."""
    groups = _groups(state, target)
    op = node.op[:-1]
    if groups is not None and op not in ("+", "*", "max", "min"):
        state.error("TL0404", node.span, "a group of places takes an operator that puts them together", "", "`+=`, `*=`, `max=` or `min=`")
        groups = None
    if groups is None:
        return state.unknown(node.span), ()
    names = tuple(name for name, _, _ in groups)
    equation = Equation(state, names)
    tree = prepare(equation, node.value, node.where)
    if tree is None or not all_ranged(equation, tree, tuple((name, span) for name, _, span in groups)):
        return state.unknown(node.span), names
    misspelt(equation)
    term = _reduced(equation, tensor_of(equation, evaluate(equation, tree)), groups, op, node.span)
    return (_onto(equation, node, groups, whole, term, op) if whole is not None else term).typed, names


def _reduced(equation: Equation, term: Term, groups: list[Group], op: str, span: Span) -> Term:
    """Absent indices and the places of each group reduced by the operator."""
    if term.unknown:
        return unknown(equation, span)
    names = tuple(name for name, _, _ in groups)
    term = reduce(equation, REDUCTIONS[op], term, [name for name in term.axes if name not in names], span)
    term = expanded(equation, term, names, span)
    pooled = _pooled(equation, term, groups, span) if op == "max" else None
    if pooled is not None:
        return pooled
    term = _filled(equation, term, groups, op, span)
    shape: list[Dim] = []
    inner: list[int] = []
    for name, count, _ in groups:
        size = equation.ranges[name].size
        shape.append(size if count == ONE else size.ceil_div(count))
        if count != ONE:
            shape.append(count)
            inner.append(len(shape) - 1)
    split = call(equation, "reshape", span, term.typed, sizes(equation, shape, span))
    if op == "*":
        for axis in reversed(inner):
            split = call(equation, "prod", span, split, number(axis, span))
        return Term(split, names)
    name = {"+": "sum", "max": "amax", "min": "amin"}[op]
    return Term(call(equation, name, span, split, numbers(inner, span)), names)


def _pooled(equation: Equation, term: Term, groups: list[Group], span: Span) -> Term | None:
    """Groups of the last one or two axes by the library's pooling, which takes one or two axes in front of them."""
    counts = [count.value for _, count, _ in groups]
    inner = 2 if len(counts) > 1 and counts[-2] != 1 else 1
    front = len(groups) - inner
    few = front <= 2 and all(count == 1 for count in counts[:front]) and None not in counts
    if not few or term.dtype not in ("float32", "float64") or counts[-1] == 1:
        return None
    typed = term.typed if front else call(equation, "unsqueeze", span, term.typed, number(0, span))
    window = numbers([count or 1 for count in counts[front:]], span)
    shape = [equation.ranges[name].size.ceil_div(count) for name, count, _ in groups]
    type_ = Tensor(term.dtype, tuple(shape) if front else (ONE, *shape))
    whole = all(holds(equation, Rel("==", equation.ranges[name].size.mod(count), ZERO)) for name, count, _ in groups)
    up = Omitted() if whole else Const(True, Bool(True))
    operands = (typed.operand, window.operand, Omitted(), Omitted(), Omitted(), up)
    typed = equation.state.emit("builtin", operands, type_, span, name=f"max_pool{inner}d", index=0)
    return Term(typed if front else call(equation, "select", span, typed, number(0, span), number(0, span)), term.axes)


def _filled(equation: Equation, term: Term, groups: list[Group], op: str, span: Span) -> Term:
    """The last group of an axis made full with what changes nothing: zeros, ones, or its last place again."""
    typed = term.typed
    for axis, (name, count, _) in enumerate(groups):
        size = equation.ranges[name].size
        full = size.ceil_div(count) * count
        if count == ONE or holds(equation, Rel("==", full, size)):
            continue
        if op in ("max", "min"):
            typed = _repeated(equation, typed, axis, size, full, span)
        else:
            amounts = [ZERO, ZERO] * (len(groups) - 1 - axis) + [ZERO, full - size]
            neutral = Float(0.0 if op == "+" else 1.0)
            mode = Typed(Const("constant", String("constant")), String("constant"), span)
            value = Typed(Const(neutral.value, neutral), neutral, span)
            typed = call(equation, "pad", span, typed, sizes(equation, amounts, span), mode, value)
    return Term(typed, term.axes)


def _repeated(equation: Equation, typed: Typed, axis: int, size: Dim, full: Dim, span: Span) -> Typed:
    assert isinstance(typed.type, Tensor)
    count, last = (Typed(size_operand(equation, dim, span), Int(dim), span) for dim in (full, size - 1))
    places = call(equation, "clamp", span, call(equation, "arange", span, count), number(0, span), last)
    shape = (*typed.type.shape[:axis], full, *typed.type.shape[axis + 1 :])
    return index(equation, typed, [*[WHOLE] * axis, places.operand], shape, span)


def _onto(equation: Equation, node: ast.Assign, groups: list[Group], whole: Typed, term: Term, op: str) -> Term:
    """What the tensor held, and the groups."""
    assert isinstance(whole.type, Tensor)
    for (name, count, span), size in zip(groups, whole.type.shape, strict=False):
        there = Equation(equation.state, ())
        there.ranges[name] = Range(equation.ranges[name].size.ceil_div(count), span)
        if isinstance(size, Dim):
            stands_at(there, name, size, span)
        if there.wrong:
            return unknown(equation, node.span)
    values = aligned(equation, Term(whole, term.axes), term.axes), permuted(equation, term, term.axes).typed
    if op in ("max", "min"):
        return Term(call(equation, op, node.span, *values), term.axes)
    place = Span(node.span.source, node.target.span.end, node.value.span.start)
    return Term(apply_operator(equation.state, ast.Binary(node.span, op, node.target, node.value, place), *values), term.axes)
