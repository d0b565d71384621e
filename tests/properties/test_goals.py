"""The solver against z3: what is proved has no counterexample, what is refuted has a witness that is one, and little stays open.

`TLC_FULL=1` takes 100,000 goals and prints the figures (`-s`).
"""

import os
from pathlib import Path
from statistics import median

import pytest

from tensorlogic.types.prove import prove
from tests.checker.test_programs import marks, reported
from tests.properties import goals

pytest.importorskip("z3", reason="z3-solver is the oracle of the shape solver")

from tests.properties.goals_figures import Figures, measured, table

FULL = os.environ.get("TLC_FULL") == "1"
EACH = 50_000 if FULL else 1000
SECONDS = 1.0 if FULL else 0.1  # for z3
MICROSECONDS = 50 if FULL else 200  # a short run is dominated by what is asked for the first time


FORMER = sorted((Path(__file__).parents[1] / "crashes").glob("goal_*.tl"))


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return measured(EACH, SECONDS)


def test_is_never_wrong(figures: dict[str, Figures]) -> None:
    print("", *table(figures), sep="\n")
    assert not figures["all"].wrong
    assert figures["all"].count == 2 * EACH


def test_nearly_all_goals_are_decided(figures: dict[str, Figures]) -> None:
    assert figures["all"].share_decided >= 0.98, figures["all"].undecided
    assert figures["all"].time_outs <= 0.02 * figures["all"].count


def test_is_quick(figures: dict[str, Figures]) -> None:
    assert median(figures["all"].times) <= MICROSECONDS


def test_same_answers_every_time() -> None:
    """The generator and the solver are deterministic, whatever was asked before."""
    first, second = (goals.cases(3, 60) for _ in range(2))
    assert [case.claim for case in first] == [case.claim for case in second]
    forwards = [prove(case.claim.goal(), case.facts) for case in first]
    backwards = [prove(case.claim.goal(), case.facts) for case in reversed(second)]
    assert forwards == backwards[::-1]


def test_the_generator_covers_what_it_claims() -> None:
    drawn = goals.cases(5, 400)
    text = " ".join(str(case.claim) for case in drawn)
    assert all(f"'{operation}'" in text for operation in ("*", "floor_div", "ceil_div", "mod", "min", "max", "exact_div"))
    assert {case.claim.op for case in drawn} >= {"==", "!=", "<", "<=", ">", ">=", "divides", "in"}
    degrees = {max(goals.degree(case.claim.left), goals.degree(case.claim.right)) for case in drawn}
    assert degrees >= {1, 2, 3}


@pytest.mark.parametrize("path", FORMER, ids=lambda path: path.stem)
def test_formerly_undecided(path: Path) -> None:
    """Goals that were left to a check at run time."""
    text = path.read_text(encoding="utf-8")
    assert reported(path, text) == marks(text)
