"""The standard layers: what they are made with, what they hold, what they do to a shape, and the PyTorch module each one is."""

from collections.abc import Callable

from tensorlogic.record import record
from tensorlogic.stdlib import layer_sizes
from tensorlogic.stdlib.lazy import runtime, torch


@record
class Layer:
    """`signature` makes it; `fields` are its parameters and `buffers`; `methods`, `forward` first, are written in its own parameters and
    in the sizes that `sizes` works out of the arguments; `body` makes it."""

    signature: str
    fields: str
    methods: tuple[str, ...]
    buffers: frozenset[str]
    sizes: layer_sizes.Sizes | None
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


def layer(
    signature: str, fields: str, *methods: str, buffers: tuple[str, ...] = (), sizes: layer_sizes.Sizes | None = None
) -> Callable[[Callable], Callable]:
    """Declare a layer; the function's body is the module as one expression."""

    def declare(body: Callable) -> Callable:
        name = signature.partition("(")[0]
        LAYERS[name] = Layer(signature, fields, methods, frozenset(buffers), sizes, body, (body.__doc__ or "").strip())
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
    buffers=("running_mean", "running_var", "num_batches_tracked"),
)
def batch_norm1d(C, eps=1e-5, momentum=0.1):
    """Mean 0 and variance 1 of each channel over the batch, with running statistics for `eval`. See torch.nn.BatchNorm1d."""
    return torch.nn.BatchNorm1d(C, eps, momentum)


