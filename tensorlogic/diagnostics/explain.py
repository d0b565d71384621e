"""The page behind each code: what it means, a program where it fires and one where it does not."""

import re
from dataclasses import dataclass
from importlib.resources import files

from tensorlogic.diagnostics.codes import CODES

FENCE = re.compile(r"^```([^\n`]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block of a page, tested as written.

    `wrong` and `right` are programs to check: in a wrong one the lines at fault end with `// error: TL0301` (`// warning:` for TL07xx).
    `run` is a program whose run exits 3 with the page's code; a first line `// args: ...` adds arguments.
    `file` is a file that stands beside the program under `name`, a tensor file being shown by its header.
    Each program is read from a file called `main.tl`.
    """

    kind: str
    text: str
    name: str = ""


def explain(code: str) -> str | None:
    """The page of a code (`TL0301`, in any case) in Markdown, or None where there is no such code."""
    page = files("tensorlogic.diagnostics") / "explain" / f"{code.upper()}.md"
    if code.upper() not in CODES or not page.is_file():
        return None
    return page.read_text(encoding="utf-8")


def codes_with_explanations() -> tuple[str, ...]:
    """All codes that have a page, in order."""
    return tuple(code for code in CODES if explain(code) is not None)


def examples(code: str) -> list[Example]:
    """The examples on a code's page, in order; other fenced blocks (commands, output) are left out."""
    blocks = FENCE.findall(explain(code) or "")
    return [example for info, text in blocks if (example := example_of(info.split(), text))]


def example_of(info: list[str], text: str) -> Example | None:
    match info:
        case ["tl", "wrong" | "right" | "run" as kind]:
            return Example(kind, text)
        case [_, "file", name]:
            return Example("file", text, name)
    return None
