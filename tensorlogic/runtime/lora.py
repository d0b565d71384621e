"""LoRA: a low-rank addition to the linear layers and embeddings of a model (arXiv 2106.09685)."""

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

PREFIX = "base_model.model."  # before the paths of layers in PEFT's files


class Addition(nn.Module):
    """`scale * B A`, as the two factors: of a linear layer A is [rank, in] and B [out, rank], of an embedding [rank, V] and [D, rank].
    Of a layer in half precision they are float32, so that small steps are not lost."""

    def __init__(self, layer: nn.Linear | nn.Embedding, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        a, b = factor_shapes(layer, rank)
        kind = {"dtype": _precise(layer.weight), "device": layer.weight.device}
        self.A, self.B = nn.Parameter(torch.zeros(a, **kind)), nn.Parameter(torch.zeros(b, **kind))
        self.dropout = nn.Dropout(dropout)
        self.scale, self.enabled = alpha / rank, True
        self.original: Tensor | None = None  # the weight before a merge
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        else:
            nn.init.normal_(self.B)

    @property
    def active(self) -> bool:
        return self.enabled and self.original is None

    def product(self, layer: nn.Module) -> Tensor:
        """What a merge adds to the layer's weight."""
        found = (self.B.to(_precise(self.B)) @ self.A.to(_precise(self.A))) * self.scale
        return found if isinstance(layer, nn.Linear) else found.T


class AdaptedLinear(nn.Linear):
    """A linear layer with an addition; its weight and bias have the names they had."""

    lora: Addition

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(x, self.weight, self.bias)
        lora = self.lora
        if not lora.active:
            return y
        low = F.linear(F.linear(lora.dropout(x.to(lora.A.dtype)), lora.A), lora.B)
        return (y + low * lora.scale).to(y.dtype)


class AdaptedEmbedding(nn.Embedding):
    """An embedding with an addition."""

    lora: Addition

    def forward(self, ids: Tensor) -> Tensor:
        y = super().forward(ids)
        lora = self.lora
        if not lora.active:
            return y
        low = F.embedding(ids, lora.A.T, self.padding_idx, scale_grad_by_freq=self.scale_grad_by_freq) @ lora.B.T
        return (y + low * lora.scale).to(y.dtype)


_ADAPTED: dict[type, type] = {nn.Linear: AdaptedLinear, nn.Embedding: AdaptedEmbedding}
_PLAIN = {adapted: plain for plain, adapted in _ADAPTED.items()}


class Adapter:
    """The additions of one model, by the paths of the layers that have them."""

    def __init__(self, model: nn.Module, layers: dict[str, nn.Module], rank: int, alpha: float, targets: list[str], dropout: float) -> None:
        self.model, self.layers = model, layers
        self.rank, self.alpha, self.targets, self.dropout = rank, alpha, targets, dropout

    def _additions(self) -> Iterator[tuple[Any, Addition]]:
        for layer in self.layers.values():
            addition = layer.lora
            assert isinstance(addition, Addition)
            yield layer, addition

    def parameters(self) -> Iterator[Tensor]:
        for _, addition in self._additions():
            yield from (addition.A, addition.B)

    def state_dict(self) -> dict[str, Tensor]:
        """The factors by PEFT's names."""
        found: dict[str, Tensor] = {}
        for path, (layer, addition) in zip(self.layers, self._additions(), strict=True):
            found |= zip(factor_names(path, layer), (addition.A.detach(), addition.B.detach()), strict=True)
        return found

    @torch.no_grad()
    def merge(self) -> None:
        """Put the additions into the weights: calls cost what they cost without an adapter. The weights before are kept for `unmerge`."""
        for layer, addition in self._additions():
            if addition.original is None:
                addition.original = layer.weight.detach().clone()
                if addition.enabled:
                    layer.weight.copy_(layer.weight + addition.product(layer))

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take the additions out again, to the bit."""
        for layer, addition in self._additions():
            if addition.original is not None:
                layer.weight.copy_(addition.original)
                addition.original = None

    def enable(self, on: bool) -> None:
        """Whether calls have the additions."""
        merged = any(addition.original is not None for _, addition in self._additions())
        self.unmerge()
        for _, addition in self._additions():
            addition.enabled = on
        if merged:
            self.merge()


def factor_shapes(layer: nn.Linear | nn.Embedding, rank: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of A and B."""
    rows, columns = layer.weight.shape
    into, out = (columns, rows) if isinstance(layer, nn.Linear) else (rows, columns)
    return (rank, into), (out, rank)


def factor_names(path: str, layer: nn.Module) -> tuple[str, str]:
    """What PEFT calls the two factors of the layer at a path."""
    names = ("lora_A.weight", "lora_B.weight") if isinstance(layer, nn.Linear) else ("lora_embedding_A", "lora_embedding_B")
    return f"{PREFIX}{path}.{names[0]}", f"{PREFIX}{path}.{names[1]}"


def lora(model: nn.Module, rank: int, alpha: float, targets: list[str], dropout: float = 0.0) -> Adapter:
    """Give the layers of `model` that `targets` name an addition of rank `rank`, scaled by `alpha / rank`, and freeze all else.

    A target is the last part of a path (`q_proj`), a whole path (`blocks.0.attn.qkv`), or a pattern of either (`*_proj`).
    Raises TensorLogicError: TL0602 where a target names no linear layer or embedding, TL0305 where a layer has an addition already.
    """
    found: dict[str, Addition] = {}
    known = adaptable(model)
    for target in targets:
        matching = [path for path in known if _names(target, path)]
        if not matching:
            raise no_layer(target, known)
        found |= {path: Addition(plain(path, known), rank, alpha, dropout) for path in matching if path not in found}
    return adapt(model, found, rank, alpha, targets, dropout)


def adapt(model: nn.Module, additions: Mapping[str, Addition], rank: int, alpha: float, targets: list[str], dropout: float) -> Adapter:
    """Freeze a model and put additions on the layers at their paths."""
    layers = {path: model.get_submodule(path) for path in additions}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for path, layer in layers.items():
        layer.__class__ = _ADAPTED[type(layer)]
        layer.lora = additions[path].train(layer.training)
    return Adapter(model, layers, rank, alpha, list(targets), dropout)


def adaptable(model: nn.Module) -> dict[str, nn.Module]:
    """The layers that can have an addition or have one, by path."""
    return {path: layer for path, layer in model.named_modules() if type(layer) in (*_ADAPTED, *_PLAIN)}


def plain(path: str, known: Mapping[str, nn.Module]) -> Any:
    """The layer at a path, which has no addition yet. TL0602 and TL0305 as for `lora`."""
    if path not in known:
        raise no_layer(path, known)
    if type(known[path]) in _PLAIN:
        raise TensorLogicError(Diagnostic("TL0305", f"`{path}` has an adapter already", help=("merge the first one, or train it further",)))
    return known[path]


def no_layer(target: str, known: Mapping[str, nn.Module]) -> TensorLogicError:
    help = f"it has {', '.join(sorted({path.rpartition('.')[2] for path in known})) or 'none'}"
    return TensorLogicError(Diagnostic("TL0602", f"the model has no linear layer or embedding `{target}`", help=(help,)))


def _names(target: str, path: str) -> bool:
    return fnmatch(path if "." in target else path.rpartition(".")[2], target)


def _precise(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
