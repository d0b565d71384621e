"""The relations of a program while it runs: facts come in, queries are answered from the least model of what is known by then."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations import explain, limits
from tensorlogic.runtime.relations.bridge import dense
from tensorlogic.runtime.relations.demand import rewritten
from tensorlogic.runtime.relations.domain import Domain, Value
from tensorlogic.runtime.relations.engine import Engine
from tensorlogic.runtime.relations.files import array_columns, placed, read_columns
from tensorlogic.runtime.relations.keys import distinct
from tensorlogic.runtime.relations.order import steps_of
from tensorlogic.runtime.relations.records import Row, records, table_text
from tensorlogic.runtime.relations.store import Store
from tensorlogic.runtime.relations.terms import Atom, Entities, Known, Relation, Rule, Term


class Program:
    """Entity types, relations and rules, given as data; no text is evaluated."""

    def __init__(self, entities: Iterable[Entities] = (), relations: Iterable[Relation] = (), rules: Iterable[Rule] = ()) -> None:
        types = tuple(entities)
        self.domain = Domain(types)
        self.relations = {item.name: item for item in relations} | {item.name: Relation(item.name, (item.name,)) for item in types}
        self.rules = tuple(rules)
        self.types = {item.name for item in types}
        self.derived = {rule.head.relation for rule in self.rules}
        self.stores = {name: Store(self.domain, item) for name, item in self.relations.items() if name not in self.types}
        self.forward: set[str] = set()
        self.backward: set[str] = set()
        self.engine: Engine | None = None

    # --- facts ------------------------------------------------------------------------------------------------------

    def fact(self, relation: str, *values: Value, weight: float | Tensor | None = None) -> None:
        """One fact. A weighted one that is said again has its new weight."""
        self.engine = None
        self.stores[relation].add(values, weight)

    def load(self, relation: str, path: str) -> None:
        """All facts of a file; of a weighted relation the last column are the weights."""
        columns = read_columns(path, self._stored(relation))
        try:
            self._put(relation, columns)
        except TensorLogicError as error:
            raise placed(error, path, self.domain.stranger(self.relations[relation].columns, columns)) from None

    def put(self, relation: str, array: Tensor | np.ndarray) -> None:
        """Facts as the rows of an n x arity array of numbers; of a weighted relation with the weights in one more column."""
        columns = array_columns(np.asarray(array), self._stored(relation), relation)
        self._put(relation, columns)

    def _stored(self, relation: str) -> tuple[str, ...]:
        """The types of the columns that facts come in."""
        item = self.relations[relation]
        return (*item.columns, "float") if item.weighted else item.columns

    def _put(self, relation: str, columns: list) -> None:
        self.engine = None
        self.stores[relation].put(columns, torch.get_default_device())

    def define(self, relation: str, source: Tensor | Callable[[], Tensor]) -> None:
        """The facts are the places of a tensor that are not zero, and its values their weights where the relation is weighted. Weights that
        are worked out from what learns come as a function, which is called at each reading."""
        self.engine = None
        tensor = source() if callable(source) else source
        item = self.relations[relation]
        sizes = [self.domain.size(kind) if self.domain.is_entity(kind) else None for kind in item.columns]
        if any(size is not None and size != found for size, found in zip(sizes, tensor.shape, strict=True)):
            raise TensorLogicError(Diagnostic("TL0301", f"`{relation}` has {sizes} entities, the tensor is {list(tensor.shape)}"))
        self.stores[relation].define(tensor, source if callable(source) else None)

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _facts(self, device: torch.device) -> dict[str, Any]:
        found = {name: store.chunk(device) for name, store in self.stores.items()}
        return found | {name: store for name in self.types if (store := Store.of_type(self.domain, name, device)).count}

    def _engine(self, rules: Iterable[Rule] | None = None, more: dict[str, Relation] | None = None, seeds=None) -> Engine:
        device = torch.get_default_device()
        facts = self._facts(device) | (seeds or {})
        return Engine(self.domain, self.relations | (more or {}), self.rules if rules is None else rules, facts, device, limits.MAX_FACTS)

    def _whole(self) -> Engine:
        """What evaluates everything that is asked for, and remembers it until a fact is added. Weights that learn change by themselves."""
        if self.engine is None or any(store.learns for store in self.stores.values()):
            self.engine = self._engine()
        return self.engine

    def _answering(self, atom: Atom) -> tuple[Engine, str]:
        """An engine, and the relation in it that holds the answers."""
        name = atom.relation
        whole = self._whole()
        if name not in self.derived or name in whole.tables or name in self.forward:
            return whole, name
        found = rewritten(atom, whole.rules, self.relations)
        if found is None:
            return whole, name
        known = tuple(term.value for term in atom.terms if isinstance(term, Known))
        seed = Store(self.domain, found.relations[found.seed])
        codes = [self.domain.find(kind, value) for kind, value in zip(found.relations[found.seed].columns, known, strict=True)]
        if None in codes:
            return whole, name  # at most the heads of rules have this name
        seed.add(known, None)
        device = torch.get_default_device()
        facts = {f"{n} facts": store.chunk(device) for n, store in self.stores.items() if n in self.derived}
        engine = self._engine((*self.rules, *found.rules), found.relations, {found.seed: seed.chunk(device), **facts})
        return engine, found.goal

    def _rows(self, atom: Atom, names: tuple[str, ...]) -> tuple[tuple[Tensor, ...], int, tuple[str, ...]]:
        """Columns of the variables `names` for every match of a pattern, and their types. `_` stands for a variable that is not named."""
        engine, name = self._answering(atom)
        engine.complete((name,))  # the heads of its rules may have constants that nothing else has
        if any(isinstance(t, Known) and self.domain.find(k, t.value) is None for t, k in self._typed(atom)):
            return (), 0, ()
        rule = Rule(Atom("", names), (Atom(name, atom.terms),))
        body = engine.body(rule)
        frames = list(body.run(steps_of(rule.body, names, engine.size)))
        if not frames:
            return (), 0, ()
        columns = tuple(torch.cat([frame.columns[name] for frame in frames]) for name in names)
        return columns, sum(frame.count for frame in frames), tuple(body.types[name] for name in names)

    def _typed(self, atom: Atom) -> Iterable[tuple[Term, str]]:
        return zip(atom.terms, self.relations[atom.relation].columns, strict=True)

    # --- queries ----------------------------------------------------------------------------------------------------

    def query(self, relation: str, terms: Sequence[Term]) -> list[Row]:
        """A record for each answer, in order, by the names of the variables."""
        atom = Atom(relation, tuple(terms))
        names = atom.variables()
        columns, count, types = self._rows(atom, names)
        if not count or not names:
            return records(names, [()] if count else [])
        values = [self.domain.values(kind, column) for kind, column in zip(types, distinct(columns), strict=True)]
        return records(names, sorted(zip(*values, strict=True)))

    def show(self, relation: str, terms: Sequence[Term]) -> None:
        """Print the table of a query."""
        print(table_text(Atom(relation, tuple(terms)).variables(), self.query(relation, terms)))

    def count(self, relation: str, terms: Sequence[Term]) -> int:
        """How many tuples match."""
        if all(term is None for term in terms):
            return self._whole().table(relation).count
        named = tuple(f"{at}" if term is None else term for at, term in enumerate(terms))
        atom = Atom(relation, named)
        return self._rows(atom, atom.variables())[1]

    def facts(self, relation: str, terms: Sequence[Term]) -> Tensor:
        """What matches as int64 [answers, variables], different and in order: ints, and entities by their place in their type."""
        names = Atom(relation, tuple(terms)).variables()
        columns, count, _ = self._rows(Atom(relation, tuple(terms)), names)
        if not count or not names:
            return torch.zeros((min(count, 1), len(names)), dtype=torch.int64, device=torch.get_default_device())
        return torch.stack(distinct(columns), 1)

    def infer(self, direction: str, relation: str) -> None:
        """`forward` derives everything now, `backward` only what queries ask for."""
        (self.backward if direction == "backward" else self.forward).add(relation)
        (self.forward if direction == "backward" else self.backward).discard(relation)
        if direction == "forward":
            self._whole().complete((relation,))

    def explain(self, relation: str, terms: Sequence[Term]) -> None:
        """Print proofs of what matches, as an indented text."""
        print(self.proofs(relation, terms))

    def proofs(self, relation: str, terms: Sequence[Term]) -> str:
        answers = self.query(relation, terms)
        names = Atom(relation, tuple(terms)).variables()
        facts = [tuple(row[t] if isinstance(t, str) else t.value for t in terms if t is not None) for row in answers]  # type: ignore[union-attr]
        if None in terms:
            raise TensorLogicError(Diagnostic("TL0504", "a proof is of one fact, or of all that variables match", help=("name the `_`",)))
        if not facts:
            return f"{relation}({', '.join(map(_shown, terms))}) does not hold" + ("" if not names else " for any value")
        return explain.proofs(self._engine(), relation, facts)

    # --- tensors ----------------------------------------------------------------------------------------------------

    def tensor(self, relation: str) -> Tensor:
        """The relation over its entity types: 0 and 1, or its weights, float32."""
        item = self.relations[relation]
        chunk = self._whole().table(relation).rows()
        return dense(chunk, [self.domain.size(kind) for kind in item.columns], item.semiring, torch.get_default_device())

    def settle(self, entity: str) -> int:
        """How many entities an open type has; it takes no more from now on, because a tensor has a row for each."""
        return self.domain.types[entity].settle(entity)

    def position(self, entity: str, name: str) -> int:
        """The place of an entity in its type. TL0502 where there is none."""
        place = self.domain.types[entity].places.get(name)
        if place is None:
            raise TensorLogicError(Diagnostic("TL0502", f"`{name}` is no {entity}"))
        return place


def _shown(term: Term) -> str:
    return str(term.value) if isinstance(term, Known) else str(term)
