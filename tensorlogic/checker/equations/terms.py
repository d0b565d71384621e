"""Values with named axes, and the operations of the library that they are put together with."""

from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.tree import Equation
from tensorlogic.checker.matching import Argument
from tensorlogic.checker.operators import apply_operator
from tensorlogic.checker.overloads import apply_builtin
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Const, Omitted, Operand, SliceOf
from tensorlogic.record import distinct_record, record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import DTypeValue, Int, List, Shape, String, Tensor, is_unknown

WHOLE = SliceOf(Omitted(), Omitted(), Omitted())


@record
class Window:
    """Positions `step * outer + dilation * inner` of an axis; with `back` the places inside the window are counted from its end."""

    outer: str
    inner: str
    step: Dim
    dilation: Dim
    back: bool = False

    def exchanged(self) -> "Window":
        """The other index taken for the one inside."""
        return Window(self.inner, self.outer, self.dilation, self.step, self.back)


@distinct_record
class Windows:
    """What a term looks into: `base` with its axes, where each window's axis goes by its index outside. `made` are the values of the
    windows themselves."""

    base: Typed
    axes: tuple[str, ...]
    pairs: tuple[Window, ...]
    made: tuple[Operand, ...]

    def place(self, name: str) -> int | None:
        """Which window an axis of the base is."""
        return next((at for at, window in enumerate(self.pairs) if window.outer == name), None)


@distinct_record
class Term:
    """A value whose axes are these indices. A host number has none. What is `weak` comes from numbers alone: it takes the dtype of the
    tensors beside it."""

    typed: Typed
    axes: tuple[str, ...]
    weak: bool = False
    windows: Windows | None = None

    @property
    def is_tensor(self) -> bool:
        return isinstance(self.typed.type, Tensor)

    @property
    def shape(self) -> Shape:
        return self.typed.type.shape if isinstance(self.typed.type, Tensor) else ()

    @property
    def dtype(self) -> str:
        return str(self.typed.type.dtype) if isinstance(self.typed.type, Tensor) else ""

    @property
    def unknown(self) -> bool:
        return is_unknown(self.typed.type)


def number(value: int, span: Span) -> Typed:
    type_ = Int(Dim.const(value))
    return Typed(Const(value, type_), type_, span)


def text(value: str, span: Span) -> Typed:
    return Typed(Const(value, String(value)), String(value), span)


def numbers(values: list[int], span: Span) -> Typed:
    type_ = List(Int(), tuple(Int(Dim.const(value)) for value in values))
    return Typed(Const(tuple(values), type_), type_, span)


def sizes(equation: Equation, dims: list[Dim], span: Span) -> Typed:
    """A list of sizes as a value."""
    if all(dim.value is not None for dim in dims):
        return numbers([dim.value or 0 for dim in dims], span)
    operands = tuple(size_operand(equation, dim, span) for dim in dims)
    type_ = List(Int(), tuple(Int(dim) for dim in dims))
    return equation.state.emit("list", operands, type_, span)


def call(equation: Equation, name: str, span: Span, *values: Typed, **named: Typed) -> Typed:
    """A builtin of the library."""
    node = ast.Name(span, name)
    arguments = [Argument(None, value, node) for value in values]
    arguments += [Argument(key, value, node) for key, value in named.items()]
    return apply_builtin(equation.state, name, arguments, span)


def cast(equation: Equation, term: Term, dtype: str) -> Term:
    if term.dtype == dtype:
        return term
    to = DTypeValue(dtype)
    return Term(call(equation, "to", term.typed.span, term.typed, Typed(Const(dtype, to), to, term.typed.span)), term.axes)


