"""log(softmax(x)) and log(sum(exp(x))) as the operations that neither overflow nor lose what is small."""

from tensorlogic.ir.ir import Const, Module, Op
from tensorlogic.passes.emission import Emission
from tensorlogic.passes.patterns import Reader, constant, is_builtin, is_off, rank_of, rewritten
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Bool, Int, List


def recognize_logarithms(module: Module) -> Module:
    return rewritten(module, _stable)


def _stable(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    inner = reader.only(op.args[0]) if is_builtin(op, "log") else None
    if inner is None:
        return None
    emission = Emission(op)
    if is_builtin(inner, "softmax"):
        emission.builtin("log_softmax", inner.args, op.results[0].type)
        return emission.finished(), (inner,)
    exponentials = reader.only(inner.args[0]) if is_builtin(inner, "sum") else None
    if exponentials is None or not is_builtin(exponentials, "exp"):
        return None
    value = exponentials.args[0]
    axes = _axes(inner, rank_of(value))
    if axes is None:
        return None
    emission.builtin("logsumexp", (value, axes, Const(False, Bool(False))), op.results[0].type, 1)
    return emission.finished(), (inner, exponentials)


def _axes(op: Op, rank: int) -> Const | None:
    """The axes of a sum without `keepdim`, as a list."""
    if rank < 1 or not all(map(is_off, op.args[2:])):
        return None
    found = constant(op.args[1]) if len(op.args) > 1 else tuple(range(rank))
    axes = found if isinstance(found, tuple) else (found,)
    if not all(isinstance(axis, int) for axis in axes):
        return None
    return Const(axes, List(Int(), tuple(Int(Dim.const(int(axis))) for axis in axes)))  # type: ignore[call-overload]
