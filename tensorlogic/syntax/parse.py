"""Text to tree: the one way in for programs, for signatures of builtins, and for files."""

import os
import stat

from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems, TensorLogicError
from tensorlogic.source import Source, Span
from tensorlogic.syntax import ast
from tensorlogic.syntax.build_statements import Builder, SignatureBuilder
from tensorlogic.syntax.driver import Driver
from tensorlogic.syntax.layout import laid_out
from tensorlogic.syntax.mistakes import Reporter
from tensorlogic.syntax.tokens import scan

MAX_BYTES = 10_000_000


def parse(source: Source, problems: Problems) -> ast.Module:
    """The tree of a program. Never raises: mistakes are added to `problems` (TL0101 to TL0104), their statements left out."""
    if len(source.text) > MAX_BYTES:
        problems.add(too_long(Span(source, 0, 0)))
        return ast.Module(source, (), ())
    found = scan(source, problems)
    tokens = laid_out(found)
    builder = Builder(source, problems, found.docs)
    driver = Driver(source, tokens, builder, Reporter(source, tokens, problems))
    return ast.Module(source, driver.parse("module") or (), tuple(found.comments))


def parse_whole(source: Source) -> ast.Module:
    """The tree of a program that has no mistakes. Raises ValueError with the first one."""
    problems = Problems()
    tree = parse(source, problems)
    if problems.errors:
        raise ValueError(f"{source.name}: {problems.errors[0].message}")
    return tree


def parse_signature(text: str) -> ast.FnDecl:
    """`linear(x: T[...B, I], w: T[O, I]) -> T[...B, O] where ...` as a function without a body. Raises ValueError with a message."""
    return strictly(text, "signature", SignatureBuilder)


def parse_expression(text: str) -> ast.Expr:
    """One expression. Raises ValueError with a message."""
    return strictly(text, "expression", Builder)


def strictly(text: str, start: str, builder: type[Builder]):
    source, problems = Source("<text>", text), Problems()
    found = scan(source, problems)
    tokens = laid_out(found)
    tree = Driver(source, tokens, builder(source, problems, {}), Reporter(source, tokens, problems)).parse(start)
    if problems.found or tree is None:
        raise ValueError("; ".join(f"{d.message} ({d.span!r})" for d in problems.found) + f" in `{text}`")
    return tree


def read_source(path: str | os.PathLike[str]) -> Source:
    """A program's text, strictly UTF-8. Raises TensorLogicError (TL0103, TL0104) or OSError, FileNotFoundError among them."""
    name = os.fspath(path)
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise TensorLogicError(Diagnostic("TL0104", f"{name} is not an ordinary file", file=name))
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TensorLogicError(too_long(None, name))
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        source = Source(name, before)
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        help = ("save the file as UTF-8",)
        raise TensorLogicError(Diagnostic("TL0103", message, Span(source, len(before), len(before)), help=help)) from None


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe would wait for somebody to write to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def too_long(span: Span | None, file: str | None = None) -> Diagnostic:
    help = ("split it into files and import them",)
    return Diagnostic("TL0104", f"a program has at most {MAX_BYTES:,} bytes", span, help=help, file=file)
