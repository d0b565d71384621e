"""Builtins of products: matmul, linear, einsum, embedding, and products of vectors and batches."""

from tensorlogic.stdlib.costs import Cost, contraction, each, over, product
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dtypes import QUANTIZED, is_float
from tensorlogic.types.mistakes import DTypeKind, DTypeMismatch, RankMismatch, WrongType
from tensorlogic.types.shapes_base import equal
from tensorlogic.types.shapes_einsum import einsum as einsum_shape
from tensorlogic.types.types import AnyTensor, List, String, Tensor, Tuple, Type


@builtin("matmul<T: number>(a: T[...A], b: T[...B]) -> T[...matmul(A, B)]", cost=product("2 * result * last(a)"))
def matmul(a, b):
    """The matrix product, also written `a @ b`. See torch.matmul."""
    return torch.matmul(a, b)


def _matrix(call, name: str) -> Tensor | None:
    """The quantized matrix [O, I] of the last overload, which takes nothing else."""
    given, others = call.types[name], [type_ for type_ in call.types.values() if isinstance(type_, Tensor)]
    if isinstance(given, Tensor) and given.dtype in QUANTIZED:
        if len(given.shape) == 2:
            return given
        call.need.fail(RankMismatch(f"the quantized `{name}`", "2", given))
    elif isinstance(given, Tensor) and isinstance(given.dtype, str) and not is_float(given.dtype):
        call.need.fail(DTypeKind(f"`{name}`", "float", given.dtype))
    elif len(others) > 1 and isinstance(call.result, AnyTensor):
        call.need.fail(WrongType(f"`{name}`", "a matrix", given))
    return None


def _linear(call) -> Type | None:
    x, w = call.types["x"], _matrix(call, "w")
    if w is None or not isinstance(x, Tensor):
        return call.result
    if not equal(call.need, "the inner sizes", x.shape[-1], w.shape[1]):
        return None
    return Tensor(x.dtype, (*x.shape[:-1], w.shape[0]))


def _embedding(call) -> Type | None:
    ids, weight = call.types["ids"], _matrix(call, "weight")
    return Tensor("float32", (*ids.shape, weight.shape[1])) if weight is not None and isinstance(ids, Tensor) else call.result


@builtin(
    "linear<T: float>(x: T[...B, I], w: T[O, I]) -> T[...B, O]",
    "linear<T: float>(x: T[...B, I], w: T[O, I], b: T[...C]) -> T[...biased(B, O, C)]",
    "linear<T: float>(x: T[...B, I], w: T[I]) -> T[...B]",
    "linear<T: float>(x: T[...B, I], w: Tensor, b: T[O] = none) -> Tensor",
    infer=_linear,
    cost=product("2 * result * last(x)", keeps="x w"),
)
def linear(x, w, b=None):
    """Affine map of the last axis: `x @ w.T + b`. See torch.nn.functional.linear."""
    return torch.nn.functional.linear(x, w, b)


@builtin(
    "bilinear<T: float>(x: T[...B, I], y: T[...B, J], w: T[O, I, J], b: T[O] = none) -> T[...B, O]",
    cost=product("2 * B * (O * I * J + O * J)", keeps="x y w"),
)
def bilinear(x, y, w, b=None):
    """`x^T w y + b` for each output. See torch.nn.functional.bilinear."""
    return torch.nn.functional.bilinear(x, y, w, b)


@builtin(
    "embedding<T: float>(ids: int64[...B], weight: T[V, D]) -> T[...B, D]",
    "embedding<T: float>(ids: int32[...B], weight: T[V, D]) -> T[...B, D]",
    "embedding(ids: int64[...B], weight: Tensor) -> Tensor",
    infer=_embedding,
    cost=Cost("0", memory="copy", keeps="ids"),
)
def embedding(ids, weight):
    """The rows of `weight` that the ids name. See torch.nn.functional.embedding."""
    return torch.nn.functional.embedding(ids, weight)


