"""The common ground of shape functions: their table, axes counted from either side, sizes that must be equal.

A shape function is `f(need, *args) -> Shape | None`. Runs of dims arrive as shapes, other arguments as `argument` gives them.
None means that the shape cannot be known before the program runs, or that a mistake was reported.
"""

from collections.abc import Callable
from functools import wraps
from itertools import pairwise

from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.facts import Divides, Rel
from tensorlogic.types.mistakes import AxisOutOfRange, BadArgument, NotDivisible, SizeMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import Bool, Float, Int, List, NoneType, Segment, Shape, ShapeItem, String, Tuple, Type

ONE = Dim.const(1)
ShapeFunction = Callable[..., Shape | None]
SHAPE_FUNCTIONS: dict[str, ShapeFunction] = {}


def shape_function(function: ShapeFunction) -> ShapeFunction:
    """Make a function available in signatures, under its own name; sizes too large to reason about are unknown."""

    @wraps(function)
    def bounded(*args, **kwargs) -> Shape | None:
        try:
            return function(*map(_plain, args), **kwargs)
        except DimTooLarge:
            return None

    SHAPE_FUNCTIONS[function.__name__.removesuffix("_")] = bounded
    return bounded


def _plain(value: object) -> object:
    """Defaults of signatures may arrive as Python ints."""
    return Dim.const(value) if type(value) is int else value


def argument(type_: Type) -> object:
    """What a shape function gets for an argument of this type: a Dim for an int, a tuple for a list, a bool, str or float, None where
    the value is not known, `NoneType()` for an omitted `none`, and the type itself for anything else."""
    match type_:
        case Int(value) | Bool(value) | Float(value) | String(value):
            return value
        case List(_, None):
            return None
        case List(_, items) | Tuple(items):
            return tuple(argument(item) for item in items or ())
    return type_


def omitted(value: object) -> bool:
    return isinstance(value, NoneType)


def number(value: object) -> int | None:
    """The int that an argument is known to be."""
    return value.value if isinstance(value, Dim) else None


def segment_at(shape: Shape) -> int | None:
    """Where the run of dims of unknown number stands."""
    return next((i for i, item in enumerate(shape) if isinstance(item, Segment)), None)


def is_known(shape: Shape) -> bool:
    """Whether the number of dims is known."""
    return segment_at(shape) is None


def axis_of(shape: Shape, axis: Dim | None, need: Obligations) -> int | None:
    """The position in `shape` of an axis counted from the left or, if negative, from the right; None if that is not known or wrong."""
    value = number(axis)
    if value is None:
        return None
    position, run = value if value >= 0 else len(shape) + value, segment_at(shape)
    if run is not None:
        return position if 0 <= position < run or value < 0 and position > run else None
    if not 0 <= position < len(shape):
        need.fail(AxisOutOfRange(value, shape))
        return None
    return position


def axes_of(shape: Shape, dims: object, need: Obligations) -> tuple[int, ...] | None:
    """Positions of one axis or a list of different axes."""
    if isinstance(dims, Dim):
        dims = (dims,)
    if not isinstance(dims, tuple):
        return None
    found = tuple(axis_of(shape, d, need) for d in dims)
    positions = tuple(p for p in found if p is not None)
    if len(positions) < len(found):
        return None
    if any(a == b for a, b in pairwise(sorted(positions))):
        need.fail(BadArgument("TL0310", "an axis is named twice"))
        return None
    return positions


def equal(need: Obligations, what: str, left: ShapeItem, right: ShapeItem) -> bool:
    """Require two sizes to be the same."""
    if left == right:
        return True
    if not (isinstance(left, Dim) and isinstance(right, Dim)):
        return False
    return need.require(Rel("==", left, right), lambda witness: SizeMismatch(what, left, right, witness))


def divides(need: Obligations, divisor: Dim, dividend: Dim) -> bool:
    """Require the dividend to be a multiple of the divisor."""
    if divisor.value == 1 or divisor == dividend:
        return True
    return need.require(Divides(divisor, dividend), lambda witness: NotDivisible(divisor, dividend, witness))


def is_one(need: Obligations, item: ShapeItem) -> bool:
    if not isinstance(item, Dim):
        return False
    return item.value == 1 if item.value is not None else need.holds(Rel("==", item, ONE))


def at_least_two(need: Obligations, dim: Dim) -> bool:
    return dim.value > 1 if dim.value is not None else need.holds(Rel(">=", dim, Dim.const(2)))


def known_or_fresh(value: object) -> Dim:
    """The size that an argument gives, or a new unknown one."""
    return value if isinstance(value, Dim) else Dim.fresh()


def count(shape: Shape) -> Dim | None:
    """The number of elements, None with a run of dims of unknown number."""
    total = ONE
    for item in shape:
        if not isinstance(item, Dim):
            return None
        total = total * item
    return total


def replaced(shape: Shape, position: int, *items: ShapeItem) -> Shape:
    return (*shape[:position], *items, *shape[position + 1 :])
