"""Adapters on disk, in PEFT's layout: a folder with a configuration and the factors. What a configuration says is honoured or refused."""

import json
import math
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TypeGuard

from torch import nn

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown
from tensorlogic.runtime.data.json_files import json_value
from tensorlogic.runtime.data.text_files import whole_text
from tensorlogic.runtime.lora import PREFIX, Adapter, Addition, adapt, adaptable, factor_names, factor_shapes, plain
from tensorlogic.runtime.weights import load_model, save_model
from tensorlogic.runtime.weights.atomic import write_atomically, write_errors

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
MAX_CONFIG = 1 << 20
FACTOR = re.compile(r"(.+)\.lora_(?:[AB]\.weight|embedding_[AB])")
# What is read, or says nothing of what the factors mean: where they came from, how they were chosen (the file has those that are), and how
# the base was stored ("fan_in_fan_out"; here a linear layer is always [out, in]). Anything else that is set is refused by its name.
_HONOURED = {"peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "init_lora_weights", "target_modules"}
_WITHOUT_EFFECT = {
    "auto_mapping", "base_model_name_or_path", "eva_config", "exclude_modules", "fan_in_fan_out", "inference_mode",
    "layers_pattern", "layers_to_transform", "megatron_core", "peft_version", "qalora_group_size", "revision", "task_type",
}  # fmt: skip
_FIRST_VALUES = (None, True, False, "gaussian", "eva", "orthogonal")  # those of `init_lora_weights` that leave the base as it is


def save_adapter(adapter: Adapter, path: str) -> None:
    """Write an adapter as PEFT does: a folder with its configuration and its factors."""
    with write_errors(path):
        os.makedirs(path, exist_ok=True)
    save_model(adapter.state_dict(), os.path.join(path, WEIGHTS))
    config = {
        "peft_type": "LORA", "r": adapter.rank, "lora_alpha": adapter.alpha, "lora_dropout": adapter.dropout, "bias": "none",
        "target_modules": _targets(adapter), "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True,
        "base_model_name_or_path": None, "task_type": None,
    }  # fmt: skip
    write_atomically(os.path.join(path, CONFIG), [json.dumps(config, indent=2).encode()])


def _targets(adapter: Adapter) -> list[str] | str:
    """Last parts of paths where these name the adapted layers and no others, otherwise PEFT's regular expression for the paths."""
    last = {path.rpartition(".")[2] for path in adapter.layers}
    named = {path for path, _ in adapter.model.named_modules() if path.rpartition(".")[2] in last}
    return sorted(last) if named == adapter.layers.keys() else "|".join(map(re.escape, adapter.layers))


def load_adapter(model: nn.Module, path: str) -> Adapter:
    """Read an adapter in PEFT's layout into `model`. Its layers are those that the file has factors for.

    Raises TensorLogicError: TL0606 where a file is not there, TL0604 for a configuration that is not LoRA or has an option that is not
    supported, TL0602 and TL0603 where the factors are of another model, TL0305 where a layer has an adapter. The model is then unchanged.
    """
    config = _config(os.path.join(path, CONFIG))
    saved = load_model(os.path.join(path, WEIGHTS)).state_dict()
    known = adaptable(model)
    rank, alpha, dropout = config["r"], config["lora_alpha"], config["lora_dropout"]
    layers = {place: plain(place, known) for place in _layers(saved, path)}
    wanted: dict[str, tuple[int, int]] = {}
    for place, layer in layers.items():
        wanted |= zip(factor_names(place, layer), factor_shapes(layer, rank), strict=True)
    _check(wanted, saved, path)  # a rank that the file does not have takes no memory
    additions = {place: Addition(layer, rank, alpha, dropout) for place, layer in layers.items()}
    for place, addition in additions.items():
        for name, factor in zip(factor_names(place, layers[place]), (addition.A, addition.B), strict=True):
            factor.data.copy_(saved[name])  # type: ignore[arg-type]
    return adapt(model, additions, rank, alpha, config["target_modules"], dropout)


def _layers(saved: Mapping[str, Any], path: str) -> list[str]:
    """The paths of the layers that a file has factors for."""
    found: dict[str, None] = {}
    for name in saved:
        factor = FACTOR.fullmatch(name.removeprefix(PREFIX))
        if factor is None:
            help = ("PEFT writes some weights of the base too unless it is told `save_embedding_layers=False`",)
            raise TensorLogicError(Diagnostic("TL0604", f"{path} has `{shown(name)}`, which is no factor of a LoRA adapter", help=help))
        found[factor[1]] = None
    return list(found)


def _check(wanted: Mapping[str, tuple[int, int]], saved: Mapping[str, Any], path: str) -> None:
    if odd := sorted(wanted.keys() ^ saved.keys()):
        raise TensorLogicError(Diagnostic("TL0602", f"the adapter {path} is of another model: `{odd[0]}` is in one of them only"))
    for name, shape in wanted.items():
        if tuple(saved[name].shape) != shape:
            title = f"`{name}` is {list(saved[name].shape)} in {path}, and {list(shape)} in the model"
            raise TensorLogicError(Diagnostic("TL0603", title))


# --- the configuration -----------------------------------------------------------------------------------------------


def _config(path: str) -> dict[str, Any]:
    """What the configuration of an adapter says, as far as it is needed here."""
    found = json_value(path, whole_text(path, MAX_CONFIG))
    found = found if isinstance(found, dict) and found.get("peft_type") == "LORA" else {}
    rank, alpha, dropout, targets = (found.get(key) for key in ("r", "lora_alpha", "lora_dropout", "target_modules"))
    targets = [targets] if isinstance(targets, str) else targets or []
    names = isinstance(targets, list) and all(isinstance(target, str) for target in targets)
    if type(rank) is not int or rank < 1 or not _is_number(alpha) or not _is_share(dropout or 0.0) or not names:
        raise TensorLogicError(Diagnostic("TL0604", f"{path} does not describe a LoRA adapter", file=path))
    if refused := _refused(found):
        raise TensorLogicError(Diagnostic("TL0604", f"{path} has `{shown(refused)}`, which is not supported", file=path))
    scale = math.sqrt(rank) if found.get("use_rslora") else 1.0  # alpha / sqrt(rank), where it is alpha / rank otherwise
    return {"r": rank, "lora_alpha": alpha * scale, "lora_dropout": float(dropout or 0.0), "target_modules": targets}


def _refused(config: Mapping[str, Any]) -> str | None:
    """The first option that is set and would change what the factors mean."""
    if config.get("bias") not in (None, "none"):
        return "bias"
    if config.get("init_lora_weights") not in _FIRST_VALUES:
        return "init_lora_weights"
    return next((key for key, value in config.items() if value and key not in _HONOURED | _WITHOUT_EFFECT), None)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_share(value: object) -> TypeGuard[float]:
    return _is_number(value) and 0.0 <= value < 1.0
