"""Shape rules of operands that are broadcast inside: biases, batches of equations, distances, grids."""

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import BadArgument, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import ONE, count, equal, is_known, shape_function
from tensorlogic.types.shapes_broadcast import batch_broadcast, broadcast, broadcasts_into
from tensorlogic.types.types import Shape


@shape_function
def into(need: Obligations, added: Shape, *sizes: Dim) -> Shape | None:
    """The sizes, into which what is added must broadcast: addmm."""
    return sizes if broadcasts_into(need, "what is added", added, sizes) else None


@shape_function
def biased(need: Obligations, batch: Shape, out: Dim, bias: Shape) -> Shape | None:
    """[...batch, out]; the bias is a number or one for each output."""
    if len(bias) > 1:
        need.fail(RankMismatch("the bias", "0 or 1", bias))
        return None
    return (*batch, out) if broadcasts_into(need, "the bias", bias, (*batch, out)) else None


@shape_function
def batches(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """Batch dims of two operands, by PyTorch's rule."""
    return batch_broadcast(need, left, right)


@shape_function
def solved(need: Obligations, batch: Shape, n: Dim, right: Shape) -> Shape | None:
    """Solutions of [...batch, n, n] for vectors [n] or [...batch, n], or else for matrices [..., n, k]."""
    if not is_known(right):
        return None
    if len(right) == 1 or (is_known(batch) and len(right) == len(batch) + 1 and _same(need, right, (*batch, n))):
        return (*batch, n) if equal(need, "the sizes of the equations", n, right[-1]) else None
    if len(right) < 2:
        need.fail(RankMismatch("the right side", "at least 1", right))
        return None
    if not equal(need, "the sizes of the equations", n, right[-2]):
        return None
    both = batch_broadcast(need, batch, right[:-2])
    return None if both is None else (*both, n, right[-1])


def _same(need: Obligations, left: Shape, right: Shape) -> bool:
    pairs = zip(left, right, strict=True)
    return all(isinstance(a, Dim) and isinstance(b, Dim) and need.holds(Rel("==", a, b)) for a, b in pairs)


@shape_function
def apart(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """One distance for each pair of vectors of the last axis: pairwise_distance."""
    both = broadcast(need, left, right)
    return None if both is None else both[:-1]


def rows_of_three(need: Obligations, anchor: Shape, positive: Shape, negative: Shape) -> Shape | None:
    """One number for each row of three operands with as many dims: triplet_margin_loss."""
    if any(is_known(s) and is_known(anchor) and len(s) != len(anchor) for s in (positive, negative)):
        other = positive if len(positive) != len(anchor) else negative
        need.fail(RankMismatch("positives and negatives", str(len(anchor)), other))
        return None
    near = apart(need, anchor, positive)
    far = apart(need, anchor, negative) if near is not None else None
    return None if near is None or far is None else broadcast(need, near, far)


@shape_function
def grid(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """Rows and columns of a grid, where a scalar is one of them: meshgrid."""
    other = next((s for s in (left, right) if len(s) > 1), None)
    if other is not None:
        need.fail(RankMismatch("what a grid is made of", "0 or 1", other))
        return None
    return (*(left or (ONE,)), *(right or (ONE,)))


@shape_function
def taken(need: Obligations, shape: Shape, index: Shape) -> Shape | None:
    """The shape of the index; from nothing only nothing can be taken: take."""
    if shape and count(shape) == Dim.const(0) and count(index) != Dim.const(0):
        need.fail(BadArgument("TL0310", "there are no elements to take"))
        return None
    return index
