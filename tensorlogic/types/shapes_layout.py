"""Shape rules of functions that move elements without computing: reshape, permute, squeeze, expand, repeat, concatenation."""

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import AxisOutOfRange, BadArgument, CountMismatch, EmptySlice, RankMismatch, SizeMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import (
    ONE,
    at_least_two,
    axes_of,
    axis_of,
    count,
    divides,
    equal,
    is_known,
    is_one,
    known_or_fresh,
    number,
    omitted,
    replaced,
    segment_at,
    shape_function,
)
from tensorlogic.types.types import Shape


@shape_function
def swap(need: Obligations, shape: Shape, first: Dim | None, second: Dim | None) -> Shape | None:
    """Two axes exchanged: transpose."""
    if shape == () and all(number(d) in (0, -1) for d in (first, second)):
        return shape
    a, b = axis_of(shape, first, need), axis_of(shape, second, need)
    if a is None or b is None:
        return None
    items = list(shape)
    items[a], items[b] = items[b], items[a]
    return tuple(items)


@shape_function
def move(need: Obligations, shape: Shape, source: Dim | None, destination: Dim | None) -> Shape | None:
    """One axis moved: movedim."""
    if shape == () and all(number(d) in (0, -1) for d in (source, destination)):
        return shape
    a, b = axis_of(shape, source, need), axis_of(shape, destination, need)
    if a is None or b is None or not is_known(shape):
        return None
    items = list(shape)
    items.insert(b, items.pop(a))
    return tuple(items)


@shape_function
def permute(need: Obligations, shape: Shape, dims: object) -> Shape | None:
    """Axes in another order."""
    if not isinstance(dims, tuple) or not is_known(shape):
        return None
    if len(dims) != len(shape):
        need.fail(RankMismatch(f"`permute` with {len(dims)} axes", str(len(dims)), shape))
        return None
    positions = axes_of(shape, dims, need)
    return None if positions is None else tuple(shape[p] for p in positions)


@shape_function
def insert(need: Obligations, shape: Shape, dim: Dim | None, size: object = ONE) -> Shape | None:
    """A new axis of the given size: unsqueeze, stack."""
    value, run = number(dim), segment_at(shape)
    if value is None:
        return None
    position = value if value >= 0 else len(shape) + 1 + value
    if run is None and not 0 <= position <= len(shape):
        need.fail(AxisOutOfRange(value, shape))
        return None
    if run is not None and not (0 <= position <= run if value >= 0 else position > run):
        return None
    return (*shape[:position], known_or_fresh(size), *shape[position:])


@shape_function
def squeeze(need: Obligations, shape: Shape, dim: object) -> Shape | None:
    """Without an axis of size 1. An axis that is certainly larger stays, as in PyTorch; one that may be either is an obligation."""
    if shape == () and number(dim) in (0, -1):
        return ()
    positions = axes_of(shape, dim, need)
    if positions is None:
        return None
    gone = [p for p in positions if _is_gone(need, shape[p])]
    return tuple(item for i, item in enumerate(shape) if i not in gone)


def _is_gone(need: Obligations, item: object) -> bool:
    if not isinstance(item, Dim) or at_least_two(need, item) or item.value == 0:
        return False
    return need.require(Rel("==", item, ONE), lambda witness: SizeMismatch("the squeezed axis", item, ONE, witness))


@shape_function
def squeeze_all(need: Obligations, shape: Shape) -> Shape | None:
    """Without all axes of size 1."""
    if not all(isinstance(i, Dim) and (is_one(need, i) or at_least_two(need, i) or i.value == 0) for i in shape):
        return None
    return tuple(i for i in shape if not is_one(need, i))


@shape_function
def flatten(need: Obligations, shape: Shape, start: Dim | None, end: Dim | None) -> Shape | None:
    """The axes from `start` to `end` become one."""
    shape = shape or (ONE,)  # of a scalar too
    first, last = axis_of(shape, start, need), axis_of(shape, end, need)
    if first is None or last is None:
        return None
    if last < first:
        need.fail(BadArgument("TL0310", "the first axis to flatten comes after the last one"))
        return None
    return (*shape[:first], known_or_fresh(count(shape[first : last + 1])), *shape[last + 1 :])


