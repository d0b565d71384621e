"""`tlc run --nproc N`: the same command in N processes that work together."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from tensorlogic.cli.usage import UsageError

GRACE = 5.0  # seconds that the others have once one has failed
PER_CORE = 8  # processes: each takes some hundred megabytes before it computes anything
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def launch(arguments: list[str], processes: int) -> int:
    """Runs `tlc` with these arguments in each process; the first one's output is the program's. The exit code of what failed first."""
    cores = os.cpu_count() or 1
    if processes > PER_CORE * cores:
        raise UsageError(f"--nproc {processes}: at most {PER_CORE * cores} processes on a machine with {cores} cores")
    port, running = _free_port(), []
    logs: list[IO[bytes] | None] = []
    try:
        with _signals_passed_on(running):
            for rank in range(processes):
                log = tempfile.TemporaryFile() if rank else None  # noqa: SIM115 - read when the process has failed
                logs.append(log)
                running.append(_started(arguments, _environment(rank, processes, port), log))
            return _wait(running, logs)
    finally:
        for process in running:
            process.kill()


def _started(arguments: list[str], environment: dict[str, str], log: IO[bytes] | None) -> subprocess.Popen:
    """In a process group of its own: Ctrl-C comes to it once, from here."""
    command = [sys.executable, "-m", "tensorlogic", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL if log else None, stderr=log, process_group=0)


@contextmanager
def _signals_passed_on(running: list[subprocess.Popen]) -> Iterator[None]:
    """What is to end this process ends the others, which may save something first; then this one ends as they did."""

    def pass_on(number: int, frame: object) -> None:
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment(rank: int, processes: int, port: int) -> dict[str, str]:
    threads = max(1, (os.cpu_count() or 1) // processes)
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return {"OMP_NUM_THREADS": str(threads), **os.environ, **place}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait(running: list[subprocess.Popen], logs: list[IO[bytes] | None]) -> int:
    """0 when all are done; the code of the first that fails, after the others were stopped."""
    while True:
        codes = [process.poll() for process in running]
        if any(codes):
            return _failed(_first_failed(codes), running, logs)
        if all(code == 0 for code in codes):
            return 0
        time.sleep(0.05)


def _first_failed(codes: list[int | None]) -> int:
    """One that was killed: the others may have failed because of it. Otherwise the first."""
    killed = next((rank for rank, code in enumerate(codes) if code is not None and code < 0), None)
    return killed if killed is not None else next(rank for rank, code in enumerate(codes) if code)


def _failed(rank: int, running: list[subprocess.Popen], logs: list[IO[bytes] | None]) -> int:
    """Say why it ended, where the first process, whose messages are seen, has not; its exit code."""
    own = running[0].poll()
    _stop(running)
    code = running[rank].returncode
    if code < 0:
        print(f"tlc: process {rank} of {len(running)} was killed ({signal.Signals(-code).name}); the others were stopped", file=sys.stderr)
        return 128 - code
    if not own:
        _show(logs[rank])
    return code


def _stop(running: list[subprocess.Popen]) -> None:
    """Those that wait for one that failed do not end by themselves; one that fails for the same reason may still say so."""
    end = time.monotonic() + GRACE
    while time.monotonic() < end and any(process.poll() is None for process in running):
        time.sleep(0.05)
    for process in running:
        process.kill()
    for process in running:
        process.wait()


def _show(log: IO[bytes] | None) -> None:
    if log is not None:
        log.seek(0)
        sys.stderr.write(log.read().decode("utf-8", "replace"))
