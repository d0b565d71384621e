"""Standard layers that PyTorch has in another form: recurrent ones that give one result, attention of a sequence to itself, LoRA."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tensorlogic.runtime.lora import AdaptedLinear, Addition


class Recurrent(nn.Module):
    """The parameters of a `torch.nn.RNN`, `LSTM` or `GRU` under its names, batch first; what it computes is one torch function."""

    def __init__(self, made: nn.RNNBase) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = made.input_size, made.hidden_size, made.num_layers
        self.bias, self.dropout, self.bidirectional = made.bias, made.dropout, made.bidirectional
        self.names = [name for name, _ in made.named_parameters()]
        for name, parameter in made.named_parameters():
            self.register_parameter(name, parameter)

    def weights(self) -> list[Tensor]:
        return [getattr(self, name) for name in self.names]

    def start(self, x: Tensor) -> Tensor:
        """Zeros [layers and directions, B, H]."""
        return x.new_zeros(self.num_layers * (2 if self.bidirectional else 1), x.shape[0], self.hidden_size)

    def options(self) -> tuple:
        return self.bias, self.num_layers, float(self.dropout), self.training, self.bidirectional, True


class RNN(Recurrent):
    """h = tanh(W x + U h), or relu: x [B, T, I] to [B, T, H]."""

    def __init__(
        self,
        size: int,
        hidden: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        options = {"bias": bias, "dropout": dropout, "bidirectional": bidirectional}
        super().__init__(nn.RNN(size, hidden, num_layers, nonlinearity=nonlinearity, **options))
        self.step = torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.start(x))[0]

    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs, and the last state, from the state `h` [layers and directions, B, H]."""
        return self.step(x, h, self.weights(), *self.options())


class GRU(Recurrent):
    """x [B, T, I] to [B, T, H]."""

    def __init__(
        self, size: int, hidden: int, num_layers: int = 1, bias: bool = True, dropout: float = 0.0, bidirectional: bool = False
    ) -> None:
        super().__init__(nn.GRU(size, hidden, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional))

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.start(x))[0]

    def run(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs, and the last state, from the state `h` [layers and directions, B, H]."""
        return torch.gru(x, h, self.weights(), *self.options())


class LSTM(Recurrent):
    """x [B, T, I] to [B, T, H]; the state is a pair (h, c)."""

    def __init__(
        self, size: int, hidden: int, num_layers: int = 1, bias: bool = True, dropout: float = 0.0, bidirectional: bool = False
    ) -> None:
        super().__init__(nn.LSTM(size, hidden, num_layers, bias=bias, dropout=dropout, bidirectional=bidirectional))

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, (self.start(x), self.start(x)))[0]

    def run(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The outputs, and the last state, from a state of two tensors [layers and directions, B, H]."""
        y, h, c = torch.lstm(x, state, self.weights(), *self.options())
        return y, (h, c)


class MultiHeadAttention(nn.MultiheadAttention):
    """`torch.nn.MultiheadAttention`, batch first, with scaled dot products of the heads in one call; no weights are given back."""

    def __init__(self, D: int, H: int, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__(D, H, dropout=dropout, bias=bias, batch_first=True)
        plain = nn.Linear(D, D, bias=bias, device="meta")  # of the very class that adapters look for
        plain.weight, plain.bias = self.out_proj.weight, self.out_proj.bias
        self.out_proj = plain  # type: ignore[assignment]

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:  # type: ignore[override]
        """x [..., T, D] attends to itself, if `causal` only to what came before."""
        return self.of(F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1), causal)

    def cross(self, x: Tensor, memory: Tensor) -> Tensor:
        """x [..., T, D] attends to memory [..., S, D]."""
        D, weight, bias = self.embed_dim, self.in_proj_weight, self.in_proj_bias
        q = F.linear(x, weight[:D], None if bias is None else bias[:D])
        k, v = F.linear(memory, weight[D:], None if bias is None else bias[D:]).chunk(2, dim=-1)
        return self.of((q, k, v), False)

    def of(self, parts: tuple[Tensor, ...], causal: bool) -> Tensor:
        """Queries, keys and values [..., D] as heads, and the heads' results together again."""
        q, k, v = (part.unflatten(-1, (self.num_heads, self.head_dim)).transpose(-3, -2) for part in parts)
        dropout = self.dropout if self.training else 0.0
        heads = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=causal)
        return self.out_proj(heads.transpose(-3, -2).flatten(-2))


class LoRALinear(AdaptedLinear):
    """A frozen linear layer with a low-rank addition that learns; see `tensorlogic.runtime.lora`."""

    def __init__(self, size: int, outputs: int, rank: int, alpha: float, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__(size, outputs, bias=bias)
        self.requires_grad_(False)
        self.lora = Addition(self, rank, alpha, dropout)
