"""Text to tokens: one regular expression, made of the grammar's terminals. Comments and documentation are kept aside."""

import re
from dataclasses import dataclass, field
from functools import cache

from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.source import Source, Span
from tensorlogic.syntax.ast import Comment
from tensorlogic.syntax.grammar import tables

MAX_TOKENS = 1_000_000
MAX_DIGITS = 4_300
ERROR = "ERROR"  # the kind of a token that has been complained about: its statement is dropped
END_OF_TEXT = "$END"

STRAY = re.compile(r'[0-9]\w*(?:\.\w+)?|"[^\n]*')
BLOCK_COMMENT_EDGE = re.compile(r"/\*|\*/")
SPACE = re.compile(r"[ \t\r\f\v]*")


class Token:
    """`kind` is the grammar's name. `fresh`: first on its line. `partner`: the place of the closing bracket among the tokens."""

    __slots__ = ("end", "fresh", "kind", "partner", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int, fresh: bool = False):
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.fresh = fresh
        self.partner = 0

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"


@dataclass
class Scan:
    """What a text holds. `docs` has the `///` lines before a token by the token's offset."""

    source: Source
    problems: Problems
    tokens: list[Token] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    docs: dict[int, str] = field(default_factory=dict)
    open_string: bool = False  # a string was left open: the next stray quote is the one that should have closed it

    def complain(self, code: str, message: str, start: int, end: int, *help: str) -> None:
        self.problems.add(Diagnostic(code, message, Span(self.source, start, end), help=help))


@cache
def master() -> re.Pattern[str]:
    """Every token, the longest symbols first; `group` names are the sorts that `scan` tells apart."""
    known = tables()
    symbols = "|".join(re.escape(s) for s in sorted(known.symbols, key=len, reverse=True))
    numbers_and_names = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in known.patterns.items())
    return re.compile(rf"(?P<LINE>\n)|(?P<COMMENT>//[^\n]*)|(?P<BLOCK_COMMENT>/\*)|{numbers_and_names}|(?P<SYMBOL>{symbols})")


def scan(source: Source, problems: Problems) -> Scan:
    """All tokens of a text, in order, the last of kind END_OF_TEXT."""
    result = Scan(source, problems)
    text, tokens = source.text, result.tokens
    match, skip, symbols, words = master().match, SPACE.match, tables().symbols, tables().words
    at = 1 if text.startswith("\ufeff") else 0
    size, fresh, clean = len(text), True, True
    pending: list[str] = []
    while True:
        at = skip(text, at).end()  # type: ignore[union-attr]
        if at >= size or len(tokens) > MAX_TOKENS:
            break
        found = match(text, at)
        sort = found.lastgroup if found else None
        if found is None or sort is None:
            end = stray(result, at, fresh)
        elif sort == "LINE":
            fresh = clean = True
            at = found.end()
            continue
        elif sort == "COMMENT" or sort == "BLOCK_COMMENT":
            at = comment(result, found, clean, pending)
            clean = False
            continue
        else:
            end = found.end()
            word = text[at:end]
            kind = symbols[word] if sort == "SYMBOL" else words.get(word, sort) if sort == "NAME" else sort
            tokens.append(Token(kind, word, at, end, fresh))
            if sort != "SYMBOL":
                check(result, tokens[-1])
        if pending:
            result.docs[at] = "\n".join(pending)
            pending.clear()
        at, fresh, clean = end, False, False
    finish(result, at)
    return result


def finish(result: Scan, at: int) -> None:
    if len(result.tokens) > MAX_TOKENS:
        result.complain("TL0104", f"a program has at most {MAX_TOKENS:,} tokens", at, at + 1, "split it into files and import them")
        result.tokens.clear()
    end = len(result.source.text)
    result.tokens.append(Token(END_OF_TEXT, "", end, end, True))


def comment(result: Scan, found: re.Match[str], clean: bool, pending: list[str]) -> int:
    """Files a comment away; the offset after it. `///` alone on its line is documentation of what follows."""
    text, start = result.source.text, found.start()
    end = found.end() if found.lastgroup == "COMMENT" else block_comment_end(result, start)
    written = text[start:end].rstrip("\r")
    result.comments.append(Comment(Span(result.source, start, start + len(written)), written, clean))
    if clean and written.startswith("///") and not written.startswith("////"):
        pending.append(written[3:].removeprefix(" ").rstrip())
    return end


