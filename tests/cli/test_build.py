"""`tlc build`: each form, where it goes, and what comes out of it."""

import runpy

import pytest
import torch

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


def test_forms_to_come(tlc, name):
    result = tlc("build", name, "-o", "out", "--emit", "onnx")
    assert result.code == 2 and "--emit onnx is not supported yet" in result.err


EXPORTED = """param w: float32[64, 8] = normal(0.02)
fn project(x: float32[B, 64], scale: float) -> float32[B, 8] where B <= 32 { return scale * (x @ w) }
fn other(x: float32[N]) -> float32[N] { return x }
fn host(n: int) -> int { print(n); return n }
"""


def loaded(path):
    return torch.export.load(path).module()  # a test trusts the file that it has just written


def test_an_exported_function(tlc, folder):
    (folder / "p.tl").write_text(EXPORTED)
    result = tlc("build", "p.tl", "--emit", "pt2", "-o", "p.pt2", "--function", "project", "--fix", "scale=2.0")
    assert (result.code, result.out, result.err) == (0, "", "")
    program = loaded(folder / "p.pt2")
    x = torch.rand(5, 64)
    assert torch.equal(program(x), 2.0 * (x @ program.state_dict()["w"]))
    with pytest.raises(AssertionError, match="x.*32"):
        program(torch.rand(33, 64))


def test_the_exported_function_is_forward_or_the_only_one(tlc, name, folder):
    assert tlc("build", name, "--emit", "pt2", "-o", "p.pt2").code == 0
    assert torch.equal(loaded(folder / "p.pt2")(torch.ones(7, 2)), torch.full((7, 2), 2.0))


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "where with -o"),
        (["-o", "p.pt2"], "--function: project, other"),
        (["-o", "p.pt2", "--function", "projekt"], "did you mean 'project'"),
        (["-o", "p.pt2", "--function", "other", "--fix", "n"], "--fix takes NAME=VALUE"),
        (["-o", "absent/p.pt2", "--function", "other"], "cannot be written"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_of_an_export(tlc, folder, arguments, words):
    (folder / "p.tl").write_text(EXPORTED)
    result = tlc("build", "p.tl", "--emit", "pt2", *arguments)
    assert result.code == 2 and words in result.err and not (folder / "p.pt2").exists()


def test_options_of_an_export_belong_to_it(tlc, name):
    result = tlc("build", name, "--function", "scaled")
    assert result.code == 2 and "belong to --emit pt2" in result.err


@pytest.mark.parametrize("function, words", [("project", "--fix scale="), ("host", "`host` is not one graph")])
def test_what_cannot_be_exported(tlc, folder, function, words):
    (folder / "p.tl").write_text(EXPORTED)
    result = tlc("build", "p.tl", "--emit", "pt2", "-o", "p.pt2", "--function", function)
    assert result.code == 1 and words in result.err and not (folder / "p.pt2").exists()


def test_an_error_writes_nothing(tlc, folder):
    (folder / "kept.py").write_text("before")
    result = tlc("build", "bad.tl", "-o", "kept.py")
    assert result.code == 1 and "error[TL0301]" in result.err and (folder / "kept.py").read_text() == "before"


@pytest.mark.parametrize("place", ["absent/out.py", "."])
def test_where_nothing_can_be_written(tlc, name, place):
    result = tlc("build", name, "-o", place)
    assert result.code == 2 and "cannot be written" in result.err
