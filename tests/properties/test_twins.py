"""Programs with one mistake are refused, where the mistake is, with one message. As a table: `programs_figures.py`."""

import os
from pathlib import Path

import pytest

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source
from tests.checker.test_programs import marks, reported
from tests.properties.twins import KINDS, measure, twins

FORMER = sorted((Path(__file__).parents[1] / "crashes").glob("[pt][rw][oi]*_*.tl"))
EACH = 2000 if os.environ.get("TLC_FULL") else 20


@pytest.mark.parametrize("kind", KINDS)
def test_one_mistake_is_refused_where_it_is_and_causes_no_other(kind: str) -> None:
    row = measure(kind, EACH)
    told = "\n".join([f"{row.refused} of {row.twins} refused, {row.placed} there, {row.alone} alone", *row.missed[:4]])
    assert row.twins >= EACH and row.refused >= 0.999 * row.twins, told
    assert row.placed >= 0.98 * row.twins and row.alone >= 0.98 * row.twins, told


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_mistake_they_are_right(kind: str) -> None:
    """The twin differs from a program without errors in one part."""
    found = twins(kind, seed=1)
    batch = [next(found) for _ in range(10)]
    problems = Problems()
    check_program(Source(__file__, "\n".join(twin.right for twin in batch)), problems)
    assert not problems.errors, problems.errors
    assert all(twin.text != twin.right for twin in batch)


@pytest.mark.parametrize("path", FORMER, ids=lambda path: path.stem)
def test_former_failure(path: Path) -> None:
    """What random programs and twins found: exactly the marked diagnostics."""
    text = path.read_text(encoding="utf-8")
    assert reported(path, text) == marks(text)
