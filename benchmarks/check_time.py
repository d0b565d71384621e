"""`tlc check` of a program of 300 lines: at most 0.25 seconds for the whole process, 80 MB, and neither torch nor numpy imported."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pairs import environment, interleaved, interval, print_machine, print_pairs, run_process, show, tlc, verdict
from programs import program

LINES, RUNS, SECONDS, MEGABYTES = 300, 15, 0.25, 80
PROBE = "import sys; from tensorlogic.cli.main import main; main(); print(*({'torch', 'numpy'} & sys.modules.keys()))"


def main() -> int:
    print_machine("tensorlogic")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "long.tl"
        path.write_text(program(LINES))
        command = tlc("check", str(path))
        run_process(command)  # compiles the modules to bytecode
        peaks: list[int] = []
        processor: list[float] = []

        def ours() -> float:
            wall, used, peak = run_process(command)
            peaks.append(peak)
            processor.append(used)
            return wall

        pairs = interleaved(ours, lambda: run_process([sys.executable, "-c", "pass"])[0], RUNS)
        print_pairs(pairs, 1000, "ms")
        walls = [wall for wall, _ in pairs]
        uncached = min(run_process(command, uncached=True)[0] for _ in range(5))
        probe = [sys.executable, "-c", PROBE, "check", str(path)]
        heavy = subprocess.run(probe, env=environment(), capture_output=True, text=True, check=True).stdout.split()
    print(f"  {path.name}: {program(LINES).count(chr(10))} lines; wall {show(interval(walls), ' s')}, least {min(walls):.3f} s")
    print(f"  processor time: median {median(processor):.3f} s, least {min(processor):.3f} s")
    print(f"  the interpreter alone: {min(other for _, other in pairs):.3f} s; without compiled bytecode: least {uncached:.3f} s")
    print(f"  imported of torch and numpy: {' '.join(heavy) or 'neither'}")
    kept = [
        verdict("whole process, least wall time of all runs", min(walls), SECONDS, " s"),
        verdict("peak memory", max(peaks) / 1024, MEGABYTES, " MB"),
        not heavy,
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
