"""`tlc cost`: what the functions and models of a program cost, as formulas over their sizes and as numbers, without running anything."""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from tensorlogic.cli.program import read_program
from tensorlogic.cli.report import report, report_json, say
from tensorlogic.cli.usage import UsageError, add_settings, one_of, settings_of
from tensorlogic.cost.dearer import dearer_layers
from tensorlogic.cost.describe import Described, Row, describe
from tensorlogic.cost.formula import readable
from tensorlogic.cost.ratio import ratio
from tensorlogic.diagnostics.codes import exit_code
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.driver import analyse
from tensorlogic.ir.ir import Function, Module
from tensorlogic.ir.rewrite import operations_in
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import goal_symbols, holds
from tensorlogic.types.signature import Requirement

SIZE = re.compile(r"[0-9](_?[0-9]){0,29}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="functions, or methods as `GPT.forward`; without it, those that no other one calls"
    )
    parser.add_argument("--json", action="store_true", help="one object per function and line")
    add_settings(parser, "a size or a `const` becomes a number; may be repeated")


def execute(options: argparse.Namespace) -> int:
    source, given = read_program(options.file), settings_of(options.set)
    module = analyse(source).checked()
    constants = {item.name for item in module.globals if item.kind == "const"}
    if given.keys() & constants:
        module = analyse(source, {name: given[name] for name in given.keys() & constants}).checked()
    plain = describe(module)
    sizes = sizes_of(given, constants, plain)
    found = describe(module, sizes) if sizes else plain
    chosen = shown(module, found, options.names)
    told = [*unmet(chosen, sizes), *dearer_layers(module, sizes)]
    (report_json if options.json else report)(told)
    (print_json if options.json else print_text)(chosen, {item.function: item for item in plain})
    return exit_code(told)


def sizes_of(given: Mapping[str, str], constants: set[str], found: Sequence[Described]) -> dict[str, int]:
    """The settings that are sizes. UsageError for a name that no function has, or for what is no size."""
    known = {name for item in found for name in (*item.sizes, *item.factors)}
    sizes: dict[str, int] = {}
    for name, text in given.items():
        if name in constants:
            continue
        if name not in known:
            raise one_of("the size or constant", name, sorted(known | constants))
        sizes[name] = size_of(name, text)
    return sizes


def size_of(name: str, text: str) -> int:
    """A size as a program writes it. UsageError for anything else, and for what no tensor can have."""
    if not SIZE.fullmatch(text) or int(text) >= 1 << 63:
        raise UsageError(f"--set {name}={text[:40]}: a size is a whole number below 2 ** 63")
    return int(text)


def unmet(found: Sequence[Described], sizes: Mapping[str, int]) -> Iterator[Diagnostic]:
    """The `where` that the given sizes do not keep (TL0311)."""
    seen: set[Requirement] = set()
    for item in found:
        for requirement in item.requirements:
            names = goal_symbols(requirement.goal)
            if requirement not in seen and names and names <= sizes.keys() and not holds(requirement.goal, dict(sizes)):
                seen.add(requirement)
                values = ", ".join(f"{name} = {sizes[name]}" for name in sorted(names))
                title = f"`{item.name}` requires {requirement.text or requirement.goal}: {values} does not keep it"
                yield Diagnostic("TL0311", title, requirement.span)


def shown(module: Module, found: Sequence[Described], names: Sequence[str]) -> list[Described]:
    """Those that are asked for, or those that no other one calls."""
    by_name = {item.name: item for item in found}
    for name in names:
        if name not in by_name:
            raise one_of("the function", name, sorted(by_name))
    if names:
        return [by_name[name] for name in names]
    called = {name for function in module.functions for name in called_by(function)}
    return [item for item in found if item.function.name not in called] or list(found)


def called_by(function: Function) -> Iterator[str]:
    """The other functions that it calls."""
    for op in operations_in((function.body,)):
        if op.code in ("call", "call_method") and op.attrs["name"] != function.name:
            yield str(op.attrs["name"])


def print_text(found: Sequence[Described], plain: Mapping[object, Described]) -> None:
    from tensorlogic.cli.cost_text import page

    if not found:
        say("the program has no functions and no models with methods")
    for at, item in enumerate(found):
        print("\n".join([""] * (at > 0) + list(page(item, plain[item.function]))))


# --- JSON ------------------------------------------------------------------------------------------------------------


def print_json(found: Sequence[Described], plain: Mapping[object, Described]) -> None:
    for item in found:
        print(json.dumps(to_json(item)))


def to_json(item: Described) -> dict:
    span = item.function.span
    head = {"name": item.name, "file": span.source.name, "line": span.line, "sizes": list(item.sizes)}
    notes = [{"text": remark.text, "line": remark.span.line if remark.span else None} for remark in item.remarks]
    if item.work is None:
        return head | {"problem": item.problem, "notes": notes}
    work = item.work
    return head | {
        "products": size_json(work.totals.products),
        "other_operations": size_json(work.totals.others),
        "bytes_moved": size_json(work.totals.moved),
        "intensity": ratio(work.totals.operations, work.totals.moved) or None,
        "peak_bytes": [size_json(peak) for peak in work.peaks],
        "kept_bytes": size_json(work.kept),
        "largest": [tensor_json(storage) for storage in work.largest],
        "factors": dict(item.factors),
        "notes": notes,
        "model": row_json(work.tree) if work.tree is not None else None,
    }


def size_json(size: Dim) -> dict:
    return {"formula": readable(size), "value": size.value}


def tensor_json(storage) -> dict:
    return {"type": str(storage.type), "bytes": size_json(storage.bytes), "line": storage.span.line if storage.span else None}


def row_json(row: Row) -> dict:
    return {
        "name": row.name,
        "type": row.type,
        "count": size_json(row.count),
        "parameters": size_json(row.parameters),
        "buffers": size_json(row.buffers),
        "bytes": size_json(row.bytes),
        "products": size_json(row.totals.products),
        "other_operations": size_json(row.totals.others),
        "bytes_moved": size_json(row.totals.moved),
        "submodels": [row_json(below) for below in row.rows],
    }
