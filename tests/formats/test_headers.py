"""Good model files read as what they say; mutated ones are refused or keep every promise of a header."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from model_files import gguf, info, key, safetensors, tensor, text, valid_files, write_index

from tensorlogic.cli.inspect import inspect
from tensorlogic.formats import FormatError, TensorEntry, read_header

FILES = valid_files()


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return str(path)


def test_library_cases(shared):
    folder = shared / "data/safetensors_cases"
    for case in json.loads((folder / "cases.json").read_text()):
        if case["expect"] == "ok":
            assert read_header(folder / case["file"]).kind == "safetensors"
        else:
            with pytest.raises(FormatError) as caught:
                read_header(folder / case["file"])
            assert caught.value.code == "TL0604"


def test_safetensors(tmp_path):
    path = write(tmp_path, "good.safetensors", FILES["good.safetensors"])
    header = read_header(path)
    start = len(FILES["good.safetensors"]) - 14
    assert (header.kind, header.path, header.metadata) == ("safetensors", path, {"a": "b"})
    assert header.entries["x"] == TensorEntry("x", "float32", (2,), path, start, start + 8)
    assert header.entries["é.y"] == TensorEntry("é.y", "int8", (2, 3), path, start + 8, start + 14)
    assert header.entries["empty"].nbytes == 0


def test_gguf(tmp_path):
    path = write(tmp_path, "good.gguf", FILES["good.gguf"])
    header = read_header(path)
    assert header.metadata["tiny.words"] == ("a", "ü")
    assert header.metadata["tiny.nested"] == ((-1, 7),)
    assert header.metadata["tiny.flag"] is True
    assert header.metadata_types["tiny.nested"] == "[[int32]]"
    assert {name: (e.dtype, e.shape, e.nbytes) for name, e in header.entries.items()} == {
        "w": ("float32", (2, 4), 32),
        "q": ("q8_0", (1, 32), 34),
        "s": ("float16", (), 2),
    }


def test_content_decides_not_the_name(tmp_path):
    assert read_header(write(tmp_path, "model.bin", FILES["good.gguf"])).kind == "gguf"
    assert read_header(write(tmp_path, "model.gguf", FILES["good.safetensors"])).kind == "safetensors"


def test_header_of_640_bytes_is_no_pickle(tmp_path):
    data = safetensors(json.dumps({"x": tensor()}).encode().ljust(640), bytes(8))
    assert data.startswith(b"\x80\x02")
    assert list(read_header(write(tmp_path, "a.pt", data)).entries) == ["x"]


def test_unknown_gguf_types_are_kept_as_numbers(tmp_path):
    path = write(
        tmp_path, "a.gguf", gguf(infos=[info("a", kind=4), info("b", offset=64), info("c", kind=2000, offset=96)], data=bytes(106))
    )
    entries = read_header(path).entries
    assert [(e.dtype, e.nbytes) for e in entries.values()] == [("ggml_type_4", 64), ("float32", 32), ("ggml_type_2000", 10)]


def test_alignment(tmp_path):
    keys = [key("general.alignment", 4, (64).to_bytes(4, "little"))]
    path = write(tmp_path, "a.gguf", gguf(keys, [info("a"), info("b", offset=64)], bytes(128), align=64))
    assert [e.start % 64 for e in read_header(path).entries.values()] == [0, 0]


def test_names_of_shared_tensors(tmp_path):
    path = write(tmp_path, "a.safetensors", safetensors({"__metadata__": {"b": "a", "format": "pt"}, "a": tensor()}, bytes(8)))
    header = read_header(path)
    assert header.aliases == {"b": "a"}
    assert header.entries["b"].start == header.entries["a"].start and header.entries["b"].name == "b"


def test_index(tmp_path):
    shards = {f"s{i}.safetensors": safetensors({f"t{i}": tensor()}, bytes(8)) for i in range(3)}
    path = write_index(tmp_path, {f"t{i}": f"s{i}.safetensors" for i in range(3)}, shards)
    for target in (path, tmp_path):
        header = read_header(target)
        assert header.kind == "folder" and header.metadata == {"total_size": 8} and header.path == str(target)
        assert [entry.file.rsplit("/")[-1] for entry in header.entries.values()] == list(shards)


def write_parts(folder, count=2, names=("a", "b")):
    keys = [key("split.count", 2, count.to_bytes(2, "little"))]
    for number, name in enumerate(names, 1):
        (folder / f"m-{number:05}-of-00002.gguf").write_bytes(gguf(keys, [info(name)], bytes(32)))
    return folder / "m-00001-of-00002.gguf"


def test_gguf_in_parts(tmp_path):
    first = write_parts(tmp_path)
    for target in (tmp_path, first, tmp_path / "m-00002-of-00002.gguf"):
        entries = read_header(target).entries
        assert list(entries) == ["a", "b"] and entries["b"].file.endswith("m-00002-of-00002.gguf")


def test_gguf_parts_refused(tmp_path):
    first = write_parts(tmp_path, names=("a", "a"))
    with pytest.raises(FormatError, match="two of its parts"):
        read_header(first)
    (tmp_path / "m-00002-of-00002.gguf").unlink()
    with pytest.raises(FormatError, match="TL0606"):
        read_header(first)
    with pytest.raises(FormatError, match="one of 60,000 parts"):
        read_header(write_parts(tmp_path, count=60_000))


def test_a_large_vocabulary_is_fast(shared):
    path = shared / "data/gpt2_bpe/ggml-vocab-gpt-2.gguf"
    started = time.process_time()
    header = read_header(path)
    assert time.process_time() - started < 0.5
    assert len(header.metadata["tokenizer.ggml.tokens"]) == 50257


def check_invariants(header, size):
    ends = []
    for entry in header.entries.values():
        assert 0 <= entry.start <= entry.end <= size
        assert all(type(n) is int and n >= 0 for n in entry.shape)
        entry.name.encode("utf-8")
        ends += [] if entry.name in header.aliases else [(entry.start, entry.end)]
    ends.sort()
    assert all(first[1] <= second[0] for first, second in zip(ends, ends[1:], strict=False))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 600), st.one_of(st.integers(0, 255), st.sampled_from([0, 0xFF, 0x80, 0x22, 0x5B]))), max_size=4),
    st.integers(0, 600),
)
def test_mutated_files(tmp_path, name, changes, length):
    data = bytearray(FILES[name])
    for at, value in changes:
        data[at % len(data)] = value
    path = write(tmp_path, name, bytes(data[: length or None]))
    try:
        check_invariants(read_header(path), len(data))
    except FormatError as problem:
        assert problem.code in ("TL0604", "TL0605") and str(problem).isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_any_json_for_a_header(tmp_path, value):
    path = write(tmp_path, "a.safetensors", safetensors({"x": value}))
    with pytest.raises(FormatError):
        read_header(path)
    write_index(tmp_path, {"a": "s1.safetensors", "x": value})
    with pytest.raises(FormatError):
        read_header(tmp_path / "model.safetensors.index.json")


def test_inspect_text(tmp_path):
    table = {"__metadata__": {"k\x1b[31m": "v" * 500, "same": "a\nb"}, "a\nb": tensor()}
    listing = inspect(write(tmp_path, "a.safetensors", safetensors(table, bytes(8))), as_json=False)
    assert all(line.isprintable() for line in listing.splitlines())
    assert "a\\nb  float32  [2]  8 bytes" in listing and "same as a\\nb" in listing
    assert "1 tensors, 2 parameters, 8 bytes of data" in listing and "v" * 101 not in listing


def test_inspect_json(tmp_path):
    keys = [
        key("n", 6, b"\0\0\xc0\x7f"),
        key("l", 9, (5).to_bytes(4, "little") + (9).to_bytes(8, "little") + bytes(36)),
        key("s", 8, text("x")),
    ]
    found = json.loads(inspect(write(tmp_path, "a.gguf", gguf(keys, [info()], bytes(32))), as_json=True))
    assert found["metadata"] == {"n": "nan", "l": {"length": 9, "first": [0] * 6}, "s": "x"}
    assert found["tensors"][0]["shape"] == [2, 4] and found["parameters"] == 8


def test_inspect_real_files(shared):
    for name in ("stories260k/stories260K.gguf", "stories260k/hf_f32", "gpt2_bpe/ggml-vocab-gpt-2.gguf"):
        listing = inspect(str(shared / "data" / name), as_json=False)
        assert all(line.isprintable() for line in listing.splitlines() if line) and len(listing) < 10_000


IMPORTS = "import sys; from tensorlogic.cli.inspect import inspect; inspect(sys.argv[1], False); {} print(*sys.modules)"


@pytest.mark.parametrize(("extra", "expected"), [("", False), ("import numpy;", True)])
def test_reading_headers_imports_no_torch(tmp_path, extra, expected):
    path = write(tmp_path, "good.gguf", FILES["good.gguf"])
    command = [sys.executable, "-c", IMPORTS.format(extra), path]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2])
    assert bool({"torch", "numpy"} & set(found.stdout.split())) is expected
