"""The formulas that declarations give for costs, and arithmetic on sizes that only costs need."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, reduce

from tensorlogic.types.dims import ONE, ZERO, Atom, Dim, Monomial, without
from tensorlogic.types.dtypes import COMPLEX, QUANTIZED
from tensorlogic.types.types import DTypeVar, Segment, ShapeItem, Tensor

BLOCK_BYTES = {
    "q4_0": 18, "q4_1": 20, "q5_0": 22, "q5_1": 24, "q8_0": 34, "q2_k": 84, "q3_k": 110, "q4_k": 144, "q5_k": 176, "q6_k": 210,
}  # fmt: skip  # of QUANTIZED[dtype] values
UNSURE_BYTES = 4  # of a dtype variable: float32
_OPERATORS: Mapping[type, Callable[[Dim, Dim], Dim]] = {
    ast.Add: Dim.__add__,
    ast.Sub: Dim.__sub__,
    ast.Mult: Dim.__mul__,
    ast.FloorDiv: Dim.floor_div,
}
_SERIAL = re.compile(r"#\d+")
Find = Callable[[str], Dim]


def worked_out(formula: str, size: Find, last: Find) -> Dim:
    """The size that a formula of a declaration is: `size(name)` of a name, `last(name)` of `last(name)`."""
    return _value(_tree(formula), size, last)


@cache
def _tree(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _value(node: ast.expr, size: Find, last: Find) -> Dim:
    match node:
        case ast.Constant(int() as number):
            return Dim.const(number)
        case ast.Name(name):
            return size(name)
        case ast.Call(ast.Name("last"), [ast.Name(name)]):
            return last(name)
        case ast.BinOp(left, operator, right):
            return _OPERATORS[type(operator)](_value(left, size, last), _value(right, size, last))
    raise ValueError(f"no formula of a cost: {ast.unparse(node)}")


def product(items: Iterable[Dim]) -> Dim:
    return reduce(Dim.__mul__, items, ONE)


def total(items: Iterable[Dim]) -> Dim:
    return reduce(Dim.__add__, items, ZERO)


def elements(shape: Iterable[ShapeItem]) -> Dim:
    """How many; a run `...B` counts as the name of its product, sizes that nobody knows as an unknown."""
    return product(_factor(item) for item in shape)


def _factor(item: ShapeItem) -> Dim:
    match item:
        case Dim():
            return item
        case Segment(name):
            return Dim.sym(f"...{name}")
    return Dim.fresh(str(item).removeprefix("..."))


def size_of(dtype: str | DTypeVar) -> int:
    """The bytes of an element."""
    if isinstance(dtype, DTypeVar):
        return UNSURE_BYTES
    if dtype in COMPLEX:
        return int(dtype.removeprefix("complex")) // 8
    bits = "".join(c for c in dtype.partition("_")[0].removeprefix("bfloat").removeprefix("float") if c.isdigit())
    return int(bits) // 8 if bits else 1


def bytes_of(tensor: Tensor) -> Dim:
    if tensor.dtype in QUANTIZED:
        return (elements(tensor.shape) * BLOCK_BYTES[str(tensor.dtype)]).floor_div(QUANTIZED[str(tensor.dtype)])
    return elements(tensor.shape) * size_of(tensor.dtype)


def readable(dim: Dim) -> str:
    """`24 * B * D^2 + 4 * B`, what is subtracted behind what is added."""
    terms = sorted(dim.terms, key=lambda term: term[1] < 0)
    text = "".join(f" {'-' if c < 0 else '+'} {_term(mono, abs(c))}" for mono, c in terms)
    return (text[3:] if text.startswith(" +") else f"0{text}") if text else "0"


def _term(mono: tuple[Atom, ...], c: int) -> str:
    powers = (f"{_SERIAL.sub('', atom)}{f'^{mono.count(atom)}' if mono.count(atom) > 1 else ''}" for atom in dict.fromkeys(mono))
    return " * ".join([*([f"{c:,}" if c > 9999 else str(c)] if c != 1 or not mono else []), *powers])


def covers(large: Dim, small: Dim) -> bool:
    """Whether it is plain to see that it is at least as large, for all sizes of at least 0."""
    return all(c > 0 for _, c in (large - small).terms)


def leading(candidates: Iterable[Dim]) -> tuple[Dim, ...]:
    """Those that may be the largest where sizes are large: no other one has all their terms times further sizes."""
    kept = foremost(candidates)
    return tuple(item for item in kept if not any(other is not item and _outgrows(other, item) for other in kept))


def _outgrows(large: Dim, small: Dim) -> bool:
    return all(any(_divides(mono, more) and (mono != more or d >= c) for more, d in large.terms) for mono, c in small.terms)


def _divides(mono: Monomial, more: Monomial) -> bool:
    return mono == more or without(more, mono) is not None


def larger(left: Dim, right: Dim) -> Dim:
    if covers(left, right):
        return left
    return right if covers(right, left) else Dim.max(left, right)


def foremost(candidates: Iterable[Dim]) -> tuple[Dim, ...]:
    """Those that no other one covers."""
    kept: list[Dim] = []
    for item in candidates:
        if not any(covers(other, item) for other in kept):
            kept = [other for other in kept if not covers(item, other)] + [item]
    return tuple(kept)
