"""The one layout of a program: `tlc fmt`.

Four spaces, lines of at most 100 characters where the text allows it, one statement per line, one blank line kept between
statements, comments where they were. What a program means never changes: the tree of the result is the tree of the text.
"""

from tensorlogic.diagnostics.diagnostic import Problems, TensorLogicError
from tensorlogic.source import Source
from tensorlogic.syntax import ast, format_expressions, format_literals, format_statements, format_types
from tensorlogic.syntax.format_layout import concat, layout
from tensorlogic.syntax.format_printer import Printer, comment_text
from tensorlogic.syntax.parse import parse

RULE_FILES = (format_expressions, format_literals, format_statements, format_types)  # importing them fills RULES

ROUNDS = 4


def format_source(text: str, name: str = "<text>") -> str:
    """The text of a program in its one layout. Raises `TensorLogicError` with the mistakes of a text that is no program.

    >>> format_source("let  x=[1,2]  ;x[ 0 ]=3")
    'let x = [1, 2]\\nx[0] = 3\\n'
    """
    problems = Problems()
    module = parse(Source(name, text), problems)
    if problems.errors:
        raise TensorLogicError(problems.in_order())
    settled = _settled(module)
    return text.replace("\r\n", "\n") if settled is None else settled


def _settled(module: ast.Module) -> str | None:
    """The layout that stays as it is when it is laid out again. With a comment in an odd place inside a statement that may take a second
    round; None where tree or comments would not be kept."""
    formatted = format_module(module)
    for _ in range(ROUNDS):
        after = _read_again(module, formatted)
        if after is None or not module.comments:
            return formatted if after is not None else None
        again = format_module(after)
        if again == formatted:
            return formatted
        formatted = again
    return None


def _read_again(module: ast.Module, formatted: str) -> ast.Module | None:
    """The formatted program, if its tree and its comments are those of the module."""
    problems = Problems()
    after = parse(Source(module.source.name, formatted), problems)
    kept = not problems.errors and ast.same_tree(module.statements, after.statements) and _comments(module) == _comments(after)
    return after if kept else None


def _comments(module: ast.Module) -> list[str]:
    return [comment_text(c) for c in sorted(module.comments, key=lambda c: c.span.start)]


def format_module(module: ast.Module) -> str:
    """The text of a parsed program. Its comments, and where its author left blank lines, come from its source."""
    printer = Printer(module)
    printer.run()
    text = layout(concat(printer.inside(module), printer.statements(module.statements)))
    return text + "\n" if text else ""
