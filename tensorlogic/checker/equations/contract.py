"""Sums of products, two factors at a time in the order that costs least; a join is never written out."""

from collections import Counter
from math import prod

from tensorlogic.checker.equations.convolution import convolution
from tensorlogic.checker.equations.order import plan
from tensorlogic.checker.equations.terms import Term, call, cast, combine, permuted, reduce, text
from tensorlogic.checker.equations.tree import Equation, Product
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Atom, Dim
from tensorlogic.types.mistakes import DTypeMismatch
from tensorlogic.types.types import Float

TYPICAL = 64  # what a size is taken for that is not known
MANY = 6  # of more factors than this, those with the same indices are multiplied first


def multiplied(equation: Equation, node: Product, times: list[Term], over: list[tuple[Term, ast.Binary]]) -> Term:
    """Element by element."""
    total = times[0]
    for term in times[1:]:
        total = _by(equation, node, total, term)
    for term, operator in over:
        total = combine(equation, operator, total, term, "/")
    return total


def _by(equation: Equation, node: Product, left: Term, right: Term) -> Term:
    operator = node.operators[0]
    return combine(equation, ast.Binary(node.span, "*", operator.left, operator.right, operator.op_span), left, right, "*")


def contract(equation: Equation, node: Product, times: list[Term], over: list[tuple[Term, ast.Binary]], summed: frozenset[str]) -> Term:
    """The product summed over these indices. What has none of them, and the numbers, come in at the end."""
    tensors = [term for term in times if term.axes]
    late = [term for term in times if not term.axes]
    after = [(term, operator) for term, operator in over if not summed & set(term.axes)]
    inside = [(term, operator) for term, operator in over if summed & set(term.axes)]
    if not tensors:
        whole = multiplied(equation, node, late, inside)
        total, late = reduce(equation, "sum", whole, [n for n in whole.axes if n in summed], node.span), []
    else:
        for term, operator in inside:
            at = next((i for i, t in enumerate(tensors) if set(term.axes) <= set(t.axes)), None)
            if at is None:
                tensors.append(combine(equation, operator, _one(node.span), term, "/"))
            else:
                tensors[at] = combine(equation, operator, tensors[at], term, "/")
        alike = _alike(equation, tensors)
        if alike is None:
            return Term(equation.state.unknown(node.span), ())
        total = _chain(equation, node, alike, summed)
    for term in late:
        total = _by(equation, node, total, term)
    for term, operator in after:
        total = combine(equation, operator, total, term, "/")
    return total


def _one(span: Span) -> Term:
    return Term(Typed(Const(1.0, Float(1.0)), Float(1.0), span), (), weak=True)


def _alike(equation: Equation, tensors: list[Term]) -> list[Term] | None:
    """Integers become floats beside floats and 64 bits wide otherwise; two kinds of floats are a mistake (TL0302)."""
    floats = [term for term in tensors if not term.weak and _is_wide(term.dtype)] or [term for term in tensors if _is_wide(term.dtype)]
    odd = next((term for term in floats if term.dtype != floats[0].dtype and not term.weak), None)
    if odd is not None:
        mistake = DTypeMismatch("the tensors of the equation", floats[0].dtype, odd.dtype)
        labels = (Label(floats[0].typed.span, f"this is {floats[0].dtype}"),)
        equation.state.report(describe(mistake, odd.typed.span, labels))
        equation.wrong = True
        return None
    return [cast(equation, term, floats[0].dtype if floats else "int64") for term in tensors]


def _is_wide(dtype: str) -> bool:
    """Floats and complex numbers, and dtypes that a function leaves open."""
    return dtype != "bool" and not dtype.startswith(("int", "uint"))


# --- the order -------------------------------------------------------------------------------------------------------


def typical(dim: Dim) -> int:
    """What a size is taken for when orders are compared: its number, or what it is where all names in it are `TYPICAL`."""
    return max(1, sum(count * prod(map(_typical_atom, monomial)) for monomial, count in dim.terms))


