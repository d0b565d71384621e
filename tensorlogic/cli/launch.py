"""`tlc run --nproc N`: the same command in N processes that work together."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import IO

GRACE = 5.0  # seconds that the others have once one has failed


def launch(arguments: list[str], processes: int) -> int:
    """Runs `tlc` with these arguments in each process; the first one's output is the program's. The exit code of what failed first."""
    port, running = _free_port(), []
    logs: list[IO[bytes] | None] = []
    for rank in range(processes):
        log = tempfile.TemporaryFile() if rank else None  # noqa: SIM115 - read when the process has failed
        environment = _environment(rank, processes, port)
        command = [sys.executable, "-m", "tensorlogic", *arguments]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL if rank else None, stderr=log))
        logs.append(log)
    try:
        return _wait(running, logs)
    except KeyboardInterrupt:
        return max((process.wait() for process in running), default=130) or 130
    finally:
        for process in running:
            process.kill()


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
        failed = next((rank for rank, code in enumerate(codes) if code), None)
        if failed is not None:
            _stop(running)
            if logs[failed] is not None and running[0].returncode in (0, -15):
                _show(logs[failed])
            return _code(running[failed].returncode)
        if all(code == 0 for code in codes):
            return 0
        time.sleep(0.05)


def _stop(running: list[subprocess.Popen]) -> None:
    """Those that wait for one that failed do not end by themselves; one that fails for the same reason may still say so."""
    end = time.monotonic() + GRACE
    while time.monotonic() < end and any(process.poll() is None for process in running):
        time.sleep(0.05)
    for process in running:
        if process.poll() is None:
            process.terminate()
    for process in running:
        process.wait()


def _show(log: IO[bytes] | None) -> None:
    if log is not None:
        log.seek(0)
        sys.stderr.write(log.read().decode("utf-8", "replace"))


def _code(code: int) -> int:
    return code if code >= 0 else 128 - code
