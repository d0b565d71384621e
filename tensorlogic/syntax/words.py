"""Which tokens end operands, carry a line on, or open a block; and where a word like `model` is a keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlogic.syntax.tokens import END_OF_TEXT, Token

if TYPE_CHECKING:
    from tensorlogic.syntax.layout import Layout


def kinds(names: str) -> frozenset[str]:
    """A set of token kinds from their names, spaces between."""
    return frozenset(names.split())


CLOSERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
ASSIGNMENTS = kinds("EQUAL COLON_EQUAL PLUS_EQUAL MINUS_EQUAL STAR_EQUAL SLASH_EQUAL MAX_ASSIGN MIN_ASSIGN")
COMPARISONS = kinds("EQUAL_EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL IN")
BINARY = COMPARISONS | kinds("PLUS MINUS STAR SLASH PERCENT AT STAR_STAR DOT_DOT AND OR AND_AND BAR_BAR BAR AS")
CONTINUES = BINARY | ASSIGNMENTS | kinds("_COMMA COLON ARROW FAT_ARROW RULE_ARROW _LAMBDA_BAR _LAMBDA_EMPTY")
OPERANDS = kinds("NAME INT FLOAT STRING TRUE FALSE RPAR RSQB RBRACE QUESTION _GENERIC_CLOSE")
DECLARATIONS = kinds("FN MODEL STRUCT IMPL MAIN TEST")
HEADERS = DECLARATIONS | kinds("IF WHILE FOR MATCH LEARN LOOP NO_GRAD")
NEVER_IN_BRACKETS = kinds("LET CONST RETURN WHILE FOR BREAK CONTINUE STRUCT IMPL IMPORT")

BEFORE_A_NAME = {
    "model": "MODEL", "param": "PARAM", "buffer": "BUFFER", "tensor": "TENSOR", "relation": "RELATION", "entity": "ENTITY",
    "explain": "EXPLAIN", "infer": "INFER",
}  # fmt: skip
BEFORE_A_BRACE = {"main": "MAIN", "loop": "LOOP", "no_grad": "NO_GRAD", "learn": "LEARN"}
AFTER_A_NAME = BINARY - {"MINUS"} | ASSIGNMENTS | {END_OF_TEXT} | kinds("_COMMA COLON DOT RPAR RSQB RBRACE SEMICOLON QUESTION FAT_ARROW")
RESTARTS = ASSIGNMENTS | COMPARISONS | kinds("_COMMA PLUS MINUS STAR SLASH PERCENT AT JUXTAPOSITION AND OR AND_AND BAR_BAR")
INSIDE_ANGLES = kinds("NAME _COMMA DOT INT COLON PLUS MINUS STAR SLASH PERCENT FN ARROW QUESTION ELLIPSIS")
AFTER_A_COMPARISON = kinds("NAME INT FLOAT STRING TRUE FALSE LSQB MINUS NOT BANG IF MATCH")
DECLARING_WORDS = kinds("param buffer relation entity assert model")


def is_keyword_here(layout: Layout, number: int, token: Token) -> str:
    """The keyword that a word is at this place, or ""."""
    following, second = layout.raw[number + 1], layout.raw[min(number + 2, len(layout.raw) - 1)]
    if following.fresh and following.kind != "LBRACE":
        return ""
    text = token.text
    if text == "query":
        return query(layout, following, second)
    if text == "from":
        return "FROM" if layout.frame.block and layout.begins_with() == "RELATION" else ""
    if not layout.at_start():
        return ""
    if text in BEFORE_A_NAME and following.kind == "NAME":
        return BEFORE_A_NAME[text] if second.kind != "LSQB" or text in ("param", "buffer") else ""
    if text in BEFORE_A_BRACE and following.kind == "LBRACE":
        return BEFORE_A_BRACE[text]
    return rarer(layout, number, token, following)


def query(layout: Layout, following: Token, second: Token) -> str:
    free = layout.at_start() or layout.previous() not in ("NAME", "INT", "RPAR", "RSQB", "DOT")
    return "QUERY" if free and following.kind == "NAME" and second.kind != "LSQB" else ""


def rarer(layout: Layout, number: int, token: Token, following: Token) -> str:
    match token.text:
        case "test" if following.kind == "STRING":
            return "TEST"
        case "python" if following.kind == "IMPORT":
            return "PYTHON"
        case "learn" if following.kind == "NAME" or (following.kind == "LPAR" and before_in(layout, number + 1)):
            return "LEARN"
        case "assert" if following.kind == "LSQB":
            return "ASSERT" if following.start > token.end else ""
        case "assert" if following.kind not in AFTER_A_NAME:
            return "ASSERT"
    return ""


def before_in(layout: Layout, number: int) -> bool:
    """Whether `in` follows the group that opens at a place: `learn (x, y) in ...`."""
    depth = 0
    for place in range(number, min(number + 400, len(layout.raw))):
        kind = layout.raw[place].kind
        depth += (kind == "LPAR") - (kind == "RPAR")
        if depth == 0:
            return layout.raw[min(place + 1, len(layout.raw) - 1)].kind == "IN"
    return False


def closing_angles(raw: list[Token], number: int) -> list[int]:
    """The places of every `>` that belongs to the `<` at a place, if the text between can be types and no operand follows; else none."""
    opened: list[str] = []
    ends: list[int] = []
    for place in range(number, min(number + 400, len(raw))):
        kind = raw[place].kind
        if kind == "LESS":
            opened.append("GREATER")
        elif kind in CLOSERS:
            opened.append(CLOSERS[kind])
        elif kind in ("GREATER", "RPAR", "RSQB"):
            if opened.pop() != kind:
                return []
            if kind == "GREATER":
                ends.append(place)
        elif kind not in INSIDE_ANGLES:
            return []
        if not opened:
            break
    following = raw[ends[-1] + 1] if ends and not opened else None
    return ends if following and (following.fresh or following.kind not in AFTER_A_COMPARISON) else []
