"""What must not import torch or numpy, each in a process of its own; and how long `tlc check` may take."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "const D = 4\n\nfn scaled(x: float32[N, D], w: float32[D, K]) -> float32[N, K] {\n    return x @ w * 2.0\n}\n"
HEAVY = ("torch", "numpy", "gguf", "safetensors")
WHOLE_PROCESS = 0.25  # seconds for `tlc check` of 300 lines on an idle machine

# Runs the command and names on stderr what it imported of the heavy modules.
PROBE = f"""
import sys
{{statement}}
print("imported:", *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""


def heavy_imports(statement: str, folder: Path) -> list[str]:
    command = [sys.executable, "-c", PROBE.format(statement=statement)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stderr.rpartition("imported:")[2].split()


def main_with(*arguments: str) -> str:
    return f"sys.argv = {['tlc', *arguments]!r}; from tensorlogic.cli.main import main; assert main() == 0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.tl").write_text(PROGRAM)
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    return tmp_path


LIGHT = {
    "import": "import tensorlogic; dir(tensorlogic)",
    "tl.check": "import tensorlogic as tl; assert tl.check('model.tl') == []",
    "tl.format": "import tensorlogic as tl; tl.format('let x = 1')",
    "help": main_with("--help"),
    "check": main_with("check", "--strict", "model.tl"),
    "check --json": main_with("check", "--json", "model.tl"),
    "fmt": main_with("fmt", "model.tl"),
    "explain": main_with("explain", "TL0301"),
    "inspect": main_with("inspect", "w.safetensors"),
    "builtins": main_with("builtins"),
    "build": main_with("build", "model.tl", "-o", "model_py.py"),
}


@pytest.mark.parametrize("statement", LIGHT.values(), ids=LIGHT)
def test_no_torch(statement: str, folder: Path) -> None:
    assert heavy_imports(statement, folder) == []


def test_the_check_can_fail(folder: Path) -> None:
    assert "torch" in heavy_imports(main_with("run", "model.tl"), folder)


def test_check_is_quick(tmp_path: Path) -> None:
    functions = [PROGRAM.replace("const D = 4\n\n", "").replace("scaled", f"scaled{n}") for n in range(100)]
    (tmp_path / "long.tl").write_text("const D = 4\n" + "".join(functions))
    arguments = [sys.executable, "-c", main_with("check", "long.tl").replace("sys.argv", "import sys; sys.argv", 1)]
    # Processor time, since other work on the machine makes the clock run on; and only a measuring run takes the figure literally.
    times = [processor_seconds(arguments, tmp_path) for _ in range(3)]
    assert min(times) <= WHOLE_PROCESS * (1 if os.environ.get("TLC_FULL") == "1" else 4)


def processor_seconds(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
