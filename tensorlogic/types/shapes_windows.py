"""Shape rules of what slides a window: convolution, pooling, unfolding, padding, interpolation."""

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import BadArgument, EmptySlice, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import ONE, axis_of, divides, equal, is_known, known_or_fresh, number, omitted, replaced, shape_function
from tensorlogic.types.types import Shape

Sizes = tuple[Dim | None, ...]
PADDING_MODES = ("constant", "reflect", "replicate", "circular")


def each(need: Obligations, what: str, value: object, n: int) -> Sizes | None:
    """One number for every axis, or a list of `n` numbers."""
    if value is None or isinstance(value, Dim):
        return (value,) * n
    if isinstance(value, tuple) and len(value) in (1, n):
        return value if len(value) == n else value * n
    found = f"a list of {len(value)}" if isinstance(value, tuple) else f"{value}"
    need.fail(BadArgument("TL0306", f"`{what}` is an int or a list of {n} ints, not {found}"))
    return None


def _window(need: Obligations, size: object, kernel: Dim | None, stride: Dim | None, pad: Dim | None, dilation: Dim | None) -> Dim:
    """`(size + 2 pad - dilation (kernel - 1) - 1) // stride + 1`; the window must fit at least once."""
    if not isinstance(size, Dim) or kernel is None or stride is None or pad is None or dilation is None:
        return Dim.fresh()
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    need.require(Rel(">=", room, Dim.const(0)), lambda _: EmptySlice("the result of the window", room + 1), certain=True)
    return room.floor_div(stride) + 1


def _positive(need: Obligations, what: str, sizes: Sizes) -> bool:
    if any(s is not None and s.value is not None and s.value < 1 for s in sizes):
        need.fail(BadArgument("TL0310", f"`{what}` must be at least 1"))
        return False
    return True


def _paddings(need: Obligations, sizes: Shape, padding: object, strides: Sizes) -> Sizes | str | None:
    """Numbers, or "same"."""
    if not isinstance(padding, str):
        return each(need, "padding", padding, len(sizes))
    if padding == "valid":
        return (Dim.const(0),) * len(sizes)
    if padding == "same" and all(s == ONE for s in strides):
        return "same"
    need.fail(BadArgument("TL0306", f'`padding: "{padding}"` is not possible here', '"same" (only with stride 1), "valid", or numbers'))
    return None


@shape_function
def conv(need: Obligations, batch, channels, out, inner, sizes, kernel, stride, padding, dilation, groups) -> Shape | None:
    """[batch, channels, *sizes] under weights [out, channels / groups, *kernel]; without batch dims too."""
    n = len(kernel)
    if not _has_rank(need, batch, sizes, n) or not _channels(need, channels, inner, out, groups):
        return None
    strides, dilations = each(need, "stride", stride, n), each(need, "dilation", dilation, n)
    if strides is None or dilations is None or not _positive(need, "stride", strides) or not _positive(need, "dilation", dilations):
        return None
    pads = _paddings(need, sizes, padding, strides)
    if pads is None:
        return None
    if isinstance(pads, str):
        return (*batch, out, *sizes)
    return (*batch, out, *(_window(need, *row) for row in zip(sizes, kernel, strides, pads, dilations, strict=True)))


def _has_rank(need: Obligations, batch: Shape, sizes: Shape, n: int) -> bool:
    """Convolutions take at most one batch dim; `sizes` is what the signature names one by one."""
    if is_known(batch) and len(batch) > 1:
        need.fail(RankMismatch("the input", f"{n + 1} or {n + 2}", (*batch, Dim.fresh(), *sizes)))
        return False
    return True


def _channels(need: Obligations, channels: Dim, inner: Dim | None, out: Dim, groups: Dim | None) -> bool:
    if groups is None or inner is None:
        return True
    return equal(need, "the channels", channels, inner * groups) and divides(need, groups, out)


@shape_function
def conv1d(need: Obligations, batch, c, s, o, i, k, stride, padding, dilation, groups) -> Shape | None:
    return conv(need, batch, c, o, i, (s,), (k,), stride, padding, dilation, groups)


