"""The five semirings, each in rules or equations as the documentation writes it, against sums over all paths by hand."""

from ast import literal_eval
from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
import pytest
import torch

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime import log_sums

SIZE, STEPS = 5, 4
CITIES = "entity city = {a, b, c, d, e}\n"
EDGES = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4), (2, 4), (4, 1)]  # with the cycle 1 3 4
WEIGHTS = [0.5, 0.25, 0.75, 0.5, 0.125, 1.0, 0.375, 0.25]


def facts(name: str, edges: list[tuple[int, int]] = EDGES) -> str:
    weights = dict(zip(EDGES, WEIGHTS, strict=True))
    return "".join(f"{name}({'abcde'[x]}, {'abcde'[y]}) = {weights[x, y]}\n" for x, y in edges)


def values(program: str) -> dict:
    compiled = tl.compile(CITIES + program)
    compiled.run()
    return compiled.values


def paths(longest: int) -> Iterator[tuple[int, ...]]:
    """Every path of at least one and at most `longest` edges."""
    for length in range(1, longest + 1):
        for path in product(range(SIZE), repeat=length + 1):
            if all(edge in EDGES for edge in pairwise(path)):
                yield path


def costs(path: tuple[int, ...]) -> list[float]:
    weights = dict(zip(EDGES, WEIGHTS, strict=True))
    return [weights[edge] for edge in pairwise(path)]


def by_hand(longest: int, join, combine, nothing: float) -> np.ndarray:
    found: dict[tuple[int, int], list[float]] = {}
    for path in paths(longest):
        found.setdefault((path[0], path[-1]), []).append(join(costs(path)))
    result = np.full((SIZE, SIZE), nothing)
    for place, proofs in found.items():
        result[place] = combine(proofs)
    return result


def test_boolean() -> None:
    program = "relation edge(city, city): float32\n" + facts("edge")
    program += "relation road(city, city)\n" + facts("edge").replace("edge", "road").replace(" = ", " // ")
    program += "reach(x, y) <- road(x, y)\nreach(x, z) <- reach(x, y), road(y, z)\nlet rules = reach\n"
    program += "let equation[x, y] = road[x, y]\nequation[x, z] max= equation[x, y] * road[y, z]\n"
    found = values(program)
    wanted = by_hand(STEPS + 1, lambda _: 1.0, max, 0.0)
    assert np.array_equal(found["rules"].numpy(), wanted) and np.array_equal(found["equation"].numpy(), wanted)


def test_counting() -> None:
    """How many paths there are, of at most 1 + STEPS edges."""
    program = "relation edge(city, city): float32\n" + "".join(f"edge({'abcde'[x]}, {'abcde'[y]})\n" for x, y in EDGES)
    program += f"ways(x, z) <- edge(x, z)\nways(x, z) <- ways(x, y), edge(y, z) where steps <= {STEPS}\nlet rules = ways\n"
    program += f"let equation[x, z] = edge[x, z]\nequation[x, z] += equation[x, y] edge[y, z] where steps <= {STEPS}\n"
    found = values(program)
    wanted = by_hand(STEPS + 1, lambda _: 1.0, sum, 0.0)
    assert np.array_equal(found["rules"].numpy(), wanted) and np.array_equal(found["equation"].numpy(), wanted)


def test_min_plus() -> None:
    program = "relation edge(city, city): float32\n" + facts("edge")
    program += "far(x, z) min= edge(x, z)\nfar(x, z) min= far(x, y), edge(y, z)\nlet rules = far\n"
    program += "step(x, z) min= edge(x, z)\nlet equation[x, z] = step[x, z]\nequation[x, z] min= equation[x, y] + step[y, z]\n"
    found = values(program)
    wanted = by_hand(STEPS + 1, sum, min, np.inf)
    assert np.allclose(found["rules"].numpy(), wanted) and np.allclose(found["equation"].numpy(), wanted)


