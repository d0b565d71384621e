"""Values that come without a type are checked; what goes wrong while a program runs is explained at its place."""

import math
from collections.abc import Callable

import pytest
import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.errors import explain_exception
from tensorlogic.runtime.host import check_type, power, python_call, python_tensor
from tensorlogic.source import Source

PROGRAM = "first line\nlet y = x @ w + b\nthird line\n"
SOURCE = Source("p.tl", PROGRAM)
X = torch.ones(2, 3)


def code(tensor: object, dtype: torch.dtype, shape: tuple) -> str:
    with pytest.raises(TensorLogicError) as caught:
        check_type(tensor, "float32[...]", dtype, shape)  # type: ignore[arg-type]
    return caught.value.diagnostics[0].code


@pytest.mark.parametrize("shape", [(2, 3), (None, 3), (...,), (2, ...), (..., 3), (2, ..., 3), (..., None, 3)])
def test_tensors_that_fit(shape: tuple) -> None:
    assert check_type(X, "float32[...]", torch.float32, shape) is X


def test_tensors_that_do_not_fit() -> None:
    assert code(1.5, torch.float32, (2, 3)) == "TL0306"
    assert code(X, torch.float16, (2, 3)) == "TL0302"
    assert code(X, torch.float32, (2,)) == "TL0304"
    assert code(X, torch.float32, (2, ..., 3, 4)) == "TL0304"
    assert code(X, torch.float32, (2, 4)) == "TL0301"
    assert code(X, torch.float32, (..., 4)) == "TL0301"


@pytest.mark.parametrize(("a", "b"), [(-8.0, 1 / 3), (-1.0, 0.5), (-2.0, 3.0), (2.0, 0.5), (0.0, 0.5), (-0.0, 2.0), (9.0, -0.5)])
def test_powers_are_those_of_tensors(a: float, b: float) -> None:
    assert power(a, b) == pytest.approx(torch.tensor(a, dtype=torch.float64).pow(b).item(), nan_ok=True)


def test_calls_of_python() -> None:
    assert python_call("math", "sqrt", None, 9.0) == 3.0
    assert python_call("builtins", "sorted", {"reverse": True}, [1, 2]) == [2, 1]
    mean = python_tensor(python_call("numpy", "mean", None, [1.0, 2.0]), "float32[]", torch.float32, ())
    assert mean.dtype == torch.float32 and mean.item() == 1.5
    for action, wanted in (
        (lambda: python_call("math", "sqrt", None, -1.0), "TL0807"),
        (lambda: python_call("no_such", "f", None), "TL0807"),
    ):
        with pytest.raises(TensorLogicError) as caught:
            action()
        assert caught.value.diagnostics[0].code == wanted
    with pytest.raises(TensorLogicError) as caught:
        python_tensor("text", "float32[]", torch.float32, ())
    assert caught.value.diagnostics[0].code == "TL0306"


def fail(action: Callable[[], object], filename: str = "p.tl") -> BaseException:
    """The exception of `action`, called from line 2 of a program."""
    run = compile("\nresult = x(1, 2)\n", filename, "exec")
    try:
        exec(run, {"x": lambda *_: action()})
    except BaseException as error:
        return error
    raise AssertionError("it did not fail")


def throw(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


CASES = [
    ("TL0301", lambda: X @ X),
    ("TL0301", lambda: X + torch.ones(2, 4)),
    ("TL0301", lambda: torch.cat([X, torch.ones(2, 4)], 0)),
    ("TL0301", lambda: X.expand(5, 3)),
    ("TL0302", lambda: X @ X.T.double()),
    ("TL0304", lambda: X[0, 0, 0]),
    ("TL0305", lambda: torch.linalg.inv(torch.ones(2, 2, dtype=torch.int64))),
    ("TL0306", lambda: bool(X)),
    ("TL0306", lambda: X.item()),
    ("TL0306", lambda: int("x")),
    ("TL0305", lambda: math.log(0.0)),
    ("TL0308", lambda: X.reshape(5)),
    ("TL0310", lambda: X[5]),
    ("TL0310", lambda: X.sum(7)),
    ("TL0310", lambda: torch.ones(4)[torch.tensor([9])]),
    ("TL0310", lambda: [1, 2][5]),
    ("TL0801", lambda: 1 // 0),
    ("TL0801", throw(ValueError("this needs N == 4, where N is 3"))),
    ("TL0802", throw(AssertionError("too small"))),
    ("TL0802", throw(AssertionError())),
    ("TL0804", throw(MemoryError())),
    ("TL0804", throw(RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"))),
    ("TL0804", throw(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))),
    ("TL0805", throw(RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"))),
    ("TL0806", throw(KeyboardInterrupt())),
    ("TL0314", throw(OverflowError("int too large to convert to float"))),
    ("TL0104", throw(RecursionError("maximum recursion depth exceeded"))),
    ("TL0808", throw(TensorLogicError(Diagnostic("TL0808", "too many facts")))),
]


@pytest.mark.parametrize(("wanted", "action"), CASES)
def test_codes_and_places(wanted: str, action: Callable[[], object]) -> None:
    found = explain_exception(fail(action), {"p.tl": SOURCE})
    assert found is not None and found.code == wanted
    assert found.span is not None and found.span.line == 2


def test_the_place_has_columns() -> None:
    found = explain_exception(fail(throw(ZeroDivisionError())), {"p.tl": SOURCE})
    assert found is not None and found.span is not None and found.span.text == PROGRAM[11:][9:16]


@pytest.mark.parametrize("error", [NameError("x"), KeyError("x"), AttributeError("x"), UnboundLocalError("x")])
def test_our_own_bugs_are_left_alone(error: Exception) -> None:
    assert explain_exception(fail(throw(error)), {"p.tl": SOURCE}) is None


def test_an_exception_outside_a_program_is_left_alone() -> None:
    assert explain_exception(fail(lambda: X @ X, "other.py"), {"p.tl": SOURCE}) is None


def test_out_of_memory_and_interrupts_need_no_place() -> None:
    for error, wanted in ((MemoryError(), "TL0804"), (KeyboardInterrupt(), "TL0806")):
        found = explain_exception(error, {})
        assert found is not None and found.code == wanted and found.span is None
