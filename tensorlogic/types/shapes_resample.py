"""The shape rule of resampling: sizes or factors, and what each mode asks of them."""

from math import floor

from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import BadArgument, EmptySlice, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import ONE, is_known, omitted, shape_function
from tensorlogic.types.shapes_windows import adapted
from tensorlogic.types.types import Shape

MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
ALIGNED = ("linear", "bilinear", "bicubic", "trilinear")


@shape_function
def interpolate(need: Obligations, shape: Shape, sizes: object, scale: object, mode: object, aligned: object) -> Shape | None:
    """[N, C, *sizes] resampled to given sizes or by a factor."""
    if not is_known(shape):
        return None
    n = len(shape) - 2
    if not 1 <= n <= 3:
        need.fail(RankMismatch("the input of `interpolate`", "3, 4 or 5", shape))
        return None
    if omitted(sizes) == omitted(scale):
        need.fail(BadArgument("TL0307", "`interpolate` needs either `size` or `scale_factor`"))
        return None
    if not _mode_fits(need, n, mode, aligned):
        return None
    found = _scaled_all(need, shape, scale) if omitted(sizes) else adapted(need, n, shape, sizes)
    for size in (*shape[2:], *(found or ())[2:]):
        if isinstance(size, Dim):
            need.require(Rel(">=", size, ONE), lambda _, size=size: EmptySlice("a size to resample", size), certain=True)
    return found if not need.mistakes else None


def _mode_fits(need: Obligations, n: int, mode: object, aligned: object) -> bool:
    if mode is None:
        return True
    if n not in MODES.get(str(mode), ()):
        fit = [name for name, axes in MODES.items() if n in axes]
        need.fail(BadArgument("TL0306", f'`mode: "{mode}"` does not resample {n} axes', f"one of {', '.join(fit)}"))
    elif isinstance(aligned, bool) and mode not in ALIGNED:
        need.fail(BadArgument("TL0306", f'`mode: "{mode}"` takes no `align_corners`'))
    return not need.mistakes


def _scaled_all(need: Obligations, shape: Shape, scale: object) -> Shape | None:
    n = len(shape) - 2
    if isinstance(scale, tuple) and len(scale) != n:
        need.fail(BadArgument("TL0306", f"`scale_factor` is a number or a list of {n} numbers, not a list of {len(scale)}"))
        return None
    factors = scale if isinstance(scale, tuple) else (scale,) * n
    return (*shape[:2], *(_scaled(size, factor) for size, factor in zip(shape[2:], factors, strict=False)))


def _scaled(size: object, factor: object) -> Dim:
    if isinstance(size, Dim) and isinstance(factor, Dim):
        return size * factor
    if not isinstance(factor, float) or not isinstance(size, Dim):
        return Dim.fresh()
    if size.value is not None:
        return Dim.const(floor(size.value * factor))
    return size * int(factor) if factor.is_integer() else Dim.fresh()
