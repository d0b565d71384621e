"""Saving models: read back by the formats' own libraries and by us, and never a broken file in the place of a good one."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from gguf import GGMLQuantizationType, GGUFReader, quantize as gguf_quantize
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import nn

from tensorlogic import write
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.runtime.quantized import QuantizedTensor, quantize
from tensorlogic.runtime.weights import load_model, save_model
from tensorlogic.runtime.weights.dtypes import ALL_DTYPES

ROOT = Path(__file__).resolve().parents[2]
GGUF_TYPES = ["float64", "float32", "float16", "bfloat16", "int8", "int16", "int32", "int64"]
SAFE_TYPES = [name for name in ALL_DTYPES if name != "complex128"]


def code_of(action, *args, **kwargs):
    with pytest.raises(TensorLogicError) as caught:
        action(*args, **kwargs)
    return caught.value.diagnostics[0].code


def tensors(names):
    shapes = st.lists(st.integers(0, 5), max_size=4)
    entry = st.tuples(st.sampled_from(names), shapes).map(
        lambda pair: (torch.arange(np.prod(pair[1], dtype=int)) % 3).reshape(pair[1]).to(ALL_DTYPES[pair[0]])
    )
    return st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8), entry, max_size=6
    )


def equal(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(tensors(SAFE_TYPES), st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2))
def test_safetensors_round_trip(tmp_path, weights, metadata):
    weights.pop("__metadata__", None)
    metadata = {key: value for key, value in metadata.items() if value not in weights}
    path = tmp_path / "a.safetensors"
    save_model(weights, path, metadata=metadata)
    theirs = safetensors.torch.load_file(path)
    ours = load_model(path)
    assert theirs.keys() == weights.keys() == set(ours.names())
    assert all(equal(theirs[name], weights[name]) and equal(ours[name], weights[name]) for name in weights)
    assert ours.metadata == {"format": "pt"} | metadata


def test_safetensors_bytes_are_the_librarys(tmp_path):
    weights = {
        "b": torch.randn(2, 3),
        "a": torch.randn(3),
        "h": torch.randn(5).half(),
        "i": torch.arange(3),
        "8": torch.ones(3, dtype=torch.bool),
    }
    save_model(weights, tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == safetensors.torch.save(weights, {"format": "pt"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(tensors(GGUF_TYPES))
def test_gguf_round_trip(tmp_path, weights):
    path = tmp_path / "a.gguf"
    save_model(weights, path, metadata={"general.architecture": "test"})
    ours = load_model(path)
    assert ours.names() == list(weights) and all(equal(ours[name], weights[name]) for name in weights)


def test_gguf_as_the_package_reads_it(tmp_path):
    metadata = {
        "a.int": 7,
        "a.negative": -7,
        "a.big": 2**40,
        "a.float": 0.5,
        "a.flag": True,
        "a.text": "ü",
        "a.list": ["x", "y"],
        "a.mixed": [1, 2.5],
    }
    weights = {"w": torch.randn(3, 5), "h": torch.randn(2, 4, 8).half(), "b": torch.randn(6).bfloat16()}
    save_model(weights, tmp_path / "a.gguf", metadata=metadata)
    reader = GGUFReader(tmp_path / "a.gguf")
    for tensor in reader.tensors:
        assert list(reversed(tensor.shape.tolist())) == list(weights[tensor.name].shape)
        assert tensor.data.tobytes() == weights[tensor.name].reshape(-1).view(torch.uint8).numpy().tobytes()
    found = {key: reader.fields[key].contents() for key in metadata}
    assert found == metadata and load_model(tmp_path / "a.gguf").metadata["general.architecture"] == "tensorlogic"


def test_metadata_types_survive(tmp_path, shared):
    source = load_model(shared / "data/stories260k/stories260K.gguf")
    save_model(source, tmp_path / "a.gguf", metadata={"extra": 1})
    copy = load_model(tmp_path / "a.gguf")
    assert copy.header.metadata_types == source.header.metadata_types | {"extra": "uint32"}
    assert copy.metadata == dict(source.metadata) | {"extra": 1}
    assert all(equal(copy[name], source[name]) for name in source)
    save_model(source, tmp_path / "a.safetensors")
    assert safetensors.torch.load_file(tmp_path / "a.safetensors").keys() == set(source)


@pytest.mark.parametrize("dtype", ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"])
def test_quantized_saving(tmp_path, dtype):
    weights = {"w": torch.randn(4, 64).double(), "odd": torch.randn(4, 30), "bias": torch.randn(64).half(), "ids": torch.arange(4)}
    save_model(weights, tmp_path / "a.gguf", dtype=dtype)
    model, kind = load_model(tmp_path / "a.gguf"), GGMLQuantizationType[dtype.upper()]
    assert np.array_equal(model["w"].blocks.numpy(), gguf_quantize(weights["w"].float().numpy(), kind))
    assert (model["odd"].dtype, model["bias"].dtype, model["ids"].dtype) == (torch.float32, torch.float32, torch.int64)
    save_model(model, tmp_path / "b.gguf")
    assert (tmp_path / "b.gguf").read_bytes()[64:] and torch.equal(load_model(tmp_path / "b.gguf")["w"].blocks, model["w"].blocks)
    assert code_of(save_model, weights, tmp_path / "c.gguf", dtype="q4_k") == "TL0305" and not (tmp_path / "c.gguf").exists()


def test_a_tensor_that_cannot_be_quantized_is_named(tmp_path):
    with pytest.raises(TensorLogicError) as caught:
        save_model({"w": torch.full((1, 32), float("nan"))}, tmp_path / "a.gguf", dtype="q8_0")
    assert caught.value.diagnostics[0].notes == ("in tensor `w`",) and os.listdir(tmp_path) == []


def test_float_types(tmp_path, capsys):
    weights = {"w": torch.randn(4, 32), "i": torch.arange(3), "q": quantize(torch.randn(2, 32), "q8_0")}
    for name in ("a.safetensors", "a.gguf"):
        save_model(weights, tmp_path / name, dtype="bf16")
        model = load_model(tmp_path / name)
        assert (model["w"].dtype, model["i"].dtype, model["q"].dtype) == (torch.bfloat16, torch.int64, torch.bfloat16)
    assert "1 quantized tensors are saved as bfloat16" in capsys.readouterr().err
    save_model({"b": torch.tensor([True, False])}, tmp_path / "b.gguf")
    assert load_model(tmp_path / "b.gguf")["b"].tolist() == [1, 0] and "saved as int8" in capsys.readouterr().err


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(5, 4), nn.Linear(4, 5, bias=False)
        self.head.weight = self.embed.weight


def test_shared_tensors_are_stored_once(tmp_path):
    module, fresh, path = Tied(), Tied(), tmp_path / "a.safetensors"
    save_model(module, path)
    assert path.stat().st_size < 300 and len(safetensors.torch.load_file(path)) == 1
    assert safetensors.torch.load_model(fresh, path) == (set(), []) or torch.equal(fresh.head.weight, module.head.weight)
    ours = load_model(path)
    assert set(ours.names()) == {"embed.weight", "head.weight"}
    Tied().load_state_dict(ours.state_dict())
    assert torch.equal(ours["head.weight"], module.embed.weight)
    save_model(ours, tmp_path / "b.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == path.read_bytes()


def test_views_and_transposes(tmp_path):
    base = torch.randn(6, 4)
    weights = {"t": base.t(), "part": base[1:3], "step": base[:, ::2], "whole": base, "again": base.t()}
    for name in ("a.safetensors", "a.gguf"):
        save_model(weights, tmp_path / name)
        model = load_model(tmp_path / name)
        assert all(torch.equal(model[key], weights[key]) for key in weights)


def test_folder(tmp_path, shared):
    source = load_model(shared / "data/stories260k/hf_f32")
    save_model(source, f"{tmp_path}/new/")
    assert {"config.json", "tokenizer.model", "model.safetensors"} <= set(os.listdir(tmp_path / "new"))
    copy = load_model(tmp_path / "new")
    assert copy.names() == source.names() and copy.header.kind == "folder"
    save_model({"a": torch.ones(1)}, tmp_path / "plain")
    assert os.listdir(tmp_path / "plain") == ["model.safetensors"]


@pytest.mark.parametrize(
    ("model", "name", "code"),
    [
        ([1], "a.safetensors", "TL0306"),
        ({"a": 3}, "a.safetensors", "TL0306"),
        ({"a": torch.ones(1, device="meta")}, "a.safetensors", "TL0305"),
        ({"a\0": torch.ones(1)}, "a.gguf", "TL0305"),
        ({"a": torch.ones(1, dtype=torch.complex128)}, "a.safetensors", "TL0305"),
        ({"a": torch.ones(1, dtype=torch.complex64)}, "a.gguf", "TL0305"),
        ({"a": torch.ones(1, 1, 1, 1, 1)}, "a.gguf", "TL0305"),
        ({"a": torch.ones(1)}, "a.pt", "TL0604"),
        ({"a": torch.ones(1)}, "missing/a.gguf", "TL0606"),
    ],
)
def test_refusals(tmp_path, model, name, code):
    assert code_of(save_model, model, tmp_path / name) == code
    assert os.listdir(tmp_path) == []


def test_metadata_that_gguf_cannot_hold(tmp_path):
    for value in ({"a": 1}, None, [1, "a"], 2**70, object()):
        assert code_of(save_model, {}, tmp_path / "a.gguf", metadata={"k": value}) == "TL0305"
    assert code_of(save_model, {}, tmp_path / "a.safetensors", dtype="q8_0") == "TL0305"


# ---- all or nothing


@pytest.fixture
def old(tmp_path):
    """A good file, to be replaced by a failing save."""
    save_model({"a": torch.ones(4)}, tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def unharmed(path):
    return os.listdir(path.parent) == [path.name] and load_model(path)["a"].eq(1).all()


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EIO])
def test_a_failing_system_call(old, monkeypatch, call, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(write.os, call, fail)
    with pytest.raises(TensorLogicError) as caught:
        save_model({"a": torch.zeros(1000)}, old)
    monkeypatch.undo()
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "TL0604" and os.strerror(number) in diagnostic.message and diagnostic.file == str(old)
    assert unharmed(old)


def test_an_interrupt(old, monkeypatch):
    monkeypatch.setattr(write.os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_model({"a": torch.zeros(9)}, old)
    monkeypatch.undo()
    assert unharmed(old)


def test_a_size_limit(old):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        assert code_of(save_model, {"a": torch.zeros(100_000)}, old) == "TL0604"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert unharmed(old)


SLOW_SAVE = """
import sys, time, torch
from tensorlogic import write
from tensorlogic.runtime.weights import save_model
write.os.fsync = lambda _: (print("written", flush=True), time.sleep(60))
save_model({"a": torch.zeros(1000)}, sys.argv[1])
"""


def test_killed_while_saving(old):
    process = subprocess.Popen([sys.executable, "-c", SLOW_SAVE, str(old)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout.readline() == b"written\n"
        temporary = [name for name in os.listdir(old.parent) if name.endswith(write.SUFFIX)]
        save_model({"a": torch.ones(4)}, old)
        assert temporary[0] in os.listdir(old.parent), "a save that goes on is left alone"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert len(os.listdir(old.parent)) == 2 and load_model(old)["a"].eq(1).all()
    save_model({"a": torch.ones(4)}, old)
    assert unharmed(old)


def test_the_file_that_is_loaded_can_be_replaced(old):
    model = load_model(old)
    kept = model["a"]
    save_model({"a": model["a"] + 1}, old)
    assert kept.eq(1).all() and load_model(old)["a"].eq(2).all()
    save_model(load_model(old), old)
    assert load_model(old)["a"].eq(2).all()


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        save_model({}, tmp_path / "a.gguf")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.gguf").stat().st_mode) == 0o640


def test_links_and_odd_targets(tmp_path):
    (tmp_path / "precious").write_text("old")
    (tmp_path / "a.safetensors").symlink_to(tmp_path / "precious")
    save_model({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    assert (tmp_path / "precious").read_text() == "old" and not (tmp_path / "a.safetensors").is_symlink()
    os.mkfifo(tmp_path / "pipe.gguf")
    started = time.monotonic()
    assert code_of(save_model, {}, tmp_path / "pipe.gguf") == "TL0604" and time.monotonic() - started < 1


def test_saved_quantized_tensors_are_the_same_object_type(tmp_path):
    q = quantize(torch.randn(3, 64), "q5_1")
    save_model({"q": q}, tmp_path / "a.gguf")
    found = load_model(tmp_path / "a.gguf")["q"]
    assert isinstance(found, QuantizedTensor) and torch.equal(found.blocks, q.blocks) and found.shape == q.shape
