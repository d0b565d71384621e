"""Builtins of linear algebra: diagonals, inverses, solutions of equations, factors of matrices."""

from tensorlogic.stdlib.costs import NEW, PART, Call, Cost, product
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.precise import precise
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, Type


@builtin("trace<T: float>(x: T[N, M]) -> T[]", "trace<T: int>(x: T[N, M]) -> int64[]", cost=Cost("N", keeps=""))
def trace(x):
    """The sum of the diagonal. See torch.trace."""
    return torch.trace(x)


@builtin("diag<T: any>(x: T[...S], diagonal: int = 0) -> T[...diag(S, diagonal)]", cost=PART)
def diag(x, diagonal=0):
    """A matrix with a vector on its diagonal, or the diagonal of a matrix. See torch.diag."""
    return torch.diag(x, diagonal)


@builtin("diagonal<T: any>(x: T[...S], offset: int = 0, dim1: int = 0, dim2: int = 1) -> T[...diagonal(S, offset, dim1, dim2)]", cost=PART)
def diagonal(x, offset=0, dim1=0, dim2=1):
    """The diagonal of two axes, as the last axis. See torch.diagonal."""
    return torch.diagonal(x, offset, dim1, dim2)


@builtin("diag_embed<T: any>(x: T[...B, N]) -> T[...B, N, N]", cost=NEW)
def diag_embed(x):
    """Matrices with the vectors of the last axis on their diagonals. See torch.diag_embed."""
    return torch.diag_embed(x)


@builtin("inverse<T: float>(x: T[...B, N, N]) -> T[...B, N, N]", infer=precise, cost=Cost("2 * B * N * N * N", keeps="result"))
def inverse(x):
    """The inverse matrix. See torch.linalg.inv."""
    return torch.linalg.inv(x)


@builtin("pinverse<T: float>(x: T[...B, N, M]) -> T[...B, M, N]", infer=precise, cost=Cost("20 * B * N * M * M", keeps="x result"))
def pinverse(x):
    """The pseudo-inverse. See torch.linalg.pinv."""
    return torch.linalg.pinv(x)


@builtin(
    "det<T: float>(x: T[...B, N, N]) -> T[...B]", infer=precise, cost=Cost("2 * B * N * N * N // 3", keeps="x result", extra="x * item")
)
def det(x):
    """The determinant. See torch.linalg.det."""
    return torch.linalg.det(x)


@builtin("logdet<T: float>(x: T[...B, N, N]) -> T[...B]", infer=precise, cost=Cost("2 * B * N * N * N // 3", keeps="x", extra="x * item"))
def logdet(x):
    """The logarithm of the determinant. See torch.logdet."""
    return torch.logdet(x)


@builtin(
    "slogdet<T: float>(x: T[...B, N, N]) -> (T[...B], T[...B])",
    infer=precise,
    cost=Cost("2 * B * N * N * N // 3", keeps="x result", extra="x * item"),
)
def slogdet(x):
    """The sign of the determinant and the logarithm of its size. See torch.linalg.slogdet."""
    return torch.linalg.slogdet(x)


@builtin(
    "solve<T: float>(a: T[...A, N, N], b: T[...B]) -> T[...solved(A, N, B)]",
    infer=precise,
    cost=Cost("2 * A * N * N * N // 3 + 2 * result * N", keeps="a result", extra="a * item"),
)
def solve(a, b):
    """The x with `a @ x == b`, for vectors or matrices `b`. See torch.linalg.solve."""
    return torch.linalg.solve(a, b)


@builtin(
    "lstsq<T: float>(a: T[...B, N, M], b: T[...B, N, K]) -> T[...B, M, K]",
    infer=precise,
    cost=Cost("2 * B * N * M * (M + K)", keeps="a b result"),
)
def lstsq(a, b):
    """The x with the least squares of `a @ x - b`. See torch.linalg.lstsq."""
    return torch.linalg.lstsq(a, b).solution


