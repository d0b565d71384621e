"""Writes the weights and images that the examples read, into `data/` beside this file or the folder given. The same bytes every time.

    python examples/make_data.py [FOLDER]

`linear` is the layer of 01_linear.tl in both formats; `digits` is a small classifier for 05_mlp.tl, trained here in a second
on noisy drawings of the ten digits, with drawings that it has not seen to try it on.
"""

import random
import sys
from pathlib import Path

import torch
from gguf import GGUFWriter
from safetensors.torch import save_file
from torch import Tensor

GLYPHS = """
.####. ..##.. .####. .####. ...##. ###### .####. ###### .####. .####.
##..## .###.. ##..## ##..## ..###. ##.... ##.... ....## ##..## ##..##
##..## ..##.. ....## ....## .##.#. ##.... ##.... ...##. ##..## ##..##
##..## ..##.. ...##. ..###. ##..#. #####. #####. ...##. .####. .#####
##..## ..##.. ..##.. ....## ###### ....## ##..## ..##.. ##..## ....##
##..## ..##.. .##... ##..## ....#. ##..## ##..## ..##.. ##..## ....##
.####. .####. ###### .####. ....#. .####. .####. ..##.. .####. .####.
"""
SIDE, HIDDEN, CLASSES = 8, 24, 10
DARKEST = 16  # the value of a pixel full of ink
STEPS, RATE = 300, 0.5


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_linear(folder)
    write_digits(folder)


def write_linear(folder: Path) -> None:
    """The same two float16 tensors, [3, 2] and [2], as safetensors and as GGUF."""
    tensors = {
        "layer.0.weight": torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], dtype=torch.float16),
        "layer.0.bias": torch.tensor([0.01, 0.02], dtype=torch.float16),
    }
    save_file(tensors, folder / "linear.safetensors")
    writer = GGUFWriter(folder / "linear.gguf", "linear")
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_digits(folder: Path) -> None:
    chance = random.Random(7)
    images, labels = drawings(chance, 400)
    weights = train(images.double() / DARKEST, labels, chance)
    # Rounding to float16 hides that machines add float64 numbers in different orders.
    save_file({name: tensor.half() for name, tensor in weights.items()}, folder / "digits.safetensors")
    images, labels = drawings(chance, 200)
    save_file({"images": images, "labels": labels}, folder / "digits_test.safetensors")


def drawings(chance: random.Random, count: int) -> tuple[Tensor, Tensor]:
    """Images, uint8 [count, 64] from 0 to 16, and the digits that they show, int64 [count]."""
    labels = [i % CLASSES for i in range(count)]
    images = [drawing(chance, digit) for digit in labels]
    return torch.tensor(images, dtype=torch.uint8), torch.tensor(labels)


def drawing(chance: random.Random, digit: int) -> list[int]:
    """One digit, moved by up to a pixel, with uneven ink and specks."""
    rows = [line.split()[digit] for line in GLYPHS.split("\n") if line]
    down, right = chance.randrange(2), chance.randrange(3)
    pixels = [0.0] * (SIDE * SIDE)
    for y, row in enumerate(rows):
        for x, mark in enumerate(row):
            pixels[(y + down) * SIDE + x + right] = float(mark == "#")
    noisy = (pixel * chance.uniform(0.5, 1.0) + 0.5 * chance.random() ** 2 for pixel in pixels)
    return [min(DARKEST, int(DARKEST * pixel)) for pixel in noisy]


def train(images: Tensor, labels: Tensor, chance: random.Random) -> dict[str, Tensor]:
    """Gradient descent on all drawings at once; float64."""
    shapes = {"0.weight": (HIDDEN, SIDE * SIDE), "0.bias": (HIDDEN,), "2.weight": (CLASSES, HIDDEN), "2.bias": (CLASSES,)}
    net = {name: start(chance, shape).requires_grad_() for name, shape in shapes.items()}
    for _ in range(STEPS):
        hidden = torch.relu(images @ net["0.weight"].T + net["0.bias"])
        logits = hidden @ net["2.weight"].T + net["2.bias"]
        loss = torch.nn.functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, list(net.values()))
        with torch.no_grad():
            for tensor, gradient in zip(net.values(), gradients, strict=True):
                tensor -= RATE * gradient
    return {name: tensor.detach() for name, tensor in net.items()}


def start(chance: random.Random, shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers up to 1 / sqrt(inputs), as torch.nn.Linear starts."""
    bound = shape[-1] ** -0.5
    return torch.tensor([chance.uniform(-bound, bound) for _ in range(torch.Size(shape).numel())], dtype=torch.float64).reshape(shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data")
