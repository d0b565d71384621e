"""The command `tlc`: finds the subcommand, runs it, and turns whatever happens into an exit code."""

import errno
import gc
import os
import sys
from importlib import import_module
from typing import TextIO

from tensorlogic.cli.usage import Parser, UsageError, one_of
from tensorlogic.diagnostics.codes import INTERNAL, exit_code
from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError

# Each is a module with `add_arguments(parser)` and `execute(options) -> int`.
COMMANDS = {
    "run": ("run", "run a program"),
    "check": ("check", "prove shapes and types without running anything"),
    "build": ("build", "write the PyTorch module that a program becomes, or what stands between"),
    "test": ("test", "run the tests of programs"),
    "fmt": ("fmt", "lay programs out"),
    "explain": ("explain", "what a code such as TL0301 means, with examples"),
    "builtins": ("builtins", "the functions of the language"),
    "inspect": ("inspect_file", "what a model file holds, from its header alone"),
    "cost": ("cost", "what functions and models cost: operations, memory, parameters"),
    "plot": ("plot", "the loss curve of a training as a picture"),
    "env": ("env", "versions and devices, for a report of a problem"),
}
NOT_YET = ("generate", "graph", "repl", "lsp")
OUTPUT_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
COLLECT_AFTER = 100_000  # objects: a compiler makes trees, and looking for cycles in them took a sixth of its time
EXIT_USAGE, EXIT_BUG, EXIT_INTERRUPTED, EXIT_PIPE = 2, 70, 130, 141


def main() -> int:
    """The console script: takes `sys.argv`, returns the exit code."""
    code = outcome()
    if together := sys.modules.get("tensorlogic.runtime.distributed"):
        together.leave(code)
    return code


def outcome() -> int:
    """The exit code of the command, after whatever went wrong was said."""
    name = ""
    gc.set_threshold(COLLECT_AFTER)
    try:
        for stream in (sys.stdout, sys.stderr):
            show_everything(stream)
        name, *arguments = sys.argv[1:] or [""]
        code = dispatch(name, arguments)
        sys.stdout.flush()
        return code
    except UsageError as problem:
        return refuse(name, problem)
    except TensorLogicError as error:
        return report_error(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return close_pipe()
    except Exception as error:
        return full_disk(error) if isinstance(error, OSError) and error.errno in OUTPUT_REFUSED else report_bug(error)


def show_everything(stream: TextIO) -> None:
    """A character that the terminal's encoding lacks is written as an escape: output never fails for it."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def dispatch(name: str, arguments: list[str]) -> int:
    if name in COMMANDS:
        return run_command(name, arguments)
    if name in ("-h", "--help", "help"):
        print(overview())
        return 0
    if name in ("-V", "--version"):
        from tensorlogic.cli.env import version

        print(f"tlc {version('tensorlogic')}")
        return 0
    if name in NOT_YET:
        raise UsageError(f"`tlc {name}` is not supported yet")
    raise one_of("the command", name, [*COMMANDS, *NOT_YET]) if name else UsageError("which command? See `tlc --help`")


def run_command(name: str, arguments: list[str]) -> int:
    module, description = COMMANDS[name]
    command = import_module(f"tensorlogic.cli.{module}")
    parser = Parser(f"tlc {name}", description)
    command.add_arguments(parser)
    try:
        options = parser.parse_args(arguments)
    except SystemExit:  # --help has been printed
        return 0
    return command.execute(options)


def overview() -> str:
    rows = [f"  tlc {name:<10}{description}" for name, (_, description) in COMMANDS.items()]
    return "\n".join(["tlc: typed tensor programs that become PyTorch", "", *rows, "", "`tlc COMMAND --help` says more about each."])


def refuse(name: str, problem: UsageError) -> int:
    command = f"tlc {name}" if name in COMMANDS else "tlc"
    print(f"{command}: {problem}\nTry `{command} --help`.", file=sys.stderr)
    return EXIT_USAGE


def report_error(error: TensorLogicError) -> int:
    from tensorlogic.cli.report import report

    report(error.diagnostics)
    return exit_code(error.diagnostics)


def report_bug(error: Exception) -> int:
    """A crash of the compiler, never the user's fault: what to send us, without the whole stack."""
    from traceback import extract_tb, print_exception

    from tensorlogic.cli.report import report

    place = extract_tb(error.__traceback__)[-1]
    where = f"in {place.name}, {os.path.basename(place.filename)}:{place.lineno}"
    report([
        Diagnostic(
            INTERNAL,
            f"this is a bug in tlc: {type(error).__name__}: {error}",
            notes=(where,),
            help=("please report it with the program and the output of `tlc env`", "TLC_TRACEBACK=1 shows the whole stack"),
        )
    ])  # fmt: skip
    if os.environ.get("TLC_TRACEBACK"):
        print_exception(error)
    return EXIT_BUG


def full_disk(error: OSError) -> int:
    discard_output()
    print(f"tlc: the output cannot be written: {error.strerror}", file=sys.stderr)
    return EXIT_USAGE


def close_pipe() -> int:
    """The reader of our output has gone, as `head` does: stop without a word."""
    discard_output()
    return EXIT_PIPE


def discard_output() -> None:
    """What Python still holds goes nowhere when it flushes at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
