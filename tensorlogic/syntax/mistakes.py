"""What a syntax error is called, for people: from the token where the parser stopped, what stands before it, and what could stand there.

`MISTAKES` are tried in order; each looks at one kind of mistake and answers with a `Finding`, or None if it is another kind.
"""

from collections.abc import Callable, Set

from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.record import record
from tensorlogic.source import Source, Span
from tensorlogic.syntax.driver import SyntaxMistake
from tensorlogic.syntax.grammar import tables
from tensorlogic.syntax.tokens import END_OF_TEXT, ERROR, Token, shown
from tensorlogic.syntax.words import ASSIGNMENTS, BINARY, COMPARISONS, HEADERS, OPERANDS, kinds

MAX_MISTAKES = 20
ENDS = frozenset(("_END", "RBRACE", END_OF_TEXT))
LOOSER = ASSIGNMENTS | kinds("AND OR AND_AND BAR_BAR _COMMA COLON WHERE ASSERT IF WHILE RETURN FAT_ARROW _LAMBDA_BAR")
PYTHON_IMPORT = 'functions and layers need no import; `import "layers.tl"` reads a file, `python import numpy as np` a Python module'
ELSEWHERE = {
    "def": "a function begins with `fn`",
    "func": "a function begins with `fn`",
    "function": "a function begins with `fn`",
    "class": "write `struct` or `model`",
    "var": "write `let`",
    "val": "write `let`",
    "mut": "every variable can be assigned to: leave `mut` out",
    "elif": "write `else if`",
    "elsif": "write `else if`",
    "lambda": "a lambda is written `|x| x * 2`",
    "pub": "everything can be imported: leave `pub` out",
    "switch": "write `match`",
    "case": "an arm of a `match` is `1 => a`",
    "do": "write `loop` or `while`",
    "foreach": "write `for x in list`",
    "del": "variables end with their block",
    "try": "there are no exceptions to catch",
    "except": "there are no exceptions to catch",
    "raise": 'a program stops with `panic("...")`',
    "with": "a block without gradients is `no_grad { ... }`",
    "global": "a variable is assigned to as it is: leave `global` out",
    "type": "write `struct`",
    "enum": "write `struct`",
    "using": "write `import`",
    "include": "write `import`",
    "from": PYTHON_IMPORT,
    "async": "there is no `async`",
    "is": "write `==`",
    "xor": "write `!=`",
}


@record
class Finding:
    """A message about the tokens from `at` to `until`."""

    message: str
    at: Token
    help: str = ""


@record
class Place:
    """Where the parser stopped. `first` begins the statement; `expected` are the kinds that could have followed."""

    tokens: list[Token]
    first: int
    index: int
    expected: Set[str]

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def before(self) -> Token | None:
        """The token before, within the statement."""
        before = self.tokens[self.index - 1] if self.index > self.first else None
        return before if before and before.kind != "_END" else None

    @property
    def after(self) -> Token:
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    @property
    def begin(self) -> Token:
        return self.tokens[self.first]

    @property
    def wants_value(self) -> bool:
        return "INT" in self.expected and "LPAR" in self.expected

    @property
    def wants_type(self) -> bool:
        return "FN" in self.expected and "NAME" in self.expected and not self.wants_value

    @property
    def wants_name(self) -> bool:
        return "NAME" in self.expected and not self.wants_value and not self.wants_type


def said(token: Token) -> str:
    """A token as a message shows it."""
    if token.kind == END_OF_TEXT:
        return "the end of the file"
    if token.kind == "_END":
        return "`;`" if token.text else "the end of the line"
    text = token.text.splitlines()[0] if token.text else token.text
    return f"`{shown(text)}`"


def leading_operator(place: Place) -> Finding | None:
    token = place.token
    if place.before or token.kind not in BINARY | ASSIGNMENTS:
        return None
    if not token.fresh or place.index == 0:
        return Finding(f"a statement cannot begin with {said(token)}", token)
    return Finding(f"a line cannot begin with {said(token)}", token, f"end the line before with the operator: `... {token.text}`")


def reserved_word(place: Place) -> Finding | None:
    token = place.token
    if token.kind not in tables().words.values():
        return None
    named = place.after.kind in ASSIGNMENTS or place.after.kind in ("COLON", "_COMMA", "RPAR")
    if (not place.before and named) or (place.before and place.wants_name) or (place.wants_value and place.before and not token.fresh):
        return Finding(f"{said(token)} is a reserved word and cannot be a name", token, "choose another name")
    return Finding("this `else` has no `if` before it", token) if token.kind == "ELSE" else None


