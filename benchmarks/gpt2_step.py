"""A training step of GPT-2 124M at batch 2 x 256, side by side with the textbook's eager PyTorch: at most 0.7 of its time in float32 with
the same losses, at most 0.5 with bfloat16 products.

`python benchmarks/gpt2_step.py [ROUNDS]`. Both train the same weights on the same ids without dropout, so that the losses can be compared.
The floor printed beside them is the time that the products alone would take at the speed of a feed-forward layer's, in the same run.
"""

import gc
import sys
import time
from pathlib import Path
from statistics import median

import torch
from models.gpt2_book import GPT as Book
from pairs import interleaved, print_machine, print_pairs, ratio, show, verdict

import tensorlogic as tl
from tensorlogic.runtime.training.loop import Plan, Trainer
from tensorlogic.runtime.training.optimizers import Rule, adamw, learnable

SIZES = {"V": 50257, "C": 1024, "D": 768, "H": 12, "L": 12}
BATCH, STEPS, ROUNDS = 2, 256, 5
OPTIONS = {"lr": 4e-4, "weight_decay": 0.1}
SOURCE = Path(__file__).parent.parent / "examples" / "lib" / "gpt2.tl"


class Ours:
    """The model of examples/lib/gpt2.tl under the loop behind `learn`."""

    def __init__(self, weights: dict[str, torch.Tensor], ids: torch.Tensor, precision: torch.dtype | None = None) -> None:
        self.model = tl.compile(SOURCE).GPT(**SIZES, drop=0.0)
        self.model.load_state_dict(weights)
        plan = Plan(optimizer=Rule(adamw, **OPTIONS), steps=1_000_000, precision=precision)
        self.trainer = Trainer(lambda: self.loss(ids), (("gpt", self.model),), None, learnable(self.model), plan)
        self.losses: list[float] = []

    def loss(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(self.model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())

    def step(self) -> None:
        self.losses.append(self.trainer._step([None]))


class Theirs:
    """The textbook's model and loop."""

    def __init__(self, ids: torch.Tensor) -> None:
        torch.manual_seed(1)
        self.model = Book(SIZES["V"], SIZES["C"], SIZES["D"], SIZES["H"], SIZES["L"], 0.0)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), **OPTIONS)
        self.ids, self.losses = ids, []

    def step(self) -> None:
        self.optimizer.zero_grad()
        logits = self.model(self.ids[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), self.ids[:, 1:].flatten())
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())


def seconds(run) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def floor() -> float:
    """Seconds that the products of a step take at the speed of a feed-forward layer's: one forward, two for the gradients."""
    x, w = torch.randn(BATCH * STEPS, SIZES["D"]), torch.randn(4 * SIZES["D"], SIZES["D"])
    once = median(seconds(lambda: x @ w.T) for _ in range(21))
    parameters = SIZES["L"] * 12 * SIZES["D"] ** 2 + SIZES["V"] * SIZES["D"]
    return 3 * once * parameters / (4 * SIZES["D"] ** 2)


def compare(label: str, ours: Ours, theirs: Theirs, rounds: int, limit: float) -> bool:
    ours.step(), theirs.step()
    pairs = interleaved(lambda: seconds(ours.step), lambda: seconds(theirs.step), rounds)
    print_pairs(pairs, 1.0, "s")
    print(f"{label}: ratio {show(ratio(pairs))}; largest difference of a loss {difference(ours, theirs):.1e}")
    return verdict(label, ratio(pairs)[2], limit)


def difference(ours: Ours, theirs: Theirs) -> float:
    return max(abs(a - b) for a, b in zip(ours.losses, theirs.losses, strict=True))


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print_machine("torch")
    torch.manual_seed(0)
    ids = torch.randint(0, SIZES["V"], (BATCH, STEPS + 1))
    theirs = Theirs(ids)
    weights = {name: tensor.clone() for name, tensor in theirs.model.state_dict().items()}
    print(f"the products alone: {floor():.2f} s")
    good = compare("float32", Ours(weights, ids), theirs, rounds, 0.7)
    again = Theirs(ids)
    return 0 if compare("bfloat16 products", Ours(weights, ids, torch.bfloat16), again, rounds, 0.5) and good else 1


if __name__ == "__main__":
    sys.exit(main())
