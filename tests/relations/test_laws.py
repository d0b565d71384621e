"""Laws that hold for every program: what a rule says twice, in another order or in two steps, it says; no oracle is needed."""

import os
from dataclasses import replace
from random import Random

import pytest
from maker import Made, Maker
from oracle import Rule, is_variable
from test_random import knowledge_of, rows_of

COUNT = 1000 if os.environ.get("TLC_FULL") else 40


def repeated(made: Made, random: Random) -> Made:
    """An atom stands in a body twice."""
    rules = [replace(rule, body=(*rule.body, random.choice([p for p in rule.body if p[0] == "atom"]))) for rule in made.rules]
    return replace(made, rules=rules)


def permuted(made: Made, random: Random) -> Made:
    """Rules and what stands in their bodies come in another order."""
    rules = [replace(rule, body=tuple(random.sample(rule.body, len(rule.body)))) for rule in made.rules]
    return replace(made, rules=random.sample(rules, len(rules)))


def split(made: Made, random: Random) -> Made:
    """A rule becomes two: one finds the values of the variables, the other makes the head of them."""
    rule = random.choice(made.rules)
    names = tuple(dict.fromkeys(term for p in rule.body if p[0] == "atom" for term in p[2] if is_variable(term)))
    names += tuple(term for term in rule.head[1] if is_variable(term) and term not in names)
    names = tuple(dict.fromkeys(names))
    if not names:
        return made
    step = ("step", names)
    rest = [other for other in made.rules if other is not rule]
    return replace(made, rules=[*rest, Rule(step, rule.body), Rule(rule.head, (("atom", *step),))])


def twice(made: Made, random: Random) -> Made:
    """A rule is said twice."""
    return replace(made, rules=[*made.rules, random.choice(made.rules)])


@pytest.mark.parametrize("law", [repeated, permuted, split, twice])
def test_law(law) -> None:
    for seed in range(20_000, 20_000 + COUNT):
        made = Maker(seed).program()
        changed = law(made, Random(seed))
        one, other = knowledge_of(made.text()), knowledge_of(changed.text())
        for name in made.derived:
            arity = made.arities[name]
            assert rows_of(one, name, arity) == rows_of(other, name, arity), f"seed {seed}, {name}\n{made.text()}\n{changed.text()}"
