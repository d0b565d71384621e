"""What all tests share: golden files, the folder of shared data, how many examples Hypothesis tries."""

import json
import os
import signal
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import settings

from tensorlogic.diagnostics.explain import Example

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# No deadline: the machines that run this are shared, and a slow moment is no defect.
settings.register_profile("quick", deadline=None)
settings.register_profile("full", deadline=None, max_examples=2000)
settings.load_profile("full" if os.environ.get("TLC_FULL") == "1" else "quick")

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every process that they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what the tests produce now")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: the text is what `golden/NAME.txt` beside the test holds (another suffix may be given)."""
    folder = request.path.parent / "golden"
    update = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        path = folder / (name if Path(name).suffix else f"{name}.txt")
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{text}\n".encode())
        assert path.is_file(), f"no golden file {path.name}: run with --update-golden and read what it writes"
        assert f"{text}\n" == path.read_bytes().decode(), f"{path.name} differs; if the new text is right, run with --update-golden"

    return compare


@pytest.fixture
def shared() -> Path:
    """The folder of data beside the repository; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("no folder of shared data beside the repository")
    return SHARED


@pytest.fixture
def write_examples(tmp_path: Path) -> Callable[[Iterable[Example]], Path]:
    """`write_examples(examples(code))` writes its files into a fresh folder and returns that; programs go into its `main.tl`."""

    def write(found: Iterable[Example]) -> Path:
        for example in found:
            if example.kind == "file":
                (tmp_path / example.name).write_bytes(file_bytes(example))
        return tmp_path

    return write


def file_bytes(example: Example) -> bytes:
    """A tensor file shown by its header becomes that header before zeros; any other file is its text."""
    text = example.text.encode()
    if not (example.name.endswith(".safetensors") and text.startswith(b"{")):
        return text
    size = max(entry["data_offsets"][1] for entry in json.loads(text).values())
    return struct.pack("<Q", len(text)) + text + bytes(size)
