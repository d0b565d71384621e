"""A training step of GPT-2 124M at batch 2 x 256, side by side with the textbook's PyTorch: at most 0.7 of its time in float32 with the
same losses, at most 0.5 with bfloat16 products; never slower than the same by `torch.compile`; and at its peak no more memory.

    python benchmarks/gpt2_step.py [--rounds 5] [--quick]

All train the same weights on the same ids without dropout, so that the losses can be compared. The compiled side has also the fused
optimizer. The floor printed beside them is the time that the products alone would take at the speed of a feed-forward layer's, in the
same run. Memory is measured in a process of its own for each side: the most that it held during three steps, and from the beginning (which
is where compiling is), less what it held when both compilers had been imported. `--quick` is for trying the script: a small model, whose
figures say nothing of the claims.
"""

import argparse
import gc
import re
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import torch
from models.gpt2_book import GPT as Book
from pairs import environment, interleaved, print_machine, print_pairs, ratio, show, verdict

import tensorlogic as tl
from tensorlogic.runtime.training.loop import Plan, Trainer
from tensorlogic.runtime.training.optimizers import Rule, adamw, learnable

SIZES = {"V": 50257, "C": 1024, "D": 768, "H": 12, "L": 12}
QUICK = {"V": 5000, "C": 256, "D": 192, "H": 4, "L": 3}
BATCH, STEPS, ROUNDS = 2, 256, 5
OPTIONS: dict[str, Any] = {"lr": 4e-4, "weight_decay": 0.1}
SOURCE = Path(__file__).parent.parent / "examples" / "lib" / "gpt2.tl"
Precision = torch.dtype | None


class Ours:
    """The model of examples/lib/gpt2.tl under the loop behind `learn`."""

    def __init__(self, sizes: dict[str, int], precision: Precision = None) -> None:
        self.ids, self.losses = token_ids(sizes), []
        self.model = tl.compile(SOURCE).GPT(**sizes, drop=0.0)
        self.model.load_state_dict(book(sizes).state_dict())
        plan = Plan(optimizer=Rule(adamw, **OPTIONS), steps=1_000_000, precision=precision)
        self.trainer = Trainer(self.loss, (("gpt", self.model),), None, learnable(self.model), plan)

    def loss(self) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(self.model(self.ids[:, :-1]).flatten(0, 1), self.ids[:, 1:].flatten())

    def step(self) -> None:
        self.losses.append(self.trainer._step([None]))


class Textbook:
    """The textbook's model and loop."""

    def __init__(self, sizes: dict[str, int], precision: Precision = None) -> None:
        self.ids, self.losses = token_ids(sizes), []
        self.model = book(sizes)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), **OPTIONS)
        self.precision = torch.autocast("cpu", precision) if precision else nullcontext()

    def step(self) -> None:
        self.optimizer.zero_grad()
        with self.precision:
            logits = self.model(self.ids[:, :-1])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), self.ids[:, 1:].flatten())
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())


class Compiled(Textbook):
    """The textbook's, as fast as PyTorch makes it without another line of the model."""

    def __init__(self, sizes: dict[str, int], precision: Precision = None) -> None:
        super().__init__(sizes, precision)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=True, **OPTIONS)
        self.model = torch.compile(self.model)


Side = Ours | Textbook
SIDES = {side.__name__: side for side in (Ours, Textbook, Compiled)}


def token_ids(sizes: dict[str, int]) -> torch.Tensor:
    return torch.randint(0, sizes["V"], (BATCH, min(STEPS, sizes["C"]) + 1), generator=torch.Generator().manual_seed(0))


def book(sizes: dict[str, int]) -> Book:
    torch.manual_seed(1)
    return Book(*sizes.values(), drop=0.0)


# --- time ------------------------------------------------------------------------------------------------------------


