"""`tlc plot`: the loss curves of training logs as a picture."""

import argparse
import io
import os
from collections.abc import Sequence

from tensorlogic.cli.curves import Curve, curves_of
from tensorlogic.cli.svg import COLOURS, HEIGHT, WIDTH, chart
from tensorlogic.cli.usage import UsageError
from tensorlogic.write import replace_behind

NO_MATPLOTLIB = "a .png needs matplotlib, which is not installed: `python -m pip install matplotlib`, or write a .svg, which needs nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logs", nargs="+", metavar="LOG", help="what `learn` logged, as metrics.jsonl; several are drawn over each other")
    parser.add_argument("-o", dest="output", required=True, metavar="PICTURE", help="a .svg; a .png where matplotlib is installed")
    parser.add_argument("--log-scale", action="store_true", help="a logarithmic axis for the loss")


def execute(options: argparse.Namespace) -> int:
    draw = {".svg": _svg, ".png": _png}.get(os.path.splitext(options.output)[1].lower())
    if draw is None:
        raise UsageError(f"-o takes a .svg or a .png, not {options.output!r}")
    curves = curves_of(options.logs)
    if options.log_scale and any(loss <= 0 for curve in curves for _, loss in curve.points):
        raise UsageError("--log-scale needs losses above 0")
    content = draw(curves, options.log_scale)
    try:
        replace_behind(options.output, content)
    except OSError as problem:
        raise UsageError(f"{options.output} cannot be written: {problem.strerror or problem}") from None
    return 0


def _svg(curves: Sequence[Curve], logarithmic: bool) -> bytes:
    return chart(curves, logarithmic).encode()


def _png(curves: Sequence[Curve], logarithmic: bool) -> bytes:
    try:
        from matplotlib.figure import Figure  # type: ignore[import-not-found]  # only here, and only where it is
    except ImportError:
        raise UsageError(NO_MATPLOTLIB) from None
    axes = (figure := Figure((WIDTH / 100, HEIGHT / 100))).subplots()
    for number, curve in enumerate(curves):
        axes.plot(*zip(*curve.points, strict=True), label=curve.name, color=COLOURS[number % len(COLOURS)])
    axes.set(xlabel="step", ylabel="loss", yscale="log" if logarithmic else "linear")
    axes.legend(frameon=False)
    figure.savefig(content := io.BytesIO(), format="png", dpi=200)
    return content.getvalue()