def chained_comparison(place: Place) -> Finding | None:
    if place.token.kind not in COMPARISONS:
        return None
    index, depth = place.index - 1, 0
    while index >= place.first:
        kind = place.tokens[index].kind
        depth += (kind in ("RPAR", "RSQB", "RBRACE")) - (kind in ("LPAR", "LSQB", "LBRACE"))
        if depth < 0 or (depth == 0 and kind in LOOSER):
            return None
        if depth == 0 and kind in COMPARISONS:
            return Finding("comparisons are not chained", place.token, "write `a < b and b < c`")
        index -= 1
    return None


def borrowed_word(place: Place) -> Finding | None:
    """A keyword of another language, where two names stand side by side."""
    for token in (place.before, place.token):
        advice = ELSEWHERE.get(token.text) if token and token.kind == "NAME" else None
        if advice and token:
            return Finding(f"{said(token)} is not a keyword here", token, advice)
    return None


def text_with_holes(place: Place) -> Finding | None:
    """`f"..."` of Python."""
    before, token = place.before, place.token
    if before and before.text == "f" and token.kind == "STRING" and token.start == before.end:
        return Finding("there are no f-strings", before, 'write `format("{} of {}", a, b)`')
    return None


def python_block(place: Place) -> Finding | None:
    if place.token.kind == "COLON" and place.begin.kind in HEADERS | {"ELSE"} and place.before and "LBRACE" in place.expected:
        return Finding("a block stands in braces", place.token, f"write `{place.begin.text} ... {{ ... }}`")
    return None


def declaration_without_let(place: Place) -> Finding | None:
    token = place.token
    if token.kind != "COLON":
        return None
    if place.after.kind == "MINUS" and place.after.start == token.end:
        return Finding("a rule is written with `<-`", token, "write `ancestor(x, y) <- parent(x, y)`")
    if place.index == place.first + 1 and place.begin.kind == "NAME":
        return Finding("a declaration begins with `let`", token, f"write `let {shown(place.begin.text)}: ...`")
    return None


def import_of_python(place: Place) -> Finding | None:
    """`import torch`"""
    if place.before and place.before.kind == "IMPORT" and place.token.kind == "NAME":
        return Finding(f"`import` reads a file, and {said(place.token)} is none", place.token, PYTHON_IMPORT)
    return None


def decorator(place: Place) -> Finding | None:
    """`@torch.no_grad()`"""
    if place.before or place.token.kind != "AT" or place.after.kind != "NAME":
        return None
    return Finding("there are no decorators", place.token, "a block without gradients is `no_grad { ... }`")


def comprehension(place: Place) -> Finding | None:
    """`[f(x) for x in xs]`"""
    if place.token.kind != "FOR" or not place.before or place.before.kind not in OPERANDS or place.token.fresh:
        return None
    return Finding("there are no comprehensions", place.token, "write `xs.map(|x| x * 2)`, `xs.filter(|x| x > 0)`")


def several_without_parentheses(place: Place) -> Finding | None:
    """`let a, b = f(x)`"""
    if place.token.kind != "_COMMA" or place.begin.kind != "LET" or not place.before or place.before.kind not in OPERANDS:
        return None
    return Finding("several values stand in parentheses", place.token, "write `let (a, b) = (1, 2)`")


def update_operator(place: Place) -> Finding | None:
    """`x **= 2`"""
    before, token = place.before, place.token
    if not before or before.kind not in ("STAR_STAR", "PERCENT", "AT") or token.start != before.end:
        return None
    if token.kind not in ("EQUAL", "EQUAL_EQUAL"):
        return None
    return Finding(f"there is no `{before.text}=`", before, f"write `x = x {before.text} y`")


def assignment_inside(place: Place) -> Finding | None:
    token = place.token
    if token.kind not in ASSIGNMENTS or not place.before:
        return None
    if place.begin.kind == "FOR":
        return Finding(f"a loop is written with `in`, not {said(token)}", token, "write `for i in 0..n`")
    if place.before.kind in OPERANDS:
        return Finding(f"{said(token)} cannot stand inside an expression", token, "to compare write `==`" if token.kind == "EQUAL" else "")
    return None


def ternary(place: Place) -> Finding | None:
    before = place.before
    if before and before.kind in OPERANDS and place.token.kind == "IF" and not place.token.fresh:
        return Finding("there is no `a if c else b`", place.token, "write `if c { a } else { b }`")
    if before and before.kind == "QUESTION" and place.token.kind in OPERANDS | {"LPAR", "MINUS", "LSQB"} and place.token.kind != "RPAR":
        return Finding("there is no `c ? a : b`", before, "write `if c { a } else { b }`")
    return None


