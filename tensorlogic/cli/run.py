"""`tlc run`: compile a program to Python and run it."""

import argparse

from tensorlogic.cli.execution import add_execution_options, analysed, prepare
from tensorlogic.cli.usage import UsageError
from tensorlogic.driver import Loaded, load

NOT_YET = ("dtype", "nproc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    add_execution_options(parser)
    parser.add_argument("--compile", action="store_true", help="compile the functions with torch.compile")
    for flag in ("--dtype", "--nproc"):
        parser.add_argument(flag, help=argparse.SUPPRESS)
    parser.add_argument("--allow-python", action="store_true", help="let the program call Python modules that it imports")
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)


def execute(options: argparse.Namespace) -> int:
    refuse_what_is_to_come(options)
    analysis = analysed(options.file, options)
    prepare(options, analysis)
    program = load(analysis, options.allow_python)
    if options.compile:
        compile_functions(program)
    program.run()
    return 0


def refuse_what_is_to_come(options: argparse.Namespace) -> None:
    if options.arguments:
        raise UsageError(f"a program takes no arguments yet: {' '.join(options.arguments)}")
    for name in NOT_YET:
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} is not supported yet")


def compile_functions(program: Loaded) -> None:
    """Put what torch.compile makes of the functions in their place; it compiles each at its first call."""
    import torch

    for name in program.generated.functions.values():
        program.names[name] = torch.compile(program.names[name])
