"""The einsum cases of opt_einsum's and numpy's test suites: as equations, and through `einsum`, against numpy in shape and value."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

import tensorlogic as tl

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "einsum" / "einsum_cases.json"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="no shared data")


def cases(kind: str) -> list[dict]:
    return json.loads(FILE.read_text())[kind]


def parameters(case: dict) -> str:
    return ", ".join(f"t{at}: f64[{', '.join(map(str, shape))}]" for at, shape in enumerate(case["shapes"]))


def function(at: int, case: dict, body: str) -> str:
    return f"fn f{at}({parameters(case)}) -> f64[{', '.join(map(str, case['out_shape']))}] {{\n{body}\n}}\n"


def compare(found: list[tuple[str, dict]]) -> None:
    """All functions as one program, each against numpy."""
    program = tl.compile("\n".join(text for text, _ in found))
    random = np.random.default_rng(0)
    for text, case in found:
        given = [random.standard_normal(shape) for shape in case["shapes"]]
        value = program[text[3 : text.index("(")]](*(torch.from_numpy(np.array(array)) for array in given)).numpy()
        wanted = np.einsum(case["eq"], *given)
        assert value.shape == wanted.shape == tuple(case["out_shape"]), case
        np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-9, err_msg=case["eq"])


def implied(inputs: str) -> str:
    """What numpy gives without an arrow: the letters that stand once, in the order of the alphabet."""
    return "".join(sorted(letter for letter, count in Counter(inputs.replace(",", "")).items() if count == 1))


def equation(case: dict) -> str | None:
    """A case as an equation; None where it has an ellipsis."""
    inputs, arrow, output = case["eq"].replace(" ", "").partition("->")
    if "." in inputs:
        return None
    output = output if arrow else implied(inputs)
    factors = [f"t{at}[{', '.join(letters)}]" if letters else f"t{at}" for at, letters in enumerate(inputs.split(","))]
    left = f"y[{', '.join(output)}]" if output else "y"
    return f"let {left} = {' * '.join(factors)}\nreturn y"


def test_as_equations() -> None:
    found = [(function(at, case, body), case) for at, case in enumerate(cases("ok")) if (body := equation(case)) is not None]
    assert len(found) == sum("." not in case["eq"] for case in cases("ok")) > 80
    compare(found)


def test_through_einsum() -> None:
    found = []
    for at, case in enumerate(cases("ok")):
        names = ", ".join(f"t{n}" for n in range(len(case["shapes"])))
        found.append((function(at, case, f'return einsum("{case["eq"]}", {names})'), case))
    assert len(found) == 107
    compare(found)


def test_those_that_are_refused() -> None:
    refused = cases("must_refuse")
    assert len(refused) == 3
    for case in refused:
        count = 1 + case["eq"].count(",")
        given = ", ".join(f"t{at}" for at in range(count))
        for shape in ("2", "2, 2"):
            types = ", ".join(f"t{at}: f64[{shape}]" for at in range(count))
            text = f'fn f({types}) -> Tensor {{ return einsum("{case["eq"]}", {given}) }}\n'
            assert [d for d in tl.check(text) if d.is_error], text
