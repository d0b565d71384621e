"""What keeps a hostile program from taking the machine: room on the stack, and bounds on the size of a type."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tensorlogic.types.types import Fn, List, Struct, Tuple, Type

MAX_PARTS = 20_000
MAX_DEPTH = 250
FRAMES = 6000  # more than the deepest nesting that the parser lets through needs


@contextmanager
def stack_room() -> Iterator[None]:
    """Room for the nesting that the parser allows, however deep the caller is already."""
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, depth + FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def too_large(type_: Type) -> bool:
    """Whether a type has too many parts, or too deep ones: `(a, a)` of a pair of pairs doubles at each step."""
    level, count = _parts(type_), 0
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        count += len(level)
        if count > MAX_PARTS:
            return True
        level = [inner for part in level for inner in _parts(part)]
    return True


def _parts(type_: Type) -> tuple[Type, ...]:
    match type_:
        case Tuple(items) | Struct(_, items):
            return items
        case List(element, items):
            return (element,) if items is None else items
        case Fn(params, result):
            return (*params, result)
    return ()
