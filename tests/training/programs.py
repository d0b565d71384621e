"""The programs that the tests of `tlc run` stop, damage and share out among processes, with the files that they read."""

import random
from pathlib import Path
from typing import Any

from tests.training.conftest import lines

# Text: windows of a text, split at random and shuffled, no seed anywhere; dropout, a schedule, accumulation, bfloat16, clipping.
TEXT = """
const STEPS = 8
model Writer(V: int, D: int) where D % 2 == 0 {
    tokens: Embedding(V, D)
    lost: Dropout(0.3)
    mixed: TransformerBlock(D, 2, 2 * D)
    head: Linear(D, V)
    fn forward(ids: int64[B, T]) -> f32[B, T, V] { return head(mixed(lost(tokens(ids)))) }
}
main {
    let text = read_text("text.txt")
    let tok = char_tokenizer(text)
    let (seen, unseen) = random_split(windows(tok.encode(text), length: 8, stride: 4), fraction: 0.8)
    let data = batches(seen, size: 4, shuffle: true)
    let held_out = batches(unseen, size: 16)
    let m = Writer(tok.vocab_size, 16)
    learn batch in data {
        objective: cross_entropy(m(batch.inputs), batch.targets)
        optimizer: adamw(lr: 1e-2, weight_decay: 0.1)
        schedule: warmup_cosine(warmup: 3, min_lr: 1e-4)
        steps: STEPS, accumulate: 2, precision: bfloat16, clip_grad_norm: 0.5
        validate: every(3, || {
            let total = 0.0
            for batch in held_out { total = total + cross_entropy(m(batch.inputs), batch.targets).item() }
            return total / len(held_out)
        })
        checkpoint: every(2, "ck"), log: "log.jsonl", resume: auto
    }
    print(randint(0, 1000, [4]))
}
"""

# Rows of a CSV file: momentum, a decaying rate, epochs whose last batch is smaller, and a second training behind the first.
ROWS = """
const STEPS = 8
let x: f32[?, 3] = read_csv("rows.csv", columns: 0..3)
let y = read_column("rows.csv", 3, dtype: int64)
model Net(H: int) {
    up: Linear(3, H)
    lost: Dropout(0.2)
    down: Linear(H, 3)
    fn forward(x: f32[B, 3]) -> f32[B, 3] { return down(lost(relu(up(x)))) }
}
main {
    let m = Net(8)
    let data = batches((x, y), size: 5, shuffle: true)
    learn batch in data {
        objective: cross_entropy(m(batch.0), batch.1)
        optimizer: sgd(lr: 0.1, momentum: 0.9), schedule: step_decay(every: 3, gamma: 0.5)
        steps: STEPS / 2, checkpoint: every(1, "ck_first"), log: "first.jsonl", resume: auto
    }
    learn batch in data {
        objective: cross_entropy(m(batch.0), batch.1)
        optimizer: rmsprop(lr: 0.01), accumulate: 3
        steps: STEPS / 2, checkpoint: every(1, "ck"), log: "log.jsonl", resume: true
        params: m.down
    }
}
"""

PROGRAMS = {"text": TEXT, "rows": ROWS}


def write(folder: Path, name: str, text: str | None = None) -> Path:
    """A folder with a program as `p.tl`, and what it reads."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = random.Random(1)
    (folder / "p.tl").write_text(PROGRAMS[name] if text is None else text)
    (folder / "text.txt").write_text(" ".join(numbers.choice(("the", "cat", "sat", "on", "mat")) for _ in range(60)))
    rows = ([*(f"{numbers.uniform(-1, 1):.3f}" for _ in range(3)), str(numbers.randrange(3))] for _ in range(22))
    (folder / "rows.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    return folder


def result(folder: Path) -> tuple[Any, ...]:
    """What a training leaves behind, to the byte: its newest checkpoints, and what its logs say about steps, losses and rates."""
    newest = [sorted(place.glob("step-*"))[-1] for place in sorted(folder.glob("ck*"))]
    files = {f"{at.parent.name}/{at.name}/{file.name}": file.read_bytes() for at in newest for file in sorted(at.iterdir())}
    told = {log.name: [{k: v for k, v in entry.items() if k != "seconds"} for entry in lines(log)] for log in folder.glob("*.jsonl")}
    return files, told
