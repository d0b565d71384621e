"""`tlc(...)` runs the command in this process, as the console script does."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tensorlogic.cli.main import main

GOOD = "fn double(x: float32[N]) -> float32[N] {\n    return 2.0 * x\n}\n"
BAD = "fn f(x: float32[N, D], w: float32[E, K]) -> float32[N, K] {\n    return x @ w\n}\n"


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Tlc = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with programs: one good, one with an error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.tl").write_text(GOOD)
    (tmp_path / "bad.tl").write_text(BAD)
    return tmp_path


@pytest.fixture
def tlc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tlc:
    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["tlc", *arguments])
        code = main()
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run
