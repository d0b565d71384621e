"""Builtins on lists, tuples and ranges."""

from tensorlogic.stdlib.costs import FREE, calls
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import BadArgument, RankMismatch
from tensorlogic.types.types import AnyTensor, Int, List, Range, String, Tensor, Tuple, Type, widen


def _length(call) -> Type | None:
    """Known lengths are constants."""
    match call.types["xs"]:
        case Tensor(_, ()) as found:
            call.need.fail(RankMismatch("the argument of `len`", "at least 1", found))
        case Tensor(_, shape) if isinstance(shape[0], Dim):
            return Int(shape[0])
        case List(_, items) if items is not None:
            return Int(Dim.const(len(items)))
        case Tuple(items):
            return Int(Dim.const(len(items)))
        case Range(Dim() as start, Dim() as stop):
            return Int(stop - start)
        case String(str() as text):
            return Int(Dim.const(len(text)))
    return Int()


@builtin("len(xs: [any]) -> int", "len(xs: string) -> int", "len<T: any>(xs: T[...S]) -> int", infer=_length, cost=FREE)
def len_(xs):
    """The number of items of a list, tuple or range, of characters of a string, of rows of a tensor."""
    return len(xs)


def _elements(type_: Type) -> tuple[Type, tuple[Type, ...] | None]:
    """(element type, types one by one where known) of what a loop can go through."""
    match type_:
        case List(element, items):
            return element, items
        case Tuple(items):
            return (items[0] if items else AnyTensor()), items
        case Range():
            return Int(), None
        case String():
            return String(), None
        case Tensor(dtype, shape) if shape:
            return Tensor(dtype, shape[1:]), None
    return AnyTensor(), None


def _mapped(call) -> Type | None:
    """Over a tuple, or a list known item by item, the function is applied to each type."""
    element, items = _elements(call.types["xs"])
    function = call.types["f"]
    if items is None:
        return List(widen(call.apply(function, (element,))))
    results = tuple(call.apply(function, (item,)) for item in items)
    if isinstance(call.types["xs"], Tuple):
        return Tuple(results)
    return List(results[0], results) if results else call.result


@builtin(
    "map<A, B>(xs: [A], f: fn(A) -> B) -> [B]",
    "map(xs: [any], f: any) -> [any]",
    infer=_mapped,
    effect="calls",
    cost=calls("f", "xs", memory="items"),
)
def map_(xs, f):
    """The results of a function for each item, in order."""
    return runtime.ops.mapped(xs, f)


def _filtered(call) -> Type | None:
    return List(widen(_elements(call.types["xs"])[0]))


@builtin("filter<A>(xs: [A], f: fn(A) -> bool) -> [A]", infer=_filtered, effect="calls", cost=calls("f", "xs"))
def filter_(xs, f):
    """The items for which a function gives true."""
    return runtime.ops.filtered(xs, f)


def _zipped(call) -> Type | None:
    (a, firsts), (b, seconds) = _elements(call.types["a"]), _elements(call.types["b"])
    pairs = tuple(map(Tuple, zip(firsts, seconds, strict=False))) if firsts is not None and seconds is not None else None
    return List(Tuple((widen(a), widen(b))), pairs)


@builtin("zip(a: [any], b: [any]) -> [any]", infer=_zipped, cost=FREE)
def zip_(a, b):
    """Pairs of the items of two lists, as long as the shorter one."""
    return list(zip(a, b, strict=False))


def _numbered(call) -> Type | None:
    element, items = _elements(call.types["xs"])
    pairs = tuple(Tuple((Int(Dim.const(i)), item)) for i, item in enumerate(items)) if items is not None else None
    return List(Tuple((Int(), widen(element))), pairs)


@builtin("enumerate(xs: [any]) -> [any]", infer=_numbered, cost=FREE)
def enumerate_(xs):
    """Pairs of place and item."""
    return list(enumerate(xs))


@builtin("push<A>(xs: [A], x: A) -> void", effect="mutation", cost=FREE)
def push(xs, x):
    """Add an item at the end of a list."""
    return xs.append(x)


def _reversed(call) -> Type | None:
    """What is known of the items one by one is known in the other order."""
    element, items = _elements(call.types["xs"])
    return List(element, items[::-1]) if items is not None else call.result


@builtin("reversed<A>(xs: [A]) -> [A]", infer=_reversed, cost=FREE)
def reversed_(xs):
    """The items in the opposite order."""
    return list(xs)[::-1]


@builtin("sorted(xs: [int]) -> [int]", "sorted(xs: [float]) -> [float]", "sorted(xs: [string]) -> [string]")
def sorted_(xs):
    """The items in ascending order."""
    return sorted(xs)


def _ranged(call) -> Type | None:
    if "step" in call.types:
        return _stepped(call)
    ends = [call.types.get(name) for name in ("start", "end")]
    start, stop = (end.value if isinstance(end, Int) else None for end in ends)
    return Range(start if isinstance(ends[0], Int) else Dim.const(0), stop)


def _stepped(call) -> Type | None:
    step = call.types["step"]
    if isinstance(step, Int) and step.value == Dim.const(0):
        call.need.fail(BadArgument("TL0310", "the step of `range` must not be 0"))
    return List(Int())


@builtin("range(end: int) -> any", "range(start: int, end: int) -> any", infer=_ranged)
def range_(end, start=0):
    """The ints from `start` up to, not including, `end`."""
    return range(start, end)


@builtin("range(start: int, end: int, step: int) -> [int]")
def range_with_step(start, end, step):
    """The ints from `start` up to, not including, `end`, in steps."""
    return list(range(start, end, step))
