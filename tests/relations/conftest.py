"""Makes the oracle and the maker of programs importable; `TLC_DEVICE=cuda` runs these tests on another device."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    wanted = os.environ.get("TLC_DEVICE")
    torch.set_default_device(wanted)
    yield
    torch.set_default_device(None)
