"""Sums of products, two factors at a time in the order that costs least; a join is never written out."""

from itertools import combinations
from math import prod

from tensorlogic.checker.equations.convolution import convolution
from tensorlogic.checker.equations.terms import Term, call, cast, combine, permuted, reduce, text
from tensorlogic.checker.equations.tree import Equation, Product
from tensorlogic.checker.messages import describe
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.syntax import ast
from tensorlogic.types.mistakes import DTypeMismatch

TYPICAL = 64  # what a size is taken for that is not known
EXACT = 6  # of so many factors every order is looked at


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
            at = next((i for i, t in enumerate(tensors) if set(term.axes) <= set(t.axes)), 0)
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


def _size(equation: Equation, names: frozenset[str] | set[str]) -> int:
    return prod((equation.ranges[name].size.value or TYPICAL) for name in names)


def _chain(equation: Equation, node: Product, tensors: list[Term], summed: frozenset[str]) -> Term:
    """Pair by pair. An index that only one factor has is summed there first."""
    rest = _merged(equation, node, tensors) if len(tensors) > EXACT else list(tensors)
    for at, term in enumerate(rest):
        others = {name for i, other in enumerate(rest) if i != at for name in other.axes}
        lone = [name for name in term.axes if name in summed and name not in others]
        rest[at] = reduce(equation, "sum", term, lone, node.span)
    steps = _plan(equation, [frozenset(term.axes) for term in rest], summed)
    for i, j in steps:
        left, right = rest[i], rest[j]
        rest = [term for at, term in enumerate(rest) if at not in (i, j)]
        kept = {name for term in rest for name in term.axes} | ({*left.axes, *right.axes} - summed)
        rest.append(_join(equation, node, left, right, kept))
    return rest[0]


def _merged(equation: Equation, node: Product, terms: list[Term]) -> list[Term]:
    """Of many factors, those with the same indices are one."""
    found: dict[frozenset[str], Term] = {}
    for term in terms:
        key = frozenset(term.axes)
        found[key] = _by(equation, node, found[key], term) if key in found else term
    return list(found.values())


Step = tuple[int, int]


def _plan(equation: Equation, axes: list[frozenset[str]], summed: frozenset[str]) -> list[Step]:
    """Which two factors come next, by their places in the list of what is left; the result goes to its end."""
    if len(axes) <= 2:
        return [(0, 1)] if len(axes) == 2 else []
    return _best(equation, tuple(axes), summed)[1] if len(axes) <= EXACT else _greedy(equation, axes, summed)


def _outcome(axes: tuple[frozenset[str], ...], i: int, j: int, summed: frozenset[str]) -> tuple[tuple[frozenset[str], ...], frozenset[str]]:
    """(what is left, all indices of the pair)"""
    rest = tuple(a for at, a in enumerate(axes) if at not in (i, j))
    both = axes[i] | axes[j]
    kept = both & (frozenset().union(*rest) | (both - summed))
    return (*rest, kept), both


def _best(equation: Equation, axes: tuple[frozenset[str], ...], summed: frozenset[str]) -> tuple[int, list[Step]]:
    """The cheapest order of all, by the number of multiplications."""
    if len(axes) == 1:
        return 0, []
    found: tuple[int, list[Step]] | None = None
    for i, j in combinations(range(len(axes)), 2):
        left, both = _outcome(axes, i, j, summed)
        cost = _size(equation, both)
        if found is not None and cost >= found[0]:
            continue
        more, steps = _best(equation, left, summed)
        if found is None or cost + more < found[0]:
            found = cost + more, [(i, j), *steps]
    assert found is not None
    return found


def _greedy(equation: Equation, axes: list[frozenset[str]], summed: frozenset[str]) -> list[Step]:
    """Each time the pair whose result is smallest against what goes into it."""
    left, steps = tuple(axes), []
    while len(left) > 1:
        pairs = combinations(range(len(left)), 2) if len(left) <= 40 else ((at, at + 1) for at in range(len(left) - 1))

        def weight(pair: Step, left: tuple[frozenset[str], ...] = left) -> tuple[int, int]:
            rest, both = _outcome(left, *pair, summed)
            return _size(equation, rest[-1]) - sum(_size(equation, left[at]) for at in pair), _size(equation, both)

        step = min(pairs, key=weight)
        steps.append(step)
        left = _outcome(left, *step, summed)[0]
    return steps


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
    names = tuple(dict.fromkeys((*left.axes, *right.axes)))
    if len(names) > 52:
        equation.fail("TL0104", node.span, f"a product of two tensors has at most 52 indices, found {len(names)}")
        return Term(equation.state.unknown(node.span), ())
    letter = {name: (chr(ord("a") + at) if at < 26 else chr(ord("A") + at - 26)) for at, name in enumerate(names)}
    axes = equation.order(set(names) & kept)
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
    one, other, own, wanted = next((item for item in found if item[3] == equation.order(set(item[3]))), found[0])
    first = permuted(equation, one, (*shared, *own[0], gone[0]))
    second = permuted(equation, other, (*shared, gone[0], *own[1]))
    return Term(call(equation, "matmul", node.span, first.typed, second.typed), wanted)
