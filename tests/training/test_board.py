"""The log that TensorBoard reads, read by TensorBoard itself. Only where it is installed."""

from pathlib import Path

import pytest

from tests.training import programs
from tests.training.conftest import lines
from tests.training.forked import outcomes, tlc

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def series(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of each series, as TensorBoard shows them: what a later run wrote anew replaces what it took back."""
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    return {name: [(event.step, event.value) for event in read.Scalars(name)] for name in read.Tags()["scalars"]}


def test_the_events_are_those_of_the_file(tmp_path: Path) -> None:
    """One run logs to a file, the other to a folder, and is stopped on its way: TensorBoard shows the same numbers once each."""
    plain = programs.write(tmp_path / "plain", "text")
    shown = programs.write(tmp_path / "shown", "text", programs.TEXT.replace('"log.jsonl"', '"runs/a/"'))
    first = tlc(plain, "run", "p.tl", "--seed", "7")
    killed = tlc(shown, "run", "p.tl", "--seed", "7", when=("step", 6), number=9)
    codes = [code for code, _, _ in outcomes(first, killed, tlc(shown, "run", "p.tl"))]
    assert codes == [0, -9, 0]
    found = series(shown / "runs" / "a")
    entries = lines(plain / "log.jsonl")
    for name in ("loss", "lr", "validation"):
        wanted = [(entry["step"], entry[name]) for entry in entries if name in entry]
        assert [step for step, _ in found[name]] == [step for step, _ in wanted], name
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in wanted], rel=1e-6), name
