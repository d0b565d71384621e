"""The conformance programs beside the repository, through their own runner; those that need what is still to come are left out by rule."""

import subprocess
import sys
from pathlib import Path

import pytest

import tensorlogic as tl

NOT_YET = "TL0105"
AT_LEAST = {"core": 40, "check": 48}  # so many must pass: raise it as the language grows


def is_to_come(path: Path) -> bool:
    """Whether the compiler itself says that it does not do what the program needs yet."""
    return any(d.code == NOT_YET for d in tl.check(path))


@pytest.mark.parametrize("area", AT_LEAST)
def test_conformance(area: str, shared: Path) -> None:
    folder = shared / "conformance"
    programs = [path for path in sorted((folder / area).glob("*.tl")) if not is_to_come(path)]
    assert len(programs) >= AT_LEAST[area], "more is left out than before"
    command = [sys.executable, str(folder / "run.py"), "--python", sys.executable, "--jobs", "2", *map(str, programs)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
