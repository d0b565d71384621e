"""Records from JSON files: a list of objects, or one object per line; the texts of some fields, what is wrong said with file and line."""

import json
import re
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from tensorlogic.formats.errors import shown
from tensorlogic.runtime.data.text_files import refused, whole_text

MAX_DEPTH = 64
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SPACE = re.compile(r"[ \t\n]*")
Placed = tuple[int, Any]  # (line, value)


def read_jsonl(path: str, fields: Sequence[str]) -> list[SimpleNamespace]:
    """A record of each line of a file, with the texts of its `fields`. TL0604 with the line, TL0606 for no file."""
    lines = whole_text(path).split("\n")
    return _records(path, ((number, json_value(path, line, number)) for number, line in enumerate(lines, 1) if line.strip()), fields)


def read_json(path: str, fields: Sequence[str]) -> list[SimpleNamespace]:
    """A record of each object of the list that a file is, with the texts of its `fields`. TL0604 with the line, TL0606 for no file."""
    return _records(path, _items(path, whole_text(path)), fields)


def _records(path: str, found: Iterator[Placed], fields: Sequence[str]) -> list[SimpleNamespace]:
    records = [_record(path, line, value, fields) for line, value in found]
    if not records:
        raise refused(path, None, "has no records")
    return records


def _record(path: str, line: int, value: Any, fields: Sequence[str]) -> SimpleNamespace:
    if not isinstance(value, dict):
        raise refused(path, line, f"has {_kind(value)} where a record (an object) is expected")
    for name in fields:
        if name not in value:
            raise refused(path, line, f"has a record without `{shown(name)}`; it has {shown(', '.join(value), 200) or 'nothing'}")
        if not isinstance(value[name], str):
            raise refused(path, line, f"has {_kind(value[name])} as `{shown(name)}`, where a string is expected")
    return SimpleNamespace(**{name: value[name] for name in fields})


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a bool", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def json_value(path: str, text: str, line: int = 1) -> Any:
    """The value of a JSON text that begins at a line of a file. TL0604 for what is none, nested deeply, or has a name twice."""
    _check_depth(path, text, line)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        raise refused(path, line, f"is not JSON: {problem.msg}, column {problem.pos + 1}") from None
    except ValueError as problem:
        raise refused(path, line, f"is refused: {problem}") from None


def _items(path: str, text: str) -> Iterator[Placed]:
    """The items of a list, each with the line where it begins."""
    _check_depth(path, text, 1)
    at, line, counted = _behind_space(text, 0), 1, 0
    if not text.startswith("[", at):
        raise refused(path, None, "is no list of records", "one record per line is read by `read_jsonl`")
    empty = _behind_space(text, at + 1)
    ended = text.startswith("]", empty)
    at = empty if ended else at
    while not ended:
        at = _behind_space(text, at + 1)
        line, counted = line + text.count("\n", counted, at), at
        value, at = _decoded(path, text, at, line)
        yield line, value
        at = _behind_space(text, at)
        ended = text.startswith("]", at)
        if not ended and not text.startswith(",", at):
            raise refused(path, text.count("\n", 0, at) + 1, "is not JSON: `,` or `]` is expected")
    if (at := _behind_space(text, at + 1)) != len(text):
        raise refused(path, text.count("\n", 0, at) + 1, "has something behind its list")


def _decoded(path: str, text: str, at: int, line: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as problem:
        raise refused(path, problem.lineno, f"is not JSON: {problem.msg}, column {problem.colno}") from None
    except ValueError as problem:
        raise refused(path, line, f"is refused: {problem}") from None


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _check_depth(path: str, text: str, line: int) -> None:
    """Python's reader calls itself for each bracket."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            raise refused(path, line + text.count("\n", 0, found.start()), f"is nested deeper than {MAX_DEPTH}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
