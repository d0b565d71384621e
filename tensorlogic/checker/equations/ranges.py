"""How many places each index has: what the axes say that it stands at, what is declared, and how far arithmetic in brackets reaches."""

from tensorlogic.checker.equations.tree import Equation, Linear, Node, Quotient, Range, Reference, children
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import describe, example
from tensorlogic.checker.relation_dims import number_of
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, Operand, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, ZERO, Atom, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import RankMismatch, SizeMismatch
from tensorlogic.types.types import Int, Segment, Tensor, Unknown


def declare_ranges(equation: Equation, where: tuple[ast.Expr, ...]) -> None:
    """`where r in 0..4`"""
    for node in where:
        match node:
            case ast.Binary(op="in", left=ast.Name(name=name), right=ast.Range(start=start, stop=stop)):
                _declare(equation, name, start, stop, node.span)
            case _:
                help = "write `where i in 0..N`, or with a number or a `const` `steps <= 10` or `tol < 1e-6`, where a recursion ends"
                equation.fail("TL0404", node.span, "this declares no range of an index", "", help)


def _declare(equation: Equation, name: str, start: ast.Expr, stop: ast.Expr, span: Span) -> None:
    if not (isinstance(start, ast.IntLit) and start.value == 0):
        equation.fail("TL0404", start.span, "the range of an index begins at 0", "", f"write `where {name} in 0..N`")
        return
    count = equation.state.expr(stop, Int())
    if isinstance(count.type, Int):
        size = count.type.value if count.type.value is not None else equation.state.dim_for(count.operand)
        stands_at(equation, name, size, span)
        equation.ranges[name] = Range(size, span, True)
        return
    equation.wrong = True
    if not isinstance(count.type, Unknown):
        equation.fail("TL0306", stop.span, f"a range ends with an int, found {count.type}")


def find_ranges(equation: Equation, *roots: Node) -> None:
    """The range of every index: first of those that stand alone, then of those in arithmetic."""
    references = [node for root in roots for node in all_nodes(root) if isinstance(node, Reference)]
    for reference in references:
        _alone(equation, reference)
    if equation.wrong:
        return
    limits: dict[str, list[tuple[Dim, Span]]] = {}
    for reference in references:
        for item, size in zip(reference.items, axes_of(reference), strict=True):
            _reach(equation, item, size, limits)
    for name, found in limits.items():
        _limit(equation, name, found)


def all_nodes(root: Node) -> list[Node]:
    """Every node, from left to right."""
    found, pending = [], [root]
    while pending:
        node = pending.pop()
        found.append(node)
        pending += reversed(children(node))
    return found


def axes_of(reference: Reference) -> tuple[Dim, ...]:
    assert isinstance(reference.base.type, Tensor)
    return tuple(size for size in reference.base.type.shape if isinstance(size, Dim))


def _alone(equation: Equation, reference: Reference) -> None:
    assert isinstance(reference.base.type, Tensor)
    shape = reference.base.type.shape
    if any(isinstance(item, Segment) for item in shape) or len(shape) != len(reference.items):
        mistake = RankMismatch(f"`{reference.node.base.span.text}`", f"{len(reference.items)}", reference.base.type)
        equation.state.report(describe(mistake, reference.span))
        equation.wrong = True
        return
    for item, size in zip(reference.items, axes_of(reference), strict=True):
        if isinstance(item, Linear) and item.plain:
            stands_at(equation, item.plain, size, item.span)


def stands_at(equation: Equation, name: str, size: Dim, span: Span) -> None:
    """The index stands on an axis of this size; TL0401 with both places where that cannot be."""
    known = equation.ranges.get(name)
    if known is None:
        equation.ranges[name] = Range(size, span)
        return
    need = equation.state.need()
    need.require(Rel("==", known.size, size), lambda witness: SizeMismatch(f"index `{name}`", known.size, size, witness))
    if need.mistakes:
        equation.wrong = True
        mistake = need.mistakes[0]
        witness = mistake.witness if isinstance(mistake, SizeMismatch) else None
        title = f"the index `{name}` runs over two sizes: {known.size} and {size}"
        labels = (Label(known.span, f"here it is {known.size}"),)
        equation.state.report(Diagnostic("TL0401", title, span, f"here it is {size}", labels, example(witness)))
    add_guards(equation.state, need.guards, span)


