"""Random equations against numpy in float64: the value, or that it is refused."""

import os

import numpy as np
import torch

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tests.equations.generator import Case

CASES = 20_000 if os.environ.get("TLC_FULL") else 300
BATCH = 50


def failures(cases: list[Case]) -> list[str]:
    """What is wrong with these equations, which are functions of one program."""
    program = tl.compile("\n".join(case.function() for case in cases))
    found = []
    for case in cases:
        given = [torch.from_numpy(np.array(value)) for value in case.tensors.values()]
        value = program[case.name](*given).numpy()
        with np.errstate(all="ignore"):
            assert case.result is not None
            if not np.allclose(value, case.result, rtol=1e-7, atol=1e-9, equal_nan=True):
                found.append(f"{case.function()}\n{value}\n{case.result}")
    return found


def refused(case: Case) -> bool:
    return {d.code for d in tl.check(case.function()) if d.is_error} == {"TL0404"}


def test_random_equations() -> None:
    cases = [Case(seed) for seed in range(CASES)]
    good = [case for case in cases if case.result is not None]
    bad = [case for case in cases if case.result is None]
    assert len(good) > 0.8 * CASES and len(bad) > 0.003 * CASES
    wrong = [f"not refused:\n{case.function()}" for case in bad if not refused(case)]
    for start in range(0, len(good), BATCH):
        batch = good[start : start + BATCH]
        try:
            wrong += failures(batch)
        except TensorLogicError as problem:
            wrong.append(f"{problem}")
        if len(wrong) > 3:
            break
    assert not wrong, "\n\n".join(wrong[:3])
