"""`tlc builtins`: names, signatures and documentation, as they stand in the declarations."""

import argparse
from collections.abc import Iterator
from textwrap import indent

from tensorlogic.cli.usage import one_of
from tensorlogic.stdlib.library import LayerPage, layer_pages
from tensorlogic.stdlib.registry import Builtin, Initializer, initializer_names, lookup, lookup_initializer, names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="everything about one builtin or layer; without it, all are listed")


def execute(options: argparse.Namespace) -> int:
    if options.name is None:
        print("\n".join(map(line, everything())))
        return 0
    found = [entry for entry in everything() if entry.name == options.name]
    if not found:
        raise one_of("the builtin", options.name, [entry.name for entry in everything()])
    print("\n\n".join(map(page, found)))
    return 0


Entry = Builtin | Initializer | LayerPage


def everything() -> Iterator[Entry]:
    """Functions, then what stands behind the `=` of a `param` or `tensor` (a name can be both), then layers."""
    yield from filter(None, map(lookup, names()))
    yield from filter(None, map(lookup_initializer, initializer_names()))
    yield from layer_pages()


def line(entry: Entry) -> str:
    """One line: the first signature, how many more there are, the first line of the documentation."""
    first, *others = signatures(entry)
    more = f" (+{len(others)})" if others else ""
    summary = entry.doc.partition("\n")[0]
    return f"{first}{more}" + (f"  // {summary}" if summary else "")


def signatures(entry: Entry) -> tuple[str, ...]:
    match entry:
        case Initializer(signature=signature):
            return (f"{signature}, the initializer",)
    return entry.signatures


def page(entry: Entry) -> str:
    """All signatures, the documentation, and what it does besides computing a value."""
    effect = [f"Effect: {entry.effect}."] if isinstance(entry, Builtin) and entry.effect else []
    return "\n\n".join(["\n".join(signatures(entry)), indent(entry.doc, "    "), *effect])
