"""How the solver does on many goals: what it decides, whether z3 agrees, and how long it takes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter_ns

from tensorlogic.types.goals import Goal
from tensorlogic.types.prove import Proved, Refuted, Unknown, prove
from tests.properties import goals_oracle
from tests.properties.goals import Case, cases
from tests.properties.goals_collected import Asked, collected

GENERATED_SEED = 1


@dataclass
class Figures:
    """Of the goals of one origin. `judged` counts (answer, what z3 says); goals asked again count again."""

    answers: Counter[str] = field(default_factory=Counter)
    judged: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    first_times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.answers.total()

    @property
    def time_outs(self) -> int:
        return sum(n for (_, z3), n in self.judged.items() if z3 == "unknown")

    @property
    def open(self) -> int:
        """Goals about a size known only at run time that nobody can decide."""
        return sum(n for (_, z3), n in self.judged.items() if z3 == "open")

    @property
    def share_decided(self) -> float:
        """Of the goals with a witness, and those that z3 decides in time."""
        decidable = {pair: n for pair, n in self.judged.items() if pair[1] not in ("unknown", "open")}
        decided = sum(n for (answer, _), n in decidable.items() if answer != "Unknown")
        return decided / max(sum(decidable.values()), 1)

    def add(self, shown: str, answer: Proved | Refuted | Unknown, verdict: goals_oracle.Verdict, times: list[float]) -> None:
        """A goal that was asked once for each of the times, in microseconds."""
        kind = type(answer).__name__
        self.answers[kind] += len(times)
        self.judged[kind, verdict.z3] += len(times)
        self.times += times
        self.first_times.append(times[0])
        if not verdict.right:
            self.wrong.append(f"{answer} but z3 says {verdict.z3 or 'no counterexample'}: {shown}")
        if kind == "Unknown" and verdict.z3 in ("sat", "unsat"):
            self.undecided.append(f"{verdict.z3}: {shown}")

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.answers + other.answers,
            self.judged + other.judged,
            self.times + other.times,
            self.first_times + other.first_times,
            self.wrong + other.wrong,
            self.undecided + other.undecided,
        )


def of_generated(drawn: Iterable[Case], seconds: float) -> Figures:
    """The facts of a function are solved before its goals are timed, as a check asks many goals under the same facts."""
    figures = Figures()
    for case in drawn:
        goal = case.claim.goal()
        _ = case.facts.solved
        start = perf_counter_ns()
        answer = prove(goal, case.facts)
        spent = (perf_counter_ns() - start) / 1000
        verdict = goals_oracle.judge(goal, case.facts, answer, (case.claim, case.where), seconds)
        figures.add(_shown(goal, [fact for fact, _ in case.facts.given]), answer, verdict, [spent])
    return figures


def of_collected(asked: Iterable[Asked], seconds: float) -> Figures:
    """A goal under the same facts goes to z3 once; its times are those of the check."""
    groups: dict[tuple, list[Asked]] = {}
    for one in asked:
        groups.setdefault((one.goal, tuple(fact for fact, _ in one.facts.given)), []).append(one)
    figures = Figures()
    for (goal, where), same in groups.items():
        verdict = goals_oracle.judge(goal, same[0].facts, same[0].answer, seconds=seconds)
        figures.add(_shown(goal, where), same[0].answer, verdict, [one.nanoseconds / 1000 for one in same])
    return figures


def _shown(goal: Goal, where: Iterable[Goal]) -> str:
    facts = ", ".join(map(str, where))
    return f"{goal}{f' where {facts}' if facts else ''}"


def measured(each: int, seconds: float = goals_oracle.SECONDS) -> dict[str, Figures]:
    """`each` goals of real checks and as many of the generator; z3 gets so many seconds for one."""
    checks, generated = of_collected(collected(each), seconds), of_generated(cases(GENERATED_SEED, each), seconds)
    return {"checks": checks, "generated": generated, "all": checks + generated}


def table(measured: dict[str, Figures]) -> Iterator[str]:
    heads = (
        "goals",
        "distinct",
        "proved",
        "refuted",
        "unknown",
        "of them ?",
        "unsound",
        "decided",
        "z3 time-outs",
        "median us",
        "distinct us",
    )
    yield f"{'':10}" + "".join(f"{head:>14}" for head in heads)
    for name, figures in measured.items():
        cells = (
            figures.count,
            len(figures.first_times),
            *(figures.answers[kind] for kind in ("Proved", "Refuted", "Unknown")),
            figures.open,
            len(figures.wrong),
            f"{figures.share_decided:.2%}",
            f"{figures.time_outs / max(figures.count, 1):.2%}",
            f"{median(figures.times):.1f}",
            f"{median(figures.first_times):.1f}",
        )
        yield f"{name:10}" + "".join(f"{cell:>14}" for cell in cells)
