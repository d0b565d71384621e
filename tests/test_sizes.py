"""The house style in numbers: file <= 400 lines, function <= 50, half of all functions <= 10, and every file says what it is for."""

import ast
from pathlib import Path
from statistics import median

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tensorlogic"
FILES = sorted(PACKAGE.rglob("*.py"))


def function_sizes(text: str) -> dict[str, int]:
    """Lines of each function, by `name:line`."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert not {name: size for name, size in function_sizes(text).items() if size > 50}
    assert not text or text.startswith(('"""', 'r"""')), "the first line says what the file is for"


def test_half_of_all_functions_are_short() -> None:
    sizes = [size for path in FILES for size in function_sizes(path.read_text(encoding="utf-8")).values()]
    assert median(sizes) <= 10


def test_the_check_can_fail() -> None:
    assert function_sizes("def f():\n" + "    pass\n" * 60) == {"f:1": 61}
