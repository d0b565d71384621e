"""What is wrong with relations is said once, with its code, at its line."""

from pathlib import Path

import pytest

import tensorlogic as tl

FAMILY = """entity person = {ann, ben, cid}
entity city = {rome, oslo}
relation parent(person, person)
relation age(person, int)
parent(ann, ben)
"""
START = FAMILY.count("\n") + 1

MISTAKES = {
    "head not bound": ("p(x, y) <- parent(x, _)", ["TL0501"]),
    "under not": ("p(x) <- person(x), not parent(x, y), age(x, _)", ["TL0501"]),
    "in a comparison": ("p(x) <- person(x), y > 3", ["TL0501"]),
    "wild head": ("p(_) <- person(x), parent(x, x)", ["TL0501"]),
    "anonymous fact": ("parent(ann, _)", ["TL0501"]),
    "closed entity in a fact": ("parent(ann, dot)", ["TL0502"]),
    "closed entity by its text": ('p(x) <- parent(x, "dot"), person(x)', ["TL0502"]),
    "not through itself": ("p(x) <- person(x), not q(x)\nq(x) <- person(x), not p(x)", ["TL0503"]),
    "aggregate through itself": ("p(x, n) <- person(x), n = count(y : p(x, y))", ["TL0503"]),
    "too many terms": ("p(x) <- parent(x, x, x)", ["TL0504"]),
    "too few in a query": ("parent(ann)?", ["TL0504"]),
    "an entity of another type": ("p(x) <- parent(x, rome), person(x)", ["TL0504"]),
    "two types": ("p(x) <- person(x), city(x)", ["TL0504"]),
    "number for an entity": ("parent(ann, 3)", ["TL0504"]),
    "entity for a number": ("age(ann, ben)", ["TL0504"]),
    "float for an int": ("age(ann, 1.5)", ["TL0504"]),
    "weight of a plain relation": ("parent(ann, ben) = 0.5", ["TL0504"]),
    "adding entities": ("p(x, n) <- person(x), n = x + 1", ["TL0504"]),
    "summing entities": ("p(s) <- s = sum(y : parent(x, y)), person(x)", ["TL0504"]),
    "comparing an entity and a number": ("p(x) <- person(x), x < 3", ["TL0504"]),
    "undeclared in a body": ("p(x) <- persons(x), person(x)", ["TL0505"]),
    "undeclared in a query": ("ancestor(ann, who)?", ["TL0505"]),
    "undeclared behind infer": ("infer forward ancestor", ["TL0505"]),
    "an unknown column type": ("relation r(people)", ["TL0201"]),
    "declared twice": ("relation parent(person)", ["TL0203"]),
    "a member twice": ("entity e = {a, b, a}", ["TL0203"]),
    "a fact in a function": ("fn f() -> int { parent(ann, ben)\n 3 }", ["TL0101"]),
    "a rule in a block": ("main { p(x) <- person(x) }", ["TL0101"]),
    "a fact as a value": ("let x = parent(ann, ben)", ["TL0305"]),
    "sums around a cycle": ("relation w(person, person): float32\nt(x, z) <- w(x, z)\nt(x, z) <- t(x, y), w(y, z)", ["TL0503"]),
    "min and max": ("relation w(person, person): float32\nt(x, y) min= w(x, y)\nt(x, y) max= w(x, y)", ["TL0503"]),
    "no tensor": ("let t = age", ["TL0504"]),
    "no such field": ("let n = age(ann, n)?\nprint(n[0].m)", ["TL0202"]),
    "too large a fact": ("age(ann, 9223372036854775808)", ["TL0314"]),
    "too large in a rule": ("p(x) <- age(x, n), n < 9223372036854775808", ["TL0314"]),
    "too large in a query": ("age(who, 99999999999999999999)?", ["TL0314"]),
    "too large for a float": (f"relation h(person, float)\nh(ann, {'9' * 400})\nh(ben, 1e400)", ["TL0314", "TL0314"]),
    "floats as ids": ("relation h(person, float)\nlet t = facts(h)", ["TL0504"]),
    "facts of nothing": ("let t = facts(parents)", ["TL0505"]),
    "facts of two": ("let t = facts(parent, age)", ["TL0307"]),
    "count of nothing": ("let n = count(parents(ann, _))", ["TL0505"]),
    "a type and a relation of one name": ("entity age", ["TL0203"]),
    "an end that is none": ("relation w(person, person): float32\nt(x, z) <- w(x, y), t(y, z) where steps < 3", ["TL0101"]),
    "a long chain": (f"p(x, n) <- age(x, a), n = a{' + 1' * 3000}", ["TL0104"]),
}
WARNINGS = {
    "a single variable": ("p(x) <- parent(x, y)", "TL0703"),
    "a misspelt entity": ("query parent(anne, who)", "TL0703"),
}
GOOD = {
    "aggregate alone binds its group": "p(x, n) <- n = count(y : parent(x, y))",
    "constant head": 'p("a", x) <- person(x)',
    "expression in the head": "p(x, a + 1) <- age(x, a)",
    "aggregate in a comparison": "p(x) <- person(x), count(y : parent(x, y)) > 1",
    "bounded sums": "relation w(person, person): float32\nt(x, z) <- w(x, z)\nt(x, z) <- t(x, y), w(y, z) where steps <= 3",
    "best proof": "relation w(person, person): float32\nt(x, z) max= w(x, z)\nt(x, z) max= t(x, y), w(y, z)",
    "a const": "const WHO = 3\np(x) <- age(x, WHO)",
    "a host value in a query": "let k = 3\nprint(age(who, k)?)",
    "an entity by its text": 'parent("ann", "ben")\nprint(count(parent("ann", _)))',
    "a const ends it": "const N = 3\nrelation w(person, person): float32\nt(x, z) <- w(x, z)\nt(x, z) <- t(x, y), w(y, z) where steps <= N",
    "how many entities": "let E: float32[person, 2 * city] = zeros([person, 4])\nlet n: int = person",
    "a relation nobody fills": "p(x) <- q(x)\nq(x) <- p(x)",
    "facts of a derived relation": "relation p(person)\np(x) <- age(x, _)\np(cid)",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str) -> None:
    program, codes = MISTAKES[name]
    errors = [d for d in tl.check(FAMILY + program) if d.is_error]
    assert [d.code for d in errors] == codes, [str(d) for d in errors]
    assert all(d.span is not None and d.span.line >= START for d in errors)


