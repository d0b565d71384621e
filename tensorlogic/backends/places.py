"""Comments beside generated lines: the type and the place in the program."""

from tensorlogic.backends.text import comment_text
from tensorlogic.source import Span
from tensorlogic.types.types import Type, Void, widen


def place(span: Span | None) -> str:
    """`mlp.tl:7`"""
    if span is None:
        return ""
    return f"{span.source.name.replace(chr(92), '/').rpartition('/')[2]}:{span.line}"


def describe(type_: Type | None, span: Span | None) -> str:
    """`float16[N, D_out]    mlp.tl:7`"""
    shown = "" if type_ is None or isinstance(type_, Void) else str(widen(type_))
    return comment_text("    ".join(filter(None, (shown, place(span)))))
