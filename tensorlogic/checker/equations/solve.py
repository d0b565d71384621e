"""The value of a whole right side with the axes that its left side asks for."""

from tensorlogic.checker.coerce import to_tensor
from tensorlogic.checker.equations.build import build
from tensorlogic.checker.equations.names import has_juxtaposition, names_in_brackets
from tensorlogic.checker.equations.ranges import all_nodes, all_ranged, declare_ranges, find_ranges, holds, misspelt
from tensorlogic.checker.equations.scopes import settle
from tensorlogic.checker.equations.terms import Term, call, expanded, number, reduce, sizes, text
from tensorlogic.checker.equations.tree import Equation, Node, Product, Reference
from tensorlogic.checker.equations.values import evaluate
from tensorlogic.checker.slips import CONSTANTS
from tensorlogic.checker.state import State, Typed
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.types import Bool, Float, Int, List

REDUCTIONS = {"+": "sum", "-": "sum", "*": "prod", "/": "prod", "max": "max", "min": "min"}


def is_equation_value(state: State, node: ast.Node) -> bool:
    """Whether a value is the right side of an equation: an unknown name in brackets, a reduction over an index, tensors side by side."""
    if not isinstance(node, ast.Binary | ast.Unary | ast.Index | ast.Call | ast.Member):
        return False
    found, reduced = names_in_brackets(state, node)
    return bool(reduced) or has_juxtaposition(node) or any(state.scope.hidden(name) is None and name not in CONSTANTS for name in found)


def equation_value(state: State, node: ast.Node, where: tuple[ast.Expr, ...] = ()) -> Typed:
    """The value of an equation without an index on the left: a scalar tensor."""
    equation = Equation(state, ())
    term = right_side(equation, node, where, ())
    return term.typed


def prepare(equation: Equation, node: ast.Node, where: tuple[ast.Expr, ...], beside: tuple[Node, ...] = ()) -> Node | None:
    """The tree of a right side, with every range found, also from what stands `beside` it on the left; None after a message."""
    declare_ranges(equation, where)
    found, reduced = names_in_brackets(equation.state, node)
    equation.indices |= {*equation.left, *equation.ranges, *found, *reduced}
    tree = build(equation, node, _before(node))
    if not equation.wrong:
        find_ranges(equation, tree, *beside)
        if any(isinstance(node, Reference) and node.base.type.dtype == "float64" for node in all_nodes(tree)):  # type: ignore[union-attr]
            equation.numbers = "float64"
    return None if equation.wrong else tree


def _before(node: ast.Node) -> int:
    """Behind the `=`, as far as that can be seen: what precedes the value is white space, comments and parentheses."""
    text = node.span.source.text
    return max(text.rfind("=", 0, node.span.start), text.rfind("\n", 0, node.span.start)) + 1


def right_side(equation: Equation, node: ast.Node, where: tuple[ast.Expr, ...], left: tuple[tuple[str, Span], ...], op: str = "") -> Term:
    """The value with the indices of the left side in order. With `op` the indices that are not there are reduced by it."""
    tree = prepare(equation, node, where)
    return value_of(equation, tree, left, node.span, op) if tree is not None else unknown(equation, node.span)


def value_of(equation: Equation, tree: Node, left: tuple[tuple[str, Span], ...], span: Span, op: str = "") -> Term:
    """The value of a tree; in a step of a recurrence, at the index of that step."""
    if not all_ranged(equation, tree, left):
        return unknown(equation, span)
    misspelt(equation)
    absent = tree.uses - {name for name, _ in left} - {equation.step}
    term = accumulated(equation, tree, absent, op) if op else summed(equation, tree, absent)
    if equation.wrong or term.unknown:
        return unknown(equation, span)
    return expanded(equation, tensor_of(equation, term), tuple(name for name, _ in left), span)


def unknown(equation: Equation, span: Span) -> Term:
    return Term(equation.state.unknown(span), ())


def tensor_of(equation: Equation, term: Term) -> Term:
    """A host number as a tensor."""
    if term.is_tensor or not isinstance(term.typed.type, Int | Float | Bool):
        return term
    return Term(to_tensor(equation.state, term.typed), ())


def summed(equation: Equation, tree: Node, absent: frozenset[str]) -> Term:
    """Each index summed in its scope."""
    settle(equation, tree, absent)
    return evaluate(equation, tree) if not equation.wrong else unknown(equation, tree.span)


def accumulated(equation: Equation, tree: Node, absent: frozenset[str], op: str) -> Term:
    """The indices reduced over the whole right side, by the operator of the statement."""
    if op in "+-" and isinstance(tree, Product):
        return evaluate(equation, tree, absent)
    term = evaluate(equation, tree)
    if term.unknown:
        return term
    names = [name for name in term.axes if name in absent]
    return reduce(equation, REDUCTIONS[op], _begun(equation, term, names, op), names, tree.span)


def _begun(equation: Equation, term: Term, names: list[str], op: str) -> Term:
    """Where an index may have no places at all, what is reduced begins with the identity of the operator, which `max` and `min` lack."""
    if op not in ("max", "min"):
        return term
    span = term.typed.span
    for name in names:
        if not holds(equation, Rel(">=", equation.ranges[name].size, ONE)):
            shape = [ONE if axis == name else size for axis, size in zip(term.axes, term.shape, strict=True) if isinstance(size, Dim)]
            first = call(equation, "neutral", span, term.typed, sizes(equation, shape, span), text(op, span))
            types = List(first.type, (first.type, term.typed.type))
            listed = equation.state.emit("list", (first.operand, term.typed.operand), types, span)
            term = Term(call(equation, "cat", span, listed, number(term.axes.index(name), span)), term.axes, term.weak)
    return term
