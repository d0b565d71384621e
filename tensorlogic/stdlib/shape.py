"""Builtins that give the same elements another shape, order or number: reshape, transpose, expand, cat, chunk, pad."""

from tensorlogic.stdlib.costs import COPY, FLAT, NEW, PART, SWAP, VIEW, each
from tensorlogic.stdlib.lazy import runtime, torch
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import BadArgument, DTypeMismatch, WrongType
from tensorlogic.types.shapes_base import argument, axis_of, known_or_fresh, number, replaced
from tensorlogic.types.shapes_layout import check_split, concatenated, parts, stacked
from tensorlogic.types.types import AnyTensor, DTypeVar, Int, List, Tensor, Tuple, Type

MAX_PARTS = 4096  # more of them have the type of a list, not one type each


@builtin("reshape<T: any>(x: T[...S], shape: [int]) -> T[...reshape(S, shape)]", cost=FLAT)
def reshape(x, shape):
    """The same elements in another shape; one size may be -1. See torch.reshape."""
    return torch.reshape(x, shape)


@builtin("view<T: any>(x: T[...S], shape: [int]) -> T[...reshape(S, shape)]", cost=VIEW)
def view(x, shape):
    """The same elements in another shape, in the same memory. See torch.Tensor.view."""
    return x.view(shape)


@builtin("transpose<T: any>(x: T[...S], dim0: int, dim1: int) -> T[...swap(S, dim0, dim1)]", cost=SWAP)
def transpose(x, dim0, dim1):
    """Two axes exchanged. See torch.transpose."""
    return torch.transpose(x, dim0, dim1)


@builtin("permute<T: any>(x: T[...S], dims: [int]) -> T[...permute(S, dims)]", cost=PART)
def permute(x, dims):
    """The axes in another order. See torch.permute."""
    return torch.permute(x, dims)


@builtin("movedim<T: any>(x: T[...S], source: int, destination: int) -> T[...move(S, source, destination)]", cost=PART)
def movedim(x, source, destination):
    """One axis moved to another place. See torch.movedim."""
    return torch.movedim(x, source, destination)


@builtin("flatten<T: any>(x: T[...S], start_dim: int = 0, end_dim: int = -1) -> T[...flatten(S, start_dim, end_dim)]", cost=FLAT)
def flatten(x, start_dim=0, end_dim=-1):
    """Neighbouring axes become one. See torch.flatten."""
    return torch.flatten(x, start_dim, end_dim)


@builtin("unflatten<T: any>(x: T[...S], dim: int, sizes: [int]) -> T[...unflatten(S, dim, sizes)]", cost=VIEW)
def unflatten(x, dim, sizes):
    """One axis becomes several. See torch.unflatten."""
    return torch.unflatten(x, dim, sizes)


@builtin("unsqueeze<T: any>(x: T[...S], dim: int) -> T[...insert(S, dim)]", cost=VIEW)
def unsqueeze(x, dim):
    """A new axis of size 1. See torch.unsqueeze."""
    return torch.unsqueeze(x, dim)


@builtin("squeeze<T: any>(x: T[...S]) -> T[...squeeze_all(S)]", cost=VIEW)
def squeeze_all(x):
    """Without the axes of size 1, or without the axis `dim` of size 1. See torch.squeeze."""
    return torch.squeeze(x)


@builtin(
    "squeeze<T: any>(x: T[...S], dim: int) -> T[...squeeze(S, dim)]",
    "squeeze<T: any>(x: T[...S], dim: [int]) -> T[...squeeze(S, dim)]",
    cost=VIEW,
)
def squeeze(x, dim):
    """Without the axis `dim` of size 1. See torch.squeeze."""
    return torch.squeeze(x, dim)


@builtin("broadcast_to<T: any>(x: T[...S], shape: [int]) -> T[...expand(S, shape)]", cost=PART)
def broadcast_to(x, shape):
    """`x` repeated along axes of size 1 and new axes. See torch.broadcast_to."""
    return torch.broadcast_to(x, shape)


@builtin("expand<T: any>(x: T[...S], shape: [int]) -> T[...expand(S, shape)]", cost=PART)
def expand(x, shape):
    """`x` repeated along axes of size 1 and new axes; -1 keeps a size. See torch.Tensor.expand."""
    return x.expand(shape)


