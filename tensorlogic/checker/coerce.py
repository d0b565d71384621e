"""Making an expression fit the type that is wanted: literals become tensors, ints become floats, the rest must agree."""

from collections.abc import Iterator
from dataclasses import replace

from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import describe, result_mistake
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import is_float, is_int
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.types import (
    AnyTensor,
    Bool,
    DTypeVar,
    Float,
    Int,
    Library,
    List,
    Segment,
    Shape,
    Tensor,
    Tuple,
    Type,
    Unknown,
    is_unknown,
)  # fmt: skip
from tensorlogic.types.unify import Bindings, Unifier

MANTISSA = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8, "float8_e4m3fn": 4, "float8_e5m2": 3}  # bits, the hidden one too


def literal_shape(type_: Type) -> tuple[Shape, Type] | None:
    """(shape, leaf type) of a number or a nested list of numbers, or None where the type is no such thing or ragged."""
    match type_:
        case Int() | Float() | Bool():
            return (), type_
        case List(_, items) if items:
            inner = [literal_shape(item) for item in items]
            first = inner[0]
            if first is None or any(found is None or found[0] != first[0] for found in inner):
                return None
            leaves = [found[1] for found in inner if found is not None]
            return (Dim.const(len(items)), *first[0]), _common_leaf(leaves)
        case List(_, items) if items is not None:
            return (Dim.const(0),), Float()
        case List(element) if (inner := literal_shape(element)) is not None:
            return (Dim.fresh(), *inner[0]), inner[1]  # as long as it is at run time
    return None


def uneven(type_: Type) -> str:
    """Which row of a nested list of numbers is at odds with the first, in words; empty where none is."""
    if not isinstance(type_, List) or not type_.items:
        return ""
    for at, item in enumerate(type_.items):
        if inner := uneven(item):
            return inner
        first, here = literal_shape(type_.items[0]), literal_shape(item)
        if first is not None and here is not None and first[0] != here[0]:
            return f"row {at} {_row(here[0])}, row 0 {_row(first[0])}"
    return ""


def _row(shape: Shape) -> str:
    if not shape:
        return "is a number"
    return f"has {' x '.join(map(str, shape))} number{'' if shape == (Dim.const(1),) else 's'}"


def _common_leaf(leaves: list[Type]) -> Type:
    if any(isinstance(leaf, Float) for leaf in leaves):
        return Float()
    return Bool() if all(isinstance(leaf, Bool) for leaf in leaves) else Int()


def leaf_fits(leaf: Type, dtype: str | DTypeVar) -> bool:
    """Whether a literal of this kind may become a tensor of the dtype: no fraction becomes an integer, no number a bool."""
    if isinstance(leaf, Bool):
        return dtype == "bool"
    if isinstance(dtype, DTypeVar):
        return not isinstance(leaf, Float) or dtype.kind in ("float", "number")
    return is_float(dtype) or dtype.startswith("complex") or (isinstance(leaf, Int) and is_int(dtype))


def default_dtype(state: State, leaf: Type) -> str:
    """That of a literal without a type."""
    return "bool" if isinstance(leaf, Bool) else "int64" if isinstance(leaf, Int) else state.float_dtype


def to_tensor(state: State, typed: Typed, dtype: str | DTypeVar | None = None, device: str | None = None) -> Typed:
    """A number or list of numbers as a tensor of its own shape. The caller has looked at `literal_shape`."""
    found = literal_shape(typed.type)
    assert found is not None
    shape, leaf = found
    dtype = dtype or default_dtype(state, leaf)
    return state.emit("tensor", (typed.operand,), Tensor(dtype, shape), typed.span, dtype=dtype, device=device)


def coerce(
    state: State, typed: Typed, wanted: Type, what: str, *, result: Span | None = None, of: Span | None = None, advice: str = ""
) -> Typed:
    """`typed` as a value of type `wanted`, or a message at its place. With `result` the messages are TL0312; `advice` is the help where
    sizes disagree."""
    if typed.doubted:
        return typed
    if is_unknown(typed.type) or isinstance(wanted, Unknown):
        return Typed(typed.operand, wanted if not isinstance(wanted, Unknown) else typed.type, typed.span)
    converted = _convert(state, typed, wanted)
    need = state.need()
    Unifier(need, Bindings(), rigid=True).fit(wanted, converted.type, what)
    if need.mistakes:
        if result is not None:
            state.report(result_mistake(need.mistakes[0], typed.span, wanted, typed.type, result))
        else:
            labels = (Label(of, f"declared {wanted}"),) if of else ()
            told = describe(need.mistakes[0], typed.span, labels)
            rows = uneven(typed.type) if isinstance(wanted, Tensor) else ""
            rows = rows or (advice if told.code in ("TL0301", "TL0304") else "")
            state.report(replace(told, help=(rows,)) if rows else told)
        return Typed(typed.operand, wanted, typed.span, doubted=True)
    add_guards(state, need.guards, typed.span)
    return _checked(state, converted, wanted)


