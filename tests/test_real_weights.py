"""A real trained model in two formats: `tlc inspect` lists both, and a program that loads the same tensor from each finds them equal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
let gguf = load_model("{folder}/stories260K.gguf")
let folder = load_model("{folder}/hf_f32")
let a: float32[512, 64] = gguf.get_tensor("token_embd.weight")
let b: float32[512, 64] = folder.get_tensor("model.embed_tokens.weight")
assert_close(a, b, 0.0)
let down: float16[64, 172] = folder["model.layers.4.mlp.down_proj.weight"]
assert_close(gguf["blk.4.ffn_down.weight"].to(float16), down, 0.0)
// q and k rows stand in another order in the two files: the norms of the matrices agree, the matrices do not
let q: float32[64, 64] = gguf["blk.0.attn_q.weight"]
let k: float32[64, 64] = folder["model.layers.0.self_attn.q_proj.weight"]
assert_close(norm(q), norm(k), 1e-4)
assert not allclose(q, k)
print("the same", a.shape)
"""


@pytest.fixture
def stories(shared: Path) -> Path:
    folder = shared / "data/stories260k"
    if not folder.exists():
        pytest.skip("no trained model here")
    return folder.resolve()


def tlc(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "tensorlogic", *arguments], capture_output=True, text=True, timeout=120)


def test_a_program_compares_both(stories: Path, tmp_path: Path) -> None:
    path = tmp_path / "compare.tl"
    path.write_text(PROGRAM.format(folder=stories))
    done = tlc("run", str(path))
    assert (done.returncode, done.stdout) == (0, "the same [512, 64]\n"), done.stderr


def test_a_wrong_shape_is_refused_before_a_weight_is_read(stories: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.tl"
    path.write_text(PROGRAM.format(folder=stories).replace("float32[512, 64] = gguf", "float32[64, 512] = gguf"))
    done = tlc("check", "--json", str(path))
    assert done.returncode == 1
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["TL0603"]


@pytest.mark.parametrize(("name", "tensor", "shape"), [
    ("stories260K.gguf", "token_embd.weight", [512, 64]), ("hf_f32", "model.embed_tokens.weight", [512, 64]),
])  # fmt: skip
def test_inspect_lists_both(stories: Path, name: str, tensor: str, shape: list[int]) -> None:
    text, listed = tlc("inspect", str(stories / name)), tlc("inspect", "--json", str(stories / name))
    assert text.returncode == 0 and tensor in text.stdout
    tensors = {item["name"]: item for item in json.loads(listed.stdout)["tensors"]}
    assert tensors[tensor]["shape"] == shape and tensors[tensor]["dtype"] == "float32"
