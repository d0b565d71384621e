"""-(y log softmax(z)) and -log_softmax(z)[b, y[b]], with their sums and means, as the cross entropy of the library."""

from dataclasses import replace

from tensorlogic.ir.ir import Const, Module, Omitted, Op, Operand
from tensorlogic.passes.emission import Emission, number, sizes_of
from tensorlogic.passes.patterns import Axes, Reader, constant, dtype_of, is_builtin, rank_of, rewritten, shape_of
from tensorlogic.record import record
from tensorlogic.types.types import String, Tensor

NO_CLASS = -(2**63)  # what is ignored: nothing
HARD, SOFT = 2, 3  # overloads of `cross_entropy`: the targets are classes, or a probability for each


@record
class Loss:
    """A cross entropy, or the negative of one. The last axis of `axes` is that of the classes; `inner` are the operations that go."""

    logits: tuple[Operand, Axes]
    targets: tuple[Operand, Axes]
    axes: Axes
    kind: int
    reduction: str
    negative: bool
    inner: tuple[Op, ...]


def recognize_cross_entropy(module: Module) -> Module:
    return rewritten(module, _cross_entropy)


def _cross_entropy(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    loss = _loss(reader, op)
    if loss is None:
        return None
    emission = Emission(op)
    logits = emission.permuted(*loss.logits, loss.axes)
    targets = emission.permuted(*loss.targets, loss.axes if loss.kind == SOFT else loss.axes[:-1])
    if loss.kind == HARD:
        targets = _from_start(emission, targets, emission.size(logits, len(loss.axes) - 1))
    rows = sizes_of(logits)[:-1] if loss.reduction == "none" else ()
    kind = 0 if loss.kind == HARD and len(loss.axes) == 2 else loss.kind
    settings = (Omitted(), number(NO_CLASS), Omitted()) if loss.kind == HARD else (Omitted(),)
    reduction = Const(loss.reduction, String(loss.reduction))
    value = emission.builtin("cross_entropy", (logits, targets, *settings, reduction), Tensor(dtype_of(logits), rows), kind)
    if loss.negative:
        emission.builtin("neg", (value,), value.type)
    return emission.finished(), loss.inner


def _from_start(emission: Emission, targets: Operand, classes: Operand) -> Operand:
    """The classes as the loss takes them: an index may also count from the end, with -1 for the last one."""
    shape = sizes_of(targets)
    behind = emission.result("binary", (targets, number(0)), Tensor("bool", shape), op="<")
    turned = emission.result("binary", (targets, classes), Tensor(dtype_of(targets), shape), op="+")
    return emission.elementwise("where", behind, turned, targets)


def _loss(reader: Reader, op: Op | None) -> Loss | None:
    """What an operation is, down to the logits, as far as nothing else reads what is between."""
    if op is None:
        return None
    if is_builtin(op, "neg"):
        found = _loss(reader, reader.only(op.args[0]))
        return None if found is None else replace(found, negative=not found.negative, inner=(*found.inner, op))
    if is_builtin(op, "sum", "mean") and _is_whole(op):
        found = _loss(reader, reader.only(op.args[0]))
        if found is None or found.reduction != "none":
            return None
        return replace(found, reduction=str(op.attrs["name"]), inner=(*found.inner, op))
    return _soft(reader, op) or _hard(reader, op)


def _is_whole(op: Op) -> bool:
    """Whether it reduces all axes."""
    rank = rank_of(op.args[0])
    axes = constant(op.args[1]) if len(op.args) > 1 else tuple(range(rank))
    return rank > 0 and rank_of(op.results[0]) == 0 and len(axes if isinstance(axes, tuple) else (axes,)) == rank


def _soft(reader: Reader, op: Op) -> Loss | None:
    """A product of probabilities and of logarithms of a softmax, summed over the classes or over everything."""
    product = reader.product(op)
    if product is None or set(product.left[1]) != set(product.right[1]):
        return None
    for (logarithms, axes), targets in ((product.left, product.right), (product.right, product.left)):
        soft = reader.only(logarithms)
        at = constant(soft.args[1]) if soft is not None and is_builtin(soft, "log_softmax") else None
        if soft is None or not isinstance(at, int):
            continue
        classes = axes[at % len(axes)]
        rows = tuple(axis for axis in axes if axis != classes)
        if product.axes and set(product.axes) != set(rows):
            return None
        order = product.axes or rows
        logits = reader.unturned(soft.args[0], axes)
        return Loss(logits, reader.unturned(*targets), (*order, classes), SOFT, "none" if product.axes else "sum", True, (op, soft))
    return None


def _hard(reader: Reader, op: Op) -> Loss | None:
    """The logarithms at one class for each row: `index` with 0, 1, 2, ... along all axes but the last, and integers for that one."""
    soft = reader.only(op.args[0]) if op.code == "index" else None
    if soft is None or not is_builtin(soft, "log_softmax"):
        return None
    logits, targets = soft.args[0], op.args[-1]
    rank = rank_of(logits)
    shape = shape_of(logits)
    if shape is None or rank < 2 or len(op.args) != rank + 1 or constant(soft.args[1]) not in (-1, rank - 1):
        return None
    lines = [reader.line(operand, rank - 1) for operand in op.args[1:-1]]
    if lines != list(range(rank - 1)) or shape_of(targets) != shape[:-1] or dtype_of(targets) != "int64":
        return None
    axes = tuple(range(rank))
    return Loss((logits, axes), (targets, axes[:-1]), axes, HARD, "none", True, (op, soft))
