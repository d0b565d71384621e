"""Showing diagnostics: as text on stderr, or as one JSON object per line on stdout."""

import json
import os
import sys
from collections.abc import Iterable

from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.diagnostics.render import render, to_json, use_color


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, each followed by an empty line."""
    sys.stdout.flush()  # what the program printed before comes before
    color, width = use_color(sys.stderr, os.environ), terminal_width()
    for diagnostic in diagnostics:
        print(render(diagnostic, color=color, width=width), end="\n\n", file=sys.stderr)


def report_json(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stdout, one object per line."""
    for diagnostic in diagnostics:
        print(json.dumps(to_json(diagnostic)))


def say(text: str) -> None:
    """A line of `tlc` itself, on stderr."""
    print(text, file=sys.stderr)


def terminal_width() -> int | None:
    """Columns of the terminal behind stderr; None where there is none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError):
        return None
