"""The examples as a newcomer meets them: what they print, their tests, what they become, the one that is refused, their data."""

import filecmp
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import tensorlogic as tl
from tensorlogic.cli.main import main

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.tl"))
SWAPPED = EXAMPLES / "wrong" / "01_linear_swapped.tl"
MAY_IMPORT = {"torch", "torch.nn.functional", "tensorlogic.runtime"}  # beside the standard library
DATA = sorted(path.name for path in (EXAMPLES / "data").iterdir())

every_example = pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)


@pytest.fixture
def tlc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """(exit code, stdout, stderr) of the command, run in this process."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tlc", *arguments])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples, and the working folder."""
    copy = shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(copy)
    return copy


def steady(out: str) -> str:
    """What a program prints, without what a trained model gives, which differs with the processor."""
    return re.sub(
        r"^(before|after|training loss): .*(\n(?!before|after|training loss).*)*", r"\1: ...", out.rstrip("\n"), flags=re.MULTILINE
    )


@every_example
def test_output(program: Path, tlc, golden) -> None:
    code, out, _ = tlc("run", str(program), "--device", "cpu")
    assert code == 0
    golden(f"examples/{program.stem}", steady(out))


@every_example
def test_nothing_to_say_and_laid_out(program: Path, tlc) -> None:
    assert tlc("check", str(program))[0] == 0
    assert [d for d in tl.check(program) if d.code != "TL0702"] == []
    assert tlc("fmt", "--check", str(program))[0] == 0


@every_example
def test_its_tests_pass(program: Path, tlc) -> None:
    code, out, err = tlc("test", str(program))
    assert code == 0, out + err
    assert re.search(r"[1-9]\d* tests?", out + err), "an example has at least one test"


@every_example
def test_the_built_module_does_the_same(program: Path, tlc, golden, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = folder / "built.py"
    assert tlc("build", program.name, "-o", str(built))[0] == 0
    imported = set(re.findall(r"^(?:from|import) (\S+)", built.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names} <= MAY_IMPORT
    load_python("__main__", built)  # what `python built.py` does, without the price of a process for each
    golden(f"examples/{program.stem}", steady(capsys.readouterr().out))


def load_python(name: str, path: Path) -> ModuleType:
    """A Python file as a module of that name; not put into `sys.modules`."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_built_module_runs_under_plain_python(tlc, golden, folder: Path) -> None:
    assert tlc("build", "01_linear.tl", "-o", "linear.py")[0] == 0
    done = subprocess.run([sys.executable, "linear.py"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    golden("examples/01_linear", done.stdout.rstrip("\n"))


def test_the_linear_layer_is_right() -> None:
    import torch

    program = tl.compile(EXAMPLES / "01_linear.tl")
    program.run()
    x, w, b = (program.values[name] for name in ("X", "W", "b"))
    exact = x.double() @ torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]).double() + torch.tensor([0.01, 0.02]).double()
    output = program.values["output"]
    assert output.dtype == torch.float16 and output.shape == (4, 2)
    assert torch.allclose(output.double(), exact, rtol=2e-3)
    assert torch.equal(output, x @ w + b)


def test_the_swapped_layer_is_refused(tlc) -> None:
    code, out, err = tlc("check", str(SWAPPED))
    said = out + err
    assert code == 1 and len([d for d in tl.check(SWAPPED) if d.is_error]) == 1
    assert "error[TL0301]" in said and "01_linear_swapped.tl:8:18" in said
    assert "`input` is float16[N, D_in]" in said and "`weights` is float16[D_out, D_in]" in said
    assert "for example D_in = 2, D_out = 3 breaks it" in said
    assert "= help:" in said and "D_in == D_out" in said


def test_the_only_mistake_is_the_swap() -> None:
    right = SWAPPED.read_text(encoding="utf-8").replace("float16[D_out, D_in]", "float16[D_in, D_out]")
    assert tl.check(right) == []


def test_data_is_what_the_script_writes(tmp_path: Path) -> None:
    load_python("make_data", EXAMPLES / "make_data.py").main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == DATA
    assert filecmp.cmpfiles(EXAMPLES / "data", tmp_path, DATA, shallow=False)[0] == DATA


def test_data_is_small() -> None:
    assert sum((EXAMPLES / "data" / name).stat().st_size for name in DATA) < 200_000
