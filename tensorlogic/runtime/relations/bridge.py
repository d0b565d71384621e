"""From relations to tensors and back."""

import torch
from torch import Tensor

from tensorlogic.runtime.relations.memory import require
from tensorlogic.runtime.relations.table import Chunk

MISSING = {"min": float("inf")}


def dense(chunk: Chunk, sizes: list[int], semiring: str, device: torch.device) -> Tensor:
    """float32 over the entity types: the weights of the facts, 1 without weights; what is no fact is 0, under `min=` infinite."""
    count = 1
    for size in sizes:
        count *= size
    require(4 * count, lambda: f"the tensor {' x '.join(map(str, sizes))} of a relation", device)
    found = torch.full(sizes, MISSING.get(semiring, 0.0), device=device)
    weight = chunk.weight if chunk.weight is not None else torch.ones(chunk.count, device=device)
    if not sizes:
        return weight.sum()
    return found.index_put(chunk.columns, weight.to(torch.float32)) if chunk.count else found


def rows_of(tensor: Tensor, weighted: bool) -> Chunk:
    """The places that are not zero; all of them where their weights learn, for a zero may become more."""
    chosen = torch.ones_like(tensor, dtype=torch.bool) if weighted and tensor.requires_grad else tensor != 0
    places = chosen.nonzero(as_tuple=True)
    return Chunk(places, len(places[0]) if places else 1, tensor[places] if weighted else None)


def embed(relation: Tensor, embedding: Tensor) -> Tensor:
    """`R[i, j] = r[x, y] E[x, i] E[y, j]`: a relation [N, N] in the space of embeddings [N, D], D x D."""
    return embedding.transpose(0, 1) @ relation.to(embedding.dtype) @ embedding


def apply(relation: Tensor, embedding: Tensor, temperature: float | None = None) -> Tensor:
    """`S[x, y] = R[i, j] E[x, i] E[y, j]`; with a temperature `sigmoid((S - 1/2) / T)`, at 0 its limit `S > 1/2` as 0 and 1."""
    scores = embedding @ relation @ embedding.transpose(0, 1)
    if temperature is None:
        return scores
    if temperature == 0:
        return (scores > 0.5).to(scores.dtype)
    return torch.sigmoid((scores - 0.5) / temperature)
