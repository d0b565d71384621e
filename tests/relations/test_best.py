"""Recursion over best proofs and rules with weights: against naive evaluation over dense matrices in float64, values and gradients."""

import os
from random import Random

import numpy as np
import pytest
import torch
from test_random import knowledge_of

from tensorlogic.runtime.relations import Atom, Entities, Known, Program, Relation, Rule, best

COUNT = 200 if os.environ.get("TLC_FULL") else 12
FORMS = {
    "right": "far(x, z) {op} way(x, z)\nfar(x, z) {op} far(x, y), way(y, z)\n",
    "left": "far(x, z) {op} way(x, z)\nfar(x, z) {op} way(x, y), far(y, z)\n",
    "double": "far(x, z) {op} way(x, z)\nfar(x, z) {op} far(x, y), far(y, z)\n",
    "two relations": "far(x, z) {op} way(x, z)\nfar(x, z) {op} more(x, z)\nmore(x, z) {op} far(x, y), way(y, z)\n",
    "split": "far(x, z) {op} way(x, z)\nstep(x, y, z) {op} far(x, y), way(y, z)\nfar(x, z) {op} step(x, _, z)\n",
}


def graph(seed: int, op: str) -> tuple[int, np.ndarray]:
    """Rows (x, y, weight): at least 0, and at most 1 where the greatest product counts."""
    random = Random(seed)
    nodes = random.randint(2, 12)
    pairs = sorted({(random.randrange(nodes), random.randrange(nodes)) for _ in range(random.randint(1, 3 * nodes))})
    return nodes, np.array([(x, y, random.uniform(0, 9) if op == "min=" else random.random()) for x, y in pairs])


def naive(nodes: int, rows: np.ndarray, op: str) -> np.ndarray:
    """Every path of up to `nodes` edges, in float64."""
    worst, better, joined = (np.inf, np.minimum, np.add) if op == "min=" else (-1.0, np.maximum, np.multiply)
    edges = np.full((nodes, nodes), worst)
    edges[rows[:, 0].astype(int), rows[:, 1].astype(int)] = rows[:, 2]
    found = edges
    for _ in range(nodes):
        steps = joined(found[:, :, None], edges[None])
        steps[(found[:, :, None] == worst) | np.broadcast_to(edges[None] == worst, steps.shape)] = worst
        found = better(found, better.reduce(steps, axis=1))
    return np.where(found == worst, np.nan, found)


def weights(program: Program, atom: Atom) -> dict:
    """What the relation that answers a query holds."""
    engine, name = program._answering(atom)
    chunk = engine.table(name).rows()
    if chunk.weight is None:
        return {}
    return dict(zip(zip(*(column.tolist() for column in chunk.columns), strict=True), chunk.weight.tolist(), strict=True))


