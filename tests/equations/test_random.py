"""Random equations: against numpy in float64 the value, or that it is refused; their gradients against differences; broken ones by code."""

import os
import re
from functools import cache
from random import Random

import numpy as np
import pytest
import torch

import tensorlogic as tl
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tests.equations.generator import Case

FULL = bool(os.environ.get("TLC_FULL"))
CASES = 20_000 if FULL else 300
GRADIENTS = 4_000 if FULL else 200
BROKEN = 4_000 if FULL else 150
BATCH = 50


@cache
def case(seed: int) -> Case:
    return Case(seed)


def batches(cases: list[Case]) -> list[list[Case]]:
    return [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)]


def compiled(cases: list[Case]) -> tl.Program:
    """The equations as functions of one program."""
    return tl.compile("\n".join(case.function() for case in cases))


# --- values ----------------------------------------------------------------------------------------------------------


def failures(cases: list[Case]) -> list[str]:
    """What is wrong with the values of these equations."""
    program = compiled(cases)
    found = []
    for case in cases:
        given = [torch.from_numpy(np.array(value)) for value in case.tensors.values()]
        value = program[case.name](*given).numpy()
        with np.errstate(all="ignore"):
            assert case.result is not None
            if not np.allclose(value, case.result, rtol=1e-7, atol=1e-9, equal_nan=True):
                found.append(f"{case.function()}\n{value}\n{case.result}")
    return found


def codes(text: str) -> set[str]:
    return {d.code for d in tl.check(text) if d.is_error}


def test_random_equations() -> None:
    cases = [case(seed) for seed in range(CASES)]
    good = [case for case in cases if case.result is not None]
    bad = [case for case in cases if case.result is None]
    assert len(good) > 0.8 * CASES and len(bad) > 0.003 * CASES
    wrong = [f"not refused:\n{case.function()}" for case in bad if codes(case.function()) != {"TL0404"}]
    for batch in batches(good):
        try:
            wrong += failures(batch)
        except TensorLogicError as problem:
            wrong.append(f"{problem}")
        if len(wrong) > 3:
            break
    assert not wrong, "\n\n".join(wrong[:3])


# --- gradients -------------------------------------------------------------------------------------------------------


def slopes(function, given: list[torch.Tensor], seed: int) -> tuple[float, list[float]] | None:
    """(the slope along a random direction by gradients, the same by differences of three widths)"""
    random = torch.Generator().manual_seed(seed)
    learned = [tensor.clone().requires_grad_() if tensor.is_floating_point() else tensor for tensor in given]
    ways = [torch.randn(tensor.shape, dtype=torch.float64, generator=random) * tensor.is_floating_point() for tensor in given]
    value = function(*learned)
    weights = torch.randn(value.shape, dtype=torch.float64, generator=random)
    if not value.requires_grad:
        return None
    floats = [tensor for tensor in learned if tensor.requires_grad]
    grads = iter(torch.autograd.grad((value * weights).sum(), floats, allow_unused=True))
    slope = sum(
        float((grad * way).sum())
        for tensor, way in zip(learned, ways, strict=True)
        if tensor.requires_grad and (grad := next(grads)) is not None
    )

    def at(width: float) -> float:
        moved = [tensor + (width * way).to(tensor.dtype) for tensor, way in zip(given, ways, strict=True)]
        return float((function(*moved) * weights).sum())

    return slope, [(at(width) - at(-width)) / (2 * width) for width in (1e-4, 1e-5, 1e-6)]


def test_gradients_of_random_equations() -> None:
    """Where differences of different widths agree: not at a kink, and not where they lose all digits. exp beyond all numbers inside a
    function that is flat there has no gradient, in PyTorch either."""
    cases = [found for seed in range(GRADIENTS) if (found := case(seed)).result is not None and np.isfinite(found.result).all()]
    wrong, compared, endless = [], 0, 0
    for batch in batches(cases):
        program = compiled(batch)
        for item in batch:
            given = [torch.from_numpy(np.array(value)) for value in item.tensors.values()]
            found = slopes(program[item.name], given, 1)
            if found is None or not np.allclose(found[1], found[1][0], rtol=1e-4, atol=1e-6):
                continue
            compared += 1
            endless += not np.isfinite(found[0])
            if np.isfinite(found[0]) and not np.isclose(found[0], found[1][1], rtol=1e-3, atol=1e-5):
                wrong.append(f"{item.function()}\n{found}")
    assert not wrong, "\n\n".join(wrong[:3])
    assert compared > 0.5 * len(cases) and endless < 0.02 * len(cases)


