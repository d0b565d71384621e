"""What the type of a builtin cannot say by a kind: that it takes no narrow floats, or no complex numbers. For `infer=` of builtins.

A dtype variable of the caller passes: it may stand for a dtype that is taken.
"""

from tensorlogic.types.dtypes import COMPLEX
from tensorlogic.types.mistakes import DTypeKind
from tensorlogic.types.types import Tensor, Type

WIDE = ("float32", "float64")


def precise(call) -> Type | None:
    """The declared result; a dtype other than float32 and float64 is a mistake, as the routines behind it know no other."""
    for name, dtype in _dtypes(call):
        if dtype not in WIDE:
            call.need.fail(DTypeKind(f"`{name}`", "float32 or float64", dtype))
    return call.result


def real(call) -> Type | None:
    """The declared result; complex numbers are a mistake, as they have no order."""
    for name, dtype in _dtypes(call):
        if dtype in COMPLEX:
            call.need.fail(DTypeKind(f"`{name}`", "a real dtype", dtype))
    return call.result


def _dtypes(call) -> list[tuple[str, str]]:
    return [(n, t.dtype) for n, t in call.types.items() if isinstance(t, Tensor) and isinstance(t.dtype, str)]