@layer(
    "BatchNorm2d(C: int, eps: float = 1e-5, momentum: float = 0.1)",
    _RUNNING,
    "forward(x: f32[B, C, H, W]) -> f32[B, C, H, W]",
    buffers=("running_mean", "running_var", "num_batches_tracked"),
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


# --- pooling ---------------------------------------------------------------------------------------------------------

_POOL = "kernel_size: int, stride: int = none, padding: int = 0"
_HALF = "where kernel_size >= 1, padding >= 0, 2 * padding <= kernel_size"


def _pooled(size: str, dilation: str = "dilation") -> str:
    return f"floor_div({size} + 2 * padding - {dilation} * (kernel_size - 1) - 1, stride) + 1"


_MAX1D = f"forward(x: f32[B, C, L]) -> f32[B, C, {_pooled('L')}]"
_MAX2D = f"forward(x: f32[B, C, H, W]) -> f32[B, C, {_pooled('H')}, {_pooled('W')}]"
_MEAN1D = f"forward(x: f32[B, C, L]) -> f32[B, C, {_pooled('L', '1')}]"
_MEAN2D = f"forward(x: f32[B, C, H, W]) -> f32[B, C, {_pooled('H', '1')}, {_pooled('W', '1')}]"


@layer(f"MaxPool1d({_POOL}, dilation: int = 1) {_HALF}, dilation >= 1", "", _MAX1D, sizes=layer_sizes.pool)
def max_pool1d(kernel_size, stride=None, padding=0, dilation=1):
    """The largest element under a window; the stride is the kernel size unless given. See torch.nn.MaxPool1d."""
    return torch.nn.MaxPool1d(kernel_size, stride=stride, padding=padding, dilation=dilation)


@layer(f"MaxPool2d({_POOL}, dilation: int = 1) {_HALF}, dilation >= 1", "", _MAX2D, sizes=layer_sizes.pool)
def max_pool2d(kernel_size, stride=None, padding=0, dilation=1):
    """The largest element under a window; the stride is the kernel size unless given. See torch.nn.MaxPool2d."""
    return torch.nn.MaxPool2d(kernel_size, stride=stride, padding=padding, dilation=dilation)


@layer(f"AvgPool1d({_POOL}, count_include_pad: bool = true) {_HALF}", "", _MEAN1D, sizes=layer_sizes.pool)
def avg_pool1d(kernel_size, stride=None, padding=0, count_include_pad=True):
    """The mean under a window; the stride is the kernel size unless given. See torch.nn.AvgPool1d."""
    return torch.nn.AvgPool1d(kernel_size, stride=stride, padding=padding, count_include_pad=count_include_pad)


@layer(f"AvgPool2d({_POOL}, count_include_pad: bool = true) {_HALF}", "", _MEAN2D, sizes=layer_sizes.pool)
def avg_pool2d(kernel_size, stride=None, padding=0, count_include_pad=True):
    """The mean under a window; the stride is the kernel size unless given. See torch.nn.AvgPool2d."""
    return torch.nn.AvgPool2d(kernel_size, stride=stride, padding=padding, count_include_pad=count_include_pad)


@layer(
    "AdaptiveAvgPool2d(output_size: any)",
    "",
    "forward(x: f32[B, C, H, W]) -> f32[B, C, height, width]",
    sizes=layer_sizes.adaptive,
)
def adaptive_avg_pool2d(output_size):
    """Means over as many windows as asked for, a number or [height, width]. See torch.nn.AdaptiveAvgPool2d."""
    return torch.nn.AdaptiveAvgPool2d(output_size)


# --- attention and recurrence ----------------------------------------------------------------------------------------


@layer(
    "MultiHeadAttention(D: int, H: int, bias: bool = true, dropout: float = 0.0) where D % H == 0, H >= 1",
    "in_proj_weight: f32[3 * D, D], in_proj_bias: f32[3 * D], out_proj: Linear(D, D)",
    "forward(x: f32[...B, T, D], causal: bool = false) -> f32[...B, T, D]",
    "cross(x: f32[...B, T, D], memory: f32[...B, S, D]) -> f32[...B, T, D]",
)
def multi_head_attention(D, H, bias=True, dropout=0.0):
    """H heads of scaled dot products; `forward` attends to `x` itself, `cross` to `memory`. See torch.nn.MultiheadAttention."""
    return runtime.layers.MultiHeadAttention(D, H, bias=bias, dropout=dropout)


_RECURRENT = "num_layers: int = 1, bias: bool = true, dropout: float = 0.0, bidirectional: bool = false"
_STATE = "f32[num_layers * directions, B, H]"
_OUTPUT = "f32[B, T, H * directions]"
_RUN = f"run(x: f32[B, T, I], h: {_STATE}) -> ({_OUTPUT}, {_STATE})"
_RUN_PAIR = f"run(x: f32[B, T, I], state: ({_STATE}, {_STATE})) -> ({_OUTPUT}, ({_STATE}, {_STATE}))"


def _gates(count: str) -> str:
    """The parameters of the first layer, those that every recurrent layer has."""
    return f"weight_ih_l0: f32[{count}H, I], weight_hh_l0: f32[{count}H, H], bias_ih_l0: f32[{count}H], bias_hh_l0: f32[{count}H]"


_STEPS = f"forward(x: f32[B, T, I]) -> {_OUTPUT}"


@layer(
    f'RNN(I: int, H: int, {_RECURRENT}, nonlinearity: string = "tanh") where num_layers >= 1',
    _gates(""),
    _STEPS,
    _RUN,
    sizes=layer_sizes.recurrent,
)
def rnn(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False, nonlinearity="tanh"):  # noqa: E741
    """h = tanh(W x + U h) over the second axis; `run` takes and gives the state. Batch first. See torch.nn.RNN."""
    return runtime.layers.RNN(I, H, num_layers, nonlinearity, bias=bias, dropout=dropout, bidirectional=bidirectional)


@layer(f"LSTM(I: int, H: int, {_RECURRENT}) where num_layers >= 1", _gates("4 * "), _STEPS, _RUN_PAIR, sizes=layer_sizes.recurrent)
def lstm(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False):  # noqa: E741
    """Long short-term memory over the second axis; `run` takes and gives the state (h, c). Batch first. See torch.nn.LSTM."""
    return runtime.layers.LSTM(I, H, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional)


@layer(f"GRU(I: int, H: int, {_RECURRENT}) where num_layers >= 1", _gates("3 * "), _STEPS, _RUN, sizes=layer_sizes.recurrent)
def gru(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False):  # noqa: E741
    """Gated recurrent units over the second axis; `run` takes and gives the state. Batch first. See torch.nn.GRU."""
    return runtime.layers.GRU(I, H, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional)


# --- weights in parts ------------------------------------------------------------------------------------------------


@layer(
    "LoRALinear(I: int, O: int, rank: int, alpha: float, bias: bool = true, dropout: float = 0.0) where rank >= 1",
    "weight: f32[O, I], bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
)
def lora_linear(I, O, rank, alpha, bias=True, dropout=0.0):  # noqa: E741
    """A frozen linear layer with a low-rank addition `alpha / rank * B A` that learns. See arXiv 2106.09685."""
    return runtime.layers.LoRALinear(I, O, rank, alpha, bias=bias, dropout=dropout)


@layer(
    'TTLinear(inputs: [int], outputs: [int], ranks: [int], bias: bool = true, init: string = "uniform")',
    "bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
    sizes=layer_sizes.train,
)
def tt_linear(inputs, outputs, ranks, bias=True, init="uniform"):
    """A linear layer whose weight is a tensor train: d input factors, d output factors, d - 1 inner ranks. First values "uniform" or
    "orthogonal". See arXiv 1509.06569."""
    return runtime.tensor_networks.TTLinear(inputs, outputs, ranks, bias=bias, init=init)


@layer(
    "TuckerLinear(inputs: [int], outputs: [int], input_ranks: [int], output_ranks: [int], bias: bool = true)",
    "bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
    sizes=layer_sizes.tucker,
)
def tucker_linear(inputs, outputs, input_ranks, output_ranks, bias=True):
    """A linear layer whose weight is in Tucker's form: a core, and a factor matrix for each factor of the input and output size."""
    return runtime.tensor_networks.TuckerLinear(inputs, outputs, input_ranks, output_ranks, bias=bias)
