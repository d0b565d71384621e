"""Linear layers whose weight is a tensor network: a tensor train or Tucker's form. `tensor_networks_training` changes them.

The weight of a layer with factors n1, ..., nd of its input and m1, ..., md of its output is the tensor [n1, m1, ..., nd, md].
"""

from collections.abc import Sequence
from math import prod, sqrt
from typing import TypeVar

import torch
from torch import Tensor, nn

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.decompose import tt_reconstruct, tt_svd, tucker, tucker_reconstruct

INITIALIZERS = ("uniform", "orthogonal")
Made = TypeVar("Made", bound="Network")


class Network(nn.Module):
    """What the layers have in common: the factors of their sizes and the bias."""

    bias: nn.Parameter | None

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int], bias: bool) -> None:
        super().__init__()
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.I, self.O = prod(inputs), prod(outputs)
        edge = 1 / sqrt(self.I)
        self.bias = nn.Parameter(torch.empty(self.O).uniform_(-edge, edge)) if bias else None

    def parts(self) -> list[nn.Parameter]:
        """The parameters that the weight is made of."""
        raise NotImplementedError

    def matrix(self) -> Tensor:
        """The weight [I, O] put together."""
        raise NotImplementedError

    def dense(self) -> Tensor:
        """The weight [O, I], as a dense layer has it."""
        return self.matrix().T

    def transformed(self, x: Tensor) -> Tensor:
        """x [N, I] times the weight, part by part: [N, O]."""
        raise NotImplementedError

    def multiplications(self) -> int:
        """How many a row of x takes part by part; a dense layer takes I * O."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """x [..., I] to [..., O]; where the parts take more multiplications than the weight, that is put together first."""
        rows = x.reshape(-1, self.I)
        y = rows @ self.matrix() if self.multiplications() > self.I * self.O else self.transformed(rows)
        y = y.reshape(*x.shape[:-1], self.O)
        return y if self.bias is None else y + self.bias


class TTLinear(Network):
    """A weight in d cores [r, n, m, s]: the tensor train of the pairs of an input and an output factor."""

    def __init__(
        self, inputs: Sequence[int], outputs: Sequence[int], ranks: Sequence[int], bias: bool = True, init: str = "uniform"
    ) -> None:
        super().__init__(inputs, outputs, bias)
        check_train(inputs, outputs, ranks, init)
        bonds = [1, *ranks, 1]
        shapes = zip(bonds, inputs, outputs, bonds[1:], strict=False)
        self.cores = nn.ParameterList([nn.Parameter(torch.empty(shape)) for shape in shapes])
        (uniform if init == "uniform" else orthogonal)(self)

    @property
    def ranks(self) -> list[int]:
        """The d - 1 inner ranks."""
        return [core.shape[0] for core in self.parts()[1:]]

    def parts(self) -> list[nn.Parameter]:
        return list(self.cores)

    def matrix(self) -> Tensor:
        whole = tt_reconstruct([core.flatten(1, 2) for core in self.cores])
        d = len(self.inputs)
        pairs = whole.reshape([size for pair in zip(self.inputs, self.outputs, strict=True) for size in pair])
        return pairs.permute([*range(0, 2 * d, 2), *range(1, 2 * d, 2)]).reshape(self.I, self.O)

    def transformed(self, x: Tensor) -> Tensor:
        z = x.reshape(-1, self.inputs[0], self.I // self.inputs[0])  # [N and outputs so far, rank and next input, inputs to come]
        for core, following in zip(self.cores, (*self.inputs[1:], 1), strict=True):
            r, n, m, s = core.shape
            rows = core.reshape(r * n, m * s)
            z = (z.squeeze(-1) @ rows)[..., None] if z.shape[-1] == 1 else rows.T @ z
            z = z.reshape(-1, s * following, z.shape[-1] // following)
        return z.reshape(-1, self.O)

    def multiplications(self) -> int:
        around = (prod(self.outputs[:k]) * prod(self.inputs[k + 1 :]) for k in range(len(self.inputs)))
        return sum(core.numel() * times for core, times in zip(self.parts(), around, strict=True))


class TuckerLinear(Network):
    """A weight in Tucker's form: one factor [n, r] for each factor of the input, one [m, s] for each of the output, and a core."""

    def __init__(
        self, inputs: Sequence[int], outputs: Sequence[int], input_ranks: Sequence[int], output_ranks: Sequence[int], bias: bool = True
    ) -> None:
        super().__init__(inputs, outputs, bias)
        check_tucker(inputs, outputs, input_ranks, output_ranks)
        self.core = nn.Parameter(torch.empty(*input_ranks, *output_ranks))
        self.input_factors = nn.ParameterList([nn.Parameter(torch.empty(n, r)) for n, r in zip(inputs, input_ranks, strict=True)])
        self.output_factors = nn.ParameterList([nn.Parameter(torch.empty(m, s)) for m, s in zip(outputs, output_ranks, strict=True)])
        for factor in (*self.input_factors, *self.output_factors):
            nn.init.orthogonal_(factor)
        nn.init.normal_(self.core, std=sqrt(self.O / 3 / self.core.numel()))  # the norm of a dense layer's weight

    def parts(self) -> list[nn.Parameter]:
        return [self.core, *self.input_factors, *self.output_factors]

    def matrix(self) -> Tensor:
        return tucker_reconstruct(self.core, [*self.input_factors, *self.output_factors]).reshape(self.I, self.O)

    def transformed(self, x: Tensor) -> Tensor:
        z = x.reshape(-1, *self.inputs)
        for factor in self.input_factors:
            z = z.movedim(1, -1) @ factor  # the axis in front goes behind, as its rank
        z = (z.flatten(1) @ self.core.reshape(z[0].numel(), -1)).reshape(-1, *self.core.shape[len(self.inputs) :])
        for factor in self.output_factors:
            z = z.movedim(1, -1) @ factor.T
        return z.reshape(-1, self.O)

    def multiplications(self) -> int:
        ins, outs = len(self.inputs), len(self.outputs)
        ranks, total = self.core.shape, self.core.numel()
        total += sum(prod(ranks[: k + 1]) * prod(self.inputs[k:]) for k in range(ins))
        return total + sum(prod(self.outputs[: k + 1]) * prod(ranks[ins + k :]) for k in range(outs))


