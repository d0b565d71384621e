"""Models and trainings as people write them: each program runs compiled and as the built module, and is told where it is wrong."""

import re
from collections import Counter
from pathlib import Path

import pytest
import torch

from tensorlogic import driver
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.source import Source

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.tl"))
MARK = re.compile(r"// error: ([TL0-9 ]+)$")


def marks(text: str) -> Counter[tuple[str, int]]:
    found = ((m.group(1), n) for n, line in enumerate(text.splitlines(), 1) if (m := MARK.search(line)))
    return Counter((code, number) for codes, number in found for code in codes.split())


def told(source: Source) -> Counter[tuple[str, int]]:
    """The errors of a program, at check time or while it runs."""
    try:
        analysis = driver.analyse(source)
        analysis.checked()
        torch.manual_seed(7)
        driver.load(analysis).run()
    except TensorLogicError as error:
        return Counter((d.code, d.span.line if d.span else 0) for d in error.diagnostics if d.is_error)
    return Counter()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert told(Source(str(path), text)) == marks(text)


@pytest.mark.parametrize("path", [path for path in PROGRAMS if not path.stem.startswith("wrong")], ids=lambda path: path.stem)
def test_built_alone(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = driver.build(driver.analyse(Source(str(path), path.read_text(encoding="utf-8")))).text
    torch.manual_seed(7)
    exec(compile(text, "built.py", "exec"), {"__name__": "__main__"})
