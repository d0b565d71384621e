"""A line chart as SVG: axes with round numbers, a legend, one line for each curve."""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tensorlogic.cli.curves import Curve

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 48
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf")
ROW = 18
Range = tuple[float, float]


def chart(curves: Sequence[Curve], logarithmic: bool = False) -> str:
    """The picture of the curves: loss over steps. With `logarithmic` all losses must be above 0."""
    steps = _bounds([step for curve in curves for step, _ in curve.points])
    losses = _bounds([_scaled(loss, logarithmic) for curve in curves for _, loss in curve.points], 0.04)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_axes(steps, losses, logarithmic),
        *(_line(curve, number, steps, losses, logarithmic) for number, curve in enumerate(curves)),
        *_legend(curves),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers between two: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 10)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def powers(low: float, high: float) -> list[float]:
    """The logarithms of round numbers between two logarithms: powers of ten, and where these are few, 2 and 5 times them."""
    whole = range(math.floor(low), math.ceil(high) + 1)
    found = [math.log10(factor) + power for power in whole for factor in ((1, 2, 5) if len(whole) < 5 else (1,))]
    inside = [place for place in found if low <= place <= high]
    return inside if len(inside) > 1 else ticks(low, high)


def _scaled(loss: float, logarithmic: bool) -> float:
    return math.log10(loss) if logarithmic else loss


def _bounds(values: list[float], margin: float = 0.0) -> Range:
    """The range of an axis, never empty."""
    low, high = min(values), max(values)
    room = (high - low) * margin
    return (low - room, high + room) if high > low else (low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2)


def _across(step: float, steps: Range) -> float:
    return LEFT + (step - steps[0]) / (steps[1] - steps[0]) * (WIDTH - LEFT - RIGHT)


def _down(height: float, losses: Range) -> float:
    return TOP + (losses[1] - height) / (losses[1] - losses[0]) * (HEIGHT - TOP - BOTTOM)


def _axes(steps: Range, losses: Range, logarithmic: bool) -> list[str]:
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    found = []
    for height in powers(*losses) if logarithmic else ticks(*losses):
        y, text = _down(height, losses), _number(10**height if logarithmic else height)
        found.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        found.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for step in ticks(*steps):
        x = _across(step, steps)
        found.append(f'<path d="M{x:.1f} {floor}v5" stroke="#333"/>')
        found.append(f'<text x="{x:.1f}" y="{floor + 20}" text-anchor="middle">{_number(step)}</text>')
    middle = (TOP + floor) / 2
    return [
        *found,
        f'<path d="M{LEFT} {TOP}V{floor}H{right}" fill="none" stroke="#333"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle">step</text>',
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">loss</text>',
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def _line(curve: Curve, number: int, steps: Range, losses: Range, logarithmic: bool) -> str:
    colour = COLOURS[number % len(COLOURS)]
    places = [(_across(step, steps), _down(_scaled(loss, logarithmic), losses)) for step, loss in curve.points]
    if len(places) == 1:
        return f'<circle cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="3" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"/>'


def _legend(curves: Sequence[Curve]) -> list[str]:
    x = WIDTH - RIGHT - 28
    found = []
    for number, curve in enumerate(curves):
        y = TOP + 14 + number * ROW
        found.append(f'<path d="M{x} {y}h20" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3"/>')
        found.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{escape(_printable(curve.name))}</text>')
    return found


def _printable(name: str) -> str:
    """What XML can hold of a name."""
    return "".join(c if c.isprintable() else "?" for c in name)
