"""Finding and reading imported files: inside the root, once each, never in a circle."""

import os
import stat
from dataclasses import dataclass, field

from tensorlogic.checker.scope import Scope
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems, TensorLogicError
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse, read_source

MARKERS = ("pyproject.toml", ".git")


@dataclass
class Imports:
    """`done` are the scopes of files by real path, `open` the files whose imports are being read."""

    root: str
    done: dict[str, Scope] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)


def root_of(path: str) -> str:
    """The nearest folder upward that looks like a project, else the program's own."""
    start = folder = os.path.dirname(os.path.realpath(path))
    while True:
        if any(os.path.exists(os.path.join(folder, marker)) for marker in MARKERS):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent


def resolve(imports: Imports, node: ast.Import, folder: str, problems: Problems) -> str | None:
    """The real path of an import, or None after a message."""
    text = node.path.value
    if "\0" in text or not text:
        return _refuse(problems, "TL0205", node, "this is no path")
    path = os.path.realpath(os.path.join(folder, text))
    if os.path.commonpath([imports.root, path]) != imports.root:
        return _refuse(problems, "TL0205", node, "an import stays inside the project", f"the project is the folder {imports.root}")
    if path in imports.open:
        return _refuse(problems, "TL0204", node, "this import closes a circle", "move what both files need into a third one")
    return _regular(problems, node, path)


def _regular(problems: Problems, node: ast.Import, path: str) -> str | None:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return _refuse(problems, "TL0205", node, f"there is no file {node.path.value!r}", "the path is relative to this file")
    if not stat.S_ISREG(mode):
        return _refuse(problems, "TL0205", node, f"{node.path.value!r} is not a regular file")
    return path


def _refuse(problems: Problems, code: str, node: ast.Import, message: str, help: str = "") -> None:
    problems.add(Diagnostic(code, message, node.path.span, help=(help,) if help else ()))


def read_import(path: str, folder: str, node: ast.Import, problems: Problems) -> ast.Module | None:
    """The tree of an imported file; its own syntax errors are reported in it."""
    try:
        source = read_source(path)
    except TensorLogicError as error:
        for diagnostic in error.diagnostics:
            problems.add(diagnostic)
        return None
    except OSError as problem:
        return _refuse(problems, "TL0205", node, f"{node.path.value!r} cannot be read: {problem.strerror}")
    shown = os.path.normpath(os.path.join(os.path.dirname(node.span.source.name), node.path.value))
    return parse(Source(shown, source.text), problems)