def test_max_times() -> None:
    program = "relation edge(city, city): float32\n" + facts("edge")
    program += "best(x, z) max= edge(x, z)\nbest(x, z) max= best(x, y), edge(y, z)\nlet rules = best\n"
    program += "let equation[x, z] = edge[x, z]\nequation[x, z] max= equation[x, y] * edge[y, z]\n"
    found = values(program)
    wanted = by_hand(STEPS + 1, np.prod, max, 0.0)
    assert np.allclose(found["rules"].numpy(), wanted) and np.allclose(found["equation"].numpy(), wanted)


LOG_SUM = f"""
param L: float32[city, city] = zeros()
relation chance(city, city): float32 = exp(L[x, y])
reach(x, z) <- chance(x, z)
reach(x, z) <- reach(x, y), chance(y, z) where steps <= {STEPS}
let rules = log(reach)
let first[x, z] = L[x, z]
let longer[x, z] = first[x, z]
longer[x, z] = logaddexp(first[x, z], logsumexp[y](longer[x, y] + L[y, z])) where steps <= {STEPS}
"""


def test_log_sum() -> None:
    """Logarithms of chances: in equations by `logsumexp`, in rules as the chances themselves."""
    logs = torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    rows = ", ".join(f"[{', '.join(f'{v:.6f}' for v in row)}]" for row in logs.tolist())
    found = values(LOG_SUM.replace("zeros()", f"[{rows}]"))
    step = np.exp(logs.double().numpy())
    total = step
    for _ in range(STEPS):
        total = step + total @ step
    assert np.allclose(found["rules"].detach().numpy(), np.log(total), atol=1e-4)
    assert np.allclose(found["longer"].detach().numpy(), np.log(total), atol=1e-4)


def test_log_sum_is_stable() -> None:
    """Where the chances themselves are too small for a float."""
    program = "let A: float32[2, 2] = [[-1000.0, -1001.0], [-900.0, 0.0]]\nlet B: float32[2, 2] = [[0.0, -1200.0], [-1.0, -5.0]]\n"
    found = values(program + "let S[x, z] = logsumexp[y](A[x, y] + B[y, z])\n")["S"].double().numpy()
    a, b = np.array([[-1000.0, -1001.0], [-900.0, 0.0]]), np.array([[0.0, -1200.0], [-1.0, -5.0]])
    assert np.allclose(found, np.logaddexp.reduce(a[:, :, None] + b[None], axis=1))


