"""Runs many random programs at once, as one file: checked, compiled, and every way of running them compared."""

import ast
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from types import CodeType
from typing import Any

import numpy as np
import torch

from tensorlogic.backends.fx import NotPure, build_graph
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.source import Source
from tests.agreement.compare import MISTAKES, Program as Compiled, same
from tests.properties import programs_numpy
from tests.properties.programs import Program, program
from tests.properties.programs_maker import DTYPES, Tensor

IMPURE = ("known only at run time", "a `while` loop", "calls itself")
BATCH = 20
TOLERANCE = 1e-7


@dataclass
class Tally:
    """What was seen of many programs; `failures` hold what went wrong, with the text."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def batch(seed: int, size: int = BATCH) -> list[Program]:
    return [program(Random(f"{seed} {number}"), number) for number in range(size)]


def source(programs: list[Program]) -> Source:
    """Under the name of a file that is there, so that imports are found beside it."""
    return Source(__file__, "\n".join(p.text for p in programs))


def run_batch(seed: int, tally: Tally, size: int = BATCH) -> None:
    """A file that fails to compile is taken apart into its programs."""
    run_programs(batch(seed, size), tally)


def run_programs(made: list[Program], tally: Tally) -> None:
    try:
        compiled = Compiled(source(made))
    except Exception as error:
        if len(made) == 1:
            tally.counts["programs"] += 1
            tally.failures.append(f"{type(error).__name__}: {_first(error)}\n{made[0].text}")
            return
        for one in made:
            run_programs([one], tally)
        return
    tally.counts["programs"] += len(made)
    tally.counts["warnings"] += len(compiled.analysis.problems.found)
    for diagnostic in compiled.analysis.problems.found:
        told = f"{diagnostic.code} {diagnostic.message}\n{diagnostic.span and diagnostic.span.text}"
        tally.failures.append(f"{told}\n{_around(made, diagnostic)}")
    if ast.dump(ast.parse(compiled.generated.text)) != ast.dump(compiled.generated.tree):
        tally.failures.append("the text of the generated module is not its tree")
    numpy_names = _numpy(made)
    for one in made:
        problem = _differs(compiled, one, numpy_names, tally)
        if problem:
            tally.failures.append(f"{problem}\n{one.text}")


def _first(error: Exception) -> str:
    found = getattr(error, "diagnostics", None)
    return "; ".join(f"{d.code} {d.message} at {d.span.text if d.span else '?'}" for d in found) if found else str(error)[:300]


def _around(made: list[Program], diagnostic: Diagnostic) -> str:
    """The program on whose lines a diagnostic stands."""
    line, at = diagnostic.span.line if diagnostic.span else 0, 0
    for one in made:
        at += one.text.count("\n") + 1
        if line <= at:
            return one.text
    return ""


@cache
def _library() -> dict[str, Any]:
    return dict(vars(programs_numpy))


def _numpy(made: list[Program]) -> dict[str, Any]:
    """The functions of the programs for numpy; the text was made by the generator."""
    names = dict(_library())
    code: CodeType = compile("\n".join(p.python for p in made), "random", "exec")
    exec(code, names)
    return names


def _differs(compiled: Compiled, one: Program, numpy_names: dict[str, Any], tally: Tally) -> str | None:
    """What is wrong with one program, None if all ways agree."""
    name, args = f"made{one.number}", arguments(one)
    python = _result(compiled.names[compiled.generated.functions[name]], args)
    reference = _result(lambda *a: compiled.reference.call(name, *a), args)
    if not same(python, reference):
        return f"Python gives {python}, the reference {reference}"
    try:
        graph = build_graph(compiled.module, name, {})
    except NotPure as reason:
        graph = None
        if not any(known in str(reason) for known in IMPURE):
            return f"no graph: {reason}"
    tally.counts["graphs"] += graph is not None
    if graph is not None and not same(python, found := _result(graph, args)):
        return f"Python gives {python}, the graph {found}"
    if isinstance(python, str):
        tally.counts["refused"] += 1
        return None if one.base in ("f16", "bf16") else "all ways refuse"
    return _promised(one, python) or (_unlike_numpy(one, args, python, numpy_names, tally) if one.base in ("f64", "T") else None)


def _result(way: Callable[..., Any], args: list[Any]) -> Any:
    """What a program without random numbers gives for arguments that it may change, or "refused"."""
    try:
        return way(*[arg.clone() if isinstance(arg, torch.Tensor) else arg for arg in args])
    except MISTAKES:
        return "refused"


def _promised(one: Program, value: Any) -> str | None:
    """The sizes and dtypes are those of the declared result."""
    values = value if len(one.results) > 1 else (value,)
    for tensor, found in zip(one.results, values, strict=True):
        sizes = tuple(size.value for size in tensor.shape)
        if tuple(found.shape) != sizes or found.dtype != _dtype(one, tensor):
            return f"{tensor} was promised, got {found.dtype}{list(found.shape)}"
    return None


def _unlike_numpy(one: Program, args: list[Any], python: Any, names: dict[str, Any], tally: Tally) -> str | None:
    tally.counts["numpy"] += 1
    given = [arg.numpy() if isinstance(arg, torch.Tensor) else arg for arg in args]
    with np.errstate(all="ignore"):
        wanted = names[f"made{one.number}"](*given)
    pairs = zip(python, wanted, strict=True) if len(one.results) > 1 else [(python, wanted)]
    for found, right in pairs:
        right = np.asarray(right)
        scale = max(1.0, float(np.max(np.abs(right[np.isfinite(right)]), initial=0.0))) if right.dtype != bool else 1.0
        if right.shape != tuple(found.shape) or not np.allclose(
            found.numpy(), right, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True
        ):
            return f"Python gives {found}, numpy {right}"
    return None


def arguments(one: Program) -> list[Any]:
    generator = torch.Generator().manual_seed(one.number + 1)
    return [_argument(one, tensor, generator) for tensor in one.given] + list(one.ints.values())


def _argument(one: Program, tensor: Tensor, generator: torch.Generator) -> torch.Tensor:
    sizes = [size.value for size in tensor.shape]
    if tensor.dtype == "int64":
        return torch.randint(0, sizes[0], sizes, generator=generator)
    wide = torch.randn(sizes, generator=generator, dtype=torch.float64)
    return wide > 0 if tensor.dtype == "bool" else wide.to(_dtype(one, tensor))


def _dtype(one: Program, tensor: Tensor) -> torch.dtype:
    return getattr(torch, DTYPES.get(one.base, "float64") if tensor.dtype == "float" else tensor.dtype)
