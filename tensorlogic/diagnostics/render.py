"""A diagnostic as text for a terminal, and as an object for `--json`."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.diagnostics.display import View, printable, use_color, view
from tensorlogic.record import record
from tensorlogic.source import Source, Span

__all__ = ["render", "summary", "to_json", "use_color"]

WIDEST = 160
NARROWEST = 40
SEVERITY_COLORS = {"error": "1;31", "warning": "1;33", "note": "1;36"}
FRAME_COLOR = "1;34"
BOLD = "1"


@record
class Mark:
    """A place to underline with a sign, `^` for the fault itself and `-` for what it has to do with, and the words beside it."""

    source: Source
    start: int
    end: int
    sign: str
    text: str

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]


@record
class Underline:
    """A mark placed on a shown line: columns `start` to `end` (exclusive, never empty)."""

    start: int
    end: int
    sign: str
    text: str


@record
class Frame:
    """How one diagnostic is set: digits of its line numbers, columns for source text, and the colour of each sign (none: plain)."""

    digits: int
    columns: int
    colors: dict[str, str]

    def paint(self, text: str, style: str) -> str:
        color = self.colors.get(style)
        return f"\x1b[{color}m{text}\x1b[0m" if color and text else text

    def row(self, text: str, number: int | None = None) -> str:
        """A line behind the gutter, with its number where it is source text."""
        gutter = f" {'' if number is None else number:>{self.digits}} |"
        return self.paint(gutter, "frame") + (f" {text}" if text else "")

    def arrow(self, place: str) -> str:
        return f"{' ' * (self.digits + 1)}{self.paint('-->', 'frame')} {place}"


def render(diagnostic: Diagnostic, *, color: bool = False, width: int | None = None) -> str:
    """The message as text of several lines, without a newline at the end.

    Nothing but what this module itself writes reaches the terminal raw: control characters and bidi overrides are shown escaped.
    `width` is the terminal's; source lines that do not fit are cut to a window around the place.
    """
    marks = marks_of(diagnostic)
    frame = frame_for(diagnostic, marks, color, width)
    header = frame.paint(f"{diagnostic.severity}[{printable(diagnostic.code)}]", "^")
    lines = [header + frame.paint(f": {printable(diagnostic.message)}", "bold")]
    if diagnostic.span is None and diagnostic.file is not None:
        lines.append(frame.arrow(printable(diagnostic.file)))
    for source in dict.fromkeys(mark.source for mark in marks):
        lines.extend(snippet([mark for mark in marks if mark.source is source], frame))
    for kind, texts in (("note", diagnostic.notes), ("help", diagnostic.help)):
        for text in texts:
            lines.extend(remark(kind, text, frame))
    return "\n".join(lines)


def marks_of(diagnostic: Diagnostic) -> list[Mark]:
    """The primary place first, then the labels in their order."""
    primary = [mark(diagnostic.span, "^", diagnostic.text)] if diagnostic.span else []
    return primary + [mark(label.span, "-", label.text) for label in diagnostic.labels]


def mark(span: Span, sign: str, text: str) -> Mark:
    """A mark inside its text, whatever the span says."""
    start, end = inside(span)
    return Mark(span.source, start, end, sign, printable(text))


def inside(span: Span) -> tuple[int, int]:
    """The offsets of a span, moved into its text."""
    start = min(max(span.start, 0), len(span.source.text))
    return start, min(max(span.end, start), len(span.source.text))


def frame_for(diagnostic: Diagnostic, marks: list[Mark], color: bool, width: int | None) -> Frame:
    digits = len(str(max((m.line for m in marks), default=1)))
    columns = WIDEST if width is None else max(NARROWEST, min(WIDEST, width - digits - 4))
    severity = SEVERITY_COLORS[diagnostic.severity]
    colors = {"^": severity, "-": FRAME_COLOR, "frame": FRAME_COLOR, "bold": BOLD}
    return Frame(digits, columns, colors if color else {})


def snippet(marks: list[Mark], frame: Frame) -> Iterator[str]:
    """The lines of one source that marks stand on, in source order; the arrow names the first mark's place."""
    source = marks[0].source
    line, column = source.position(marks[0].start)
    yield frame.arrow(f"{printable(source.name)}:{line}:{column}")
    yield frame.row("")
    for number, group in groupby(sorted(marks, key=lambda m: m.start), key=lambda m: m.line):
        yield from marked_line(number, list(group), frame)


