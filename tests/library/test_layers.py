"""The standard layers beside PyTorch's: values, gradients, names, sizes at check time; compiled and exported."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import tensorlogic as tl
from tensorlogic.runtime import layers
from tensorlogic.stdlib.library import layer_names, layer_pages

MODELS = tl.compile(Path(__file__).parent / "layers.tl")
USED = (Path(__file__).parent / "layers.tl").read_text(encoding="utf-8")

# The model, what it is made with, and the shape of its argument.
WHOLE = {
    "Norms": ((8,), (2, 3, 8)),
    "Attending": ((8, 2), (2, 3, 8)),
    "Blocks": ((8, 2), (2, 3, 8)),
    "Places": ((6, 8), (2, 3, 8)),
    "Pools": ((), (2, 3, 16, 18)),
    "Rows": ((), (2, 3, 11)),
    "Recurrences": ((4, 6), (2, 5, 4)),
    "Trains": ((4, 3), (2, 16)),
    "Adapted": ((4, 6), (2, 4)),
}


def of_program(layer: str, argument: str, call: str = "layer(x)") -> Callable[..., nn.Module]:
    """A layer as the field of a model made by the compiler: its class."""
    text = f"model Net() {{ layer: {layer}\n fn forward(x: f32[{argument}]) {{ }} }}"
    del text, call
    raise NotImplementedError


@pytest.mark.parametrize("name", WHOLE)
def test_compiled_and_exported(name: str) -> None:
    made, shape = WHOLE[name]
    torch.manual_seed(0)
    model, x = MODELS[name](*made), torch.randn(shape)
    wanted = model(x)
    torch.testing.assert_close(torch.compile(model, fullgraph=True, backend="eager")(x), wanted)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), wanted)
    model.eval()
    assert not any(m.training for m in model.modules())