# --- what can be wrong -----------------------------------------------------------------------------------------------


def allowed_ranks(inputs: Sequence[int], outputs: Sequence[int], ranks: Sequence[int]) -> list[int]:
    """The ranks, cut to what the sizes of the cores on either side have room for."""
    pairs, bonds = [n * m for n, m in zip(inputs, outputs, strict=True)], [1, *ranks, 1]
    for k in range(1, len(pairs)):
        bonds[k] = min(bonds[k], bonds[k - 1] * pairs[k - 1])
    for k in range(len(pairs) - 1, 0, -1):
        bonds[k] = min(bonds[k], bonds[k + 1] * pairs[k])
    return bonds[1:-1]


def check_train(inputs: Sequence[int], outputs: Sequence[int], ranks: Sequence[int], init: str = "uniform") -> None:
    if not inputs or len(inputs) != len(outputs) or len(ranks) != len(inputs) - 1:
        _refuse("TL0304", f"{len(inputs)} input factors take as many output factors and {max(len(inputs) - 1, 0)} ranks")
    _positive((*inputs, *outputs, *ranks))
    for rank, most in zip(ranks, allowed_ranks(inputs, outputs, ranks), strict=True):
        if rank > most:
            _refuse("TL0311", f"the rank {rank} is more than the sizes allow, {most}")
    if init not in INITIALIZERS:
        _refuse("TL0306", f"there is no initialization {init!r}", f"there are {', '.join(INITIALIZERS)}")


def check_tucker(inputs: Sequence[int], outputs: Sequence[int], input_ranks: Sequence[int], output_ranks: Sequence[int]) -> None:
    if not inputs or not outputs or len(inputs) != len(input_ranks) or len(outputs) != len(output_ranks):
        _refuse("TL0304", "every factor of the input and of the output takes a rank")
    _positive((*inputs, *outputs, *input_ranks, *output_ranks))
    for rank, size in zip((*input_ranks, *output_ranks), (*inputs, *outputs), strict=True):
        if rank > size:
            _refuse("TL0311", f"the rank {rank} is more than its factor, {size}")


