"""`tlc build --emit pt2`: one pure function of a program as a file for `torch.export.load`."""

import argparse
import warnings
from collections.abc import Mapping

from tensorlogic.cli.execution import analysed
from tensorlogic.cli.report import say
from tensorlogic.cli.usage import UsageError, one_of
from tensorlogic.driver import Analysis, described, load
from tensorlogic.ir.ir import Module
from tensorlogic.write import replace_behind

BOOLS = {"true": True, "false": False}


def write_exported(options: argparse.Namespace) -> int:
    if options.output is None:
        raise UsageError("--emit pt2 writes a file: say where with -o")
    analysis = analysed(options.file, options)
    values = tensors_of(analysis)
    name = chosen_function(analysis.checked(), options.function, values)
    from tensorlogic.backends.export import Narrowed, export, saved

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        program = export(analysis.checked(), described(analysis, name), values, numbers_of(options.fix))
    for warning in told:
        if issubclass(warning.category, Narrowed):
            say(f"note: {warning.message}")
    try:
        replace_behind(options.output, saved(program))
    except OSError as problem:
        raise UsageError(f"{options.output} cannot be written: {problem.strerror or problem}") from None
    return 0


def tensors_of(analysis: Analysis) -> Mapping[str, object]:
    """The `param`s and `tensor`s of the file, after its statements ran; nothing runs where there are none."""
    if all(item.kind == "const" for item in analysis.checked().globals):
        return {}
    loaded = load(analysis)
    loaded.call("run")
    return {name: loaded.names[python] for name, python in loaded.generated.globals.items() if python in loaded.names}


def chosen_function(module: Module, wanted: str | None, values: Mapping[str, object]) -> str:
    """The function that is meant: the one asked for, else `forward`, else the only one that is one graph."""
    from tensorlogic.backends.export import pure_functions

    names = [function.name for function in module.functions]
    if wanted is not None:
        if wanted not in names:
            raise one_of("the function", wanted, names)
        return wanted
    candidates = pure_functions(module, values)
    if "forward" in candidates or len(candidates) == 1:
        return "forward" if "forward" in candidates else candidates[0]
    if not candidates:
        raise UsageError("no function of this program is one graph; `--emit fx` says why")
    raise UsageError(f"which function? Choose with --function: {', '.join(candidates)}")


def numbers_of(pairs: list[str]) -> dict[str, object]:
    """`["H=8", "causal=true"]` as values of parameters."""
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--fix takes NAME=VALUE, not {pair!r}")
        found[name] = value_of(text)
    return found


def value_of(text: str) -> object:
    """An int, a float or a bool where the text is one, else the text."""
    if text in BOOLS:
        return BOOLS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
