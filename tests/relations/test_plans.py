"""The three physical plans give the same facts, whatever the choice between them; memory is refused before it is taken."""

import os
import re
from itertools import pairwise
from random import Random

import pytest
import torch
from maker import Maker
from oracle import Rule, least_model, rule_text
from test_random import knowledge_of, rows_of

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.relations import Known, bits, body, chains, closure, condensed, limits, memory, products, table

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


@pytest.fixture(params=["joins", "components", "squares", "bits", "turned", "numbers", "products", "sparse", "runs", "blocks"])
def plan(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """One physical plan for everything."""

    def use(module, **values: float) -> None:
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)

    whole = request.param in ("components", "squares")
    use(closure, FREE=1e9) if whole else use(closure, LARGEST=0)
    use(chains, LEAST=0, SHARE=1e9) if request.param in ("bits", "turned", "numbers") else use(chains, LEAST=1e9)
    match request.param:
        case "squares":
            use(condensed, OR=1e9)
        case "turned":
            use(bits, TURN=-1.0)
        case "numbers":
            use(bits, OR=1e9)
        case "products":
            use(products, LEAST=1, ROW=1e9)
        case "sparse":
            use(products, LEAST=1, NUMBERED=0, ROW=0.0, REPEATED=0)
        case "runs":
            use(table, MARKS=0, POINTERS=0)
        case "blocks":
            use(body, BLOCK=3)
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
        for name in made.derived:
            assert rows_of(knowledge, name, made.arities[name]) == model[name], (plan, seed, name, made.text())


CHAINS = {
    "same generation": "p(x, y) <- e(a, x), e(a, y)\np(x, y) <- e(a, x), p(a, b), e(b, y)\n",
    "points to": "p(v, o) <- e(v, o)\np(v, o) <- f(v, w), p(w, o)\n"
    "h(a, o) <- g(x, y), p(x, a), p(y, o)\np(v, o) <- g(v, x), p(x, a), h(a, o)\n",
    "back and forth": "p(x, y) <- e(x, y)\np(x, y) <- p(y, x)\np(x, z) <- f(x, y), p(y, a), p(b, a), g(b, z)\n",
    "two relations": "p(x, y) <- e(x, y)\nh(x, y) <- p(x, a), f(a, y)\np(x, y) <- h(x, a), h(a, y)\n",
}


@pytest.mark.parametrize("rules", CHAINS)
def test_chains(plan: str, rules: str) -> None:
    """Rules that are products of matrices, and the same rules made into something else by a comparison that always holds."""
    for seed in range(3):
        random = Random(seed)
        facts = "".join(f"{name}({random.randrange(9)}, {random.randrange(9)})\n" for name in "efg" for _ in range(random.randint(1, 14)))
        declared = "".join(f"relation {name}(int, int)\n" for name in "efg")
        plain = re.sub(r"<- (.*)", lambda match: f"<- {match[1]}, {match[1][2]} > -1", CHAINS[rules])
        one, other = (knowledge_of(declared + facts + text) for text in (CHAINS[rules], plain))
        for name in {line[0] for line in CHAINS[rules].splitlines()}:
            assert rows_of(one, name, 2) == rows_of(other, name, 2), (plan, rules, seed, name)


def random_chain(random: Random, heads: str) -> Rule:
    """A body that is a path from x to y, its atoms in any order and read in either direction."""
    names = ["x", *random.sample("uvwz", random.randint(0, 3)), "y"]
    ways = [pair if random.random() < 0.6 else pair[::-1] for pair in pairwise(names)]
    atoms = [("atom", random.choice(heads + "efg"), way) for way in ways]
    return Rule((random.choice(heads), ("x", "y")), tuple(random.sample(atoms, len(atoms))))


