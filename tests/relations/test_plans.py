"""The three physical plans give the same facts, whatever the choice between them; memory is refused before it is taken."""

from random import Random

import pytest
import torch
from maker import Maker
from oracle import least_model
from test_random import knowledge_of, rows_of

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.relations import Known, body, closure, limits, memory, products, table

GRAPH = "relation edge(int, int)\n{facts}{rules}"
FORMS = {
    "right": "path(x, y) <- edge(x, y)\npath(x, z) <- path(x, y), edge(y, z)\n",
    "left": "path(x, y) <- edge(x, y)\npath(x, z) <- edge(x, y), path(y, z)\n",
    "double": "path(x, y) <- edge(x, y)\npath(x, z) <- path(x, y), path(y, z)\n",
    "mixed": "path(x, y) <- edge(x, y)\npath(x, z) <- path(x, y), edge(y, z)\npath(x, z) <- edge(x, y), path(y, z)\n",
    "repeated atom": "path(x, y) <- edge(x, y), edge(x, y)\npath(x, z) <- path(x, y), edge(y, z), path(x, y)\n",
    "permuted": "path(x, z) <- edge(y, z), path(x, y)\npath(x, y) <- edge(x, y)\n",
    "split": "step(x, y, z) <- path(x, y), edge(y, z)\npath(x, y) <- edge(x, y)\npath(x, z) <- step(x, _, z)\n",
    "another start": "path(x, y) <- edge(x, y), x < y\npath(x, z) <- path(x, y), edge(y, z)\n",
}


@pytest.fixture(params=["joins", "dense", "products", "sparse", "runs", "blocks"])
def plan(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """One physical plan for everything."""
    match request.param:
        case "joins":
            monkeypatch.setattr(closure, "LARGEST", 0)
        case "dense":
            monkeypatch.setattr(closure, "FREE", 1e9)
        case "products":
            monkeypatch.setattr(closure, "LARGEST", 0)
            monkeypatch.setattr(products, "LEAST", 1)
            monkeypatch.setattr(products, "ROW", 1e9)
        case "sparse":
            monkeypatch.setattr(closure, "LARGEST", 0)
            monkeypatch.setattr(products, "LEAST", 1)
            monkeypatch.setattr(products, "NUMBERED", 0)
            monkeypatch.setattr(products, "ROW", 0.0)
            monkeypatch.setattr(products, "REPEATED", 0)
        case "runs":
            monkeypatch.setattr(closure, "LARGEST", 0)
            monkeypatch.setattr(table, "MARKS", 0)
            monkeypatch.setattr(table, "POINTERS", 0)
        case "blocks":
            monkeypatch.setattr(closure, "LARGEST", 0)
            monkeypatch.setattr(body, "BLOCK", 3)
    return request.param


def reached(edges: set[tuple[int, int]], start: set[tuple[int, int]]) -> set[tuple[int, int]]:
    found = set(start)
    while True:
        more = found | {(x, z) for x, y in found for y2, z in edges if y == y2}
        if more == found:
            return found
        found = more


@pytest.mark.parametrize("form", FORMS)
def test_closure(plan: str, form: str) -> None:
    """Metamorphic laws: however a closure is written, it is the same one."""
    for seed in range(4):
        random = Random(seed)
        edges = {(random.randrange(9), random.randrange(9)) for _ in range(random.randint(0, 16))}
        start = {(x, y) for x, y in edges if x < y} if form == "another start" else edges
        facts = "".join(f"edge({x}, {y})\n" for x, y in sorted(edges))
        knowledge = knowledge_of(GRAPH.format(facts=facts, rules=FORMS[form]))
        expected = reached(edges, start)
        assert {tuple(row) for row in knowledge.query("path", (Known(3), "z"))} == {(z,) for x, z in expected if x == 3}
        assert knowledge.count("path", (None, None)) == len(expected), (plan, form, seed)
        assert rows_of(knowledge, "path", 2) == expected


def test_random_programs(plan: str) -> None:
    for seed in range(1000, 1012):
        made = Maker(seed).program()
        model = least_model(made.facts, made.rules, made.strata)
        knowledge = knowledge_of(made.text())
        for name in (name for level in made.strata for name in level):
            assert rows_of(knowledge, name, made.arities[name]) == model[name], (plan, seed, name, made.text())


WIDE = [-(2**63), 2**63 - 1, 0, 5, -7, 2**62, -(2**62) + 3]


def test_numbers_of_64_bits(plan: str) -> None:
    """Keys of several columns do not fit into 64 bits: they are numbered first."""
    random = Random(1)
    rows = {(random.choice(WIDE), random.choice(WIDE), random.choice(WIDE)) for _ in range(60)}
    program = "relation r(int, int, int)\nsame(x, z) <- r(x, y, _), r(_, y, z)\nback(z, y, x) <- r(x, y, z)\n"
    knowledge = knowledge_of(program)
    knowledge.put("r", torch.tensor(sorted(rows)))
    assert rows_of(knowledge, "back", 3) == {(z, y, x) for x, y, z in rows}
    assert rows_of(knowledge, "same", 2) == {(a[0], b[2]) for a in rows for b in rows if a[1] == b[1]}


def test_more_memory_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A join of everything with everything is refused before it is made, with its size."""
    monkeypatch.setattr(memory, "available", lambda device: 1 << 27)
    program = "relation r(int)\nbig(x, y, z) <- r(x), r(y), r(z)\nprint(count(big(_, _, _)))\n"
    knowledge = knowledge_of("relation r(int)\nbig(x, y) <- r(x), r(y)\n")
    knowledge.put("r", torch.arange(20000)[:, None])
    with pytest.raises(TensorLogicError) as raised:
        knowledge.count("big", (None, None))
    (told,) = raised.value.diagnostics
    assert told.code == "TL0804" and "rows" in told.message and "MiB" in told.message
    assert tl.check(program) == []


def test_numbers_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FACTS", 300)
    program = tl.compile("relation start(int)\nstart(0)\nn(x) <- start(x)\nn(y) <- n(x), y = x + 1\nprint(count(n(_)))\n")
    with pytest.raises(TensorLogicError) as raised:
        program.run()
    (told,) = raised.value.diagnostics
    assert told.code == "TL0808" and told.span is not None and told.span.line == 5
