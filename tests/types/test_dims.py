"""Sizes: the normal form, its text, and that no rule changes a value."""

import itertools
import os

import pytest
from hypothesis import assume, given, settings, strategies as st

from tensorlogic.types.dims import Dim, DimTooLarge

EXAMPLES = 3000 if os.environ.get("TLC_FULL") else 250
B, C, D, H, K, M, N, T = map(Dim.sym, "BCDHKMNT")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (H * D.exact_div(H), D),
        (B * T * H * D.exact_div(H), B * T * D),
        ((H + 1) * D.exact_div(H + 1), D),
        ((H * K).exact_div(H), K),
        ((4 * D).exact_div(2), 2 * D),
        (3 * D.exact_div(2), (3 * D).exact_div(2)),
        (D.exact_div(H).exact_div(K), D.exact_div(H * K)),
        ((H * K + B).exact_div(H), K + B.exact_div(H)),
        ((H * H - 1).exact_div(H + 1), H - 1),
        ((2 * N - 2).floor_div(2) + 1, N),
        ((N * H).floor_div(H), N),
        ((H + 2 * 1 - 3).floor_div(1) + 1, H),
        ((N - 2).floor_div(2) + 1, N.floor_div(2)),
        ((4 * N + 3).floor_div(4), N),
        (N.floor_div(2).floor_div(3), N.floor_div(6)),
        (((N - 1).floor_div(2) + 1 - 1).floor_div(2) + 1, (N - 1).floor_div(4) + 1),
        (N.floor_div(-2), (-N).floor_div(2)),
        ((2 * N).floor_div(4), N.floor_div(2)),
        (Dim.const(7).floor_div(2), Dim.const(3)),
        (Dim.const(7).ceil_div(2), Dim.const(4)),
        (Dim.const(-7).mod(3), Dim.const(2)),
        ((6 * N).mod(3), Dim.const(0)),
        ((N * H).mod(H), Dim.const(0)),
        ((6 * N).mod(4), 2 * N.mod(2)),
        (Dim.min(N, N), N),
        (Dim.min(N, N + 1), N),
        (Dim.max(N, N + 1), N + 1),
        (Dim.min(T, C), Dim.min(C, T)),
        (Dim.min(Dim.min(T, C), T), Dim.min(T, C)),
        (Dim.min(N - 1, M - 1) + 1, Dim.min(N, M)),
        (Dim.min(2 * N, 2 * M), 2 * Dim.min(N, M)),
        (N - N, Dim.const(0)),
        ((N + 1) * (N - 1), N * N - 1),
    ],
)
def test_equal_sizes_are_equal_values(left: Dim, right: Dim) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert str(left) == str(right)


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (4 * D, "4 * D"),
        (H * K + 1, "H * K + 1"),
        (H.floor_div(2), "floor_div(H, 2)"),
        (D.exact_div(H), "D / H"),
        (B * D.exact_div(H), "B * (D / H)"),
        (D.exact_div(H * K), "D / (H * K)"),
        (N - 1, "N - 1"),
        (1 - N, "1 - N"),
        (-N, "0 - N"),
        (N.ceil_div(2), "ceil_div(N, 2)"),
        (N.ceil_div(K), "ceil_div(N, K)"),
        ((N - 1).floor_div(2), "floor_div(N - 1, 2)"),
        (N.mod(2), "N % 2"),
        (3 * (N + 1).mod(H), "3 * ((N + 1) % H)"),
        (Dim.min(T, C), "min(C, T)"),
        (Dim.max(N - 1, 3), "max(3, N - 1)"),
        (Dim.min(Dim.min(T, C), K), "min(min(C, K), T)"),
        (Dim.const(0), "0"),
        (Dim.fresh() + 1, "? + 1"),
        (Dim.fresh("W"), "W"),
    ],
)
def test_prints_source_syntax(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_unknowns_are_all_different() -> None:
    first, second = Dim.fresh(), Dim.fresh()
    assert first != second
    assert first.has_unknown
    assert not N.has_unknown
    assert len((first + second * N).symbols()) == 3


def test_value_and_names() -> None:
    assert Dim.const(3).value == 3
    assert N.value is None
    assert (N.floor_div(H) + K).symbols() == {"N", "H", "K"}
    assert (N - N).value == 0
    assert N.name == "N"
    assert (N + 1).name is None


def test_substitution_is_simultaneous() -> None:
    assert (H - K).substitute({"H": K, "K": H}) == K - H
    assert D.exact_div(H).substitute({"D": H * K}) == K
    assert N.mod(2).substitute({"N": 2 * K}) == Dim.const(0)


def test_evaluation_says_where_there_is_no_value() -> None:
    with pytest.raises(ArithmeticError):
        D.exact_div(H).evaluate({"D": 7, "H": 2})
    with pytest.raises(ZeroDivisionError):
        N.floor_div(0).evaluate({"N": 7})


def test_hostile_sizes_are_refused() -> None:
    with pytest.raises(DimTooLarge):
        _power(Dim.const(2), 300)
    with pytest.raises(DimTooLarge):
        _power(sum((Dim.sym(f"x{i}") for i in range(9)), Dim.const(1)), 20)
    with pytest.raises(DimTooLarge):
        _nested(200)


def _power(dim: Dim, n: int) -> Dim:
    product = Dim.const(1)
    for _ in range(n):
        product = product * dim
    return product


def _nested(n: int) -> Dim:
    dim = N
    for i in range(n):
        dim = (dim * H + K).floor_div(M + i)
    return dim


# --- random sizes: an expression tree, its value by Python, its Dim -----------------------------------------------------

NAMES = "ABC"
OPERATIONS = ("+", "-", "*", "floor_div", "ceil_div", "mod", "min", "max", "exact_div")
leaves = st.sampled_from(NAMES) | st.integers(0, 7)
trees = st.recursive(leaves, lambda inner: st.tuples(st.sampled_from(OPERATIONS), inner, inner), max_leaves=7)
numbers = st.fixed_dictionaries({name: st.integers(1, 40) for name in NAMES})


def dim_of(tree) -> Dim:
    match tree:
        case str():
            return Dim.sym(tree)
        case int():
            return Dim.const(tree)
    op, a, b = tree[0], dim_of(tree[1]), dim_of(tree[2])
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    return getattr(Dim, op)(a, b)


def value_of(tree, values: dict[str, int]) -> int:
    """The value, or ArithmeticError where there is none."""
    match tree:
        case str():
            return values[tree]
        case int():
            return tree
    op, a, b = tree[0], value_of(tree[1], values), value_of(tree[2], values)
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "min" | "max":
            return min(a, b) if op == "min" else max(a, b)
        case "floor_div":
            return a // b
        case "mod":
            return a % b
    if b <= 0 and op == "ceil_div" or a % b and op == "exact_div":
        raise ArithmeticError
    return -(-a // b)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees, st.lists(numbers, min_size=1, max_size=6))
def test_the_normal_form_keeps_the_value(tree, assignments) -> None:
    dim = dim_of(tree)
    for values in assignments:
        try:
            expected = value_of(tree, values)
        except ArithmeticError:
            continue
        assert dim.evaluate(values) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees, trees, trees, numbers)
def test_substitution_commutes_with_evaluation(tree, first, second, values) -> None:
    table = {"A": dim_of(first), "B": dim_of(second)}
    try:
        inner = {**values, "A": value_of(first, values), "B": value_of(second, values)}
        expected = value_of(tree, inner)
        substituted = dim_of(tree).substitute(table)
    except (ArithmeticError, DimTooLarge):
        assume(False)
        return
    if inner["A"] > 0 and inner["B"] > 0:  # ceil_div is defined for divisors above zero
        assert substituted.evaluate(values) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees, trees)
def test_equal_normal_forms_have_equal_values(first, second) -> None:
    if dim_of(first) != dim_of(second):
        return
    for values in itertools.product(range(1, 5), repeat=len(NAMES)):
        assignment = dict(zip(NAMES, values, strict=True))
        try:
            left, right = value_of(first, assignment), value_of(second, assignment)
        except ArithmeticError:
            continue
        assert left == right
