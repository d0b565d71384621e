"""`tlc cost`: formulas, numbers, tables, warnings, mistakes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tlc

PROGRAM = """const K = 4
const WIDTH = 7

fn scaled(x: f32[N, D], w: f32[D, K]) -> f32[N, K] {
    return x @ w * 2.0
}

model Net(D: int, H: int, L: int) where D % H == 0 {
    first: Linear(D, D)
    rest: [Linear(D, D / H, bias: false); L]

    fn forward(x: f32[B, D]) -> f32[B, D] {
        return relu(first(x))
    }
}
"""
TRAIN = """model Net(N: int) {
    tt: TTLinear([8, 8], [8, 8], [2])
    fat: TTLinear([4, 4], [4, 4], [16])

    fn forward(x: f32[B, 64], y: f32[B, 16]) -> (f32[B, 64], f32[B, 16]) {
        return (tt(x), fat(y))
    }
}
"""


@pytest.fixture(autouse=True)
def programs(folder: Path) -> Path:
    (folder / "net.tl").write_text(PROGRAM)
    (folder / "train.tl").write_text(TRAIN)
    return folder


def test_formulas(tlc: Tlc) -> None:
    done = tlc("cost", "net.tl", "scaled")
    assert done.code == 0 and done.err == ""
    assert done.out.splitlines() == [
        "scaled(x: float32[N, D], w: float32[D, 4]) -> float32[N, 4]                                 net.tl:4",
        "",
        "  products          8 * D * N FLOP",
        "  other operations  4 * N FLOP",
        "  bytes moved       4 * D * N + 16 * D + 48 * N bytes",
        "  intensity         (2 * D * N + N) / (D * N + 4 * D + 12 * N) FLOP per byte",
        "  peak memory       32 * N bytes",
        "  kept to train     0 B",
        "  largest tensor    float32[N, 4]    line 5",
    ]


def test_numbers_and_constants(tlc: Tlc) -> None:
    done = tlc("cost", "net.tl", "scaled", "--set", "N=1000", "--set", "D=2_000", "--set", "K=8")
    lines = done.out.splitlines()
    assert lines[0].startswith("scaled(x: float32[N, D], w: float32[D, 8])")
    assert lines[2:4] == ["  products          32.0 MFLOP  16 * D * N", "  other operations  8.00 kFLOP  8 * N"]
    assert "  largest tensor    32.0 kB     float32[1000, 8]    line 5" in lines
    partly = tlc("cost", "net.tl", "scaled", "--set", "N=1000").out
    assert "  products          8000 * D FLOP" in partly


def test_a_table_of_a_model(tlc: Tlc) -> None:
    done = tlc("cost", "net.tl", "Net.forward", "--set", "B=5", "--set", "D=8", "--set", "H=2", "--set", "L=3")
    assert done.out.splitlines()[2:6] == [
        "  model                                  parameters  bytes      FLOP",
        "  Net(8, 2, 3)                                  168  672 B  680 FLOP  100.0%",
        "    first  Linear(8, 8)                          72  288 B  640 FLOP   94.1%",
        "    rest  Linear(8, 4, bias: false) x 3          96  384 B         -",
    ]


LAYERS = """model Layers(p: float = 0.1) {
    a: Embedding(50, 8)
    b: Dropout()
    c: Dropout(p)
    d: Conv2d(3, 4, 3, stride: 2)
    e: LayerNorm(8, eps: 0.5)
    f: Outer(Linear(3, 4), name: "f")

    fn forward(x: f32[B, 8]) -> f32[B, 8] { return e(b(c(x))) }
}

model Outer(inner: Linear(3, 4), flag: bool = true, name: string = "") {
    fn forward(x: f32[N, 3]) -> f32[N, 4] { return inner(x) }
}
"""


def test_models_are_shown_as_they_are_written(tlc: Tlc, folder: Path) -> None:
    (folder / "layers.tl").write_text(LAYERS)
    lines = tlc("cost", "layers.tl", "Layers.forward").out.splitlines()[3:10]
    assert [line.strip().partition("   ")[0] for line in lines] == [
        "Layers()",
        "a  Embedding(50, 8)",
        "b  Dropout()",
        "c  Dropout(p: 0.1)",
        "d  Conv2d(3, 4, 3, stride: 2)",
        "e  LayerNorm(8, eps: 0.5)",
        'f  Outer(Linear(3, 4), name: "f")',
    ]


def test_narrow_terminals_fold(tlc: Tlc, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes go, and formulas take several lines; names of models are whole."""
    monkeypatch.setattr("tensorlogic.cli.cost_text.width", lambda: 60)
    lines = tlc("cost", "net.tl", "Net.forward").out.splitlines()
    assert lines[2].split() == ["model", "parameters", "FLOP"] and lines[4].split() == ["+", "D"]
    assert max(map(len, lines)) <= 74


