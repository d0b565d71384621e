"""The text of a generated module: a statement per line, types and places as comments; read back to be sure it says what was meant."""

import ast
import re
from collections.abc import Iterator

CODE_COLUMNS = 100
COLUMNS = 140
COMMENT_COLUMN = 44
INDENT = "    "
_COMPARES_BOOL = re.compile(r"[!=]= (True|False)\b|\b(True|False) [!=]=")


class Mismatch(Exception):
    """The text does not read back as the tree it was made from: a bug of ours."""


def comment_text(text: str) -> str:
    """The text with nothing in it but printable ASCII, so that it cannot end the comment."""
    return text.encode("unicode_escape").decode("ascii")


def with_comment(node: ast.AST, text: str) -> ast.AST:
    node.tl_comment = text  # type: ignore[attr-defined]
    return node


def module_text(tree: ast.Module) -> str:
    """The module's text. Blank lines as ruff and people expect them."""
    lines: list[str] = []
    previous: ast.stmt | None = None
    for statement in tree.body:
        lines += [""] * _blank_lines(previous, statement)
        lines += _lines(statement, "")
        previous = statement
    return "\n".join(lines) + "\n"


def _blank_lines(previous: ast.stmt | None, statement: ast.stmt) -> int:
    if previous is None:
        return 0
    if isinstance(statement, ast.FunctionDef | ast.ClassDef) or isinstance(previous, ast.FunctionDef | ast.ClassDef):
        return 2
    if isinstance(statement, ast.If):
        return 2
    imports = isinstance(statement, ast.Import | ast.ImportFrom)
    if isinstance(previous, ast.Import | ast.ImportFrom):
        return int(not imports or _section(previous) != _section(statement))
    return int(imports)


def _section(statement: ast.stmt) -> bool:
    """Whether an import is of Python's own library."""
    module = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name  # type: ignore[attr-defined]
    return (module or "").partition(".")[0] not in ("torch", "tensorlogic")


def _lines(statement: ast.stmt, indent: str) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(body=body) | ast.ClassDef(body=body) | ast.For(body=body) | ast.While(body=body) | ast.With(body=body):
            for decorator in getattr(statement, "decorator_list", ()):
                yield f"{indent}@{ast.unparse(decorator)}"
            yield from _commented(_header(statement), statement, indent)
            yield from _block(body, indent)
        case ast.If():
            yield from _if_lines(statement, indent)
        case ast.Expr(ast.Constant(str())):
            yield indent + ast.unparse(ast.Module([statement], []))  # as a docstring
        case _:
            yield from _commented(ast.unparse(statement), statement, indent)


def _header(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef(name=name, args=args):
            return f"def {name}({ast.unparse(args)}):"
        case ast.ClassDef(name=name, bases=bases):
            return f"class {name}({', '.join(map(ast.unparse, bases))}):" if bases else f"class {name}:"
        case ast.For(target=target, iter=iterable):
            return f"for {ast.unparse(target)} in {ast.unparse(iterable)}:"
        case ast.While(test=test):
            return f"while {ast.unparse(test)}:"
        case ast.With(items=items):
            return f"with {', '.join(map(ast.unparse, items))}:"
    raise Mismatch(f"no header for {type(statement).__name__}")


def _if_lines(statement: ast.If, indent: str) -> Iterator[str]:
    word = "if"
    while True:
        yield from _commented(f"{word} {ast.unparse(statement.test)}:", statement, indent)
        yield from _block(statement.body, indent)
        match statement.orelse:
            case []:
                return
            case [ast.If() as following]:
                statement, word = following, "elif"
            case orelse:
                yield f"{indent}else:"
                yield from _block(orelse, indent)
                return


def _block(body: list[ast.stmt], indent: str) -> Iterator[str]:
    for i, statement in enumerate(body):
        if i and isinstance(statement, ast.FunctionDef) or i and isinstance(body[i - 1], ast.FunctionDef):
            yield ""
        yield from _lines(statement, indent + INDENT)


def _commented(code: str, statement: ast.stmt, indent: str) -> Iterator[str]:
    lines = [indent + line if i == 0 else line for i, line in enumerate(code.split("\n"))]
    if len(lines) == 1 and len(lines[0]) > CODE_COLUMNS:
        lines = _wrapped(lines[0], indent)
    comment = getattr(statement, "tl_comment", "")
    if comment:
        lines[0] = _beside(lines[0], comment)
    if any(len(line) > COLUMNS for line in lines):
        lines[-1] += "  # noqa: E501"
    if _COMPARES_BOOL.search(code):
        lines[-1] += "  # noqa: E712"
    yield from lines


def _beside(line: str, comment: str) -> str:
    room = COLUMNS - max(len(line) + 2, COMMENT_COLUMN) - 2
    if room < 12:
        return line
    if len(comment) > room:
        comment = comment[: room - 3] + "..."
    return f"{line:<{COMMENT_COLUMN - 2}}  # {comment}"


def _wrapped(line: str, indent: str) -> list[str]:
    """The line broken behind commas that stand inside brackets and outside strings."""
    rows, row_start, last_comma, depth = [], 0, 0, 0
    margin = ""
    at, size = 0, len(line)
    while at < size:
        char = line[at]
        if char in "'\"":
            at = _string_end(line, at)
        depth += (char in "([{") - (char in ")]}")
        if at - row_start + len(margin) > CODE_COLUMNS - 4 and last_comma > row_start:
            rows.append(margin + line[row_start:last_comma].rstrip())
            row_start, margin = last_comma + 1, indent + INDENT
        if char == "," and depth > 0 and line[at + 1 : at + 2] == " ":
            last_comma = at + 1
        at += 1
    return [*rows, margin + line[row_start:]]


def _string_end(line: str, at: int) -> int:
    """Where the string that starts at `at` ends."""
    quote = line[at : at + 3] if line[at : at + 3] in ("'''", '"""') else line[at]
    at += len(quote)
    while not line.startswith(quote, at):
        at += 2 if line[at] == "\\" else 1
    return at + len(quote) - 1


def check_reads_back(text: str, tree: ast.Module) -> None:
    """Raises `Mismatch` unless the text parses to the tree that was meant. Walks without recursion."""
    stack: list[tuple[object, object]] = [(ast.parse(text), tree)]
    while stack:
        read, meant = stack.pop()
        if type(read) is not type(meant):
            raise Mismatch(f"{read!r} was read where {meant!r} was meant")
        if isinstance(read, ast.AST):
            stack += ((getattr(read, field, None), getattr(meant, field, None)) for field in read._fields if field not in _UNSEEN)
        elif isinstance(read, list) and isinstance(meant, list):
            if len(read) != len(meant):
                raise Mismatch(f"{len(read)} parts were read where {len(meant)} were meant")
            stack += zip(read, meant, strict=True)
        elif read != meant:
            raise Mismatch(f"{read!r} was read where {meant!r} was meant")


_UNSEEN = frozenset(("ctx", "type_comment", "kind", "type_ignores"))
