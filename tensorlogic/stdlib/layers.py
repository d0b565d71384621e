"""The standard layers: what they are made with, what they hold, what they do to a shape, and the PyTorch module each one is."""

from collections.abc import Callable
from functools import partial

from tensorlogic.record import record
from tensorlogic.stdlib import layer_costs, layer_sizes
from tensorlogic.stdlib.costs import Call, Cost, each, over, product
from tensorlogic.stdlib.lazy import runtime, torch


@record
class Layer:
    """`signature` makes it; `fields` are its parameters and `buffers`; `methods`, `forward` first, are written in its own parameters and
    in the sizes that `sizes` works out of the arguments; `cost` is that of any method; `parameters` are those besides the fields,
    or all of them where it `replaces` these; `body` makes it."""

    signature: str
    fields: str
    methods: tuple[str, ...]
    buffers: frozenset[str]
    sizes: layer_sizes.Sizes | None
    cost: Cost
    parameters: Callable[[Call], layer_costs.Parameters] | None
    replaces: bool
    body: Callable
    doc: str


LAYERS: dict[str, Layer] = {}
_PICKED = Cost("0", memory="copy", keeps="ids")
_NORMALIZED = each(5)
_DROPPED = each(2, keeps="", extra="result")
_SAME = "forward<T: float>(x: T[...S]) -> T[...S]"
_NORM = "forward(x: f32[...B, D]) -> f32[...B, D]"
_CONV = "stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1, bias: bool = true"
_GROUPS = "where groups >= 1, I % groups == 0, O % groups == 0, kernel_size >= 1, stride >= 1, dilation >= 1, padding >= 0"
_WINDOW = "stride, padding, dilation, groups"
_RUNNING = "weight: f32[C], bias: f32[C], running_mean: f32[C], running_var: f32[C], num_batches_tracked: int64[]"


def layer(
    signature: str,
    fields: str,
    *methods: str,
    cost: Cost,
    buffers: tuple[str, ...] = (),
    sizes: layer_sizes.Sizes | None = None,
    parameters: Callable[[Call], layer_costs.Parameters] | None = None,
    replaces: bool = False,
) -> Callable[[Callable], Callable]:
    """Declare a layer; the function's body is the module as one expression."""

    def declare(body: Callable) -> Callable:
        name = signature.partition("(")[0]
        LAYERS[name] = Layer(
            signature, fields, methods, frozenset(buffers), sizes, cost, parameters, replaces, body, (body.__doc__ or "").strip()
        )
        return body

    return declare


@layer(
    "Linear(I: int, O: int, bias: bool = true)",
    "weight: f32[O, I], bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
    cost=product("2 * B * I * O"),
)
def linear(I, O, bias=True):  # noqa: E741
    """`x @ weight.T + bias` on the last axis. See torch.nn.Linear."""
    return torch.nn.Linear(I, O, bias=bias)


@layer("Embedding(V: int, D: int, padding_idx: int = none)", "weight: f32[V, D]", "forward(ids: int64[...B]) -> f32[...B, D]", cost=_PICKED)
def embedding(V, D, padding_idx=None):
    """Rows of a table by their numbers; the row `padding_idx` begins as zeros and does not learn. See torch.nn.Embedding."""
    return torch.nn.Embedding(V, D, padding_idx)


@layer("LayerNorm(D: int, eps: float = 1e-5, bias: bool = true)", "weight: f32[D], bias: f32[D]", _NORM, cost=_NORMALIZED)
def layer_norm(D, eps=1e-5, bias=True):
    """Mean 0 and variance 1 over the last axis, then scaled and shifted. See torch.nn.LayerNorm."""
    return torch.nn.LayerNorm(D, eps, bias=bias)


@layer("RMSNorm(D: int, eps: float = 1e-6)", "weight: f32[D]", _NORM, cost=_NORMALIZED)
def rms_norm(D, eps=1e-6):
    """Root mean square 1 over the last axis, then scaled. See torch.nn.RMSNorm."""
    return torch.nn.RMSNorm(D, eps)


@layer(
    "GroupNorm(G: int, C: int, eps: float = 1e-5) where G >= 1, C % G == 0",
    "weight: f32[C], bias: f32[C]",
    "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]",
    cost=_NORMALIZED,
)
def group_norm(G, C, eps=1e-5):
    """Mean 0 and variance 1 over each of G groups of channels. See torch.nn.GroupNorm."""
    return torch.nn.GroupNorm(G, C, eps)


