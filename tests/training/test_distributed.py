"""Two processes that share the work come to the weights of one: data parallel, sharded, and with split linear layers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import lines
from tests.training.forked import outcomes, tlc

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


# Windows of a text, split at random and shuffled, batches that three processes cannot share out evenly, and a last one of one row.
# Gradients that are nothing but rounding would make steps of Adam: plain descent shows what is wrong, and nothing else.
TEXT = """
const OUT = "one"
model Writer(V: int, D: int) where D % 2 == 0 {
    tokens: Embedding(V, D)
    mixed: TransformerBlock(D, 2, 2 * D, dropout: 0.0)
    head: Linear(D, V)
    fn forward(ids: int64[B, T]) -> f32[B, T, V] { return head(mixed(tokens(ids))) }
}
main {
    let text = "the cat sat on the mat and the dog sat on the cat. " * 5
    let tok = char_tokenizer(text)
    let (seen, unseen) = random_split(windows(tok.encode(text), length: 8, stride: 6), fraction: 0.8)
    let (data, held_out) = (batches(seen, size: 11, shuffle: true), batches(unseen, size: 5))
    let (a, b, c) = (Writer(tok.vocab_size, 16), Writer(tok.vocab_size, 16), Writer(tok.vocab_size, 16))
    LEARN
    save_model(a, OUT + "_a.safetensors")
    save_model(b, OUT + "_b.safetensors")
    save_model(c, OUT + "_c.safetensors")
    print(len(seen), randint(0, 1000, [4]))
}
"""
LEARN = """
    learn batch in data {
        objective: cross_entropy(NAME(batch.inputs), batch.targets)
        optimizer: sgd(lr: 0.1), schedule: warmup_cosine(warmup: 3)
        steps: STEPS, accumulate: 2, clip_grad_norm: 0.5, log: OUT + "_NAME.jsonl", KIND
        validate: every(3, || {
            let total = 0.0
            for batch in held_out { total = total + cross_entropy(NAME(batch.inputs), batch.targets).item() }
            return total
        })
    }
"""
KINDS = {"a": "", "b": "distributed: fsdp", "c": "tensor_parallel: true"}


def text_program(shared: bool, steps: int) -> str:
    def learn(name: str) -> str:
        return LEARN.replace("NAME", name).replace("KIND", KINDS[name] if shared else "").replace("STEPS", str(steps))

    return TEXT.replace("LEARN", "".join(map(learn, KINDS)))


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no processes that work together")
@pytest.mark.skipif(not os.environ.get("TLC_FULL"), reason="takes half a minute: TLC_FULL=1")
def test_three_processes_and_uneven_batches(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tensorlogic", "run", "p.tl", "--device", "cpu", "--seed", "5"]
    said = []
    for out, more in (("one", []), ("three", ["--nproc", "3"])):
        (tmp_path / "p.tl").write_text(text_program(bool(more), 8))
        done = subprocess.run([*command, "--set", f"OUT={out}", *more], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    for name in KINDS:
        one, three = (load_file(tmp_path / f"{out}_{name}.safetensors") for out in ("one", "three"))
        assert one.keys() == three.keys()
        worst = max(float((one[key] - three[key]).abs().max() / one[key].abs().max()) for key in one)
        assert worst <= 1e-5, (name, worst)
        for a, b in zip(*(lines(tmp_path / f"{out}_{name}.jsonl") for out in ("one", "three")), strict=True):
            numbers = [key for key in ("loss", "lr", "validation") if key in a]
            assert [b[key] for key in numbers] == pytest.approx([a[key] for key in numbers], rel=1e-5), (name, a, b)


def test_more_processes_than_a_machine_can_take(tmp_path: Path) -> None:
    (tmp_path / "p.tl").write_text("print(1)\n")
    many, *wrong = outcomes(*(tlc(tmp_path, "run", "p.tl", "--nproc", number) for number in ("1000", "0", "-1", "two", "1.5", "9" * 30)))
    assert many[:2] == (2, "") and "--nproc 1000: at most" in many[2] and "cores" in many[2]
    assert all(done[0] == 2 and "--nproc" in done[2] for done in wrong)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no processes that work together")
@pytest.mark.parametrize("how", ["one is killed", "all are asked"] if os.environ.get("TLC_FULL") else ["one is killed"])
def test_processes_end_together(tmp_path: Path, how: str) -> None:
    (tmp_path / "p.tl").write_text(PROGRAM.replace("STEPS", "1000000").replace("SHARDED", "").replace("SPLIT", ""))
    command = [sys.executable, "-m", "tensorlogic", "run", "p.tl", "--nproc", "2", "--device", "cpu"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    log, end = tmp_path / "one.jsonl", time.monotonic() + 120
    while not (log.exists() and log.stat().st_size > 1000) and time.monotonic() < end:
        time.sleep(0.05)
    workers = [int(found.name) for found in Path("/proc").iterdir() if found.name.isdecimal() and parent(found) == process.pid]
    assert len(workers) == 2
    began = time.monotonic()
    if how == "one is killed":
        os.kill(max(workers), signal.SIGKILL)
    else:
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 15 and not any(Path(f"/proc/{worker}").exists() for worker in workers)
    if how == "one is killed":
        assert process.returncode == 128 + signal.SIGKILL and "another process of this training has ended" in err
        assert "tlc: process 1 of 2 was killed (SIGKILL); the others were stopped" in err
    else:
        assert process.returncode == 130 and "it goes on from one_checkpoints/step-" in err
    assert "Traceback" not in err and len([*(tmp_path / "one_checkpoints").glob("step-*")]) > 0


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0
