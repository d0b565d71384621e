"""From tokens to the tokens the grammar reads: where statements end, what a brace, a bar or a word is here.

One pass over the list with the whole line in view. The kinds it assigns are the ones declared at the top of the grammar file.
"""

from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.source import Span
from tensorlogic.syntax.tokens import END_OF_TEXT, ERROR, Scan, Token
from tensorlogic.syntax.words import (
    CONTINUES,
    DECLARATIONS,
    DECLARING_WORDS,
    HEADERS,
    NEVER_IN_BRACKETS,
    OPERANDS,
    RESTARTS,
    closing_angles,
    is_keyword_here,
)

END = "_END"
MAX_DEPTH = 200


class Frame:
    """An open bracket, or the file itself. `base` is how deep it stands; the counters are of what nests without brackets."""

    __slots__ = (
        "base", "block", "chain", "headers", "index", "lambdas", "long", "opening", "owner", "place", "postfix", "start", "tainted",
    )  # fmt: skip

    def __init__(self, opening: Token | None, place: int, base: int, block: bool = False, index: bool = False, owner: str = ""):
        self.opening = opening
        self.place = place  # of the opening bracket among the tokens given out
        self.base = base
        self.start = 0  # of the statement it stands in
        self.block = block  # lines count in it
        self.index = index  # the brackets of `x[...]`
        self.owner = owner  # the keyword whose block this is
        self.headers: list[str] = []  # keywords that wait for their `{`
        self.lambdas = 0  # bars that wait for their second bar
        self.chain = self.long = self.postfix = 0
        self.tainted = False

    def depth(self) -> int:
        return self.base + self.chain + self.long + self.postfix


