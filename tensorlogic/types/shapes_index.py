"""Shape rules of reading and writing at places given by integer tensors, of diagonals and of matrix factors."""

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import BadArgument, IndexOutOfRange, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import ONE, axis_of, count, equal, is_known, number, replaced, shape_function
from tensorlogic.types.shapes_broadcast import batch_broadcast
from tensorlogic.types.types import Shape


def _vector(shape: Shape) -> Shape:
    """PyTorch reads and writes scalars as vectors of one element."""
    return shape or (ONE,)


@shape_function
def gather(need: Obligations, shape: Shape, dim: Dim | None, index: Shape) -> Shape | None:
    """The shape of the index; beside the axis it may not be larger than the tensor."""
    return index if _nothing(need, shape, dim, index) or _indexable(need, shape, dim, index, "the index") else None


@shape_function
def scatter(need: Obligations, shape: Shape, dim: Dim | None, index: Shape, source: Shape) -> Shape | None:
    """The shape of the tensor written to; the index may not be larger than the source."""
    if _nothing(need, shape, dim, index):
        return shape
    if not _indexable(need, shape, dim, index, "the index"):
        return None
    index, source = _vector(index), _vector(source)
    if is_known(source) and is_known(index) and len(source) != len(index):
        need.fail(RankMismatch("the source of `scatter`", str(len(index)), source))
        return None
    return shape if _within(need, index, source, None, "the index") else None


@shape_function
def scatter_value(need: Obligations, shape: Shape, dim: Dim | None, index: Shape) -> Shape | None:
    return shape if _nothing(need, shape, dim, index) or _indexable(need, shape, dim, index, "the index") else None


def _nothing(need: Obligations, shape: Shape, dim: Dim | None, index: Shape) -> bool:
    """Whether an index has no places at all; then it may have any number of dims."""
    return count(index) == Dim.const(0) and axis_of(_vector(shape), dim, need) is not None


def _indexable(need: Obligations, shape: Shape, dim: Dim | None, index: Shape, what: str) -> bool:
    shape, index = _vector(shape), _vector(index)
    if is_known(shape) and is_known(index) and len(shape) != len(index):
        need.fail(RankMismatch(what, str(len(shape)), index))
        return False
    position = axis_of(shape, dim, need)
    if position is None:
        return number(dim) is None and not need.mistakes
    return _within(need, index, shape, position, what)


def _within(need: Obligations, index: Shape, shape: Shape, position: int | None, what: str) -> bool:
    """No axis of the index but the one at `position` is certainly longer than that of the tensor."""
    if not (is_known(index) and is_known(shape)):
        return True
    pairs = [(i, s) for axis, (i, s) in enumerate(zip(index, shape, strict=True)) if axis != position]
    return all(_fits(need, what, i, s) for i, s in pairs)


def _fits(need: Obligations, what: str, size: object, limit: object) -> bool:
    if not (isinstance(size, Dim) and isinstance(limit, Dim)) or size == limit:
        return True
    return need.require(Rel("<=", size, limit), lambda _: IndexOutOfRange(f"{what} with {size} entries", limit), certain=True)


@shape_function
def take_along(need: Obligations, shape: Shape, index: Shape, dim: Dim | None) -> Shape | None:
    """Like `gather`, but sizes beside the axis broadcast."""
    if is_known(shape) and is_known(index) and len(shape) != len(index):
        need.fail(RankMismatch("the index", str(len(shape)), index))
        return None
    position = axis_of(shape, dim, need)
    if position is None or not is_known(index) or not is_known(shape):
        return None
    beside = batch_broadcast(need, replaced(shape, position), replaced(index, position))
    return None if beside is None else (*beside[:position], index[position], *beside[position:])


@shape_function
def first(need: Obligations, shape: Shape, dim: Dim | None, k: Dim | None) -> Shape | None:
    """`k` elements of an axis: topk."""
    if k is not None and k.value is not None and k.value < 0:
        need.fail(BadArgument("TL0310", f"`k` is at least 0, not {k}"))
        return None
    if shape == () and number(dim) in (0, -1):
        return () if k is None or _fits(need, "`k`", k, ONE) else None
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    if k is None:
        return replaced(shape, position, Dim.fresh())
    return replaced(shape, position, k) if _fits(need, "`k`", k, shape[position]) else None


