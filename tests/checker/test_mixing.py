"""What builtins make of tensors of different dtypes: what PyTorch makes of them, where the language lets them mix."""

from itertools import product

import pytest
import torch

import tensorlogic as tl
from tensorlogic.driver import analyse
from tensorlogic.source import Source

NUMBERS = {"f32": [0.5, -1.5, 2.5], "f16": [2.5, 1.0, -0.5], "i64": [1, 2, 3], "i32": [3, -2, 1], "bool": [True, True, True]}
TORCH = {"f32": torch.float32, "f16": torch.float16, "i64": torch.int64, "i32": torch.int32, "bool": torch.bool}
TWO = ("maximum", "minimum", "fmod", "remainder", "eq", "ne", "lt", "le", "gt", "ge", "atan2", "hypot", "pow", "where", "lerp")
FLOATS = frozenset(("atan2", "hypot", "lerp"))  # of two tensors one has to be a float


def expected(name: str, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    match name:
        case "where":
            return torch.where(a.bool(), a, b)
        case "lerp":
            dtype = torch.promote_types(a.dtype, b.dtype)
            return torch.lerp(a.to(dtype), b.to(dtype), 0.25)
    return getattr(torch, name)(a, b)


def mixes(name: str, a: str, b: str) -> bool:
    if {a, b} == {"f32", "f16"} or (name in FLOATS and not {a, b} & {"f32", "f16"}):
        return False
    return "bool" not in (a, b) or not (name in ("fmod", "remainder", "pow") and a == b)


@pytest.mark.parametrize("name", TWO)
def test_two_tensors(name: str) -> None:
    call = {"where": "where(a.bool(), a, b)", "lerp": "lerp(a, b, 0.25)"}.get(name, f"{name}(a, b)")
    for a, b in product(NUMBERS, NUMBERS):
        text = f"fn f(a: {a}[3], b: {b}[3]) -> Tensor {{ return {call} }}"
        codes = [d.code for d in analyse(Source("f.tl", text)).problems.errors]
        assert codes == ([] if mixes(name, a, b) else ["TL0302"]), (text, codes)
        if not codes:
            tensors = (torch.tensor(NUMBERS[a], dtype=TORCH[a]), torch.tensor(NUMBERS[b], dtype=TORCH[b]))
            found, wanted = tl.compile(text).f(*tensors), expected(name, *tensors)
            assert found.dtype == wanted.dtype and torch.equal(found.nan_to_num(), wanted.nan_to_num()), text


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("maximum(i, 1.5)", lambda i, x: torch.maximum(i.float(), torch.tensor(1.5))),
        ("minimum(1.5, i)", lambda i, x: torch.minimum(i.float(), torch.tensor(1.5))),
        ("maximum(i, 2)", lambda i, x: torch.maximum(i, torch.tensor(2))),
        ("maximum(x, 2)", lambda i, x: torch.maximum(x, torch.tensor(2.0))),
        ("clamp(i, 0.5, 2.5)", lambda i, x: torch.clamp(i, 0.5, 2.5)),
        ("clamp(i, min: 2)", lambda i, x: torch.clamp(i, min=2)),
        ("clamp(x, 0, 1)", lambda i, x: torch.clamp(x, 0, 1)),
        ("clamp(i, x, 2.0 * x)", lambda i, x: torch.clamp(i, x, 2.0 * x)),
        ("where(i > 1, i, 0.5)", lambda i, x: torch.where(i > 1, i.float(), 0.5)),
        ("where(i > 1, x, i)", lambda i, x: torch.where(i > 1, x, i)),
        ("pow(i, 0.5)", lambda i, x: torch.pow(i, 0.5)),
        ("pow(2.5, i)", lambda i, x: torch.pow(2.5, i)),
        ("max(i, x)", lambda i, x: torch.maximum(i, x)),
        ("i.min(x)", lambda i, x: torch.minimum(i, x)),
        ("floor_div(i, 2.0)", lambda i, x: torch.floor_divide(i, 2.0)),
        ("maximum(i, [0.5, 1.5, 2.5])", lambda i, x: torch.maximum(i, torch.tensor([0.5, 1.5, 2.5]))),
    ],
)
def test_numbers_and_other_calls(call: str, wanted) -> None:
    program = tl.compile(f"fn f(i: int64[3], x: float32[3]) -> Tensor {{ return {call} }}")
    i, x = torch.tensor([1, 2, 3]), torch.tensor([0.5, 1.5, 2.5])
    found, expected = program.f(i, x), wanted(i, x)
    assert found.dtype == expected.dtype and torch.equal(found, expected)


def test_dtype_variables() -> None:
    program = tl.compile("fn f<T: float, U: int>(x: T[N], i: U[N]) -> T[N] { return maximum(x, i) }")
    found = program.f(torch.zeros(2, dtype=torch.float16), torch.tensor([1, -1], dtype=torch.int32))
    assert found.dtype == torch.float16 and found.tolist() == [1.0, 0.0]