# --- broken ones -----------------------------------------------------------------------------------------------------


def symbolic(seed: int) -> Case | None:
    """A well-formed case whose sizes are names, so that a broken one cannot fit by chance."""
    found = case(seed)
    return None if found.result is None or found.bare else found


def unequal_sizes(case: Case, random: Random) -> str | None:
    """One axis of a tensor gets a size of its own; its index stands at another axis too."""
    head, body = case.function().split(") -> ", 1)
    used = [match for match in re.finditer(r"([AT]\d+): \w+\[([^\]]*)\]", head) if f"{match[1]}[" in body]
    axes = [(size, match.start(2) + 3 * at) for match in used for at, size in enumerate(match[2].split(", "))]
    shared = [at for size, at in axes if size.isalpha() and sum(size == other for other, _ in axes) > 1]
    if not shared:
        return None
    at = random.choice(shared)
    return f"{head[:at]}Q{head[at + 1 :]}) -> {body}"


def without_range(case: Case, random: Random) -> str:
    """One more index on the left, which stands nowhere on the right."""
    text = case.function()
    return text.replace("let y[", "let y[q, ") if "let y[" in text else text.replace("let y =", "let y[q] =")


def twice(case: Case, random: Random) -> str | None:
    """The same left side again."""
    lines = case.function().splitlines()
    return "\n".join([*lines[:2], lines[1].replace("let ", ""), *lines[2:], ""]) if case.left else None


def too_few(case: Case, random: Random) -> str | None:
    """A reference with an index less than the tensor has axes, where that index stands on another axis and no function names it."""
    head, body = case.function().split(" {", 1)
    found = [] if re.search(r"[a-z]\[[a-z, ]+\]\(", body) else list(re.finditer(r"(A\d+\[)(\w), (?=[a-z])", body))
    found = [match for match in found if len(re.findall(rf"\[(?:[^\]]*, )?{match[2]}[,\]]", body)) > 1]
    if not found:
        return None
    match = random.choice(found)
    return f"{head} {{{body[: match.start()]}{match[1]}{body[match.end() :]}"


def unknown(case: Case, random: Random) -> str:
    """A tensor that is not there."""
    text = case.function()
    at = random.choice([match.start() for match in re.finditer(r"[AT]\d+", text[text.index("{") :])]) + text.index("{")
    return text[:at] + "Zz" + text[at + 2 :]


KINDS = {
    "TL0401": unequal_sizes,
    "TL0403": without_range,
    "TL0402": twice,
    "TL0304": too_few,
    "TL0201": unknown,
}


@pytest.mark.parametrize("code", KINDS)
def test_broken_equations_get_their_code(code: str) -> None:
    random, wrong, checked = Random(7), [], 0
    for seed in range(BROKEN):
        good = symbolic(seed)
        text = None if good is None else KINDS[code](good, random)
        if text is None:
            continue
        checked += 1
        found = codes(text)
        if found != {code}:
            wrong.append(f"{text}{found}")
    assert not wrong, f"{len(wrong)} of {checked}\n" + "\n\n".join(wrong[:3])
    assert checked > 0.05 * BROKEN


def test_a_function_that_is_not_there() -> None:
    assert codes("fn f(A: f64[I, J]) -> f64[I] {\n    let y[i] = j(A[i, k] * A[i, k]) ** 2\n    return y\n}\n") == {"TL0201"}


def test_scrambled_equations_are_answered() -> None:
    """Anything at all gets diagnostics, or is a program."""
    random = Random(5)
    for seed in range(BROKEN):
        tokens = re.findall(r"\w+|\*\*|\s+|[^\w\s]", case(seed).function())
        for _ in range(random.randint(1, 4)):
            at, other = random.randrange(len(tokens)), random.randrange(len(tokens))
            match random.randrange(3):
                case 0:
                    tokens[at], tokens[other] = tokens[other], tokens[at]
                case 1:
                    tokens[at] = tokens[other]
                case _:
                    tokens.insert(
                        at, random.choice(["(", ")", "[", "]", "+", "*", "**", "/", "i", "j", "sum[i]", ".", "'", "softmax", "0"])
                    )
        tl.check("".join(tokens))
