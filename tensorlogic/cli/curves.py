"""The curves in a training log: what `learn` wrote, line by line."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats import FormatError
from tensorlogic.formats.files import located, opened

MAX_BYTES = 1 << 30
MAX_POINTS = 2000  # more would not be seen
NAMES = {"loss": "training", "validation": "validation"}


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (step, loss), in the order of the steps."""

    name: str
    points: tuple[tuple[float, float], ...]


def curves_of(paths: Sequence[str]) -> list[Curve]:
    """The training and validation curves of logs, by file where there are several. TL0604 with file and line, TL0606 for no file."""
    found = []
    for path in paths:
        prefix = f"{_short(path, paths)}: " if len(paths) > 1 else ""
        series = _series(path)
        if not any(series.values()):
            raise _refused(path, None, "has no losses to draw")
        found += [Curve(prefix + NAMES[key], _thinned(points)) for key, points in series.items() if points]
    return found


def _short(path: str, paths: Sequence[str]) -> str:
    """The name of a file without its folder and suffix, where that tells it from the others."""
    name = os.path.splitext(os.path.basename(path))[0]
    return name if sum(os.path.splitext(os.path.basename(other))[0] == name for other in paths) == 1 else path


def _series(path: str) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = {key: [] for key in NAMES}
    lines = _text(path).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        entry = _entry(path, number, line, number == len(lines))
        for key, points in series.items():
            step, loss = _number(entry.get("step")), _number(entry.get(key))
            if step is not None and loss is not None:
                points.append((step, loss))
    return series


def _entry(path: str, number: int, line: str, last: bool) -> dict:
    """One line of a log. The last may be cut off: the training runs, or was killed."""
    try:
        entry = json.loads(line) if len(line) < 1 << 20 else None
    except (ValueError, RecursionError):
        entry = {} if last else None
    if not isinstance(entry, dict):
        raise _refused(path, number, "is not a line of a training log: one JSON object")
    return entry


def _number(value: object) -> float | None:
    """A finite number of a plausible size."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else None


def _thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """At most `MAX_POINTS` points: of more, means of neighbours."""
    size = -(-len(points) // MAX_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return tuple((group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups)


def _text(path: str) -> str:
    try:
        with located(path), opened(path) as (descriptor, size):
            if size > MAX_BYTES:
                raise FormatError("TL0604", path, f"has {size:,} bytes; the limit is {MAX_BYTES:,}")
            with os.fdopen(os.dup(descriptor), encoding="utf-8", errors="replace") as file:
                return file.read()
    except FormatError as problem:
        raise TensorLogicError(problem.diagnostic()) from None


def _refused(path: str, line: int | None, reason: str) -> TensorLogicError:
    return TensorLogicError(FormatError("TL0604", path if line is None else f"{path}:{line}", reason).diagnostic())
