"""GPT-2 124M trained on "The Verdict" by a `learn` program, beside the textbook's model in plain PyTorch: the same first weights, the
same batches in the same order. After the first step the loss is near 9.8, after ten epochs at most 1.31; without dropout both agree.

    python benchmarks/verdict.py [--epochs 10] [--small] [--text FILE] [--vocabulary FOLDER]

Windows of 256, batches of 2, AdamW with 4e-4 and a weight decay of 0.1, 90 % of the text, dropout 0.1. The losses that count are taken in
evaluation mode over five batches of the text. With dropout the two draw other random numbers, so the curves only resemble each other; an
epoch without dropout comes first, where they must not differ. Each side runs in a process of its own; the seconds are those from before the
first step to behind the last, evaluations included. `--small` is for trying the script: a small model of letters, without the two limits.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pairs import ROOT, environment, print_machine, tlc, verdict

PROGRAM = Path(__file__).parent / "models" / "verdict.tl"
DATA = ROOT.parent / "shared" / "data"
FULL = {"CONTEXT": 1024, "WIDTH": 768, "HEADS": 12, "LAYERS": 12, "WINDOW": 256, "BATCH": 2, "LR": 4e-4, "SEED": 123}
SMALL = FULL | {"CONTEXT": 32, "WIDTH": 32, "HEADS": 4, "LAYERS": 2, "WINDOW": 32}
FIRST, NEAR, LAST, AGREE = 9.787, 0.15, 1.31, 1e-4  # the textbook's first loss, and how near to it; the limits
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss of each step, the evaluations by their steps, and the seconds of it all."""

    losses: list[float]
    looked: dict[int, float]
    seconds: float


def ours(settings: Settings) -> Curve:
    """`tlc run` of the program."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        sets = [f"--set={name}={value}" for name, value in {**settings, "LOG": log}.items()]
        said = output([*tlc("run"), str(PROGRAM), *sets])
        steps = [json.loads(line) for line in log.read_text().splitlines()]
    looked = {int(step): float(loss) for step, loss in map(str.split, said.splitlines())}
    return Curve([entry["loss"] for entry in steps], looked, steps[-1]["seconds"])


def plain(settings: Settings) -> Curve:
    """This script again, as the process that knows PyTorch only."""
    steps = [json.loads(line) for line in output([sys.executable, __file__, "--plain", json.dumps(settings)]).splitlines()]
    return Curve([loss for _, loss, _, _ in steps], {step: look for step, _, look, _ in steps if look is not None}, steps[-1][3])


def output(command: list[str]) -> str:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def print_plain(settings: Settings) -> None:
    """The plain side, a line of JSON after each step. Ids and orders are those of our readers, so that both see the same."""
    from models.verdict_torch import train, windows

    vocabulary, ids = read(settings)
    rows = windows(ids[: 9 * len(ids) // 10], settings["WINDOW"])
    orders = epochs(len(rows), settings)
    sizes = (vocabulary, *(settings[name] for name in ("CONTEXT", "WIDTH", "HEADS", "LAYERS")))
    options = {name.lower(): settings[name] for name in ("DROP", "BATCH", "STEPS", "EVERY", "LR", "SEED")}
    for entry in train(rows, orders, sizes, **options):
        print(json.dumps(entry), flush=True)


def read(settings: Settings) -> tuple:
    """The size of the vocabulary, and the ids of the text."""
    from tensorlogic.runtime.data.text_files import whole_text
    from tensorlogic.runtime.tokenizers import char_tokenizer, load_tokenizer

    text = whole_text(settings["TEXT"])
    tokenizer = load_tokenizer(settings["VOCABULARY"]) if settings["VOCABULARY"] else char_tokenizer(text)
    return tokenizer.vocab_size, tokenizer.encode(text)


def epochs(rows: int, settings: Settings) -> list:
    """The order of the rows in each epoch."""
    import torch

    from tensorlogic.runtime.data.order import generator

    count = -(-settings["STEPS"] // (rows // settings["BATCH"]))
    return [torch.randperm(rows, generator=generator(settings["SEED"], epoch)) for epoch in range(count)]


# --- what is said -----------------------------------------------------------------------------------------------------


def same_steps(settings: Settings) -> bool:
    """Without dropout: how far apart the two are at any step."""
    mine, other = ours(settings), plain(settings)
    apart = [abs(a - b) / b for a, b in zip(mine.losses, other.losses, strict=True)]
    print("without dropout, relative difference of the loss of each step:", " ".join(f"{one:.1e}" for one in apart))
    print(f"  {len(apart)} steps: ours {mine.seconds:.1f} s, plain PyTorch {other.seconds:.1f} s")
    return verdict("without dropout, largest relative difference of a loss", max(apart) * 1e6, AGREE * 1e6, "e-6")


def both_curves(settings: Settings) -> tuple[Curve, Curve]:
    mine, other = ours(settings), plain(settings)
    print(f"{'step':>6} {'ours':>8} {'plain':>8}   (evaluation mode, five batches of the text)")
    for step, loss in mine.looked.items():
        print(f"{step:>6} {loss:>8.3f} {other.looked[step]:>8.3f}")
    share = mine.seconds / other.seconds
    print(f"  {len(mine.losses)} steps: ours {mine.seconds:.1f} s, plain PyTorch {other.seconds:.1f} s: {share:.3f} of it")
    return mine, other


def limits(mine: Curve, epochs: int) -> list[bool]:
    kept = [verdict(f"loss after the first step, its distance from {FIRST}", abs(mine.looked[1] - FIRST), NEAR)]
    return kept + ([verdict("loss after ten epochs", mine.looked[max(mine.looked)], LAST)] if epochs >= 10 else [])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="a small model of letters, to try the script")
    parser.add_argument("--text", type=Path, default=DATA / "texts" / "the-verdict.txt")
    parser.add_argument("--vocabulary", type=Path, default=DATA / "gpt2_bpe")
    parser.add_argument("--plain", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        print_plain(given.plain)
        return 0
    print_machine("torch")
    text, vocabulary = str(given.text.resolve()), "" if given.small else str(given.vocabulary.resolve())
    settings: Settings = {**(SMALL if given.small else FULL), "TEXT": text, "VOCABULARY": vocabulary}
    rows = (9 * len(read(settings)[1]) // 10 - 1) // settings["WINDOW"]
    epoch = 20 if given.small else rows // settings["BATCH"]
    kept = [same_steps({**settings, "DROP": 0.0, "STEPS": epoch, "EVERY": epoch})]
    mine, _ = both_curves({**settings, "DROP": 0.1, "STEPS": given.epochs * epoch, "EVERY": 5})
    return 0 if all(kept + (limits(mine, given.epochs) if not given.small else [])) else 1


if __name__ == "__main__":
    sys.exit(main())
