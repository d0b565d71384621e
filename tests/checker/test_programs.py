"""Every program of `programs/` reports exactly the errors and warnings that its marks say, at those lines and nowhere else."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = sorted(FOLDER.glob("*.tl"))
MARK = re.compile(r"//\s*(?:error|warning):\s*(TL\d{4}(?:[ ,]+TL\d{4})*)\s*$")
SETTINGS = re.compile(r"^// args: (?:--set (\w+)=(\S+))$", re.MULTILINE)


def marks(text: str) -> Counter:
    """(code, line) of every mark."""
    found: Counter = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if match := MARK.search(line):
            found.update((code, number) for code in re.findall(r"TL\d{4}", match.group(1)))
    return found


def reported(path: Path, text: str) -> Counter:
    """(code, line) of every diagnostic; what belongs to another file counts with line 0."""
    problems = Problems()
    check_program(Source(str(path), text), problems, settings=dict(SETTINGS.findall(text)))
    found: Counter = Counter()
    for diagnostic in problems.found:
        here = diagnostic.span is not None and diagnostic.span.source.name == str(path)
        found[diagnostic.code, text.count("\n", 0, diagnostic.span.start) + 1 if here and diagnostic.span else 0] += 1
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program(path: Path) -> None:
    text = path.read_text()
    assert reported(path, text) == marks(text)


def test_every_code_of_the_checker_fires_somewhere() -> None:
    fired = {code for path in PROGRAMS for code, _ in marks(path.read_text())}
    names = {f"TL02{n:02}" for n in range(1, 7)} | {f"TL03{n:02}" for n in range(1, 15)} | {f"TL06{n:02}" for n in range(2, 7)}
    assert names | {"TL0701", "TL0702"} <= fired
