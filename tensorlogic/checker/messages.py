"""The words and codes for what the type system finds wrong: the only place that turns facts into diagnostics."""

from collections.abc import Mapping

from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.goals import Goal
from tensorlogic.types.mistakes import (
    AccidentalBroadcast,
    AxisOutOfRange,
    BadArgument,
    CountMismatch,
    DTypeKind,
    DTypeMismatch,
    EmptySlice,
    IndexOutOfRange,
    Mistake,
    NotDefined,
    NotDivisible,
    RankMismatch,
    SizeMismatch,
    WhereNotMet,
    Witness,
    WrongType,
)  # fmt: skip
from tensorlogic.types.types import Shape, Tensor, Type

KINDS_IN_WORDS = {"float": "a float dtype", "int": "an integer dtype", "number": "a number dtype", "bool": "bool", "any": "a plain dtype"}


def shape_text(shape: Shape | Type) -> str:
    return f"[{', '.join(map(str, shape))}]" if isinstance(shape, tuple) else str(shape)


def example(witness: Witness | None) -> tuple[str, ...]:
    """The note that shows the smallest numbers with which it breaks."""
    if not witness:
        return ()
    numbers = ", ".join(f"{name.partition('#')[0]} = {n}" for name, n in sorted(witness.items()))
    return (f"for example {numbers} breaks it",)


def describe(mistake: Mistake, span: Span, labels: tuple[Label, ...] = (), subject: str = "") -> Diagnostic:
    """The diagnostic for a mistake at `span`; `subject` names the operation: "`linear`"."""
    code, message, text, notes, help = _words(mistake, subject)
    return Diagnostic(code, message, span, text, labels, notes, help)


Words = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]


def _words(mistake: Mistake, subject: str) -> Words:
    match mistake:
        case SizeMismatch(what, left, right, witness):
            return _sizes(what, left, right, witness, subject)
        case RankMismatch(what, expected, found):
            return "TL0304", f"{what} has another number of dims: expected {expected}, found {shape_text(found)}", "wrong rank", (), ()
        case AccidentalBroadcast(left, right):
            return _broadcast(left, right)
        case DTypeMismatch(what, left, right):
            return (
                "TL0302",
                f"{what}: {left} does not mix with {right}",
                f"{left} against {right}",
                (),
                (f"convert one side with `.to({left})`",),
            )
        case DTypeKind(what, _, found) if found in QUANTIZED:
            return (
                "TL0305",
                f"{what} cannot be {found}, which only stores numbers",
                f"this is {found}",
                (),
                ("dequantize it with `.to(float32)`",),
            )
        case DTypeKind(what, kind, found):
            words = KINDS_IN_WORDS.get(kind, kind)
            return "TL0302", f"{what} must have {words}, found {found}", f"this is {found}", (), (f"convert it with `.to(...)` to {words}",)
        case NotDefined(operation, found, advice):
            return "TL0305", f"{operation} is not defined for {found}", f"this is {found}", (), _one(advice)
        case WrongType(what, expected, found, advice):
            return "TL0306", f"{what}: expected {expected}, found {found}", f"this is {found}", (), _one(advice)
        case BadArgument(code, text, advice):
            return code, text, "", (), _one(advice)
    return _sizes_and_places(mistake, subject)


def _sizes_and_places(mistake: Mistake, subject: str) -> Words:
    match mistake:
        case CountMismatch(before, after, witness):
            title = f"cannot reshape {shape_text(before)} to {shape_text(after)}: the numbers of elements differ"
            return "TL0308", title, "another number of elements", example(witness), ()
        case NotDivisible(divisor, dividend, witness):
            known = dividend.value is not None and divisor.value is not None
            help = "" if known else f"say `where {dividend} % {divisor} == 0`"
            return (
                "TL0309",
                f"{divisor} does not {'' if known else 'always '}divide {dividend}",
                f"{dividend} / {divisor}",
                example(witness),
                _one(help),
            )
        case AxisOutOfRange(axis, shape):
            rank = len(shape)
            span = f"its axes are {-rank} to {rank - 1}" if rank else "it has no axes"
            return "TL0310", f"axis {axis} is out of range for {shape_text(shape)}", span, (), ()
        case IndexOutOfRange(index, size):
            return "TL0310", f"index {index} is out of range for a size of {size}", f"the size is {size}", (), ()
        case EmptySlice(what, size):
            negative = size.value is not None and size.value < 0
            return (
                "TL0310",
                f"{what} is {'negative' if negative else 'certainly empty'}",
                f"its size would be {size if size.value is None else size.value}",
                (),
                (),
            )
        case WhereNotMet(callee, goal, witness, text, values):
            title = f"{callee} requires `{text or goal}`, which is not met here"
            return "TL0311", title, values or f"{goal} does not hold", example(witness), ()
    raise AssertionError(mistake)


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _sizes(what: str, left: Dim, right: Dim, witness: Mapping[str, int] | None, subject: str) -> Words:
    title = f"{subject} needs {what} to agree: {left} is not {right}" if subject else f"{what}: {left} is not {right}"
    named = left.value is None and right.value is None
    help = (f"say `where {left} == {right}` if they are always equal",) if named and not (left.has_unknown or right.has_unknown) else ()
    return "TL0301", title, f"{left} against {right}", example(witness), help


def _broadcast(left: Shape, right: Shape) -> Words:
    title = f"{shape_text(left)} and {shape_text(right)} would broadcast into a shape that neither has"
    lower = "the left" if len(left) < len(right) else "the right"
    return (
        "TL0303",
        title,
        "accidental broadcast",
        (),
        (f"give {lower} operand its missing axis with `unsqueeze`, or drop one with `squeeze`",),
    )


def guard_note(goal: Goal, span: Span, inserted: bool) -> Diagnostic:
    ending = "a check was inserted at run time" if inserted else "the operation itself checks it at run time"
    return Diagnostic("TL0702", f"cannot prove {goal}; {ending}", span, "this size is known only at run time", severity="warning")


def result_mistake(mistake: Mistake, span: Span, declared: Type, found: Type, where: Span | None) -> Diagnostic:
    """A result that is not what the function declares: always TL0312."""
    inner = describe(mistake, span)
    labels = (Label(where, f"the result is declared {declared}"),) if where else ()
    title = f"the result is {found}, declared is {declared}"
    advice = (
        (f"declare the result as {found}",)
        if isinstance(found, Tensor) and not any(isinstance(d, Dim) and d.has_unknown for d in found.shape)
        else ()
    )
    return Diagnostic("TL0312", title, span, f"this is {found}", labels, (*inner.notes,), advice)
