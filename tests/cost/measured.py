"""What PyTorch says: operations that it counts, the most bytes in use at a time, the bytes that autograd keeps."""

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from tensorlogic.cost.describe import Described, describe
from tensorlogic.driver import Analysis, analyse
from tensorlogic.source import Source


def analysed(text: str, name: str = "program.tl") -> Analysis:
    found = analyse(Source(name, text))
    found.checked()
    return found


def described(text: str, name: str, sizes: dict[str, int] | None = None, file: str = "program.tl") -> Described:
    """One function of a program."""
    return next(item for item in describe(analysed(text, file).checked(), sizes) if item.name == name)


def flops(function: Callable, *args) -> int:
    """With attention in its parts: the fused one of the CPU is none that PyTorch counts."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        function(*args)
    return counter.get_total_flops()


def storage_of(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


@dataclass
class Memory(TorchDispatchMode):
    """Follows every piece of memory that operations make, but not what was there `before`."""

    before: Iterable[torch.Tensor]
    live: int = 0
    peak: int = 0
    sizes: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.known = {storage_of(tensor) for tensor in self.before}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor) and storage_of(tensor) not in self.known | self.sizes.keys():
                self.add(tensor)
        return made

    def add(self, tensor: torch.Tensor) -> None:
        storage, key = tensor.untyped_storage(), storage_of(tensor)
        self.sizes[key] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self.free, key)

    def free(self, key: int) -> None:
        self.live -= self.sizes.pop(key)


def peak_bytes(function: Callable, args: tuple, before: Iterable[torch.Tensor]) -> int:
    """The most bytes of what the function itself makes, without gradients."""
    with torch.no_grad(), Memory(before) as memory:
        function(*args)
    return memory.peak


def kept_bytes(function: Callable, args: tuple, before: Iterable[torch.Tensor]) -> int:
    """The bytes of what the function makes that autograd keeps."""
    known, kept = {storage_of(tensor) for tensor in before}, {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if storage_of(tensor) not in known:
            kept[storage_of(tensor)] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = function(*args)
    del result
    return sum(storage.nbytes() for storage in kept.values())
