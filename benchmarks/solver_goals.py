"""The shape solver on 100,000 goals: half asked while checking real programs, half generated; judged by z3, at most 50 us (median).

`python benchmarks/solver_goals.py [GOALS]`. Needs z3-solver and what the tests need. With 100,000 it takes about 15 minutes, most of it z3.
"""

import sys
from statistics import median

from pairs import print_machine, verdict  # puts the checkout on the path

from tests.properties.goals_figures import Figures, measured, table

GOALS, DECIDED, TIME_OUTS, MICROSECONDS = 100_000, 0.98, 0.02, 50


def print_undecided(figures: Figures) -> None:
    for line in dict.fromkeys([*figures.wrong, *figures.undecided[:20]]):
        print(f"  {line[:200]}")


def main() -> int:
    print_machine("tensorlogic")
    goals = int(sys.argv[1]) if len(sys.argv) > 1 else GOALS
    found = measured(goals // 2)
    print(*(f"  {line}" for line in table(found)), sep="\n")
    for figures in found.values():
        print_undecided(figures) if figures is not found["all"] else None
    total = found["all"]
    kept = [
        not total.wrong,
        verdict("undecided of the goals that z3 decides", 1 - total.share_decided, 1 - DECIDED),
        verdict("time-outs of z3", total.time_outs / total.count, TIME_OUTS),
        verdict("median", median(total.times), MICROSECONDS, " us"),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
