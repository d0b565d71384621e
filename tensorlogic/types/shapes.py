"""Shape rules of arithmetic, products and reductions; the table of all shape functions that signatures may name."""

from tensorlogic.types import shapes_index, shapes_layout, shapes_operands, shapes_resample, shapes_windows
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import BadArgument, EmptySlice, IndexOutOfRange, RankMismatch, WrongType
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import (
    ONE,
    SHAPE_FUNCTIONS,
    argument,
    axes_of,
    axis_of,
    count,
    divides,
    equal,
    is_known,
    is_one,
    omitted,
    replaced,
    shape_function,
)
from tensorlogic.types.shapes_broadcast import batch_broadcast, broadcast, broadcasts_into
from tensorlogic.types.types import Int, Segment, Shape, ShapeItem

TWO = Dim.const(2)
__all__ = ["SHAPE_FUNCTIONS", "argument", "axis_of", "broadcast", "matmul", "reduce", "shapes_index", "shapes_layout", "shapes_operands",
           "shapes_resample", "shapes_windows"]  # fmt: skip


@shape_function
def matmul(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """`left @ right` with PyTorch's rules: vectors, matrices, batches of matrices."""
    for side, shape in (("left", left), ("right", right)):
        if not shape:
            need.fail(RankMismatch(f"the {side} operand of `@`", "at least 1", shape))
            return None
    if len(right) == 1 and is_known(right):
        return left[:-1] if _inner(need, left[-1], right[-1]) else None
    if len(right) < 2 or isinstance(right[-2], Segment) or isinstance(right[-1], Segment):
        return None
    if not _inner(need, left[-1], right[-2]):
        return None
    if len(right) == 2:
        return (*left[:-1], right[-1])
    if len(left) == 1:
        return (*right[:-2], right[-1])
    if isinstance(left[-2], Segment):
        return None
    batch = batch_broadcast(need, left[:-2], right[:-2])
    return None if batch is None else (*batch, left[-2], right[-1])


def _inner(need: Obligations, left: ShapeItem, right: ShapeItem) -> bool:
    return equal(need, "the inner sizes", left, right)


@shape_function
def reduce(need: Obligations, shape: Shape, dim: object, keepdim: object) -> Shape | None:
    """Without the axes `dim` (an axis, several, or all if omitted or none is named), or with ones in their place."""
    if keepdim is None:
        return None
    keep = keepdim is True
    if omitted(dim) or dim == ():
        return _all_reduced(shape, keep)
    if shape == () and all(isinstance(d, Dim) and d.value in (0, -1) for d in (dim if isinstance(dim, tuple) else (dim,))):
        return ()
    positions = axes_of(shape, dim, need)
    if positions is None:
        return None
    if keep:
        return tuple(ONE if i in positions else item for i, item in enumerate(shape))
    return tuple(item for i, item in enumerate(shape) if i not in positions)


@shape_function
def holds_along(need: Obligations, shape: Shape, dim: object, keepdim: object) -> Shape | None:
    """As `reduce`; an empty list of axes leaves each element by itself: any, all."""
    return shape if dim == () else reduce(need, shape, dim, keepdim)


@shape_function
def chosen(need: Obligations, shape: Shape, dim: object, keepdim: object) -> Shape | None:
    """As `reduce`, of axes that have an element to choose: max, argmin, median."""
    some = shape if omitted(dim) or dim == () or (not shape) else _named(need, shape, dim)
    total = count(some) if some is not None else None
    if total is not None:
        need.require(Rel(">=", total, ONE), lambda _: EmptySlice("what an element is chosen from", total), certain=True)
    return reduce(need, shape, dim, keepdim) if not need.mistakes else None


def _named(need: Obligations, shape: Shape, dim: object) -> Shape | None:
    positions = axes_of(shape, dim, need)
    return None if positions is None else tuple(shape[p] for p in positions)


def _all_reduced(shape: Shape, keep: bool) -> Shape | None:
    if not keep:
        return ()
    return (ONE,) * len(shape) if is_known(shape) else None


@shape_function
def along(need: Obligations, shape: Shape, dim: object) -> Shape | None:
    """The same shape, with the axis or axes checked: softmax, cumsum, flip."""
    if omitted(dim) or (shape == () and isinstance(dim, Dim) and dim.value in (0, -1)):
        return shape
    before = len(need.mistakes)
    axes_of(shape, dim, need)
    return shape if len(need.mistakes) == before else None


@shape_function
def broadcast3(need: Obligations, condition: Shape, left: Shape, right: Shape) -> Shape | None:
    """Three operands: where."""
    both = broadcast(need, left, right)
    return broadcast(need, condition, both) if both is not None else None


@shape_function
def halved(need: Obligations, shape: Shape, dim: Dim | None) -> Shape | None:
    """One axis half as long: glu."""
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    size = shape[position]
    if not isinstance(size, Dim) or not divides(need, TWO, size):
        return None
    return replaced(shape, position, size.exact_div(TWO))


@shape_function
def drop(need: Obligations, shape: Shape, dim: object) -> Shape | None:
    """Without the axes `dim`."""
    return reduce(need, shape, dim, False)


@shape_function
def trailing(need: Obligations, shape: Shape, sizes: object) -> Shape | None:
    """The same shape; its last dims must be the sizes given: layer_norm."""
    if sizes == ():
        need.fail(BadArgument("TL0306", "the list of normalized sizes is empty"))
        return None
    if not isinstance(sizes, tuple) or not is_known(shape[-len(sizes) :]):
        return shape
    if len(sizes) > len(shape) and is_known(shape):
        need.fail(RankMismatch("the normalized sizes", f"at most {len(shape)} of them", shape))
        return None
    pairs = zip(shape[-len(sizes) :], sizes, strict=False)
    fits = all(equal(need, "the normalized sizes", item, size) for item, size in pairs if size is not None)
    return shape if fits else None


@shape_function
def cross(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """Kronecker product: sizes multiply, aligned from the right."""
    if not (is_known(left) and is_known(right)):
        return None
    rank = max(len(left), len(right))
    padded = [(ONE,) * (rank - len(s)) + s for s in (left, right)]
    return tuple(a * b for a, b in zip(*padded, strict=True) if isinstance(a, Dim) and isinstance(b, Dim))


@shape_function
def distances(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """[..., P, M] and [..., R, M] give [..., P, R]: cdist."""
    if len(left) < 2 or len(right) < 2:
        need.fail(RankMismatch("`cdist`", "at least 2", left if len(left) < 2 else right))
        return None
    if not equal(need, "the last sizes", left[-1], right[-1]):
        return None
    batch = batch_broadcast(need, left[:-2], right[:-2])
    return None if batch is None else (*batch, left[-2], right[-2])


@shape_function
def masked(need: Obligations, batch: Shape, heads: Dim, queries: Dim, keys: Dim, mask: Shape) -> Shape | None:
    """The batch dims of attention; the mask must broadcast into [...batch, heads, queries, keys]."""
    if is_known(mask) and len(mask) < 2:
        need.fail(RankMismatch("the mask", "at least 2", mask))
        return None
    return batch if broadcasts_into(need, "the mask", mask, (*batch, heads, queries, keys)) else None


@shape_function
def ranked(need: Obligations, shape: Shape, k: Dim | None, dim: Dim | None, keepdim: object) -> Shape | None:
    """Without an axis that has at least `k` elements: kthvalue."""
    if k is not None:
        need.require(Rel(">=", k, ONE), lambda _: IndexOutOfRange(f"`k` = {k}", ONE), certain=True)
    shapes_index.first(need, shape, dim, k)
    return None if need.mistakes else reduce(need, shape, dim, keepdim)


@shape_function
def selected(need: Obligations, shape: Shape, mask: Shape) -> Shape:
    """As many elements as a mask that broadcasts has true ones."""
    broadcast(need, shape, mask)
    return (Dim.fresh(),)


@shape_function
def triples(need: Obligations, left: Shape, right: Shape, dim: Dim | None) -> Shape | None:
    """Two operands with as many dims that broadcast, with three elements along an axis: cross."""
    if is_known(left) and is_known(right) and len(left) != len(right):
        need.fail(RankMismatch("the right operand of a cross product", str(len(left)), right))
        return None
    for shape in (left, right):
        position = axis_of(shape, dim, need)
        if position is not None:
            equal(need, "the axis of a cross product", shape[position], Dim.const(3))
    return batch_broadcast(need, left, right) if not need.mistakes else None


@shape_function
def channelwise(need: Obligations, shape: Shape, weights: Shape) -> Shape | None:
    """The same shape; one weight, or one for each channel: prelu."""
    if len(weights) > 1:
        need.fail(RankMismatch("the weight", "0 or 1", weights))
        return None
    if not weights or is_one(need, weights[0]) or not is_known(shape):
        return shape
    channels = shape[1] if len(shape) > 1 else ONE
    return shape if equal(need, "the number of weights", channels, weights[0]) else None


@shape_function
def spatial(need: Obligations, others: Dim, sizes: Shape, training: object = True) -> Shape:
    """The same sizes; with the `others` of a channel there is more than one element, else it has no variance: instance_norm,
    group_norm, batch_norm while training."""
    total = count((others, *sizes))
    if total is not None and training is True:
        few = BadArgument("TL0310", "a mean and variance need more than one element for each channel")
        need.require(Rel("!=", total, ONE), lambda _: few, certain=True)
    return sizes


@shape_function
def trained(need: Obligations, others: Dim, sizes: Shape, training: object) -> Shape | None:
    """As `spatial`, without running statistics: batch_norm."""
    if training is False:
        need.fail(BadArgument("TL0307", "`batch_norm` without running statistics only trains", "give `running_mean` and `running_var`"))
        return None
    return spatial(need, others, sizes, training)


@shape_function
def ungrouped(need: Obligations, batch: Shape, heads: Dim, groups: Dim) -> Shape | None:
    """The batch dims of attention with as many heads of keys as of queries; other numbers are for the overload with groups."""
    if heads != groups and not need.holds(Rel("==", heads, groups)):
        need.fail(WrongType("the heads of `k`", str(heads), Int(groups)))
        return None
    return batch


@shape_function
def masked_ungrouped(need: Obligations, batch: Shape, heads: Dim, groups: Dim, queries: Dim, keys: Dim, mask: Shape) -> Shape | None:
    return masked(need, batch, heads, queries, keys, mask) if ungrouped(need, batch, heads, groups) is not None else None


@shape_function
def cosine(need: Obligations, left: Shape, right: Shape, dim: Dim | None) -> Shape | None:
    """Two operands that broadcast, then one axis less."""
    both = broadcast(need, left, right)
    if both == ():
        both = (ONE,)  # PyTorch gives a scalar an axis
    position = axis_of(both, dim, need) if both is not None else None
    return replaced(both, position) if both is not None and position is not None else None


@shape_function
def loss(need: Obligations, left: Shape, right: Shape, reduction: object) -> Shape | None:
    """The result of a loss over two tensors that must broadcast: a scalar unless `reduction` is "none"."""
    both = broadcast(need, left, right)
    return loss_of(need, both, reduction) if both is not None else None


@shape_function
def weighted_loss(need: Obligations, shape: Shape, *weights_and_reduction) -> Shape | None:
    """A loss whose elements have weights, which must broadcast into its shape."""
    *weights, reduction = weights_and_reduction
    fit = all(broadcasts_into(need, "the weight", weight, shape) for weight in weights)
    return loss_of(need, shape, reduction) if fit else None


@shape_function
def loss_of(need: Obligations, shape: Shape, reduction: object) -> Shape | None:
    """A scalar, or the whole shape for `reduction: "none"`."""
    if not isinstance(reduction, str):
        return None
    if reduction not in ("mean", "sum", "none", "batchmean"):
        need.fail(BadArgument("TL0306", f'there is no reduction "{reduction}"', 'one of "mean", "sum", "none"'))
        return None
    return shape if reduction == "none" else ()


@shape_function
def triplet_loss(need: Obligations, anchor: Shape, positive: Shape, negative: Shape, reduction: object) -> Shape | None:
    """A loss with one value for each row of three operands."""
    rows = shapes_operands.rows_of_three(need, anchor, positive, negative)
    return loss_of(need, rows, reduction) if rows is not None else None


@shape_function
def rows_loss(need: Obligations, rows: Dim, reduction: object) -> Shape | None:
    """A loss with one value for each row."""
    return loss_of(need, (rows,), reduction)
