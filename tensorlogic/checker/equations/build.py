"""From the syntax of an equation's right side to its tree: which names are indices, and what stands in parentheses."""

from tensorlogic.checker.equations.tree import (
    KEEPING,
    NOTHING,
    Apply,
    Computed,
    Defined,
    Equation,
    Host,
    Item,
    Linear,
    Node,
    Number,
    Pair,
    Place,
    Product,
    Quotient,
    Reference,
    Sign,
    Sum,
)  # fmt: skip
from tensorlogic.checker.relation_data import EntityMember
from tensorlogic.checker.scope import GlobalName, MemberName, Unsupported, Variable
from tensorlogic.checker.state import State
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.syntax.format_comments import without_comments
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.types import Float, Int, List, Tensor, Unknown

SUMS, PRODUCTS = ("+", "-"), ("*", "/", "%", "juxt")
VALUES = (Variable, GlobalName, MemberName, EntityMember, Unsupported)


def is_value(state: State, name: str) -> bool:
    """Whether a name in brackets is a value in scope."""
    return isinstance(state.scope.find(name), VALUES)


def names_in_brackets(state: State, node: ast.Node) -> tuple[set[str], set[str]]:
    """(names in the brackets of references that are no value, names behind reductions): what an equation takes for indices."""
    found, reduced = set(), set()
    pending: list[tuple[ast.Node, bool]] = [(node, False)]
    while pending:
        item, inside = pending.pop()
        match item:
            case ast.Name(name=name) if inside and not is_value(state, name):
                found.add(name)
            case ast.Call(callee=ast.Index(base=ast.Name(name=name), items=items)) if _is_reduction(state, name):
                reduced |= {i.name for i in items if isinstance(i, ast.Name)}
                pending += [(arg.value, inside) for arg in item.args]
            case ast.Call(callee=ast.Name()):
                pending += [(arg.value, inside) for arg in item.args]
            case ast.Call(callee=ast.Member(base=base)):
                pending += [(base, inside), *((arg.value, inside) for arg in item.args)]
            case ast.Index(base=base, items=items):
                pending += [(base, False), *((i, True) for i in items)]
            case ast.Member(base=base):
                pending.append((base, inside))
            case ast.Binary() | ast.Unary() | ast.VirtualIndex() | ast.Cast():
                pending += [(child, inside) for child in ast.children(item)]
    return found, reduced


def _is_reduction(state: State, name: str) -> bool:
    return registry.lookup(name) is not None and state.scope.find(name) is None


def has_juxtaposition(node: ast.Node) -> bool:
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Binary) and item.op == "juxt":
            return True
        if isinstance(item, ast.Binary | ast.Unary):
            pending += ast.children(item)
        elif isinstance(item, ast.Call):
            pending += [arg.value for arg in item.args]
    return False


def build(equation: Equation, node: ast.Node, since: int) -> Node:
    """The tree of an expression; `since` is where what stands before it ends."""
    group = "(" in without_comments(node.span.source.text[since : node.span.start])
    if not _has_index(equation, node):
        return _host(equation, node, group)
    match node:
        case ast.Binary(op=op) if op in SUMS:
            return _chain(equation, node, SUMS, group)
        case ast.Binary(op=op) if op in PRODUCTS:
            return _chain(equation, node, PRODUCTS, group)
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
            return _reference(equation, node, group)
        case ast.Call():
            return _call(equation, node, group)
    equation.fail("TL0404", node.span, "this has no meaning in an equation", "an index stands in it")
    return _silent(equation, node, group)


def _silent(equation: Equation, node: ast.Node, group: bool) -> Host:
    equation.wrong = True
    return Host(node.span, NOTHING, group, equation.state.unknown(node.span), node)


def _has_index(equation: Equation, node: ast.Node) -> bool:
    """Whether an index stands anywhere in it, or what is read is being defined."""
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Name) and (equation.is_index(item.name) or item.name in equation.states):
            return True
        if isinstance(item, ast.Binary) and item.op == "juxt":
            return True
        pending.extend(ast.children(item))
    return False


def _host(equation: Equation, node: ast.Node, group: bool) -> Host:
    typed = equation.state.expr(node)
    equation.wrong = equation.wrong or isinstance(typed.type, Unknown)
    return Host(node.span, NOTHING, group, typed, node)


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
    if not any(_names_index(equation, side) for side in (left, link.right)):
        equation.fail("TL0404", link.span, "two values stand side by side, and none has an index", "", "write `,` or `*` between them")


def _names_index(equation: Equation, node: ast.Node) -> bool:
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Name) and equation.is_index(item.name):
            return True
        pending.extend(ast.children(item))
    return False


# --- references ------------------------------------------------------------------------------------------------------


