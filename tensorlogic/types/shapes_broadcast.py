"""What two operands give together: sizes that are equal or 1, aligned from the right."""

from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import AccidentalBroadcast, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import equal, is_known, is_one, segment_at, shape_function
from tensorlogic.types.types import Shape, ShapeItem


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


def broadcasts_into(need: Obligations, what: str, small: Shape, large: Shape) -> bool:
    """Whether an operand may be repeated to a shape. With runs of dims that do not tell, PyTorch decides."""
    both = broadcast(need, large, small)
    if both is None:
        return not need.mistakes
    if len(both) != len(large):
        need.fail(RankMismatch(what, f"at most {len(large)}", small))
        return False
    return all(equal(need, f"the sizes of {what}", item, size) for item, size in zip(both, large, strict=True))
