"""The typed intermediate form: every program becomes this before it becomes Python or a torch.fx graph.

Operations are in A-normal form: their operands are values, constants or names of functions. Host control flow is an operation
with regions. A `Value` is assigned once, unless `mutable`: then `assign` operations write it again.

Operations, by `code` (attributes in parentheses):

    builtin(name, index)      a call of a builtin: `index` is the overload, INITIALIZER for what fills a declared tensor; one operand
                              per parameter, `Omitted` where left out; a variadic parameter takes the operands that are left.
                              With (folder) its operand `path` is relative to that folder, seen from the program's own. With (implied)
                              the checker put it there: a variable takes a copy of what may be written in place while it is read
    call(name, method)        a call of a function of this module, one operand per parameter, `Omitted` for a default
    call_value                the first operand is a function value
    model(name)               a new model: a model of this module or a standard layer, one operand per parameter. With (dtype) a layer has
                              that one instead of float32
    call_method(name, method) a method of a model, which is operand 0; then one operand per parameter. `name` is unique in the module
    python_call(module, name, names, type)
                              a function of a Python module; `names` are the names of the arguments or None
    binary(op)                + - * / // % ** @ == != < <= > >= in, on host values and tensors; `//` is exact or floor division of ints
    unary(op)                 - not ; `~` on bool tensors
    and / or                  regions[0] yields the right operand, evaluated only where needed
    cast(to)                  host conversion: int float bool string
    tensor(dtype, device)     a tensor literal: a host number, a nested list or a Const of nested tuples; the result type says the
                              shape; device is None, "gpu" or "cpu"
    list / tuple / range      of the operands
    struct(name)              a new struct, operands in the order of its fields
    field(name)               of a struct or a model; in a method the model is the `receiver`
    set_field(name)           operands struct, new value; structs are values: the result is the updated struct
    item(index)               element of a tuple
    list_item / list_slice    xs[i]; xs[a:b:c] with Omitted for absent parts (strings too)
    set_list_item             operands list, index, new value; the result is the updated list
    index                     tensor indexing: operand 0 the tensor, then one operand per index item: a value, a `SliceOf`,
                              `EllipsisIndex`
    set_index                 the same with the new value as last operand; the result is the updated tensor
    copy                      a plain binding of another name to a value: `let y = x`
    assign(target)            writes the mutable value `target`
    set_global(name, initial) writes a `param` or `tensor` of the file, for the first time where it is declared; later what learns is
                              written in place
    new_member(name)          in the `init` of a model: the operands are the new model and the first value of a field
    set_member(name, model)   writes a field of a model, parameters and buffers in place; operands model and value
    lambda                    regions[0] is the function: its params, its body, its yield
    if                        operand: condition; regions then, otherwise (may be empty); results are what the regions yield
    for                       operand: list, tuple, range or tensor; regions[0] has the element as parameter
    repeat                    operand: a count; regions[0] yields the item, evaluated anew for each: a list of models
    while                     regions[0] yields the condition, regions[1] is the body
    break / continue / return terminators; `return` has 0 or 1 operands
    assert(text)              operands: condition, optional message
    guard(goal, names, text)  stops with TL0801 unless the goal holds; the operands are the ints of the `names` in it
    check_type(type, bindings) the operand is checked against the tensor type at run time, the result has that type
    learn(options)            operands: batches or `Omitted`, then the values of the `options`, which are their names; regions[0] is the
                              step: it takes a batch, if there are any, and yields the objective
    fact(relation, weighted)  one fact: a value per column, behind them its weight if it has one
    facts(relation, folder)   all facts of a file; the operand is its path
    query(relation, terms, what)
                              asks a relation: `terms` are per column the name of a variable, None for `_`, or the place of an operand;
                              `what` is query (records), count, or without a result show (prints a table), explain (prints proofs),
                              forward and backward (how it is derived)
    as_tensor(relation)       the relation over its entity types, float32; the operands are the learnable tensors it comes from
    as_relation(relation)     the facts are the places of a tensor that are not zero
    entity(entity, name)      the place of an entity in its open type
    no_grad                   regions[0] runs without gradients
"""

from collections.abc import Mapping
from dataclasses import field

from tensorlogic.ir.relations import Knowledge
from tensorlogic.record import distinct_record, record
from tensorlogic.source import Source, Span
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Type

INITIALIZER = -1


