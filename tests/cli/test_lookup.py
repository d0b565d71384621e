"""`tlc explain`, `builtins`, `inspect`, `env`: what the installation knows."""

import json
import re

from tensorlogic.diagnostics.codes import CODES
from tensorlogic.stdlib.library import layer_names
from tensorlogic.stdlib.registry import initializer_names, names

HEADER = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'


def test_explain(tlc):
    result = tlc("explain", "tl0301")
    assert result.code == 0 and "TL0301" in result.out and not result.err


def test_explain_lists_all(tlc):
    assert [line.split()[0] for line in tlc("explain").out.splitlines()] == list(CODES)


def test_builtins_lists_all(tlc):
    result = tlc("builtins")
    found = [re.split(r"[(<,]", line)[0] for line in result.out.splitlines()]
    assert result.code == 0 and found == [*names(), *initializer_names(), *layer_names()]


def test_builtin(tlc):
    result = tlc("builtins", "softmax")
    assert result.code == 0 and result.out.startswith("softmax") and "->" in result.out


def test_inspect(tlc, folder):
    (folder / "w.safetensors").write_bytes(len(HEADER).to_bytes(8, "little") + HEADER + bytes(4))
    assert "float32" in tlc("inspect", "w.safetensors").out
    assert json.loads(tlc("inspect", "--json", "w.safetensors").out)


def test_inspect_what_is_none(tlc, folder):
    (folder / "w.safetensors").write_bytes(b"nonsense")
    malformed, missing = tlc("inspect", "w.safetensors"), tlc("inspect", "absent.gguf")
    assert malformed.code == 1 and "error[TL0604]" in malformed.err
    assert missing.code == 1 and "error[TL0606]" in missing.err


def test_env(tlc):
    result = tlc("env")
    rows = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert result.code == 0 and {"tlc", "python", "torch", "lark", "safetensors", "gguf", "device", "threads"} <= set(rows)
