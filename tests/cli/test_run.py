"""`tlc run` and `tlc test`: output, errors at their line, exit codes, options."""

import pytest
import torch
from safetensors.torch import save_file


def program(folder, text, name="p.tl"):
    (folder / name).write_text(text)
    return name


def test_output_goes_to_stdout(tlc, folder):
    name = program(folder, 'let x = 1\nprint("top {}", x)\nmain { print("main") }\ntest "t" { print("test") }\n')
    result = tlc("run", name)
    assert (result.code, result.out, result.err) == (0, "top 1\nmain\n", "")


def test_check_errors_come_before_anything_runs(tlc, folder):
    result = tlc("run", program(folder, 'print("never")\nlet y = x\n'))
    assert result.code == 1 and not result.out and "error[TL0201]" in result.err and "p.tl:2:9" in result.err


def test_run_time_error_names_the_line(tlc, folder):
    result = tlc("run", program(folder, 'print("before")\nlet n = 3\nassert n == 4, "n is wrong"\nprint("after")\n'))
    assert result.code == 3 and result.out == "before\n"
    assert "error[TL0802]" in result.err and "n is wrong" in result.err and "p.tl:3" in result.err


def test_warnings_do_not_fail(tlc, folder):
    result = tlc("run", program(folder, "let relu = 3\nprint(relu)\n"))
    assert result.code == 0 and result.out == "3\n" and "warning[TL0701]" in result.err


def test_set(tlc, folder):
    name = program(folder, 'const D = 4\nconst out = "none"\nprint(zeros([D]).shape, out)\n')
    assert tlc("run", name).out == "[4] none\n"
    assert tlc("run", name, "--set", "D=6", "--set", "out=a b.gguf").out == "[6] a b.gguf\n"


@pytest.mark.parametrize("value", ["E=1", "D=x", "D=1.5", "D="])
def test_set_what_cannot_be(tlc, folder, value):
    result = tlc("run", program(folder, "const D = 4\nprint(D)\n"), "--set", value)
    assert result.code in (1, 2) and not result.out and result.err


def test_seed(tlc, folder):
    name = program(folder, "print(randn([4]))\n")
    one, again, other = (tlc("run", name, "--seed", seed).out for seed in ("1", "1", "2"))
    assert one == again != other


def test_device_that_is_not_there(tlc, folder, monkeypatch):

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    result = tlc("run", "good.tl", "--device", "mps")
    assert result.code == 3 and "error[TL0805]" in result.err


def test_compile(tlc, folder, monkeypatch):

    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function: compiled.append(function.__name__) or function)
    name = program(folder, "fn f(n: int) -> int { return n + 1 }\nfn g(n: int) -> int { return f(n) }\nassert g(1) == 2\n")
    assert tlc("run", name, "--compile").code == 0 and sorted(compiled) == ["f", "g"]


def test_arguments_of_the_program(tlc, folder):
    name = program(folder, "for a in args() { print(a) }\nprint(len(args()))\n")
    assert tlc("run", name, "--seed", "1", "--", "a", "--nproc", "2 3", "--").out == "a\n--nproc\n2 3\n--\n4\n"
    assert tlc("run", name, "--").out == tlc("run", name).out == "0\n"
    stray = tlc("run", name, "a")
    assert stray.code == 2 and "unrecognized arguments: a" in stray.err


def test_dtype_of_literals_layers_and_loads(tlc, folder):
    save_file({"w": torch.ones(2, 2), "ids": torch.arange(2)}, folder / "m.safetensors")
    text = """let x = tensor([[1.0, 2.0]])
let layer = Linear(2, 3)
let positions = SinusoidalPositions(2)
let m = load_model("m.safetensors")
fn f(x: float16[N, 2]) -> float16[N, 3] { return linear(x, layer_weight(), none_()) }
fn layer_weight() -> float16[3, 2] { return zeros([3, 2], dtype: float16) }
fn none_() -> float16[3] { return zeros([3], dtype: float16) }
let declared: float32[2] = [1.0, 2.0]
print(x.dtype, layer(x).dtype, positions(x).dtype, (x @ m["w"]).dtype, f(x).dtype, m["ids"].dtype, declared.dtype, zeros([2]).dtype)
"""
    result = tlc("run", program(folder, text), "--dtype", "float16")
    assert result.out == "float16 float16 float16 float16 float16 int64 float32 float32\n", result.err
    assert "TL0302" in tlc("run", program(folder, text)).err
    assert tlc("run", program(folder, text), "--dtype", "int8").code == 2


def test_tests(tlc, folder):
    text = 'fn one() -> int { return 1 }\ntest "good" { assert one() == 1 }\ntest "bad" { assert one() == 2 }\nmain { print("never") }\n'
    result = tlc("test", program(folder, text))
    assert result.code == 1 and not result.out
    good, bad, *_ = (line for line in result.err.splitlines() if line.startswith(("ok", "FAILED")))
    assert good.startswith("ok     good (") and bad.startswith("FAILED bad (")
    assert "error[TL0802]" in result.err and "p.tl:3" in result.err and result.err.endswith("p.tl: 2 tests, 1 failed\n")


def test_tests_of_many_files(tlc, folder):
    bad, good = program(folder, 'test "bad" { assert false }\n', "a.tl"), program(folder, 'test "good" { assert true }\n', "b.tl")
    result = tlc("test", bad, "bad.tl", good)
    assert result.code == 1 and "FAILED bad" in result.err and "error[TL0301]" in result.err and "ok     good" in result.err
    assert tlc("test", good).code == 0


def test_an_error_outside_of_tests(tlc, folder):
    result = tlc("test", program(folder, 'assert false, "top"\ntest "good" { assert true }\n'))
    assert result.code == 3 and "good" not in result.err.splitlines()[0]