def _checked(state: State, typed: Typed, wanted: Type) -> Typed:
    if isinstance(typed.type, AnyTensor) and isinstance(wanted, Tensor):
        return check_at_run_time(state, typed, wanted)
    return Typed(typed.operand, precise(typed.type, wanted), typed.span)


def check_at_run_time(state: State, typed: Typed, wanted: Tensor) -> Typed:
    """A tensor of unknown type is compared with the declared one when it is there."""
    return state.emit("check_type", (typed.operand,), wanted, typed.span, type=wanted, bindings=dict(state.frame.dim_values))


def precise(found: Type, wanted: Type) -> Type:
    """Of two types that agree the one that says more: a declared `?` takes the size that was found."""
    match wanted, found:
        case Tensor(dtype, shape), Tensor(_, sizes) if len(shape) == len(sizes):
            items = tuple(s if isinstance(w, Dim) and w.has_unknown else w for w, s in zip(shape, sizes, strict=True))
            return Tensor(dtype, items)
        case Tensor(), Tensor():
            return found
        case Library(), Library():
            return found
        case (Int(None), Int()) | (List(), List()) | (Bool(), Bool()):
            return found
    return wanted


def _convert(state: State, typed: Typed, wanted: Type) -> Typed:
    match wanted, typed.type:
        case Tensor(dtype, shape), Int() | Float() | Bool() | List():
            return _literal_to(state, typed, dtype, shape)
        case Float(), Int():
            return _int_to_float(state, typed)
        case Tuple(items), Tuple(found) if len(items) == len(found) and items != found:
            return _convert_tuple(state, typed, items, found)
        case List(Float()), List(_, items) if items and any(isinstance(i, Int) for i in items) and isinstance(typed.operand, Const):
            values = tuple(float(v) if type(v) is int else v for v in typed.operand.value)  # type: ignore[union-attr]
            return Typed(Const(values, List(Float(), (Float(),) * len(items))), List(Float(), (Float(),) * len(items)), typed.span)
    return typed


def _convert_tuple(state: State, typed: Typed, items: tuple[Type, ...], found: tuple[Type, ...]) -> Typed:
    """A tuple whose parts need converting is taken apart and put together again."""
    if not any(isinstance(w, Tensor) and not isinstance(f, Tensor | AnyTensor) for w, f in zip(items, found, strict=True)):
        return typed
    parts = [state.emit("item", (typed.operand,), part, typed.span, index=i) for i, part in enumerate(found)]
    parts = [_convert(state, part, want) for part, want in zip(parts, items, strict=True)]
    return state.emit("tuple", tuple(p.operand for p in parts), Tuple(tuple(p.type for p in parts)), typed.span)


def _int_to_float(state: State, typed: Typed) -> Typed:
    if isinstance(typed.operand, Const) and isinstance(typed.operand.value, int):
        return Typed(Const(float(typed.operand.value), Float(), typed.operand.text), Float(), typed.span)
    return state.emit("cast", (typed.operand,), Float(), typed.span, to="float")


def _literal_to(state: State, typed: Typed, dtype: str | DTypeVar, shape: Shape) -> Typed:
    found = literal_shape(typed.type)
    if found is None:
        return typed
    sizes, leaf = found
    if not leaf_fits(leaf, dtype):
        return typed
    _note_precision(state, typed, leaf, dtype)
    if sizes == (Dim.const(0),) and any(isinstance(d, Dim) and d.value == 0 for d in shape):
        sizes = tuple(d for d in shape if not isinstance(d, Segment))
    return state.emit("tensor", (typed.operand,), Tensor(dtype, sizes), typed.span, dtype=dtype)


def _note_precision(state: State, typed: Typed, leaf: Type, dtype: str | DTypeVar) -> None:
    """A whole number that the float dtype cannot hold is a warning: it becomes another whole number."""
    bits = MANTISSA.get(dtype) if isinstance(dtype, str) else None
    if bits is None or not isinstance(typed.operand, Const) or isinstance(leaf, Bool):
        return
    lost = next((n for n in _whole_numbers(typed.operand.value) if n % (1 << max(n.bit_length() - bits, 0))), None)
    if lost is not None:
        title = f"{dtype} cannot hold {lost} exactly"
        state.report(
            Diagnostic(
                "TL0704", title, typed.span, "it is rounded", help=("write it with a decimal point if that is meant",), severity="warning"
            )
        )


def _whole_numbers(value: object) -> Iterator[int]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending.extend(item)
        elif type(item) is int:
            yield item


def need_type(state: State, typed: Typed, kinds: tuple[type, ...], expected: str, what: str) -> bool:
    """Whether the type is one of these kinds; a message where it is not."""
    if isinstance(typed.type, (*kinds, Unknown)):
        return not isinstance(typed.type, Unknown)
    state.report(describe(WrongType(what, expected, typed.type), typed.span))
    return False
