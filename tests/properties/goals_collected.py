"""The goals that checking real programs asks of the solver: the conformance programs, examples, tests and random programs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter_ns
from unittest.mock import patch

from tensorlogic.checker import functions
from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.source import Source
from tensorlogic.types import obligations
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal
from tensorlogic.types.prove import Proved, Refuted, Unknown, prove
from tests.properties.twins import KINDS, twins

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "examples", ROOT / "tests", ROOT.parent / "shared" / "conformance")
BESIDE = ROOT / "tests" / "properties"  # where the library lies that random programs import


@dataclass(frozen=True)
class Asked:
    """A goal as the checker asked it, what it got, and how long that took in nanoseconds."""

    goal: Goal
    facts: Facts
    answer: Proved | Refuted | Unknown
    nanoseconds: int


@contextmanager
def recording(asked: list[Asked]) -> Iterator[None]:
    """All that the checker asks of the solver inside the block goes into the list."""

    def recorder(goal: Goal, facts: Facts) -> Proved | Refuted | Unknown:
        start = perf_counter_ns()
        answer = prove(goal, facts)
        asked.append(Asked(goal, facts, answer, perf_counter_ns() - start))
        return answer

    with patch.object(obligations, "prove", recorder), patch.object(functions, "prove", recorder):
        yield


def written() -> list[tuple[str, str]]:
    """(path, text) of the programs that people wrote."""
    paths = sorted(path for folder in FOLDERS if folder.is_dir() for path in folder.rglob("*.tl") if "crashes" not in path.parts)
    return [(str(path), path.read_text(encoding="utf-8")) for path in paths]


def drawn() -> Iterator[tuple[str, str]]:
    """Random programs without end: right ones, and twins with one mistake."""
    kinds = {kind: twins(kind, seed=0) for kind in KINDS}
    for seed in count():
        for kind, found in kinds.items():
            twin = next(found)
            yield str(BESIDE / f"right_{kind}_{seed}.tl"), twin.right
            yield str(BESIDE / f"wrong_{kind}_{seed}.tl"), twin.text


def check(programs: Iterable[tuple[str, str]], asked: list[Asked], enough: int) -> None:
    """Check programs until `enough` goals were asked."""
    with recording(asked):
        for path, text in programs:
            if len(asked) >= enough:
                break
            check_program(Source(path, text), Problems())


def collected(enough: int) -> list[Asked]:
    """The first `enough` goals: of the programs that people wrote, then of random ones."""
    asked: list[Asked] = []
    check(written(), asked, enough)
    check(drawn(), asked, enough)
    return asked[:enough]
