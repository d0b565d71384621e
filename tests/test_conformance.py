"""The conformance programs beside the repository, all of them, through their own runner."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("area", ["core", "check", "equations", "relations"])
def test_conformance(area: str, shared: Path) -> None:
    folder = shared / "conformance"
    command = [sys.executable, str(folder / "run.py"), "--python", sys.executable, "--jobs", "2", str(folder / area)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
