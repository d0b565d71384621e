"""`tlc check`: everything that can be said about programs without running them, and without importing torch."""

import argparse
from dataclasses import replace

from tensorlogic.cli.execution import GUARD_INSERTED
from tensorlogic.cli.program import for_each, read_program
from tensorlogic.cli.report import report, report_json, say
from tensorlogic.cli.usage import add_settings, settings_of
from tensorlogic.diagnostics.codes import exit_code
from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.diagnostics.render import summary
from tensorlogic.driver import Analysis, analyse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--strict", action="store_true", help="what is left to a guard at run time (TL0702) is an error")
    parser.add_argument("--json", action="store_true", help="one object per diagnostic and line, on stdout")
    parser.add_argument(
        "--show-signatures", action="store_true", help="what each function takes, gives and requires of its sizes, on stdout"
    )
    add_settings(parser)


def execute(options: argparse.Namespace) -> int:
    settings, found = settings_of(options.set), []

    def check(path: str) -> int:
        analysis, news = diagnose(path, settings, options.strict)
        (report_json if options.json else report)(news)
        found.append(news)
        if options.show_signatures and analysis is not None and not analysis.problems.errors:
            show_signatures(analysis, options.json)
        return exit_code(news)

    code = for_each(options.files, check)
    if not options.json:
        say(conclusion(found))
    return code


def diagnose(path: str, settings: dict[str, str], strict: bool) -> tuple[Analysis | None, list[Diagnostic]]:
    """A program, and what there is to say about it in source order; None in place of a file that holds no text."""
    try:
        analysis = analyse(read_program(path), settings)
    except TensorLogicError as error:
        return None, error.diagnostics
    return analysis, [replace(d, severity="error") if strict and d.code == GUARD_INSERTED else d for d in analysis.diagnostics]


def show_signatures(analysis: Analysis, as_json: bool) -> None:
    from tensorlogic.cli.signatures import print_signatures, print_signatures_json  # loads what a plain check does not need

    (print_signatures_json if as_json else print_signatures)(analysis)


def conclusion(found: list[list[Diagnostic]]) -> str:
    """`3 files checked: 2 errors, 1 warning`"""
    problems = summary(d for news in found for d in news) or "no problems"
    return f"{len(found)} file{'' if len(found) == 1 else 's'} checked: {problems}"
