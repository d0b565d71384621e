"""Entity types as sizes: a number where the type is closed, read while the program runs where it is open."""

from tensorlogic.checker.relation_data import EntityName
from tensorlogic.checker.state import State, Typed
from tensorlogic.ir.ir import Const, Op, Value
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Int


def number_of(state: State, found: EntityName, span: Span) -> Typed:
    """How many entities a type has, as an int. Reading it settles the number: from then on the type takes no more."""
    size = Int(found.dim)
    if found.closed:
        return Typed(Const(found.dim.value, size), size, span)
    return state.emit("entities", (), size, span, entity=found.unique)


def reading(found: EntityName, span: Span) -> Op:
    """The operation that reads the number of entities of an open type."""
    return Op("entities", (), (Value("", Int(found.dim)),), {"entity": found.unique}, (), span)


def is_readable(state: State, size: Dim) -> bool:
    """Whether all that is unknown in a size are open entity types."""
    return all("#" not in name or state.relations.of_dim(name) is not None for name in size.symbols())
