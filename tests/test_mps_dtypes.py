"""A program with float64 on a device that has none is refused before it runs, at the first place (TL0805)."""

import pytest

from tensorlogic.driver import analyse, unsupported_on
from tensorlogic.source import Source


def first(text: str, device: str):
    return unsupported_on(analyse(Source("<text>", text)).checked(), device)


def test_float64_on_mps() -> None:
    told = first("let x = ones([2])\nlet y = x.to(float64)\nlet z = y + y", "mps")
    assert told is not None and told.code == "TL0805" and told.span is not None and told.span.line == 2


def test_a_parameter_of_a_function_counts() -> None:
    told = first("fn f(x: float64[N]) -> float64[N] { return x }", "mps")
    assert told is not None and told.span is not None and told.span.line == 1


@pytest.mark.parametrize(
    ("text", "device"), [("let x = ones([2])", "mps"), ("let x = ones([2]).to(float64)", "cpu"), ("let x = 1.5", "mps")]
)
def test_what_runs(text: str, device: str) -> None:
    assert first(text, device) is None