@layer(
    "BatchNorm1d(C: int, eps: float = 1e-5, momentum: float = 0.1)",
    _RUNNING,
    "forward(x: f32[B, C, ...S]) -> f32[B, C, ...S]",
    buffers=("running_mean", "running_var", "num_batches_tracked"),
    cost=_NORMALIZED,
)
def batch_norm1d(C, eps=1e-5, momentum=0.1):
    """Mean 0 and variance 1 of each channel over the batch, with running statistics for `eval`. See torch.nn.BatchNorm1d."""
    return torch.nn.BatchNorm1d(C, eps, momentum)


@layer(
    "BatchNorm2d(C: int, eps: float = 1e-5, momentum: float = 0.1)",
    _RUNNING,
    "forward(x: f32[B, C, H, W]) -> f32[B, C, H, W]",
    buffers=("running_mean", "running_var", "num_batches_tracked"),
    cost=_NORMALIZED,
)
def batch_norm2d(C, eps=1e-5, momentum=0.1):
    """Mean 0 and variance 1 of each channel over the images of a batch. See torch.nn.BatchNorm2d."""
    return torch.nn.BatchNorm2d(C, eps, momentum)


@layer("Dropout(p: float = 0.5)", "", _SAME, cost=_DROPPED)
def dropout(p=0.5):
    """Zeroes a part `p` of the elements while training and scales the rest. See torch.nn.Dropout."""
    return torch.nn.Dropout(p)


@layer(
    f"Conv1d(I: int, O: int, kernel_size: int, {_CONV}) {_GROUPS}",
    "weight: f32[O, I / groups, kernel_size], bias: f32[O]",
    f"forward(x: f32[...B, I, L]) -> f32[...conv1d(B, I, L, O, I / groups, kernel_size, {_WINDOW})]",
    cost=product("2 * result * I * kernel_size // groups"),
)
def conv1d(I, O, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):  # noqa: E741
    """Convolution over the last axis. See torch.nn.Conv1d."""
    return torch.nn.Conv1d(I, O, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)


@layer(
    f"Conv2d(I: int, O: int, kernel_size: int, {_CONV}) {_GROUPS}",
    "weight: f32[O, I / groups, kernel_size, kernel_size], bias: f32[O]",
    f"forward(x: f32[...B, I, H, W]) -> f32[...conv2d(B, I, H, W, O, I / groups, kernel_size, kernel_size, {_WINDOW})]",
    cost=product("2 * result * I * kernel_size * kernel_size // groups"),
)
def conv2d(I, O, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):  # noqa: E741
    """Convolution over the last two axes. See torch.nn.Conv2d."""
    return torch.nn.Conv2d(I, O, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias)


# --- pooling ---------------------------------------------------------------------------------------------------------

_POOL = "kernel_size: int, stride: int = none, padding: int = 0"
_HALF = "where kernel_size >= 1, padding >= 0, 2 * padding <= kernel_size"


_MAX1D = "forward(x: f32[...S]) -> f32[...pool1d(S, kernel_size, stride, padding, dilation, false)]"
_MAX2D = "forward(x: f32[...S]) -> f32[...pool2d(S, kernel_size, stride, padding, dilation, false)]"
_MEAN1D = "forward(x: f32[...S]) -> f32[...mean_pool1d(S, kernel_size, stride, padding, false)]"
_MEAN2D = "forward(x: f32[...S]) -> f32[...mean_pool2d(S, kernel_size, stride, padding, false)]"


@layer(
    f"MaxPool1d({_POOL}, dilation: int = 1) {_HALF}, dilation >= 1",
    "",
    _MAX1D,
    sizes=layer_sizes.pool,
    cost=Cost("result * kernel_size", keeps="x", extra="result * 8"),
)
def max_pool1d(kernel_size, stride=None, padding=0, dilation=1):
    """The largest element under a window; the stride is the kernel size unless given. See torch.nn.MaxPool1d."""
    return torch.nn.MaxPool1d(kernel_size, stride=stride, padding=padding, dilation=dilation)


@layer(
    f"MaxPool2d({_POOL}, dilation: int = 1) {_HALF}, dilation >= 1",
    "",
    _MAX2D,
    sizes=layer_sizes.pool,
    cost=Cost("result * kernel_size * kernel_size", keeps="x", extra="result * 8"),
)
def max_pool2d(kernel_size, stride=None, padding=0, dilation=1):
    """The largest element under a window; the stride is the kernel size unless given. See torch.nn.MaxPool2d."""
    return torch.nn.MaxPool2d(kernel_size, stride=stride, padding=padding, dilation=dilation)


