"""A small GPT trained by `learn` and in plain PyTorch: the same losses, step by step. The full size is `benchmarks/verdict.py`."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = ROOT / "examples" / "texts" / "lighthouse.txt"


@pytest.fixture(scope="module")
def verdict() -> ModuleType:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import verdict as script
    finally:
        sys.path.pop(0)
    return script


def test_ours_and_plain_pytorch_learn_the_same(verdict: ModuleType) -> None:
    settings = verdict.SMALL | {"TEXT": str(TEXT), "VOCABULARY": "", "LR": 4e-3, "DROP": 0.0, "STEPS": 30, "EVERY": 10}
    ours, plain = verdict.ours(settings), verdict.plain(settings)
    assert len(ours.losses) == len(plain.losses) == 30 and list(ours.looked) == list(plain.looked) == [1, 10, 20, 30]
    assert ours.losses == pytest.approx(plain.losses, rel=1e-5)
    assert list(ours.looked.values()) == pytest.approx(list(plain.looked.values()), rel=1e-5)
    assert ours.looked[30] < 0.8 * ours.looked[1]
