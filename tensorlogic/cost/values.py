"""What values are while costs are worked out: types with sizes, the memory that tensors lie in, and what is known of host values."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from tensorlogic.cost.formula import bytes_of
from tensorlogic.ir.ir import Region
from tensorlogic.record import distinct_record, record
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int, List, ModelOf, Tensor, Tuple, Type


@distinct_record
class Storage:
    """The memory of a tensor, shared by its views. What is `fixed` belongs to the caller or the model: it is no intermediate."""

    type: Tensor
    span: Span | None = None
    fixed: bool = False

    @property
    def bytes(self) -> Dim:
        return bytes_of(self.type)


@record
class Array:
    """A tensor. `order` is None where its elements lie one after the other, the pair of axes that were swapped, or () otherwise."""

    type: Tensor
    storage: Storage
    order: tuple[int, ...] | None = None
    grad: bool = False


@record
class Host:
    """A number, text, flag or anything else that is no tensor; `value` is None where it is not known."""

    type: Type
    value: object = None

    @property
    def known(self) -> object:
        """What Python would have: a number of known size too."""
        return self.type.value.value if isinstance(self.type, Int) and self.type.value is not None else self.value


@record
class Group:
    """A tuple, a list of known items, the fields of a struct."""

    type: Type
    items: tuple["Thing", ...]
    names: tuple[str, ...] = ()


@record
class Many:
    """A list of `count` items that are all alike."""

    type: Type
    item: "Thing"
    count: Dim


@distinct_record
class Instance:
    """A model: its parameters by name, its fields, and the place that made it. `fields` fills up while it is made."""

    name: str
    sizes: Mapping[str, Dim]
    arguments: Mapping[str, "Thing"]
    span: Span | None
    type: ModelOf
    fields: dict[str, "Thing"] = field(default_factory=dict)


@distinct_record
class Closure:
    """A lambda with what it sees, or a function by its name."""

    type: Type
    region: Region | None
    seen: object = None  # the activation in which it was made
    name: str = ""


Thing = Array | Host | Group | Many | Instance | Closure


def arrays(thing: Thing) -> Iterator[Array]:
    """The tensors in it; those of a model belong to the model."""
    match thing:
        case Array():
            yield thing
        case Group(items=items):
            for item in items:
                yield from arrays(item)
        case Many(item=item):
            yield from arrays(item)


def moved(thing: Thing, table: Mapping[Storage, Storage]) -> Thing:
    """The same in other memory."""
    match thing:
        case Array(storage=storage):
            return replace(thing, storage=table.get(storage, storage))
        case Group(items=items):
            return replace(thing, items=tuple(moved(item, table) for item in items))
        case Many(item=item):
            return replace(thing, item=moved(item, table))
    return thing


def fresh(type_: Type, span: Span | None, fixed: bool = False, grad: bool = False) -> Thing:
    """A new value of a type."""
    match type_:
        case Tensor(dtype):
            return Array(type_, Storage(type_, span, fixed), None, grad and str(dtype).startswith(("float", "bfloat", "T")))
        case Tuple(items) | List(_, tuple() as items):
            return Group(type_, tuple(fresh(item, span, fixed, grad) for item in items))
        case List(Tensor() as element):
            return Many(type_, fresh(element, span, fixed, grad), Dim.fresh())
    return Host(type_)
