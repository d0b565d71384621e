"""The metadata values of a GGUF file: a cursor that never reads past what is there, nor more than its budget."""

import mmap
import struct

from tensorlogic.formats.errors import Malformed, shown

MAX_KEY = 65_535
MAX_STRING = 16 * 1024 * 1024
MAX_ITEMS = 1 << 21
MAX_NESTING = 4

# GGUF value type -> (name, struct format); 7 is bool, 8 string, 9 array
SCALARS = {
    0: ("uint8", "B"),
    1: ("int8", "b"),
    2: ("uint16", "H"),
    3: ("int16", "h"),
    4: ("uint32", "I"),
    5: ("int32", "i"),
    6: ("float32", "f"),
    7: ("bool", "B"),
    10: ("uint64", "Q"),
    11: ("int64", "q"),
    12: ("float64", "d"),
}
STRING, ARRAY, BOOL = 8, 9, 7
VALUE_NUMBERS = {name: number for number, (name, _) in SCALARS.items()} | {"string": STRING}
_U64 = struct.Struct("<Q")


class Cursor:
    """A place in the first `end` bytes of a little-endian file. `items` is how many array items may still come."""

    def __init__(self, data: mmap.mmap | bytes, end: int):
        self.data, self.end, self.at, self.items = data, end, 0, MAX_ITEMS

    def left(self) -> int:
        return self.end - self.at

    def number(self, code: str) -> int | float:
        """The next number, `code` as in `struct`."""
        return self.numbers(code, 1)[0]

    def numbers(self, code: str, count: int) -> tuple:
        size = struct.calcsize(code) * count
        if size > self.left():
            raise Malformed("ends in the middle of its header", f"byte {self.at}")
        found = struct.unpack_from(f"<{count}{code}", self.data, self.at)
        self.at += size
        return found

    def name(self, what: str) -> str:
        """A key or a tensor's name: short, not empty, valid text."""
        place = f"byte {self.at}"
        name = self.strings(1, MAX_KEY)[0]
        if not name or "\0" in name:
            raise Malformed(f"has an empty {what}, or one with a NUL", place)
        return name

    def strings(self, count: int, limit: int = MAX_STRING) -> tuple[str, ...]:
        """The next `count` strings. One loop without calls: a vocabulary has hundreds of thousands."""
        data, at, end, length_at = self.data, self.at, self.end, _U64.unpack_from
        found = []
        try:
            for _ in range(count):
                if end - at < 8:
                    raise Malformed("ends in the middle of its header", f"byte {at}")
                stop = at + 8 + length_at(data, at)[0]
                if stop > end or stop - at > limit + 8:
                    left = f"{end - at - 8:,} are left, and the limit is {limit:,}"
                    raise Malformed(f"has a string of {stop - at - 8:,} bytes where {left}", f"byte {at}")
                found.append(data[at + 8 : stop].decode("utf-8"))
                at = stop
        except UnicodeDecodeError:
            raise Malformed("has a string that is not UTF-8", f"byte {at}") from None
        self.at = at
        return tuple(found)


def read_value(cursor: Cursor, key: str) -> tuple[object, str]:
    """The next metadata value and its type, such as `uint32` or `[string]`."""
    return _value(cursor, int(cursor.number("I")), key, 0)


def _value(cursor: Cursor, kind: int, key: str, depth: int) -> tuple[object, str]:
    match kind:
        case 8:
            return cursor.strings(1)[0], "string"
        case 9:
            return _array(cursor, key, depth + 1)
        case _ if kind in SCALARS:
            return _scalars(cursor, kind, 1, key)[0], SCALARS[kind][0]
    raise Malformed(f"has metadata of the unknown type {kind}", f"key `{shown(key)}`")


def _array(cursor: Cursor, key: str, depth: int) -> tuple[tuple, str]:
    kind, count = int(cursor.number("I")), int(cursor.number("Q"))
    place = f"key `{shown(key)}`"
    if depth > MAX_NESTING:
        raise Malformed(f"has arrays nested deeper than {MAX_NESTING}", place)
    if kind not in SCALARS and kind not in (STRING, ARRAY):
        raise Malformed(f"has an array of the unknown type {kind}", place)
    least = {STRING: 8, ARRAY: 12}.get(kind) or struct.calcsize(SCALARS[kind][1])
    if count > cursor.left() // least:
        raise Malformed(f"has an array of {count:,} items where {cursor.left():,} bytes are left", place)
    if count > cursor.items:
        raise Malformed(f"has arrays of more than {MAX_ITEMS:,} items", place)
    cursor.items -= count
    match kind:
        case 8:
            return cursor.strings(count), "[string]"
        case 9:
            return _arrays(cursor, count, key, depth)
    return _scalars(cursor, kind, count, key), f"[{SCALARS[kind][0]}]"


def _arrays(cursor: Cursor, count: int, key: str, depth: int) -> tuple[tuple, str]:
    found = [_array(cursor, key, depth + 1) for _ in range(count)]
    kinds = {kind for _, kind in found}
    if len(kinds) > 1:
        raise Malformed("has an array of arrays of different types", f"key `{shown(key)}`")
    return tuple(value for value, _ in found), f"[{kinds.pop() if kinds else '[uint8]'}]"


def _scalars(cursor: Cursor, kind: int, count: int, key: str) -> tuple:
    found = cursor.numbers(SCALARS[kind][1], count)
    if kind != BOOL:
        return found
    if any(item > 1 for item in found):
        raise Malformed("has a bool that is neither 0 nor 1", f"key `{shown(key)}`")
    return tuple(map(bool, found))
