"""Boolean matrices in words, closures by components, and relations kept as matrices: against numpy."""

import numpy as np
import pytest
import torch

from tensorlogic.runtime.relations import bits, condensed
from tensorlogic.runtime.relations.bits import Bits, packed, product
from tensorlogic.runtime.relations.condensed import closed
from tensorlogic.runtime.relations.grid import Grid, Side

SHAPES = [
    (3, 70, 5, 0.3),
    (100, 130, 64, 0.02),
    (64, 64, 65, 0.5),
    (300, 200, 500, 0.01),
    (1, 1, 1, 1.0),
    (7, 129, 3, 0.0),
    (0, 3, 4, 0.0),
    (3, 0, 4, 0.0),
    (3, 4, 0, 0.0),
]


def plain(found: Bits) -> np.ndarray:
    return bits.matrix(found, torch.float32).numpy() > 0


@pytest.fixture(params=[{}, {"OR": 1e9}, {"TURN": -1.0}, {"ROW": 0.0}, {"ROW": 1e9}, {"BLOCK": 1}])
def plan(request, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in request.param.items():
        monkeypatch.setattr(bits, name, value)


@pytest.mark.parametrize("rows, middle, columns, share", SHAPES)
def test_products(plan: None, rows: int, middle: int, columns: int, share: float) -> None:
    random = np.random.default_rng(rows)
    left, right = random.random((rows, middle)) < share, random.random((middle, columns)) < share
    a, b = Bits.of(np.nonzero(left)[0], np.nonzero(left)[1], rows, middle), packed(torch.from_numpy(right))
    assert (plain(product(a, b)) == (left.astype(int) @ right > 0)).all()
    assert (plain(a) == left).all() and (plain(b.turned()) == right.T).all() and plain(b.turned().turned()).tolist() == right.tolist()
    assert a.count == left.sum() and all((x == y).all() for x, y in zip(b.pairs(), np.nonzero(right), strict=True))


def test_pairs_in_any_order() -> None:
    left, right = np.array([5, 0, 5, 2]), np.array([64, 3, 1, 127])
    found = Bits.of(left, right, 6, 128)
    assert set(zip(*(part.tolist() for part in found.pairs()), strict=True)) == {(5, 64), (0, 3), (5, 1), (2, 127)}


@pytest.mark.parametrize("change", [{}, {"FEW": 0}, {"FEW": 0, "DEEPEST": 2}, {"OR": 1e9}])
def test_closures(change: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in change.items():
        monkeypatch.setattr(condensed, name, value)
    for seed in range(60):
        random = np.random.default_rng(seed)
        nodes = int(random.integers(1, 30))
        edges = random.integers(0, nodes, size=(random.integers(0, 3 * nodes), 2))
        reach = np.zeros((nodes, nodes), bool)
        reach[edges[:, 0], edges[:, 1]] = True
        for at in range(nodes):
            reach |= reach[:, at : at + 1] & reach[at : at + 1]
        found = closed(edges[:, 0], edges[:, 1], nodes, torch.device("cpu"))
        assert (plain(found.reach)[found.label][:, found.label] == reach).all(), seed
        side = Side.grouped(torch.arange(100, 100 + nodes), found.label, found.reach.rows)
        _same(Grid(side, side, found.reach), reach)


def test_one_side_in_groups() -> None:
    random = np.random.default_rng(0)
    label = random.integers(0, 4, size=9)
    label[:4] = range(4)
    marks = random.random((5, 4)) < 0.5
    grouped, single = Side.grouped(torch.arange(100, 109), label, 4), Side(torch.arange(100, 105))
    _same(Grid(single, grouped, packed(torch.from_numpy(marks))), marks[:, label])
    _same(Grid(grouped, single, packed(torch.from_numpy(marks.T.copy()))), marks.T[label])


def _same(grid: Grid, marks: np.ndarray) -> None:
    left, right = grid.columns()
    assert grid.count == marks.sum() == len(left)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == {(x + 100, y + 100) for x, y in np.argwhere(marks).tolist()}


def test_numbers_of_values() -> None:
    for values in ([4, 5, 6], [1, 9, 30], [-(2**63), 0, 2**63 - 1]):
        side = Side.of([torch.tensor(values), torch.tensor(values[::-1])])
        assert side.numbers(torch.tensor([values[2], values[0], values[1]])).tolist() == [2, 0, 1]
