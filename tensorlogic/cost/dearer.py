"""Tensor-network layers that are dearer than the dense layer of their sizes: in parameters, in operations, in memory to train."""

from collections.abc import Iterator, Mapping

from tensorlogic.checker.limits import stack_room
from tensorlogic.cost.activation import Activation
from tensorlogic.cost.describe import new_program, symbolic
from tensorlogic.cost.formula import elements, readable, total
from tensorlogic.cost.layers import asked, parameter_arrays
from tensorlogic.cost.models import make
from tensorlogic.cost.program import TooLarge
from tensorlogic.cost.values import Instance
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.ir.ir import Module
from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.types.dims import ONE, Dim, DimTooLarge
from tensorlogic.types.types import Tensor
from tensorlogic.types.unify import Bindings

NETWORKS = ("TTLinear", "TuckerLinear")
BYTES = 4  # float32, in which these layers compute


@record
class Comparison:
    """A layer against `Linear(I, O)`: parameters, operations for `rows`, and bytes that training keeps besides what comes in."""

    name: str
    span: Span
    inputs: Dim
    outputs: Dim
    parameters: Dim
    operations: Dim
    kept: Dim

    @property
    def dense(self) -> Dim:
        return self.inputs * self.outputs


def dearer_layers(module: Module, sizes: Mapping[str, int]) -> list[Diagnostic]:
    """A warning (TL0706) for each place that makes such a layer."""
    found: dict[Span, Comparison] = {}
    with stack_room():
        for instance in _instances(module, {name: Dim.const(number) for name, number in sizes.items()}):
            if instance.name in NETWORKS and instance.span is not None:
                found.setdefault(instance.span, compared(instance, instance.span))
    return [told for item in found.values() if (told := warning(item)) is not None]


def _instances(module: Module, sizes: Mapping[str, Dim]) -> Iterator[Instance]:
    """Every model that the program makes: in other models, in its statements, in functions."""
    program = new_program(module, sizes)
    for model in module.models:
        _quietly(lambda model=model: make(program, symbolic(model, sizes), {}, model.span))
    for region in (module.program, *((module.main,) if module.main is not None else ())):
        _quietly(lambda region=region: program.follow(Activation(program, Bindings()), region))
    yield from program.made


def _quietly(work) -> None:
    try:
        work()
    except (TooLarge, DimTooLarge):
        return


def compared(instance: Instance, span: Span) -> Comparison:
    call = asked(instance)
    call.bound.segments["B"] = (ONE,)
    call.result = Tensor("float32", (instance.sizes["O"],))
    cost = LAYERS[instance.name].cost
    weights = total(elements(array.type.shape) for array in parameter_arrays(instance) if len(array.type.shape) > 1)
    inputs, outputs = instance.sizes["I"], instance.sizes["O"]
    return Comparison(str(instance.type), span, inputs, outputs, weights, call.worth(cost.operations), call.worth(cost.extra))


def warning(item: Comparison) -> Diagnostic | None:
    """What is dearer for certain, or from some number of rows on."""
    dense, flop = item.dense, item.dense * 2
    worse = [words for words, more in (("parameters", item.parameters - dense), ("operations", item.operations - flop)) if _above(more)]
    rows = break_even(dense * BYTES - item.parameters * BYTES, item.kept)
    if not worse and rows is None:
        return None
    title = f"`{item.name}` is dearer than `Linear({item.inputs}, {item.outputs})` in " + (
        " and ".join(worse) if worse else f"memory to train from {rows:,} rows on"
    )
    saved = (dense - item.parameters) * BYTES
    notes = (
        f"parameters of the weight: {_number(item.parameters)}, dense {_number(dense)}",
        f"FLOP for a row: {_number(item.operations)}, dense {_number(flop)}",
        f"kept to train for a row: {_number(item.kept)} B more than dense; the parameters take {_number(saved)} B less",
    )
    help = ("a row is one position of one example; `gradient_checkpoint` keeps less",) if not worse else ()
    return Diagnostic("TL0706", title, item.span, notes=notes, help=help, severity="warning")


def break_even(saved: Dim, kept: Dim) -> int | None:
    """From how many rows on what is kept for them outweighs what the parameters save; None where nobody can say."""
    if saved.value is None or kept.value is None or kept.value <= 0:
        return None
    return max(saved.value // kept.value + 1, 1)


def _above(dim: Dim) -> bool:
    return dim.value is not None and dim.value > 0


def _number(dim: Dim) -> str:
    return f"{dim.value:,}" if dim.value is not None else readable(dim)