def _reference(equation: Equation, node: ast.Index, group: bool) -> Node:
    held = equation.states.get(node.base.name) if isinstance(node.base, ast.Name) else None
    asts = node.items
    if held is not None:
        base, axis, step = held
        if len(asts) <= axis or step_place(asts[axis]) != step:
            before = step[0] if not step[1] else f"{step[0]} - {-step[1]}"
            equation.fail("TL0404", node.span, f"a step of the recurrence reads `{node.base.span.text}` at `{before}`", "at another place")
            return _silent(equation, node, group)
        asts = asts[:axis] + asts[axis + 1 :]
    else:
        base = equation.state.expr(node.base)
    if held is None and _is_unfinished(equation, node):
        return _silent(equation, node, group)
    if isinstance(base.type, List) and not _names_index(equation, node):
        return _host(equation, node, group)
    if not isinstance(base.type, Tensor):
        if not isinstance(base.type, Unknown):
            help = "declare its dtype and shape" if str(base.type) == "Tensor" else ""
            equation.fail("TL0404", node.base.span, f"an index stands on the axis of a tensor, found {base.type}", "", help)
        return _silent(equation, node, group)
    items = tuple(_item(equation, item) for item in asts)
    uses = NOTHING.union(*(_uses(item) for item in items))
    return Reference(node.span, uses, group, base, items, node)


def _is_unfinished(equation: Equation, node: ast.Index) -> bool:
    """Whether it reads states of a recurrence of which only the first is there (a message is given then)."""
    variable = equation.state.find_variable(node.base.name) if isinstance(node.base, ast.Name) else None
    known = variable.equation if variable is not None else None
    if not isinstance(known, Defined) or known.axis is None or known.axis >= len(node.items):
        return False
    if not _names_index(equation, node.items[known.axis]):
        return False
    title = f"`{node.base.span.text}` has only its first state here: recurrences that need each other are not supported yet"
    equation.fail("TL0105", node.span, title, "", "put both into one tensor")
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


def _uses(item: Item) -> frozenset[str]:
    match item:
        case Linear(factors=factors):
            return frozenset(name for name, _ in factors)
        case Quotient(name=name):
            return frozenset((name,))
        case Computed(node=node):
            return node.uses
    return NOTHING


def _item(equation: Equation, item: ast.Node) -> Item:
    if isinstance(item, ast.Slice | ast.Ellipsis | ast.DottedIndex | ast.VirtualIndex):
        equation.fail("TL0404", item.span, "an axis takes an index, a number or a tensor of numbers here")
        return Linear((), ZERO, item.span)
    if not _names_index(equation, item):
        return _fixed(equation, item)
    linear = _linear(equation, item)
    if linear is not None:
        factors = tuple((name, factor) for name, factor in linear[0].items() if factor.value != 0)
        for name, _ in factors:
            equation.places.setdefault(name, []).append(item.span)
        return Linear(factors, linear[1], item.span)
    match item:
        case ast.Binary(op="/", left=ast.Name(name=name), right=right) if equation.is_index(name) and not _names_index(equation, right):
            equation.places.setdefault(name, []).append(item.span)
            return Quotient(name, _int(equation, right), item.span)
    return Computed(build(equation, item, item.span.start), item.span)


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
            case ast.Binary(op="+" | "-" as op, left=left, right=right) if _names_index(equation, item):
                pending += [(right, -times if op == "-" else times), (left, times)]
            case ast.Binary(op="*", left=left, right=right) if _names_index(equation, item):
                inner, outer = (left, right) if _names_index(equation, left) else (right, left)
                pending.append((inner, times * _int(equation, outer)))
            case ast.Unary(operand=operand) if _names_index(equation, item):
                pending.append((operand, -times))
            case _:
                offset = offset + times * _int(equation, item)
    return factors, offset


def _is_linear(equation: Equation, node: ast.Node) -> bool:
    pending = [node]
    while pending:
        item = pending.pop()
        if not _names_index(equation, item) or isinstance(item, ast.Name):
            continue
        match item:
            case ast.Binary(op="+" | "-", left=left, right=right):
                pending += [left, right]
            case ast.Binary(op="*", left=left, right=right):
                if _names_index(equation, left) and _names_index(equation, right):
                    return False
                pending += [left, right]
            case ast.Unary(op="-", operand=operand):
                pending.append(operand)
            case _:
                return False
    return True


# --- functions -------------------------------------------------------------------------------------------------------


def _call(equation: Equation, node: ast.Call, group: bool) -> Node:
    match node.callee:
        case ast.Index(base=ast.Name(name=name), items=items) if _is_reduction(equation.state, name):
            return _applied(equation, node, name, node.args, _reduced(equation, items), node.callee.span.end, group)
        case ast.Name(name=name):
            return _applied(equation, node, name, node.args, (), node.callee.span.end, group)
        case ast.Member(base=base, name=name) if registry.lookup(name) is not None:
            args = (ast.Arg(base.span, None, base), *node.args)
            return _applied(equation, node, name, args, (), node.callee.span.end, group)
    equation.fail("TL0404", node.callee.span, "this is no function of tensors", "called here")
    return _silent(equation, node, group)


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


def real_number(node: Node) -> bool:
    """Whether it is a host number, not a tensor."""
    return isinstance(node, Host) and isinstance(node.typed.type, Int | Float)


def source_span(node: ast.Node) -> Span:
    return node.span
