"""Malformed, hostile and unsafe model files: each is refused with its code, fast, in little memory, and in printable words."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import hostile_files
from model_files import gguf, safetensors, tensor, valid_files, write_index

from tensorlogic.formats import FormatError, read_header

ROOT = Path(__file__).resolve().parents[2]
CASES = hostile_files()
GOOD = safetensors({"a": tensor()}, bytes(8))


@pytest.mark.parametrize("name", CASES)
def test_refused(name, tmp_path):
    suffix, data, code, word = CASES[name]
    path = tmp_path / f"model{suffix}"
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(FormatError) as caught:
        read_header(path)
    assert time.process_time() - started < 1
    assert caught.value.code == code
    assert word in caught.value.message
    assert str(caught.value).isprintable() and len(caught.value.message) < 500 + len(str(path))
    assert caught.value.diagnostic().file == str(path)


def test_the_corpus_is_large():
    assert len(CASES) > 100


WORST = ("millions of strings", "a million brackets", "70,000 tensors", "3 million empty strings", "deep objects", "2 million empty arrays")
MEASURE = """
import resource, sys
from tensorlogic.formats import FormatError, read_header
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read_header(path)
    except FormatError:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_refusals_take_little_memory(tmp_path):
    paths = []
    for name in (name for name in CASES if name.endswith(WORST)):
        paths.append(str(tmp_path / f"{len(paths)}{CASES[name][0]}"))
        with open(paths[-1], "wb") as file:
            file.write(CASES[name][1])
    assert len(paths) == len(WORST)
    assert _megabytes(paths) < 256


def _megabytes(paths):
    found = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True, cwd=ROOT)
    return int(found.stdout)


def test_a_header_at_the_limits_takes_little_memory(tmp_path):
    values = b"".join([b"\1\0\0\0\0\0\0\0k", b"\x09\0\0\0", b"\x08\0\0\0", (2_000_000).to_bytes(8, "little"), bytes(16_000_000)])
    (tmp_path / "a.gguf").write_bytes(gguf([values], counts=(5, 1)))
    (tmp_path / "b.safetensors").write_bytes(safetensors(b"[" + b"12345," * 1_000_000 + b"1]"))
    assert _megabytes([str(tmp_path / "a.gguf"), str(tmp_path / "b.safetensors")]) < 256


# the index: what it says -> (weight map, code, a word)
INDEXES = {
    "parent folder": ({"a": "../s1.safetensors"}, "TL0604", "plain file name"),
    "absolute": ({"a": "/etc/passwd.safetensors"}, "TL0604", "plain file name"),
    "backslash": ({"a": "..\\s1.safetensors"}, "TL0604", "plain file name"),
    "drive": ({"a": "C:s1.safetensors"}, "TL0604", "plain file name"),
    "NUL": ({"a": "s1\0.safetensors"}, "TL0604", "plain file name"),
    "empty": ({"a": ""}, "TL0604", "plain file name"),
    "dot": ({"a": ".."}, "TL0604", "not a .safetensors"),
    "number": ({"a": 1}, "TL0604", "plain file name"),
    "not there": ({"a": "s2.safetensors"}, "TL0606", "not there"),
    "itself": ({"a": "model.safetensors.index.json"}, "TL0604", "not a .safetensors"),
    "pickle": ({"a": "pytorch_model.bin"}, "TL0605", "pickle"),
    "tensor not in its shard": ({"a": "s1.safetensors", "b": "s1.safetensors"}, "TL0604", "not in it"),
    "list": (["a"], "TL0604", "weight_map"),
    "NUL in a tensor's name": ({"a\0": "s1.safetensors"}, "TL0604", "NUL"),
    "too many shards": ({str(i): f"{i}.safetensors" for i in range(5000)}, "TL0604", "shards"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_index_refused(name, tmp_path):
    weight_map, code, word = INDEXES[name]
    path = write_index(tmp_path, weight_map)
    for target in (path, tmp_path):
        with pytest.raises(FormatError) as caught:
            read_header(target)
        assert (caught.value.code, word in caught.value.message) == (code, True), caught.value


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"[]", "weight_map"),
        (b"{}", "weight_map"),
        (b"{", "not match"),
        (b'{"weight_map":{},"metadata":1}', "metadata"),
        (b"\xff", "UTF-8"),
    ],
)
def test_index_malformed(content, word, tmp_path):
    path = tmp_path / "model.safetensors.index.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=word):
        read_header(path)


