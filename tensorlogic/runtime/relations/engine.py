"""The least model, stratum by stratum: every component of relations that need each other is evaluated semi-naively."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations import chains, closure, weights
from tensorlogic.runtime.relations.aggregates import grouped_values
from tensorlogic.runtime.relations.body import BLOCK, UNIT, Body, Frame
from tensorlogic.runtime.relations.demand import meant
from tensorlogic.runtime.relations.domain import Domain
from tensorlogic.runtime.relations.keys import Columns
from tensorlogic.runtime.relations.order import group_of, steps_of
from tensorlogic.runtime.relations.strata import components
from tensorlogic.runtime.relations.table import Chunk, Table, joined
from tensorlogic.runtime.relations.terms import Aggregate, Arithmetic, Atom, Compare, Known, Relation, Rule, relations_of
from tensorlogic.runtime.relations.types import types_of

Delta = dict[str, list[Chunk]]


class Engine:
    """Evaluates rules over `tables`, which hold the facts at first and grow by what is derived. `complete` are the relations that are."""

    def __init__(
        self,
        domain: Domain,
        relations: Mapping[str, Relation],
        rules: Iterable[Rule],
        facts: Mapping[str, Chunk],
        device: torch.device,
        max_facts: int,
    ) -> None:
        self.domain = domain
        self.relations = relations
        self.facts = facts
        self.device = device
        self.max_facts = max_facts
        self.rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self.rules.setdefault(rule.head.relation, []).append(rule)
        self.tables: dict[str, Table] = {}
        self.dense = True  # closures may be matrices, and rows may be added while a rule is read
        self.types: dict[Rule, dict[str, str]] = {}
        self.groups: dict[tuple[Aggregate, frozenset[str]], tuple[tuple[str, ...], Chunk]] = {}
        self.needs = {head: [name for rule in found for name, _ in relations_of(rule.body)] for head, found in self.rules.items()}

    # --- what there is ----------------------------------------------------------------------------------------------

    def table(self, name: str) -> Table:
        """A relation that is complete."""
        self.complete((name,))
        return self.tables[name]

    def complete(self, names: Iterable[str]) -> None:
        for component in components(names, self.needs):
            if not all(name in self.tables for name in component):
                self._component(component)

    def _begin(self, name: str) -> Table:
        """The table of a relation with its facts."""
        arity = len(self.relations[name].columns)
        facts = self.facts.get(name)
        table = Table.holding(facts, arity, self.device) if facts is not None else Table(arity, self.device)
        self.tables[name] = table
        return table

    def _component(self, component: tuple[str, ...]) -> None:
        rules = [rule for name in component for rule in self.rules.get(name, ())]
        weighted = any(self.relations[name].weighted for name in component)
        if weighted:
            weights.evaluate(self, component, rules)
            return
        for name in component:
            self._begin(name)
        inside = set(component)
        recursive = [rule for rule in rules if any(name in inside for name, _ in relations_of(rule.body))]
        for rule in rules:
            if rule not in recursive:
                self.derive(rule)
        if recursive:
            self._fixpoint(component, recursive)

    # --- rules ------------------------------------------------------------------------------------------------------

    def body(self, rule: Rule, instead: Mapping[int, list[Chunk]] | None = None, weigh=None) -> Body:
        """What evaluates the body of a rule; `instead` are the rows of some of its atoms."""
        types = self.types.get(rule)
        if types is None:
            types = self.types[rule] = types_of(rule, self.columns)

        def source(place: int, atom: Atom) -> list[Chunk]:
            if instead is not None and place in instead:
                return instead[place]
            return self.chunks(atom.relation)

        return Body(self.domain, types, source, self.device, self.columns, self.grouped(types), weigh)

    def columns(self, name: str) -> tuple[str, ...]:
        """The types of a relation's columns."""
        return self.relations[name].columns if name in self.relations else (name,)

    def chunks(self, name: str) -> list[Chunk]:
        table = self.tables[name]
        if table.grid is not None:
            table.rows()
        return list(table.chunks)  # it may grow while these are read

    def size(self, atom: Atom) -> int:
        return self.tables[atom.relation].count if atom.relation in self.tables else 0

    def derive(self, rule: Rule, instead: Mapping[int, list[Chunk]] | None = None) -> list[Chunk]:
        """Add what a rule gives to the table of its head; the new rows. `instead` begins where it is given."""
        first = next(iter(instead), None) if instead else None
        head = tuple(t for t in rule.head.terms if isinstance(t, str))
        body = self.body(rule, instead)
        table, found = self.tables[rule.head.relation], []
        frames = body.run(steps_of(rule.body, head, self.size, first))
        for columns, count in self._gathered(rule, frames):
            new = table.add(columns, count)
            found += [] if new is None else [new]
        return found

    def _gathered(self, rule: Rule, frames: Iterable[Frame]) -> Iterator[tuple[Columns, int]]:
        """The rows of the head, many frames at a time; for a record of what was there before, all of them."""
        waiting: list[Columns] = []
        count = 0
        for frame in frames:
            waiting.append(self.head(rule, frame))
            count += frame.count
            if count > BLOCK and self.dense:
                yield _stacked(waiting), count
                waiting, count = [], 0
        if count:
            yield _stacked(waiting), count

    def head(self, rule: Rule, frame: Frame) -> tuple[Tensor, ...]:
        """The columns of the head."""
        kinds = self.columns(rule.head.relation)
        pairs = zip(rule.head.terms, kinds, strict=True)
        return tuple(self._head_column(rule, term, kind, frame) for term, kind in pairs)

    def _head_column(self, rule: Rule, term, kind: str, frame: Frame) -> Tensor:
        if isinstance(term, Known):
            return torch.full((frame.count,), self.domain.code(kind, term.value), dtype=torch.int64, device=self.device)
        column = frame.columns[term]
        if kind == "float" and self.types[rule][term] == "int":
            return self.domain.floats.codes(column.to(torch.float64))
        return column

    # --- recursion --------------------------------------------------------------------------------------------------

    def _fixpoint(self, component: tuple[str, ...], rules: list[Rule]) -> None:
        """Each round joins what the last one found new with everything there is."""
        plans = [make(self, component, rules) for make in (closure.plan_of, chains.plan_of)] if self.dense else []
        delta: Delta = {name: list(self.chunks(name)) for name in component}
        grows = any(_makes_numbers(rule) for rule in rules)
        while any(delta.values()):
            for plan in plans:
                if plan is not None and plan.is_better(self, delta):
                    plan.run(self, delta)
                    return
            new: Delta = {name: [] for name in component}
            for rule in rules:
                for place, literal in enumerate(rule.body):
                    if isinstance(literal, Atom) and delta.get(literal.relation):
                        found = self.derive(rule, {place: delta[literal.relation]})
                        new[rule.head.relation] += found
            delta = {name: [joined(found)] if found else [] for name, found in new.items()}
            if grows:
                self._limit(component)

    def _limit(self, component: tuple[str, ...]) -> None:
        count = sum(self.tables[name].count for name in component)
        if count > self.max_facts:
            title = f"more than {self.max_facts:,} facts of `{meant(component[0])}`: its rules make new numbers without an end"
            help = ("bound the numbers in the rule, as `n < 100`", "or raise the limit with `--max-facts`")
            raise TensorLogicError(Diagnostic("TL0808", title, help=help))

    # --- aggregates -------------------------------------------------------------------------------------------------

    def grouped(self, types: Mapping[str, str]):
        """What `Body` asks for an aggregate: its group variables, and their values with the result behind them."""

        def found(aggregate: Aggregate, outside: frozenset[str]) -> tuple[tuple[str, ...], Chunk]:
            group = tuple(name for name in group_of(aggregate) if name in outside)
            key = (aggregate, frozenset(group))
            if key not in self.groups:
                self.groups[key] = (group, self._groups(aggregate, group, types))
            return self.groups[key]

        return found

    def _groups(self, aggregate: Aggregate, group: tuple[str, ...], types: Mapping[str, str]) -> Chunk:
        names = group if aggregate.op == "count" else group_of(aggregate)
        names = tuple(dict.fromkeys((*group, *names, aggregate.value)))
        rule = Rule(Atom("", names), aggregate.body)
        self.types[rule] = dict(types)
        steps = steps_of(aggregate.body, names, self.size)
        frames = list(self.body(rule).run(steps, UNIT))
        return grouped_values(self.domain, aggregate, group, names, types, frames, self.device)


def _stacked(parts: list[Columns]) -> Columns:
    return parts[0] if len(parts) == 1 else tuple(torch.cat(columns) for columns in zip(*parts, strict=True))


def _makes_numbers(rule: Rule) -> bool:
    return any(isinstance(part, Compare) and part.op == "=" and Arithmetic in map(type, (part.left, part.right)) for part in rule.body)
