"""The facts of one relation as they come in: one by one, in bulk, or from a tensor."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from tensorlogic.runtime.relations.bridge import rows_of
from tensorlogic.runtime.relations.domain import Domain, Value
from tensorlogic.runtime.relations.keys import Columns, distinct, grouped
from tensorlogic.runtime.relations.table import Chunk
from tensorlogic.runtime.relations.terms import Relation


class Store:
    """Facts wait in lists and become columns when something is asked."""

    def __init__(self, domain: Domain, relation: Relation) -> None:
        self.domain = domain
        self.relation = relation
        self.waiting: list[tuple[Value, ...]] = []
        self.weights: list[float | Tensor] = []
        self.known: Chunk | None = None
        self.source: Callable[[], Tensor] | None = None  # the tensor that learns, where the facts come from one

    @staticmethod
    def of_type(domain: Domain, name: str, device: torch.device) -> Chunk:
        """An entity type as a relation: its entities."""
        return Chunk((torch.arange(domain.size(name), device=device),), domain.size(name))

    @property
    def learns(self) -> bool:
        """Whether a weight has a gradient: then what is derived is not kept."""
        waiting = any(isinstance(weight, Tensor) and weight.requires_grad for weight in self.weights)
        return waiting or (self.known is not None and self.known.weight is not None and self.known.weight.requires_grad)

    def add(self, values: tuple[Value, ...], weight: float | Tensor | None) -> None:
        for kind, value in zip(self.relation.columns, values, strict=True):
            if self.domain.is_entity(kind):
                self.domain.code(kind, value)  # in the order of the program
        self.waiting.append(values)
        if self.relation.weighted:
            self.weights.append(1.0 if weight is None else weight)

    def put(self, columns: list, device: torch.device) -> None:
        """Whole columns, of a weighted relation with the weights behind them."""
        self.chunk(device)
        types = self.relation.columns
        self._meet(columns)
        codes = tuple(self._codes(kind, column, device) for kind, column in zip(types, columns, strict=False))
        weight = torch.as_tensor(columns[len(types)], dtype=torch.float32, device=device) if self.relation.weighted else None
        self._merge(codes, weight, len(columns[0]))

    def _meet(self, columns: list) -> None:
        """Give the new entities their places in the order in which they appear: row by row, not column by column."""
        kinds = self.relation.columns
        for kind in dict.fromkeys(kinds):
            if self.domain.is_entity(kind) and kinds.count(kind) > 1:
                same = [column for column, other in zip(columns, kinds, strict=False) if other == kind]
                for name in dict.fromkeys(chain.from_iterable(zip(*same, strict=True))):
                    self.domain.code(kind, name)

    def _codes(self, kind: str, column, device: torch.device) -> Tensor:
        if isinstance(column, list):
            return self.domain.codes(kind, column, device)
        found = torch.as_tensor(column).to(device)
        return self.domain.floats.codes(found.to(torch.float64)) if kind == "float" else found.to(torch.int64)

    def define(self, tensor: Tensor, again: Callable[[], Tensor] | None = None) -> None:
        """The places of a tensor that are not zero. One that learns is read, or made `again`, each time, so that each reading has its
        gradient."""
        self.waiting, self.weights = [], []
        self.known = rows_of(tensor, self.relation.weighted)
        self.source = (again or (lambda: tensor)) if self.relation.weighted and tensor.requires_grad else None

    def chunk(self, device: torch.device) -> Chunk:
        """All facts by now, different and sorted."""
        if self.waiting:
            lists = list(zip(*self.waiting, strict=True))
            codes = tuple(self.domain.codes(kind, list(v), device) for kind, v in zip(self.relation.columns, lists, strict=True))
            weight = _weights(self.weights, device) if self.relation.weighted else None
            count, self.waiting, self.weights = len(self.waiting), [], []
            self._merge(codes, weight, count)
        if self.source is not None and self.known is not None:
            return replace(self.known, weight=self.source()[self.known.columns])
        if self.known is None:
            empty = torch.zeros(0, dtype=torch.int64, device=device)
            weight = torch.zeros(0, device=device) if self.relation.weighted else None
            self.known = Chunk((empty,) * len(self.relation.columns), 0, weight)
        return self.known

    def _merge(self, columns: Columns, weight: Tensor | None, count: int) -> None:
        known, self.source = self.known, None
        if not columns:
            self.known = Chunk((), 1, weight if weight is None else weight[-1:])
            return
        if known is not None and known.count:
            columns = tuple(torch.cat(parts) for parts in zip(known.columns, columns, strict=True))
            weight = weight if known.weight is None or weight is None else torch.cat((known.weight, weight))
        if weight is None:
            columns = distinct(columns)
            self.known = Chunk(columns, len(columns[0]))
            return
        rows, place = grouped(columns)
        last = torch.zeros(len(rows[0]), dtype=torch.int64, device=place.device)
        last.scatter_reduce_(0, place, torch.arange(len(place), device=place.device), "amax", include_self=False)
        self.known = Chunk(rows, len(rows[0]), weight[last])


def _weights(weights: list[float | Tensor], device: torch.device) -> Tensor:
    """Weights that learn keep their gradients."""
    if any(isinstance(weight, Tensor) for weight in weights):
        parts = [torch.as_tensor(weight, dtype=torch.float32, device=device).reshape(()) for weight in weights]
        return torch.stack([part.to(torch.float32) for part in parts])
    return torch.tensor(weights, dtype=torch.float32, device=device)
