"""The standard layers: what they are made with, what they hold, what they do to a shape, and the PyTorch module each one is."""

from collections.abc import Callable

from tensorlogic.record import record
from tensorlogic.stdlib.lazy import torch


@record
class Layer:
    """`signature` makes it; `fields` are its parameters and `buffers`; `forward` is written in its own parameters; `body` makes it."""

    signature: str
    fields: str
    forward: str
    buffers: frozenset[str]
    body: Callable
    doc: str


LAYERS: dict[str, Layer] = {}
_SAME = "forward<T: float>(x: T[...S]) -> T[...S]"
_NORM = "forward(x: f32[...B, D]) -> f32[...B, D]"
_CONV = "stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1, bias: bool = true"
_GROUPS = "where I % groups == 0, O % groups == 0, stride >= 1, dilation >= 1, padding >= 0"
_RUNNING = "weight: f32[C], bias: f32[C], running_mean: f32[C], running_var: f32[C], num_batches_tracked: int64[]"


def _window(size: str) -> str:
    return f"floor_div({size} + 2 * padding - dilation * (kernel_size - 1) - 1, stride) + 1"


def layer(signature: str, fields: str, forward: str, buffers: tuple[str, ...] = ()) -> Callable[[Callable], Callable]:
    """Declare a layer; the function's body is the module as one expression."""

    def declare(body: Callable) -> Callable:
        name = signature.partition("(")[0]
        LAYERS[name] = Layer(signature, fields, forward, frozenset(buffers), body, (body.__doc__ or "").strip())
        return body

    return declare


@layer("Linear(I: int, O: int, bias: bool = true)", "weight: f32[O, I], bias: f32[O]", "forward(x: f32[...B, I]) -> f32[...B, O]")
def linear(I, O, bias=True):  # noqa: E741
    """`x @ weight.T + bias` on the last axis. See torch.nn.Linear."""
    return torch.nn.Linear(I, O, bias=bias)


@layer("Embedding(V: int, D: int)", "weight: f32[V, D]", "forward(ids: int64[...B]) -> f32[...B, D]")
def embedding(V, D):
    """Rows of a table by their numbers. See torch.nn.Embedding."""
    return torch.nn.Embedding(V, D)


@layer("LayerNorm(D: int, eps: float = 1e-5, bias: bool = true)", "weight: f32[D], bias: f32[D]", _NORM)
def layer_norm(D, eps=1e-5, bias=True):
    """Mean 0 and variance 1 over the last axis, then scaled and shifted. See torch.nn.LayerNorm."""
    return torch.nn.LayerNorm(D, eps, bias=bias)


@layer("RMSNorm(D: int, eps: float = 1e-6)", "weight: f32[D]", _NORM)
def rms_norm(D, eps=1e-6):
    """Root mean square 1 over the last axis, then scaled. See torch.nn.RMSNorm."""
    return torch.nn.RMSNorm(D, eps)


@layer(
    "GroupNorm(G: int, C: int, eps: float = 1e-5) where C % G == 0",
    "weight: f32[C], bias: f32[C]",
    "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]",
)
def group_norm(G, C, eps=1e-5):
    """Mean 0 and variance 1 over each of G groups of channels. See torch.nn.GroupNorm."""
    return torch.nn.GroupNorm(G, C, eps)


@layer(
    "BatchNorm1d(C: int, eps: float = 1e-5, momentum: float = 0.1)",
    _RUNNING,
    "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]",
    ("running_mean", "running_var", "num_batches_tracked"),
)
def batch_norm1d(C, eps=1e-5, momentum=0.1):
    """Mean 0 and variance 1 of each channel over the batch, with running statistics for `eval`. See torch.nn.BatchNorm1d."""
    return torch.nn.BatchNorm1d(C, eps, momentum)


@layer(
    "BatchNorm2d(C: int, eps: float = 1e-5, momentum: float = 0.1)",
    _RUNNING,
    "forward(x: f32[B, C, H, W]) -> f32[B, C, H, W]",
    ("running_mean", "running_var", "num_batches_tracked"),
)
def batch_norm2d(C, eps=1e-5, momentum=0.1):
    """Mean 0 and variance 1 of each channel over the images of a batch. See torch.nn.BatchNorm2d."""
    return torch.nn.BatchNorm2d(C, eps, momentum)


@layer("Dropout(p: float = 0.5)", "", _SAME)
def dropout(p=0.5):
    """Zeroes a part `p` of the elements while training and scales the rest. See torch.nn.Dropout."""
    return torch.nn.Dropout(p)


@layer(
    f"Conv1d(I: int, O: int, kernel_size: int, {_CONV}) {_GROUPS}",
    "weight: f32[O, I / groups, kernel_size], bias: f32[O]",
    f"forward(x: f32[...B, I, L]) -> f32[...B, O, {_window('L')}]",
)
def conv1d(I, O, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):  # noqa: E741
    """Convolution over the last axis. See torch.nn.Conv1d."""
    return torch.nn.Conv1d(I, O, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)


@layer(
    f"Conv2d(I: int, O: int, kernel_size: int, {_CONV}) {_GROUPS}",
    "weight: f32[O, I / groups, kernel_size, kernel_size], bias: f32[O]",
    f"forward(x: f32[...B, I, H, W]) -> f32[...B, O, {_window('H')}, {_window('W')}]",
)
def conv2d(I, O, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):  # noqa: E741
    """Convolution over the last two axes. See torch.nn.Conv2d."""
    return torch.nn.Conv2d(I, O, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)