def _positive(numbers: Sequence[int]) -> None:
    if min(numbers) < 1:
        _refuse("TL0310", f"factors and ranks are at least 1, found {min(numbers)}")


def _refuse(code: str, text: str, help: str = "") -> None:
    raise TensorLogicError(Diagnostic(code, text, help=(help,) if help else ()))


# --- first values ----------------------------------------------------------------------------------------------------


@torch.no_grad()
def uniform(layer: TTLinear) -> None:
    """Cores of one spread, such that the weight has the variance of a new dense layer, 1 / (3 I)."""
    cores = layer.parts()
    deviation = (1 / (3 * layer.I * prod(layer.ranks))) ** (0.5 / len(cores))
    for core in cores:
        core.uniform_(-deviation * sqrt(3), deviation * sqrt(3))


@torch.no_grad()
def orthogonal(layer: TTLinear) -> None:
    """Left-orthogonal cores; the last has the norm of a new dense layer's weight."""
    for core in layer.parts()[:-1]:
        core.copy_(nn.init.orthogonal_(torch.empty(core.shape[:3].numel(), core.shape[3], dtype=core.dtype)).reshape(core.shape))
    last = layer.parts()[-1]
    last.normal_()
    last.mul_(sqrt(layer.O / 3) / last.norm())


# --- from a dense layer ----------------------------------------------------------------------------------------------


def tt_linear_from(linear: nn.Linear, inputs: Sequence[int], outputs: Sequence[int], ranks: Sequence[int]) -> TTLinear:
    """The tensor train nearest to a dense layer, by repeated SVD. A rank above what the sizes allow is cut to that."""
    _same_sizes(linear, inputs, outputs)
    made = TTLinear(inputs, outputs, allowed_ranks(inputs, outputs, ranks), linear.bias is not None)
    d = len(inputs)
    weight = linear.weight.detach().reshape(*outputs, *inputs)
    pairs = weight.permute([axis for k in range(d) for axis in (d + k, k)])
    cores = tt_svd(pairs.reshape([n * m for n, m in zip(inputs, outputs, strict=True)]), made.ranks)
    for k, (core, n, m) in enumerate(zip(cores, inputs, outputs, strict=True)):
        made.cores[k] = nn.Parameter(core.reshape(core.shape[0], n, m, core.shape[2]).clone())
    return _with_bias(made, linear)


def tucker_linear_from(
    linear: nn.Linear, inputs: Sequence[int], outputs: Sequence[int], input_ranks: Sequence[int], output_ranks: Sequence[int]
) -> TuckerLinear:
    """Tucker's form of a dense layer's weight."""
    _same_sizes(linear, inputs, outputs)
    made = TuckerLinear(inputs, outputs, input_ranks, output_ranks, linear.bias is not None).to(linear.weight)
    weight = linear.weight.detach().T.reshape(*inputs, *outputs)
    core, factors = tucker(weight, [*input_ranks, *output_ranks])
    with torch.no_grad():
        for part, value in zip(made.parts(), (core, *factors), strict=True):
            part.copy_(value)
    return _with_bias(made, linear)


def _same_sizes(linear: nn.Linear, inputs: Sequence[int], outputs: Sequence[int]) -> None:
    if not isinstance(linear, nn.Linear):
        _refuse("TL0306", f"a dense linear layer is expected, found {type(linear).__name__}")
    if (prod(inputs), prod(outputs)) != (linear.in_features, linear.out_features):
        _refuse("TL0301", f"the factors make {prod(inputs)} -> {prod(outputs)}, the layer is {linear.in_features} -> {linear.out_features}")


def _with_bias(made: Made, linear: nn.Linear) -> Made:
    made.to(dtype=linear.weight.dtype, device=linear.weight.device)
    if linear.bias is not None:
        made.bias = nn.Parameter(linear.bias.detach().clone())
    return made.train(linear.training)