def missing_body(place: Place) -> Finding | None:
    before = place.before
    if before and before.kind == "ELSE":
        return Finding("a block must follow `else`", before, "write `else { ... }` or `else if c { ... }`")
    if before and place.token.kind in ENDS and "LBRACE" in place.expected and place.begin.kind in HEADERS:
        return Finding(f"the block of this `{place.begin.text}` is missing", place.begin, "a block is written `{ ... }`")
    return None


def missing_value(place: Place) -> Finding | None:
    """After an operator, a comma or a keyword nothing follows that could be meant."""
    before, token = place.before, place.token
    if before is None or not (place.wants_value or place.wants_type or place.wants_name):
        return None
    what = "a value" if place.wants_value else "a type" if place.wants_type else "a name"
    if token.text == before.text and token.text in ("+", "-"):
        return Finding(f"there is no operator `{token.text * 2}`", token, f"write `x {token.text}= 1`")
    headless = token.kind in ("LBRACE", "_SET_OPEN") and place.begin.kind in HEADERS
    if token.kind in ENDS or token.fresh or headless or token.kind in ("RPAR", "RSQB", "_COMMA", "EQUAL"):
        return Finding(f"{what} is missing after {said(before)}", before)
    if place.wants_value and token.kind in BINARY | ASSIGNMENTS:
        return Finding(f"a value is missing between {said(before)} and {said(token)}", token)
    if not place.wants_value:
        return Finding(f"{said(token)} cannot stand here: {what} must follow {said(before)}", token)
    return None


def two_operands(place: Place) -> Finding | None:
    before, token = place.before, place.token
    starts = token.kind in ("NAME", "INT", "FLOAT", "STRING", "TRUE", "FALSE") or token.kind in tables().words.values()
    if before is None or before.kind not in OPERANDS or not starts:
        return None
    if token.kind == "JUXTAPOSITION":
        token = place.after
    help = "put an operator or a comma between them, or begin a new line"
    return Finding(f"{said(token)} cannot follow {said(before)} directly", token, help)


def one_thing_fits(place: Place) -> Finding | None:
    """Where one symbol or word is the only way on, it is what is missing."""
    before = place.before
    names = {kind: f"`{text}`" for group in (tables().symbols, tables().words) for text, kind in group.items()}
    names["STRING"] = "a string in double quotes"
    wanted = [names[kind] for kind in place.expected if kind in names]
    if before is None or not wanted or len(place.expected) > 1:
        return None
    return Finding(f"{wanted[0]} is missing after {said(before)}", before if place.token.kind in ENDS else place.token)


def anything_else(place: Place) -> Finding:
    token = place.token
    if token.kind in ENDS and place.before:
        return Finding(f"something is missing after {said(place.before)}", place.before)
    if token.kind == "LBRACE" and not token.fresh:
        return Finding("`{` cannot stand here", token, "a struct literal begins with its name, and a set follows `in`")
    if token.kind == "EQUAL_EQUAL":
        return Finding("`==` cannot stand here", token, "to define or assign write `=`")
    return Finding(f"{said(token)} cannot stand here", token)


MISTAKES: tuple[Callable[[Place], Finding | None], ...] = (
    reserved_word, decorator, leading_operator, chained_comparison, borrowed_word, text_with_holes, python_block, declaration_without_let,
    import_of_python, comprehension, several_without_parentheses, update_operator,
    one_thing_fits, assignment_inside, ternary, missing_body, missing_value, two_operands, anything_else,
)  # fmt: skip


class Reporter:
    """Turns each mistake into one diagnostic, and is silent about what only follows from another one."""

    def __init__(self, source: Source, tokens: list[Token], problems: Problems):
        self.source = source
        self.tokens = tokens
        self.problems = problems
        self.last = -1  # the token of the mistake before
        self.count = 0

    def __call__(self, first: int, index: int, after: int, mistake: SyntaxMistake | None, expected: Set[str]) -> None:
        follows = first <= self.last
        self.last = index
        if follows or self.count >= MAX_MISTAKES or any(self.tokens[i].kind == ERROR for i in range(first, after + 1)):
            return
        self.count += 1
        if mistake:
            self.problems.add(Diagnostic("TL0101", mistake.message, mistake.span, help=mistake.help))
            return
        place = Place(self.tokens, first, index, expected)
        found = next(f for f in (look(place) for look in MISTAKES) if f)
        span = Span(self.source, found.at.start, found.at.end)
        self.problems.add(Diagnostic("TL0101", found.message, span, help=(found.help,) if found.help else ()))
