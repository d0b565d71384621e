"""`tlc build`: the PyTorch module that a program becomes, what stands between, or an exported function."""

import argparse
import os
import sys

from tensorlogic.cli.execution import analysed
from tensorlogic.cli.program import read_program, tree_of, write_text
from tensorlogic.cli.tree import tree_text
from tensorlogic.cli.usage import UsageError, add_settings
from tensorlogic.driver import Analysis, build, ir_text

FORMS = ("ast", "ir", "fx", "python", "pt2")
NOT_YET = ("onnx",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", dest="output", metavar="OUT", help="where to write; stdout where it is left out")
    parser.add_argument("--emit", choices=(*FORMS, *NOT_YET), default="python", help="which form (python)")
    parser.add_argument("--function", metavar="NAME", help="with `--emit pt2`: which function (`forward`, or the only pure one)")
    parser.add_argument(
        "--fix", action="append", default=[], metavar="NAME=VALUE", help="with `--emit pt2`: a parameter that is no input; may be repeated"
    )
    add_settings(parser)


def execute(options: argparse.Namespace) -> int:
    if options.emit in NOT_YET:
        raise UsageError(f"--emit {options.emit} is not supported yet")
    if options.emit == "pt2":
        from tensorlogic.cli.export import write_exported

        return write_exported(options)
    if options.function or options.fix:
        raise UsageError("--function and --fix belong to --emit pt2")
    text = emitted(options)
    if options.output is None:
        sys.stdout.write(text)
    else:
        write_text(options.output, text)
    return 0


def emitted(options: argparse.Namespace) -> str:
    """The program in the form that was asked for."""
    if options.emit == "ast":
        return tree_text(tree_of(read_program(options.file)))
    analysis = analysed(options.file, options)
    match options.emit:
        case "ir":
            return ir_text(analysis)
        case "fx":
            return graphs_text(analysis)
    return build(analysis, os.path.dirname(options.output) or "." if options.output else None).text


def graphs_text(analysis: Analysis) -> str:
    """The graph of every function that is pure, and why another one has none."""
    from tensorlogic.backends.fx import NotPure, build_graph

    module, parts = analysis.checked(), []
    for function in module.functions:
        try:
            text = build_graph(module, function.name).code.strip()
        except NotPure as problem:
            text = f"# not one graph: {problem.reason} ({problem.span.source.name}:{problem.span.line})"
        parts.append(f"# fn {function.name}\n{text}\n")
    return "\n".join(parts)
