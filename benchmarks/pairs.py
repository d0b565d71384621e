"""Two things side by side: interleaved pairs in both orders, the median of their ratios, a 95 % interval, and the machine they ran on."""

import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from tempfile import gettempdir

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout beside this file is what is measured
BYTECODE = Path(gettempdir()) / "tlc-benchmark-bytecode"
Pair = tuple[float, float]


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> list[Pair]:
    """Measurements of both, in turns: ours first in every other pair, so that drift and warm caches favour neither."""
    found = []
    for n in range(pairs):
        if n % 2:
            second, first = theirs(), ours()
        else:
            first, second = ours(), theirs()
        found.append((first, second))
    return found


def interval(values: Sequence[float], statistic: Callable[[Sequence[float]], float] = median, seed: int = 1) -> tuple[float, float, float]:
    """(statistic, low, high): 95 % by 2,000 bootstrap samples, the same on every run of the same values."""
    draw = random.Random(seed)
    drawn = sorted(statistic(draw.choices(values, k=len(values))) for _ in range(2000))
    return statistic(values), drawn[49], drawn[1949]


def show(values: tuple[float, float, float], unit: str = "", digits: int = 3) -> str:
    middle, low, high = values
    return f"{middle:.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"


def ratio(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    return interval([ours / theirs for ours, theirs in pairs])


def difference(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    return interval([ours - theirs for ours, theirs in pairs])


def print_pairs(pairs: Sequence[Pair], scale: float, unit: str) -> None:
    """Every pair, as `ours/theirs`."""
    print(f"  pairs in {unit} (ours/other):", " ".join(f"{ours * scale:.4g}/{theirs * scale:.4g}" for ours, theirs in pairs))


# --- processes -------------------------------------------------------------------------------------------------------


def environment(cached: bool = True) -> dict[str, str]:
    """As after an installation: modules are compiled to bytecode once, not at every start. Nothing is written into the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")}
    return kept | {"PYTHONPATH": str(ROOT)} | ({"PYTHONPYCACHEPREFIX": str(BYTECODE)} if cached else {"PYTHONDONTWRITEBYTECODE": "1"})


def tlc(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "import sys; from tensorlogic.cli.main import main; sys.exit(main())", *arguments]


def run_process(command: Sequence[str], uncached: bool = False) -> tuple[float, float, int]:
    """(wall seconds, processor seconds, peak memory in KB) of a process that must succeed."""
    env = environment(cached=not uncached)
    start = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said.decode()}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss


# --- where it ran ----------------------------------------------------------------------------------------------------


def print_machine(*packages: str) -> None:
    """The machine, how busy it is, and the versions that matter."""
    versions = [f"{package} {metadata.version(package)}" for package in packages]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{processor()}, {os.cpu_count()} cores, {platform.system()}; load {load:.1f}")
    print(", ".join([f"Python {platform.python_version()}", *versions]), time.strftime("(%Y-%m-%d)"))


def processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def verdict(label: str, value: float, limit: float, unit: str = "") -> bool:
    """Print whether a figure keeps its limit."""
    kept = value <= limit
    print(f"{'ok  ' if kept else 'OVER'} {label}: {value:.3f}{unit}, at most {limit:g}{unit}")
    return kept