# --- arithmetic ------------------------------------------------------------------------------------------------------


def _reach(equation: Equation, item: object, size: Dim, limits: dict[str, list[tuple[Dim, Span]]]) -> None:
    """Only the places inside are in range: what an axis lets the one index be that nothing else limits."""
    match item:
        case Quotient(name=name, divisor=divisor):
            limits.setdefault(name, []).append((size * divisor, item.span))
        case Linear(factors=factors) if factors and not item.plain:
            free = [name for name, _ in factors if name not in equation.ranges]
            for name, factor in factors:
                range_ = equation.ranges.get(name)
                if (free == [name]) or (not free and range_ is not None and not range_.declared):
                    places = room(equation, item, name, factor, size)
                    if places is not None:
                        limits.setdefault(name, []).append((places, item.span))


def reach(equation: Equation, item: Linear, size: Dim, free: list[str]) -> None:
    """The one index that nothing else limits has as many places as lie inside."""
    for name, factor in item.factors:
        places = room(equation, item, name, factor, size) if free == [name] else None
        if places is not None:
            equation.ranges[name] = Range(places, item.span)


def room(equation: Equation, item: Linear, name: str, factor: Dim, size: Dim) -> Dim | None:
    """How many places `name` has if every position is to lie inside; None where it would not begin at 0."""
    if len(item.factors) == 1 and holds(equation, Rel("<=", factor, -ONE)):  # from the offset down
        return item.offset.floor_div(-factor) + 1 if holds(equation, Rel("<", item.offset, size)) else None
    highest, lowest = item.offset, item.offset
    for other, times in item.factors:
        if other != name:
            far = times * (equation.ranges[other].size - 1)
            negative = holds(equation, Rel("<", times, ZERO))
            highest, lowest = (highest, lowest + far) if negative else (highest + far, lowest)
    if not holds(equation, Rel(">=", factor, ONE)) or not holds(equation, Rel(">=", lowest, ZERO)):
        return None
    return (size - 1 - highest).floor_div(factor) + 1 if factor.value != 1 else size - highest


def holds(equation: Equation, goal: Rel) -> bool:
    return equation.state.need().holds(goal)


def ends(equation: Equation, item: Linear) -> tuple[Dim, Dim]:
    """(the lowest place, the highest) of a sum of multiples of indices."""
    lowest = highest = item.offset
    for name, factor in item.factors:
        far = factor * (equation.ranges[name].size - 1)
        if holds(equation, Rel(">=", factor, ZERO)):
            highest = highest + far
        else:
            lowest = lowest + far
    return lowest, highest


def _limit(equation: Equation, name: str, found: list[tuple[Dim, Span]]) -> None:
    known = equation.ranges.get(name)
    if known is not None and known.declared:
        return
    size = known.size if known is not None else found[0][0]
    for other, _ in found:
        size = _smaller(equation, size, other)
    if holds(equation, Rel("<", size, ONE)):
        equation.fail("TL0403", found[0][1], f"the index `{name}` has no place inside: its range would be {size}")
    equation.ranges[name] = Range(size, known.span if known is not None else found[0][1])


def _smaller(equation: Equation, a: Dim, b: Dim) -> Dim:
    if holds(equation, Rel("<=", a, b)):
        return a
    return b if holds(equation, Rel("<=", b, a)) else Dim.min(a, b)


def all_ranged(equation: Equation, root: Node, left: tuple[tuple[str, Span], ...]) -> bool:
    """Whether every index has a range; TL0403 at the first place of one that has none."""
    needed = dict(left) | {name: equation.places[name][0] for name in equation.places if name not in dict(left)}
    for name, span in needed.items():
        if name not in equation.ranges and not equation.wrong:
            help = f"declare its range: `where {name} in 0..N`"
            equation.fail("TL0403", span, f"the index `{name}` has no range: it stands on no axis", "no range", help)
    return not equation.wrong


