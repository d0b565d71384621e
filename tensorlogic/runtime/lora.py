"""LoRA: a low-rank addition to the linear layers and embeddings of a model (arXiv 2106.09685), in PEFT's layout on disk."""

import json
import math
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.data.json_files import json_value
from tensorlogic.runtime.data.text_files import whole_text
from tensorlogic.runtime.weights import load_model, save_model
from tensorlogic.runtime.weights.atomic import write_atomically, write_errors

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
MAX_CONFIG = 1 << 20
_REFUSED = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "fan_in_fan_out", "modules_to_save")


class Addition(nn.Module):
    """`scale * B A`, as the two factors: of a linear layer A is [rank, in] and B [out, rank], of an embedding [rank, V] and [D, rank]."""

    def __init__(self, layer: nn.Linear | nn.Embedding, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        rows, columns = layer.weight.shape
        kind = {"dtype": layer.weight.dtype, "device": layer.weight.device}
        into, out = (columns, rows) if isinstance(layer, nn.Linear) else (rows, columns)
        self.A = nn.Parameter(torch.zeros(rank, into, **kind))
        self.B = nn.Parameter(torch.zeros(out, rank, **kind))
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
        found = (self.B.float() @ self.A.float()) * self.scale
        return found if isinstance(layer, nn.Linear) else found.T


class AdaptedLinear(nn.Linear):
    """A linear layer with an addition; its weight and bias have the names they had."""

    lora: Addition

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(x, self.weight, self.bias)
        lora = self.lora
        if not lora.active:
            return y
        return y + F.linear(F.linear(lora.dropout(x).to(lora.A.dtype), lora.A), lora.B).to(y.dtype) * lora.scale


class AdaptedEmbedding(nn.Embedding):
    """An embedding with an addition."""

    lora: Addition

    def forward(self, ids: Tensor) -> Tensor:
        y = super().forward(ids)
        lora = self.lora
        return y if not lora.active else y + (F.embedding(ids, lora.A.T) @ lora.B.T).to(y.dtype) * lora.scale


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
        for path, layer in self.layers.items():
            for name, factor in _factors(layer):
                found[f"{PREFIX}{path}.{name}"] = factor.detach()
        return found

    @torch.no_grad()
    def merge(self) -> None:
        """Put the additions into the weights: calls cost what they cost without an adapter. The weights before are kept for `unmerge`."""
        for layer, addition in self._additions():
            if addition.original is None:
                addition.original = layer.weight.detach().clone()
                if addition.enabled:
                    layer.weight.copy_(layer.weight.float() + addition.product(layer))

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


def _factors(layer: nn.Module) -> list[tuple[str, Tensor]]:
    addition = layer.lora
    assert isinstance(addition, Addition)
    names = ("lora_A.weight", "lora_B.weight") if isinstance(layer, nn.Linear) else ("lora_embedding_A", "lora_embedding_B")
    return list(zip(names, (addition.A, addition.B), strict=True))


def lora(model: nn.Module, rank: int, alpha: float, targets: list[str], dropout: float = 0.0) -> Adapter:
    """Give the layers of `model` that `targets` name an addition of rank `rank`, scaled by `alpha / rank`, and freeze all else.

    A target is the last part of a path (`q_proj`), a whole path (`blocks.0.attn.qkv`), or a pattern of either (`*_proj`).
    Raises TensorLogicError: TL0602 where a target names no linear layer or embedding, TL0305 where a layer has an addition already.
    """
    found: dict[str, nn.Module] = {}
    known = {path: layer for path, layer in model.named_modules() if type(layer) in (*_ADAPTED, *_PLAIN)}
    for target in targets:
        matching = {path: layer for path, layer in known.items() if _names(target, path)}
        if not matching:
            help = f"it has {', '.join(sorted({path.rpartition('.')[2] for path in known})) or 'none'}"
            raise TensorLogicError(Diagnostic("TL0602", f"the model has no linear layer or embedding `{target}`", help=(help,)))
        found |= matching
    if twice := next((path for path, layer in found.items() if type(layer) in _PLAIN), None):
        raise TensorLogicError(
            Diagnostic("TL0305", f"`{twice}` has an adapter already", help=("merge the first one, or train it further",))
        )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for layer in found.values():
        addition = Addition(layer, rank, alpha, dropout)  # type: ignore[arg-type]
        layer.__class__ = _ADAPTED[type(layer)]
        layer.lora = addition.train(layer.training)
    return Adapter(model, found, rank, alpha, list(targets), dropout)


def _names(target: str, path: str) -> bool:
    return fnmatch(path if "." in target else path.rpartition(".")[2], target)


def save_adapter(adapter: Adapter, path: str) -> None:
    """Write an adapter as PEFT does: a folder with its configuration and its factors."""
    with write_errors(path):
        os.makedirs(path, exist_ok=True)
    save_model(adapter.state_dict(), os.path.join(path, WEIGHTS))
    config = {
        "peft_type": "LORA", "r": adapter.rank, "lora_alpha": adapter.alpha, "lora_dropout": adapter.dropout, "bias": "none",
        "target_modules": adapter.targets, "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True,
        "base_model_name_or_path": None, "task_type": None,
    }  # fmt: skip
    write_atomically(os.path.join(path, CONFIG), [json.dumps(config, indent=2).encode()])


def load_adapter(model: nn.Module, path: str) -> Adapter:
    """Read an adapter in PEFT's layout into `model`. Its layers are those that the file has factors for.

    Raises TensorLogicError: TL0606 where a file is not there, TL0604 for a configuration that is not LoRA, TL0602 and TL0603 where the
    factors are of another model.
    """
    config = _config(os.path.join(path, CONFIG))
    saved = load_model(os.path.join(path, WEIGHTS)).state_dict()
    paths = list(dict.fromkeys(_layer_path(name) for name in saved))
    adapter = lora(model, config["r"], config["lora_alpha"], paths or config["target_modules"], config["lora_dropout"])
    wanted = adapter.state_dict()
    missing = sorted(wanted.keys() ^ saved.keys())
    if missing:
        raise TensorLogicError(Diagnostic("TL0602", f"the adapter {path} is of another model: `{missing[0]}` is in one of them only"))
    for name, tensor in wanted.items():
        if saved[name].shape != tensor.shape:
            title = f"`{name}` is {list(saved[name].shape)} in {path}, and {list(tensor.shape)} in the model"
            raise TensorLogicError(Diagnostic("TL0603", title))
        tensor.copy_(saved[name])  # type: ignore[arg-type]
    adapter.targets = config["target_modules"]
    return adapter


def _layer_path(name: str) -> str:
    return name.removeprefix(PREFIX).partition(".lora_")[0]


def _config(path: str) -> dict[str, Any]:
    """What the configuration of an adapter says, as far as it is needed here."""
    found = json_value(path, whole_text(path, MAX_CONFIG))
    found = found if isinstance(found, dict) and found.get("peft_type") == "LORA" else {}
    rank, alpha, dropout, targets = (found.get(key) for key in ("r", "lora_alpha", "lora_dropout", "target_modules"))
    targets = [targets] if isinstance(targets, str) else targets or []
    names = isinstance(targets, list) and all(isinstance(target, str) for target in targets)
    if type(rank) is not int or rank < 1 or not _is_number(alpha) or not _is_number(dropout or 0.0) or not names:
        raise TensorLogicError(Diagnostic("TL0604", f"{path} does not describe a LoRA adapter", file=path))
    refused = [key for key in _REFUSED if found.get(key)]
    refused += ["bias"] if found.get("bias", "none") != "none" else []
    if refused:
        raise TensorLogicError(Diagnostic("TL0604", f"{path} has `{refused[0]}`, which is not supported", file=path))
    return {"r": rank, "lora_alpha": alpha, "lora_dropout": float(dropout or 0.0), "target_modules": targets}


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
