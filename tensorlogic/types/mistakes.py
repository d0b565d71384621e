"""What can be wrong with types and shapes, as facts. `checker/messages.py` alone gives them codes and words."""

from collections.abc import Mapping

from tensorlogic.record import record
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Goal
from tensorlogic.types.types import DTypeVar, Shape, Type

Witness = Mapping[str, int]


@record
class SizeMismatch:
    """Two sizes that must be equal are not (TL0301). `what` names the place: "the inner sizes", "dimension D of `x`"."""

    what: str
    left: Dim
    right: Dim
    witness: Witness | None = None
    pattern: Dim | None = None  # what the signature calls the size
    first: str = ""  # the argument that settled it: "`x` of `linear`"


@record
class RankMismatch:
    """Wrong number of dims (TL0304)."""

    what: str
    expected: str  # "2", "at least 1", "float32[N, D]"
    found: Type | Shape


@record
class AccidentalBroadcast:
    """Operands of different rank where the lower one does not broadcast into the other (TL0303)."""

    left: Shape
    right: Shape


@record
class DTypeMismatch:
    """(TL0302)"""

    what: str
    left: str | DTypeVar
    right: str | DTypeVar


@record
class DTypeKind:
    """A dtype outside the kind that the signature asks for (TL0302); `kind` is "float", "int", "number" ..."""

    what: str
    kind: str
    found: str | DTypeVar


@record
class NotDefined:
    """The operation does not exist for this type (TL0305)."""

    operation: str
    found: Type
    advice: str = ""


@record
class WrongType:
    """Another type was expected (TL0306)."""

    what: str
    expected: str
    found: Type
    advice: str = ""


@record
class CountMismatch:
    """A reshape between different numbers of elements (TL0308)."""

    before: Shape
    after: Shape
    witness: Witness | None = None


@record
class NotDivisible:
    """(TL0309)"""

    divisor: Dim
    dividend: Dim
    witness: Witness | None = None


@record
class AxisOutOfRange:
    """(TL0310)"""

    axis: int
    shape: Shape


@record
class IndexOutOfRange:
    """(TL0310)"""

    index: str
    size: Dim


@record
class EmptySlice:
    """A slice that is certainly empty, or a derived size that is certainly negative (TL0310)."""

    what: str
    size: Dim


@record
class WhereNotMet:
    """A `where` clause of the callee is not met (TL0311)."""

    callee: str
    goal: Goal
    witness: Witness | None = None
    text: str = ""  # as it is written
    values: str = ""  # what its names are here: "D is 96, H is 10"


@record
class BadArgument:
    """An argument value that makes no sense: `code` is one of the fixed ones, `text` a whole sentence without full stop."""

    code: str
    text: str
    advice: str = ""


Mistake = (
    SizeMismatch
    | RankMismatch
    | AccidentalBroadcast
    | DTypeMismatch
    | DTypeKind
    | NotDefined
    | WrongType
    | CountMismatch
    | NotDivisible
    | AxisOutOfRange
    | IndexOutOfRange
    | EmptySlice
    | WhereNotMet
    | BadArgument
)
