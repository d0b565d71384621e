"""Writes docs/errors.md from the programs in docs/errors: what `tlc check` says of each, and what PyTorch says of the same.

python docs/make_errors.py [--check]

NAME.tl is the program, NAME.py the same in PyTorch; the docstring of NAME.py is the title and a sentence on the difference.
"""

import ast
import io
import runpy
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch

from tensorlogic.diagnostics.render import render
from tensorlogic.driver import analyse
from tensorlogic.source import Source

FOLDER = Path(__file__).parent / "errors"
PAGE = Path(__file__).parent / "errors.md"
HEAD = f"""# Errors in shapes

Classic mistakes, what `tlc check` says about each before anything runs, and what PyTorch says when the program gets there. Made
from the programs in [errors/](errors) by `python docs/make_errors.py`, with PyTorch {torch.__version__.split("+")[0]}.
`tlc explain CODE` says more about a code.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mistake: the program and its twin in PyTorch."""

    name: str
    title: str
    difference: str
    program: str
    twin: str


def entries() -> list[Entry]:
    return [entry(path) for path in sorted(FOLDER.glob("*.tl"))]


def entry(path: Path) -> Entry:
    twin = path.with_suffix(".py").read_text(encoding="utf-8")
    tree = ast.parse(twin)
    title, _, difference = (ast.get_docstring(tree) or "").partition("\n\n")
    code = "".join(twin.splitlines(keepends=True)[tree.body[0].end_lineno or 0 :]).strip("\n")
    return Entry(path.stem, title, " ".join(difference.split()), path.read_text(encoding="utf-8"), code)


def tlc_says(found: Entry) -> str:
    diagnostics = analyse(Source(f"{found.name}.tl", found.program), {}).diagnostics
    return "\n".join(render(diagnostic, width=140) for diagnostic in diagnostics)


def torch_says(found: Entry) -> str:
    """What the twin prints, and what it raises, on one line."""
    printed, error = io.StringIO(), ""
    try:
        with redirect_stdout(printed):
            runpy.run_path(str(FOLDER / f"{found.name}.py"))
    except Exception as problem:
        error = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
    return "\n".join(text for text in (printed.getvalue().strip(), error) if text)


def section(number: int, found: Entry) -> str:
    said = torch_says(found)
    silent = "Error: " not in said
    verdict = "PyTorch says nothing; this prints" if silent else "PyTorch, at run time"
    return (
        f"## {number}. {found.title}\n\n{found.difference}\n\n```tl gallery\n{found.program}```\n\n```text\n{tlc_says(found)}\n```\n\n"
        f"```python\n{found.twin}\n```\n\n{verdict}:\n\n```text\n{said}\n```\n"
    )


def page() -> str:
    return "\n".join([HEAD, *(section(number, found) for number, found in enumerate(entries(), 1))])


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/errors.md is not current: run `python docs/make_errors.py`")
