"""The symbols that `torch.export` makes up for sizes, and the checks that it adds: told in the names of the program."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tensorlogic.types.dims import Dim
from tensorlogic.types.examples import alike_sizes, example_sizes
from tensorlogic.types.facts import Facts
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Int, Tensor

if TYPE_CHECKING:
    import torch

Origins = dict[str, tuple[Parameter, int | None]]  # symbol -> an axis of an input, or an int input


class Narrowed(UserWarning):
    """The exported program refuses sizes that the function takes: torch settled something for the sizes that it traced with."""


def name_sizes(program: "torch.export.ExportedProgram", params: Mapping[str, Parameter]) -> None:
    """What a failed check says is said in the program's names: `D % H == 0`, not `s53`. `params` are the inputs by their names."""
    names = {symbol: _text(*origin) for symbol, origin in _origins(program, params).items()}
    for node in _checks(program):
        node.args = (node.args[0], _renamed(str(node.args[1]), names))


def narrowed(program: "torch.export.ExportedProgram", params: Mapping[str, Parameter], facts: Facts) -> Iterator[str]:
    """The checks of the program that fail for sizes which the function takes, with such sizes. Looks at a few sizes only."""
    origins = _origins(program, params)
    items = {symbol: _item(*origin) for symbol, origin in origins.items()}
    names = tuple(sorted(frozenset().union(*(item.symbols() for item in items.values() if item is not None))))
    if any("#" in name for name in names):
        return
    trials = [trial for trial in _trials(names, facts) if trial is not None]
    for node in _checks(program):
        expression = getattr(getattr(getattr(node.args[0], "meta", {}).get("val"), "node", None), "expr", None)
        for trial in trials:
            if expression is not None and _is_false(expression, items, trial):
                text = _renamed(str(node.args[1]), {symbol: _text(*origin) for symbol, origin in origins.items()})
                sizes = ", ".join(f"{name} = {n}" for name, n in trial.items())
                yield f"{text.removeprefix('Runtime assertion failed for expression ')} (it refuses {sizes})"
                break


def _trials(names: tuple[str, ...], facts: Facts) -> Iterator[dict[str, int] | None]:
    yield alike_sizes(names, facts)
    yield example_sizes(names, facts, 1)
    yield example_sizes(names[::-1], facts, 1)


def _is_false(expression: Any, items: Mapping[str, Dim | None], trial: Mapping[str, int]) -> bool:
    numbers = {}
    for symbol in expression.free_symbols:
        item = items.get(str(symbol))
        if item is None:
            return False
        numbers[symbol] = item.evaluate(trial)
    return expression.subs(numbers) == False  # noqa: E712 - sympy's own false


def _checks(program: "torch.export.ExportedProgram") -> Iterator["torch.fx.Node"]:
    import torch

    for node in program.graph.nodes:
        if node.op == "call_function" and node.target is torch.ops.aten._assert_scalar.default and len(node.args) == 2:
            yield node


def _renamed(text: str, names: Mapping[str, str]) -> str:
    pattern = re.compile("|".join(rf"\b{re.escape(symbol)}\b" for symbol in names) or "(?!)")
    return re.sub(r" on node '\w+'$", "", pattern.sub(lambda found: names[found[0]], text))


def _origins(program: "torch.export.ExportedProgram", params: Mapping[str, Parameter]) -> Origins:
    """Where torch has each symbol from, as far as that is an input."""
    values = [node.meta.get("val") for node in program.graph.nodes]
    sizes = (size for value in values for size in (getattr(value, "shape", None) or (value,)))
    environment = next((size.node.shape_env for size in sizes if hasattr(size, "node")), None)
    found: Origins = {}
    for symbol, sources in getattr(environment, "var_to_sources", {}).items():
        for source in sources:
            param = params.get(getattr(getattr(source, "base", source), "local_name", ""))
            if param is not None:
                found[str(symbol)] = param, getattr(source, "idx", None)
    return found


def _item(param: Parameter, axis: int | None) -> Dim | None:
    """The size that a symbol stands for."""
    if isinstance(param.type, Int):
        return Dim.sym(param.name)
    item = param.type.shape[axis] if isinstance(param.type, Tensor) and axis is not None else None
    return item if isinstance(item, Dim) and not item.has_unknown else None


def _text(param: Parameter, axis: int | None) -> str:
    item = _item(param, axis)
    return f"{param.name}.shape[{axis}]" if item is None else item.as_operand()
