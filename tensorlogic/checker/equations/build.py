"""From the syntax of an equation's right side to its tree: which names are indices, and what stands in parentheses."""

from tensorlogic.checker.equations.items import host, reference, silent
from tensorlogic.checker.equations.names import is_reduction, names_index
from tensorlogic.checker.equations.tree import (
    KEEPING,
    NOTHING,
    Apply,
    Equation,
    Node,
    Number,
    Pair,
    Product,
    Sign,
    Sum,
)  # fmt: skip
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.syntax.format_comments import without_comments

SUMS, PRODUCTS = ("+", "-"), ("*", "/", "%", "juxt")
PRODUCTS_INSIDE = ("*", "%", "juxt")


def build(equation: Equation, node: ast.Node, since: int) -> Node:
    """The tree of an expression; `since` is where what stands before it ends."""
    group = "(" in without_comments(node.span.source.text[since : node.span.start])
    if not _has_index(equation, node):
        return host(equation, node, group)
    match node:
        case ast.Binary(op=op) if op in SUMS:
            return _chain(equation, node, SUMS, group)
        case ast.Binary(op=op) if op in (products := PRODUCTS_INSIDE if equation.inside else PRODUCTS):
            return _chain(equation, node, products, group)
        case ast.Binary(left=left, right=right):
            parts = build(equation, left, node.span.start), build(equation, right, node.op_span.end)
            return Pair(node.span, parts[0].uses | parts[1].uses, group, *parts, node)
        case ast.Unary(operand=operand):
            inner = build(equation, operand, node.span.start)
            return Sign(node.span, inner.uses, group, inner, node)
        case ast.Name(name=name):
            equation.places.setdefault(name, []).append(node.span)
            return Number(node.span, frozenset((name,)), group, name)
        case ast.Index():
            return reference(equation, node, group, build)
        case ast.Call():
            return _call(equation, node, group)
    equation.fail("TL0404", node.span, "this has no meaning in an equation", "an index stands in it")
    return silent(equation, node, group)


def _has_index(equation: Equation, node: ast.Node) -> bool:
    """Whether an index stands anywhere in it, or what is read is being defined."""
    for item in ast.walk(node):
        if isinstance(item, ast.Name) and (equation.is_index(item.name) or item.name in equation.states):
            return True
        if isinstance(item, ast.Binary) and item.op == "juxt":
            return True
    return False


def _chain(equation: Equation, node: ast.Binary, operators: tuple[str, ...], group: bool) -> Node:
    """A chain of operators of one level, followed down its left side in a loop."""
    links: list[ast.Binary] = []
    left: ast.Node = node
    while isinstance(left, ast.Binary) and left.op in operators and (not links or not _in_parentheses(links[-1], left)):
        links.append(left)
        left = left.left
    parts = [("+" if operators is SUMS else "*", build(equation, left, links[-1].span.start))]
    for link in reversed(links):
        if link.op == "juxt":
            _juxtaposed(equation, link)
        parts.append(("*" if link.op == "juxt" else link.op, build(equation, link.right, link.op_span.end)))
    uses = NOTHING.union(*(part.uses for _, part in parts))
    kind = Sum if operators is SUMS else Product
    return kind(node.span, uses, group, tuple(parts), tuple(reversed(links)))


def _in_parentheses(parent: ast.Binary, left: ast.Node) -> bool:
    return "(" in without_comments(parent.span.source.text[parent.span.start : left.span.start])


def _juxtaposed(equation: Equation, link: ast.Binary) -> None:
    """Two values side by side are a product only if one of them has an index."""
    left = link.left.right if isinstance(link.left, ast.Binary) and link.left.op in PRODUCTS else link.left
    if not any(names_index(equation, side) for side in (left, link.right)):
        equation.fail("TL0404", link.span, "two values stand side by side, and none has an index", "", "write `,` or `*` between them")


# --- functions -------------------------------------------------------------------------------------------------------


def _call(equation: Equation, node: ast.Call, group: bool) -> Node:
    match node.callee:
        case ast.Index(base=ast.Name(name=name), items=items) if is_reduction(equation.state, name):
            return _applied(equation, node, name, node.args, _reduced(equation, items), node.callee.span.end, group)
        case ast.Name(name=name):
            return _applied(equation, node, name, node.args, (), node.callee.span.end, group)
        case ast.Member(base=base, name=name) if registry.lookup(name) is not None:
            args = (ast.Arg(base.span, None, base), *node.args)
            return _applied(equation, node, name, args, (), node.callee.span.end, group)
    equation.fail("TL0404", node.callee.span, "this is no function of tensors", "called here")
    return silent(equation, node, group)


def _reduced(equation: Equation, items: tuple[ast.Expr, ...]) -> tuple[str, ...]:
    names = []
    for item in items:
        if isinstance(item, ast.Name) and equation.is_index(item.name):
            names.append(item.name)
            equation.places.setdefault(item.name, []).append(item.span)
        else:
            equation.fail("TL0404", item.span, f"`{item.span.text}` is no index here", "the brackets of a function name indices")
    return tuple(names)


def _applied(
    equation: Equation, node: ast.Call, name: str, args: tuple[ast.Arg, ...], indices: tuple[str, ...], since: int, group: bool
) -> Apply:
    parts, uses = [], NOTHING
    for at, arg in enumerate(args):
        method = at == 0 and arg.value.span.end <= node.callee.span.end
        built = build(equation, arg.value, arg.value.span.start if method else _argument_start(node, since, arg))
        parts.append((arg.name, built))
        uses |= built.uses
        since = max(since, arg.span.end)
    absent = next((i for i in indices if i not in uses), None)
    if absent is not None and not equation.wrong:
        equation.fail("TL0404", node.callee.span, f"the index `{absent}` does not stand in what `{name}` is applied to")
    uses = uses | frozenset(indices) if name in KEEPING else uses - frozenset(indices)
    return Apply(node.span, uses, group, name, tuple(parts), indices, node)


def _argument_start(node: ast.Call, since: int, arg: ast.Arg) -> int:
    """Behind the parenthesis of the call, or behind the argument before."""
    text = node.span.source.text
    at = text.find("(", since, arg.value.span.start) if since == node.callee.span.end else -1
    return at + 1 if at >= 0 else since
