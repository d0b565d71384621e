"""`tlc run`: compile a program to Python and run it."""

import argparse
import sys

from tensorlogic.cli.execution import add_execution_options, analysed, prepare
from tensorlogic.cli.launch import launch
from tensorlogic.cli.usage import Parser, behind_dashes
from tensorlogic.driver import Loaded, load

DTYPES = ("float64", "float32", "float16", "bfloat16")


def add_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE")
    add_execution_options(parser)
    parser.add_argument("--compile", action="store_true", help="compile the functions with torch.compile")
    parser.add_argument("--nproc", type=processes, metavar="N", default=1, help="train in N processes that share each batch (1)")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of float literals, layers and loads without a type (float32)")
    parser.add_argument("--allow-python", action="store_true", help="let the program call Python modules that it imports")
    parser.program_arguments = True
    parser.epilog = "What stands behind `--` is what the builtin `args()` gives to the program."


def execute(options: argparse.Namespace) -> int:
    from tensorlogic.runtime import host

    analysis = analysed(options.file, options)
    if options.nproc > 1:
        return launch(without_processes(sys.argv[1:]), options.nproc)
    prepare(options, analysis)
    host.use_arguments(options.arguments)
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
    own, behind = behind_dashes(arguments)
    found, rest = [], iter(own)
    for argument in rest:
        if argument == "--nproc":
            next(rest, None)
        elif not argument.startswith("--nproc="):
            found.append(argument)
    return [*found, "--", *behind]


def compile_functions(program: Loaded) -> None:
    """Put what torch.compile makes of the functions in their place; it compiles each at its first call."""
    import torch

    for name in program.generated.functions.values():
        program.names[name] = torch.compile(program.names[name])
