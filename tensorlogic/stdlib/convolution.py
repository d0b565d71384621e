"""Builtins that slide a window: convolution, pooling, resampling. One number is meant for every axis; a list gives one for each."""

from tensorlogic.stdlib.costs import COPY, Cost, each, over, product, window1d, window2d
from tensorlogic.stdlib.lazy import torch
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.shapes_base import argument
from tensorlogic.types.shapes_resample import interpolate as resampled_shape
from tensorlogic.types.types import List, Tensor, Type

_WINDOW = "stride: any = 1, padding: any = 0, dilation: any = 1, groups: int = 1"
_GROWN = "stride: any = 1, padding: any = 0, output_padding: any = 0, groups: int = 1, dilation: any = 1"
_POOL = "kernel_size: any, stride: any = none, padding: any = 0"


@builtin(
    f"conv1d<T: float>(x: T[...B, C, S], w: T[O, I, K], b: T[O] = none, {_WINDOW})"
    " -> T[...conv1d(B, C, S, O, I, K, stride, padding, dilation, groups)]",
    cost=product("2 * result * I * K", keeps="x w"),
)
def conv1d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over one axis. See torch.nn.functional.conv1d."""
    return torch.nn.functional.conv1d(x, w, bias=b, stride=stride, padding=padding, dilation=dilation, groups=groups)


@builtin(
    f"conv2d<T: float>(x: T[...B, C, H, W], w: T[O, I, KH, KW], b: T[O] = none, {_WINDOW})"
    " -> T[...conv2d(B, C, H, W, O, I, KH, KW, stride, padding, dilation, groups)]",
    cost=product("2 * result * I * KH * KW", keeps="x w"),
)
def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over two axes. See torch.nn.functional.conv2d."""
    return torch.nn.functional.conv2d(x, w, bias=b, stride=stride, padding=padding, dilation=dilation, groups=groups)


@builtin(
    f"conv3d<T: float>(x: T[...B, C, D, H, W], w: T[O, I, KD, KH, KW], b: T[O] = none, {_WINDOW})"
    " -> T[...conv3d(B, C, D, H, W, O, I, KD, KH, KW, stride, padding, dilation, groups)]",
    cost=product("2 * result * I * KD * KH * KW", keeps="x w"),
)
def conv3d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over three axes. See torch.nn.functional.conv3d."""
    return torch.nn.functional.conv3d(x, w, bias=b, stride=stride, padding=padding, dilation=dilation, groups=groups)


@builtin(
    f"conv_transpose1d<T: float>(x: T[...B, C, S], w: T[C, O, K], b: T[O * groups] = none, {_GROWN})"
    " -> T[...conv_transpose1d(B, S, O, K, stride, padding, output_padding, groups, dilation)] where groups >= 1, C % groups == 0",
    cost=product("2 * x * O * K", keeps="x w"),
)
def conv_transpose1d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of a convolution over one axis. See torch.nn.functional.conv_transpose1d."""
    return torch.nn.functional.conv_transpose1d(
        x, w, bias=b, stride=stride, padding=padding, output_padding=output_padding, groups=groups, dilation=dilation
    )