def misspelt(equation: Equation) -> None:
    """An index that stands once and is spelt like a name in scope is probably meant to be that name; one with a range that stands nowhere
    is meant to be another."""
    for name, range_ in equation.ranges.items():
        if range_.declared and name not in (*equation.places, *equation.left, equation.step):
            title = f"the index `{name}` has a range, and stands nowhere in this equation"
            equation.state.report(Diagnostic("TL0703", title, range_.span, severity="warning"))
    for name, spans in equation.places.items():
        if len(spans) > 1 or name in equation.left:
            continue
        near = did_you_mean(name, [*equation.state.scope.visible()])
        if near and near != name and len(name) > 2:
            title = f"`{name}` is an index here, and spelt like `{near}`"
            equation.state.report(Diagnostic("TL0705", title, spans[0], help=(f"did you mean `{near}`?",), severity="warning"))


# --- sizes as values -------------------------------------------------------------------------------------------------


def size_operand(equation: Equation, dim: Dim, span: Span) -> Operand:
    """The int that a size is when the program runs."""
    if dim.value is not None:
        return Const(dim.value, Int(dim))
    total: Operand | None = None
    for monomial, count in dim.terms:
        total = _added(equation, total, _monomial(equation, monomial, abs(count), span), count < 0, span)
    assert total is not None
    return total


def _added(equation: Equation, total: Operand | None, term: Operand, minus: bool, span: Span) -> Operand:
    if total is None and not minus:
        return term
    return _arithmetic(equation, "-" if minus else "+", total if total is not None else _const(0), term, span)


def _monomial(equation: Equation, monomial: tuple[Atom, ...], count: int, span: Span) -> Operand:
    product: Operand | None = _const(count) if count != 1 or not monomial else None
    for atom in monomial:
        factor = _atom(equation, atom, span)
        product = factor if product is None else _arithmetic(equation, "*", product, factor, span)
    assert product is not None
    return product


def _atom(equation: Equation, atom: Atom, span: Span) -> Operand:
    if not atom.args:
        return _name(equation, str(atom), span)
    left, right = (size_operand(equation, arg, span) for arg in atom.args[:2])
    match atom.kind:
        case "min" | "max":
            for other in atom.args[2:]:
                left, right = _two_ints(equation, atom.kind, left, right, span), size_operand(equation, other, span)
            return _two_ints(equation, atom.kind, left, right, span)
        case "floor_div":
            return _two_ints(equation, "floor_div", left, right, span)
        case "mod":
            return _arithmetic(equation, "%", left, right, span)
    return _arithmetic(equation, "//", left, right, span)


def _name(equation: Equation, name: str, span: Span) -> Operand:
    frame = equation.state.frame
    known = frame.dim_values.get(name)
    if known is not None:
        return known
    if (entities := equation.state.relations.of_dim(name)) is not None:
        return number_of(equation.state, entities, span).operand
    tensor, axis = frame.origins.get(name, (None, 0))
    if tensor is None:
        equation.fail(
            "TL0403", span, f"the size {name.partition('#')[0]} of an index is not known here", "", "declare the shape of the tensor"
        )
        return _const(1)
    type_ = Int(Dim.sym(name) if "#" not in name else None)
    return equation.state.emit("builtin", (tensor, _const(axis)), type_, span, name="size", index=0).operand


def _const(number: int) -> Const:
    return Const(number, Int(Dim.const(number)))


def _arithmetic(equation: Equation, op: str, left: Operand, right: Operand, span: Span) -> Operand:
    return equation.state.emit("binary", (left, right), Int(_value(op, left, right)), span, op=op).operand


def _known(operand: Operand) -> Dim | None:
    return operand.type.value if isinstance(operand, Const | Value) and isinstance(operand.type, Int) else None


def _value(op: str, left: Operand, right: Operand) -> Dim | None:
    a, b = _known(left), _known(right)
    if a is None or b is None:
        return None
    table = {"+": Dim.__add__, "-": Dim.__sub__, "*": Dim.__mul__, "//": Dim.floor_div, "%": Dim.mod}
    return table[op](a, b)


def _two_ints(equation: Equation, kind: str, left: Operand, right: Operand, span: Span) -> Operand:
    """`min`, `max` or `floor_div`."""
    a, b = _known(left), _known(right)
    value = None if a is None or b is None else {"min": Dim.min, "max": Dim.max, "floor_div": Dim.floor_div}[kind](a, b)
    return equation.state.emit("builtin", (left, right), Int(value), span, name=kind, index=0).operand