@builtin("repeat<T: any>(x: T[...S], repeats: [int]) -> T[...repeat(S, repeats)]", cost=COPY)
def repeat(x, repeats):
    """Copies along each axis. See torch.Tensor.repeat."""
    return x.repeat(repeats)


@builtin("tile<T: any>(x: T[...S], dims: [int]) -> T[...tile(S, dims)]", cost=COPY)
def tile(x, dims):
    """Copies along the last axes. See torch.tile."""
    return torch.tile(x, dims)


@builtin("repeat_interleave<T: any>(x: T[...S], repeats: int, dim: int = none) -> T[...interleaved(S, repeats, dim)]", cost=COPY)
def repeat_interleave(x, repeats, dim=None):
    """Each element several times in a row. See torch.repeat_interleave."""
    return torch.repeat_interleave(x, repeats, dim=dim)


@builtin("flip<T: any>(x: T[...S], dims: [int]) -> T[...along(S, dims)]", cost=COPY)
def flip(x, dims):
    """Axes in reverse order. See torch.flip."""
    return torch.flip(x, dims)


@builtin("flip<T: any>(x: T[...S], dim: int) -> T[...along(S, dim)]", cost=COPY)
def flip_one(x, dim):
    """One axis in reverse order. See torch.flip."""
    return torch.flip(x, (dim,))


@builtin(
    "roll<T: any>(x: T[...S], shifts: int, dims: int = none) -> T[...cyclic(S, shifts, dims)]",
    "roll<T: any>(x: T[...S], shifts: [int], dims: [int]) -> T[...cyclic(S, shifts, dims)]",
    cost=COPY,
)
def roll(x, shifts, dims=None):
    """Elements moved along axes; what leaves at one end comes in at the other. See torch.roll."""
    return torch.roll(x, shifts, dims=dims)


@builtin("narrow<T: any>(x: T[...S], dim: int, start: int, length: int) -> T[...narrow(S, dim, start, length)]", cost=PART)
def narrow(x, dim, start, length):
    """`length` elements of an axis from `start` on. See torch.narrow."""
    return torch.narrow(x, dim, start, length)


@builtin("select<T: any>(x: T[...S], dim: int, index: int) -> T[...picked(S, dim, index)]", cost=PART)
def select(x, dim, index):
    """One element of an axis. See torch.select."""
    return torch.select(x, dim, index)


@builtin("unfold<T: any>(x: T[...S], dim: int, size: int, step: int) -> T[...unfold(S, dim, size, step)]", cost=PART)
def unfold(x, dim, size, step):
    """Windows of an axis; their contents are a new last axis. See torch.Tensor.unfold."""
    return x.unfold(dim, size, step)


@builtin(
    'pad<T: any>(x: T[...S], pad: [int], mode: string = "constant", value: float = 0.0) -> T[...pad(S, pad, mode, value)]',
    cost=COPY,
)
def pad(x, pad, mode="constant", value=0.0):
    """More elements at the ends of axes, given as pairs from the last axis on. See torch.nn.functional.pad."""
    return torch.nn.functional.pad(x, pad, mode, value)


# --- several tensors ----------------------------------------------------------------------------------------------------


def _tensors(call, name: str) -> tuple[str | DTypeVar, tuple] | None:
    """(dtype, shapes) of a list of tensors of one dtype, or None where that is not known."""
    given = call.types[name]
    items = given.items if isinstance(given, List | Tuple) else None
    if items == ():
        call.need.fail(BadArgument("TL0306", "the list of tensors is empty"))
        return None
    tensors = tuple(item for item in items or () if isinstance(item, Tensor))
    if items is None or len(tensors) < len(items):
        _refuse_others(call, items or ())
        return None
    for item in tensors[1:]:
        if item.dtype != tensors[0].dtype:
            call.need.fail(DTypeMismatch("the tensors of the list", tensors[0].dtype, item.dtype))
            return None
    return tensors[0].dtype, tuple(item.shape for item in tensors)


def _refuse_others(call, items: tuple[Type, ...]) -> None:
    for item in items:
        if not isinstance(item, Tensor | AnyTensor):
            call.need.fail(WrongType("an item of the list", "a tensor", item))


def _dim(call) -> Dim | None:
    given = call.types["dim"]
    return given.value if isinstance(given, Int) else None


def _joined(call) -> Type | None:
    found = _tensors(call, "tensors")
    shape = concatenated(call.need, found[1], _dim(call)) if found else None
    return Tensor(found[0], shape) if found and shape is not None else None