def seconds(run) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def floor(sizes: dict[str, int]) -> float:
    """Seconds that the products of a step take at the speed of a feed-forward layer's: one forward, two for the gradients."""
    x, w = torch.randn(BATCH * STEPS, sizes["D"]), torch.randn(4 * sizes["D"], sizes["D"])
    once = median(seconds(lambda: x @ w.T) for _ in range(21))
    parameters = sizes["L"] * 12 * sizes["D"] ** 2 + sizes["V"] * sizes["D"]
    return 3 * once * parameters / (4 * sizes["D"] ** 2)


def compare(label: str, ours: Side, theirs: Side, rounds: int, limit: float) -> bool:
    """One step of each to warm up (the compiled one compiles), then pairs in both orders."""
    ours.step()
    theirs.step()
    pairs = interleaved(lambda: seconds(ours.step), lambda: seconds(theirs.step), rounds)
    print_pairs(pairs, 1.0, "s")
    print(f"  {label}: ratio {show(ratio(pairs))}; largest difference of a loss {difference(ours, theirs):.1e}")
    return verdict(label, ratio(pairs)[2], limit)


def difference(ours: Side, theirs: Side) -> float:
    return max(abs(a - b) for a, b in zip(ours.losses, theirs.losses, strict=True))


def times(sizes: dict[str, int], rounds: int) -> list[bool]:
    print(f"the products alone: {floor(sizes):.2f} s")
    low = torch.bfloat16
    return [
        compare("float32 beside the textbook's", Ours(sizes), Textbook(sizes), rounds, 0.7),
        compare("float32 beside torch.compile", Ours(sizes), Compiled(sizes), rounds, 1.0),
        compare("bfloat16 products beside the textbook's float32", Ours(sizes, low), Textbook(sizes), rounds, 0.5),
        compare("bfloat16 products beside torch.compile with them", Ours(sizes, low), Compiled(sizes, low), rounds, 1.0),
    ]


# --- memory ----------------------------------------------------------------------------------------------------------


def status(field: str) -> int:
    """Kilobytes that Linux keeps of this process: VmRSS, what it holds, VmHWM, the most it held."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found.group(1)) if found else 0


def print_peak(side: str, sizes: dict[str, int], precision: Precision) -> None:
    """What a process for one side prints: the megabytes of three steps, of it all from the start."""
    import torch._inductor.compile_fx  # noqa: F401 - PyTorch's compiler and ours are loaded whichever side it is: no memory of a training

    tl.compile(SOURCE)
    before = status("VmRSS")
    training = SIDES[side](sizes, precision)
    for _ in range(2):
        training.step()
    whole = status("VmHWM")
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back
    for _ in range(3):
        training.step()
    print((status("VmHWM") - before) // 1024, (max(whole, status("VmHWM")) - before) // 1024)


def peak(side: str, quick: bool, low: bool) -> tuple[int, int]:
    command = [sys.executable, __file__, "--peak-of", side, *["--quick"] * quick, *["--bfloat16"] * low]
    steps, whole = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout.split()
    return int(steps), int(whole)


def memory(quick: bool) -> list[bool]:
    """The peaks of all sides, in both precisions; ours is held to the least of the others."""
    kept = []
    for low in (False, True):
        peaks = {side: peak(side, quick, low) for side in SIDES}
        name = "bfloat16 products" if low else "float32"
        print(
            f"  memory, {name}:", ", ".join(f"{side} {steps} MB ({whole} with the first steps)" for side, (steps, whole) in peaks.items())
        )
        kept += [verdict(f"memory, {name}, beside {side}", peaks["Ours"][0] / peaks[side][0], 1.0) for side in ("Textbook", "Compiled")]
    return kept


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="a small model, to try the script")
    parser.add_argument("--peak-of", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--bfloat16", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sizes = QUICK if given.quick else SIZES
    if given.peak_of:
        print_peak(given.peak_of, sizes, torch.bfloat16 if given.bfloat16 else None)
        return 0
    print_machine("torch")
    kept = times(sizes, given.rounds) + (memory(given.quick) if Path("/proc/self/clear_refs").exists() else [])
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