@pytest.fixture(params=["table", "sorted"])
def places(request, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "sorted":
        monkeypatch.setattr(best, "TABLE", 0)


@pytest.mark.parametrize("op", ["min=", "max="])
@pytest.mark.parametrize("form", FORMS)
def test_best_proofs(places: None, form: str, op: str) -> None:
    """All of them, and those of one start, which only a part of the rules is needed for."""
    for seed in range(COUNT):
        nodes, rows = graph(seed, op)
        expected = naive(nodes, rows, op)
        program = "relation way(int, int): float32\n" + FORMS[form].format(op=op)
        for start in (None, Known(Random(seed).randrange(nodes))):
            knowledge = knowledge_of(program)
            knowledge.put("way", rows)
            found = weights(knowledge, Atom("far", (start or "x", "z")))
            wanted = {(x, z): expected[x, z] for x, z in np.argwhere(~np.isnan(expected)).tolist() if start is None or x == start.value}
            part = found if start is None else {key: value for key, value in found.items() if key[0] == start.value}
            assert part.keys() == wanted.keys(), (form, op, seed)
            assert all(abs(part[key] - wanted[key]) < 1e-4 for key in wanted), (form, op, seed)
            if start is not None:
                assert knowledge.count("far", (start, None)) == len(wanted)


def test_a_query_from_one_node_stays_there() -> None:
    """Two graphs that do not touch: the other one is not looked at."""
    knowledge = knowledge_of("relation way(int, int): float32\n" + FORMS["right"].format(op="min="))
    knowledge.put("way", np.array([[x, x + 1, 1.0] for x in range(20) if x != 9]))
    found = weights(knowledge, Atom("far", (Known(3), "z")))
    assert found == {(3, z): z - 3 for z in range(4, 10)}


@pytest.mark.parametrize("op", ["min=", "max="])
def test_gradients_of_best_proofs(op: str) -> None:
    """As many as the naive form over dense matrices has."""
    for seed in range(COUNT):
        torch.manual_seed(seed)
        own = torch.rand(5, 5, requires_grad=True)
        other = own.detach().to(torch.float64).requires_grad_()
        program = best_program("min" if op == "min=" else "max")
        program.define("way", own)
        scale = torch.rand(5, 5)
        (program.tensor("far") * scale).sum().backward()
        found = other
        for _ in range(5):
            steps = found[:, :, None] + other[None] if op == "min=" else found[:, :, None] * other[None]
            found = torch.minimum(found, steps.amin(1)) if op == "min=" else torch.maximum(found, steps.amax(1))
        (found * scale).sum().backward()
        assert own.grad is not None and other.grad is not None
        assert torch.allclose(own.grad, other.grad.to(torch.float32), atol=1e-4), (op, seed)


def best_program(semiring: str) -> Program:
    far, way = Relation("far", ("node", "node"), True, semiring), Relation("way", ("node", "node"), True)
    rules = (
        Rule(Atom("far", ("x", "z")), (Atom("way", ("x", "z")),), f"{semiring}="),
        Rule(Atom("far", ("x", "z")), (Atom("far", ("x", "y")), Atom("way", ("y", "z"))), f"{semiring}="),
    )
    return Program([Entities("node", tuple("abcde"), True)], [far, way], rules)


# --- sums of products ---------------------------------------------------------------------------------------------------


def random_rules(random: Random, arities: dict[str, int]) -> list[tuple[tuple, list[tuple[str, tuple]]]]:
    """Heads of two variables over bodies of one to three atoms; variables repeat, inside an atom too."""
    found = []
    for _ in range(random.randint(1, 3)):
        body = [
            (name, tuple(random.choice("uvwxyz") for _ in range(arities[name])))
            for name in random.choices(sorted(arities), k=random.randint(1, 3))
        ]
        bound = sorted({variable for _, terms in body for variable in terms})
        if len(bound) > 1:
            found.append((tuple(random.sample(bound, 2)), body))
    return found or [(("x", "y"), [("b", ("x", "y"))])]


def test_sums_of_products() -> None:
    """Each rule is an einsum over the tensors of its relations; the rules of a head add."""
    for seed in range(5 * COUNT):
        random, size = Random(seed), 4
        torch.manual_seed(seed)
        arities = {"a": 1, "b": 2, "c": 3}
        rules = random_rules(random, arities)
        learns = random.random() < 0.5
        tensors = {name: torch.rand((size,) * arity) * (torch.rand((size,) * arity) < 0.6) for name, arity in arities.items()}
        dense = {name: tensor.to(torch.float64).requires_grad_(learns) for name, tensor in tensors.items()}
        own = {name: tensor.requires_grad_(learns) for name, tensor in tensors.items()}
        made = tuple(Rule(Atom("t", head), tuple(Atom(name, terms) for name, terms in body)) for head, body in rules)
        columns = [Relation(name, ("node",) * arity, True) for name, arity in (*arities.items(), ("t", 2))]
        program = Program([Entities("node", tuple("abcd"), True)], columns, made)
        for name, tensor in own.items():
            program.define(name, tensor)
        expected = sum(
            torch.einsum(",".join("".join(terms) for _, terms in body) + "->" + "".join(head), *(dense[name] for name, _ in body))
            for head, body in rules
        )
        found = program.tensor("t")
        assert isinstance(expected, torch.Tensor) and torch.allclose(found, expected.to(torch.float32), rtol=1e-4, atol=1e-4), (seed, rules)
        if learns:
            scale = torch.rand(size, size)
            (found * scale).sum().backward()
            (expected * scale).sum().backward()
            for name in {name for _, body in rules for name, _ in body}:
                assert torch.allclose(own[name].grad, dense[name].grad.to(torch.float32), rtol=1e-3, atol=1e-3), (seed, name, rules)  # type: ignore[union-attr, arg-type]
