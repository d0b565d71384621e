"""Weighted relations: in a body weights multiply (add, under `min=`), the proofs of one row add, or the best one counts.

Everything is a differentiable operation on the weights, so that gradients flow through rules.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations.best import REDUCE, Best
from tensorlogic.runtime.relations.body import UNIT, Frame
from tensorlogic.runtime.relations.demand import meant
from tensorlogic.runtime.relations.keys import Columns, distinct, grouped
from tensorlogic.runtime.relations.order import steps_of
from tensorlogic.runtime.relations.table import Chunk, Table, joined
from tensorlogic.runtime.relations.terms import Atom, Rule, relations_of

if TYPE_CHECKING:
    from tensorlogic.runtime.relations.engine import Engine


def product(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    """None is the weight of what has none: one."""
    return right if left is None else left if right is None else left * right


def total(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    return right if left is None else left if right is None else left + right


def evaluate(engine: "Engine", component: tuple[str, ...], rules: list[Rule]) -> None:
    """A component in which relations are weighted."""
    inside = set(component)
    recursive = [rule for rule in rules if any(name in inside for name, _ in relations_of(rule.body))]
    _put(engine, {name: _facts(engine, name) for name in component})
    base = {name: _combined(engine, name, [_facts(engine, name)]) for name in component}
    for name in component:
        plain = [part for rule in rules if rule.head.relation == name and rule not in recursive for part in _given(engine, rule)]
        base[name] = _combined(engine, name, [base[name], *plain])
    _put(engine, base)
    if not recursive:
        return
    selective = all(not relation.weighted or relation.semiring in REDUCE for name in component if (relation := engine.relations[name]))
    improves = selective and all(chunk.columns for chunk in base.values())
    (_improve if improves else _iterate)(engine, component, recursive, base)


def _facts(engine: "Engine", name: str) -> Chunk:
    empty = torch.zeros(0, dtype=torch.int64, device=engine.device)
    relation = engine.relations[name]
    weight = torch.zeros(0, device=engine.device) if relation.weighted else None
    return engine.facts.get(name) or Chunk((empty,) * len(relation.columns), 0, weight)


def _put(engine: "Engine", chunks: dict[str, Chunk]) -> None:
    for name, chunk in chunks.items():
        engine.tables[name] = Table.holding(chunk, len(chunk.columns), engine.device)


def _given(engine: "Engine", rule: Rule, instead: dict[int, list[Chunk]] | None = None) -> list[Chunk]:
    """What a rule gives, one chunk for each block; rows may repeat. `instead` are the rows of one of its atoms."""
    relation = engine.relations[rule.head.relation]
    cost = relation.semiring == "min"
    body = engine.body(rule, instead, (total if cost else product) if relation.weighted else None)
    head = tuple(t for t in rule.head.terms if isinstance(t, str))
    steps = steps_of(rule.body, head, engine.size, next(iter(instead)) if instead else None)
    return [
        Chunk(engine.head(rule, frame), frame.count, _weight(frame, cost, engine.device) if relation.weighted else None)
        for frame in body.run(steps, UNIT)
    ]


def _weight(frame: Frame, cost: bool, device: torch.device) -> Tensor:
    if frame.weight is not None:
        return frame.weight
    return torch.zeros(frame.count, device=device) if cost else torch.ones(frame.count, device=device)


def _combined(engine: "Engine", name: str, chunks: list[Chunk]) -> Chunk:
    """One row for each different one, its weights put together."""
    chunks = [chunk for chunk in chunks if chunk.count]
    if not chunks:
        return _facts(engine, name)
    columns: Columns = tuple(torch.cat(parts) for parts in zip(*(chunk.columns for chunk in chunks), strict=True))
    if not engine.relations[name].weighted:
        columns = distinct(columns) if columns else columns
        return Chunk(columns, len(columns[0]) if columns else 1)
    weight = torch.cat([chunk.weight for chunk in chunks if chunk.weight is not None])
    semiring = engine.relations[name].semiring
    if not columns:
        best = weight.sum() if semiring == "sum" else getattr(torch, REDUCE[semiring])(weight)
        return Chunk((), 1, best[None])
    rows, place = grouped(columns)
    count = len(rows[0])
    start = torch.zeros(count, dtype=weight.dtype, device=weight.device)
    if semiring == "sum":
        return Chunk(rows, count, start.index_add(0, place, weight))
    return Chunk(rows, count, start.scatter_reduce(0, place, weight, REDUCE[semiring], include_self=False))


def _bounds(rules: list[Rule]) -> tuple[int | None, float]:
    """How many rounds there may be, and which changes do not count."""
    steps = min((rule.steps for rule in rules if rule.steps is not None), default=None)
    return steps, max((rule.tol for rule in rules if rule.tol is not None), default=0.0)


def _improve(engine: "Engine", component: tuple[str, ...], rules: list[Rule], base: dict[str, Chunk]) -> None:
    """Each round joins the rows that the last one found a better proof for with everything there is."""
    steps, tol = _bounds(rules)
    kinds = {name: engine.relations[name] for name in component}
    best = {name: Best(base[name], kind.semiring if kind.weighted else "") for name, kind in kinds.items()}
    linear = all(sum(name in best for name, _ in relations_of(rule.body)) == 1 for rule in rules)
    new = {name: chunk for name, chunk in base.items() if chunk.count}
    rounds = 0
    while new and (steps is None or rounds < steps):
        found = {name: best[name].offer(chunk) for name, chunk in _offers(engine, rules, new).items()}
        improved = {name: item for name, item in found.items() if item is not None}
        new = {name: chunk for name, (chunk, _) in improved.items()} if any(gain >= tol for _, gain in improved.values()) else {}
        rounds += 1
        if not linear:
            _put(engine, {name: best[name].chunk(len(base[name].columns)) for name in component})
        if steps is None and not tol:
            _ends(engine, component, rounds, sum(len(item.weight) for item in best.values()))
    _put(engine, {name: best[name].chunk(len(base[name].columns)) for name in component})


def _offers(engine: "Engine", rules: list[Rule], new: dict[str, Chunk]) -> dict[str, Chunk]:
    found: dict[str, list[Chunk]] = {}
    for rule in rules:
        for place, literal in enumerate(rule.body):
            if isinstance(literal, Atom) and literal.relation in new:
                found.setdefault(rule.head.relation, []).extend(_given(engine, rule, {place: [new[literal.relation]]}))
    return {name: joined(chunks) for name, chunks in found.items() if chunks}


def _iterate(engine: "Engine", component: tuple[str, ...], rules: list[Rule], base: dict[str, Chunk]) -> None:
    """Rounds over everything, as sums of proofs need them: until nothing changes, or as the rules bound it."""
    steps, tol = _bounds(rules)
    done, rounds = False, 0
    while not done and (steps is None or rounds < steps):
        before = {name: engine.tables[name].rows() for name in component}
        given = {name: [part for rule in rules if rule.head.relation == name for part in _given(engine, rule)] for name in component}
        after = {name: _combined(engine, name, [base[name], *given[name]]) for name in component}
        _put(engine, after)
        done = all(_close(before[name], after[name], tol) for name in component)
        rounds += 1
        if steps is None and not tol:
            _ends(engine, component, rounds, sum(chunk.count for chunk in after.values()))


def _close(before: Chunk, after: Chunk, tol: float) -> bool:
    if before.count != after.count or any(not torch.equal(a, b) for a, b in zip(before.columns, after.columns, strict=True)):
        return False
    if before.weight is None or after.weight is None or not after.count:
        return True
    difference = (before.weight - after.weight).detach().abs().nan_to_num(0.0)
    return bool((difference < tol).all()) if tol else not bool(difference.any())


def _ends(engine: "Engine", component: tuple[str, ...], rounds: int, rows: int) -> None:
    """A best proof uses no row twice; where one keeps getting better, a weight is not what it must be."""
    if rounds > rows + 1:
        cost = any(engine.relations[name].semiring == "min" for name in component)
        wanted = "costs that are not negative" if cost else "weights of at most 1 on cycles"
        raise TensorLogicError(Diagnostic("TL0801", f"the recursion of `{meant(component[0])}` does not end: it needs {wanted}"))
