"""Every program in the documentation and every example is a program: it checks without an error, and examples are laid out."""

import re
from pathlib import Path

import pytest

import tensorlogic as tl
from tensorlogic.source import Source

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```tl( wrong)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.tl"))


def programs() -> list[tuple[str, bool, str]]:
    """(file:line, whether it is wrong on purpose, text) of every ```tl block."""
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for match in FENCE.finditer(text):
            line, _ = Source(path.name, text).position(match.start())
            found.append((f"{path.relative_to(ROOT)}:{line}", bool(match[1]), match[2]))
    return found


@pytest.mark.parametrize("place, wrong, text", programs(), ids=lambda value: value if isinstance(value, str) and "\n" not in value else "")
def test_documentation(place: str, wrong: bool, text: str) -> None:
    errors = [d for d in tl.check(text) if d.is_error]
    assert bool(errors) == wrong, errors


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(path: Path) -> None:
    assert [d for d in tl.check(path) if d.is_error] == []
    text = path.read_text(encoding="utf-8")
    assert tl.format(text) == text
