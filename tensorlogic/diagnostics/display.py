"""How text looks in a terminal: what may be printed as it is, how many columns it takes, which part of a long line is shown."""

from collections.abc import Mapping
from itertools import accumulate
from typing import TextIO
from unicodedata import category, combining, east_asian_width

from tensorlogic.record import record

TAB = "    "
ELLIPSIS = "..."
LONGEST_TEXT = 4000
# Control, format (bidi overrides, zero width), surrogate, private, unassigned, line and paragraph separators.
UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
ESCAPES = {"\t": TAB, "\n": "\\n", "\r": "\\r"}


def printable_character(character: str) -> str:
    """A character as it is printed: itself, spaces for a tab, or an escape as in a string literal, `\\u{1b}`."""
    if " " <= character <= "~":
        return character
    if character in ESCAPES:
        return ESCAPES[character]
    return f"\\u{{{ord(character):x}}}" if category(character) in UNPRINTABLE else character


def printable(text: str) -> str:
    """Text from a program, a file or a user that is safe to print on one line of a terminal; very long text is cut."""
    shown = "".join(map(printable_character, text[:LONGEST_TEXT]))
    return shown + ELLIPSIS if len(text) > LONGEST_TEXT else shown


def character_width(character: str) -> int:
    """Terminal columns of a printable character: 0 for combining marks, 2 for wide East Asian characters and emoji."""
    if character <= "~":
        return 1
    if combining(character) or category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def text_width(text: str) -> int:
    """Terminal columns of printable text."""
    return sum(map(character_width, text))


@record
class View:
    """The part of a line that is shown: the characters at offsets `start` to `end`, with dots where the line was cut.

    `columns[i]` is the terminal column, from 0, at which the character at `start + i` begins; one more entry closes the last.
    """

    start: int
    end: int
    text: str
    columns: tuple[int, ...]

    def column(self, offset: int) -> int:
        """The column of an offset; what lies outside is at the dots."""
        return 0 if offset < self.start else self.columns[min(offset, self.end) - self.start]


def view(text: str, start: int, end: int, focus: int, limit: int) -> View:
    """The line `text[start:end]` in at most `limit` columns, cut to a window around the offset `focus` where it is longer.

    Only characters that may be shown are looked at, so that a line of 10 MB costs no more than another.
    """
    first, last = window(text, start, end, focus, limit)
    pieces = [printable_character(c) for c in text[first:last]]
    before, after = ELLIPSIS if first > start else "", ELLIPSIS if last < end else ""
    columns = tuple(accumulate(map(text_width, pieces), initial=len(before)))
    return View(first, last, before + "".join(pieces) + after, columns)


def window(text: str, start: int, end: int, focus: int, limit: int) -> tuple[int, int]:
    """The offsets (first, last) to show: the whole line if it fits, else a third before the focus and the rest after it."""
    whole, _ = reach(text, start, end, limit)
    if whole == end:
        return start, end
    room = limit - 2 * len(ELLIPSIS)
    first, left = reach(text, focus, start, room // 3)
    last, left = reach(text, focus, end, room - room // 3 + left)
    first, _ = reach(text, first, start, left)
    return first, last


def reach(text: str, at: int, stop: int, room: int) -> tuple[int, int]:
    """Walk from `at` towards `stop` while characters fit; where that ended and the room that is left. Each takes one column at least."""
    step = 1 if stop > at else -1
    while at != stop:
        cost = max(1, text_width(printable_character(text[at if step > 0 else at - 1])))
        if cost > room:
            break
        at, room = at + step, room - cost
    return at, room


def use_color(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether to colour what goes to a stream: NO_COLOR forbids, then FORCE_COLOR demands, else it takes a terminal that is not dumb."""
    if environ.get("NO_COLOR") or stream is None:
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()
