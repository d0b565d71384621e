"""Parsing, checking, formatting and generating code grow with the program: 1,000 to 8,000 lines, at most 2.2 times per doubling."""

import gc
import sys
import time
from collections.abc import Callable

from pairs import print_machine, verdict
from programs import program

from tensorlogic.backends.python import generate
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.driver import analyse
from tensorlogic.source import Source
from tensorlogic.syntax.format import format_source
from tensorlogic.syntax.parse import parse

SIZES, RUNS, GROWTH = (1000, 2000, 4000, 8000), 5, 2.2


def seconds(action: Callable[[], object]) -> float:
    """Processor time of one call."""
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def stages(text: str) -> dict[str, Callable[[], object]]:
    source = Source("long.tl", text)
    module = analyse(source).checked()
    return {
        "parse": lambda: parse(source, Problems()),
        "check": lambda: analyse(source),
        "format": lambda: format_source(text),
        "generate": lambda: generate(module),
    }


def main() -> int:
    print_machine("tensorlogic")
    gc.set_threshold(100_000)  # as the command does
    programs = {lines: stages(program(lines)) for lines in SIZES}
    least: dict[tuple[str, int], float] = {}
    for turn in range(RUNS):
        for lines in SIZES if turn % 2 else SIZES[::-1]:
            for stage, action in programs[lines].items():
                least[stage, lines] = min(least.get((stage, lines), float("inf")), seconds(action))
    kept = True
    for stage in ("parse", "check", "format", "generate"):
        times = [least[stage, lines] for lines in SIZES]
        growth = [later / earlier for earlier, later in zip(times, times[1:], strict=False)]
        rates = ", ".join(f"{lines}: {t:.3f} s" for lines, t in zip(SIZES, times, strict=True))
        print(f"  {stage:<9}{rates}  ({SIZES[-1] / times[-1]:,.0f} lines/s)  growth {' '.join(f'{g:.2f}' for g in growth)}")
        kept &= verdict(f"{stage}: largest growth per doubling (least processor time of {RUNS})", max(growth), GROWTH)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