def test_json(tlc: Tlc) -> None:
    done = tlc("cost", "net.tl", "--json", "--set", "B=5", "--set", "D=8", "--set", "H=2")
    scaled, net = map(json.loads, done.out.splitlines())
    assert scaled["name"] == "scaled" and scaled["products"] == {"formula": "64 * N", "value": None}
    assert net["model"]["submodels"][1]["count"] == {"formula": "L", "value": None}
    assert net["products"] == {"formula": "640", "value": 640} and net["line"] == 12
    assert {"peak_bytes", "kept_bytes", "largest", "intensity", "notes", "factors", "sizes"} <= net.keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "E=3"], "the size or constant 'E' does not exist"),
        (["--set", "WIDHT=3"], "the size or constant 'WIDHT' does not exist; did you mean 'WIDTH'?"),
        (["--set", "D=wide"], "--set D=wide: a size is a whole number"),
        (["--set", "D=-1"], "--set D=-1: a size is a whole number"),
        (["--set", "D=1__0"], "--set D=1__0: a size is a whole number"),
        (["--set", f"D={1 << 63}"], "a size is a whole number below 2 ** 63"),
        (["--set", f"D={'9' * 5000}"], "a size is a whole number below 2 ** 63"),
        (["Net.foward"], "the function 'Net.foward' does not exist; did you mean 'Net.forward'?"),
    ],
)
def test_wrong_arguments(tlc: Tlc, arguments: list[str], said: str) -> None:
    done = tlc("cost", "net.tl", *arguments)
    assert done.code == 2 and said in done.err and done.out == ""


def test_sizes_keep_what_is_required(tlc: Tlc) -> None:
    done = tlc("cost", "net.tl", "Net.forward", "--set", "D=7", "--set", "H=2")
    assert done.code == 1 and "error[TL0311]: `Net.forward` requires D % H == 0: D = 7, H = 2 does not keep it" in done.err


def test_a_program_with_mistakes(tlc: Tlc) -> None:
    done = tlc("cost", "bad.tl")
    assert done.code == 1 and "TL0301" in done.err and done.out == ""


def test_trains_that_are_dearer_than_dense(tlc: Tlc) -> None:
    done = tlc("cost", "train.tl")
    assert done.code == 0
    first, second = done.err.split("warning[TL0706]: ")[1:]
    assert first.startswith("`TTLinear(64, 64)` is dearer than `Linear(64, 64)` in memory to train from 31 rows on\n  --> train.tl:2:9")
    assert "parameters of the weight: 256, dense 4,096" in first and "FLOP for a row: 4,096, dense 8,192" in first
    assert "kept to train for a row: 512 B more than dense; the parameters take 15,360 B less" in first
    assert second.startswith("`TTLinear(16, 16)` is dearer than `Linear(16, 16)` in parameters and operations\n  --> train.tl:3:10")


def test_emitted_ir_says_what_products_cost(tlc: Tlc) -> None:
    assert "// 8 * D * N flop" in tlc("build", "net.tl", "--emit", "ir").out


def test_no_torch(folder: Path) -> None:
    program = (
        "import sys; sys.argv = ['tlc', 'cost', 'net.tl']; from tensorlogic.cli.main import main; main(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_files_without_functions(tlc: Tlc, folder: Path) -> None:
    (folder / "empty.tl").write_text("let x = 1\n")
    done = tlc("cost", "empty.tl")
    assert (done.code, done.out) == (0, "") and "no functions" in done.err


def test_functions_without_tensors(tlc: Tlc, folder: Path) -> None:
    (folder / "host.tl").write_text("fn f(a: int) -> int { return a + 1 }\n")
    assert tlc("cost", "host.tl").out.splitlines()[1:] == ["", "  no work on tensors"]
