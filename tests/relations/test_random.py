"""Random programs give what an evaluator of a few lines of Python gives, and queries of every form agree with the model."""

import os
from random import Random

import pytest
from maker import Made, Maker
from oracle import least_model

import tensorlogic as tl
from tensorlogic.runtime.relations import Known

FULL = bool(os.environ.get("TLC_FULL"))
COUNT = 2000 if FULL else 160


def model_of(made: Made) -> dict[str, set]:
    return least_model(made.facts, made.rules, made.strata)


def knowledge_of(text: str):
    """The running program's relations, with its facts in."""
    program = tl.compile(text)
    program.run()
    return program._loaded.names["knowledge"]


def rows_of(knowledge, name: str, arity: int) -> set:
    names = tuple(f"x{at}" for at in range(arity))
    return {tuple(row) for row in knowledge.query(name, names)}


@pytest.mark.parametrize("block", range(10))
def test_model(block: int) -> None:
    """Everything that follows, and queries with one constant, which take another path."""
    for seed in range(block, COUNT, 10):
        made = Maker(seed).program()
        model = model_of(made)
        for name in made.derived:
            _same(seed, made, name, model[name])


def _same(seed: int, made: Made, name: str, expected: set) -> None:
    arity, random = made.arities[name], Random(seed)
    place, value = random.randrange(arity), random.choice(made.values)
    text = made.text()
    knowledge = knowledge_of(text)  # not a fact was asked for yet: the query with a constant restricts the rules
    terms = tuple(Known(value) if at == place else f"x{at}" for at in range(arity))
    found = knowledge.query(name, terms)
    wanted = sorted({row[:place] + row[place + 1 :] for row in expected if row[place] == value})
    assert [tuple(row) for row in found] == wanted, f"seed {seed}, {name}{terms}\n{text}"
    assert rows_of(knowledge, name, arity) == expected, f"seed {seed}, {name}\n{text}"
    assert knowledge.count(name, (None,) * arity) == len(expected), seed
