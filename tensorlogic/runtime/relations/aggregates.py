"""`count sum min max mean` over groups of rows."""

from collections.abc import Mapping

import torch
from torch import Tensor

from tensorlogic.runtime.relations.body import Frame
from tensorlogic.runtime.relations.domain import Domain
from tensorlogic.runtime.relations.keys import distinct, grouped
from tensorlogic.runtime.relations.numbers import encoded
from tensorlogic.runtime.relations.table import Chunk
from tensorlogic.runtime.relations.terms import Aggregate


def grouped_values(
    domain: Domain,
    aggregate: Aggregate,
    group: tuple[str, ...],
    names: tuple[str, ...],
    types: Mapping[str, str],
    frames: list[Frame],
    device: torch.device,
) -> Chunk:
    """A row for each group with rows: its variables, then the result. `names` are the columns that make rows of `frames` different."""
    if not frames:
        empty = torch.zeros(0, dtype=torch.int64, device=device)
        return Chunk((empty,) * (len(group) + 1), 0)
    columns = distinct(tuple(torch.cat([frame.columns[name] for frame in frames]) for name in names))
    by_name = dict(zip(names, columns, strict=True))
    if group:
        keys, place = grouped(tuple(by_name[name] for name in group))
        count = len(keys[0])
    else:
        keys, place, count = (), torch.zeros_like(columns[0]), 1
    kind = types[aggregate.result]
    values = _values(domain, aggregate, by_name[aggregate.value], types[aggregate.value], place, count)
    return Chunk((*keys, encoded(domain, kind, values) if kind in ("float", "int") else values), count)


def _values(domain: Domain, aggregate: Aggregate, column: Tensor, kind: str, place: Tensor, count: int) -> Tensor:
    sizes = torch.bincount(place, minlength=count)
    if aggregate.op == "count":
        return sizes
    numbers = domain.numbers(kind, column) if kind == "float" else column
    if aggregate.op in ("min", "max"):
        found = torch.zeros(count, dtype=numbers.dtype, device=numbers.device)
        return found.scatter_reduce(0, place, numbers, f"a{aggregate.op}", include_self=False)
    total = torch.zeros(count, dtype=numbers.dtype, device=numbers.device).index_add(0, place, numbers)
    return total if aggregate.op == "sum" else total.to(torch.float64) / sizes
