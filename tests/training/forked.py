"""Runs of the command `tlc`, each in a fork of one process that has imported PyTorch already, and signals in the middle of them.

`python -m tests.training.forked` reads lines that are JSON lists of runs `[folder, arguments, when, signal]`, and answers each by the list
of their `[exit code, stdout, stderr]`. `when` says when the process sends itself the signal: `["step", 5]` just before the fifth step of an
optimizer, `["file", 40]` at the fortieth change of a file or folder, `["half", 12]` in the middle of the twelfth write, null never;
`["disk", 2000]` is a disk that takes no more than 2000 bytes of a file.
The parent computes nothing: a fork of a process that does may wait for threads that it has not.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHANGES = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree"}
Run = tuple[Path, list[str], tuple[str, int] | None, int]
Done = tuple[int, str, str]


def tlc(folder: Path, *arguments: str, when: tuple[str, int] | None = None, number: int = 0) -> Run:
    return folder, [*arguments], when, number


def outcomes(*runs: Run) -> list[Done]:
    """(exit code, stdout, stderr) of each run, one after the other."""
    process = server()
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps([[str(folder), *rest] for folder, *rest in runs]) + "\n")
    process.stdin.flush()
    return [(code, out, err) for code, out, err in json.loads(process.stdout.readline())]


@cache
def server() -> subprocess.Popen[str]:
    """One process for all tests; it ends with them, as its input does."""
    command = [sys.executable, "-m", "tests.training.forked"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# --- in the process of the runs --------------------------------------------------------------------------------------


def run(folder: str, arguments: list[str], when: list | None, number: int) -> list[Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            command(folder, arguments, when, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = [file.seek(0) or file.read().decode() for file in (out, err)]
    return [code, *texts]


def command(folder: str, arguments: list[str], when: list | None, number: int) -> None:
    """What the console script does, in `folder`."""
    from tensorlogic.cli.main import main

    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["tlc", *arguments]
    code = 71
    try:
        if when is not None:
            {"step": at_step, "file": at_change, "half": at_write, "disk": small_disk}[when[0]](when[1], number)
        code = main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Countdown:
    """Sends this process a signal when it is called for the `count`-th time."""

    def __init__(self, count: int, number: int) -> None:
        self.left, self.number = count, number

    def __call__(self, *ignored: Any) -> None:
        if self.due():
            os.kill(os.getpid(), self.number)

    def due(self) -> bool:
        self.left -= 1
        return self.left == 0


def at_step(count: int, number: int) -> None:
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    register_optimizer_step_pre_hook(Countdown(count, number))


def at_change(count: int, number: int) -> None:
    """Files are opened, made, renamed and removed through Python, which says so before it does it."""
    countdown, here = Countdown(count, number), os.getcwd()

    def note(event: str, details: tuple) -> None:
        if event in CHANGES and isinstance(details[0], str) and os.path.abspath(details[0]).startswith(here):
            countdown()

    sys.addaudithook(note)


def at_write(count: int, number: int) -> None:
    """Half of the bytes are there."""
    countdown, write = Countdown(count, number), os.write

    def torn(descriptor: int, data: Any) -> int:
        if countdown.due():
            write(descriptor, data[: len(data) // 2])
            os.kill(os.getpid(), number)
        return write(descriptor, data)

    os.write = torn


def small_disk(size: int, number: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def warm_up() -> None:
    """What every run needs, once for all: modules, the tables of the parser, the signatures of the builtins. Nothing is computed."""
    import torch._dynamo  # noqa: F401 - what an optimizer imports at its first step

    import tensorlogic as tl
    import tensorlogic.cli.run
    from tests.training import programs

    for text in programs.PROGRAMS.values():
        tl.compile(text)


if __name__ == "__main__":
    warm_up()
    for line in sys.stdin:
        print(json.dumps([run(*asked) for asked in json.loads(line)]), flush=True)
