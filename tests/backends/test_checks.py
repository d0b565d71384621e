"""The check at the door: what fits passes quickly, what does not is explained."""

import timeit

import pytest
import torch
from programs import FLOAT, INT, Code, at, dims, f32

from tensorlogic.backends.checks import make_checked
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.ir.ir import Const, DimBinding, Function, Omitted, Value
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Divides
from tensorlogic.types.signature import Parameter, Requirement, Signature
from tensorlogic.types.types import DTypeVar, Segment, Tensor

X, W, H = Value("x", f32("N", "D")), Value("w", f32("D", 3)), Value("H", INT)


def declared(params: tuple[Value, ...], where: tuple = (), bound: tuple = (), optional: tuple[str, ...] = ()) -> Function:
    signature = Signature("f", tuple(Parameter(p.name, p.type, p.name in optional) for p in params), f32(), where=where)
    defaults = tuple(Const(1, INT) if p.name in optional else Omitted() for p in params)
    return Function("f", params, defaults, bound, f32(), Code().region(), signature, at(3))


HEADS = declared((X, W, H), (Requirement(Divides(Dim.sym("H"), Dim.sym("D"))),))


def refused(function_: Function, *args: object, **keywords: object) -> tuple[str, str]:
    with pytest.raises(TensorLogicError) as caught:
        make_checked(function_, lambda *a, **k: None)(*args, **keywords)
    (found,) = caught.value.diagnostics
    return found.code, " | ".join((found.message, *found.notes))


def test_what_fits_passes() -> None:
    run = make_checked(HEADS, lambda x, w, H: H)
    assert run(torch.ones(2, 4), torch.ones(4, 3), 2) == 2
    assert run(torch.ones(2, 4), torch.ones(4, 3), H=4) == 4


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (([1.0], torch.ones(4, 3), 2), "TL0306", "expects `x: float32[N, D]`, found list"),
        ((torch.ones(2, 4).double(), torch.ones(4, 3), 2), "TL0302", "found float64[2, 4]"),
        ((torch.ones(4), torch.ones(4, 3), 2), "TL0304", "expected 2 axes, found 1"),
        ((torch.ones(2, 4), torch.ones(5, 3), 2), "TL0301", "D should be 4, found 5 | D is 4: axis 1 of `x`"),
        ((torch.ones(2, 4), torch.ones(4, 7), 2), "TL0301", "3 should be 3, found 7"),
        ((torch.ones(2, 4), torch.ones(4, 3), 3), "TL0311", "needs D % H == 0, found D = 4, H = 3"),
        ((torch.ones(2, 4), torch.ones(4, 3), 2.0), "TL0306", "expects `H: int`, found float"),
        ((torch.ones(2, 4), torch.ones(4, 3), True), "TL0306", "expects `H: int`, found bool"),
        ((torch.ones(2, 4), torch.ones(4, 3)), "TL0307", "needs the argument `H: int`"),
        ((torch.ones(2, 4), torch.ones(4, 3), 2, 5), "TL0307", "takes 3 arguments, found 4"),
    ],
)
def test_what_does_not_fit_is_explained(args: tuple, code: str, words: str) -> None:
    found, message = refused(HEADS, *args)
    assert found == code and words in message


def test_unknown_and_double_keywords() -> None:
    assert refused(HEADS, torch.ones(2, 4), y=1)[0] == "TL0307"


def test_scaled_sizes_are_bound_by_exact_division() -> None:
    n = Value("N", INT)
    x = Value("x", Tensor("float32", (Dim.sym("N") * 3,)))
    tripled = declared((x,), bound=(DimBinding(n, x, 0, 3),))
    assert make_checked(tripled, lambda x: 7)(torch.ones(6)) == 7
    assert refused(tripled, torch.ones(7))[0] == "TL0309"


def test_segments_and_dtype_variables() -> None:
    t = DTypeVar("T", "float")
    x, y = (Value(name, Tensor(t, (Segment("B"), *dims("D")))) for name in "xy")
    pair = declared((x, y))
    run = make_checked(pair, lambda x, y: 1)
    assert run(torch.ones(2, 3, 4), torch.ones(2, 3, 4)) == 1
    assert run(torch.ones(4).half(), torch.ones(4).half()) == 1
    assert refused(pair, torch.ones(2, 4), torch.ones(3, 4))[0] == "TL0301"
    assert refused(pair, torch.ones(2, 4), torch.ones(2, 4).half())[0] == "TL0302"
    assert refused(pair, torch.ones(2, 4).int(), torch.ones(2, 4).int())[0] == "TL0302"
    assert refused(pair, torch.tensor(1.0), torch.ones(2))[0] == "TL0304"


def test_scalars_defaults_and_floats() -> None:
    s, k = Value("s", f32()), Value("k", FLOAT)
    f = declared((s, k), optional=("k",))
    run = make_checked(f, lambda s, k=1.0: k)
    assert run(torch.tensor(1.0)) == 1.0 and run(torch.tensor(1.0), 2) == 2
    assert refused(f, torch.ones(1))[0] == "TL0304"
    assert refused(f, torch.tensor(1.0), "2")[0] == "TL0306"


def test_numpy_arrays_are_no_tensors() -> None:
    assert refused(HEADS, torch.ones(2, 4).numpy(), torch.ones(4, 3), 2)[0] == "TL0306"


def test_hostile_names_stay_data() -> None:
    evil = Value('x"); import os; ("', Tensor("float32", (Dim.sym('N"]; boom'), Dim.sym("__class__"))))
    run = make_checked(declared((evil,)), lambda x: 5)
    assert run(torch.ones(2, 2)) == 5
    assert refused(declared((evil,)), torch.ones(2))[0] == "TL0304"


def test_the_check_is_cheap() -> None:
    """About 0.25 microseconds per tensor; the bound is wide because the machine is shared."""
    params = tuple(Value(f"x{i}", f32("N", "D")) for i in range(4))
    x = torch.ones(2, 4)
    args = (x,) * 4
    plain = lambda a, b, c, d: None  # noqa: E731
    checked = make_checked(declared(params), plain)
    cost = min(timeit.repeat(lambda: checked(*args), number=2000, repeat=5)) - min(
        timeit.repeat(lambda: plain(*args), number=2000, repeat=5)
    )
    assert cost / 2000 / 4 < 3e-6
