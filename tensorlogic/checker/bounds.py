"""`where steps <= 10, tol < 1e-6` behind a recursion: where it ends."""

from tensorlogic.checker.relation_terms import constant_of
from tensorlogic.checker.state import State
from tensorlogic.record import record
from tensorlogic.syntax import ast


@record
class Bounds:
    """At most `steps` steps; no more when nothing changes by `tol`. `others` are the clauses that bound nothing."""

    steps: int | None = None
    tol: float | None = None
    others: tuple[ast.Expr, ...] = ()

    @property
    def given(self) -> bool:
        return self.steps is not None or self.tol is not None


def bounds_of(state: State, where: tuple[ast.Expr, ...]) -> Bounds:
    """The bounds among the clauses behind a rule or an equation."""
    steps, tol, others = None, None, []
    for item in where:
        match item:
            case ast.Binary(op="<=", left=ast.Name(name="steps"), right=right) if isinstance(number := _number(state, right), int):
                steps = number
            case ast.Binary(op="<", left=ast.Name(name="tol"), right=right) if (number := _number(state, right)) is not None:
                tol = float(number)
            case _:
                others.append(item)
    return Bounds(steps, tol, tuple(others))


def _number(state: State, node: ast.Expr) -> int | float | None:
    """A number that is not negative, written or named by a `const`."""
    known = constant_of(state, node)
    return known.value if known is not None and not isinstance(known.value, str) and known.value >= 0 else None
