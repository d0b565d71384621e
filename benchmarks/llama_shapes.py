"""The shapes of a Llama of 22 layers: `tlc check --strict` in at most 0.35 seconds with no guard left, beside FakeTensor tracing,
`torch.export` and, where it is installed, pyrefly; and what each of them says to a wrong size.

    python benchmarks/llama_shapes.py [PATH OF PYREFLY]

pyrefly needs pyrefly-shape-extensions and pyrefly-torch-stubs (installed with --no-deps) beside it in its environment.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pairs import environment, interleaved, interval, print_machine, print_pairs, ratio, run_process, show, tlc, verdict

MODELS = Path(__file__).parent / "models"
SECONDS, RUNS, FEW = 0.35, 11, 5

# The same mistake in each of the three programs: (what it is, then `text -> other text` for llama.tl, llama_torch.py, llama_pyrefly.txt).
MISTAKES = (
    (
        "down_proj the wrong way round",
        ("down_proj: Linear(F, D", "down_proj: Linear(D, F"),
        ("down_proj = nn.Linear(F, D", "down_proj = nn.Linear(D, F"),
        ("down_proj = nn.Linear(f, d", "down_proj = nn.Linear(d, f"),
    ),
    (
        "values reshaped to H heads, not G",
        ("v_proj(x).reshape([B, T, G, D / H])", "v_proj(x).reshape([B, T, H, D / H])"),
        ("v_proj(x).reshape(B, T, self.G, self.K)", "v_proj(x).reshape(B, T, self.H, self.K)"),
        ("v_proj(x).reshape(b, t, self.g, self.k)", "v_proj(x).reshape(b, t, self.h, self.k)"),
    ),
    (
        "the cache is put behind along the head axis",
        ("cat([past_k, new_k], dim: 2)", "cat([past_k, new_k], dim: 1)"),
        ("torch.cat([past_k, new_k], 2)", "torch.cat([past_k, new_k], 1)"),
        ("torch.cat([past_k, new_k], 2)", "torch.cat([past_k, new_k], 1)"),
    ),
    (
        "30 heads, which do not divide 2048",
        ("H: 32, G: 4", "H: 30, G: 3"),
        ('"H": 32, "G": 4', '"H": 30, "G": 3'),
        ("Llama(32000, 2048, 32, 4", "Llama(32000, 2048, 30, 3"),
    ),
    (
        "no `where`: nothing says that G divides H",
        (", H % G == 0", ""),
        ("", ""),
        ("", ""),
    ),
)


def main() -> int:
    pyrefly = sys.argv[1] if len(sys.argv) > 1 else shutil.which("pyrefly")
    print_machine("tensorlogic", "torch")
    with TemporaryDirectory() as folder:
        others = commands(Path(folder), pyrefly)
        kept = time_all(others)
        explain_all(Path(folder), pyrefly)
    return 0 if kept else 1


def commands(folder: Path, pyrefly: str | None) -> dict[str, list[str]]:
    """What is run beside `tlc check`, by name."""
    script = str(MODELS / "llama_torch.py")
    found = {
        "FakeTensor, whole process": [sys.executable, script, "fake"],
        "torch.export, whole process": [sys.executable, script, "export"],
        "import torch alone": [sys.executable, "-c", "import torch"],
    }
    if pyrefly:
        copy = folder / "llama.py"
        copy.write_text((MODELS / "llama_pyrefly.txt").read_text())
        found["pyrefly check"] = pyrefly_command(pyrefly, copy)
    else:
        print("  pyrefly is not installed: left out")
    return found


def pyrefly_command(pyrefly: str, file: Path) -> list[str]:
    (file.parent / "pyrefly.toml").touch()
    python = str(Path(pyrefly).resolve().parent / "python")
    return [pyrefly, "check", "--python-interpreter-path", python, "--python-version", "3.12", str(file)]


# --- time ------------------------------------------------------------------------------------------------------------


def time_all(others: dict[str, list[str]]) -> bool:
    check = tlc("check", "--strict", str(MODELS / "llama.tl"))
    for command in (check, *others.values()):
        run_process(command)  # bytecode and caches
    walls: list[float] = []
    used: list[float] = []

    def ours() -> float:
        wall, processor, _ = run_process(check)
        walls.append(wall)
        used.append(processor)
        return wall

    for name, command in others.items():
        pairs = interleaved(ours, lambda command=command: run_process(command)[0], RUNS if "pyrefly" in name else FEW)
        print(f"{name}: {show(interval([other for _, other in pairs]), ' s')}; tlc takes {show(ratio(pairs))} of that")
        print_pairs(pairs, 1000, "ms")
    print_traces()
    print(f"tlc check --strict: wall {show(interval(walls), ' s')}, least {min(walls):.3f} s; processor {median(used):.3f} s")
    return verdict("whole process, least wall time of all runs", min(walls), SECONDS, " s")


def print_traces() -> None:
    """Tracing without the import, in this process; the first call also loads parts of torch."""
    sys.path.insert(0, str(MODELS))
    import llama_torch

    for name, trace in (("FakeTensor", llama_torch.fake), ("torch.export", llama_torch.export)):
        times = [seconds(trace) for _ in range(FEW)]
        print(f"{name}, the trace alone: {show(interval(times[1:]), ' s')}, the first {times[0]:.3f} s")


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# --- what they say ---------------------------------------------------------------------------------------------------


def explain_all(folder: Path, pyrefly: str | None) -> None:
    """What each says to the same mistake, in its first line."""
    for what, ours, torch, theirs in MISTAKES:
        print(f"\n{what}")
        program = changed("llama.tl", folder / "wrong.tl", ours)
        print("  tlc:         ", said(tlc("check", "--strict", program)))
        if not torch[0]:
            print("  the others:   have no place to say it")
            continue
        script = changed("llama_torch.py", folder / "wrong_torch.py", torch)
        print("  FakeTensor:  ", said([sys.executable, script, "fake"]))
        print("  torch.export:", said([sys.executable, script, "export"]))
        if pyrefly:
            module = changed("llama_pyrefly.txt", folder / "wrong_pyrefly.py", theirs)
            print("  pyrefly:     ", said(pyrefly_command(pyrefly, Path(module))))
    if pyrefly:
        print("\npyrefly on the right program, without its one `# pyrefly: ignore`")
        module = changed("llama_pyrefly.txt", folder / "strict_pyrefly.py", ("  # pyrefly: ignore", ""))
        print("  pyrefly:     ", said(pyrefly_command(pyrefly, Path(module))))


def changed(name: str, place: Path, change: tuple[str, str]) -> str:
    text = (MODELS / name).read_text()
    assert change[0] in text, f"{name} has no {change[0]!r}"
    place.write_text(text.replace(*change))
    return str(place)


def said(command: list[str]) -> str:
    """The message and its line, or that there is none."""
    found = subprocess.run(command, env=environment(), capture_output=True, text=True)
    lines = [line.strip() for line in (found.stdout + found.stderr).splitlines() if line.strip()]
    if found.returncode == 0:
        return "nothing"
    first = next((line for line in lines if re.match(r"error|ERROR", line)), None)
    if first is None:  # Python: the exception, and the last line of the model in its traceback
        message = next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b", line)), lines[-1])
        places = [match[1] for line in lines if (match := re.search(r"wrong_torch\.py\", line (\d+)", line))]
        return f"{message[:170]} (line {places[-1] if places else '?'})"
    place = next((line for line in lines if line.startswith("-->")), "")
    return f"{first[:170]} (line {place.split(':')[1] if ':' in place else '?'})"


if __name__ == "__main__":
    sys.exit(main())