@distinct_record
class Value:
    """Something with a type that operations read. `name` is the source name, or "" for a value in between. Compared by identity."""

    name: str
    type: Type
    mutable: bool = False
    top: bool = False  # a variable of the file itself: seen by `main`, tests and lambdas


@record
class Const:
    """A literal: int, float, bool, str, None, or nested tuples of them (a tensor literal). `text` keeps a float as written."""

    value: object
    type: Type
    text: str = ""


@record
class FnRef:
    """A function of the module as a value."""

    name: str
    type: Type


@record
class GlobalRef:
    """A `const`, `param` or `tensor` of the file, by its unique name."""

    name: str
    type: Type


@record
class Omitted:
    """An argument that was left out: the default holds."""


@record
class SliceOf:
    start: "Operand"
    stop: "Operand"
    step: "Operand"


@record
class EllipsisIndex:
    pass


Operand = Value | Const | FnRef | GlobalRef | Omitted | SliceOf | EllipsisIndex


@distinct_record
class Region:
    """A block of operations with parameters; `yields` are its values, if it has any."""

    params: tuple[Value, ...] = ()
    ops: tuple["Op", ...] = ()
    yields: tuple[Operand, ...] = ()


@distinct_record
class Op:
    code: str
    args: tuple[Operand, ...] = ()
    results: tuple[Value, ...] = ()
    attrs: Mapping[str, object] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    span: Span | None = None


@distinct_record
class DimBinding:
    """How a dimension variable gets its number at a call: axis `axis` (negative from the right) of parameter `param`, which is
    `scale * value + offset`; or the int parameter itself when `axis` is None. With `field` it is that of a model: an int, or where there
    is an axis a size of the tensor. `items` lead to the tensor in a list or tuple: the first of a list stands for all."""

    value: Value
    param: Value
    axis: int | None
    scale: int = 1
    offset: int = 0
    field: str = ""
    items: tuple[int, ...] = ()


@distinct_record
class Function:
    name: str  # unique in the module; the source name where that is possible
    params: tuple[Value, ...]
    defaults: tuple[Operand, ...]  # one per parameter, `Omitted` where it has none
    dims: tuple[DimBinding, ...]
    result: Type
    body: Region
    signature: Signature
    span: Span
    doc: str | None = None
    method_of: str | None = None  # a struct or a model
    receiver: Value | None = None  # the model whose method it is

    @property
    def title(self) -> str:
        """What people call it: `forward` of a model is `GPT.forward`."""
        return f"{self.method_of}.{self.signature.name}" if self.receiver is not None and self.method_of else self.name


@distinct_record
class Member:
    """A field of a model. `kind` is submodel, submodels (a list of them), param, buffer or value."""

    name: str
    kind: str
    type: Type
    learnable: bool
    span: Span


@distinct_record
class Model:
    """A declared model. `init` makes the fields of the new model `receiver` with `new_member` operations, in order. Its methods are
    functions of the module."""

    name: str
    params: tuple[Value, ...]
    defaults: tuple[Operand, ...]
    receiver: Value
    members: tuple[Member, ...]
    init: Region
    signature: Signature
    span: Span
    doc: str | None = None


@distinct_record
class StructType:
    name: str
    type_vars: tuple[str, ...]
    fields: tuple[tuple[str, Type], ...]
    learnable: frozenset[str]
    span: Span
    doc: str | None = None


@distinct_record
class Global:
    """A `const` (its value is in `value`), or a `param`/`tensor`, which a `set_global` operation of the program fills in order."""

    name: str
    kind: str  # const param tensor
    type: Type
    value: Operand | None = None
    learnable: bool = False
    span: Span | None = None
    doc: str | None = None


@distinct_record
class TestBlock:
    name: str
    body: Region
    span: Span


@distinct_record
class Module:
    """A whole program: the file and what it imports."""

    source: Source
    structs: tuple[StructType, ...]
    globals: tuple[Global, ...]
    functions: tuple[Function, ...]
    program: Region  # the top-level statements, in order; writes `top` values and `set_global(name)`
    main: Region | None
    tests: tuple[TestBlock, ...]
    python: tuple[Span, ...] = ()  # where Python modules are imported: run only where the user allows it
    models: tuple[Model, ...] = ()
    knowledge: Knowledge = Knowledge()

    def function(self, name: str) -> Function:
        return next(f for f in self.functions if f.name == name)

    def methods(self, owner: str) -> tuple[Function, ...]:
        """Those of a struct or a model."""
        return tuple(f for f in self.functions if f.method_of == owner)
