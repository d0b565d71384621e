"""`tlc build`: each form, where it goes, and what comes out of it."""

import runpy

import pytest

PROGRAM = "const D = 2\n\nfn scaled(x: float32[N, D]) -> float32[N, D] {\n    return 2.0 * x\n}\n\nlet y = scaled(ones([3, D]))\n"
SIGNS = {"ast": "FnDecl 3:1 name='scaled'", "ir": "fn scaled", "fx": "def forward", "python": "def scaled"}


@pytest.fixture
def name(folder):
    (folder / "p.tl").write_text(PROGRAM)
    return "p.tl"


@pytest.mark.parametrize("form", SIGNS)
def test_forms(tlc, name, form):
    result = tlc("build", name, "--emit", form)
    assert result.code == 0 and SIGNS[form] in result.out and not result.err


def test_the_built_module_runs(tlc, name, folder):
    result = tlc("build", name, "-o", "built.py")
    assert (result.code, result.out, result.err) == (0, "", "")
    built = runpy.run_path(str(folder / "built.py"), run_name="__main__")
    assert built["y"].tolist() == [[2.0, 2.0]] * 3


@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_forms_to_come(tlc, name, form):
    result = tlc("build", name, "-o", "out", "--emit", form)
    assert result.code == 2 and f"--emit {form} is not supported yet" in result.err


def test_an_error_writes_nothing(tlc, folder):
    (folder / "kept.py").write_text("before")
    result = tlc("build", "bad.tl", "-o", "kept.py")
    assert result.code == 1 and "error[TL0301]" in result.err and (folder / "kept.py").read_text() == "before"


@pytest.mark.parametrize("place", ["absent/out.py", "."])
def test_where_nothing_can_be_written(tlc, name, place):
    result = tlc("build", name, "-o", place)
    assert result.code == 2 and "cannot be written" in result.err
