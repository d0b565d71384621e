"""What a string literal stands for."""

import re

ESCAPE = re.compile(r"\\(?:u\{([^}\"\n]*)\}?|(.)|$)", re.DOTALL)
PLAIN = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}
Bad = tuple[int, int, str, str]


def decoded(text: str) -> tuple[str, list[Bad]]:
    """The value of a string as written with its quotes, and its bad escapes: (start, end, message, advice), from the first quote."""
    quotes = 3 if text.startswith('"""') else 1
    inner = text[quotes:-quotes]
    if "\\" not in inner:
        return inner.replace("\r\n", "\n"), []
    parts: list[str] = []
    bad: list[Bad] = []
    at = 0
    for escape in ESCAPE.finditer(inner):
        parts.append(inner[at : escape.start()].replace("\r\n", "\n"))
        at = escape.end()
        value = meaning(escape)
        if value is None:
            message = f"`{escape.group()[:12]}` is not an escape" if escape.group().isprintable() else "this is not an escape"
            bad.append((quotes + escape.start(), quotes + at, message, advice(escape)))
        parts.append(value or "")
    parts.append(inner[at:].replace("\r\n", "\n"))
    return "".join(parts), bad


def meaning(escape: re.Match[str]) -> str | None:
    digits, letter = escape.groups()
    if digits is None:
        return PLAIN.get(letter)
    if not re.fullmatch("[0-9a-fA-F]{1,6}", digits) or not escape.group().endswith("}"):
        return None
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else None


def advice(escape: re.Match[str]) -> str:
    if escape.group(1) is not None:
        return r"write the number of a character in hexadecimal, as in `\u{1F600}`"
    return r"a string knows `\n`, `\t`, `\\`, `\"` and `\u{1F600}`; a backslash itself is `\\`"