def block_comment_end(result: Scan, start: int) -> int:
    """Block comments nest."""
    depth = 0
    for edge in BLOCK_COMMENT_EDGE.finditer(result.source.text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    result.complain("TL0102", "this comment is never closed", start, start + 2, "end it with `*/`")
    return len(result.source.text)


def check(result: Scan, token: Token) -> None:
    """What the patterns let through and the language does not."""
    text = token.text
    if token.kind == "INT" and len(text) > MAX_DIGITS:
        result.complain("TL0104", f"an integer has at most {MAX_DIGITS:,} digits", token.start, token.end)
        token.text = "0"
    elif token.kind == "NAME" and not text.isascii() and not text.rstrip("'").isidentifier():
        bad = next((c for c in text if not ("a" + c).isidentifier()), text[0])
        at = token.start + text.index(bad)
        result.complain("TL0101", f"`{shown(bad)}` cannot be in a name", at, at + 1, "names are made of letters, digits and `_`")
        token.kind = ERROR


def stray(result: Scan, at: int, fresh: bool) -> int:
    """A place where no token fits: a bad number, an open string, or a character that means nothing. The offset after it."""
    text = result.source.text
    found = STRAY.match(text, at)
    if found is None:
        return strange_character(result, at, fresh)
    word = found.group().rstrip("\r")
    end = at + len(word)
    if word[0] == '"':
        end = open_string(result, at, end)
        result.tokens.append(Token(ERROR, word, at, end, fresh))
    else:
        result.complain("TL0103", f"`{shown(word)}` is not a number", at, end, *number_advice(word))
        result.tokens.append(Token("INT", "0", at, end, fresh))
    return end


def open_string(result: Scan, at: int, end: int) -> int:
    """Reports a string without an end; the offset where reading goes on."""
    if result.source.text.startswith('"""', at):
        result.complain("TL0103", "this string is never closed", at, at + 3, 'end it with `"""`')
        return len(result.source.text)
    if not result.open_string:
        result.complain("TL0103", "this string is never closed", at, end, 'end it with `"`; a string over lines is written `"""..."""`')
    result.open_string = not result.open_string
    return end


def number_advice(word: str) -> tuple[str, ...]:
    if word[:2] in ("0b", "0o", "0B", "0O"):
        return ("write it in decimal, or in hexadecimal as `0xff`",)
    if re.fullmatch(r"[0-9]+[^\W\d]\w*", word):
        digits = re.match(r"[0-9]+", word).group()  # type: ignore[union-attr]
        return (f"a name does not begin with a digit; for a product write `{digits} * {shown(word[len(digits) :])}`",)
    return ()


ADVICE = {
    "'": "strings are written with double quotes, and a prime directly follows an index name",
    "#": "a comment begins with `//`",
    "$": "`$` means nothing here",
    "&": "write `and`",
    "~": "write `not`",
    "^": "a power is written `**`",
    "`": "strings are written with double quotes",
    "\\": "lines go on after an operator or inside brackets, without a backslash",
    "\u201c": 'strings are written with straight quotes, `"`',
    "\u201d": 'strings are written with straight quotes, `"`',
    "\u00a0": "this is a no-break space: write an ordinary one",
    "\u00d7": "write `*`",
    "\u2212": "write `-`",
    "\u2192": "write `->`",
}


def strange_character(result: Scan, at: int, fresh: bool) -> int:
    character = result.source.text[at]
    advice = (ADVICE[character],) if character in ADVICE else ()
    result.complain("TL0101", f"`{shown(character)}` does not belong in a program", at, at + 1, *advice)
    result.tokens.append(Token(ERROR, character, at, at + 1, fresh))
    return at + 1


def shown(text: str) -> str:
    """Text from a program, fit for a message: short and printable."""
    safe = "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text[:40])
    return safe + "..." if len(text) > 40 else safe