def test_index_duplicate_tensor(tmp_path):
    path = write_index(tmp_path, {"a": "s1.safetensors"})
    path.write_text('{"weight_map": {"a": "s1.safetensors", "a": "s2.safetensors"}}')
    with pytest.raises(FormatError, match="twice"):
        read_header(path)


def test_index_with_large_headers(tmp_path):
    padded = safetensors(json.dumps({"a": tensor()}).encode().ljust(20_000_000), bytes(8))
    names = [f"s{i}.safetensors" for i in range(4)]
    path = write_index(tmp_path, {"a": names[0], "b": names[1], "c": names[2], "d": names[3]}, dict.fromkeys(names, padded))
    with pytest.raises(FormatError, match="together"):
        read_header(path)


def test_shard_that_is_something_else(tmp_path):
    path = write_index(tmp_path, {"w": "s1.safetensors"}, {"s1.safetensors": valid_files()["good.gguf"]})
    with pytest.raises(FormatError, match="by its content"):
        read_header(path)
    (tmp_path / "s1.safetensors").write_bytes(b"\x80\x04\x95" + bytes(20))
    with pytest.raises(FormatError) as caught:
        read_header(path)
    assert caught.value.code == "TL0605" and caught.value.path.endswith("s1.safetensors")


def test_links_out_of_the_folder(tmp_path):
    outside, folder = tmp_path / "out.safetensors", tmp_path / "model"
    folder.mkdir()
    outside.write_bytes(GOOD)
    (folder / "s1.safetensors").symlink_to(outside)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "s1.safetensors"}}))
    with pytest.raises(FormatError, match="out of its folder"):
        read_header(folder)
    (folder / "inside.safetensors").write_bytes(GOOD)
    (folder / "s1.safetensors").unlink()
    (folder / "s1.safetensors").symlink_to("inside.safetensors")
    assert list(read_header(folder).entries) == ["a"]
    assert list(read_header(tmp_path / "out.safetensors").entries) == ["a"]


def test_download_cache_links(tmp_path):
    """Hugging Face's cache keeps a model as links into the folder `blobs` beside `snapshots`."""
    for part in ("blobs", "snapshots/abc"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "blobs/123").write_bytes(GOOD)
    (tmp_path / "snapshots/abc/model.safetensors").symlink_to("../../blobs/123")
    assert list(read_header(tmp_path / "snapshots/abc").entries) == ["a"]


def test_only_regular_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    started = time.monotonic()
    for path in (tmp_path / "pipe.safetensors", "/dev/zero"):
        with pytest.raises(FormatError, match="regular"):
            read_header(path)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("path", ["missing.safetensors", "", "a\0b", "x" * 300, "model.gguf/inner"])
def test_not_found(path, tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"")
    with pytest.raises(FormatError) as caught:
        read_header(os.path.join(tmp_path, path) if path else path)
    assert caught.value.code == "TL0606"


def test_unreadable(tmp_path):
    path = tmp_path / "a.safetensors"
    path.symlink_to(path)
    with pytest.raises(FormatError) as caught:
        read_header(path)
    assert caught.value.code == "TL0606"


def test_folders(tmp_path):
    with pytest.raises(FormatError) as caught:
        read_header(tmp_path)
    assert caught.value.code == "TL0606"
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(FormatError) as caught:
        read_header(tmp_path)
    assert caught.value.code == "TL0605" and "weights_only=True" in caught.value.advice
    (tmp_path / "adapter_model.safetensors").write_bytes(GOOD)
    assert list(read_header(tmp_path).entries) == ["a"]
    (tmp_path / "other.safetensors").write_bytes(GOOD)
    with pytest.raises(FormatError, match="2 model files"):
        read_header(tmp_path)
