"""The order of products: no dearer than any other order for a few factors, the textbook's for chains, quick and complete for many."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import inf, prod
from random import Random
from time import perf_counter

import pytest

import tensorlogic as tl
from tensorlogic.checker.equations.contract import TYPICAL, typical
from tensorlogic.checker.equations.order import Step, plan
from tensorlogic.types.dims import Dim

Factors = Sequence[frozenset[str]]


def cost(factors: Factors, result: frozenset[str], sizes: dict[str, int], steps: Sequence[Step]) -> int:
    """Multiplications of an order; it must use every factor once."""
    left = dict(enumerate(factors))
    total = 0
    for at, (a, b) in enumerate(steps):
        both = left.pop(a) | left.pop(b)
        total += prod(sizes[name] for name in both)
        left[len(factors) + at] = both & result.union(*left.values())
    assert len(left) == 1
    return total


def least(factors: Factors, result: frozenset[str], sizes: dict[str, int]) -> float:
    """The cheapest of all orders, by trying each."""
    if len(factors) == 1:
        return 0
    best = inf
    for a, b in combinations(range(len(factors)), 2):
        rest = [factor for at, factor in enumerate(factors) if at not in (a, b)]
        both = factors[a] | factors[b]
        best = min(best, prod(sizes[name] for name in both) + least([*rest, both & result.union(*rest)], result, sizes))
    return best


def case(random: Random, count: int) -> tuple[list[frozenset[str]], frozenset[str], dict[str, int]]:
    names = "abcdefghij"[: random.randint(3, 10)]
    sizes = {name: random.choice([2, 3, 5, 8, 64, 100]) for name in names}
    factors = [frozenset(random.sample(names, random.randint(1, 3))) for _ in range(count)]
    used = sorted(frozenset().union(*factors))
    result = frozenset(random.sample(used, random.randint(0, min(2, len(used)))))
    held = Counter(name for factor in factors for name in factor)
    return [frozenset(name for name in factor if held[name] > 1 or name in result) for factor in factors], result, sizes


@pytest.mark.parametrize("seed", range(60))
def test_no_order_of_a_few_factors_is_cheaper(seed: int) -> None:
    factors, result, sizes = case(Random(seed), 2 + seed % 5)
    assert cost(factors, result, sizes, plan(factors, result, sizes.__getitem__)) == least(factors, result, sizes)


def matrix_chain(sizes: Sequence[int]) -> int:
    """The textbook's table for a chain of matrices."""
    count = len(sizes) - 1
    table = {(at, at): 0 for at in range(count)}
    for length in range(1, count):
        for a in range(count - length):
            b = a + length
            table[a, b] = min(table[a, m] + table[m + 1, b] + sizes[a] * sizes[m + 1] * sizes[b + 1] for m in range(a, b))
    return table[0, count - 1]


@pytest.mark.parametrize("count", range(3, 17))
def test_chains(count: int) -> None:
    random = Random(count)
    names = [f"i{at}" for at in range(count + 1)]
    sizes = {name: random.randint(2, 90) for name in names}
    factors = [frozenset(names[at : at + 2]) for at in range(count)]
    start = perf_counter()
    steps = plan(factors, frozenset((names[0], names[-1])), sizes.__getitem__)
    assert perf_counter() - start < 1.0
    assert cost(factors, frozenset((names[0], names[-1])), sizes, steps) == matrix_chain(list(sizes.values()))


@pytest.mark.parametrize("count", [9, 16, 40, 150])
def test_many_factors_are_planned_quickly(count: int) -> None:
    random = Random(count)
    names = [f"i{at}" for at in range(2 * count)]
    factors = [frozenset(random.sample(names, 3)) for _ in range(count)]
    start = perf_counter()
    steps = plan(factors, frozenset(names[:2]), lambda name: 3)
    assert perf_counter() - start < 2.0
    assert sorted(number for step in steps for number in step) == list(range(2 * count - 2))


def test_sizes_that_are_not_known_count_as_a_typical_one() -> None:
    n, m = Dim.sym("N"), Dim.sym("M")
    assert typical(Dim.const(7)) == 7 and typical(n) == TYPICAL and typical(n * m + 1) == TYPICAL**2 + 1 and typical(n - n * m) == 1


def test_quotients_are_smaller() -> None:
    d, h = Dim.sym("D"), Dim.sym("H")
    assert typical(Dim.max(d, Dim.const(100))) == 100 and typical(d.floor_div(Dim.const(2))) == TYPICAL // 2
    assert typical(d.floor_div(h)) == 1


def test_a_softmax_comes_first_where_nothing_else_is_cheaper() -> None:
    factors = [frozenset("dhk"), frozenset("bhts"), frozenset("bhsk")]
    assert plan(factors, frozenset("btd"), lambda name: 8, {1: "s"})[0] == (1, 2)
    assert plan(factors, frozenset("btd"), lambda name: 500 if name in "kh" else 8, {1: "s"})[0] == (0, 2)


def test_a_product_is_never_written_out() -> None:
    """An index in three tensors and one that stands once; a chain from its short end."""
    program = tl.compile("""
fn hyper(A: f32[I, K], B: f32[J, K], C: f32[L, K], z: f32[M]) -> f32[I, J, L] {
    let y[i, j, l] = A[i, k] B[j, k] C[l, k] z[m]
    return y
}
fn small(A: f32[B, 200, 3], C: f32[B, 3, 4], D: f32[B, 4, 300], E: f32[B, 300]) -> f32[B, 200] {
    let y[b, i] = A[b, i, j] C[b, j, k] D[b, k, l] E[b, l]
    return y
}
""")
    hyper, small = (program.python.partition(f"def {name}")[2].partition("\n\n\n")[0] for name in ("hyper", "small"))
    assert hyper.count("einsum") + hyper.count("matmul") == 1 and "torch.sum(z, 0" in hyper
    assert small.index("D, E") > 0 and "float32[B, 200, 300]" not in small and "float32[B, 3, 300]" not in small
