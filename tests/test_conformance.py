"""The conformance programs beside the repository, through their own runner; those that need what is still to come are left out by rule."""

import subprocess
import sys
from pathlib import Path

import pytest

from tensorlogic.driver import analyse
from tensorlogic.syntax.parse import read_source

NOT_YET = "TL0105"
AT_LEAST = {"core": 40, "check": 68}  # so many must pass: raise it as the language grows


def is_to_come(path: Path, area: str) -> bool:
    """Whether the compiler itself says that it does not do what the program needs yet: check it, or in `core` run it."""
    analysis = analyse(read_source(path))
    runs = analysis.module is None or not analysis.module.later
    return any(d.code == NOT_YET for d in analysis.diagnostics) or (area == "core" and not runs)


@pytest.mark.parametrize("area", AT_LEAST)
def test_conformance(area: str, shared: Path) -> None:
    folder = shared / "conformance"
    programs = [path for path in sorted((folder / area).glob("*.tl")) if not is_to_come(path, area)]
    assert len(programs) >= AT_LEAST[area], "more is left out than before"
    command = [sys.executable, str(folder / "run.py"), "--python", sys.executable, "--jobs", "2", *map(str, programs)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