@shape_function
def conv2d(need: Obligations, batch, c, h, w, o, i, kh, kw, stride, padding, dilation, groups) -> Shape | None:
    return conv(need, batch, c, o, i, (h, w), (kh, kw), stride, padding, dilation, groups)


@shape_function
def conv3d(need: Obligations, batch, c, d, h, w, o, i, kd, kh, kw, stride, padding, dilation, groups) -> Shape | None:
    return conv(need, batch, c, o, i, (d, h, w), (kd, kh, kw), stride, padding, dilation, groups)


def _transposed(need: Obligations, batch, out, groups, sizes, kernel, settings: tuple) -> Shape | None:
    """[*batch, out * groups, *sizes], grown by what a convolution of such weights takes away."""
    n = len(sizes)
    names = ("stride", "padding", "output_padding", "dilation")
    rows = [each(need, name, value, n) for name, value in zip(names, settings, strict=True)]
    if not _has_rank(need, batch, sizes, n) or any(row is None for row in rows):
        return None
    strides, _, extras, dilations = (row or () for row in rows)
    if not _positive(need, "stride", strides) or not _positive(need, "dilation", dilations):
        return None
    if not _extras_fit(need, extras, strides, dilations):
        return None
    grown = [_grown(need, *row) for row in zip(sizes, kernel, *(row or () for row in rows), strict=True)]
    return (*batch, out * groups if groups is not None else Dim.fresh(), *grown)


def _extras_fit(need: Obligations, extras: Sizes, strides: Sizes, dilations: Sizes) -> bool:
    """PyTorch allows an output padding below the stride or the dilation."""
    for row in zip(extras, strides, dilations, strict=True):
        extra, stride, dilation = map(number, row)
        if extra is not None and stride is not None and dilation is not None and not 0 <= extra < max(stride, dilation):
            need.fail(BadArgument("TL0310", f"an output padding of {extra} is not below the stride {stride} or the dilation {dilation}"))
            return False
    return True


def _grown(need: Obligations, size: Dim, kernel: Dim, stride: Dim | None, pad: Dim | None, extra: Dim | None, dilation: Dim | None) -> Dim:
    if stride is None or pad is None or extra is None or dilation is None:
        return Dim.fresh()
    total = (size - 1) * stride - 2 * pad + dilation * (kernel - 1) + extra + 1
    need.require(Rel(">=", total, ONE), lambda _: EmptySlice("the result of the window", total), certain=True)
    return total


@shape_function
def conv_transpose1d(need: Obligations, batch, s, o, k, stride, padding, extra, groups, dilation) -> Shape | None:
    return _transposed(need, batch, o, groups, (s,), (k,), (stride, padding, extra, dilation))


@shape_function
def conv_transpose2d(need: Obligations, batch, h, w, o, kh, kw, stride, padding, extra, groups, dilation) -> Shape | None:
    return _transposed(need, batch, o, groups, (h, w), (kh, kw), (stride, padding, extra, dilation))


def _pooled(need: Obligations, n: int, shape: Shape, kernel, stride, padding, dilation, ceil_mode) -> Shape | None:
    """The last `n` axes under a window; the stride is the kernel unless given."""
    if not _has_pool_rank(need, n, shape) or not is_known(shape[len(shape) - n :]):
        return None
    steps = kernel if omitted(stride) else stride
    names = ("kernel_size", "stride", "padding", "dilation")
    rows = [each(need, name, value, n) for name, value in zip(names, (kernel, steps, padding, dilation), strict=True)]
    if any(row is None for row in rows) or not all(_positive(need, names[i], rows[i] or ()) for i in (0, 1, 3)):
        return None
    if not _pads_fit(need, rows[0] or (), rows[2] or (), rows[3] or ()):
        return None
    per_axis = zip(shape[len(shape) - n :], *(row or () for row in rows), strict=True)
    sizes = [_pool_size(need, size, k, s, p, d, ceil_mode) for size, k, s, p, d in per_axis]
    return (*shape[: len(shape) - n], *sizes)


