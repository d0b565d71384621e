"""The right side of an equation as a tree: sums and products with any number of operands, tensor references, functions.

Every node knows the indices in it that are not reduced inside, and whether it stands in parentheses of its own: both decide where an
index is summed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Op
from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim

NOTHING: frozenset[str] = frozenset()


@distinct_record
class Node:
    span: Span
    uses: frozenset[str]
    group: bool  # in parentheses of its own


@distinct_record
class Host(Node):
    """A value without an index in it."""

    typed: Typed
    node: ast.Node


@distinct_record
class Number(Node):
    """An index as its number."""

    name: str


@distinct_record
class Linear:
    """`2 * x + d - 1` in brackets. Without names it is one place."""

    factors: tuple[tuple[str, Dim], ...]
    offset: Dim
    span: Span

    @property
    def plain(self) -> str | None:
        """The index, where there is nothing else."""
        lone = len(self.factors) == 1 and self.factors[0][1].value == 1 and self.offset.value == 0
        return self.factors[0][0] if lone else None


@distinct_record
class Place:
    """An axis at one place that is known when the program runs."""

    typed: Typed
    span: Span


@distinct_record
class Quotient:
    """`x / 2`: rounded down."""

    name: str
    divisor: Dim
    span: Span


@distinct_record
class Computed:
    """An axis at the places that an integer value says: a tensor that gathers, or other arithmetic with indices."""

    node: Node
    span: Span


Item = Linear | Place | Quotient | Computed


@distinct_record
class Reference(Node):
    """`A[i, j + 1]`"""

    base: Typed
    items: tuple[Item, ...]
    node: ast.Index


@distinct_record
class Sum(Node):
    """Operands of `+` and `-`, each with its sign."""

    terms: tuple[tuple[str, Node], ...]
    operators: tuple[ast.Binary, ...]


@distinct_record
class Product(Node):
    """Operands of `*`, `/` and `%` and of juxtaposition, from left to right; the first one counts as multiplied."""

    factors: tuple[tuple[str, Node], ...]
    operators: tuple[ast.Binary, ...]


@distinct_record
class Pair(Node):
    """Any other operator between two operands: powers, comparisons, `and`, `or`, and in brackets `/`, which rounds down."""

    left: Node
    right: Node
    node: ast.Binary


@distinct_record
class Sign(Node):
    """`-x` or `not x`"""

    operand: Node
    node: ast.Unary


@distinct_record
class Apply(Node):
    """A function of terms. `indices` are those in brackets behind its name: `softmax[j](x)`."""

    name: str
    args: tuple[tuple[str | None, Node], ...]
    indices: tuple[str, ...]
    node: ast.Call

    @property
    def keeps(self) -> bool:
        return self.name in KEEPING


KEEPING = ("softmax", "log_softmax", "softmin", "layer_norm", "rms_norm", "normalize", "cumsum", "cumprod", "logcumsumexp", "flip")


@distinct_record
class Defined:
    """How an equation defined a tensor: its indices. While only states are there that a recurrence begins with: these, the axis of its
    steps, and where the last state stands if the steps run from there to the front."""

    names: tuple[str, ...]
    firsts: tuple[Typed, ...] = ()
    axis: int = 0
    last: Dim | None = None
    ops: tuple[Op, ...] = ()  # what makes a tensor of these states, in case it is read


@distinct_record
class Held:
    """What a step of a recurrence can read of a tensor that steps with it: the axis of the steps, whether it is virtual (`*t`), and the
    states by what stands behind the index, `H[t - 1]` by -1."""

    axis: int
    virtual: bool
    states: Mapping[int, Typed]


@dataclass(frozen=True, slots=True)
class Range:
    """How many places an index has, where that was said, and whether the program declared it."""

    size: Dim
    span: Span
    declared: bool = False


@dataclass
class Equation:
    """What is known of one equation while it is checked. If it holds for each `step` of a recurrence, `states` are the tensors that step
    with it, and `ahead` gives the value of what can be worked out before the steps."""

    state: State
    left: tuple[str, ...]
    indices: set[str] = field(default_factory=set)
    ranges: dict[str, Range] = field(default_factory=dict)
    places: dict[str, list[Span]] = field(default_factory=dict)
    homes: dict[Node, frozenset[str]] = field(default_factory=dict)  # scopes, and what is summed in them
    around: dict[Node, frozenset[str]] = field(default_factory=dict)  # groups that are the one operand of their scope
    step: str = ""
    states: Mapping[str, Held] = field(default_factory=dict)
    ahead: Callable[[Node, frozenset[str]], Any] | None = None
    numbers: str = "int64"  # the dtype of indices as numbers
    inside: bool = False  # whether what is built stands in brackets, where arithmetic gives places
    wrong: bool = False

    def is_index(self, name: str) -> bool:
        return name in self.indices

    def reads_state(self, node: ast.Node) -> bool:
        """Whether something in it steps with the equation."""
        return bool(self.states) and any(isinstance(item, ast.Name) and item.name in self.states for item in ast.walk(node))

    def fail(self, code: str, span: Span, message: str, text: str = "", help: str = "") -> None:
        self.wrong = True
        self.state.error(code, span, message, text, help)

    @property
    def problems(self) -> Problems:
        return self.state.problems

    def order(self, names: set[str] | frozenset[str]) -> tuple[str, ...]:
        """Indices as they stand on the left, then by where they were met."""
        known = [*self.left, *self.places, *self.ranges]
        return tuple(dict.fromkeys(name for name in known if name in names))


def uses_of(item: Item) -> frozenset[str]:
    """The indices on one axis."""
    match item:
        case Linear(factors=factors):
            return frozenset(name for name, _ in factors)
        case Quotient(name=name):
            return frozenset((name,))
        case Computed(node=node):
            return node.uses
    return NOTHING


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sum(terms=parts) | Product(factors=parts) | Apply(args=parts):
            return tuple(part for _, part in parts)
        case Pair(left=left, right=right):
            return left, right
        case Sign(operand=operand):
            return (operand,)
        case Reference(items=items):
            return tuple(item.node for item in items if isinstance(item, Computed))
    return ()