@pytest.mark.parametrize("name", WARNINGS)
def test_warning(name: str) -> None:
    program, code = WARNINGS[name]
    assert [d.code for d in tl.check(FAMILY + program)] == [code]


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    assert [d for d in tl.check(FAMILY + GOOD[name]) if d.is_error] == []
    tl.compile(FAMILY + GOOD[name]).run()


def test_both_places() -> None:
    """A disagreement shows where the relation is declared, and the cycle through `not` where its head is."""
    (arity,) = [d for d in tl.check(FAMILY + "p(x) <- parent(x)") if d.is_error]
    assert [label.span.line for label in arity.labels] == [3]
    (cycle,) = [d for d in tl.check(FAMILY + "win(x) <- parent(x, y), not win(y)") if d.is_error]
    assert cycle.span is not None and cycle.span.text == "not win(y)" and len(cycle.labels) == 1


@pytest.mark.parametrize(
    "text, told",
    [
        ("ann\tben\nann\tbenn\n", "closed.tsv:2: `benn` is no person"),
        ("ann\tben\n\nann\n", "closed.tsv:3: the line has 1 values, the relation 2 columns"),
        ("ann\tben\tcid\n", "closed.tsv:1: the line has 3 values, the relation 2 columns"),
    ],
)
def test_facts_of_a_file_with_their_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "closed.tsv").write_text(text, encoding="utf-8")
    (tmp_path / "p.tl").write_text('entity person = {ann, ben, cid}\nrelation parent(person, person) from "closed.tsv"\n', encoding="utf-8")
    with pytest.raises(tl.TensorLogicError) as raised:
        tl.compile(tmp_path / "p.tl").run()
    (found,) = raised.value.diagnostics
    assert found.message == told and found.span is not None and found.span.line == 2


def test_a_near_name_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "f.tsv").write_text("ann\tbenn\n", encoding="utf-8")
    (tmp_path / "p.tl").write_text('entity person = {ann, ben, cid}\nrelation parent(person, person) from "f.tsv"\n', encoding="utf-8")
    with pytest.raises(tl.TensorLogicError) as raised:
        tl.compile(tmp_path / "p.tl").run()
    assert raised.value.diagnostics[0].help == ("did you mean `ben`?",)
