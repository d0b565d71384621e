"""The pipeline on one page: text -> syntax tree -> typed IR -> Python. Whoever has read this file knows the compiler.

    analyse    everything that can be known about a program without running it, and without importing torch
    build      the Python module that the program becomes
    load       that module in memory, ready to run

A phase takes a value and gives a new one; the user's mistakes are collected on the side, an exception is our bug.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any

from tensorlogic.checker.check import check_tree
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems, TensorLogicError
from tensorlogic.ir.ir import Module
from tensorlogic.ir.rewrite import operations, relocated
from tensorlogic.passes.all import optimized
from tensorlogic.record import record
from tensorlogic.source import Source
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse
from tensorlogic.types.types import Tensor

if TYPE_CHECKING:
    from tensorlogic.backends.python import Generated
    from tensorlogic.types.conditions import Described

ALLOW = "if you trust it, allow it with `--allow-python` (`allow_python=True` from Python)"


@record
class Analysis:
    """A program and what was found out about it. `module` is whole only where there are no errors."""

    source: Source
    tree: ast.Module
    module: Module | None
    problems: Problems
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """In source order."""
        return self.problems.in_order()

    def checked(self) -> Module:
        """The module; TensorLogicError with all diagnostics where the program has an error."""
        if self.problems.errors or self.module is None:
            raise TensorLogicError(self.diagnostics)
        return self.module


def analyse(source: Source, settings: Mapping[str, str] | None = None, float_dtype: str = "float32") -> Analysis:
    """Parse and check a program and what it imports. `settings` replace constants (`--set`), by the text of their values; `float_dtype`
    (`--dtype`) is what float literals, layers and loads have that do not say it."""
    problems = Problems()
    tree = parse(source, problems)
    module = check_tree(tree, problems, settings=dict(settings or {}), float_dtype=float_dtype)
    if module is not None and not problems.errors:
        module = optimized(module)
    return Analysis(source, tree, module, problems, dict(settings or {}))


def requirements(analysis: Analysis) -> "tuple[Described, ...]":
    """What every function, method and model of a program without errors requires of its sizes."""
    from tensorlogic.checker.requirements import describe_program

    analysis.checked()
    return describe_program(analysis.tree, analysis.settings)


def described(analysis: Analysis, name: str) -> "Described":
    """One function by the name that it has in the module, or a method as `GPT.forward`. KeyError where there is none."""
    found = next((item for item in requirements(analysis) if item.kind != "model" and name in (item.unique, item.name)), None)
    if found is None:
        raise KeyError(name)
    return found


def ir_text(analysis: Analysis) -> str:
    """The typed IR of a program without errors, which is a fully annotated program. Comments say what products cost."""
    from tensorlogic.checker.instances import library_signatures
    from tensorlogic.cost.remarks import remarks
    from tensorlogic.ir.text import print_module

    module = analysis.checked()
    return print_module(module, library_signatures, remarks(module))


def build(analysis: Analysis, folder: str | None = None) -> "Generated":
    """The Python module that a program without errors becomes. Imports no torch.

    `folder` is where the module will lie, if that is not beside the program: its paths then lead back.
    """
    from tensorlogic.backends.python import generate

    module = analysis.checked()
    if folder is None:
        return generate(module)
    home = os.path.relpath(os.path.dirname(os.path.realpath(analysis.source.name)), os.path.realpath(folder))
    return generate(relocated(module, "" if home == "." else home.replace(os.sep, "/")))


@record
class Loaded:
    """A generated module in memory. `names` are its names in Python, `sources` the texts that its tracebacks name."""

    generated: "Generated"
    names: dict[str, Any]
    sources: Mapping[str, Source]

    def call(self, name: str) -> None:
        """Call a function without parameters, if the module has it: `run` (the statements), `main`, or a test."""
        if name in self.names:
            with located(self.sources):
                self.names[name]()

    def run(self) -> None:
        """The program: its statements in order, then its main block."""
        self.call("run")
        self.call("main")


def load(analysis: Analysis, allow_python: bool = False) -> Loaded:
    """A program without errors, ready to run. Imports torch; runs nothing of the program.

    A program that calls Python is refused (TL0605) unless `allow_python`: what a stranger wrote executes nothing but itself.
    """
    from tensorlogic.backends.python import compile_module

    refused = () if allow_python else analysis.checked().python
    if refused:
        raise TensorLogicError(Diagnostic("TL0605", "this program runs Python code", span, help=(ALLOW,)) for span in refused)
    generated = build(analysis)
    return Loaded(generated, compile_module(generated), sources_of(analysis.checked()))


def unsupported_on(module: Module, device: str) -> Diagnostic | None:
    """The first place with a dtype that the device does not have: Apple's MPS has no 64-bit floats (TL0805)."""
    if device != "mps":
        return None
    values = [(v, f.span) for f in module.functions for v in f.params]
    values += [(v, op.span) for op in operations(module) for v in op.results]
    places = [span for value, span in values if span and isinstance(value.type, Tensor) and value.type.dtype in ("float64", "complex128")]
    if not places:
        return None
    span = min(places, key=lambda s: s.start)
    return Diagnostic(
        "TL0805", "the MPS device has no 64-bit floats", span, "float64 here", help=("use float32, or run with `--device cpu`",)
    )


def sources_of(module: Module) -> dict[str, Source]:
    """The texts that a module was made from, by their names: the file and what it imports."""
    spans = (item.span for item in (*module.structs, *module.functions, *module.globals))
    return {source.name: source for source in (module.source, *(span.source for span in spans if span))}


@contextmanager
def located(sources: Mapping[str, Source]) -> Iterator[None]:
    """Whatever a program raises becomes a TensorLogicError with its place in the program."""
    try:
        yield
    except BaseException as error:
        raise translated(error, sources)  # noqa: B904 - it carries its cause


def translated(error: BaseException, sources: Mapping[str, Source]) -> BaseException:
    """What a program raised, as a TensorLogicError with its place in the program; itself where the program did not cause it."""
    from tensorlogic.runtime.errors import explain_exception

    if isinstance(error, BrokenPipeError) or not isinstance(error, Exception | KeyboardInterrupt):
        return error
    diagnostic = explain_exception(error, sources)
    if diagnostic is None:
        return error
    told = TensorLogicError(diagnostic)
    told.__cause__ = error
    return told
