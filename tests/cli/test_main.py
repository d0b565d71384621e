"""Exit codes and the manners of the command: help, wrong arguments, crashes, interrupts, a reader that has gone."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tensorlogic.cli import check
from tensorlogic.cli.main import COMMANDS, NOT_YET

MAIN = "import sys; from tensorlogic.cli.main import main; sys.exit(main())"
DEVICE_FULL = Path("/dev/full")


def start(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", MAIN, *arguments], stderr=subprocess.PIPE, **options)


def test_help_names_every_command(tlc):
    result = tlc("--help")
    assert result.code == 0 and not result.err
    assert re.findall(r"^  tlc (\w+)", result.out, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(tlc, command):
    result = tlc(command, "--help")
    assert result.code == 0 and result.out.startswith(f"usage: tlc {command}") and not result.err


def test_version(tlc):
    assert re.fullmatch(r"tlc \d+\.\d+\.\d+\n", tlc("--version").out)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "which command"),
        (["chek"], "did you mean 'check'"),
        (["check"], "FILE"),
        (["check", "--jsn", "good.tl"], "--jsn"),
        (["check", "absent.tl"], "absent.tl: No such file or directory"),
        (["check", "."], "Is a directory"),
        (["check", "good.tl/inside"], "Not a directory"),
        (["check", "nul\0byte.tl"], "byte"),
        (["check", "--set", "D", "good.tl"], "NAME=VALUE"),
        (["check", "--set", "D=1", "--set", "D=2", "good.tl"], "twice"),
        (["run", "absent.tl"], "absent.tl"),
        (["run", "good.tl", "--seed", "x"], "seed"),
        (["run", "good.tl", "--seed", "-1"], "seed"),
        (["run", "good.tl", "--device", "abacus"], "device"),
        (["run", "good.tl", "bad.tl"], "bad.tl"),
        (["test", "absent.tl"], "absent.tl"),
        (["build", "good.tl", "--emit", "wasm"], "wasm"),
        (["fmt", "absent.tl"], "absent.tl"),
        (["fmt", "--check", "--diff", "good.tl"], "not allowed"),
        (["explain", "TL0399"], "TL0399"),
        (["explain", "nonsense"], "NONSENSE"),
        (["builtins", "sofmax"], "did you mean 'softmax'"),
    ],
    ids=" ".join,
)
def test_wrong_arguments(tlc, folder, arguments, words):
    result = tlc(*arguments)
    assert result.code == 2 and not result.out
    assert words in result.err and "Try `tlc" in result.err


@pytest.mark.parametrize("command", NOT_YET)
def test_what_is_not_there_yet_says_so(tlc, command):
    result = tlc(command)
    assert result.code == 2 and f"`tlc {command}` is not supported yet" in result.err


def test_a_crash_is_a_bug_of_ours(tlc, folder, monkeypatch):
    def crash(*_):
        raise KeyError("lost")

    monkeypatch.setattr(check, "analyse", crash)
    result = tlc("check", "good.tl")
    assert result.code == 70
    assert "error[TL0999]: this is a bug in tlc: KeyError: 'lost'" in result.err and "report" in result.err
    assert "Traceback" not in result.err
    monkeypatch.setenv("TLC_TRACEBACK", "1")
    assert "Traceback" in tlc("check", "good.tl").err


def test_a_character_that_the_terminal_lacks(folder):
    (folder / "greek.tl").write_text('print("\\u{3b1}")\n')
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start("run", "greek.tl", stdout=subprocess.PIPE, env=environment)
    out, _ = process.communicate(timeout=60)
    assert out == b"\\u03b1\n" and process.returncode == 0


def test_interrupt(folder):
    (folder / "forever.tl").write_text('print("started")\nmain {\n    loop { }\n}\n')
    process = start("run", "forever.tl", stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None and process.stdout.readline() == b"started\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and b"interrupted" in err and b"Traceback" not in err


@pytest.mark.parametrize("arguments", [["builtins"], ["explain"], ["run", "much.tl"]], ids=lambda a: a[0])
def test_a_reader_that_has_gone(folder, arguments):
    (folder / "much.tl").write_text('for i in 0..100000 { print("a line of output") }\n')
    read, write = os.pipe()
    process = start(*arguments, stdout=write)
    os.close(write)
    os.close(read)
    _, err = process.communicate(timeout=60)
    assert err == b"" and process.returncode not in (0, 1, 70)


@pytest.mark.skipif(not DEVICE_FULL.exists(), reason="no device that is always full")
def test_a_full_disk_is_told_in_one_line(folder):
    with DEVICE_FULL.open("w") as full:
        process = start("explain", "TL0301", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and err.startswith(b"tlc: the output cannot be written: No space left") and b"Traceback" not in err
