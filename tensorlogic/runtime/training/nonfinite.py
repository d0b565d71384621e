"""Where the first NaN or infinity came from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tensorlogic.runtime.training.roots import Roots, weights


@dataclass(frozen=True, slots=True)
class Origin:
    """The operation in words, and the traceback of its call, which has the place in the program."""

    words: str = ""
    traceback: TracebackType | None = None


class _Found(Exception):
    pass


class _Watch(TorchDispatchMode):
    """Stops at the first operation that makes a number that is not finite of numbers that are."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if _is_finite((args, kwargs)) and not _is_finite(out):
            raise _Found(func.overloadpacket.__name__)
        return out


def _is_finite(values: object) -> bool:
    tensors = (v for v in tree_leaves(values) if isinstance(v, torch.Tensor) and v.is_floating_point())
    return all(bool(torch.isfinite(t.detach()).all()) for t in tensors)


def where_it_began(run: Callable[[], object]) -> Origin:
    """Runs again, looking at every result. Nothing is found where the second run goes well, or a parameter itself is not finite."""
    try:
        with _Watch():
            run()
    except _Found as found:
        return Origin(f"the first number that is not finite comes from `{found}`", found.__traceback__)
    return Origin()


def first_bad(roots: Roots, params: Sequence[torch.Tensor]) -> str | None:
    """The name of the first of the `params` that has a NaN or an infinity."""
    bad = {tensor.data_ptr() for tensor in params if not bool(torch.isfinite(tensor.detach()).all())}
    return next((name for name, tensor in weights(roots).items() if tensor.data_ptr() in bad), None) if bad else None