def _contracted(call) -> Type | None:
    text, given = call.types["equation"], call.types["operands"]
    items = given.items if isinstance(given, Tuple | List) else None
    if not isinstance(text, String) or text.value is None or items is None:
        return None
    for item in items:
        if not isinstance(item, Tensor | AnyTensor):
            call.need.fail(WrongType("an operand of `einsum`", "a tensor", item))
            return None
    tensors = tuple(item for item in items if isinstance(item, Tensor))
    if len(tensors) < len(items):
        return None
    other = next((t for t in tensors if t.dtype != tensors[0].dtype), None)
    if other is not None:
        call.need.fail(DTypeMismatch("the operands of `einsum`", tensors[0].dtype, other.dtype))
        return None
    shape = einsum_shape(call.need, text.value, tuple(t.shape for t in tensors))
    return None if shape is None else Tensor(tensors[0].dtype, shape)


@builtin("einsum(equation: string, operands: Many<any>) -> Tensor", infer=_contracted, cost=product(contraction))
def einsum(equation, *operands):
    """Sums of products by an equation such as "ij,jk->ik". See torch.einsum."""
    return torch.einsum(equation, *operands)


@builtin("outer<T: number>(a: T[N], b: T[M]) -> T[N, M]", cost=each())
def outer(a, b):
    """All products of two vectors. See torch.outer."""
    return torch.outer(a, b)


@builtin("dot<T: number>(a: T[N], b: T[N]) -> T[]", cost=product("2 * N"))
def dot(a, b):
    """The inner product of two vectors. See torch.dot."""
    return torch.dot(a, b)


@builtin("mm<T: number>(a: T[N, K], b: T[K, M]) -> T[N, M]", cost=product("2 * N * K * M"))
def mm(a, b):
    """The product of two matrices. See torch.mm."""
    return torch.mm(a, b)


@builtin("mv<T: number>(a: T[N, K], b: T[K]) -> T[N]", cost=product("2 * N * K"))
def mv(a, b):
    """A matrix times a vector. See torch.mv."""
    return torch.mv(a, b)


@builtin("bmm<T: number>(a: T[B, N, K], b: T[B, K, M]) -> T[B, N, M]", cost=product("2 * B * N * K * M"))
def bmm(a, b):
    """Products of matrices, batch by batch. See torch.bmm."""
    return torch.bmm(a, b)


@builtin("addmm<T: number>(c: T[...C], a: T[N, K], b: T[K, M]) -> T[...into(C, N, M)]", cost=product("2 * N * K * M", keeps="a b"))
def addmm(c, a, b):
    """`c + a @ b`. See torch.addmm."""
    return torch.addmm(c, a, b)


@builtin(
    "baddbmm<T: number>(c: T[...C], a: T[B, N, K], b: T[B, K, M]) -> T[...into(C, B, N, M)]", cost=product("2 * B * N * K * M", keeps="a b")
)
def baddbmm(c, a, b):
    """`c + a @ b`, batch by batch. See torch.baddbmm."""
    return torch.baddbmm(c, a, b)


@builtin("kron<T: number>(a: T[...A], b: T[...B]) -> T[...cross(A, B)]")
def kron(a, b):
    """The Kronecker product. See torch.kron."""
    return torch.kron(a, b)


@builtin("cross<T: number>(a: T[...A], b: T[...B], dim: int = -1) -> T[...triples(A, B, dim)]", cost=each(3))
def cross(a, b, dim=-1):
    """The vector product in three dimensions. See torch.linalg.cross."""
    return torch.linalg.cross(a, b, dim=dim)


@builtin(
    "cdist<T: float>(a: T[...A], b: T[...B], p: float = 2.0) -> T[...distances(A, B)]",
    cost=Cost("3 * result * last(a)", keeps="a b result"),
)
def cdist(a, b, p=2.0):
    """Distances between all rows of `a` and all rows of `b`. See torch.cdist."""
    return torch.cdist(a, b, p=p)


@builtin(
    "cosine_similarity<T: float>(a: T[...A], b: T[...B], dim: int = 1, eps: float = 1e-8) -> T[...cosine(A, B, dim)]",
    cost=over("a", 6, keeps="a b"),
)
def cosine_similarity(a, b, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along an axis. See torch.nn.functional.cosine_similarity."""
    return torch.nn.functional.cosine_similarity(a, b, dim=dim, eps=eps)


@builtin(
    "pairwise_distance<T: float>(a: T[...A], b: T[...B], p: float = 2.0) -> T[...apart(A, B)]",
    cost=over("a", 3, keeps="result", extra="a * item"),
)
def pairwise_distance(a, b, p=2.0):
    """Distances between vectors of the last axis. See torch.nn.functional.pairwise_distance."""
    return torch.nn.functional.pairwise_distance(a, b, p=p)
