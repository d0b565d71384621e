"""What a person sees on a terminal while a program learns, and what Ctrl-C there does; a pipe sees nothing."""

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tensorlogic.runtime.training.progress import fitted

PROGRAM = """
const STEPS = 100000
let ids = arange(36) % 5
model M() {
    e: Embedding(5, 5)
    fn forward(ids: int64[B, T]) -> f32[B, T, 5] { return e(ids) }
}
main {
    let m = M()
    learn batch in batches(windows(ids, length: 4), size: 2, shuffle: true) {
        objective: cross_entropy(m(batch.inputs), batch.targets)
        optimizer: adamw(lr: 1e-3), steps: STEPS
        validate: every(2, || 1.25), checkpoint: every(100000, "ck"), log: "log.jsonl"
    }
}
"""
LINE = re.compile(r"[█░]{24}  \d+/100000  loss \d\.\d{4}  lr 1\.00e-03(  val 1\.2500)?  [\d,]+ tokens/s  (\d+:)?\d+:\d\d left")


class Terminal:
    """`tlc run` with its stderr on a terminal that is so many columns wide."""

    def __init__(self, folder: Path, columns: int) -> None:
        (folder / "p.tl").write_text(PROGRAM)
        self.master, slave = os.openpty()
        self.resize(columns)
        command = [sys.executable, "-m", "tensorlogic", "run", "p.tl"]
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=slave, stderr=slave, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=lambda: take(slave)
        )
        os.close(slave)

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def wait(self, enough: Callable[[str], bool]) -> str:
        """What came since the last look, as soon as it is enough, or the process has ended."""
        end = time.monotonic() + 60
        found = ""
        while not enough(found) and time.monotonic() < end:
            if select.select([self.master], [], [], 1)[0]:
                try:
                    found += os.read(self.master, 4096).decode()
                except OSError:  # the other end is closed
                    break
        return found

    def press(self, key: bytes) -> None:
        os.write(self.master, key)


def take(slave: int) -> None:
    """Make it the terminal of the new session, so that its keys become signals."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def frames(text: str) -> list[str]:
    """The lines written over each other; between them nothing but what goes back to the beginning and clears it."""
    return [frame for frame in text.split("\r\x1b[2K") if frame]


def enough(count: int) -> Callable[[str], bool]:
    return lambda text: text.count("\r\x1b[2K") > count


def test_a_terminal_shows_all_of_it_and_ctrl_c_saves(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, 120)
    shown = frames(terminal.wait(enough(4)))[:-1]
    assert shown and all(LINE.fullmatch(frame) for frame in shown), shown
    for columns in (20, 45):
        terminal.resize(columns)
        narrow = frames(terminal.wait(enough(4)))[2:-1]
        assert narrow and all(len(frame) < columns and frame.isprintable() for frame in narrow), narrow
    terminal.resize(120)
    terminal.press(b"\x03")
    said = terminal.wait(lambda text: False)
    assert terminal.process.wait(30) == 130 and "Traceback" not in said
    assert "stopping after this step (Ctrl-C again: at once)" in said
    [(step, place)] = re.findall(r"stopped after step (\d+); it goes on from (\S+) with `resume: auto`", said)
    assert [path.name for path in (tmp_path / "ck").iterdir()] == [Path(place).name] == [f"step-{int(step):08d}"]
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == int(step)


def test_a_pipe_sees_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.tl").write_text(PROGRAM)
    command = [sys.executable, "-m", "tensorlogic", "run", "p.tl", "--set", "STEPS=500"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (60, "[##]  1/20  loss 0.5  lr 1e-3  9 samples/s  0:10 left"),
        (52, "1/20  loss 0.5  lr 1e-3  9 samples/s  0:10 left"),
        (40, "1/20  loss 0.5  lr 1e-3  9 samples/s"),
        (20, "1/20  loss 0.5"),
        (3, "1/2"),
        (0, ""),
        (-1, ""),
    ],
)
def test_what_fits(columns: int, shown: str) -> None:
    assert fitted(["[##]", "1/20", "loss 0.5", "lr 1e-3", "9 samples/s", "0:10 left"], columns) == shown