@shape_function
def unflatten(need: Obligations, shape: Shape, dim: Dim | None, sizes: object) -> Shape | None:
    """One axis becomes several."""
    position = axis_of(shape, dim, need)
    if sizes == ():
        need.fail(BadArgument("TL0308", "the list of sizes is empty"))
        return None
    if position is None or not isinstance(sizes, tuple):
        return None
    parts = reshape(need, (shape[position],), sizes)
    return None if parts is None else replaced(shape, position, *parts)


@shape_function
def reshape(need: Obligations, shape: Shape, sizes: object) -> Shape | None:
    """The same elements with other sizes; one of them may be -1, which is worked out by exact division."""
    if not isinstance(sizes, tuple):
        return None
    open_at = [i for i, size in enumerate(sizes) if number(size) == -1]
    if len(open_at) > 1:
        need.fail(BadArgument("TL0308", "only one size of a reshape can be -1"))
        return None
    if any(size is None for size in sizes):
        return tuple(known_or_fresh(None if i in open_at else size) for i, size in enumerate(sizes))
    return _solved(need, shape, sizes, open_at[0]) if open_at else _counted(need, shape, sizes)


def _counted(need: Obligations, shape: Shape, sizes: tuple) -> Shape | None:
    before, after = count(shape), count(sizes)
    if before is None or after is None:
        return sizes
    fits = need.require(Rel("==", before, after), lambda witness: CountMismatch(shape, sizes, witness))
    return sizes if fits else None


def _solved(need: Obligations, shape: Shape, sizes: tuple, position: int) -> Shape | None:
    """Solves for the -1 at `position`."""
    total, known = count(shape), count(replaced(sizes, position))
    if total is None or known is None:
        return replaced(sizes, position, Dim.fresh())
    if known.value == 0:
        need.fail(BadArgument("TL0308", "the -1 of a reshape is not determined beside a size of 0"))
        return None
    if not divides(need, known, total):
        return None
    return replaced(sizes, position, total.exact_div(known))


@shape_function
def expand(need: Obligations, shape: Shape, sizes: object) -> Shape | None:
    """Broadcast to the given sizes; -1 keeps a size."""
    if not isinstance(sizes, tuple) or not is_known(shape):
        return None
    extra = len(sizes) - len(shape)
    if extra < 0:
        need.fail(RankMismatch(f"`expand` to {len(sizes)} dims", f"at most {len(sizes)}", shape))
        return None
    before = len(need.mistakes)
    items = [_expanded(need, item, size) for item, size in zip(shape, sizes[extra:], strict=True)]
    if any(number(size) == -1 for size in sizes[:extra]):
        need.fail(BadArgument("TL0308", "a new axis cannot have the size -1"))
    return (*map(known_or_fresh, sizes[:extra]), *items) if len(need.mistakes) == before else None


def _expanded(need: Obligations, item, size: Dim | None):
    if number(size) == -1:
        return item
    if is_one(need, item):
        return known_or_fresh(size)
    if size is not None:
        equal(need, "the sizes", item, size)
    return item


@shape_function
def resize(need: Obligations, shape: Shape, dim: Dim | None, size: object) -> Shape | None:
    """One axis of another size: index_select. A scalar stays one."""
    if shape == () and number(dim) in (0, -1):
        equal(need, "the number of places in a scalar", known_or_fresh(size), ONE)
        return shape
    position = axis_of(shape, dim, need)
    return None if position is None else replaced(shape, position, known_or_fresh(size))


@shape_function
def narrow(need: Obligations, shape: Shape, dim: Dim | None, start: Dim | None, length: Dim | None) -> Shape | None:
    """`length` elements of one axis from `start` on."""
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    size = shape[position]
    if isinstance(size, Dim) and start is not None and length is not None:
        first = size + start if start.value is not None and start.value < 0 else start
        need.require(Rel(">=", first, Dim.const(0)), lambda _: EmptySlice("the slice", size + start), certain=True)
        need.require(Rel("<=", first + length, size), lambda _: EmptySlice("the slice", size - first), certain=True)
    return replaced(shape, position, known_or_fresh(length))


@shape_function
def repeat(need: Obligations, shape: Shape, times: object) -> Shape | None:
    """`times` copies along each axis; more axes may be given than there are."""
    if not isinstance(times, tuple) or not is_known(shape):
        return None
    extra = len(times) - len(shape)
    if extra < 0:
        need.fail(RankMismatch(f"`repeat` with {len(times)} numbers", f"at most {len(times)}", shape))
        return None
    return _multiplied((ONE,) * extra + shape, times)


