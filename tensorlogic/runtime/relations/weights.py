"""Weighted relations: in a body weights multiply (add, under `min=`), the proofs of one row add, or the best one counts.

Everything is a differentiable operation on the weights, so that gradients flow through rules.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations.body import UNIT, Frame
from tensorlogic.runtime.relations.keys import Columns, grouped
from tensorlogic.runtime.relations.order import steps_of
from tensorlogic.runtime.relations.table import Chunk, Table
from tensorlogic.runtime.relations.terms import Rule, relations_of

if TYPE_CHECKING:
    from tensorlogic.runtime.relations.engine import Engine

REDUCE = {"max": "amax", "min": "amin"}


def product(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    """None is the weight of what has none: one."""
    return right if left is None else left if right is None else left * right


def total(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    return right if left is None else left if right is None else left + right


def evaluate(engine: "Engine", component: tuple[str, ...], rules: list[Rule]) -> None:
    """A component whose relations are weighted."""
    inside = set(component)
    recursive = [rule for rule in rules if any(name in inside for name, _ in relations_of(rule.body))]
    for name in component:
        engine.tables[name] = Table.holding(_facts(engine, name), len(engine.relations[name].columns), engine.device)
    plain = [rule for rule in rules if rule not in recursive]
    base = {name: _combined(engine, name, [_facts(engine, name), *_given(engine, name, plain)]) for name in component}
    _put(engine, base)
    if recursive:
        _iterate(engine, component, recursive, base)


def _facts(engine: "Engine", name: str) -> Chunk:
    empty = torch.zeros(0, dtype=torch.int64, device=engine.device)
    nothing = Chunk((empty,) * len(engine.relations[name].columns), 0, torch.zeros(0, device=engine.device))
    return engine.facts.get(name) or nothing


def _put(engine: "Engine", chunks: dict[str, Chunk]) -> None:
    for name, chunk in chunks.items():
        engine.tables[name] = Table.holding(chunk, len(chunk.columns), engine.device)


def _given(engine: "Engine", name: str, rules: list[Rule]) -> list[Chunk]:
    """What the rules of one head give, one chunk for each block; rows may repeat."""
    found: list[Chunk] = []
    cost = engine.relations[name].semiring == "min"
    for rule in rules:
        if rule.head.relation != name:
            continue
        body = engine.body(rule, weigh=total if cost else product)
        head = tuple(t for t in rule.head.terms if isinstance(t, str))
        for frame in body.run(steps_of(rule.body, head, engine.size), UNIT):
            found.append(Chunk(engine.head(rule, frame), frame.count, _weight(frame, cost, engine.device)))
    return found


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


def _iterate(engine: "Engine", component: tuple[str, ...], rules: list[Rule], base: dict[str, Chunk]) -> None:
    """Rounds over everything, until nothing changes, the tolerance is met, or the given number of steps is done."""
    steps = min((rule.steps for rule in rules if rule.steps is not None), default=None)
    tol = max((rule.tol for rule in rules if rule.tol is not None), default=0.0)
    done, rounds = False, 0
    while not done and (steps is None or rounds < steps):
        before = {name: engine.tables[name].rows() for name in component}
        after = {name: _combined(engine, name, [base[name], *_given(engine, name, rules)]) for name in component}
        _put(engine, after)
        done = all(_close(before[name], after[name], tol) for name in component)
        rounds += 1
        if steps is None and not tol:
            _ends(engine, component, rounds)


def _close(before: Chunk, after: Chunk, tol: float) -> bool:
    if before.count != after.count or any(not torch.equal(a, b) for a, b in zip(before.columns, after.columns, strict=True)):
        return False
    if before.weight is None or after.weight is None or not after.count:
        return True
    difference = (before.weight - after.weight).detach().abs().nan_to_num(0.0)
    return bool((difference < tol).all()) if tol else not bool(difference.any())


def _ends(engine: "Engine", component: tuple[str, ...], rounds: int) -> None:
    """A best proof uses no row twice; where one keeps getting better, a weight is not what it must be."""
    rows = sum(engine.tables[name].count for name in component)
    if rounds > rows + 1:
        cost = engine.relations[component[0]].semiring == "min"
        wanted = "costs that are not negative" if cost else "weights of at most 1 on cycles"
        raise TensorLogicError(Diagnostic("TL0801", f"the recursion of `{component[0]}` does not end: it needs {wanted}"))
