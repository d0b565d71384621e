"""Which `learn` of a program a folder or a log belongs to: two that shared one would take each other's checkpoints for their own."""

import os
from collections.abc import Callable
from types import CodeType
from weakref import ref

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

_owners: dict[str, tuple[int, "ref[CodeType]"]] = {}  # by the real path: the program in memory, and the code of the objective


def claim(option: str, path: str, objective: Callable) -> None:
    """TL0601 where another `learn` of the same program in memory has the path. The same one may come again, as in a notebook."""
    code, program = getattr(objective, "__code__", None), id(getattr(objective, "__globals__", None))
    if code is None:
        return
    place = os.path.realpath(path)
    owner, before = _owners.get(place, (0, ref(code)))
    if owner == program and before() not in (None, code):
        help = (f'give each `learn` its own `{option}`, for example "{_other(path)}"',)
        raise TensorLogicError(Diagnostic("TL0601", f"`{option}`: another `learn` of this program writes to `{path}`", help=help))
    _owners[place] = program, ref(code)


def _other(path: str) -> str:
    stem, suffix = os.path.splitext(path.rstrip("/"))
    return f"{stem}_2{suffix}"
