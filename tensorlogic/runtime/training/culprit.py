"""What in a batch made a step fail: a label or an index that is out of range, a number that is none."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


class _Found(Exception):
    """`words` say what is out of range; `value` is it."""

    def __init__(self, words: str, value: int) -> None:
        super().__init__(words)
        self.words, self.value = words, value


class _Watch(TorchDispatchMode):
    """Stops before the first operation that is given a number outside of what it counts in."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        check = COUNTING.get(func.overloadpacket)
        if check is not None:
            check(*args)
        return func(*args, **(kwargs or {}))


def _label(scores: Tensor, labels: Tensor, weight: Tensor | None, reduction: int, ignored: int, *rest: Any) -> None:
    classes = scores.shape[1 if scores.ndim > 1 else 0]
    _check("label", labels[labels != ignored], classes, "classes")


def _id(table: Tensor, ids: Tensor, *rest: Any) -> None:
    _check("id", ids, table.shape[0], "of the embedding")


def _check(what: str, numbers: Tensor, count: int, among: str) -> None:
    bad = numbers[(numbers < 0) | (numbers >= count)]
    if bad.numel():
        value = int(bad.reshape(-1)[0])
        raise _Found(f"the {what} {value} is not among the {count} {among}, 0 to {count - 1}", value)


COUNTING: dict[Any, Callable[..., None]] = {aten.nll_loss_forward: _label, aten.nll_loss2d_forward: _label, aten.embedding: _id}


def out_of_range(run: Callable[[], object], batch: Any) -> tuple[str, str, TracebackType | None]:
    """Runs again what failed with an IndexError: `the label 9 is not among ...`, where the batch has it, and the traceback of the
    operation. Nothing is found where another operation counts."""
    try:
        with _Watch():
            run()
    except _Found as found:
        return found.words, _place(batch, found.value), found.__traceback__
    except IndexError:
        pass
    return "", "", None


def _place(batch: Any, value: int) -> str:
    for path, tensor in _tensors(batch, ""):
        if not tensor.is_floating_point() and bool((tensor == value).any()):
            return f"{f', in its `{path}`' if path else ''} at {(tensor == value).nonzero()[0].tolist()}"
    return ""


def bad_number(batch: Any) -> str:
    """`the batch has nan in its `.0`, at [2, 1]`; nothing where all its numbers are finite."""
    for path, tensor in _tensors(batch, ""):
        bad = ~torch.isfinite(tensor)  # whole numbers are finite
        if bool(bad.any()):
            place = bad.nonzero()[0].tolist()
            return f"the batch has {float(tensor[tuple(place)])}{f' in its `{path}`' if path else ''}, at {place}"
    return ""


def _tensors(thing: Any, path: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a batch, by the names of the program: `.0`, `.inputs`."""
    if isinstance(thing, Tensor):
        yield path, thing
        return
    named = enumerate(thing) if isinstance(thing, tuple | list) else getattr(thing, "__dict__", {}).items()
    for name, part in named:
        yield from _tensors(part, f"{path}.{name}")
