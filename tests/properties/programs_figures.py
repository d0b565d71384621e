"""Random programs and ill-typed twins in the full setting, as tables: `python tests/properties/programs_figures.py [PROGRAMS [TWINS]]`."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from tests.properties.programs_run import BATCH, Tally, run_batch
from tests.properties.twins import KINDS, Row, measure


def programs(count: int) -> None:
    tally, start = Tally(), time.perf_counter()
    for seed in range(-(-count // BATCH)):
        run_batch(seed, tally)
    seconds = time.perf_counter() - start
    print("Well-typed programs by construction")
    names = {
        "programs": "checked, compiled, run",
        "graphs": "of them as fx graphs",
        "numpy": "compared with numpy",
        "refused": "refused by PyTorch",
    }
    for key, words in names.items():
        print(f"  {words:26} {tally.counts[key]:9,}")
    print(f"  {'diagnostics':26} {tally.counts['warnings']:9,}")
    print(f"  {'failures':26} {len(tally.failures):9,}")
    print(f"  {seconds:.0f} s, {1000 * seconds / max(1, tally.counts['programs']):.2f} ms each", flush=True)
    for failure in tally.failures[:20]:
        print("---", failure)


def table(each: int) -> None:
    start, whole, missed = time.perf_counter(), Row(), []
    print(f"\nIll-typed twins, in percent\n  {'kind':18} {'twins':>7} {'refused':>8} {'there':>8} {'alone':>8}  codes")
    for kind in KINDS:
        row = measure(kind, each)
        print(line(kind, row), flush=True)
        missed += row.missed
        for name in ("twins", "refused", "placed", "alone"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
    print(line("all", whole))
    print(f"  {time.perf_counter() - start:.0f} s; {len(missed)} were not refused with one error on the line")
    for twin in missed[:12]:
        print("---", twin)


def line(kind: str, row: Row) -> str:
    refused, placed, alone = (100 * n / max(1, row.twins) for n in (row.refused, row.placed, row.alone))
    codes = " ".join(f"{code} {count}" for code, count in row.codes.most_common(4))
    return f"  {kind:18} {row.twins:7,} {refused:8.2f} {placed:8.2f} {alone:8.2f}  {codes}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    given = [int(word) for word in sys.argv[1:]]
    programs(given[0] if given else 100_000)
    table(given[1] if len(given) > 1 else 2_000)