def _typical_atom(atom: Atom) -> int:
    sizes = [typical(part) for part in atom.args]
    match atom.kind, sizes:
        case "min" | "max" as kind, _ if sizes:
            return min(sizes) if kind == "min" else max(sizes)
        case (("floor_div" | "quotient"), [a, b]):
            return max(1, a // b)
    return TYPICAL


def _softmax_of(equation: Equation, term: Term) -> str | None:
    """The index along which a factor is a softmax, as far as this block says it."""
    op = next((op for op in reversed(equation.state.ops) if term.typed.operand in op.results), None)
    at = op.args[1] if op is not None and op.attrs.get("name") == "softmax" else None
    return term.axes[at.value] if isinstance(at, Const) and isinstance(at.value, int) else None


def _chain(equation: Equation, node: Product, tensors: list[Term], summed: frozenset[str]) -> Term:
    """Pair by pair. An index that only one factor has is summed there first."""
    rest = _merged(equation, node, tensors) if len(tensors) > MANY else list(tensors)
    held = Counter(name for term in rest for name in term.axes)
    for at, term in enumerate(rest):
        lone = [name for name in term.axes if name in summed and held[name] == 1]
        rest[at] = reduce(equation, "sum", term, lone, node.span)
    axes = [frozenset(term.axes) for term in rest]
    kept = frozenset().union(*axes) - summed
    held = Counter(name for term in rest for name in term.axes)
    soft = {at: name for at, term in enumerate(rest) if (name := _softmax_of(equation, term)) is not None}
    for left, right in plan(axes, kept, lambda name: typical(equation.ranges[name].size), soft):
        pair = rest[left], rest[right]
        held.subtract(name for term in pair for name in term.axes)
        made = _join(equation, node, *pair, {name for name in held if held[name] > 0} | kept)
        held.update(made.axes)
        rest.append(made)
    return rest[-1]


def _merged(equation: Equation, node: Product, terms: list[Term]) -> list[Term]:
    """Of many factors, those with the same indices are one."""
    found: dict[frozenset[str], Term] = {}
    for term in terms:
        key = frozenset(term.axes)
        found[key] = _by(equation, node, found[key], term) if key in found else term
    return list(found.values())


# --- one pair --------------------------------------------------------------------------------------------------------


def _join(equation: Equation, node: Product, left: Term, right: Term, kept: set[str]) -> Term:
    """The product of two factors with these indices left: a matrix product where it is one, an einsum otherwise."""
    if left.unknown or right.unknown:
        return Term(equation.state.unknown(node.span), ())
    gone = [name for name in left.axes if name in right.axes and name not in kept]
    if not gone:
        whole = _by(equation, node, left, right)
        return reduce(equation, "sum", whole, [name for name in whole.axes if name not in kept], node.span)
    windowed = convolution(equation, node, left, right, gone)
    if windowed is not None:
        return windowed
    matrix = _matrix_product(equation, node, left, right, gone)
    if matrix is not None:
        return matrix
    axes = equation.order({*left.axes, *right.axes} & kept)
    if axes and axes[-1] in left.axes and axes[-1] not in right.axes:
        left, right = right, left  # the last axis of the result is one of the right factor: so it lies as it is read
    return _einsum(equation, node, left, right, axes)


def _einsum(equation: Equation, node: Product, left: Term, right: Term, axes: tuple[str, ...]) -> Term:
    names = tuple(dict.fromkeys((*left.axes, *right.axes)))
    if len(names) > 52:
        equation.fail("TL0104", node.span, f"a product of two tensors has at most 52 indices, found {len(names)}")
        return Term(equation.state.unknown(node.span), ())
    letter = {name: (chr(ord("a") + at) if at < 26 else chr(ord("A") + at - 26)) for at, name in enumerate(names)}
    spelled = ["".join(letter[name] for name in part) for part in (left.axes, right.axes, axes)]
    rule = text(f"{spelled[0]},{spelled[1]}->{spelled[2]}", node.span)
    return Term(call(equation, "einsum", node.span, rule, left.typed, right.typed), axes)


def _matrix_product(equation: Equation, node: Product, left: Term, right: Term, gone: list[str]) -> Term | None:
    """`a @ b`, where each has the one summed index and at most one of its own, behind common ones in the same order."""
    if len(gone) != 1:
        return None
    shared = [name for name in left.axes if name in right.axes and name not in gone]
    found: list[tuple[Term, Term, list[list[str]], tuple[str, ...]]] = []
    for one, other in ((left, right), (right, left)):
        own = [[n for n in t.axes if n not in shared and n not in gone] for t in (one, other)]
        count = len(shared)
        if list(one.axes[:count]) != shared or list(other.axes[:count]) != shared or max(map(len, own)) > 1:
            continue
        wanted = (*shared, *own[0], *own[1])
        if not (shared and min(map(len, own)) == 0):
            found.append((one, other, own, wanted))
    if not found:
        return None

    def turns(item: tuple[Term, Term, list[list[str]], tuple[str, ...]]) -> tuple[int, bool]:
        one, other, own, wanted = item
        straight = (one.axes == (*shared, *own[0], gone[0])) + (other.axes == (*shared, gone[0], *own[1]))
        return -straight, wanted != equation.order(set(wanted))

    one, other, own, wanted = min(found, key=turns)
    first = permuted(equation, one, (*shared, *own[0], gone[0]))
    second = permuted(equation, other, (*shared, gone[0], *own[1]))
    return Term(call(equation, "matmul", node.span, first.typed, second.typed), wanted)
