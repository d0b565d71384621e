"""`tlc build`: the PyTorch module that a program becomes, or what stands between, as text."""

import argparse
import os
import sys

from tensorlogic.cli.execution import analysed
from tensorlogic.cli.program import read_program, tree_of, write_text
from tensorlogic.cli.tree import tree_text
from tensorlogic.cli.usage import UsageError, add_settings
from tensorlogic.driver import Analysis, build, ir_text

FORMS = ("ast", "ir", "fx", "python")
NOT_YET = ("pt2", "onnx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", dest="output", metavar="OUT", help="where to write; stdout where it is left out")
    parser.add_argument("--emit", choices=(*FORMS, *NOT_YET), default="python", help="which form (python)")
    add_settings(parser)


def execute(options: argparse.Namespace) -> int:
    if options.emit in NOT_YET:
        raise UsageError(f"--emit {options.emit} is not supported yet")
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

    module, parts = analysis.runnable(), []
    for function in module.functions:
        try:
            text = build_graph(module, function.name).code.strip()
        except NotPure as problem:
            text = f"# not one graph: {problem.reason} ({problem.span.source.name}:{problem.span.line})"
        parts.append(f"# fn {function.name}\n{text}\n")
    return "\n".join(parts)
