"""Hinton's families (1986): by the rules of examples/24_families.tl all twelve kinds of kin follow from six, as they are recorded."""

import re
from collections import Counter
from pathlib import Path

import pytest

import tensorlogic as tl

EXAMPLE = (Path(__file__).resolve().parent.parent.parent / "examples" / "24_families.tl").read_text(encoding="utf-8")
DECLARATIONS, _, REST = EXAMPLE.partition("// the facts")
RULES = REST.partition("// the rules")[2].partition("// what follows")[0]
BASE = ("husband", "wife", "father", "mother", "son", "daughter")
KINDS = (*BASE, "brother", "sister", "uncle", "aunt", "nephew", "niece")
Fact = tuple[str, str, str]


def derived(said: set[Fact]) -> set[Fact]:
    facts = "".join(f'said("{word}", "{x}", "{y}")\n' for word, x, y in sorted(said))
    program = tl.compile(f"{DECLARATIONS}{facts}{RULES}let all_kin = kin(word, x, y)?\n")
    program.run()
    return {tuple(row) for row in program.values["all_kin"]}


@pytest.fixture
def recorded(shared: Path) -> set[Fact]:
    lines = (shared / "data" / "knowledge_graphs" / "hinton" / "kinship.cfacts").read_text(encoding="utf-8").splitlines()
    return {(word, x, y) for word, x, y in (line.split("\t") for line in lines if line)}


@pytest.fixture
def held_out(shared: Path, recorded: set[Fact]) -> set[Fact]:
    """Facts that the examples for training have and the record has not."""
    text = (shared / "data" / "knowledge_graphs" / "hinton" / "kinship-train.examples").read_text(encoding="utf-8")
    return {(word, x, y) for word, x, y in re.findall(r"\+i_(\w+)\((\w+),(\w+)\)", text)} - recorded


def test_what_is_recorded_follows(recorded: set[Fact], held_out: set[Fact]) -> None:
    """All 103 facts, and 3 that were held out of the record, from its 63 facts of the six words. Both families have the same shape, person
    by person: so what is derived of one is what is derived of the other, and nothing is there that has no counterpart."""
    found = derived({fact for fact in recorded if fact[0] in BASE})
    assert len(recorded) == 103 and len(held_out) == 3
    assert recorded | held_out <= found and len(found) == 112


def test_the_families_are_alike(recorded: set[Fact]) -> None:
    """The 112 facts are 56 of each family: for each kind as many, by as many people."""
    found = derived({fact for fact in recorded if fact[0] in BASE})
    groups: dict[str, set[str]] = {}
    for _, x, y in found:  # those who are kin are of one family
        both = groups.get(x, {x}) | groups.get(y, {y})
        groups.update(dict.fromkeys(both, both))
    english, italian = {id(group): group for group in groups.values()}.values()
    assert len(english) == len(italian) == 12
    shapes = [Counter(word for word, x, _ in found if x in family) for family in (english, italian)]
    assert shapes[0] == shapes[1] and sum(shapes[0].values()) == 56


def test_each_word_alone_brings_what_it_means(recorded: set[Fact]) -> None:
    """An oracle by hand for the other six: set comprehensions over the parents, marriages and sexes that follow."""
    found = derived({fact for fact in recorded if fact[0] in BASE})
    parent = {(x, y) for word, x, y in found if word in ("father", "mother")}
    married = {(x, y) for word, x, y in found if word in ("husband", "wife")}
    male = {x for word, x, _ in found if word in ("father", "husband", "son")}
    sibling = {(x, y) for p, x in parent for q, y in parent if p == q and x != y}
    beside = {(x, y) for x, p in sibling for q, y in parent if p == q}
    beside |= {(x, y) for x, s in married for t, p in sibling if s == t for q, y in parent if p == q}
    pairs = {"brother": sibling, "uncle": beside, "nephew": {(y, x) for x, y in beside}}
    women = {"brother": "sister", "uncle": "aunt", "nephew": "niece"}
    wanted = {(word if x in male else women[word], x, y) for word, rows in pairs.items() for x, y in rows}
    assert wanted == {fact for fact in found if fact[0] not in BASE}


def test_the_example_alone() -> None:
    """Its own family: a third of what is known was said."""
    said = set(re.findall(r"^said\((\w+), (\w+), (\w+)\)$", REST, re.MULTILINE))
    found = derived(said)
    assert len(said) == 10 and said <= found and {word for word, _, _ in found} == set(KINDS)
    assert ("uncle", "Anton", "Jan") in found and ("niece", "Mia", "Greta") in found