def test_random_chains(plan: str) -> None:
    for seed in range(1000 if os.environ.get("TLC_FULL") else 15):
        random, heads = Random(seed), "pq"
        facts = {name: {(random.randrange(7), random.randrange(7)) for _ in range(random.randint(0, 9))} for name in "efg"}
        rules = [Rule((name, ("x", "y")), (("atom", random.choice("efg"), ("x", "y")),)) for name in heads]
        rules += [random_chain(random, heads) for _ in range(random.randint(1, 4))]
        model = least_model(facts, rules, [list(heads)])
        lines = [f"{name}({x}, {y})\n" for name, rows in facts.items() for x, y in sorted(rows)]
        text = "".join([*(f"relation {name}(int, int)\n" for name in facts), *lines, *(rule_text(rule) + "\n" for rule in rules)])
        knowledge = knowledge_of(text)
        for name in heads:
            assert rows_of(knowledge, name, 2) == model[name], (plan, seed, name, text)


WIDE = {
    "all": [-(2**63), 2**63 - 1, 0, 5, -7, 2**62, -(2**62) + 3],
    "greatest": [2**63 - 1, 2**63 - 2, 2**63 - 5],
    "least": [-(2**63), -(2**63) + 1, -(2**63) + 4],
    "upper half": [2**62, 2**63 - 1],
    "lower half": [-(2**63), -(2**62) - 1],
}


@pytest.mark.parametrize("values", WIDE.values(), ids=WIDE)
def test_numbers_of_64_bits(plan: str, values: list[int]) -> None:
    """Keys of several columns do not fit into 64 bits: they are numbered first. Sums beside the ends of the range do not fit either."""
    random = Random(1)
    rows = {(random.choice(values), random.choice(values), random.choice(values)) for _ in range(60)}
    others = {(random.choice(WIDE["all"]), random.choice(values)) for _ in range(20)}
    knowledge = knowledge_of(
        "relation r(int, int, int)\nrelation s(int, int)\nback(z, y, x) <- r(x, y, z)\nsame(x, z) <- r(x, y, _), r(_, y, z)\n"
        "met(x, z) <- s(x, y), r(x, y, z)\nled(x, z) <- s(y, x), r(y, _, z)\n"
    )
    knowledge.put("r", torch.tensor(sorted(rows)))
    knowledge.put("s", torch.tensor(sorted(others)))
    assert rows_of(knowledge, "back", 3) == {(z, y, x) for x, y, z in rows}
    assert rows_of(knowledge, "same", 2) == {(a[0], b[2]) for a in rows for b in rows if a[1] == b[1]}
    assert rows_of(knowledge, "met", 2) == {(a[0], a[2]) for a in rows if a[:2] in others}
    assert rows_of(knowledge, "led", 2) == {(b[1], a[2]) for a in rows for b in others if a[0] == b[0]}


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


@pytest.mark.parametrize("asked", ["_", "3"])
def test_numbers_without_an_end(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(limits, "MAX_FACTS", 300)
    program = tl.compile(f"relation start(int)\nstart(0)\nn(x) <- start(x)\nn(y) <- n(x), y = x + 1\nprint(count(n({asked})))\n")
    with pytest.raises(TensorLogicError) as raised:
        program.run()
    (told,) = raised.value.diagnostics
    assert told.code == "TL0808" and "facts of `n`" in told.message
    assert told.span is not None and told.span.line == 5


def test_a_closure_larger_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix of a closure is small, its rows are many: counting them is possible, listing them is refused."""
    knowledge = knowledge_of("relation e(int, int)\np(x, y) <- e(x, y)\np(x, z) <- p(x, y), e(y, z)\nq(x, y) <- p(x, y), x < y\n")
    ring = torch.arange(3000)
    knowledge.put("e", torch.stack((ring, (ring + 1) % 3000), 1))
    monkeypatch.setattr(memory, "available", lambda device: 1 << 27)
    assert knowledge.count("p", (None, None)) == 9_000_000
    with pytest.raises(TensorLogicError) as raised:
        knowledge.count("q", (None, None))
    (told,) = raised.value.diagnostics
    assert told.code == "TL0804" and "9,000,000 facts" in told.message and "128 MiB are free" in told.message