class Layout:
    """`run` gives the tokens for the parser. Unclosed and stray brackets are reported here, and put right for the parser."""

    def __init__(self, scan: Scan):
        self.scan = scan
        self.raw = scan.tokens
        self.out: list[Token] = []
        self.frame = Frame(None, -1, 0, block=True)
        self.frames: list[Frame] = []
        self.start = 0  # of the current statement among the tokens given out
        self.last_group = -1  # the opening place of the bracket closed last
        self.ended = False  # a declaration ended with its brace
        self.generic_ends: set[int] = set()
        self.too_deep = False

    def run(self) -> list[Token]:
        for number, token in enumerate(self.raw):
            if token.kind == END_OF_TEXT:
                break
            if self.too_deep:
                return [self.raw[-1]]
            if token.fresh and self.out:
                self.line_begins(number, token)
            if self.ended:
                self.end_statement(token.start)
            self.take(number, token)
        self.close_all()
        return self.out

    # --- statements ---

    def previous(self) -> str:
        return self.out[-1].kind if self.out else END

    def begins_with(self) -> str:
        """The kind of the current statement's first token."""
        return self.out[self.start].kind if self.start < len(self.out) else END

    def at_start(self) -> bool:
        kind = self.previous()
        return kind == END or (kind == "LBRACE" and self.frame.block and self.frame.place == len(self.out) - 1)

    def line_begins(self, number: int, token: Token) -> None:
        if self.frames and not self.frame.block:
            self.look_for_unclosed(number, token)
        if self.frame.block and not self.goes_on(number, token):
            self.end_statement(self.out[-1].end)

    def goes_on(self, number: int, token: Token) -> bool:
        """Whether a new line belongs to the statement before it."""
        following = self.raw[number + 1]
        if token.kind in NEVER_IN_BRACKETS and self.previous() != "FAT_ARROW":
            return False
        match token.kind:
            case "DOT":
                return following.text[:1].isidentifier()
            case "ELSE" | "ARROW":
                return True
            case "WHERE":
                return following.kind != "LPAR" or following.start != token.end
            case "LBRACE" if self.frame.headers:
                return True
        return self.previous() in CONTINUES

    def end_statement(self, at: int, until: int = 0) -> None:
        self.ended = False
        self.frame.headers.clear()
        self.frame.chain = self.frame.long = self.frame.postfix = self.frame.lambdas = 0
        if not self.at_start():
            self.out.append(Token(END, ";" if until else "", at, until or at))
        self.start = len(self.out)

    # --- single tokens ---

    def take(self, number: int, token: Token) -> None:
        match token.kind:
            case "NAME":
                self.name(number, token)
            case "LPAR" | "LSQB":
                self.open_bracket(token)
            case "LBRACE":
                self.brace(number, token)
            case "RPAR" | "RSQB" | "RBRACE":
                self.close_bracket(token)
            case "SEMICOLON" if self.frame.block:
                self.end_statement(token.start, token.end)
            case "BAR" | "BAR_BAR":
                self.bar(token)
            case "LESS" | "GREATER":
                self.angle(number, token)
            case "MINUS" if self.previous() == "RULE_ARROW" and self.out[-1].end == token.end:
                return  # the second half of `<-`
            case "COLON_COLON" if self.frame.index:
                self.give(Token("COLON", ":", token.start, token.start + 1))
                self.give(Token("COLON", ":", token.start + 1, token.end))
            case "DOT" if self.raw[number + 1].kind in ("_COMMA", "RSQB"):
                self.give(token, "_DOT_INDEX")
            case "EQUAL" if self.out and self.out[-1].text in ("max", "min") and self.selective(token):
                name = self.out.pop()
                kind = "MAX_ASSIGN" if name.text == "max" else "MIN_ASSIGN"
                self.give(Token(kind, name.text + "=", name.start, token.end))
            case _:
                self.other(number, token)

    def selective(self, token: Token) -> bool:
        """`max=` after the target of a statement; elsewhere `max` is a name and `=` what it is."""
        touches = self.out[-1].end == token.start
        return touches and self.frame.block and len(self.out) > 1 and self.out[-2].kind in ("RPAR", "RSQB", "NAME", "QUESTION")

    def other(self, number: int, token: Token) -> None:
        kind = token.kind
        member = self.previous() in ("DOT", "COLON_COLON") and token.text.isidentifier()
        if member or (kind == "WHERE" and self.is_builtin_where(number)):
            kind = "NAME"
        elif kind in HEADERS and not (kind == "FN" and self.raw[number + 1].kind == "LPAR"):
            self.header(number, kind)
        elif kind == "ELSE":
            self.frame.headers.append("ELSE") if self.raw[number + 1].kind == "LBRACE" else None
        elif kind == "FAT_ARROW":
            self.frame.headers.clear()
        elif kind == ERROR:
            self.taint()
        self.give(token, kind)

    def is_builtin_where(self, number: int) -> bool:
        """`where(c, a, b)` where a value may stand; after a value `where` begins a clause."""
        return self.raw[number + 1].kind == "LPAR" and (self.at_start() or self.previous() not in OPERANDS)

    def header(self, number: int, kind: str) -> None:
        guard = kind == "IF" and self.frame.owner == "MATCH" and self.frame.block and self.previous() in OPERANDS
        if not guard:
            self.frame.headers.append(kind)

    def name(self, number: int, token: Token) -> None:
        before = self.previous()
        if before in ("DOT", "COLON_COLON"):
            return self.give(token)
        following, second = self.raw[number + 1], self.raw[min(number + 2, len(self.raw) - 1)]
        keyword = is_keyword_here(self, number, token)
        if keyword:
            if keyword in HEADERS:
                self.frame.headers.append(keyword)
            return self.give(token, keyword)
        if before in OPERANDS and before != "RBRACE" and following.kind == "LSQB" and second.kind != END_OF_TEXT:
            self.give(Token("JUXTAPOSITION", "", token.start, token.start))
        self.give(token)

    def bar(self, token: Token) -> None:
        if self.frame.lambdas and token.kind == "BAR":
            self.frame.lambdas -= 1
            return self.give(token, "_LAMBDA_BAR")
        if self.previous() in OPERANDS and not self.at_start():
            return self.give(token)
        self.frame.long += 1
        if token.kind == "BAR":
            self.frame.lambdas += 1
            return self.give(token, "_LAMBDA_BAR")
        self.give(token, "_LAMBDA_EMPTY")

    # --- angle brackets ---

    def angle(self, number: int, token: Token) -> None:
        if number in self.generic_ends:
            return self.give(token, "_GENERIC_CLOSE")
        if token.kind == "LESS" and self.is_rule_head(number, token):
            return self.give(Token("RULE_ARROW", "<-", token.start, token.end + 1))
        if token.kind == "LESS" and self.is_generic(number, token):
            return self.give(token, "_GENERIC_OPEN")
        self.give(token)

    def is_rule_head(self, number: int, token: Token) -> bool:
        following = self.raw[number + 1]
        if following.kind != "MINUS" or following.start != token.end or not self.frame.block:
            return False
        return self.previous() == "RPAR" and self.begins_with() == "NAME" and self.last_group == self.start + 1

    def is_generic(self, number: int, token: Token) -> bool:
        """`NAME<...>`: nothing but a type may stand between the angles, and no operand after them, but for a call."""
        declared = len(self.out) > 1 and self.out[-2].kind in ("FN", "STRUCT", "IMPL")
        if self.previous() != "NAME" or (self.out[-1].end != token.start and not declared):
            return False
        ends = closing_angles(self.raw, number)
        self.generic_ends.update(ends)
        return bool(ends)

    # --- brackets ---

    def open_bracket(self, token: Token) -> None:
        postfix = self.previous() in OPERANDS and not self.at_start()
        if postfix:
            self.frame.postfix += 1
        self.push(token, token.kind, Frame(token, len(self.out), self.frame.depth() + 1, index=postfix and token.kind == "LSQB"))

    def brace(self, number: int, token: Token) -> None:
        kind, owner = self.brace_kind(number)
        block = kind == "LBRACE"
        self.push(token, kind, Frame(token, len(self.out), self.frame.depth() + 1, block=block, owner=owner))
        if block:
            self.start = len(self.out)

    def brace_kind(self, number: int) -> tuple[str, str]:
        before = self.previous()
        if before in ("FAT_ARROW", "_LAMBDA_EMPTY") or (before == "_LAMBDA_BAR" and not self.frame.lambdas):
            return "LBRACE", ""
        if before == "IN" or (before == "EQUAL" and self.begins_with() == "ENTITY"):
            return "_SET_OPEN", ""
        if self.frame.headers:
            return "LBRACE", self.frame.headers.pop()
        if before == "NAME" and not self.at_start():
            return "_STRUCT_OPEN", ""
        following, second = self.raw[number + 1], self.raw[min(number + 2, len(self.raw) - 1)]
        if not self.at_start() and (second.kind == "COLON" or following.kind == "RBRACE"):
            return "_DICT_OPEN", ""
        return "LBRACE", ""

    def push(self, token: Token, kind: str, frame: Frame) -> None:
        self.give(token, kind)
        frame.start = self.start
        self.frames.append(self.frame)
        self.frame = frame
        if frame.base > MAX_DEPTH:
            self.report_depth(token)

    def close_bracket(self, token: Token) -> None:
        opening = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}[token.kind]
        while self.frames and bracket_of(self.frame) != opening:
            if not any(bracket_of(f) == opening for f in self.frames) or (self.frame.block and token.kind != "RBRACE"):
                return self.stray(token)
            self.unclosed(token.start)
        if not self.frames:
            return self.stray(token)
        if self.frame.block:
            self.frame.headers.clear()
            if self.out[-1].kind == END:
                self.out.pop()
        self.pop(token)

    def pop(self, token: Token) -> None:
        closed = self.frame
        self.frame = self.frames.pop()
        assert closed.opening is not None
        closed.opening.partner = len(self.out)
        self.last_group = closed.place
        self.give(token)
        self.ended = closed.owner in DECLARATIONS
        self.start = closed.start

    def stray(self, token: Token) -> None:
        self.scan.complain("TL0101", f"this `{token.text}` closes nothing", token.start, token.end)
        self.taint()
        self.give(token, ERROR)

    def taint(self) -> None:
        """A mistake inside brackets was reported: that they are not closed is its consequence."""
        for frame in (self.frame, *self.frames):
            if frame.block:
                return
            frame.tainted = True

    def look_for_unclosed(self, number: int, token: Token) -> None:
        """A line that can only begin a statement shows that a bracket before it was not closed."""
        following = self.raw[number + 1]
        begins = token.kind in NEVER_IN_BRACKETS or (token.kind == "FN" and following.kind == "NAME")
        begins = begins or (token.text in DECLARING_WORDS and following.kind == "NAME" and self.previous() != "_COMMA")
        while self.frames and not self.frame.block and (begins or self.frame.tainted):
            self.unclosed(self.out[-1].end)

    def unclosed(self, at: int) -> None:
        """Reports the innermost bracket as unclosed, and closes it so that its statement is dropped and the rest is read."""
        frame = self.frame
        opening = frame.opening
        assert opening is not None
        if not frame.tainted:
            where = Span(self.scan.source, opening.start, opening.end)
            end = Label(Span(self.scan.source, at, at), "expected before here")
            self.taint_outer()
            closing = {"(": ")", "[": "]", "{": "}"}[opening.text]
            help = (f"close it with `{closing}`",)
            self.scan.problems.add(Diagnostic("TL0102", f"this `{opening.text}` is never closed", where, labels=(end,), help=help))
        if frame.block and self.out[-1].kind == END:
            self.out.pop()
        self.pop(Token("RBRACE" if bracket_of(frame) == "LBRACE" else ERROR, "", at, at))

    def taint_outer(self) -> None:
        """One missing bracket is one message: the brackets around it on the same statement stay silent."""
        for frame in reversed(self.frames):
            if frame.block:
                return
            frame.tainted = True

    def close_all(self) -> None:
        end = self.raw[-1]
        at = self.out[-1].end if self.out else end.start
        while self.frames:
            self.unclosed(at)
        if self.out and self.out[-1].kind == END:
            self.out.pop()
        self.out.append(end)

    # --- giving out ---

    def give(self, token: Token, kind: str | None = None) -> None:
        if kind:
            token.kind = kind
        self.count(token)
        self.out.append(token)

    def count(self, token: Token) -> None:
        """Counts what nests without brackets: signs, powers, lambdas, `else if`, and the chain of `.name`, calls and indices."""
        frame, kind, before = self.frame, token.kind, self.previous()
        if kind in ("DOT", "COLON_COLON", "QUESTION"):
            frame.postfix += 1
        elif kind in ("STAR_STAR", "BANG", "NOT", "MINUS") and (kind == "STAR_STAR" or before not in OPERANDS):
            frame.chain += 1
        elif kind in RESTARTS:
            frame.chain = frame.postfix = 0
            frame.long = 0 if kind == "_COMMA" else frame.long
        elif kind in ("ARROW", "AS") or (kind == "IF" and before == "ELSE"):
            frame.long += 1
        elif kind == "NAME" and before not in ("DOT", "COLON_COLON"):
            frame.postfix = 0
        if frame.depth() > MAX_DEPTH:
            self.report_depth(token)

    def report_depth(self, token: Token) -> None:
        if not self.too_deep:
            message = f"this nests more than {MAX_DEPTH} levels deep"
            self.scan.complain("TL0104", message, token.start, token.end, "give a part of it a name")
        self.too_deep = True


def bracket_of(frame: Frame) -> str:
    if frame.opening is None:
        return ""
    return {"(": "LPAR", "[": "LSQB", "{": "LBRACE"}[frame.opening.text]


def laid_out(scan: Scan) -> list[Token]:
    """The tokens of a text as the parser reads them."""
    return Layout(scan).run()
