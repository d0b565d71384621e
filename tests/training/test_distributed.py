"""Two processes that share the work come to the weights of one: data parallel, sharded, and with split linear layers."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

PROGRAM = """
const OUT = "one"
model Net(H: int) {
    blocks: [Linear(H, H); 2]
    out: Linear(H, 3)
    fn forward(x: f32[B, H]) -> f32[B, 3] {
        let h = x
        for b in blocks { h = relu(b(h)) }
        return out(h)
    }
}
main {
    let x = randn([30, 8])
    let y = randint(0, 3, [30])
    let data = batches((x, y), size: 7, shuffle: true, seed: 1)
    let (a, b, c) = (Net(8), Net(8), Net(8))
    learn batch in data {
        objective: cross_entropy(a(batch.0), batch.1)
        optimizer: adamw(lr: 0.01), steps: 7, clip_grad_norm: 0.5, accumulate: 2
    }
    save_model(a, OUT + "_a.safetensors")
    learn batch in data {
        objective: cross_entropy(b(batch.0), batch.1)
        optimizer: adamw(lr: 0.01), steps: STEPS, clip_grad_norm: 0.5
        SHARDED
        checkpoint: every(4, OUT + "_checkpoints"), resume: auto, log: OUT + ".jsonl"
    }
    save_model(b, OUT + "_b.safetensors")
    learn batch in data {
        objective: cross_entropy(c(batch.0), batch.1)
        optimizer: sgd(lr: 0.1), steps: 7, clip_grad_norm: 0.5
        SPLIT
    }
    save_model(c, OUT + "_c.safetensors")
    print("done")
}
"""


def run(folder: Path, out: str, steps: int, *arguments: str) -> str:
    text = PROGRAM.replace("STEPS", str(steps))
    shared = "--nproc" in arguments
    text = text.replace("SHARDED", "distributed: fsdp" if shared else "").replace("SPLIT", "tensor_parallel: true" if shared else "")
    (folder / "program.tl").write_text(text)
    command = [sys.executable, "-m", "tensorlogic", "run", "program.tl", "--seed", "3", "--device", "cpu", "--set", f"OUT={out}"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no processes that work together")
def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    assert run(tmp_path, "one", 7) == "done\n"
    run(tmp_path, "two", 5, "--nproc", "2")
    assert run(tmp_path, "two", 7, "--nproc", "2") == "done\n", "the program's output comes once"
    for name in ("a", "b", "c"):
        one, two = (load_file(tmp_path / f"{out}_{name}.safetensors") for out in ("one", "two"))
        for key, tensor in one.items():
            assert torch.allclose(tensor, two[key], rtol=1e-5, atol=1e-7), (name, key)
    assert len((tmp_path / "two.jsonl").read_text().splitlines()) == 7


def test_sharding_needs_processes(tmp_path: Path) -> None:
    (tmp_path / "program.tl").write_text(PROGRAM.replace("STEPS", "1").replace("SHARDED", "distributed: fsdp").replace("SPLIT", ""))
    command = [sys.executable, "-m", "tensorlogic", "run", "program.tl", "--device", "cpu"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3 and "TL0805" in done.stderr and "--nproc" in done.stderr
