"""`logsumexp[y](A[x, y] + B[y, z])`: a contraction in logarithms, without the tensor over x, y and z."""

from tensorlogic.ir.ir import Module, Op
from tensorlogic.passes.emission import Emission, broadcast
from tensorlogic.passes.patterns import Reader, constant, dtype_of, is_binary, is_builtin, is_float, is_off, rewritten, shape_of


def contract_logarithms(module: Module) -> Module:
    return rewritten(module, _contracted)


def _contracted(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    """A sum that is larger than both of its sides, and that only the `logsumexp` reads."""
    if not is_builtin(op, "logsumexp"):
        return None
    value, axes, *kept = op.args
    axis, inner = constant(axes), reader.only(value)
    if not all(map(is_off, kept)) or not isinstance(axis, int) or inner is None or not is_binary(inner, "+"):
        return None
    left, right = inner.args
    if not is_float(left) or dtype_of(left) != dtype_of(right):
        return None
    sizes = shape_of(left), shape_of(right)
    if not sizes[0] or not sizes[1] or broadcast(sizes[0], sizes[1]) in sizes:
        return None
    emission = Emission(op)
    emission.builtin("logsumexp_of_sum", (left, right, axes), op.results[0].type)
    return emission.finished(), (inner,)
