"""`tlc fmt`: lay programs out. Nothing is written unless the new text means the same and is stable."""

import argparse
import sys
from difflib import unified_diff

from tensorlogic.cli.program import for_each, read_program, tree_of, write_text
from tensorlogic.cli.report import say
from tensorlogic.source import Source
from tensorlogic.syntax.ast import Module, same_tree
from tensorlogic.syntax.format import format_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file would change")
    mode.add_argument("--diff", action="store_true", help="write nothing; show what would change, and exit 1 if anything would")


def execute(options: argparse.Namespace) -> int:
    return for_each(options.files, lambda path: format_file(path, options))


def format_file(path: str, options: argparse.Namespace) -> int:
    """The exit code for one file: 1 where `--check` or `--diff` found something to change."""
    source = read_program(path)
    text = formatted(source)
    if text.encode() == file_bytes(path):
        return 0
    if options.diff:
        sys.stdout.writelines(difference(source, text))
    elif options.check:
        say(f"{path}: would be laid out anew")
    else:
        write_text(path, text)
    return 1 if options.check or options.diff else 0


def formatted(source: Source) -> str:
    """The text laid out. An assertion, so a bug of ours, where that changes the meaning or is not stable."""
    text = format_source(source.text, source.name)
    again = Source(source.name, text)
    before, after = tree_of(source), tree_of(again)
    if not same_tree(before, after) or comment_words(before) != comment_words(after):
        raise AssertionError(f"laying out {source.name} would change what it means; it is left as it was")
    if format_source(text, source.name) != text:
        raise AssertionError(f"laying out {source.name} twice gives another text; it is left as it was")
    return text


def comment_words(tree: Module) -> list[str]:
    """What the comments say; where they stand in their lines is up to the layout."""
    return [word for comment in tree.comments for word in comment.text.split()]


def difference(source: Source, text: str) -> list[str]:
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    lines = unified_diff(old, new, source.name, f"{source.name} (formatted)")
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def file_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
