"""The shape rule of einsum equations: letters, an ellipsis, and sizes that must agree wherever a letter stands."""

from collections import Counter

from tensorlogic.record import record
from tensorlogic.types.mistakes import BadArgument, RankMismatch
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import equal, is_known, is_one, segment_at
from tensorlogic.types.types import Segment, Shape, ShapeItem


@record
class Equation:
    """`inputs` and `output` are letters, with "." for the ellipsis."""

    inputs: tuple[str, ...]
    output: str


def read_equation(text: str) -> Equation | str:
    """The equation, or what is wrong with it."""
    left, arrow, right = text.replace(" ", "").replace("...", ".").partition("->")
    inputs = tuple(left.split(","))
    for part in (*inputs, right):
        if not all(c == "." or (c.isascii() and c.isalpha()) for c in part):
            return f"`{part.replace('.', '...')}` has something else than letters and `...`"
        if part.count(".") > 1:
            return f"`{part.replace('.', '...')}` has more than one `...`"
    output = right if arrow else _implied(inputs)
    repeated = next((c for c in output if output.count(c) > 1), None)
    if repeated:
        return f"`{repeated}` stands twice in the result"
    unknown = next((c for c in output if c != "." and not any(c in part for part in inputs)), None)
    return f"`{unknown}` of the result is in no operand" if unknown else Equation(inputs, output)


def _implied(inputs: tuple[str, ...]) -> str:
    """Without an arrow: the ellipsis, then every letter that stands once, in alphabetical order."""
    seen = Counter("".join(inputs))
    return "." * ("." in seen) + "".join(sorted(c for c, n in seen.items() if n == 1 and c != "."))


def einsum(need: Obligations, text: str, shapes: tuple[Shape, ...]) -> Shape | None:
    """The shape of the result. Reports bad equations (TL0306), wrong numbers of dims (TL0304) and sizes that disagree (TL0301)."""
    equation = read_equation(text)
    if isinstance(equation, str):
        need.fail(BadArgument("TL0306", f"this is no einsum equation: {equation}"))
        return None
    if len(equation.inputs) != len(shapes):
        need.fail(BadArgument("TL0307", f"the equation has {len(equation.inputs)} operands, but {len(shapes)} are given"))
        return None
    return _evaluate(need, equation, shapes)


def _evaluate(need: Obligations, equation: Equation, shapes: tuple[Shape, ...]) -> Shape | None:
    sizes: dict[str, ShapeItem] = {}
    batch: Shape | None = ()
    agreed = True
    for letters, shape in zip(equation.inputs, shapes, strict=True):
        parts = _named(need, letters, shape)
        if parts is None:
            return None
        named, ellipsis = parts
        agreed = all(_agree(need, sizes, letter, size) for letter, size in named) and agreed
        batch = _merge(need, batch, ellipsis) if batch is not None else None
    if not agreed or ("." in equation.output and batch is None):
        return None
    return tuple(item for c in equation.output for item in ((batch or ()) if c == "." else (sizes[c],)))


def _named(need: Obligations, letters: str, shape: Shape) -> tuple[list[tuple[str, ShapeItem]], Shape] | None:
    """Letters with their sizes, and the dims under the ellipsis; None if that is wrong or not known."""
    before, dots, after = letters.partition(".")
    fixed = len(before) + len(after)
    if not is_known(shape):
        run = segment_at(shape) or 0
        if not dots or run < len(before) or len(shape) - run - 1 < len(after):
            return None
    elif len(shape) < fixed or (not dots and len(shape) > fixed):
        need.fail(RankMismatch(f"the operand of `{letters.replace('.', '...')}`", f"at least {fixed}" if dots else str(fixed), shape))
        return None
    tail = len(shape) - len(after)
    return [*zip(before, shape, strict=False), *zip(after, shape[tail:], strict=True)], shape[len(before) : tail]


def _agree(need: Obligations, sizes: dict[str, ShapeItem], letter: str, size: ShapeItem) -> bool:
    """A size of 1 broadcasts, as it does in torch.einsum."""
    if letter not in sizes or is_one(need, sizes[letter]):
        sizes[letter] = size
        return True
    return is_one(need, size) or equal(need, f"the sizes of `{letter}`", sizes[letter], size)


def _merge(need: Obligations, left: Shape, right: Shape) -> Shape | None:
    """Ellipsis dims broadcast from the right."""
    if left == right or not right:
        return left
    if not left:
        return right
    if any(isinstance(item, Segment) for item in (*left, *right)):
        return None
    high, low = (left, right) if len(left) >= len(right) else (right, left)
    extra = len(high) - len(low)
    merged: dict[str, ShapeItem] = {str(i): item for i, item in enumerate(high[extra:])}
    ok = all(_agree(need, merged, str(i), item) for i, item in enumerate(low))
    return (*high[:extra], *merged.values()) if ok else None
