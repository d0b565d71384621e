"""`tlc run` of a small program costs at most 0.4 seconds more than a process that only imports torch."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pairs import difference, interleaved, print_machine, print_pairs, run_process, show, tlc, verdict

RUNS, SECONDS = 11, 0.4
PROGRAM = """\
const D = 3

/// An affine map of every row.
fn forward(x: float32[N, D], w: float32[D, K], b: float32[K]) -> float32[N, K] {
    let product = x @ w
    return relu(product + b)
}

struct Summary { rows: int, total: float }

fn summary(y: float32[N, K]) -> Summary {
    return Summary { rows: N, total: sum(y).item() }
}

let x: float32[2, D] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
let w: float32[D, 2] = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
let y = forward(x, w, [0.5, -0.5])
for i in 0..2 {
    print(i, y[i])
}
assert_eq(summary(y).rows, 2)
"""


def main() -> int:
    print_machine("tensorlogic", "torch")
    processor: list[tuple[float, float]] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "small.tl"
        path.write_text(PROGRAM)
        ours, theirs = tlc("run", str(path)), [sys.executable, "-c", "import torch"]
        run_process(ours)  # compiles the modules to bytecode
        run_process(theirs)
        used: dict[str, float] = {}

        def measured(name: str, command: list[str]) -> float:
            wall, used[name], _ = run_process(command)
            if len(used) == 2:
                processor.append((used.pop("ours"), used.pop("theirs")))
            return wall

        pairs = interleaved(lambda: measured("ours", ours), lambda: measured("theirs", theirs), RUNS)
    print_pairs(pairs, 1000, "ms, wall")
    print_pairs(processor, 1000, "ms, processor")
    print(f"  more than `import torch`: wall {show(difference(pairs), ' s')}, processor {show(difference(processor), ' s')}")
    kept = verdict("median of the differences in wall time", difference(pairs)[0], SECONDS, " s")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
