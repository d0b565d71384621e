"""`tlc run`: compile a program to Python and run it."""

import argparse
import sys

from tensorlogic.cli.execution import add_execution_options, analysed, prepare
from tensorlogic.cli.launch import launch
from tensorlogic.cli.usage import UsageError
from tensorlogic.driver import Loaded, load

NOT_YET = ("dtype",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    add_execution_options(parser)
    parser.add_argument("--compile", action="store_true", help="compile the functions with torch.compile")
    parser.add_argument("--nproc", type=processes, metavar="N", default=1, help="train in N processes that share each batch (1)")
    parser.add_argument("--dtype", help=argparse.SUPPRESS)
    parser.add_argument("--allow-python", action="store_true", help="let the program call Python modules that it imports")
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)


def execute(options: argparse.Namespace) -> int:
    refuse_what_is_to_come(options)
    analysis = analysed(options.file, options)
    if options.nproc > 1:
        return launch(without_processes(sys.argv[1:]), options.nproc)
    prepare(options, analysis)
    program = load(analysis, options.allow_python)
    if options.compile:
        compile_functions(program)
    program.run()
    return 0


def processes(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1024:
        raise ValueError
    return number


def without_processes(arguments: list[str]) -> list[str]:
    """The arguments for each of the processes."""
    found, rest = [], iter(arguments)
    for argument in rest:
        if argument == "--nproc":
            next(rest, None)
        elif not argument.startswith("--nproc="):
            found.append(argument)
    return found


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