@layer(
    f"AvgPool1d({_POOL}, count_include_pad: bool = true) {_HALF}", "", _MEAN1D, sizes=layer_sizes.pool, cost=Cost("result * kernel_size")
)
def avg_pool1d(kernel_size, stride=None, padding=0, count_include_pad=True):
    """The mean under a window; the stride is the kernel size unless given. See torch.nn.AvgPool1d."""
    return torch.nn.AvgPool1d(kernel_size, stride=stride, padding=padding, count_include_pad=count_include_pad)


@layer(
    f"AvgPool2d({_POOL}, count_include_pad: bool = true) {_HALF}",
    "",
    _MEAN2D,
    sizes=layer_sizes.pool,
    cost=Cost("result * kernel_size * kernel_size"),
)
def avg_pool2d(kernel_size, stride=None, padding=0, count_include_pad=True):
    """The mean under a window; the stride is the kernel size unless given. See torch.nn.AvgPool2d."""
    return torch.nn.AvgPool2d(kernel_size, stride=stride, padding=padding, count_include_pad=count_include_pad)


@layer(
    "AdaptiveAvgPool2d(output_size: any)",
    "",
    "forward(x: f32[B, C, H, W]) -> f32[B, C, height, width]",
    sizes=layer_sizes.adaptive,
    cost=over("x"),
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
    cost=product(layer_costs.heads, extra=layer_costs.heads_inside),
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
    cost=product(layer_costs.recurrent(1)),
    parameters=partial(layer_costs.recurrent_parameters, 1),
    replaces=True,
)
def rnn(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False, nonlinearity="tanh"):  # noqa: E741
    """h = tanh(W x + U h) over the second axis; `run` takes and gives the state. Batch first. See torch.nn.RNN."""
    return runtime.layers.RNN(I, H, num_layers, nonlinearity, bias=bias, dropout=dropout, bidirectional=bidirectional)


@layer(
    f"LSTM(I: int, H: int, {_RECURRENT}) where num_layers >= 1",
    _gates("4 * "),
    _STEPS,
    _RUN_PAIR,
    sizes=layer_sizes.recurrent,
    cost=product(layer_costs.recurrent(4)),
    parameters=partial(layer_costs.recurrent_parameters, 4),
    replaces=True,
)
def lstm(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False):  # noqa: E741
    """Long short-term memory over the second axis; `run` takes and gives the state (h, c). Batch first. See torch.nn.LSTM."""
    return runtime.layers.LSTM(I, H, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional)


@layer(
    f"GRU(I: int, H: int, {_RECURRENT}) where num_layers >= 1",
    _gates("3 * "),
    _STEPS,
    _RUN,
    sizes=layer_sizes.recurrent,
    cost=product(layer_costs.recurrent(3)),
    parameters=partial(layer_costs.recurrent_parameters, 3),
    replaces=True,
)
def gru(I, H, num_layers=1, bias=True, dropout=0.0, bidirectional=False):  # noqa: E741
    """Gated recurrent units over the second axis; `run` takes and gives the state. Batch first. See torch.nn.GRU."""
    return runtime.layers.GRU(I, H, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional)


# --- weights in parts ------------------------------------------------------------------------------------------------


@layer(
    "LoRALinear(I: int, O: int, rank: int, alpha: float, bias: bool = true, dropout: float = 0.0) where rank >= 1",
    "weight: f32[O, I], bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
    cost=product("2 * B * (I * O + rank * (I + O))", extra="B * rank * item"),
    parameters=layer_costs.lora_parameters,
)
def lora_linear(I, O, rank, alpha, bias=True, dropout=0.0):  # noqa: E741
    """A frozen linear layer with a low-rank addition `alpha / rank * B A` that learns. See arXiv 2106.09685."""
    return runtime.layers.LoRALinear(I, O, rank, alpha, bias=bias, dropout=dropout)


@layer(
    'TTLinear(inputs: [int], outputs: [int], ranks: [int], bias: bool = true, init: string = "uniform")',
    "bias: f32[O]",
    "forward(x: f32[...B, I]) -> f32[...B, O]",
    sizes=layer_sizes.train,
    cost=product(layer_costs.train, extra=layer_costs.train_inside),
    parameters=layer_costs.train_parameters,
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
    cost=product(layer_costs.tucker, extra=layer_costs.tucker_inside),
    parameters=layer_costs.tucker_parameters,
)
def tucker_linear(inputs, outputs, input_ranks, output_ranks, bias=True):
    """A linear layer whose weight is in Tucker's form: a core, and a factor matrix for each factor of the input and output size."""
    return runtime.tensor_networks.TuckerLinear(inputs, outputs, input_ranks, output_ranks, bias=bias)
