"""Well-typed programs, random and real: no error, no notice that is not marked, and every way of running them gives the same."""

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tensorlogic import driver
from tensorlogic.cli.program import read_program
from tests.checker.test_programs import marks
from tests.properties.programs import Program, program
from tests.properties.programs_maker import STEPS
from tests.properties.programs_run import BATCH, Tally, batch, run_batch, run_programs

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT.parent / "shared" / "conformance"
REAL = [*sorted(CONFORMANCE.glob("core/*.tl")), *sorted(CONFORMANCE.glob("check/*.tl")), *sorted((ROOT / "examples").glob("*.tl"))]
PROGRAMS = 100_000 if os.environ.get("TLC_FULL") else 160


def test_random_programs_are_accepted_and_all_ways_agree() -> None:
    tally = Tally()
    for seed in range(PROGRAMS // BATCH):
        run_batch(seed, tally)
    assert not tally.failures, "\n".join([f"{len(tally.failures)} failures", *tally.failures[:5]])
    assert tally.counts["programs"] >= PROGRAMS
    assert min(tally.counts["graphs"], tally.counts["numpy"]) > 0.5 * PROGRAMS, tally.counts
    assert tally.counts["refused"] < 0.01 * PROGRAMS, tally.counts


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_repeats_itself(seed: int) -> None:
    assert program(Random(seed)) == program(Random(seed))


def test_every_step_is_taken() -> None:
    """No step is so demanding that it never applies."""
    taken: set[str] = set()
    counted = [_noted(step, taken) for step in STEPS]
    before = list(STEPS)
    try:
        STEPS[:] = counted
        for seed in range(600):
            program(Random(seed))
    finally:
        STEPS[:] = before
    assert taken == {step.__name__ for step in STEPS}


def _noted(step, taken: set[str]):
    def noting(maker) -> None:
        step(maker)
        taken.add(step.__name__)

    return noting


BROKEN = {
    "a value": lambda one: replace(one, end=replace(one.end, python=one.end.python + " + 0.001")),
    "a size": lambda one: replace(one, results=tuple(replace(t, shape=(*t.shape, *t.shape, *one.given[0].shape)) for t in one.results)),
    "a type": lambda one: replace(one, head=replace(one.head, text=one.head.text.replace("->", "-> string //"))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_program_is_found(name: str) -> None:
    """The comparison can fail: of a program that was changed it says so."""
    one: Program = next(p for p in batch(0) if p.base == "f64" and len(p.results) == 1 and p.results[0].dtype == "float")
    right, wrong = Tally(), Tally()
    run_programs([one], right)
    run_programs([BROKEN[name](one)], wrong)
    assert not right.failures and len(wrong.failures) == 1


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_notice_that_is_not_marked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {(d.code, d.span.line) for d in driver.analyse(read_program(str(path))).diagnostics if d.code == "TL0702" and d.span}
    assert found == {(code, line) for code, line in marks(text) if code == "TL0702"}


CLEAN = [p for p in REAL if p.parent.name == "check" and p.read_text(encoding="utf-8").startswith("// expect: check")]


@pytest.mark.parametrize("path", [p for p in CLEAN if "TL0702" not in p.read_text(encoding="utf-8")], ids=lambda path: path.stem)
def test_clean_programs_are_clean_when_strict(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from tensorlogic.cli.main import main

    monkeypatch.setattr("sys.argv", ["tlc", "check", "--strict", str(path)])
    assert main() == 0, capsys.readouterr().err
