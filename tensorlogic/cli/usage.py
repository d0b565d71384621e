"""Reading the command line: a parser whose mistakes become one sentence and exit code 2, and options that several commands share."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from tensorlogic.diagnostics.suggest import did_you_mean


class UsageError(Exception):
    """The command was called in a way it cannot do: wrong arguments, a program file that is not there, something not supported yet."""


class Parser(argparse.ArgumentParser):
    """argparse, with errors as exceptions and no guessing of shortened options."""

    def __init__(self, prog: str, description: str):
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    program_arguments = False  # whether what stands behind `--` goes to the program, as `arguments`

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def parse_args(self, args: Sequence[str], namespace: argparse.Namespace | None = None) -> argparse.Namespace:  # type: ignore[override]
        own, behind = behind_dashes(args) if self.program_arguments else (list(args), [])
        found = namespace or argparse.Namespace()
        super().parse_args(own, found)
        found.arguments = behind
        return found


def behind_dashes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments in front of the first `--`, and those behind it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), list(arguments[end + 1 :])


def add_settings(parser: argparse.ArgumentParser, help: str = "replace the value of a `const`; may be repeated") -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=help)


def settings_of(pairs: list[str]) -> dict[str, str]:
    """`["D=64", "out=a.gguf"]` as names and the text of their values."""
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set takes NAME=VALUE, not {pair!r}")
        if name in settings:
            raise UsageError(f"--set gives {name} twice")
        settings[name] = value
    return settings


def one_of(what: str, name: str, known: list[str]) -> UsageError:
    """The error for a name that is none of the known ones."""
    near = did_you_mean(name, known)
    return UsageError(f"{what} {name!r} does not exist" + (f"; did you mean {near!r}?" if near else ""))