@builtin(
    "solve_triangular<T: float>(a: T[...A, N, N], b: T[...B, N, K], upper: bool) -> T[...batches(A, B), N, K]",
    infer=precise,
    cost=Cost("result * N", keeps="a result"),
)
def solve_triangular(a, b, upper):
    """The x with `a @ x == b` for a triangular `a`. See torch.linalg.solve_triangular."""
    return torch.linalg.solve_triangular(a, b, upper=upper)


@builtin("cholesky<T: float>(x: T[...B, N, N]) -> T[...B, N, N]", infer=precise, cost=Cost("B * N * N * N // 3", keeps="result"))
def cholesky(x):
    """The lower triangle L with `L @ L.T == x`. See torch.linalg.cholesky."""
    return torch.linalg.cholesky(x)


@builtin(
    "qr<T: float>(x: T[...B, N, M]) -> (T[...B, N, min(N, M)], T[...B, min(N, M), M])",
    infer=precise,
    cost=Cost("4 * B * N * M * M", keeps="results"),
)
def qr(x):
    """Orthogonal Q and upper triangle R with `Q @ R == x`. See torch.linalg.qr."""
    return torch.linalg.qr(x)


@builtin(
    "svd<T: float>(x: T[...B, N, M]) -> (T[...B, N, min(N, M)], T[...B, min(N, M)], T[...B, min(N, M), M])",
    infer=precise,
    cost=Cost("20 * B * N * M * M", keeps="results"),
)
def svd(x):
    """U, S, Vh with `U @ diag(S) @ Vh == x`, the reduced form. See torch.linalg.svd."""
    return torch.linalg.svd(x, full_matrices=False)


@builtin(
    "svdvals<T: float>(x: T[...B, N, M]) -> T[...B, min(N, M)]",
    infer=precise,
    cost=Cost("4 * B * N * M * M", keeps="result", extra="2 * x * item"),
)
def svdvals(x):
    """The singular values. See torch.linalg.svdvals."""
    return torch.linalg.svdvals(x)


@builtin("eigh<T: float>(x: T[...B, N, N]) -> (T[...B, N], T[...B, N, N])", infer=precise, cost=Cost("9 * B * N * N * N", keeps="results"))
def eigh(x):
    """Eigenvalues and eigenvectors of a symmetric matrix. See torch.linalg.eigh."""
    return torch.linalg.eigh(x)


@builtin(
    "eigvalsh<T: float>(x: T[...B, N, N]) -> T[...B, N]",
    infer=precise,
    cost=Cost("4 * B * N * N * N // 3", keeps="result", extra="x * item"),
)
def eigvalsh(x):
    """Eigenvalues of a symmetric matrix. See torch.linalg.eigvalsh."""
    return torch.linalg.eigvalsh(x)


def _powered(call: Call) -> Dim:
    """By squaring: a product for each bit of the power but the first, and one for each further bit that is set."""
    n = call.value("n")
    steps = abs(n).bit_length() + abs(n).bit_count() - 2 if isinstance(n, int) and n else 0
    return call.size("B") * call.size("N") * call.size("N") * call.size("N") * 2 * steps


def _powers(call) -> Type | None:
    """Negative powers are those of the inverse."""
    n = call.types["n"]
    negative = isinstance(n, Int) and n.value is not None and n.value.value is not None and n.value.value < 0
    return precise(call) if negative else call.result


@builtin("matrix_power<T: float>(x: T[...B, N, N], n: int) -> T[...B, N, N]", infer=_powers, cost=product(_powered, keeps="x"))
def matrix_power(x, n):
    """`x @ x @ ...`, n times. See torch.linalg.matrix_power."""
    return torch.linalg.matrix_power(x, n)


@builtin("matrix_exp<T: float>(x: T[...B, N, N]) -> T[...B, N, N]", cost=Cost("40 * B * N * N * N", keeps="x"))
def matrix_exp(x):
    """The exponential of a matrix. See torch.linalg.matrix_exp."""
    return torch.linalg.matrix_exp(x)


@builtin("matrix_rank<T: float>(x: T[...B, N, M]) -> int64[...B]", infer=precise, cost=Cost("4 * B * N * M * M", keeps=""))
def matrix_rank(x):
    """The rank of a matrix. See torch.linalg.matrix_rank."""
    return torch.linalg.matrix_rank(x)
