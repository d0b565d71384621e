"""What a checkpoint says about optimizer, schedule and random numbers: taken from them, looked at, and given back to them.

Everything here may come from a damaged file: it is compared with what the running training has before anything is changed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tensorlogic.runtime import distributed

OF_FUNCTIONS = "lr_lambdas"  # the functions of a schedule, which come from the program


class Unfit(Exception):
    """What does not fit, in words: `the optimizer is Adam, not SGD`."""


# --- optimizer -------------------------------------------------------------------------------------------------------


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The optimizer's tensors by `number.name`, and its other values."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    values: dict[str, dict[str, Any]] = {}
    for number, entry in state["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                values.setdefault(str(number), {})[name] = value
    return tensors, {"kind": type(optimizer).__name__, "groups": state["param_groups"], "values": values}


def fitting_optimizer_state(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Any], saved: Any) -> dict[str, Any]:
    """The state dict for this optimizer. `Unfit` where it is of another one."""
    kind = type(optimizer).__name__
    if not isinstance(saved, dict) or saved.get("kind") != kind:
        raise Unfit(f"its optimizer is {_get(saved, 'kind')}, the program's is {kind}")
    current = optimizer.state_dict()["param_groups"]
    if not alike(saved.get("groups"), current):
        raise Unfit("its optimizer has other parameters or options")
    groups = [{key: _in_form(group[key], now[key]) for key in now} for group, now in zip(saved["groups"], current, strict=True)]
    if [group["params"] for group in groups] != [group["params"] for group in current]:
        raise Unfit("its optimizer numbers its parameters in another way")
    return {"state": _entries(optimizer, tensors, saved.get("values")), "param_groups": groups}


def _entries(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Any], values: Any) -> dict[int, dict[str, Any]]:
    params = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    if not isinstance(values, dict) or not all(_number(key, params) is not None and isinstance(v, dict) for key, v in values.items()):
        raise Unfit("its optimizer has values of parameters that are not there")
    state: dict[int, dict[str, Any]] = {int(number): dict(entry) for number, entry in values.items()}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        if not number.isdecimal():
            continue
        if _number(number, params) is None or tensor.shape not in ((), params[int(number)].shape):
            raise Unfit(f"`{name}` of its optimizer is {list(tensor.shape)}, which is not the parameter's shape")
        state.setdefault(int(number), {})[key] = tensor.clone()
    if len({frozenset(entry) for entry in state.values()}) > 1:
        raise Unfit("its optimizer lacks some of its tensors")
    return state


def spread(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """The state dict with this process's parts of the tensors of sharded parameters."""
    params = [tensor for group in optimizer.param_groups for tensor in group["params"]]

    def part(number: int, value: Any) -> Any:
        fits = isinstance(value, Tensor) and value.shape == params[number].shape
        return distributed.like(params[number], value) if fits else value

    entries = {number: {key: part(number, value) for key, value in entry.items()} for number, entry in state["state"].items()}
    return {**state, "state": entries}


def _number(text: str, params: list[Tensor]) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 and int(text) < len(params) else None


# --- schedule --------------------------------------------------------------------------------------------------------


def schedule_state(schedule: Any) -> dict[str, Any] | None:
    """The values of a scheduler; its functions are the program's."""
    if schedule is None:
        return None
    return {"kind": type(schedule).__name__, **{k: v for k, v in schedule.state_dict().items() if k != OF_FUNCTIONS}}


def fitting_schedule_state(schedule: Any, saved: Any) -> dict[str, Any] | None:
    """The state dict for this scheduler. `Unfit` where it is of another one."""
    current = schedule_state(schedule)
    if not alike(saved, current) or (current is not None and saved["kind"] != current["kind"]):
        raise Unfit(f"its schedule is {_get(saved, 'kind')}, the program's is {_get(current, 'kind')}")
    if current is None:
        return None
    functions = {OF_FUNCTIONS: [None] * len(schedule.lr_lambdas)} if hasattr(schedule, OF_FUNCTIONS) else {}
    return {key: value for key, value in saved.items() if key != "kind"} | functions


# --- random numbers --------------------------------------------------------------------------------------------------


def random_state() -> dict[str, Tensor]:
    """The states of PyTorch's random numbers, on the CPU and on each device."""
    found = {"random.cpu": torch.get_rng_state()}
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        found[f"random.cuda.{i}"] = torch.cuda.get_rng_state(i)
    if torch.backends.mps.is_available():
        found["random.mps"] = torch.mps.get_rng_state()
    return found


def check_random(saved: Mapping[str, Any]) -> None:
    """`Unfit` where a state is no state of random numbers."""
    try:
        torch.Generator().set_state(saved["random.cpu"].cpu().clone())
    except (RuntimeError, TypeError, KeyError):
        raise Unfit("its random numbers are damaged") from None


def restore_random(saved: Mapping[str, Any]) -> None:
    torch.set_rng_state(saved["random.cpu"].cpu().clone())
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"random.cuda.{i}" in saved:
            torch.cuda.set_rng_state(saved[f"random.cuda.{i}"].cpu().clone(), i)
    if "random.mps" in saved and torch.backends.mps.is_available():
        torch.mps.set_rng_state(saved["random.mps"].cpu().clone())


# --- forms -----------------------------------------------------------------------------------------------------------


def alike(saved: Any, current: Any) -> bool:
    """Whether a value of a JSON file has the form of the value that it replaces."""
    match current:
        case dict():
            return isinstance(saved, dict) and saved.keys() == current.keys() and all(alike(saved[k], current[k]) for k in current)
        case list() | tuple():
            return isinstance(saved, list) and len(saved) == len(current) and all(map(alike, saved, current))
        case None | bool():
            return saved is None or isinstance(saved, bool)
        case float():
            return isinstance(saved, int | float) and not isinstance(saved, bool)
    return type(saved) is type(current)


def _in_form(saved: Any, current: Any) -> Any:
    return tuple(saved) if isinstance(current, tuple) else saved


def _get(saved: Any, key: str) -> Any:
    return saved.get(key) if isinstance(saved, dict) else "none"
