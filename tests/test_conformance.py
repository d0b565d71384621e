"""The conformance programs beside the repository, through their own runner; those that need what is still to come are left out by rule."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tensorlogic.checker.later import LATER
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse, read_source

TO_COME = (ast.ModelDecl, ast.Learn, ast.EntityDecl, ast.RelationDecl, ast.Rule, ast.PythonImport)
EQUATION_CODES = re.compile(r"// expect: error.*TL0[45]")


def nodes(tree: ast.Module) -> Iterator[ast.Node]:
    pending = list(tree.statements)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(ast.children(node))


def is_to_come(path: Path) -> bool:
    """Whether a program, or what it imports, uses what the compiler itself says is not there yet."""
    source = read_source(path)
    if EQUATION_CODES.match(source.text):
        return True
    return any(is_late(node, path.parent) for node in nodes(parse(source, Problems())))


def is_late(node: ast.Node, folder: Path) -> bool:
    match node:
        case ast.Name(name=name):
            return name in LATER
        case ast.Import(path=path):
            return (folder / path.value).is_file() and folder.name != "lib" and is_to_come(folder / path.value)
    return isinstance(node, TO_COME)


@pytest.mark.parametrize("area", ["core", "check"])
def test_conformance(area: str, shared: Path) -> None:
    folder = shared / "conformance"
    programs = [path for path in sorted((folder / area).glob("*.tl")) if not is_to_come(path)]
    assert len(programs) >= 30, "the rule leaves out more than it should"
    command = [sys.executable, str(folder / "run.py"), "--python", sys.executable, "--jobs", "2", *map(str, programs)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