@shape_function
def picked(need: Obligations, shape: Shape, dim: Dim | None, index: Dim | None) -> Shape | None:
    """Without one axis, of which one element is taken: select."""
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    size = shape[position]
    if index is not None and isinstance(size, Dim):
        last, least = index + 1, index + size
        for goal in (Rel("<=", last, size), Rel(">=", least, Dim.const(0))):
            need.require(goal, lambda _: IndexOutOfRange(str(index), size), certain=True)
    return replaced(shape, position)


@shape_function
def written(need: Obligations, shape: Shape, dim: Dim | None, places: Dim, source: Shape) -> Shape | None:
    """The same shape; the source has one slice of an axis for each place: index_add."""
    position = axis_of(_vector(shape), dim, need)
    if position is None or not (is_known(shape) and is_known(source)):
        return shape
    wanted, source = replaced(_vector(shape), position, places), source if shape else _vector(source)
    if len(source) != len(wanted):
        need.fail(RankMismatch("the source", str(len(wanted)), source))
        return None
    fits = all(equal(need, "the sizes of the source", size, item) for size, item in zip(wanted, source, strict=True))
    return shape if fits else None


@shape_function
def copied(need: Obligations, shape: Shape, dim: Dim | None, places: Dim, source: Shape) -> Shape | None:
    """As `written`; a scalar is a slice of one element: index_copy."""
    return written(need, shape, dim, places, _vector(source))


@shape_function
def diagonal(need: Obligations, shape: Shape, offset: Dim | None, dim1: Dim | None, dim2: Dim | None) -> Shape | None:
    """Two axes become one, at the end: their diagonal."""
    a, b = axis_of(shape, dim1, need), axis_of(shape, dim2, need)
    if a is None or b is None:
        return None
    if a == b:
        need.fail(BadArgument("TL0310", "a diagonal needs two different axes"))
        return None
    rows, columns = shape[a], shape[b]
    rest = tuple(item for i, item in enumerate(shape) if i not in (a, b))
    return (*rest, _diagonal_length(rows, columns, number(offset)))


def _diagonal_length(rows: object, columns: object, offset: int | None) -> Dim:
    if offset is None or not (isinstance(rows, Dim) and isinstance(columns, Dim)):
        return Dim.fresh()
    if offset == 0:
        return Dim.min(rows, columns)
    return Dim.max(Dim.const(0), Dim.min(rows, columns - offset) if offset > 0 else Dim.min(rows + offset, columns))


@shape_function
def diag(need: Obligations, shape: Shape, offset: Dim | None) -> Shape | None:
    """A matrix with a vector on its diagonal, or the diagonal of a matrix."""
    if len(shape) == 2 and is_known(shape):
        return diagonal(need, shape, offset, Dim.const(0), Dim.const(1))
    if len(shape) == 1 and is_known(shape):
        known = number(offset)
        size = shape[0] + abs(known) if known is not None and isinstance(shape[0], Dim) else Dim.fresh()
        return (size, size)
    if is_known(shape):
        need.fail(RankMismatch("the argument of `diag`", "1 or 2", shape))
    return None


@shape_function
def left_factor(need: Obligations, batch: Shape, rows: Dim, columns: Dim, full: object) -> Shape | None:
    """The left factor of a decomposition of [rows, columns]: square if `full`."""
    if full is None:
        return (*batch, rows, Dim.fresh())
    return (*batch, rows, rows if full is True else Dim.min(rows, columns))


@shape_function
def right_factor(need: Obligations, batch: Shape, rows: Dim, columns: Dim, full: object) -> Shape | None:
    """The right factor: [columns, columns] if `full`, else [min(rows, columns), columns]."""
    if full is None:
        return (*batch, Dim.fresh(), columns)
    return (*batch, columns if full is True else Dim.min(rows, columns), columns)


@shape_function
def sampled(need: Obligations, shape: Shape, n: Dim | None, again: object) -> Shape | None:
    """[..., C] weights give [..., n] samples, at most C of them unless one may be drawn `again`: multinomial."""
    if is_known(shape) and len(shape) not in (1, 2):
        need.fail(RankMismatch("the weights of `multinomial`", "1 or 2", shape))
        return None
    if n is not None:
        need.require(Rel(">=", n, ONE), lambda _: BadArgument("TL0310", f"`num_samples` is at least 1, not {n}"), certain=True)
    if not shape or need.mistakes or (n is not None and again is False and not _fits(need, "`num_samples`", n, shape[-1])):
        return None
    return replaced(shape, len(shape) - 1, n if n is not None else Dim.fresh())
