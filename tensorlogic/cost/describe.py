"""What the functions, methods and models of a program cost, each in its own sizes, as far as these are not given."""

from collections.abc import Mapping
from dataclasses import field

from tensorlogic.checker.limits import stack_room
from tensorlogic.cost.follow import block, repeated
from tensorlogic.cost.formula import bytes_of, elements, total
from tensorlogic.cost.functions import root_things, summary_of
from tensorlogic.cost.models import make, own_tensors, parts, written
from tensorlogic.cost.program import Budget, Program, Remark, TooLarge
from tensorlogic.cost.tally import Totals
from tensorlogic.cost.values import Instance, Storage
from tensorlogic.ir.ir import Function, Model, Module
from tensorlogic.record import record
from tensorlogic.types.dims import ONE, Dim, DimTooLarge
from tensorlogic.types.signature import Requirement
from tensorlogic.types.types import ModelOf


@record
class Row:
    """A model or submodel, `count` times in the one above it: what all of these hold, and what they spend in one call of the method."""

    name: str
    type: str
    count: Dim
    parameters: Dim
    buffers: Dim
    bytes: Dim
    totals: Totals
    rows: tuple["Row", ...] = ()


@record
class Work:
    """What one call comes to. `kept` are the bytes of intermediates that training keeps for the gradient, `peaks` the most bytes of them
    at a time without gradients: the largest of these. `tree` is of the model whose method it is."""

    totals: Totals
    kept: Dim
    peaks: tuple[Dim, ...]
    largest: tuple[Storage, ...]
    tree: Row | None = None


@record
class Described:
    """One function or method: its place, the names of its sizes, what it costs, or why nobody can say. `factors` are names for numbers
    that nobody knows, and what they are."""

    name: str
    function: Function
    sizes: tuple[str, ...]
    work: Work | None
    problem: str = ""
    remarks: tuple[Remark, ...] = ()
    factors: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[Requirement, ...] = ()


def describe(module: Module, sizes: Mapping[str, int] | None = None) -> tuple[Described, ...]:
    """The functions of a program, then the methods of its models. Those of the library count where they are used."""
    given = {name: Dim.const(number) for name, number in (sizes or {}).items()}
    models = {model.name: model for model in module.models}
    functions = [f for f in module.functions if not f.span.source.name.startswith("library/")]
    functions.sort(key=lambda f: f.receiver is not None)
    budget = Budget()
    with stack_room():
        return tuple(_described(new_program(module, given, budget), f, models.get(str(f.method_of))) for f in functions)


def new_program(module: Module, sizes: Mapping[str, Dim] | None = None, budget: Budget | None = None) -> Program:
    return Program(module, make, block, repeated, sizes or {}, budget=budget or Budget())


def symbolic(model: Model, given: Mapping[str, Dim]) -> ModelOf:
    """A model whose parameters are what is given of them, and their names."""
    return ModelOf(model.name, tuple((name, given.get(name, size)) for name, size in model.signature.own_sizes.items()))


def _described(program: Program, function: Function, model: Model | None) -> Described:
    own = model.signature.own_sizes if model is not None else ()
    sizes = tuple(dict.fromkeys((*own, *function.signature.dims, *function.signature.segments)))
    work, problem = None, ""
    try:
        work = _work(program, function, model)
    except (TooLarge, DimTooLarge) as error:
        problem = str(error)
    remarks = tuple(program.remarks)
    requirements = (*(model.signature.where if model is not None else ()), *function.signature.where)
    return Described(function.title, function, sizes, work, problem, remarks, program.factors, requirements)


def _work(program: Program, function: Function, model: Model | None) -> Work:
    owner = make(program, symbolic(model, program.sizes), {}, model.span) if model is not None else None
    summary = summary_of(program, function, root_things(program, function, owner), owner, True)
    tally = summary.tally
    tree = _row(program, owner, "", ONE, ONE, {**tally.inside, owner: tally.totals}) if owner is not None else None
    given_back = total(storage.bytes for storage in summary.saved if not storage.fixed)
    return Work(tally.totals, tally.kept + given_back, summary.peaks, summary.largest, tree)


def _row(program: Program, instance: Instance, name: str, count: Dim, times: Dim, inside: Mapping[Instance, Totals]) -> Row:
    """`times` is how often there is one of these in the whole model."""
    below = tuple(_row(program, part.instance, part.name, part.count, times * part.count, inside) for part in parts(instance))
    own = tuple(own_tensors(instance))
    learnt, others = (total(elements(tensor.shape) for tensor, learns in own if learns == kind) * times for kind in (True, False))
    size = total(bytes_of(tensor) for tensor, _ in own) * times
    return Row(
        name, written(program, instance), count,
        learnt + total(row.parameters for row in below), others + total(row.buffers for row in below),
        size + total(row.bytes for row in below), inside.get(instance, Totals()), below,
    )  # fmt: skip
