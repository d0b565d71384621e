"""`import tensorlogic as tl`: what the guide shows, errors at the call, the import hook."""

import doctest
import sys

import pytest
import torch

import tensorlogic as tl
from tensorlogic import api

LINEAR = "fn forward(x: float32[N, D], w: float32[D, K], scale: float = 1.0) -> float32[N, K] {\n    return x @ w * scale\n}\n"


def code(caught) -> str:
    return caught.value.diagnostics[0].code


@pytest.mark.parametrize("module", [tl, api], ids=lambda m: m.__name__)
def test_examples_in_docstrings(module):
    results = doctest.testmod(module)
    assert results.attempted and not results.failed


def test_public_names():
    assert len(tl.__all__) <= 14 and set(tl.__all__) == set(tl.HOMES) == set(dir(tl))
    assert all(getattr(tl, name) for name in tl.__all__)
    with pytest.raises(AttributeError):
        tl.nonsense  # noqa: B018


def test_saving_in_a_block_type(tmp_path):
    tl.save_model({"w": torch.ones(2, 32)}, tmp_path / "w.safetensors")
    text = f'save_model(load_model("{tmp_path}/w.safetensors"), "{tmp_path}/w.gguf", dtype: q8_0)'
    tl.compile(text).run()
    assert "q8_0" in repr(tl.load_model(tmp_path / "w.gguf")["w"])


def test_functions_take_and_give_tensors():
    net = tl.compile(LINEAR)
    x, w = torch.randn(3, 4), torch.randn(4, 2)
    assert torch.equal(net.forward(x, w), x @ w)
    assert torch.equal(net.forward(x, w, scale=2.0), x @ w * 2.0)
    assert list(net) == ["forward"] and "forward" in dir(net)


@pytest.mark.parametrize(
    "x, w, expected",
    [
        (torch.randn(3, 4), torch.randn(5, 2), "TL0301"),
        (torch.randn(3, 4).double(), torch.randn(4, 2), "TL0302"),
        (torch.randn(4), torch.randn(4, 2), "TL0304"),
        ([[1.0]], torch.randn(4, 2), "TL0306"),
    ],
    ids=["size", "dtype", "rank", "kind"],
)
def test_arguments_are_checked_at_the_call(x, w, expected):
    with pytest.raises(tl.TensorLogicError) as caught:
        tl.compile(LINEAR).forward(x, w)
    assert code(caught) == expected


def test_a_mistake_in_the_program():
    with pytest.raises(tl.TensorLogicError) as caught:
        tl.compile("let x = y\n")
    assert code(caught) == "TL0201"


def test_unknown_function():
    with pytest.raises(AttributeError, match="did you mean 'forward'"):
        tl.compile(LINEAR).foward  # noqa: B018


def test_values_after_a_run():
    program = tl.compile("const D = 2\nlet W = ones([D])\nmain { print(D) }\n", D=3)
    assert "W" not in program.values
    program.run()
    assert program.values["D"] == 3 and program.values["W"].shape == (3,)


@pytest.mark.parametrize("before, after", [("1", 2), ("1.5", 0.25), ("true", False), ('"a"', "b c")])
def test_settings(before, after):
    program = tl.compile(f"const C = {before}\n", C=after)
    assert program.values["C"] == after


def test_errors_of_a_run_have_their_place():
    with pytest.raises(tl.TensorLogicError) as caught:
        tl.compile("let n = 1\nassert n == 2\n").run()
    assert code(caught) == "TL0802" and caught.value.diagnostics[0].span.line == 2


def test_fx():
    net = tl.compile(LINEAR + "\nfn loops(n: int) -> int {\n    i = n\n    while i > 1 { i = i - 1 }\n    return i\n}\n")
    x, w = torch.randn(3, 4), torch.randn(4, 2)
    graph = net.fx("forward")
    assert isinstance(graph, torch.fx.GraphModule) and torch.equal(graph(x, w, 2.0), x @ w * 2.0)
    with pytest.raises(tl.TensorLogicError, match="not one graph"):
        net.fx("loops")
    with pytest.raises(KeyError):
        net.fx("absent")


def test_paths(tmp_path):
    path = tmp_path / "model.tl"
    path.write_text(LINEAR)
    assert list(tl.compile(path)) == list(tl.compile(str(path))) == ["forward"]
    assert tl.check(path) == tl.check(str(path)) == []
    with pytest.raises(FileNotFoundError):
        tl.compile(tmp_path / "absent.tl")


def test_build(tmp_path):
    output = tmp_path / "built.py"
    tl.build(LINEAR, output)
    assert "def forward" in output.read_text()


def test_import_hook(tmp_path, monkeypatch):
    (tmp_path / "hooked_model.tl").write_text(LINEAR)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    tl.install_import_hook()
    tl.install_import_hook()
    import hooked_model  # type: ignore[import-not-found]

    assert hooked_model.forward(torch.ones(1, 2), torch.ones(2, 1)).item() == 2.0
    assert hooked_model.__file__ == str(tmp_path / "hooked_model.tl")
    del sys.modules["hooked_model"]
    with pytest.raises(ModuleNotFoundError):
        import absent_model  # type: ignore[import-not-found]  # noqa: F401
