"""Proofs: for each fact the rule and the facts that it was first derived from, down to what the program said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch

from tensorlogic.runtime.relations.body import Frame
from tensorlogic.runtime.relations.domain import Value
from tensorlogic.runtime.relations.engine import Engine
from tensorlogic.runtime.relations.order import steps_of
from tensorlogic.runtime.relations.table import Chunk
from tensorlogic.runtime.relations.terms import Atom, Known, Literal, Not, Rule, literal_text, rule_text, variables_of

LONGEST = 10_000  # lines
Fact = tuple[str, tuple[Value, ...]]


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
    return "\n".join(_lines(recorder, [(relation, fact) for fact in facts]))


def _lines(recorder: Recorder, facts: list[Fact]) -> Iterator[str]:
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
        text = "  " * depth + f"{item[0]}({', '.join(map(str, item[1]))})"
        derivation = _derivation(recorder, item)
        if derivation is None or item in shown:
            yield text + (" is a fact" if derivation is None else ", as above")
            continue
        shown.add(item)
        line = f" in line {derivation.rule.line}" if derivation.rule.line else ""
        yield f"{text} by the rule{line}: {rule_text(derivation.rule)}"
        pending += [(depth + 1, premise) for premise in reversed(_premises(recorder, item, derivation))]


def _codes(recorder: Recorder, fact: Fact) -> list[int]:
    kinds = recorder.columns(fact[0])
    return [recorder.domain.code(kind, value) for kind, value in zip(kinds, fact[1], strict=True)]


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


def _start(recorder: Recorder, rule: Rule, fact: Fact) -> Frame:
    """The variables of the head have the fact's values."""
    recorder.body(rule)
    columns = {}
    for term, kind, value in zip(rule.head.terms, recorder.columns(fact[0]), fact[1], strict=True):
        if isinstance(term, str):
            own = recorder.types[rule].get(term, kind)
            columns[term] = torch.tensor([recorder.domain.code(own, value)], device=recorder.device)
    return Frame(columns, 1)


def _premise(recorder: Recorder, part: Literal, found: Frame, types: Mapping[str, str]) -> Fact | str:
    values = {name: recorder.domain.values(types[name], column[:1])[0] for name, column in found.columns.items()}
    if isinstance(part, Atom):
        return part.relation, tuple(t.value if isinstance(t, Known) else values[str(t)] for t in part.terms)
    if isinstance(part, Not):
        terms = tuple(Known(values[t]) if isinstance(t, str) else t for t in part.atom.terms)
        return f"{literal_text(Not(Atom(part.atom.relation, terms)))} holds: nothing matches"
    shown = ", ".join(f"{name} = {values[name]}" for name in variables_of(part) if name in values)
    return f"{literal_text(part)} holds" + (f" with {shown}" if shown else "")
