"""What a function takes and gives: one description for functions of a program and for builtins."""

from tensorlogic.record import record
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Goal
from tensorlogic.types.types import DTypeVar, Int, Type, TypeVar


@record
class Parameter:
    """One parameter. `default` is the syntax tree of its default, which only the checker reads; see `has_default`."""

    name: str
    type: Type
    has_default: bool = False
    default: object = None
    span: Span | None = None
    variadic: bool = False  # takes all further positional arguments (`print`, `einsum`)


@record
class Requirement:
    """A `where` clause with its place."""

    goal: Goal
    span: Span | None = None
    text: str = ""


@record
class Signature:
    """`dims` are the dimension variables, `segments` the names of `...B`; both are bound by the arguments."""

    name: str
    params: tuple[Parameter, ...]
    result: Type
    dtype_vars: tuple[DTypeVar, ...] = ()
    type_vars: tuple[TypeVar, ...] = ()
    dims: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    where: tuple[Requirement, ...] = ()
    value: Dim | None = None  # of an int result: `where result == floor_div(a, b)`
    span: Span | None = None
    text: str = ""  # as declared, for messages and `tlc builtins`
    derived: tuple[str, ...] = ()  # of a standard layer: the sizes that its arguments make
    sized: frozenset[str] = frozenset()  # of a model: its int parameters that are sizes of its fields or methods

    @property
    def own_sizes(self) -> dict[str, Dim]:
        """The int parameters as sizes, by name: what the parameters of a model are to its fields and methods."""
        names = (*(p.name for p in self.params if isinstance(p.type, Int)), *self.derived)
        return {name: Dim.sym(name) for name in names}

    @property
    def required(self) -> int:
        return sum(not p.has_default and not p.variadic for p in self.params)