def _has_pool_rank(need: Obligations, n: int, shape: Shape) -> bool:
    if is_known(shape) and len(shape) not in (n + 1, n + 2):
        need.fail(RankMismatch("the input", f"{n + 1} or {n + 2}", shape))
        return False
    return len(shape) >= n


def _pads_fit(need: Obligations, kernels: Sizes, pads: Sizes, dilations: Sizes) -> bool:
    """PyTorch allows a padding of at most half of the kernel."""
    for row in zip(kernels, pads, dilations, strict=True):
        kernel, pad, dilation = map(number, row)
        if kernel is not None and pad is not None and dilation is not None and not 0 <= 2 * pad <= kernel:
            need.fail(BadArgument("TL0310", f"a padding of {pad} is more than half of a kernel of {kernel}"))
            return False
    return True


def _pool_size(need: Obligations, size, kernel, stride, pad, dilation, ceil_mode) -> Dim:
    if ceil_mode is False:
        return _window(need, size, kernel, stride, pad, dilation)
    if ceil_mode is None or any(not isinstance(v, Dim) for v in (size, kernel, stride, pad, dilation)):
        return Dim.fresh()
    reach = dilation * (kernel - 1) + 1
    if need.holds(Rel(">=", stride, ONE)) and need.holds(Rel(">=", reach - pad, stride)):
        return _rounded_up(need, size + 2 * pad - reach, stride)  # the last window always starts inside the input
    known = [number(v) for v in (size, reach, stride, pad)]
    if any(v is None for v in known):
        return Dim.fresh()
    n, k, s, p = (v or 0 for v in known)
    out = -(-(n + 2 * p - k) // s) + 1
    out -= (out - 1) * s >= n + p  # a window starts inside the input or its left padding
    if out < 1:
        need.fail(EmptySlice("the result of the window", Dim.const(out)))
    return Dim.const(out)


def _rounded_up(need: Obligations, room: Dim, stride: Dim) -> Dim:
    """Windows with room to move by `room`, one that hangs over the end included."""
    result = (room + stride - 1).floor_div(stride) + 1
    need.require(Rel(">=", result, ONE), lambda _: EmptySlice("the result of the window", result), certain=True)
    return result


@shape_function
def pool1d(need: Obligations, shape, kernel, stride, padding, dilation, ceil_mode) -> Shape | None:
    return _pooled(need, 1, shape, kernel, stride, padding, dilation, ceil_mode)


@shape_function
def pool2d(need: Obligations, shape, kernel, stride, padding, dilation, ceil_mode) -> Shape | None:
    return _pooled(need, 2, shape, kernel, stride, padding, dilation, ceil_mode)


@shape_function
def mean_pool1d(need: Obligations, shape, kernel, stride, padding, ceil_mode) -> Shape | None:
    return _pooled(need, 1, shape, kernel, stride, padding, ONE, ceil_mode)


@shape_function
def mean_pool2d(need: Obligations, shape, kernel, stride, padding, ceil_mode) -> Shape | None:
    return _pooled(need, 2, shape, kernel, stride, padding, ONE, ceil_mode)


def adapted(need: Obligations, n: int, shape: Shape, sizes: object) -> Shape | None:
    if not _has_pool_rank(need, n, shape) or not is_known(shape[len(shape) - n :]):
        return None
    if isinstance(sizes, tuple) and len(sizes) != n:
        need.fail(BadArgument("TL0306", f"`output_size` is an int or a list of {n} ints, not a list of {len(sizes)}"))
        return None
    wanted = each(need, "output_size", sizes, n)
    return None if wanted is None else (*shape[: len(shape) - n], *map(known_or_fresh, wanted))


@shape_function
def adaptive1d(need: Obligations, shape, sizes) -> Shape | None:
    return adapted(need, 1, shape, sizes)


@shape_function
def adaptive2d(need: Obligations, shape, sizes) -> Shape | None:
    return adapted(need, 2, shape, sizes)


@shape_function
def pad(need: Obligations, shape: Shape, pads: object, mode: object, value: object = 0.0) -> Shape | None:
    """Pairs (before, after) from the last axis on; negative ones crop."""
    if mode in PADDING_MODES[1:] and value not in (0.0, None):
        need.fail(BadArgument("TL0306", f'a padding `mode: "{mode}"` takes no `value`'))
        return None
    if mode is not None and mode not in PADDING_MODES:
        need.fail(BadArgument("TL0306", f'there is no padding mode "{mode}"', f"one of {', '.join(PADDING_MODES)}"))
        return None
    if not isinstance(pads, tuple):
        return None
    if len(pads) % 2 or (is_known(shape) and len(pads) > 2 * len(shape)):
        need.fail(BadArgument("TL0304", f"`pad` takes pairs (before, after), at most one per axis, not {len(pads)} numbers"))
        return None
    axes = len(pads) // 2
    tail = shape[len(shape) - axes :]
    if not is_known(tail):
        return None
    if mode != "constant" and not _reflects(need, shape, pads, mode):
        return None
    least = ONE if mode in ("reflect", "replicate") and axes == 1 else Dim.const(0)  # PyTorch looks at the sizes of one axis
    grown = [_padded(need, size, pads[2 * i], pads[2 * i + 1], least) for i, size in enumerate(reversed(tail))]
    return (*shape[: len(shape) - axes], *reversed(grown))


def _reflects(need: Obligations, shape: Shape, pads: tuple, mode: object) -> bool:
    """What PyTorch asks of the modes that repeat elements: one to three axes below channels, each long enough."""
    axes = len(pads) // 2
    if is_known(shape) and not (1 <= axes <= 3 and len(shape) in (axes + 1, axes + 2)):
        need.fail(RankMismatch(f"the input of `pad` for {axes} axes with a mode", f"{axes + 1} or {axes + 2}", shape))
        return False
    limit = {"reflect": 1, "circular": 0}.get(str(mode))
    for i, pad in enumerate(pads):
        size = shape[len(shape) - 1 - i // 2]
        if limit is not None and pad is not None and isinstance(size, Dim):
            too_long = BadArgument("TL0310", f'with `mode: "{mode}"` a padding of {pad} is too long for an axis of {size}')
            need.require(Rel("<=", pad + limit, size), lambda _, said=too_long: said, certain=True)
    return not need.mistakes


def _padded(need: Obligations, size: object, before: Dim | None, after: Dim | None, least: Dim) -> Dim:
    if not isinstance(size, Dim) or before is None or after is None:
        return Dim.fresh()
    total = size + before + after
    for cut in (before, after):
        other = after if cut is before else before
        kept = size + cut + (other if other.value is not None and other.value < 0 else 0)
        need.require(Rel(">=", kept, Dim.const(0)), lambda _, kept=kept: EmptySlice("what is left of the axis", kept), certain=True)
    need.require(Rel(">=", total, least), lambda _: EmptySlice("the padded axis", total), certain=True)
    return total


@shape_function
def unfold(need: Obligations, shape: Shape, dim: Dim | None, size: Dim | None, step: Dim | None) -> Shape | None:
    """Windows of one axis; their contents become the last axis."""
    if not _positive(need, "step", (step,)):
        return None
    if shape == () and number(dim) in (0, -1):
        need.require(Rel("<=", known_or_fresh(size), ONE), lambda _: EmptySlice("the result of the window", ONE), certain=True)
        return (known_or_fresh(size),)
    position = axis_of(shape, dim, need)
    if position is None:
        return None
    windows = _window(need, shape[position], size, step, Dim.const(0), ONE)
    return (*replaced(shape, position, windows), known_or_fresh(size))


@shape_function
def counted(need: Obligations, start: Dim | None, end: Dim | None, step: Dim | None) -> Shape | None:
    """One axis of `ceil((end - start) / step)` elements: arange."""
    if start is None or end is None or step is None:
        return (Dim.fresh(),)
    if step.value == 0:
        need.fail(BadArgument("TL0310", "the step of `arange` must not be 0"))
        return None
    negative = step.value is not None and step.value < 0
    length = (start - end).ceil_div(-step) if negative else (end - start).ceil_div(step)
    way = start - end if negative else end - start
    need.require(Rel(">=", way, Dim.const(0)), lambda _: EmptySlice("the range", way), certain=True)
    return (length,)
