"""Builtins of relations as tensors: reasoning in the space of embeddings."""

from tensorlogic.stdlib.costs import product
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin(
    "embed<T: float, U: float>(relation: T[N, N], embedding: U[N, D]) -> U[D, D]",
    cost=product("2 * N * N * D + 2 * N * D * D", extra="N * D * item"),
)
def embed(relation, embedding):
    """A relation in the space of embeddings: `R[i, j] = r[x, y] E[x, i] E[y, j]`. `apply` reads it back."""
    return runtime.relations.embed(relation, embedding)


@builtin(
    "apply<T: float>(relation: T[D, D], embedding: T[N, D], temperature: float = none) -> T[N, N]",
    cost=product("2 * N * D * D + 2 * N * N * D", extra="N * D * item"),
)
def apply(relation, embedding, temperature=None):
    """An embedded relation over its entities: `S[x, y] = R[i, j] E[x, i] E[y, j]`, or `sigmoid((S - 1/2) / temperature)`.

    At temperature 0.0 that is deduction: 1 where `S > 1/2`, else 0.
    """
    return runtime.relations.apply(relation, embedding, temperature)
