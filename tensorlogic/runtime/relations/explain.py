"""Proofs: for each fact the rule and the facts that it was first derived from, down to what the program said."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch

from tensorlogic.runtime.relations import weights
from tensorlogic.runtime.relations.body import Frame
from tensorlogic.runtime.relations.domain import Value
from tensorlogic.runtime.relations.engine import Engine
from tensorlogic.runtime.relations.order import steps_of
from tensorlogic.runtime.relations.table import Chunk
from tensorlogic.runtime.relations.terms import Atom, Known, Literal, Not, Rule, literal_text, relations_of, rule_text, variables_of

LONGEST = 10_000  # lines
MOST = 100  # uses of one rule that are looked at
CLOSE = 1e-5
Fact = tuple[str, tuple[Value, ...]]
Use = tuple[Rule, list[Fact | str]]


@dataclass(frozen=True, slots=True)
class Derivation:
    """What one use of a rule added: it read only what was there before."""

    stage: int
    rule: Rule
    chunk: Chunk


class Recorder(Engine):
    """Evaluates without weights and matrices, and remembers which rule added what, and when."""

    def __init__(self, engine: Engine) -> None:
        relations = {name: replace(item, weighted=False) for name, item in engine.relations.items()}
        facts = {name: Chunk(chunk.columns, chunk.count) for name, chunk in engine.facts.items()}
        rules = [rule for found in engine.rules.values() for rule in found]
        super().__init__(engine.domain, relations, rules, facts, engine.device, engine.max_facts)
        self.history: dict[str, list[Derivation]] = {}
        self.stage = 0
        self.dense = False

    def derive(self, rule: Rule, instead: Mapping[int, list[Chunk]] | None = None) -> list[Chunk]:
        found = super().derive(rule, instead)
        self.stage += 1
        self.history.setdefault(rule.head.relation, []).extend(Derivation(self.stage, rule, chunk) for chunk in found)
        return found

    def before(self, name: str, stage: int) -> list[Chunk]:
        """The rows that a relation had before a stage."""
        facts = [self.facts[name]] if name in self.facts else []
        return [*facts, *(item.chunk for item in self.history.get(name, ()) if item.stage < stage)]


def proofs(engine: Engine, relation: str, facts: list[tuple[Value, ...]]) -> str:
    """The proofs of some facts that hold, as an indented text."""
    recorder = Recorder(engine)
    recorder.complete((relation,))
    return "\n".join(_lines(recorder, engine, [(relation, fact) for fact in facts]))


def _lines(recorder: Recorder, engine: Engine, facts: list[Fact]) -> Iterator[str]:
    pending: list[tuple[int, Fact | str]] = [(0, fact) for fact in reversed(facts)]
    shown: set[Fact] = set()
    count = 0
    while pending:
        depth, item = pending.pop()
        count += 1
        if count > LONGEST:
            yield f"... and more than {LONGEST:,} lines"
            return
        if isinstance(item, str):
            yield "  " * depth + item
            continue
        text = "  " * depth + f"{item[0]}({', '.join(map(str, item[1]))}){_weight(engine, item)}"
        if item in shown:
            yield text + ", as above"
            continue
        use = _best_use(engine, item, shown) if _is_best(engine, item[0]) else _first_use(recorder, item)
        if use is None:
            yield text + " is a fact"
            continue
        shown.add(item)
        rule, premises = use
        line = f" in line {rule.line}" if rule.line else ""
        yield f"{text} by the rule{line}: {rule_text(rule)}"
        pending += [(depth + 1, premise) for premise in reversed(premises)]


# --- weights --------------------------------------------------------------------------------------------------------


def _weight(engine: Engine, fact: Fact) -> str:
    """` = 0.8` of a weighted fact, over all its proofs."""
    if not engine.relations[fact[0]].weighted:
        return ""
    return f" = {_weight_in(engine, engine.table(fact[0]).rows(), fact):.6g}"


def _weight_in(engine: Engine, rows: Chunk, fact: Fact) -> float:
    """NaN where the fact is not among the rows."""
    good = torch.ones(rows.count, dtype=torch.bool, device=engine.device)
    for column, code in zip(rows.columns, _codes(engine, fact), strict=True):
        good &= column == code
    found = rows.weight[good] if rows.weight is not None else good
    return float(found[0]) if len(found) else math.nan


def _is_best(engine: Engine, name: str) -> bool:
    """Whether one proof makes the weight: the least or the greatest."""
    return engine.relations[name].weighted and engine.relations[name].semiring != "sum"


def _best_use(engine: Engine, fact: Fact, shown: set[Fact]) -> Use | None:
    """The rule that gives a fact its weight, and the premises; None for a fact that the program said with this weight."""
    wanted = _weight_in(engine, engine.table(fact[0]).rows(), fact)
    if fact[0] in engine.facts and math.isclose(_weight_in(engine, engine.facts[fact[0]], fact), wanted, rel_tol=CLOSE):
        return None
    found: list[Use] = []
    for rule in engine.rules.get(fact[0], ()):
        if all(term.value == value for term, value in zip(rule.head.terms, fact[1], strict=True) if isinstance(term, Known)):
            found += [(rule, premises) for premises in _uses(engine, rule, fact, wanted)]
    return next((use for use in found if not shown.intersection(use[1])), found[0] if found else None)


def _uses(engine: Engine, rule: Rule, fact: Fact, wanted: float) -> Iterator[list[Fact | str]]:
    """The premises of a rule, wherever they give the fact this weight."""
    body = tuple(_named(part, at) for at, part in enumerate(rule.body))
    engine.complete(name for name, _ in relations_of(body))
    named, names = Rule(rule.head, body), tuple(dict.fromkeys(name for part in body for name in variables_of(part)))
    frame = _start(engine, named, fact)
    least = engine.relations[fact[0]].semiring == "min"
    evaluation = engine.body(named, weigh=weights.total if least else weights.product)
    for found in evaluation.run(steps_of(body, names, engine.size, None, frozenset(frame.columns)), frame):
        nothing = torch.full((found.count,), 0.0 if least else 1.0, device=engine.device)  # the weight of a body without weights
        weight = nothing if found.weight is None else found.weight
        for row in (weight - wanted).abs().le(CLOSE * max(abs(wanted), 1.0)).nonzero()[:MOST]:
            yield [_premise(engine, part, found.taken(row, 1), evaluation.types) for part in body]


# --- facts ----------------------------------------------------------------------------------------------------------


def _codes(engine: Engine, fact: Fact) -> list[int]:
    kinds = engine.columns(fact[0])
    return [engine.domain.code(kind, value) for kind, value in zip(kinds, fact[1], strict=True)]


def _first_use(recorder: Recorder, fact: Fact) -> Use | None:
    """The rule that first added a fact, and the premises; None for a fact that the program said."""
    derivation = _derivation(recorder, fact)
    return None if derivation is None else (derivation.rule, _premises(recorder, fact, derivation))


def _derivation(recorder: Recorder, fact: Fact) -> Derivation | None:
    """What added a fact; None for one that the program said."""
    codes = tuple(torch.tensor([code], device=recorder.device) for code in _codes(recorder, fact))
    for item in recorder.history.get(fact[0], ()):
        if not codes or int(item.chunk.matches(tuple(range(len(codes))), codes)[1]):
            return item
    return None


def _premises(recorder: Recorder, fact: Fact, derivation: Derivation) -> list[Fact | str]:
    """What a rule read to derive a fact: facts, and the comparisons and negations that held."""
    body = tuple(_named(part, at) for at, part in enumerate(derivation.rule.body))
    rule = Rule(derivation.rule.head, body)
    wanted = tuple(dict.fromkeys(name for part in body for name in variables_of(part)))
    frame = _start(recorder, rule, fact)
    sources = {at: recorder.before(p.relation, derivation.stage) for at, p in enumerate(body) if isinstance(p, Atom)}
    evaluation = recorder.body(rule, sources)
    steps = steps_of(body, wanted, recorder.size, None, frozenset(frame.columns))
    found = next(iter(evaluation.run(steps, frame)))
    return [_premise(recorder, part, found, evaluation.types) for part in body]


def _named(part: Literal, at: int) -> Literal:
    """An atom whose `_` have names, so that the fact that was used can be told."""
    if not isinstance(part, Atom):
        return part
    return Atom(part.relation, tuple(f"_{at}_{place}" if term is None else term for place, term in enumerate(part.terms)))


def _start(recorder: Engine, rule: Rule, fact: Fact) -> Frame:
    """The variables of the head have the fact's values."""
    recorder.body(rule)
    columns = {}
    for term, kind, value in zip(rule.head.terms, recorder.columns(fact[0]), fact[1], strict=True):
        if isinstance(term, str):
            own = recorder.types[rule].get(term, kind)
            columns[term] = torch.tensor([recorder.domain.code(own, value)], device=recorder.device)
    return Frame(columns, 1)


def _premise(recorder: Engine, part: Literal, found: Frame, types: Mapping[str, str]) -> Fact | str:
    values = {name: recorder.domain.values(types[name], column[:1])[0] for name, column in found.columns.items()}
    if isinstance(part, Atom):
        return part.relation, tuple(t.value if isinstance(t, Known) else values[str(t)] for t in part.terms)
    if isinstance(part, Not):
        terms = tuple(Known(values[t]) if isinstance(t, str) else t for t in part.atom.terms)
        return f"{literal_text(Not(Atom(part.atom.relation, terms)))} holds: nothing matches"
    shown = ", ".join(f"{name} = {values[name]}" for name in variables_of(part) if name in values)
    return f"{literal_text(part)} holds" + (f" with {shown}" if shown else "")
