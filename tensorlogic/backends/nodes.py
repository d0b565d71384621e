"""Short ways to write nodes of Python's own syntax tree, and their widths and places."""

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tensorlogic.source import Source, Span

BINARY = {
    "+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "//": ast.FloorDiv(), "%": ast.Mod(),
    "**": ast.Pow(), "@": ast.MatMult(),
}  # fmt: skip
COMPARE = {
    "==": ast.Eq(), "!=": ast.NotEq(), "<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE(), "in": ast.In(),
    "not in": ast.NotIn(),
}  # fmt: skip
UNARY = {"-": ast.USub(), "not": ast.Not(), "~": ast.Invert()}
LOAD, STORE = ast.Load(), ast.Store()


@dataclass(slots=True)
class Expr:
    """A piece of Python: about how wide its text is, how deep it nests, and whether it is only a name or a constant.

    `calls` says that evaluating it may run code of the program, which can change variables.
    """

    node: ast.expr
    width: int
    depth: int = 0
    calls: bool = False

    @property
    def atomic(self) -> bool:
        return self.depth == 0


def name(text: str) -> Expr:
    return Expr(ast.Name(text, LOAD), len(text))


def number(value: int) -> ast.expr:
    """A number as it is read back: a minus is an operator."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def constant(value: Any) -> Expr:
    """A literal: None, bool, str, a number, or nested tuples of them, which are written as lists."""
    match value:
        case tuple():
            items = [constant(item) for item in value]
            return Expr(ast.List([item.node for item in items], LOAD), sum(item.width + 2 for item in items) + 2)
        case float() if value != value:
            return Expr(ast.Call(ast.Name("float", LOAD), [ast.Constant("nan")], []), 12, 1)
        case float() if value < 0 or str(value) == "-0.0":
            return Expr(ast.UnaryOp(ast.USub(), ast.Constant(-value)), len(repr(value)))
        case int() if value < 0:
            return Expr(number(value), len(repr(value)))
    return Expr(ast.Constant(value), len(repr(value)))


def join(node: ast.expr, parts: list[Expr], extra: int, calls: bool = False) -> Expr:
    """The expression made of `parts` with `extra` columns around them."""
    width = sum(part.width for part in parts) + extra
    return Expr(node, width, 1 + max((part.depth for part in parts), default=0), calls or any(part.calls for part in parts))


def path(*names: str) -> ast.expr:
    """`torch.nn.functional` and the like."""
    node: ast.expr = ast.Name(names[0], LOAD)
    for attribute in names[1:]:
        node = ast.Attribute(node, attribute, LOAD)
    return node


def call(function: ast.expr, args: list[Expr], width: int, keywords: dict[str, Expr] | None = None, calls: bool = False) -> Expr:
    """`function(*args, **keywords)`; `width` is that of the function's own text."""
    named = [ast.keyword(key, value.node) for key, value in (keywords or {}).items()]
    parts = [*args, *(keywords or {}).values()]
    extra = width + 2 * len(parts) + 2 + sum(len(key) + 1 for key in keywords or {})
    return join(ast.Call(function, [arg.node for arg in args], named), parts, extra, calls)


@lru_cache(8192)
def _corner(source: Source, offset: int) -> tuple[int, int]:
    line, column = source.position(offset)
    return line, column - 1


def locate(node: ast.AST, span: Span | None, source: Source) -> ast.AST:
    """Gives the nodes that have no place yet the place of `span`: lines and columns (in characters) of the `.tl` file.

    Code objects know one file: nodes from another one than `source` get its first line.
    """
    if span is None or span.source is not source:
        place = (1, 0, 1, 0)
    else:
        place = (*_corner(source, span.start), *_corner(source, max(span.start, span.end)))
    for part in ast.walk(node):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            part.lineno, part.col_offset, part.end_lineno, part.end_col_offset = place  # type: ignore[attr-defined]
    return node
