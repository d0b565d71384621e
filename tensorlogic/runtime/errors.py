"""What went wrong while a program ran, as a diagnostic at the place in the program."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.source import Source, Span

GUARD = "this needs "  # how the text of a failed guard begins; generated code raises ValueError with it
_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|Storage size calculation overflowed|array is too big", re.I
)
# What PyTorch says, and the code for it; the first that fits decides.
_PHRASES = tuple(
    (re.compile(phrase, re.I), code, title)
    for phrase, code, title in (
        (r"all tensors to be on the same device|but is on (cuda|cpu|mps)", "TL0805", "tensors of different devices do not mix"),
        (r"MPS .* float64|float64 .* MPS", "TL0805", "the MPS device has no float64"),
        (r"torch not compiled with cuda|no nvidia driver|invalid device ordinal", "TL0805", "this device is not available"),
        (r"ambiguous", "TL0306", "a condition must be a bool or a tensor with one element"),
        (r"math domain error", "TL0305", "this function has no value for this number"),
        (r"invalid literal for int|could not convert string to float", "TL0306", "this text is not a number"),
        (r"cannot be converted to Scalar", "TL0306", "a tensor with one element is needed here"),
        (r"is invalid for input of size", "TL0308", "the numbers of elements disagree"),
        (
            r"Dimension out of range|index .*out of (range|bounds)|index out of range|out of bounds",
            "TL0310",
            "an index or axis is out of range",
        ),
        (r"too many indices", "TL0304", "too many indices"),
        (r"not divisible|must be divisible", "TL0309", "a size does not divide"),
        (r"not implemented for|not supported|unsupported", "TL0305", "this operation is not defined for these tensors"),
        (
            r"dtype|scalar type|same type|(Long|Int|Half|Float|Double|BFloat16|Bool)(Tensor)?\b.*(but|found|and)",
            "TL0302",
            "the dtypes disagree",
        ),
        (
            r"(must|should) be .*D\b|dimensional|Expected \d+D|number of dimensions|1D tensors expected",
            "TL0304",
            "a tensor has the wrong rank",
        ),
        (r"size|shape|match|broadcast|expand", "TL0301", "the sizes disagree"),
    )
)


def explain_exception(error: BaseException, sources: Mapping[str, Source]) -> Diagnostic | None:
    """The diagnostic for an exception of a running program; None for one that the program cannot have caused (a bug of ours).

    `sources` maps the file names that the generated code carries to the texts. Exit codes follow from the code of the diagnostic.
    """
    span = program_place(error.__traceback__, sources)
    if isinstance(error, TensorLogicError):
        return _placed(error.diagnostics[0], span)
    if isinstance(error, KeyboardInterrupt):
        return Diagnostic("TL0806", "interrupted", span)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error))):
        return Diagnostic("TL0804", "out of memory", span, notes=_note(error), help=("use smaller sizes or a smaller dtype",))
    return _from_program(error, span) if span else None


def _placed(diagnostic: Diagnostic, span: Span | None) -> Diagnostic:
    return diagnostic if diagnostic.span or span is None else replace(diagnostic, span=span)


def program_place(traceback: TracebackType | None, sources: Mapping[str, Source]) -> Span | None:
    """The innermost place of a traceback that lies in a program."""
    found = None
    while traceback is not None:
        source = sources.get(traceback.tb_frame.f_code.co_filename)
        if source is not None:
            found = _frame_place(traceback, source) or found
        traceback = traceback.tb_next
    return found


def _frame_place(traceback: TracebackType, source: Source) -> Span | None:
    positions = list(traceback.tb_frame.f_code.co_positions())
    at = traceback.tb_lasti // 2
    line, end_line, column, end_column = positions[at] if at < len(positions) else (traceback.tb_lineno, None, None, None)
    if not line or line > len(source.line_starts):
        return None
    start = source.line_starts[line - 1] + (column or 0)
    if end_line is None or end_column is None or end_line > len(source.line_starts):
        return Span(source, start, start + 1)
    return Span(source, start, source.line_starts[end_line - 1] + end_column)


def _note(error: BaseException) -> tuple[str, ...]:
    """What PyTorch or Python said, in one line."""
    said = " ".join(str(error).split())
    return (said[:400],) if said else ()


def _from_program(error: BaseException, span: Span) -> Diagnostic | None:
    match error:
        case AssertionError():
            return Diagnostic("TL0802", f"assertion failed: {error}" if str(error) else "assertion failed", span)
        case ValueError() if str(error).startswith(GUARD):
            return Diagnostic("TL0801", str(error), span)
        case ZeroDivisionError():
            return Diagnostic("TL0801", "division by zero", span)
        case OverflowError():
            return Diagnostic("TL0314", "a number is too large", span, notes=_note(error))
        case RecursionError():
            return Diagnostic("TL0104", "functions call each other too deeply", span, help=("use a loop",))
        case FileNotFoundError():
            return Diagnostic("TL0606", f"file not found: {error.filename}", span)
        case IndexError() | RuntimeError() | ValueError():
            return _from_torch(error, span)
    return None


def _from_torch(error: BaseException, span: Span) -> Diagnostic:
    said = str(error)
    for phrase, code, title in _PHRASES:
        if phrase.search(said):
            return Diagnostic(code, title, span, notes=_note(error))
    if isinstance(error, IndexError):
        return Diagnostic("TL0310", "an index is out of range", span, notes=_note(error))
    return Diagnostic("TL0305", "PyTorch refuses this operation", span, notes=_note(error))
