"""Where tensors live: one decision, made once per run."""

import platform
from dataclasses import dataclass

import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

NO_ACCELERATOR = "no accelerator here: `gpu` means the CPU in this run"


@dataclass(frozen=True, slots=True)
class Choice:
    """A device by its PyTorch name, and a line for the user where it is not what was wished for."""

    device: str
    notice: str = ""


def choose_device(request: str, cuda: bool, mps: bool) -> Choice:
    """The device for a request: auto or gpu (the best there is), cpu, cuda, mps. TL0805 for one that is asked for and not there."""
    best = "cuda" if cuda else "mps" if mps else "cpu"
    if request == "auto":
        return Choice(best)
    if request == "gpu":
        return Choice(best, "" if best != "cpu" else NO_ACCELERATOR)
    if request not in ("cpu", "cuda", "mps"):
        raise TensorLogicError(Diagnostic("TL0805", f"there is no device `{request}`", help=("choose auto, cpu, cuda or mps",)))
    if (request == "cuda" and not cuda) or (request == "mps" and not mps):
        raise TensorLogicError(Diagnostic("TL0805", f"the device {request} is not available", help=(f"this machine has {best}",)))
    return Choice(request)


def use(request: str) -> Choice:
    """Chooses the device of this run: new tensors are made there."""
    choice = choose_device(request, torch.cuda.is_available(), torch.backends.mps.is_available())
    torch.set_default_device(None if choice.device == "cpu" else choice.device)
    return choice


def current() -> torch.device:
    """The device of this run, which a program calls `gpu`."""
    return torch.get_default_device()


def describe() -> dict[str, str]:
    """What `tlc env` shows."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    found = {"python": platform.python_version(), "torch": torch.__version__, "threads": str(torch.get_num_threads())}
    for i in range(torch.cuda.device_count() if cuda else 0):
        found[f"cuda:{i}"] = torch.cuda.get_device_name(i)
    found["mps"] = "available" if mps else "not available"
    found["device"] = choose_device("auto", cuda, mps).device
    return found