def _stacked(call) -> Type | None:
    found = _tensors(call, "tensors")
    shape = stacked(call.need, found[1], _dim(call)) if found else None
    return Tensor(found[0], shape) if found and shape is not None else None


@builtin("cat(tensors: [Tensor], dim: int = 0) -> Tensor", infer=_joined, cost=COPY)
def cat(tensors, dim=0):
    """Tensors one after the other along an axis. See torch.cat."""
    return torch.cat(tensors, dim=dim)


@builtin("stack(tensors: [Tensor], dim: int = 0) -> Tensor", infer=_stacked, cost=COPY)
def stack(tensors, dim=0):
    """Tensors of one shape along a new axis. See torch.stack."""
    return torch.stack(tensors, dim=dim)


def _chunks(call) -> Type | None:
    x, n = call.types["x"], call.types["chunks"]
    if not isinstance(x, Tensor) or not isinstance(n, Int):
        return List(AnyTensor())
    shape = parts(call.need, x.shape, n.value, _dim(call))
    part = AnyTensor() if shape is None else Tensor(x.dtype, shape)
    known = number(n.value)
    return List(part) if known is None or not 1 <= known <= MAX_PARTS else Tuple((part,) * known)


@builtin("chunk<T: any>(x: T[...S], chunks: int, dim: int = 0) -> [T[?]]", infer=_chunks, cost=PART)
def chunk(x, chunks, dim=0):
    """`chunks` equal parts of an axis; the number must divide the size. See torch.chunk."""
    return torch.chunk(x, chunks, dim=dim)


def _splits(call) -> Type | None:
    if "x" not in call.types:
        return call.result  # of a string
    x, given = call.types["x"], call.types["sizes"]
    if isinstance(given, Int):
        call.need.fail(WrongType("`sizes` of `split`", "a list of sizes", given, "write the size of each part, or use `chunk`"))
        return None
    sizes = argument(given)
    if not isinstance(sizes, tuple):
        return List(AnyTensor())
    if not isinstance(x, Tensor):
        return Tuple((AnyTensor(),) * len(sizes))
    position = check_split(call.need, x.shape, sizes, _dim(call))
    if position is None:
        return None if call.need.mistakes else Tuple((AnyTensor(),) * len(sizes))
    return Tuple(tuple(Tensor(x.dtype, replaced(x.shape, position, known_or_fresh(size))) for size in sizes))


@builtin("split<T: any>(x: T[...S], sizes: any, dim: int = 0) -> [T[?]]", infer=_splits, cost=PART)
def split(x, sizes, dim=0):
    """Parts of an axis of the given sizes, which must add up to it. See torch.split."""
    return torch.split(x, sizes, dim=dim)


def _unbound(call) -> Type | None:
    x = call.types["x"]
    position = axis_of(x.shape, _dim(call), call.need) if isinstance(x, Tensor) else None
    if position is None or not isinstance(x, Tensor):
        return List(AnyTensor())
    part = Tensor(x.dtype, replaced(x.shape, position))
    known = number(x.shape[position])
    return List(part) if known is None or known > MAX_PARTS else Tuple((part,) * known)


@builtin("unbind<T: any>(x: T[...S], dim: int = 0) -> [T[?]]", infer=_unbound, cost=PART)
def unbind(x, dim=0):
    """The slices of an axis one by one. See torch.unbind."""
    return torch.unbind(x, dim)


@builtin("meshgrid<T: any>(a: T[...A], b: T[...B]) -> (T[...grid(A, B)], T[...grid(A, B)])", cost=PART)
def meshgrid(a, b):
    """Rows and columns of a grid. See torch.meshgrid with `indexing="ij"`."""
    return torch.meshgrid(a, b, indexing="ij")


@builtin("pad_sequences(sequences: [[int]], value: int = 0, length: int = none) -> int64[?, ?]", cost=NEW)
def pad_sequences(sequences, value=0, length=None):
    """Lists of ids as one tensor: cut to `length`, or as long as the longest one, filled up with `value`."""
    return runtime.ops.pad_sequences(sequences, value, length)


@builtin("attention_mask(ids: int64[B, T], pad: int) -> bool[B, 1, 1, T]", cost=each(keeps=""))
def attention_mask(ids, pad):
    """A mask for `attention`: true where an id is not padding."""
    return (ids != pad)[:, None, None, :]
