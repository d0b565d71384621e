"""`tlc inspect`: what a model file holds, from its header alone."""

import argparse

from tensorlogic.cli.inspect import inspect
from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats import FormatError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="MODEL_FILE", help="a .safetensors or .gguf file, or a folder with them")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def execute(options: argparse.Namespace) -> int:
    try:
        print(inspect(options.path, options.json).rstrip("\n"))
    except FormatError as problem:
        raise TensorLogicError(problem.diagnostic()) from None
    return 0
