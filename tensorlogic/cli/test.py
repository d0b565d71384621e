"""`tlc test`: run the top level of programs and their tests, one line per test."""

import argparse
import time

from tensorlogic.cli.execution import add_execution_options, analysed, prepare
from tensorlogic.cli.program import for_each
from tensorlogic.cli.report import report, say
from tensorlogic.diagnostics.codes import INTERRUPTED
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.diagnostics.display import printable
from tensorlogic.driver import Loaded, load

EXIT_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    add_execution_options(parser)


def execute(options: argparse.Namespace) -> int:
    return for_each(options.files, lambda path: EXIT_FAILED if run_tests(path, options) else 0)


def run_tests(path: str, options: argparse.Namespace) -> int:
    """How many tests of a program failed. An error outside of them is raised."""
    analysis = analysed(path, options)
    prepare(options, analysis)
    program = load(analysis)
    program.call("run")
    failed = sum(not passes(program, name, function) for name, function in program.generated.tests)
    count = len(program.generated.tests)
    say(f"{printable(path)}: {count} test{'' if count == 1 else 's'}" + (f", {failed} failed" if failed else ""))
    return failed


def passes(program: Loaded, name: str, function: str) -> bool:
    """Run one test and say how it went."""
    start = time.perf_counter()
    error = failure(program, function)
    say(f"{'FAILED' if error else 'ok':<6} {printable(name)} ({time.perf_counter() - start:.2f} s)")
    if error:
        report(error.diagnostics)
    return error is None


def failure(program: Loaded, function: str) -> TensorLogicError | None:
    try:
        program.call(function)
    except TensorLogicError as error:
        if any(d.code == INTERRUPTED for d in error.diagnostics):
            raise  # whoever interrupts means all tests
        return error
    return None
