"""JSON from strangers: size, nesting, duplicate keys and odd numbers are refused before they cost anything."""

import json
import re

from tensorlogic.formats.errors import Malformed, shown

MAX_JSON = 25 * 1024 * 1024
LIMITS = {b'"': 1 << 20, b",": 1 << 20, b"[": 1 << 18, b"{": 1 << 17}  # how often each may stand in a text
MAX_DEPTH = 8
MAX_DIGITS = 20

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_strict(data: bytes) -> object:
    """The value of a JSON text in UTF-8. Raises `Malformed`; never recurses deeper than `MAX_DEPTH`."""
    _check_cost(data)
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise Malformed("has a header that is not UTF-8", f"byte {problem.start} of the header") from None
    except json.JSONDecodeError as problem:
        raise Malformed(f"has a header that is not JSON: {problem.msg}", f"character {problem.pos} of the header") from None


def _check_cost(data: bytes) -> None:
    if len(data) > MAX_JSON:
        raise Malformed(f"has a header of {len(data):,} bytes; the limit is {MAX_JSON:,}")
    for mark, limit in LIMITS.items():
        if data.count(mark) > limit:
            raise Malformed(f"has a header with more than {limit:,} `{mark.decode()}`")
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        # each round removes what is innermost, so what is left after all of them is nested too deep (or not closed)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise Malformed(f"has a header nested deeper than {MAX_DEPTH}, or with brackets that do not match")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Malformed(f"names `{shown(key)}` twice")
        seen.add(key)
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Malformed(f"has a number of {len(text):,} digits in its header")
    return int(text)


def _constant(text: str) -> object:
    raise Malformed(f"has `{text}` in its header, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)
