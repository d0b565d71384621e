"""The words and codes for what the type system finds wrong: the only place that turns facts into diagnostics."""

from functools import reduce
from operator import mul

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


def example(witness: Witness | None, *sides: Dim) -> tuple[str, ...]:
    """The note that shows the smallest numbers with which it breaks, and what they make of two sides that are no plain names."""
    if not witness:
        return ()
    numbers = ", ".join(f"{name.partition('#')[0]} = {n}" for name, n in sorted(witness.items()))
    shown = not all(side.name or side.value is not None for side in sides) and all(side.symbols() <= witness.keys() for side in sides)
    values = " is not ".join(str(side.evaluate(witness)) for side in sides) if shown else ""
    return (f"for example {numbers} breaks it{': ' if values else ''}{values}",)


def elements(shape: Shape) -> Dim | None:
    """The number of elements of a shape, or None where it has a run of dims."""
    sizes = [size for size in shape if isinstance(size, Dim)]
    return reduce(mul, sizes, Dim.const(1)) if len(sizes) == len(shape) else None


def describe(mistake: Mistake, span: Span, labels: tuple[Label, ...] = (), subject: str = "") -> Diagnostic:
    """The diagnostic for a mistake at `span`; `subject` names the operation: "`linear`"."""
    code, message, text, notes, help = _words(mistake, subject)
    return Diagnostic(code, message, span, text, labels, notes, help)


Words = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]


def _words(mistake: Mistake, subject: str) -> Words:
    match mistake:
        case SizeMismatch():
            return _sizes(mistake, subject)
        case RankMismatch(what, expected, found):
            title = f"{what} has another number of dims: expected {expected}, found {shape_text(found)}"
            return "TL0304", title, f"this is {shape_text(found)}", (), ()
        case AccidentalBroadcast(left, right):
            return _broadcast(left, right)
        case DTypeMismatch(what, left, right) if what.startswith("`"):
            return "TL0302", f"{what} must be {left}, found {right}", f"this is {right}", (), (f"convert it with `.to({left})`",)
        case DTypeMismatch(what, left, right):
            title = f"{what}: {left} does not mix with {right}"
            return "TL0302", title, f"{left} against {right}", (), (f"convert one side with `.to({left})`",)
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
            counts = [elements(shape) for shape in (before, after)]
            if counts[0] is None or counts[1] is None:
                return "TL0308", title, "another number of elements", example(witness), ()
            return "TL0308", title, f"{counts[0]} elements against {counts[1]}", example(witness, *counts), ()  # type: ignore[arg-type]
        case NotDivisible(divisor, dividend, witness):
            known = dividend.value is not None and divisor.value is not None
            help = "" if known else f"say `where {dividend.as_operand()} % {divisor.as_operand()} == 0`"
            rest = f" leaves {dividend.value % divisor.value}" if dividend.value is not None and divisor.value else ""
            return (
                "TL0309",
                f"{divisor} does not {'' if known else 'always '}divide {dividend}",
                f"{dividend.as_operand()} / {divisor.as_operand()}{rest}",
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
            if size.value is not None and size.value < 0:
                return "TL0310", f"{what} would have the size {size.value}", "a size is not negative", (), ()
            return "TL0310", f"{what} is certainly empty", f"its size would be {size}", (), ()
        case WhereNotMet(callee, goal, witness, text, values):
            title = f"{callee} requires `{text or goal}`, which is not met here"
            return "TL0311", title, values or f"{goal} does not hold", example(witness), ()
    raise AssertionError(mistake)


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _sizes(mistake: SizeMismatch, subject: str) -> Words:
    left, right = mistake.left, mistake.right
    return "TL0301", _sizes_title(mistake, subject), f"{left} against {right}", example(mistake.witness, left, right), promise(left, right)


def _sizes_title(mistake: SizeMismatch, subject: str) -> str:
    """Who needs which size to be what; for an argument by the names that the signature gives to it."""
    what, left, right, pattern = mistake.what, mistake.left, mistake.right, mistake.pattern
    here, first = what.partition(" of ")[0], mistake.first.partition(" of ")[0]
    if pattern is not None and first:
        both = f"both `{pattern}` of {here}" if first == here else f"`{pattern}` of {first} and of {here}"
        return f"{subject or what} needs {both} to agree: {left} is not {right}"
    if pattern is not None:
        expected = f"`{pattern}`, which is {left}" if pattern not in (left, right) and pattern.value is None else str(left)
        return f"{what} has another size: expected {expected}, found {right}"
    if subject and not what.endswith(f"of {subject}"):
        return f"{subject} needs {what} to agree: {left} is not {right}"
    return f"{what} has another size: expected {left}, found {right}" if what.startswith("`") else f"{what}: {left} is not {right}"


def promise(left: Dim, right: Dim) -> tuple[str, ...]:
    """The `where` that would make two sizes equal; none where no size can."""
    if left.value is not None or right.value is not None or left.has_unknown or right.has_unknown or (left - right).value is not None:
        return ()
    for whole, part in ((left, right), (right, left)):
        least = next((atom.args for atom in part.atoms() if atom.kind == "min" and len(atom.args) == 2 and part == Dim.min(*atom.args)), ())
        if whole in least:
            other = next(arg for arg in least if arg != whole)
            return (f"say `where {whole} <= {other}` if it always is",)
    if any(atom.args for side in (left, right) for atom in side.atoms()):
        return ()
    return (f"say `where {left} == {right}` if they are always equal",)


def _broadcast(left: Shape, right: Shape) -> Words:
    title = f"{shape_text(left)} and {shape_text(right)} would broadcast into a shape that neither has"
    lower, higher = ("the left", "the right") if len(left) < len(right) else ("the right", "the left")
    help = f"give {lower} operand its missing axis with `.unsqueeze(-1)`"
    most = max(left, right, key=len)
    if most[-1] == Dim.const(1):
        help += f", or drop the last axis of {higher} one with `.squeeze(-1)`"
    made = [a if b == Dim.const(1) else b for a, b in zip(*(_padded(shape, len(most)) for shape in (left, right)), strict=True)]
    return "TL0303", title, "accidental broadcast", (f"PyTorch would make {shape_text(tuple(made))} of them",), (help,)


def _padded(shape: Shape, rank: int) -> Shape:
    return (Dim.const(1),) * (rank - len(shape)) + shape


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