@shape_function
def tile(need: Obligations, shape: Shape, times: object) -> Shape | None:
    """Like `repeat`; fewer numbers than axes count from the right."""
    if not isinstance(times, tuple) or not is_known(shape):
        return None
    return repeat(need, shape, (ONE,) * (len(shape) - len(times)) + times)


def _multiplied(shape: Shape, times: tuple) -> Shape:
    return tuple(item * n if isinstance(item, Dim) and n is not None else Dim.fresh() for item, n in zip(shape, times, strict=True))


@shape_function
def interleaved(need: Obligations, shape: Shape, repeats: Dim | None, dim: object) -> Shape | None:
    """Each element `repeats` times along an axis; along the flattened tensor when none is named."""
    if omitted(dim):
        shape, dim = (known_or_fresh(count(shape)),), Dim.const(0)
    position = axis_of(shape, dim, need) if isinstance(dim, Dim) else None
    if position is None:
        return None
    item = shape[position]
    size = item * repeats if isinstance(item, Dim) and repeats is not None else Dim.fresh()
    return replaced(shape, position, size)


@shape_function
def cyclic(need: Obligations, shape: Shape, shifts: object, dims: object) -> Shape | None:
    """The same shape: roll. As many axes as shifts."""
    if omitted(dims):
        return shape
    if shifts == ():
        need.fail(BadArgument("TL0304", "the list of shifts is empty"))
        return None
    before = len(need.mistakes)
    for dim in dims if isinstance(dims, tuple) else (dims,):
        axis_of(shape, dim if isinstance(dim, Dim) else None, need)
    if isinstance(shifts, tuple) and isinstance(dims, tuple) and len(shifts) != max(len(dims), 1):
        need.fail(BadArgument("TL0304", f"{len(shifts)} shifts for {len(dims)} axes"))
    return shape if len(need.mistakes) == before else None


def concatenated(need: Obligations, shapes: tuple[Shape, ...], dim: Dim | None) -> Shape | None:
    """Along one axis; all other sizes must agree."""
    position = axis_of(shapes[0], dim, need)
    if position is None or not _same_rank(need, shapes):
        return None
    beside = [replaced(shape, position) for shape in shapes]
    if not all(_sizes_agree(need, beside[0], other) for other in beside[1:]):
        return None
    return replaced(shapes[0], position, _total(tuple(shape[position] for shape in shapes)))


def stacked(need: Obligations, shapes: tuple[Shape, ...], dim: Dim | None) -> Shape | None:
    """Along a new axis; all sizes must agree."""
    if not _same_rank(need, shapes) or not all(_sizes_agree(need, shapes[0], other) for other in shapes[1:]):
        return None
    return insert(need, shapes[0], dim, Dim.const(len(shapes)))


def _same_rank(need: Obligations, shapes: tuple[Shape, ...]) -> bool:
    other = next((s for s in shapes if len(s) != len(shapes[0])), None)
    if other is not None and all(map(is_known, shapes)):
        need.fail(RankMismatch("a tensor of the list", str(len(shapes[0])), other))
    return other is None


def _sizes_agree(need: Obligations, left: Shape, right: Shape) -> bool:
    return all(equal(need, "the sizes of the tensors", a, b) for a, b in zip(left, right, strict=True))


def _total(sizes: tuple) -> Dim:
    """The sum of sizes, unknown with a run of dims among them."""
    known = tuple(size for size in sizes if isinstance(size, Dim))
    return sum(known, start=Dim.const(0)) if len(known) == len(sizes) else Dim.fresh()


def parts(need: Obligations, shape: Shape, chunks: Dim | None, dim: Dim | None) -> Shape | None:
    """The shape of each of `chunks` equal parts; the number must divide the size."""
    position = axis_of(shape, dim, need)
    if position is None or chunks is None:
        return None
    size = shape[position]
    if chunks.value is not None and chunks.value < 1:
        need.fail(BadArgument("TL0310", "a tensor has at least one part"))
        return None
    if not isinstance(size, Dim):
        return None
    if not divides(need, chunks, size):
        return None
    return replaced(shape, position, size.exact_div(chunks))


def check_split(need: Obligations, shape: Shape, sizes: tuple, dim: Dim | None) -> int | None:
    """The position of the axis, if the sizes add up to it."""
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    size = shape[position]
    if all(s is not None for s in sizes) and isinstance(size, Dim):
        total = sum(sizes, start=Dim.const(0))
        if not equal(need, "the sum of the parts", total, size):
            return None
    return position
