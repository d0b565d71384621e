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
from tensorlogic.driver import analyse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--strict", action="store_true", help="what is left to a guard at run time (TL0702) is an error")
    parser.add_argument("--json", action="store_true", help="one object per diagnostic and line, on stdout")
    add_settings(parser)


def execute(options: argparse.Namespace) -> int:
    settings, found = settings_of(options.set), []

    def check(path: str) -> int:
        news = diagnose(path, settings, options.strict)
        (report_json if options.json else report)(news)
        found.append(news)
        return exit_code(news)

    code = for_each(options.files, check)
    if not options.json:
        say(conclusion(found))
    return code


def diagnose(path: str, settings: dict[str, str], strict: bool) -> list[Diagnostic]:
    """What there is to say about one program, in source order."""
    try:
        found = analyse(read_program(path), settings).diagnostics
    except TensorLogicError as error:
        found = error.diagnostics
    return [replace(d, severity="error") if strict and d.code == GUARD_INSERTED else d for d in found]


def conclusion(found: list[list[Diagnostic]]) -> str:
    """`3 files checked: 2 errors, 1 warning`"""
    problems = summary(d for news in found for d in news) or "no problems"
    return f"{len(found)} file{'' if len(found) == 1 else 's'} checked: {problems}"
