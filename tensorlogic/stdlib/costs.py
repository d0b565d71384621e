"""What builtins and layers cost, as their declarations say it; `tensorlogic.cost` works it out from the sizes of a call.

A formula is Python's arithmetic over the sizes of the signature. A run of dims such as `...B` stands for their product, a tensor
parameter for the number of its elements (0 where it is left out), `result` for that of the first result, `last(x)` for the last size of
a parameter, `item` for the bytes of an element of the result. Sizes that a signature cannot name take a function of the `Call`.
"""

from collections.abc import Callable
from math import prod
from typing import Protocol

from tensorlogic.record import record
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.types import Tensor


class Call(Protocol):
    """One call, for rules that no formula can say: sizes by name, tensors by parameter, what is known of flags, texts and lists."""

    method: str  # of a layer
    result: Tensor | None

    def size(self, name: str) -> Dim: ...
    def tensors(self, name: str) -> tuple[Tensor, ...]: ...
    def value(self, name: str) -> object: ...


Formula = str | Callable[[Call], Dim]


@record
class Cost:
    """`operations` on numbers, a multiplication with its addition counted as 2; `product` marks contractions and convolutions, which
    PyTorch's own counter counts too. `memory` says what is read and written: `all` operands and results, a `copy` reads as much as it
    writes, something `new` only writes, `none`. `shape` is for results in the memory of the first operand: `view`, `swap` of two axes,
    `flat` where the operand has to be in order, `part`, `cast` to the dtype that it may have already; `heads` are swapped axes in new
    memory. `keeps` names what the gradient needs: parameters, `result`, `results`, the last of them as `places` (None: the operands, of a
    product those that meet one that learns); `extra` is the bytes of what is made for it inside. `calls` is a parameter that is called
    `times` times: a number, or once for each item. `untold` says what is not counted."""

    operations: Formula = "result"
    product: bool = False
    memory: str = "all"
    shape: str = ""
    keeps: str | None = None
    extra: Formula = "0"
    calls: str = ""
    times: str = ""
    untold: str = ""


def each(operations: int = 1, keeps: str | None = None, extra: Formula = "0") -> Cost:
    """So many operations for each element of the result."""
    return Cost(f"{operations} * result", keeps=keeps, extra=extra)


def over(parameter: str, operations: int = 1, keeps: str | None = None, extra: Formula = "0") -> Cost:
    """So many operations for each element of a parameter: reductions."""
    return Cost(f"{operations} * {parameter}", keeps=keeps, extra=extra)


def product(operations: Formula, keeps: str | None = None, extra: Formula = "0") -> Cost:
    """A contraction or convolution."""
    return Cost(operations, True, keeps=keeps, extra=extra)


def calls(parameter: str, times: str, memory: str = "none", keeps: str | None = None) -> Cost:
    """It calls a function of the program: a number of times, or once for each item of a list. Where it `keeps` only certain parameters,
    what happens inside is not kept for the gradient."""
    return Cost("0", memory=memory, keeps=keeps, calls=parameter, times=times)


FREE = Cost("0", memory="none", keeps="")
VIEW = Cost("0", memory="none", shape="view", keeps="")
SWAP = Cost("0", memory="none", shape="swap", keeps="")
PART = Cost("0", memory="none", shape="part", keeps="")
FLAT = Cost("0", memory="copy", shape="flat", keeps="")
COPY = Cost("0", memory="copy", keeps="")
CAST = Cost("0", shape="cast", keeps="")
PICK = Cost("0", memory="copy", keeps="index")  # the places are needed to lead the gradient back
NEW = Cost("0", memory="new", keeps="")
MADE = Cost("result", memory="new", keeps="")  # number by number
WRITTEN = Cost("0", keeps="index")


def contraction(call: Call) -> Dim:
    """`einsum`, as PyTorch does it: from the left, two tensors at a time, each pair one batched product; indices that one tensor alone has
    are summed before. A pair that sums nothing is multiplied element by element."""
    equation, shapes = str(call.value("equation")).replace(" ", ""), [t.shape for t in call.tensors("operands")]
    terms, arrow, output = equation.partition("->")
    names = terms.split(",")
    if "." in equation or any(len(n) != len(s) or not all(isinstance(d, Dim) for d in s) for n, s in zip(names, shapes, strict=False)):
        return ZERO
    sizes = {letter: size for name, shape in zip(names, shapes, strict=False) for letter, size in zip(name, shape, strict=True)}
    kept = set(output) if arrow else {letter for letter in terms if terms.count(letter) == 1}
    return _pairs([set(name) for name in names], kept, sizes)


def window1d(call: Call) -> Dim:
    """Pooling: each element of the result is made of all under its window."""
    return _window(call, 1)


def window2d(call: Call) -> Dim:
    return _window(call, 2)


def _window(call: Call, axes: int) -> Dim:
    size = call.value("kernel_size")
    sizes = size if isinstance(size, tuple) else (size,) * axes
    return call.size("result") * prod((_size(item) for item in sizes), start=ONE)


def _size(item: object) -> Dim:
    """A size that may not be known."""
    return item if isinstance(item, Dim) else Dim.const(item) if isinstance(item, int) else Dim.fresh()


def train(call: Call) -> Dim:
    """The products that put a tensor train together, core by core from the left."""
    total, rows = ZERO, ONE
    for at, core in enumerate(call.tensors("cores")):
        before, size, behind = map(_size, core.shape)
        total = total + (rows * before * size * behind * 2 if at else ZERO)
        rows = rows * size
    return total


def grown(call: Call) -> Dim:
    """The products that make a core as large as its tensor, axis by axis."""
    total, sizes = ZERO, [_size(item) for item in next(iter(call.tensors("core"))).shape]
    for at, factor in enumerate(call.tensors("factors")):
        total = total + prod((*sizes, _size(factor.shape[0])), start=ONE) * 2
        sizes[at] = _size(factor.shape[0])
    return total


def _pairs(operands: list[set[str]], output: set[str], sizes: dict) -> Dim:
    total, held = ZERO, operands[0]
    for at, following in enumerate(operands[1:], 1):
        later = output.union(*operands[at + 1 :])
        together = (held & following) | ((held | following) & later)
        summed = together - later
        total += (2 if summed else 0) * prod((sizes[letter] for letter in together), start=ONE)
        held = together & later
    return total
