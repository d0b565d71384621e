"""Ill-typed twins: random programs with one mistake of a kind, and what the checker says of them, many in one file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tensorlogic.checker.check import check_program
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.source import Source
from tests.properties.programs import KINDS, program

BATCH = 20
__all__ = ["KINDS", "Row", "Twin", "check_twins", "measure", "twins"]


@dataclass(frozen=True)
class Twin:
    kind: str
    text: str
    line: int  # where the mistake is, from 0
    right: str  # the program without it


@dataclass
class Row:
    """A line of the table: how many twins of a kind were refused, on the right line, with one error; which codes; a few that were not."""

    twins: int = 0
    refused: int = 0
    placed: int = 0
    alone: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def count(self, twin: Twin, errors: list[Diagnostic], start: int) -> None:
        lines = [d.span.line - start for d in errors if d.span]
        self.twins += 1
        self.refused += bool(errors)
        self.placed += twin.line + 1 in lines
        self.alone += len(errors) == 1
        self.codes.update({d.code for d in errors})
        if lines != [twin.line + 1]:
            told = "; ".join(f"{d.code} {d.message} at {n}" for d, n in zip(errors, lines, strict=False)) or "nothing"
            self.missed.append(f"{twin.kind}: {told}, the mistake is at {twin.line + 1}\n{twin.text}")


def twins(kind: str, seed: int) -> Iterator[Twin]:
    """Without end, one after another; the same for the same seed."""
    count = made = 0
    while True:
        random = Random(f"{kind} {seed} {count}")
        count += 1
        found = program(random, made % BATCH, kind, random.choice((2, 3, 3, 4, 5)))
        twin = found.twin(random, kind)
        if twin is not None:
            made += 1
            yield Twin(kind, *twin, found.text)


def check_twins(batch: list[Twin], rows: dict[str, Row]) -> None:
    """As one file: the errors on the lines of a twin are its own."""
    problems = Problems()
    check_program(Source(__file__, "\n".join(twin.text for twin in batch)), problems)
    errors, start = list(problems.errors), 0
    for twin in batch:
        end = start + twin.text.count("\n") + 1
        own = [d for d in errors if d.span is None or start < d.span.line <= end]
        rows.setdefault(twin.kind, Row()).count(twin, own, start)
        start = end


def measure(kind: str, count: int, seed: int = 0) -> Row:
    """So many twins of a kind."""
    rows, found = {kind: Row()}, twins(kind, seed)
    while count > 0:
        check_twins([next(found) for _ in range(min(BATCH, count))], rows)
        count -= BATCH
    return rows[kind]
