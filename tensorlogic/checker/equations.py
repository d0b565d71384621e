"""Tensor equations `Y[i, k] = A[i, j] B[j, k]`: the range of every index, and the type of the result.

An equation that needs more than plain index names on the left (recurrences, grouping, arithmetic) is left to a later version.
"""

from dataclasses import dataclass, field

from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import describe, example
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import DTypeMismatch, RankMismatch, SizeMismatch
from tensorlogic.types.types import Int, Segment, Tensor, Type, Unknown

NUMBERED = ("argmax", "argmin")
TRUTHS = ("any", "all")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


class NotYet(Exception):
    """The equation has a part that has no meaning in this version."""


@dataclass
class Equation:
    """`ranges` are the sizes of the indices with the place that said so."""

    state: State
    left: tuple[str, ...]
    ranges: dict[str, tuple[Dim, Span]] = field(default_factory=dict)
    tensors: list[tuple[Tensor, Span]] = field(default_factory=list)
    places: dict[str, list[Span]] = field(default_factory=dict)
    wrong: bool = False


def check_equation(state: State, target: ast.Index, value: ast.Expr, where: tuple[ast.Expr, ...]) -> bool:
    """Whether this version knows what the equation means; then its target is declared, and what is wrong with it was said."""
    if not isinstance(target.base, ast.Name) or state.scope.find(target.base.name) is not None:
        return False
    if not all(isinstance(item, ast.Name) for item in target.items):
        return False
    equation = Equation(state, tuple(item.name for item in target.items if isinstance(item, ast.Name)))
    try:
        for condition in where:
            _declared_range(equation, condition)
        _walk(equation, value)
    except NotYet:
        return False
    state.later.append((target.span, "equations"))
    _misspelt(equation)
    type_ = _result(equation, target, value)
    variable = state.declare(target.base.name, type_, target.base.span)
    state.trace(variable.value, type_)
    return True


def _misspelt(equation: Equation) -> None:
    """An index that stands once and is spelt like a name in scope is probably meant to be that name."""
    for name, spans in equation.places.items():
        if len(spans) > 1 or name in equation.left:
            continue
        near = did_you_mean(name, [*equation.state.scope.visible()])
        if near and near != name and len(name) > 2:
            title = f"`{name}` is an index here, and spelt like `{near}`"
            equation.state.report(Diagnostic("TL0705", title, spans[0], help=(f"did you mean `{near}`?",), severity="warning"))


def _declared_range(equation: Equation, node: ast.Expr) -> None:
    """`r in 0..4`"""
    match node:
        case ast.Binary(op="in", left=ast.Name(name=name), right=ast.Range(start=ast.IntLit(value=0), stop=stop)):
            count = equation.state.expr(stop, Int())
            if not isinstance(count.type, Int):
                raise NotYet
            size = count.type.value if count.type.value is not None else equation.state.dim_for(count.operand)
            equation.ranges[name] = (size, node.span)
        case _:
            raise NotYet


def _walk(equation: Equation, value: ast.Expr) -> None:
    """Every tensor reference of the right side, from left to right."""
    pending: list[ast.Node] = [value]
    while pending:
        node = pending.pop()
        match node:
            case ast.Index():
                _reference(equation, node)
            case ast.Call(callee=ast.Name() | ast.Index(base=ast.Name()), args=args):
                pending.extend(arg.value for arg in reversed(args))
            case ast.Binary(left=left, right=right):
                pending += [right, left]
            case ast.Unary(operand=operand):
                pending.append(operand)
            case ast.Name(name=name):
                _plain_name(equation, node, name)
            case ast.IntLit() | ast.FloatLit():
                continue
            case _:
                raise NotYet


def _plain_name(equation: Equation, node: ast.Name, name: str) -> None:
    """An index in arithmetic is its number; any other name is a value in scope."""
    if name in equation.ranges or (name in equation.left and equation.state.scope.find(name) is None):
        return
    if isinstance(equation.state.expr(node).type, Tensor | Unknown):
        raise NotYet


def _reference(equation: Equation, node: ast.Index) -> None:
    """`A[i, j]`: each index takes its range from the axis that it stands at."""
    state = equation.state
    base = state.expr(node.base)
    if not isinstance(base.type, Tensor) or any(isinstance(d, Segment) for d in base.type.shape):
        raise NotYet
    if len(node.items) != len(base.type.shape):
        mistake = RankMismatch(f"`{node.base.span.text}`", f"{len(node.items)}", base.type)
        state.report(describe(mistake, node.span))
        equation.wrong = True
        return
    equation.tensors.append((base.type, node.span))
    for item, size in zip(node.items, base.type.shape, strict=True):
        _item(equation, item, size)  # type: ignore[arg-type]


def _item(equation: Equation, item: ast.Node, size: Dim) -> None:
    match item:
        case ast.IntLit():
            return
        case ast.Name(name=name) if name in equation.left or name in equation.ranges or equation.state.scope.find(name) is None:
            _stands_at(equation, name, size, item.span)
        case ast.Name() if isinstance(equation.state.expr(item).type, Int):
            return
        case _:
            raise NotYet


def _stands_at(equation: Equation, name: str, size: Dim, span: Span) -> None:
    equation.places.setdefault(name, []).append(span)
    known = equation.ranges.get(name)
    if known is None:
        equation.ranges[name] = (size, span)
        return
    need = equation.state.need()
    need.require(Rel("==", known[0], size), lambda witness: SizeMismatch(f"index `{name}`", known[0], size, witness))
    if need.mistakes:
        equation.wrong = True
        mistake = need.mistakes[0]
        witness = mistake.witness if isinstance(mistake, SizeMismatch) else None
        title = f"the index `{name}` runs over two sizes: {known[0]} and {size}"
        labels = (Label(known[1], f"here it is {known[0]}"),)
        equation.state.report(Diagnostic("TL0401", title, span, f"here it is {size}", labels, example(witness)))
    add_guards(equation.state, need.guards, span)


def _result(equation: Equation, target: ast.Index, value: ast.Expr) -> Type:
    if equation.wrong:
        return Unknown()
    dtype = _dtype(equation, value)
    for item, name in zip(target.items, equation.left, strict=True):
        if name not in equation.ranges:
            help = f"declare its range: `where {name} in 0..N`"
            equation.state.error("TL0403", item.span, f"the index `{name}` has no range: it stands on no axis", "no range", help)
            equation.wrong = True
    if equation.wrong or dtype is None:
        return Unknown()
    return Tensor(dtype, tuple(equation.ranges[name][0] for name in equation.left))


def _dtype(equation: Equation, value: ast.Expr) -> str | None:
    """The dtype that the tensors have in common; a comparison gives bool, `argmax` a number."""
    floats = [(t.dtype, span) for t, span in equation.tensors if isinstance(t.dtype, str) and t.dtype.startswith(("float", "bfloat"))]
    for dtype, span in floats[1:]:
        if dtype != floats[0][0]:
            mistake = DTypeMismatch("the tensors of the equation", str(floats[0][0]), str(dtype))
            equation.state.report(describe(mistake, span, (Label(floats[0][1], f"this is {floats[0][0]}"),)))
            return None
    match value:
        case ast.Binary(op=op) if op in COMPARISONS:
            return "bool"
        case ast.Call(callee=ast.Index(base=ast.Name(name=name))) if name in NUMBERED + TRUTHS:
            return "int64" if name in NUMBERED else "bool"
    if floats:
        return str(floats[0][0])
    first = equation.tensors[0][0].dtype if equation.tensors else "float32"
    return first if isinstance(first, str) else None
