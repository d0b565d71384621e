"""Whole programs: the documentation runs, queries and entities behave as said."""

import re
from pathlib import Path

import pytest
import torch

import tensorlogic as tl

ROOT = Path(__file__).resolve().parent.parent.parent
FENCES = re.findall(r"^```tl\n(.*?)^```$", (ROOT / "docs" / "relations.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def values(program: str) -> dict:
    compiled = tl.compile(program)
    compiled.run()
    return compiled.values


@pytest.mark.parametrize("at", range(len(FENCES)))
def test_documentation_runs(at: int) -> None:
    values(FENCES[at])


def test_what_a_query_prints(capsys: pytest.CaptureFixture[str]) -> None:
    values(FENCES[0])
    out = capsys.readouterr().out
    assert out.startswith("who\n-----\nbob\ncarol\ndan\n(3 rows)\nbob 6\nancestor(alice, dan) by the rule in line ")
    assert "    parent(bob, carol) is a fact\n" in out


def test_later_facts_count() -> None:
    program = "relation e(int, int)\np(x, y) <- e(x, y)\np(x, z) <- p(x, y), e(y, z)\n"
    program += "e(1, 2)\nlet a = count(p(_, _))\ne(2, 3)\nlet b = count(p(_, _))\n"
    assert (values(program)["a"], values(program)["b"]) == (1, 3)


def test_facts_in_loops_and_queries_with_host_values() -> None:
    program = "relation e(int, int)\nfor i in 0..5 { e(i, i * i) }\n"
    program += "let k = 3\nlet rows = e(k, n)?\nlet n = rows[0].n\nlet big = count(e(_, k + 1))\n"
    found = values(program)
    assert (found["n"], found["big"]) == (9, 1)


def test_names_that_python_reserves() -> None:
    """A record's field may have any name, and so may a relation."""
    program = "relation lambda_(int, int)\nrelation knowledge(int)\nlambda_(1, 2)\nknowledge(7)\n"
    program += "let r = lambda_(class, def)?\nlet a = r[0].class + r[0].def\n"
    program += "let relations = count(knowledge(_))\n"
    found = values(program)
    assert (found["a"], found["relations"]) == (3, 1)


def test_functions_see_relations() -> None:
    program = "relation e(int, int)\ne(1, 2)\ne(1, 3)\nfn degree(x: int) -> int { count(e(x, _)) }\nlet d = degree(1)\n"
    assert values(program)["d"] == 2


def test_strings_are_quoted_data() -> None:
    """Nothing that a fact says is ever code."""
    program = 'relation note(string, int)\nnote("\'); import os #", 1)\nlet rows = note(text, 1)?\nlet t = rows[0].text\n'
    assert values(program)["t"] == "'); import os #"


def test_running_again_changes_nothing() -> None:
    compiled = tl.compile(
        "entity t\nrelation e(t, t)\ne(a, b)\ne(b, c)\nlet n = count(e(_, _))\nlet m = count(t(_))\nlet x: float32[t, t] = e\n"
    )
    for _ in range(2):
        compiled.run()
        assert (compiled.values["n"], compiled.values["m"]) == (2, 3)


# --- open types as sizes ----------------------------------------------------------------------------------------------------------


def test_an_open_type_is_a_size(tmp_path: Path) -> None:
    """Read from a file: the rows of a parameter are the entities, in the order in which they appear, row by row."""
    (tmp_path / "f.tsv").write_text("c\ta\na\tb\nb\td\n", encoding="utf-8")
    program = """entity person
relation parent(person, person) from "f.tsv"
param E: float32[person, 2 * person] = normal(1.0)
let n = person
let X[x, d] = parent[x, y] E[y, d]
model Table(D: int) {
    param W: float32[person, D] = normal(0.1)
    fn rows(at: int64[B]) -> float32[B, D] { return W[at] }
}
let table = Table(D: 3)
let rows = table.rows(facts(parent)[:, 1])
fn twice(x: float32[person, D]) -> float32[person, D] { return 2.0 * x + zeros([person, D]) }
let doubled = twice(X)
"""
    (tmp_path / "p.tl").write_text(program, encoding="utf-8")
    compiled = tl.compile(tmp_path / "p.tl")
    compiled.run()
    found = compiled.values
    assert found["E"].shape == (4, 8) and found["n"] == 4 and found["rows"].shape == (3, 3)
    assert found["X"][1].equal(found["E"][2]) and not found["X"][3].any()  # a (the second) is b's parent
    assert found["doubled"].equal(2 * found["X"])


def test_a_type_that_is_a_size_takes_no_more() -> None:
    program = "entity t\nrelation e(t, t)\ne(a, b)\nparam E: float32[t, 2] = normal(1.0)\ne(b, a)\nmain { e(b, c) }\n"
    with pytest.raises(tl.TensorLogicError) as raised:
        values(program)
    (told,) = raised.value.diagnostics
    assert told.code == "TL0502" and "`c` is new, and `t` had 2 entities" in told.message


def test_a_size_without_entities() -> None:
    with pytest.raises(tl.TensorLogicError) as raised:
        values("entity t\nparam E: float32[t, 2] = normal(1.0)\nrelation e(t, t)\ne(a, b)\n")
    assert [d.code for d in raised.value.diagnostics] == ["TL0502"]


def test_a_tensor_alone_settles_nothing() -> None:
    found = values("entity t\nrelation e(t, t)\ne(a, b)\nlet A = e\ne(b, c)\nlet B = e\n")
    assert (found["A"].shape, found["B"].shape) == ((2, 2), (3, 3))


# --- facts as numbers -------------------------------------------------------------------------------------------------------------


def test_facts_are_ids() -> None:
    program = "entity t\nrelation e(t, t)\nrelation age(t, int)\ne(c, a)\ne(a, b)\ne(c, b)\nage(a, 70)\n"
    program += "p(x, y) <- e(x, y)\np(x, z) <- p(x, y), e(y, z)\n"
    program += "let all = facts(e)\nlet derived = facts(p(c, x))\nlet ages = facts(age)\nlet types = facts(t)\n"
    program += 'let some = facts(e(x, "b"))\nlet none = facts(e(b, x))\nlet repeated = facts(e(x, x))\n'
    found = values(program)
    assert found["all"].tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found["derived"].tolist() == [[1], [2]] and found["ages"].tolist() == [[1, 70]]
    assert found["types"].tolist() == [[0], [1], [2]] and found["some"].tolist() == [[0], [1]]
    assert found["none"].shape == (0, 1) and found["repeated"].shape == (0, 1)


def test_facts_index_embeddings() -> None:
    program = "entity t = {a, b, c}\nrelation e(t, t)\ne(a, c)\ne(b, a)\nlet E: float32[t, 2] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]\n"
    program += "let pairs = facts(e)\nlet s[n] = E[pairs[n, 0], d] E[pairs[n, 1], d]\n"
    assert values(program)["s"].tolist() == [17.0, 11.0]


# --- queries and facts at the end of a block --------------------------------------------------------------------------------------


def test_the_last_statement_of_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    program = "relation e(int, int)\ne(1, 2)\nif true { e(1, y)? }\nmatch 1 { 1 => e(3, 4), _ => e(5, 6) }\n"
    program += "if count(e(3, _)) > 0 { e(7, 8) }\nlet v = if true { e(1, y)? } else { e(3, y)? }\nlet n = count(e(_, _))\n"
    found = values(program)
    assert capsys.readouterr().out == "y\n-\n2\n(1 row)\n"
    assert found["n"] == 3 and [row.y for row in found["v"]] == [2]


def test_a_constant_that_only_a_head_has() -> None:
    program = 'entity t\nrelation e(t, t)\ne(a, b)\nkin("first", x, y) <- e(x, y)\nkin("second", y, x) <- kin("first", x, y)\n'
    program += 'let one = count(kin("first", _, _))\nlet two = kin("second", x, y)?\nlet none = count(kin("third", _, _))\n'
    found = values(program)
    assert (found["one"], found["none"]) == (1, 0) and [tuple(row) for row in found["two"]] == [("b", "a")]


# --- weights ----------------------------------------------------------------------------------------------------------------------


def test_weights_that_are_worked_out_learn() -> None:
    """A relation that is made of a parameter by a formula is made anew at each step."""
    program = "entity t = {a, b}\nparam W: float32[t, t] = [[0.5, -1.0], [2.0, 0.0]]\n"
    program += "relation near(t, t): float32 = sigmoid(W[x, y])\n"
    program += "two(x, z) <- near(x, y), near(y, z)\nlet before = mse_loss(two, eye(2)).item()\n"
    program += "learn {\n    objective: mse_loss(two, eye(2))\n    optimizer: sgd(lr: 1.0)\n    steps: 3\n}\n"
    program += "let after = mse_loss(two, eye(2)).item()\n"
    found = values(program)
    leaf = torch.tensor([[0.5, -1.0], [2.0, 0.0]], requires_grad=True)
    for _ in range(3):
        step = leaf.sigmoid()
        loss = ((step @ step - torch.eye(2)) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, leaf)
        leaf = (leaf - gradient).detach().requires_grad_()
    assert torch.allclose(found["W"], leaf, atol=1e-6) and found["after"] < found["before"]


def test_proofs_show_weights(capsys: pytest.CaptureFixture[str]) -> None:
    program = "entity t = {a, b, c}\nrelation w(t, t): float32\nw(a, b) = 0.5\nw(b, c) = 0.25\n"
    values(program + "far(x, z) <- w(x, y), w(y, z)\nexplain far(a, c)\n")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("far(a, c) = 0.125 by the rule") and lines[1:] == ["  w(a, b) = 0.5 is a fact", "  w(b, c) = 0.25 is a fact"]


@pytest.mark.parametrize(
    ("op", "goal", "proof"),
    [
        ("min", "far(a, d) = 3", ["far(a, c) = 2", "far(a, b) = 1", "w(a, b) = 1", "w(b, c) = 1", "w(c, d) = 1"]),
        ("max", "far(a, d) = 4", ["far(a, c) = 4", "w(a, c) = 4", "w(c, d) = 1"]),
    ],
)
def test_the_proof_is_that_of_the_best_weight(op: str, goal: str, proof: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Not the first one found; and edges of weight 0 and cycles are no reason to run in a circle."""
    program = "entity t = {a, b, c, d}\nrelation w(t, t): float32\nw(a, c) = 4.0\nw(a, b) = 1.0\nw(b, c) = 1.0\nw(c, d) = 1.0\n"
    program += "w(c, c) = 0.0\nw(d, c) = 0.0\n"
    values(program + f"far(x, z) {op}= w(x, z)\nfar(x, z) {op}= far(x, y), w(y, z)\nexplain far(a, d)\n")
    lines = [line.strip().partition(" by ")[0].removesuffix(" is a fact") for line in capsys.readouterr().out.splitlines()]
    assert lines == [goal, *proof]
