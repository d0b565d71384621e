"""`tlc explain`: the page behind a code."""

import argparse

from tensorlogic.cli.usage import one_of
from tensorlogic.diagnostics.codes import CODES
from tensorlogic.diagnostics.explain import explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as TL0301; without one, all codes are listed")


def execute(options: argparse.Namespace) -> int:
    if options.code is None:
        print("\n".join(f"{code.name}  {code.title}" for code in CODES.values()))
        return 0
    page = explain(options.code)
    if page is None:
        raise one_of("the code", options.code.upper(), list(CODES))
    print(page.rstrip("\n"))
    return 0