@builtin(
    f"conv_transpose2d<T: float>(x: T[...B, C, H, W], w: T[C, O, KH, KW], b: T[O * groups] = none, {_GROWN})"
    " -> T[...conv_transpose2d(B, H, W, O, KH, KW, stride, padding, output_padding, groups, dilation)]"
    " where groups >= 1, C % groups == 0",
    cost=product("2 * x * O * KH * KW", keeps="x w"),
)
def conv_transpose2d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of a convolution over two axes. See torch.nn.functional.conv_transpose2d."""
    return torch.nn.functional.conv_transpose2d(
        x, w, bias=b, stride=stride, padding=padding, output_padding=output_padding, groups=groups, dilation=dilation
    )


@builtin(
    f"max_pool1d<T: float>(x: T[...S], {_POOL}, dilation: any = 1, ceil_mode: bool = false)"
    " -> T[...pool1d(S, kernel_size, stride, padding, dilation, ceil_mode)]",
    cost=Cost(window1d, extra="result * 8"),
)
def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest element under a window. See torch.nn.functional.max_pool1d."""
    return torch.nn.functional.max_pool1d(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


@builtin(
    f"max_pool2d<T: float>(x: T[...S], {_POOL}, dilation: any = 1, ceil_mode: bool = false)"
    " -> T[...pool2d(S, kernel_size, stride, padding, dilation, ceil_mode)]",
    cost=Cost(window2d, extra="result * 8"),
)
def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest element under a window. See torch.nn.functional.max_pool2d."""
    return torch.nn.functional.max_pool2d(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


@builtin(
    f"avg_pool1d<T: float>(x: T[...S], {_POOL}, ceil_mode: bool = false, count_include_pad: bool = true)"
    " -> T[...mean_pool1d(S, kernel_size, stride, padding, ceil_mode)]",
    cost=Cost(window1d),
)
def avg_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean under a window. See torch.nn.functional.avg_pool1d."""
    return torch.nn.functional.avg_pool1d(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad
    )


@builtin(
    f"avg_pool2d<T: float>(x: T[...S], {_POOL}, ceil_mode: bool = false, count_include_pad: bool = true)"
    " -> T[...mean_pool2d(S, kernel_size, stride, padding, ceil_mode)]",
    cost=Cost(window2d),
)
def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean under a window. See torch.nn.functional.avg_pool2d."""
    return torch.nn.functional.avg_pool2d(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad
    )


@builtin("adaptive_avg_pool1d<T: float>(x: T[...S], output_size: any) -> T[...adaptive1d(S, output_size)]", cost=over("x"))
def adaptive_avg_pool1d(x, output_size):
    """Means over as many windows as asked for. See torch.nn.functional.adaptive_avg_pool1d."""
    return torch.nn.functional.adaptive_avg_pool1d(x, output_size)


@builtin("adaptive_avg_pool2d<T: float>(x: T[...S], output_size: any) -> T[...adaptive2d(S, output_size)]", cost=over("x"))
def adaptive_avg_pool2d(x, output_size):
    """Means over as many windows as asked for. See torch.nn.functional.adaptive_avg_pool2d."""
    return torch.nn.functional.adaptive_avg_pool2d(x, output_size)


@builtin(
    "adaptive_max_pool2d<T: float>(x: T[...S], output_size: any) -> T[...adaptive2d(S, output_size)]", cost=over("x", extra="result * 8")
)
def adaptive_max_pool2d(x, output_size):
    """The largest elements of as many windows as asked for. See torch.nn.functional.adaptive_max_pool2d."""
    return torch.nn.functional.adaptive_max_pool2d(x, output_size)


def _resampled(call) -> Type | None:
    """A list of factors has as many results as it has known factors."""
    x, factors = call.types["x"], call.types["scale_factor"]
    if not isinstance(x, Tensor) or not isinstance(factors, List):
        return call.result
    settings = (argument(call.types[name]) for name in ("size", "scale_factor", "mode", "align_corners"))
    shape = resampled_shape(call.need, x.shape, *settings)
    return Tensor(x.dtype, shape) if shape is not None else call.result


@builtin(
    'interpolate<T: float>(x: T[...S], size: any = none, scale_factor: any = none, mode: string = "nearest", align_corners: bool = none)'
    " -> T[...interpolate(S, size, scale_factor, mode, align_corners)]",
    infer=_resampled,
    cost=each(4, keeps=""),
)
def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """Resampled to a size or by a factor. See torch.nn.functional.interpolate."""
    return torch.nn.functional.interpolate(x, size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners)


@builtin(
    "pixel_shuffle<T: float>(x: T[...B, C, H, W], r: int) -> T[...B, C / (r * r), H * r, W * r] where r >= 1, C % (r * r) == 0", cost=COPY
)
def pixel_shuffle(x, r):
    """Channels become a finer grid. See torch.nn.functional.pixel_shuffle."""
    return torch.nn.functional.pixel_shuffle(x, r)
