"""Program files as the commands read them: what is not there is a wrong argument."""

from collections.abc import Callable, Iterable

from tensorlogic.cli.report import report
from tensorlogic.cli.usage import UsageError
from tensorlogic.diagnostics.codes import exit_code
from tensorlogic.diagnostics.diagnostic import Problems, TensorLogicError
from tensorlogic.source import Source
from tensorlogic.syntax.ast import Module
from tensorlogic.syntax.parse import parse, read_source


def read_program(path: str) -> Source:
    """The source at a path. UsageError where no file can be read there; TensorLogicError where it is no program text."""
    try:
        return read_source(path)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror or problem}") from None
    except ValueError as problem:  # a NUL in the path
        raise UsageError(f"{path!r}: {problem}") from None


def tree_of(source: Source) -> Module:
    """The syntax tree. TensorLogicError where the text is no program."""
    problems = Problems()
    tree = parse(source, problems)
    if problems.errors:
        raise TensorLogicError(problems.in_order())
    return tree


def write_text(path: str, text: str) -> None:
    """Replace a file whole. UsageError where it cannot be written."""
    from tensorlogic.write import replace_text  # loads what most commands do not need

    try:
        replace_text(path, text)
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {problem.strerror or problem}") from None


def for_each(paths: Iterable[str], action: Callable[[str], int]) -> int:
    """Do something with every file, whatever comes of the others. The largest exit code; UsageError if some could not be read."""
    codes, unreadable = [0], []
    for path in paths:
        try:
            codes.append(action(path))
        except UsageError as problem:
            unreadable.append(str(problem))
        except TensorLogicError as error:
            report(error.diagnostics)
            codes.append(exit_code(error.diagnostics))
    if unreadable:
        raise UsageError("; ".join(unreadable))
    return max(codes)
