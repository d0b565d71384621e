"""Figures of the comparison of every builtin with PyTorch: `python tests/properties/builtins_figures.py --calls 500000`."""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.stdlib import registry
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Library, Void
from tests.properties.builtins_trial import Outcome, decide
from tests.properties.calls import Call, NotDrawn, draw, parameters_of, text_of
from tests.properties.exceptions import ELSEWHERE

KINDS = ("accepted", "refused", "specified", "fault", "disagreed")


@dataclass
class Figures:
    """How many calls of one builtin ended how; `shown` are the first calls that disagreed."""

    name: str
    counts: Counter = field(default_factory=Counter)
    by_values: int = 0
    shown: list[str] = field(default_factory=list)
    rows: Counter = field(default_factory=Counter)

    @property
    def calls(self) -> int:
        return sum(self.counts.values())

    def add(self, call: Call, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self.by_values += outcome.by_values
        if outcome.row is not None:
            self.rows[outcome.row] += 1
        if outcome.kind == "disagreed" and len(self.shown) < 20:
            self.shown.append(f"({parameters_of(call)}) {text_of(call, self.name)}\n    {outcome.text}")


def overloads() -> Iterator[tuple[str, int]]:
    """Every overload that computes something: builtins that print, stop, read files, train or run functions are none of these."""
    for name in registry.names():
        found = registry.lookup(name)
        if found is None or found.effect not in (None, "random") or found.module.rpartition(".")[2] in ELSEWHERE:
            continue
        for index, signature in enumerate(builtin_signatures(name)):
            if not isinstance(signature.result, Void | Library):
                yield name, index


def can_be_drawn(name: str, index: int) -> bool:
    try:
        for seed in range(20):
            draw(builtin_signatures(name)[index], seed)
    except NotDrawn:
        return False
    return True


def compare(name: str, index: int, seed: int) -> tuple[Call, Outcome]:
    """One call. Raises NotDrawn."""
    call = draw(builtin_signatures(name)[index], crc32(f"{name} {index} {seed}".encode()))
    return call, decide(name, index, call)


def measure(calls: int, names: set[str] | None = None, first: int = 0) -> tuple[dict[str, Figures], list[Signature]]:
    """The figures by builtin for about so many calls, the same number of each overload; and the overloads that cannot be drawn."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    tried = [pair for pair in overloads() if names is None or pair[0] in names]
    figures: dict[str, Figures] = {}
    drawn = [pair for pair in tried if can_be_drawn(*pair)]
    left_out = [builtin_signatures(name)[index] for name, index in tried if (name, index) not in drawn]
    for name, index in drawn:
        made = figures.setdefault(name, Figures(name))
        for seed in range(first, first + -(-calls // len(drawn))):
            made.add(*compare(name, index, seed))
    return {name: made for name, made in figures.items() if made.calls}, left_out


def table(figures: dict[str, Figures]) -> str:
    head = f"{'builtin':36}{'calls':>8}" + "".join(f"{kind:>11}" for kind in KINDS) + f"{'by values':>11}"
    total = Figures("all")
    for made in figures.values():
        total.counts += made.counts
        total.by_values += made.by_values
    rows = [
        f"{made.name:36}{made.calls:8}" + "".join(f"{made.counts[kind]:11}" for kind in KINDS) + f"{made.by_values:11}"
        for made in (*figures.values(), total)
    ]
    return "\n".join((head, *rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("names", nargs="*", help="only these builtins")
    options = parser.parse_args()
    started = time.time()
    figures, left_out = measure(options.calls, set(options.names) or None, options.first)
    print(table(figures))
    for row, calls in sum((made.rows for made in figures.values()), Counter()).most_common():
        print(f"{calls:8} {', '.join(row.builtins)}: {row.said}: {row.cites}")
    print(*(line for made in figures.values() for line in made.shown), sep="\n")
    print("not drawn:", *(signature.text for signature in left_out), sep="\n    ")
    print(f"{time.time() - started:.0f} s")
    return int(any(made.counts["disagreed"] for made in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
