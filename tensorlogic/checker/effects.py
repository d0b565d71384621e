"""What may write in place: tensors of models, of the file and of structs, by learning, by hand, or in what an operation calls."""

from collections.abc import Iterable, Mapping

from tensorlogic.ir.ir import FnRef, Module, Op
from tensorlogic.ir.rewrite import operations, operations_in
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.types.types import ModelOf

CALLING = frozenset(("call", "call_method", "model"))
WRITING = frozenset(("learn", "set_member", "python_call"))


class Effects:
    """`writers` are the functions and models of a module that may write, `values_write` whether functions that are values may."""

    def __init__(self, module: Module):
        functions = {function.name: function.body for function in module.functions}
        regions = functions | {model.name: model.init for model in module.models}
        inside = {name: tuple(operations_in((region,))) for name, region in regions.items()}
        self.functions = functions.keys()
        self.callers = callers(inside)
        self.writers: set[str] = set()
        self.values_write = False
        self._spread(inside)
        self.values_write = not self.writers.isdisjoint(_as_values(module)) or any(
            self._any(operations_in(op.regions)) for op in operations(module) if op.code == "lambda"
        )
        self._spread(inside)

    def _spread(self, inside: Mapping[str, Iterable[Op]]) -> None:
        """To those that call what writes."""
        pending = [name for name, ops in inside.items() if name not in self.writers and self._any(ops)]
        while pending:
            name = pending.pop()
            if name not in self.writers:
                self.writers.add(name)
                pending += self.callers.get(name, ())

    def _any(self, ops: Iterable[Op]) -> bool:
        return any(map(self.writes, ops))

    def writes(self, op: Op) -> bool:
        match op.code:
            case "set_global":
                return not op.attrs.get("initial")
            case "call" | "model":
                return op.attrs["name"] in self.writers
            case "call_method":
                return op.attrs["name"] in self.writers or (op.attrs["name"] not in self.functions and _counts(op))
            case "call_value":
                return self.values_write
            case "builtin":
                found = registry.lookup(str(op.attrs["name"]))
                effect = found.effect if found is not None else None
                changes = effect in ("mutation", "file") and op.attrs["name"] != "push"
                return changes or (effect == "calls" and self.values_write)
        return op.code in WRITING


def _as_values(module: Module) -> set[str]:
    """The functions that something is given, and `forward` of models, which may be given as functions."""
    named = {arg.name for op in operations(module) for arg in op.args if isinstance(arg, FnRef)}
    return named | {function.name for function in module.functions if function.receiver and function.signature.name == "forward"}


def callers(inside: Mapping[str, Iterable[Op]]) -> dict[str, set[str]]:
    """Who calls each function or makes each model, `inside` being the operations of all."""
    found: dict[str, set[str]] = {}
    for name, ops in inside.items():
        for op in ops:
            if op.code in CALLING:
                found.setdefault(str(op.attrs["name"]), set()).add(name)
    return found


def _counts(op: Op) -> bool:
    """Whether a layer keeps account of what it sees."""
    type_ = getattr(op.args[0], "type", None)
    return not isinstance(type_, ModelOf) or type_.name not in LAYERS or bool(LAYERS[type_.name].buffers)