def marked_line(number: int, marks: list[Mark], frame: Frame) -> Iterator[str]:
    """A source line and what is drawn under it."""
    source = marks[0].source
    start, end = line_bounds(source, number)
    focus = next((m.start for m in marks if m.sign == "^"), marks[0].start)
    shown = view(source.text, start, end, min(focus, end), frame.columns)
    yield frame.row(shown.text.rstrip(), number)
    for row in drawing([underline(m, shown, end) for m in marks]):
        yield frame.row(joined(row, frame))


def line_bounds(source: Source, number: int) -> tuple[int, int]:
    """Offsets of a line (counted from 1) without its line end."""
    start = source.line_starts[number - 1]
    if number == len(source.line_starts):
        return start, len(source.text)
    end = source.line_starts[number] - 1
    return start, end - 1 if source.text.endswith("\r", start, end) else end


def underline(mark: Mark, shown: View, line_end: int) -> Underline:
    """Columns of a mark; one that goes on in the next line ends with this one."""
    start = shown.column(min(mark.start, line_end))
    end = shown.column(min(mark.end, line_end))
    return Underline(start, max(end, start + 1), mark.sign, mark.text)


def drawing(underlines: list[Underline]) -> Iterator[list[Underline]]:
    """The rows under a source line, each a list of pieces from left to right.

    The text of the underline that ends last stands beside it, the others hang below theirs, right to left.
    """
    last = max(underlines, key=lambda u: (u.end, u.start))
    beside = [Underline(last.end + 1, last.end + 2, last.sign, last.text)] if last.text else []
    yield signs(underlines) + beside
    hanging = sorted((u for u in underlines if u.text and u is not last), key=lambda u: (u.start, u.sign == "^"))
    if hanging:
        yield stems(hanging)
    while hanging:
        lowest = hanging.pop()
        yield [*stems([u for u in hanging if u.start < lowest.start]), lowest]


def signs(underlines: list[Underline]) -> list[Underline]:
    """The underlining itself; a short one is drawn over a long one, the fault over the rest."""
    cells = [" "] * max(u.end for u in underlines)
    for u in sorted(underlines, key=lambda u: (u.start - u.end, u.sign == "^")):
        cells[u.start : u.end] = u.sign * (u.end - u.start)
    pieces, start = [], 0
    for sign, run in groupby(cells):
        text = "".join(run)
        pieces.append(Underline(start, start + len(text), sign, text))
        start += len(text)
    return [piece for piece in pieces if piece.sign != " "]


def stems(hanging: list[Underline]) -> list[Underline]:
    """The strokes that lead from underlines down to their texts; the fault's where two stand at one column."""
    by_column = {u.start: u.sign for u in sorted(hanging, key=lambda u: u.sign == "^")}
    return [Underline(column, column + 1, sign, "|") for column, sign in sorted(by_column.items())]


def joined(pieces: list[Underline], frame: Frame) -> str:
    """Pieces as one line of text, each at its column. Only the last may hold anything but signs, so lengths are columns."""
    row, column = "", 0
    for piece in pieces:
        row += " " * (piece.start - column) + frame.paint(piece.text, piece.sign)
        column = piece.start + len(piece.text)
    return row


def remark(kind: str, text: str, frame: Frame) -> Iterator[str]:
    """A note or help; its further lines stand under the first."""
    margin = " " * (frame.digits + 2)
    first, *more = text.split("\n")
    yield f"{margin}{frame.paint('=', 'frame')} {frame.paint(f'{kind}:', 'bold')} {printable(first)}".rstrip()
    for line in more:
        yield f"{margin}  {' ' * len(kind)}  {printable(line)}".rstrip()


def to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The object of `--json`. Lines and columns count characters from 1, the end is exclusive; without a place they are null.

    What stands beside the places is in `notes`, before the notes, as `file:line:column: text`.
    """
    span = diagnostic.span
    start, end = inside(span) if span else (0, 0)
    line, column = span.source.position(start) if span else (None, None)
    end_line, end_column = span.source.position(end) if span else (None, None)
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": span.source.name if span else diagnostic.file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "notes": [*placed_texts(diagnostic), *diagnostic.notes],
        "help": list(diagnostic.help) or None,
    }


def placed_texts(diagnostic: Diagnostic) -> Iterator[str]:
    """What stands beside the marks, with their places."""
    primary = [(diagnostic.span, diagnostic.text)] if diagnostic.span else []
    for span, text in [*primary, *((label.span, label.text) for label in diagnostic.labels)]:
        if text:
            line, column = span.source.position(inside(span)[0])
            yield f"{span.source.name}:{line}:{column}: {text}"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty where there is neither."""
    severities = [d.severity for d in diagnostics]
    counts = [(severities.count(kind), kind) for kind in ("error", "warning")]
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for n, kind in counts if n)