@pytest.mark.parametrize(("left", "right", "axis"), [((5, 7, 1), (1, 7, 6), 1), ((5, 7, 1), (7, 6), -2), ((4, 1, 9, 3), (4, 8, 9, 1), 2)])
def test_a_log_sum_in_blocks(left: tuple[int, ...], right: tuple[int, ...], axis: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and gradients are those of the whole; where nothing is possible the result is minus infinity."""
    monkeypatch.setattr(log_sums, "BLOCK", 64)
    maker = torch.Generator().manual_seed(1)
    x, y = (torch.randn(shape, dtype=torch.float64, generator=maker).requires_grad_() for shape in (left, right))
    found, wanted = log_sums.logsumexp_of_sum(x, y, axis), torch.logsumexp(x + y, axis)
    assert torch.allclose(found, wanted)
    weight = torch.randn(found.shape, dtype=torch.float64, generator=maker)
    pairs = zip(torch.autograd.grad(found, (x, y), weight), torch.autograd.grad(wanted, (x, y), weight), strict=True)
    assert all(torch.allclose(a, b) for a, b in pairs)
    nothing = torch.full(left, -torch.inf, requires_grad=True)
    empty = log_sums.logsumexp_of_sum(nothing, torch.zeros(right), axis)
    assert bool((empty == -torch.inf).all())
    (gradient,) = torch.autograd.grad(empty.sum(), nothing)
    assert not gradient.any()


def test_a_contraction_in_logarithms_is_not_made_whole() -> None:
    """The equation becomes the operation that works in blocks; a sum that something else reads does not."""
    program = "fn f(A: f32[X, Y], B: f32[Y, Z]) -> f32[X, Z] {\n    let S[x, z] = logsumexp[y](A[x, y] + B[y, z])\n    return S\n}\n"
    net = tl.compile(program)
    assert "logsumexp_of_sum" in net.python
    a, b = torch.randn(300, 200), torch.randn(200, 250)
    assert torch.allclose(net.f(a, b), torch.logsumexp(a[:, :, None] + b[None], 1), atol=1e-5)
    same = "fn f(A: f32[X, Y]) -> f32[X] {\n    let S[x] = logsumexp[y](A[x, y] + 1.0)\n    return S\n}\n"
    assert "logsumexp_of_sum" not in tl.compile(same).python


def test_gradients_through_a_bounded_recursion() -> None:
    """The derivative of the log of a sum of paths is the share of the paths that use an edge."""
    rows = "[[0.1, 0.2, 0.3, 0.1, 0.5], [0.2, 0.1, 0.1, 0.1, 0.1], [0.3, 0.1, 0.2, 0.2, 0.1], "
    rows += "[0.1, 0.1, 0.1, 0.1, 0.2], [0.4, 0.1, 0.1, 0.1, 0.1]]"
    program = LOG_SUM.replace("zeros()", rows) + "let rule_grad = grad(sum(log(reach)), L)\nlet equation_grad = grad(sum(longer), L)\n"
    found = values(program)
    leaf = torch.tensor(literal_eval(rows), dtype=torch.float64, requires_grad=True)
    step = leaf.exp()
    total = step
    for _ in range(STEPS):
        total = step + total @ step
    (wanted,) = torch.autograd.grad(total.log().sum(), leaf)
    assert torch.allclose(found["rule_grad"].double(), wanted, atol=1e-4)
    assert torch.allclose(found["equation_grad"].double(), wanted, atol=1e-4)


def test_tolerance_in_an_equation() -> None:
    program = "relation edge(city, city): float32\n" + facts("edge")
    program += "let t[x, z] = 0.5 * edge[x, z]\nt[x, z] += 0.5 * t[x, y] edge[y, z] where tol < 1e-7\n"
    step = np.zeros((SIZE, SIZE))
    for place, weight in zip(EDGES, WEIGHTS, strict=True):
        step[place] = weight / 2
    assert np.allclose(values(program)["t"].numpy(), step @ np.linalg.inv(np.eye(SIZE) - step), atol=1e-5)


def test_a_sum_over_a_cycle_has_no_end() -> None:
    program = "let C: float32[2, 2] = [[0.0, 2.0], [1.0, 0.0]]\nlet t[x, z] = C[x, z]\nt[x, z] += t[x, y] C[y, z]\n"
    with pytest.raises(TensorLogicError) as raised:
        values(program)
    (told,) = raised.value.diagnostics
    assert told.code == "TL0503" and told.span is not None and told.span.line == 4 and "where steps <= 10" in told.help[0]


def test_a_sum_without_a_cycle_ends() -> None:
    program = (
        "let C: float32[3, 3] = [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]\nlet t[x, z] = C[x, z]\nt[x, z] += t[x, y] C[y, z]\n"
    )
    assert values(program)["t"].tolist() == [[0.0, 1.0, 5.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    "where, codes",
    [
        ("steps <= 2", []),
        ("steps <= 2, tol < 1e-3", []),
        ("steps < 2", ["TL0404"]),
        ("steps <= -1", ["TL0404"]),
        ("steps <= 1.5", ["TL0404"]),
        ("tol <= 1e-3", ["TL0404"]),
    ],
)
def test_how_an_end_is_written(where: str, codes: list[str]) -> None:
    program = f"let C: float32[2, 2] = [[0.0, 2.0], [1.0, 0.0]]\nlet t[x, z] = C[x, z]\nt[x, z] += t[x, y] C[y, z] where {where}\n"
    assert [d.code for d in tl.check(program) if d.is_error] == codes
