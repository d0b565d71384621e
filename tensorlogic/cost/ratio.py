"""Operations per byte, as a number or as a formula."""

from tensorlogic.cost.formula import readable
from tensorlogic.types.dims import ONE, Dim, cancel

LONGEST = 60


def ratio(operations: Dim, moved: Dim) -> str:
    """`12.5`, or a short fraction in lowest terms; nothing where nothing is moved, or where it would say no more than its two parts."""
    if not moved.terms:
        return ""
    if operations.value is not None and moved.value is not None:
        return f"{operations.value / moved.value:.3g}"
    above, below, _ = cancel(operations, moved)
    if below == ONE:
        return readable(above)
    text = f"{_grouped(above)} / {_grouped(below)}"
    return text if len(text) <= LONGEST else ""


def _grouped(dim: Dim) -> str:
    text = readable(dim)
    return f"({text})" if " " in text else text
