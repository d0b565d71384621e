"""Against engines that others wrote: clingo and sqlite for random programs; clingo's tests are skipped where it is not installed."""

import os
import re

import pytest
import sql
from maker import Made, Maker
from oracle import Rule, Sum, is_variable, text
from test_random import knowledge_of, rows_of

FULL = bool(os.environ.get("TLC_FULL"))
COUNT = 2000 if FULL else 60


def as_clingo(term: object) -> str:
    if isinstance(term, Sum):
        return f"{as_clingo(term.left)}{term.sign}{as_clingo(term.right)}"
    return str(term).upper() if is_variable(term) else text(term)


def atom(name: str, terms: tuple) -> str:
    return f"{name}({','.join(map(as_clingo, terms))})"


def rule(item: Rule) -> str:
    parts = []
    for part in item.body:
        match part:
            case ("atom", name, terms):
                parts.append(atom(name, terms))
            case ("not", name, terms):
                parts.append(f"not {atom(name, terms)}")
            case ("cmp", op, a, b):
                parts.append(f"{as_clingo(a)} {op} {as_clingo(b)}")
            case ("agg", result, op, value, name, terms):
                inner = [value] if op == "count" else [value, *(t for t in terms if is_variable(t) and t != value)]
                listed = ",".join(as_clingo(t) for t in dict.fromkeys(inner))
                parts.append(f"{as_clingo(result)} = #{op} {{ {listed} : {atom(name, terms)} }}")
                if op in ("min", "max"):  # of nothing clingo has an infinite value
                    parts.append(f"{as_clingo(result)} != {'#sup' if op == 'min' else '#inf'}")
    return f"{atom(*item.head)} :- {', '.join(parts)}."


def clingo_model(made: Made) -> dict[str, set] | None:
    """The model; None for the few programs that bind a variable by an aggregate in a way that clingo calls unsafe."""
    clingo = pytest.importorskip("clingo")
    control = clingo.Control(["--warn=none"])
    facts = [f"{atom(name, row)}." for name, rows in made.facts.items() for row in rows]
    control.add("base", [], "\n".join([*facts, *map(rule, made.rules)]))
    try:
        control.ground([("base", [])])
    except RuntimeError:
        return None
    found: dict[str, set] = {name: set() for name in made.arities}
    with control.solve(yield_=True) as handle:
        for symbol in next(iter(handle)).symbols(atoms=True):
            found[symbol.name].add(tuple(a.string if a.type == clingo.SymbolType.String else a.number for a in symbol.arguments))
    return found


@pytest.mark.parametrize("block", range(4))
def test_clingo(block: int) -> None:
    refused = 0
    for seed in range(5000 + block, 5000 + COUNT, 4):
        made = Maker(seed).program()
        expected = clingo_model(made)
        if expected is None:
            refused += 1
            continue
        knowledge = knowledge_of(made.text())
        for name in made.derived:
            assert rows_of(knowledge, name, made.arities[name]) == expected[name], f"seed {seed}, {name}\n{made.text()}"
    assert refused <= COUNT // 10


@pytest.mark.parametrize("block", range(4))
def test_sqlite(block: int) -> None:
    for seed in range(9000 + block, 9000 + COUNT, 4):
        made = Maker(seed).program()
        expected = sql.least_model(made)
        knowledge = knowledge_of(made.text())
        for name in made.derived:
            assert rows_of(knowledge, name, made.arities[name]) == expected[name], f"seed {seed}, {name}\n{made.text()}"


def test_the_translation() -> None:
    """What clingo reads is what the program says."""
    item = Rule(("p", ("x", "v8")), (("atom", "a", ("x", "_")), ("agg", "v8", "sum", "y", "b", ("x", "y"))))
    assert rule(item) == "p(X,V8) :- a(X,_), V8 = #sum { Y,X : b(X,Y) }."
    assert re.fullmatch(r"X\+3", as_clingo(Sum("+", "x", 3)))
    assert sql.select(item) == ("select distinct a0.c0, (select coalesce(sum(distinct n0.c1), 0) from b n0 where n0.c0 = a0.c0) from a a0")
