"""Documents, which are text with places where a line may break, and how they are set into a width.

A document knows its width on one line, `INFINITE` if it cannot be on one. Nothing here recurses: documents may nest deep.
"""

from typing import NamedTuple

INFINITE = 1 << 30
WIDTH = 100
STEP = 4


class Concat(NamedTuple):
    parts: tuple["Doc", ...]
    width: int


class Group(NamedTuple):
    """Set on one line where it fits, otherwise all its own lines break."""

    content: "Doc"
    width: int


class Indent(NamedTuple):
    content: "Doc"
    width: int


class Line(NamedTuple):
    """A place where a line may end. With `needs`, only where that many characters do not fit, and never inside a `Gap`."""

    flat: str
    width: int
    needs: int | None = None


class Hard(NamedTuple):
    """The end of a line; `blank` leaves one blank line after it."""

    blank: bool = False
    width: int = INFINITE


class IfBroken(NamedTuple):
    """Text that stands only where its group is broken: a trailing comma."""

    text: str
    width: int = 0


class Remark(NamedTuple):
    """A comment. One that runs to the end of its line moves there: the text up to the next `Line` goes before it."""

    text: str
    ends_line: bool
    width: int


class Choice(NamedTuple):
    """`hugging` where its first `needs` characters fit, otherwise `apart`."""

    hugging: "Doc"
    apart: "Doc"
    needs: int
    width: int


Doc = str | Concat | Group | Indent | Line | Hard | IfBroken | Remark | Choice

SPACE = Line(" ", 1)
SOFT = Line("", 0)
GAP = Line(" ", 1, 0)  # breaks only after a comment that ends its line
TIGHT = Line("", 0, 0)
EMPTY = ""


def width(doc: Doc) -> int:
    if isinstance(doc, str):
        return INFINITE if "\n" in doc else len(doc)
    return doc.width


def concat(*parts: Doc) -> Doc:
    return join_all(parts)


def join_all(parts: tuple[Doc, ...] | list[Doc]) -> Doc:
    return Concat(tuple(parts), min(INFINITE, sum(len(p) if type(p) is str and "\n" not in p else width(p) for p in parts)))


def group(*parts: Doc) -> Doc:
    content = join_all(parts)
    return Group(content, width(content))


def indent(*parts: Doc) -> Doc:
    content = join_all(parts)
    return Indent(content, width(content))


def unbroken(doc: Doc) -> Doc:
    """The document on one line, if a line can hold it: what stands before it breaks instead."""
    return layout(doc) if width(doc) < WIDTH - 2 * STEP else doc


def remark(text: str) -> Remark:
    ends_line = text.startswith("//")
    return Remark(text, ends_line, INFINITE if ends_line or "\n" in text else len(text))


def fill_line(needs: int) -> Line:
    """A space that breaks where the `needs` characters after it do not fit."""
    return Line(" ", 1, needs)


def layout(doc: Doc) -> str:
    """The text of a document, without a line end after it."""
    return _Layout().run(doc)


class _Layout:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.column = 0
        self.indentation = 0
        self.fresh = True  # nothing on this line yet
        self.pending: str | None = None  # a comment that waits for the end of its line
        self.stack: list[tuple[int, bool, Doc]] = []

    def run(self, doc: Doc) -> str:
        stack = self.stack
        stack.append((0, True, doc))
        while stack:
            depth, broken, item = stack.pop()
            if type(item) is str:
                self.text(item)
            elif type(item) is Concat:
                stack.extend([(depth, broken, part) for part in reversed(item.parts)])
            else:
                self.place(depth, broken, item)
        self.flush()
        return "".join(self.out)

    def place(self, depth: int, broken: bool, item: Doc) -> None:
        match item:
            case Line(flat, _, needs):
                self.line(depth, broken, flat, needs)
            case Hard(blank):
                self.newline(depth, blank)
            case Group(content):
                self.stack.append((depth, not self.fits(item.width), content))
            case Indent(content):
                self.stack.append((depth + STEP, broken, content))
            case IfBroken(text):
                self.text(text if broken else "")
            case Remark(text, ends_line):
                self.remark(depth, text, ends_line)
            case Choice(hugging, apart, needs):
                self.choose(depth, item, hugging, apart, needs)

    def choose(self, depth: int, item: Choice, hugging: Doc, apart: Doc, needs: int) -> None:
        if self.fits(item.width) or self.start() + needs <= WIDTH:
            self.stack.append((depth, True, hugging))
        else:
            self.stack.append((depth, True, apart))

    def start(self) -> int:
        return self.indentation if self.fresh else self.column

    def fits(self, needed: int) -> bool:
        """Whether `needed` characters fit, and what follows them up to the next place where the line may break."""
        left = WIDTH - self.start() - needed
        if left < 0:
            return False
        rest = len(self.stack) - 1
        todo: list[tuple[bool, Doc]] = []
        while left >= 0:
            if not todo:
                if rest < 0:
                    return True
                todo.append(self.stack[rest][1:])
                rest -= 1
            broken, item = todo.pop()
            match item:
                case str():
                    left -= len(item.partition("\n")[0])
                    if "\n" in item:
                        return left >= 0
                case Hard():
                    return True
                case Line(flat, _, needs):
                    if broken and needs is None:
                        return True
                    left -= len(flat)
                case Concat(parts):
                    todo.extend([(broken, part) for part in reversed(parts)])
                case Group(content) | Indent(content):
                    todo.append((broken, content))
                case Choice(hugging, apart, needs):
                    if broken and needs <= left:
                        return True
                    todo.append((broken, apart if broken else hugging))
                case Remark(text, ends_line) if not ends_line:
                    left -= len(text)
                case IfBroken(text) if broken:
                    left -= len(text)
        return False

    def line(self, depth: int, broken: bool, flat: str, needs: int | None) -> None:
        if self.pending is not None or (broken and (needs is None or self.column + needs > WIDTH)):
            self.newline(depth, False)
        else:
            self.text(flat)

    def text(self, text: str) -> None:
        if not text:
            return
        if self.fresh:
            self.out.append(" " * self.indentation)
            self.column = self.indentation
            self.fresh = False
        self.out.append(text)
        end = text.rfind("\n")
        self.column = self.column + len(text) if end < 0 else len(text) - end - 1

    def remark(self, depth: int, text: str, ends_line: bool) -> None:
        if self.pending is not None:
            self.newline(depth, False)
        if ends_line:
            self.pending = text
        else:
            self.text(text)

    def newline(self, depth: int, blank: bool) -> None:
        self.flush()
        self.out.append("\n\n" if blank else "\n")
        self.indentation = depth
        self.fresh = True

    def flush(self) -> None:
        """End the line: no space at its end, and the comment that waits for it."""
        if not self.fresh:
            self.out[-1] = self.out[-1].rstrip(" ")
        if self.pending is not None:
            comment, self.pending = self.pending, None
            self.text(comment if self.fresh else "  " + comment)