def is_float_name(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def permuted(equation: Equation, term: Term, axes: tuple[str, ...]) -> Term:
    """The same axes in another order."""
    if term.axes == axes or term.unknown:
        return term
    order = numbers([term.axes.index(name) for name in axes], term.typed.span)
    return Term(call(equation, "permute", term.typed.span, term.typed, order), axes, term.weak)


def aligned(equation: Equation, term: Term, axes: tuple[str, ...]) -> Typed:
    """The value with its axes in this order and an axis of size 1 for each that it lacks, except in front."""
    return _stretched(equation, term, axes, False)


def _stretched(equation: Equation, term: Term, axes: tuple[str, ...], front: bool) -> Typed:
    if not term.axes or term.unknown:
        return term.typed
    typed = permuted(equation, term, tuple(name for name in axes if name in term.axes)).typed
    first = 0 if front else next(at for at, name in enumerate(axes) if name in term.axes)
    for at, name in enumerate(axes[first:]):
        if name not in term.axes:
            typed = call(equation, "unsqueeze", typed.span, typed, number(at, typed.span))
    return typed


def common_axes(equation: Equation, terms: list[Term]) -> tuple[str, ...]:
    """All axes of these terms: in the order of one that has them all, if there is one."""
    names = {name for term in terms for name in term.axes}
    whole = [term.axes for term in terms if len(term.axes) == len(names)]
    if whole:
        return whole[0]
    return equation.order(names)


def alike(equation: Equation, terms: list[Term]) -> tuple[list[Typed], tuple[str, ...]]:
    """Values that broadcast with each other, and the axes that they have together."""
    strong = next((term.dtype for term in terms if not term.weak and is_float_name(term.dtype)), None)
    if strong is None and equation.numbers == "float64":
        strong = equation.numbers
    if strong is not None:
        terms = [cast(equation, term, strong) if term.weak and is_float_name(term.dtype) else term for term in terms]
    axes = common_axes(equation, terms)
    front = all(len(term.axes) < len(axes) for term in terms)
    return [_stretched(equation, term, axes, front) for term in terms], axes


def combine(equation: Equation, node: ast.Binary, left: Term, right: Term, op: str = "") -> Term:
    """An operator between two terms, element by element."""
    if left.unknown or right.unknown:
        return Term(equation.state.unknown(node.span), ())
    values, axes = alike(equation, [left, right])
    operator = node if not op else ast.Binary(node.span, op, node.left, node.right, node.op_span)
    return Term(apply_operator(equation.state, operator, values[0], values[1]), axes, left.weak and right.weak)


def reduce(equation: Equation, name: str, term: Term, indices: list[str], span: Span) -> Term:
    """`sum`, `max`, ... along axes; those that take one axis only are applied for each."""
    if not indices or term.unknown:
        return term
    rest = tuple(axis for axis in term.axes if axis not in indices)
    at = [term.axes.index(index) for index in indices]
    if len(at) == 1:
        return Term(call(equation, name, span, term.typed, number(at[0], span)), rest, term.weak)
    if name in ("prod", "argmax", "argmin"):
        for axis in sorted(at, reverse=True):
            term = Term(call(equation, name, span, term.typed, number(axis, span)), rest, term.weak)
        return term
    return Term(call(equation, name, span, term.typed, numbers(at, span)), rest, term.weak)


def expanded(equation: Equation, term: Term, axes: tuple[str, ...], span: Span) -> Term:
    """The value with exactly these axes, repeated along those that it lacks."""
    if term.axes == axes or term.unknown:
        return term
    missing = [name for name in axes if name not in term.axes]
    if not missing:
        return permuted(equation, term, axes)
    typed = aligned(equation, term, axes)
    shape = [equation.ranges[name].size for name in axes]
    return Term(call(equation, "expand", span, typed, sizes(equation, shape, span)), axes)


def positions(equation: Equation, name: str, span: Span, dtype: str = "int64") -> Term:
    """An index as its numbers, 0 to its range."""
    size = equation.ranges[name].size
    count = Typed(size_operand(equation, size, span), Int(size), span)
    type_ = DTypeValue(dtype)
    more = {} if dtype == "int64" else {"dtype": Typed(Const(dtype, type_), type_, span)}
    return Term(call(equation, "arange", span, count, **more), (name,), weak=True)


def index(equation: Equation, base: Typed, items: list[Operand], shape: Shape, span: Span) -> Typed:
    """Tensor indexing whose resulting shape is known."""
    assert isinstance(base.type, Tensor)
    return equation.state.emit("index", (base.operand, *items), Tensor(base.type.dtype, shape), span)
