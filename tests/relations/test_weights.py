"""Weighted relations: sums and best proofs against dense algebra, bounds, and gradients through rules."""

import pytest
import torch

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError

PEOPLE = "entity person = {a, b, c, d}\n"
TRUST = PEOPLE + "relation trust(person, person): float32\ntrust(a, b) = 0.5\ntrust(b, c) = 0.75\ntrust(a, c) = 0.25\ntrust(c, d) = 0.5\n"


def values(program: str) -> dict:
    compiled = tl.compile(program)
    compiled.run()
    return compiled.values


def matrix() -> torch.Tensor:
    found = torch.zeros(4, 4)
    found[0, 1], found[1, 2], found[0, 2], found[2, 3] = 0.5, 0.75, 0.25, 0.5
    return found


def test_a_body_multiplies_and_proofs_add() -> None:
    found = values(
        TRUST + "two(x, z) <- trust(x, y), trust(y, z)\nboth(x, z) <- trust(x, z)\nboth(x, z) <- two(x, z)\nlet t = two\nlet u = both\n"
    )
    assert torch.allclose(found["t"], matrix() @ matrix())
    assert torch.allclose(found["u"], matrix() + matrix() @ matrix())


def test_a_variable_that_is_not_in_the_head_is_summed() -> None:
    assert torch.allclose(values(TRUST + "out(x) <- trust(x, _)\nlet t = out\n")["t"], matrix().sum(1))


def test_a_fact_said_again_has_its_new_weight() -> None:
    assert values(TRUST + "trust(a, b) = 0.125\nlet t = trust\n")["t"][0, 1] == 0.125


def test_best_proof() -> None:
    found = values(TRUST + "best(x, z) max= trust(x, z)\nbest(x, z) max= best(x, y), trust(y, z)\nlet t = best\n")["t"]
    expected = matrix()
    for _ in range(4):
        expected = torch.maximum(expected, (expected[:, :, None] * matrix()[None]).amax(1))
    assert torch.allclose(found, expected)


def test_shortest_path() -> None:
    """Costs add; what there is no path to is infinitely far."""
    found = values(TRUST + "far(x, z) min= trust(x, z)\nfar(x, z) min= far(x, y), trust(y, z)\nlet t = far\n")["t"]
    expected = torch.where(matrix() > 0, matrix(), torch.inf)
    for _ in range(4):
        expected = torch.minimum(expected, (expected[:, :, None] + torch.where(matrix() > 0, matrix(), torch.inf)[None]).amin(1))
    assert torch.allclose(found, expected)


def test_steps() -> None:
    program = TRUST + "trust(d, a) = 0.5\nt(x, z) <- trust(x, z)\nt(x, z) <- t(x, y), trust(y, z) where steps <= 3\nlet r = t\n"
    step = matrix()
    step[3, 0] = 0.5
    expected = step
    for _ in range(3):
        expected = step + expected @ step
    assert torch.allclose(values(program)["r"], expected)


def test_tolerance() -> None:
    program = TRUST + "trust(d, a) = 0.5\nt(x, z) <- trust(x, z)\nt(x, z) <- t(x, y), trust(y, z) where tol < 1e-7\nlet r = t\n"
    step = matrix()
    step[3, 0] = 0.5
    assert torch.allclose(values(program)["r"], step @ torch.linalg.inv(torch.eye(4) - step), atol=1e-5)


@pytest.mark.parametrize("op, weight", [("max", 1.5), ("min", -1.0)])
def test_what_never_ends(op: str, weight: float) -> None:
    program = f"{PEOPLE}relation w(person, person): float32\nw(a, b) = {weight}\nw(b, a) = {weight}\n"
    program += f"t(x, z) {op}= w(x, z)\nt(x, z) {op}= t(x, y), w(y, z)\nlet r = t\n"
    with pytest.raises(TensorLogicError) as raised:
        values(program)
    assert raised.value.diagnostics[0].code == "TL0801"


def test_gradient_through_rules() -> None:
    """The weights of facts are a parameter: two hops multiply them, and training reaches them through the relation."""
    program = PEOPLE + (
        "param W: float32[person, person] = ones()\n"
        "relation r(person, person): float32 = W[x, y]\n"
        "two(x, z) <- r(x, y), r(y, z)\n"
        "let loss = sum(two)\n"
        "backward(loss)\n"
        "let g = gradient(W)\n"
    )
    found = values(program)
    w = torch.ones(4, 4, requires_grad=True)
    (w @ w).sum().backward()
    assert w.grad is not None and torch.allclose(found["g"], w.grad)


def test_learning_through_rules() -> None:
    program = PEOPLE + (
        "param W: float32[person, person] = normal(0.1)\n"
        "relation r(person, person): float32 = W[x, y]\n"
        "two(x, z) <- r(x, y), r(y, z)\n"
        "let wanted: float32[4, 4] = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]\n"
        "learn {\n    objective: mse_loss(two, wanted)\n    optimizer: adam(lr: 0.05)\n    steps: 300\n}\n"
        "let loss = mse_loss(two, wanted).item()\n"
    )
    torch.manual_seed(0)
    assert values(program)["loss"] < 0.01


def test_embedding_space() -> None:
    """With orthonormal embeddings reading back gives the relation, and a temperature near 0 deduction."""
    found = values(
        TRUST + "let E: float32[person, 4] = eye(4)\nlet R = embed(trust, E)\nlet S = apply(R, E)\nlet H = apply(R, E, temperature: 0.0)\n"
    )
    assert torch.allclose(found["S"], matrix()) and torch.equal(found["H"], (matrix() > 0.5).float())


def test_back_from_a_tensor() -> None:
    program = PEOPLE + (
        "let T: float32[person, person] = [[0.0, 0.9, 0.2, 0.0], [0.0, 0.0, 0.7, 0.0], [0.0, 0.0, 0.0, 0.6], [0.0, 0.0, 0.0, 0.0]]\n"
        "relation near(person, person) = T[x, y] > 0.5\n"
        "reach(x, y) <- near(x, y)\nreach(x, z) <- reach(x, y), near(y, z)\n"
        "let n = count(reach(_, _))\nlet rows = near(x, y)?\n"
    )
    found = values(program)
    assert found["n"] == 6 and [tuple(row) for row in found["rows"]] == [("a", "b"), ("b", "c"), ("c", "d")]
