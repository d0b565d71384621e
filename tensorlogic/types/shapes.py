"""Shape rules of arithmetic, products and reductions; the table of all shape functions that signatures may name."""

from tensorlogic.types import shapes_index, shapes_layout, shapes_windows
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import AccidentalBroadcast, BadArgument, IndexOutOfRange, RankMismatch, WrongType
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
    segment_at,
    shape_function,
)
from tensorlogic.types.types import Int, Segment, Shape, ShapeItem

TWO = Dim.const(2)
__all__ = ["SHAPE_FUNCTIONS", "argument", "axis_of", "broadcast", "matmul", "reduce", "shapes_index", "shapes_layout", "shapes_windows"]


@shape_function
def broadcast(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """What two operands give together. Of different ranks, the lower one must broadcast into the other (TL0303)."""
    if left == right:
        return left
    if is_known(left) and is_known(right):
        return _aligned(need, left, right, strict=len(left) != len(right))
    return _around_segment(need, left, right)


def _aligned(need: Obligations, left: Shape, right: Shape, *, strict: bool) -> Shape | None:
    """Shapes without a segment, side by side from the right."""
    high, low = (left, right) if len(left) >= len(right) else (right, left)
    extra = len(high) - len(low)
    before = len(need.mistakes)
    pairs = tuple(zip(high[extra:], low, strict=True))
    accidental = strict and any(is_one(need, wide) and not _may_be_one(need, narrow) for wide, narrow in pairs)
    items = tuple(_pair(need, wide, narrow) for wide, narrow in pairs)
    if len(need.mistakes) > before:
        return None
    if accidental:
        need.fail(AccidentalBroadcast(left, right))
        return None
    return (*high[:extra], *items)


def _may_be_one(need: Obligations, item: ShapeItem) -> bool:
    return isinstance(item, Dim) and (is_one(need, item) or item.has_unknown)


def _pair(need: Obligations, left: ShapeItem, right: ShapeItem) -> ShapeItem:
    """One size out of two that are equal, or of which one is 1."""
    if left == right or is_one(need, right):
        return left
    if is_one(need, left):
        return right
    equal(need, "the sizes", left, right)
    return right if isinstance(left, Dim) and left.has_unknown else left


def _around_segment(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """At least one operand has a run of dims of unknown number: what lies right of it can be compared, and equal runs are equal."""
    at, other = segment_at(left), segment_at(right)
    if at is None or other is None:
        return _into_segment(need, left, right, at) if other is None else _into_segment(need, right, left, other)
    if left[at] != right[other]:
        return None
    if len(left) - at != len(right) - other:
        need.fail(AccidentalBroadcast(left, right))
        return None
    tail = _aligned(need, left[at + 1 :], right[other + 1 :], strict=False)
    head = _aligned(need, left[:at], right[:other], strict=at != other)
    return None if tail is None or head is None else (*head, left[at], *tail)


def _into_segment(need: Obligations, shape: Shape, known: Shape, at: int | None) -> Shape | None:
    """`known` has no segment; it fits when it does not reach past the segment of `shape`."""
    tail = shape[at + 1 :] if at is not None else shape
    if at is None or len(known) > len(tail):
        return None
    merged = _aligned(need, tail, known, strict=True)
    return None if merged is None else (*shape[: at + 1], *merged)


def batch_broadcast(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """Batch dims of products: PyTorch's rule alone."""
    if left == right:
        return left
    if is_known(left) and is_known(right):
        return _aligned(need, left, right, strict=False)
    return _around_segment(need, left, right)


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
    """Without the axes `dim` (an axis, several, or all if omitted), or with ones in their place."""
    if keepdim is None:
        return None
    if dim == ():
        need.fail(BadArgument("TL0310", "the list of axes is empty", "leave `dim` out to reduce over all axes"))
        return None
    keep = keepdim is True
    if omitted(dim):
        return _all_reduced(shape, keep)
    if shape == () and all(isinstance(d, Dim) and d.value in (0, -1) for d in (dim if isinstance(dim, tuple) else (dim,))):
        return ()
    positions = axes_of(shape, dim, need)
    if positions is None:
        return None
    if keep:
        return tuple(ONE if i in positions else item for i, item in enumerate(shape))
    return tuple(item for i, item in enumerate(shape) if i not in positions)


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
    return batch if _broadcasts_into(need, "the mask", mask, (*batch, heads, queries, keys)) else None


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
def triples(need: Obligations, shape: Shape, dim: Dim | None) -> Shape | None:
    """The same shape, with three elements along an axis: cross."""
    position = axis_of(shape, dim, need)
    return shape if position is None or equal(need, "the axis of a cross product", shape[position], Dim.const(3)) else None


@shape_function
def channelwise(need: Obligations, shape: Shape, weights: Dim) -> Shape | None:
    """The same shape; one weight, or one for each channel: prelu."""
    if is_one(need, weights) or not is_known(shape):
        return shape
    channels = shape[1] if len(shape) > 1 else ONE
    return shape if equal(need, "the number of weights", channels, weights) else None


@shape_function
def spatial(need: Obligations, sizes: Shape) -> Shape:
    """The same sizes, of more than one element in all: instance_norm."""
    total = count(sizes)
    if total is not None:
        few = BadArgument("TL0310", f"a mean and variance need more than one element for each channel, not {total}")
        need.require(Rel(">=", total, TWO), lambda _: few, certain=True)
    return sizes


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
    fit = all(_broadcasts_into(need, "the weight", weight, shape) for weight in weights)
    return loss_of(need, shape, reduction) if fit else None


def _broadcasts_into(need: Obligations, what: str, small: Shape, large: Shape) -> bool:
    """Whether an operand may be repeated to a shape. With runs of dims that do not tell, PyTorch decides."""
    both = broadcast(need, large, small)
    if both is None:
        return not need.mistakes
    if len(both) != len(large):
        need.fail(RankMismatch(what, f"at most {len(large)}", small))
        return False
    return all(equal(need, f"the sizes of {what}", item, size) for item, size in zip(both, large, strict=True))


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
def rows_loss(need: Obligations, rows: Dim, reduction: object) -> Shape | None:
    """A loss with one value for each row."""
    return loss_of(need, (rows,), reduction)
