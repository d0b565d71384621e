"""What the steps of a recurrence do not need to wait for: the parts of an equation without a state are worked out before the steps, for all
places of their index at once, and a step takes its place of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tensorlogic.checker.equations.ranges import all_nodes
from tensorlogic.checker.equations.terms import Term, number
from tensorlogic.checker.equations.tree import NOTHING, Apply, Equation, Host, Node, Number, Pair, Product, Reference, Sign, Sum
from tensorlogic.checker.equations.values import evaluate
from tensorlogic.checker.state import Typed
from tensorlogic.ir.ir import Op, Operand, Value
from tensorlogic.ir.rewrite import operations_in, values_in
from tensorlogic.stdlib import registry
from tensorlogic.types.types import Int, List, Tensor

CALLS = ("call", "call_value", "call_method", "python_call")


class Ahead:
    """Asked for the value of each part of the tree of an equation. `before` takes the operations in front of the steps, `place` gives the
    index of the steps in each of them; `drawn` are values that each step draws anew."""

    def __init__(self, equation: Equation, before: list[Op], place: Callable[[], Operand], drawn: set[Value]):
        self.equation, self.before, self.place = equation, before, place
        self.late = {value.operand for held in equation.states.values() for value in held.states.values()} | drawn
        self.together: set[Node] = set()  # sums of operands that stood apart

    def waits(self, node: Node) -> bool:
        """Whether a state is read in it, or each step draws numbers of its own."""
        return any(self._is_new(part) for part in all_nodes(node))

    def _is_new(self, node: Node) -> bool:
        match node:
            case Reference(base=value) | Host(typed=value):
                return value.operand in self.late
            case Apply(name=name):
                return self.equation.step not in node.uses and _is_random(name)
        return False

    def __call__(self, node: Node, summed: frozenset[str]) -> Term | None:
        """The value of a part in a step; None where the step itself has to work it out."""
        equation = self.equation
        if isinstance(node, Number) and node.name == equation.step:
            return Term(Typed(self.place(), Int(), node.span), (), weak=True)
        if node in self.together:  # each of its operands sums for itself, as it did before
            equation.homes[node] = summed
        if isinstance(node, Host) or self.waits(node) or not self._worthwhile(node, summed):
            return None
        inside, equation.state.ops, equation.ahead = equation.state.ops, self.before, None
        term = evaluate(equation, node, summed)
        rows = self._rows(term) if equation.step in term.axes else None
        equation.state.ops, equation.ahead = inside, self
        return term if rows is None else self._at_place(term, rows)

    def _rows(self, term: Term) -> Typed:
        """The values of all steps one by one: taken apart at once, their gradients come together at once."""
        at = term.axes.index(self.equation.step)
        axis = number(at, term.typed.span)
        type_ = List(Tensor(term.dtype, term.shape[:at] + term.shape[at + 1 :]))
        operands = (term.typed.operand, axis.operand)
        return self.equation.state.emit("builtin", operands, type_, term.typed.span, name="unbind", index=0)

    def _at_place(self, term: Term, rows: Typed) -> Term:
        assert isinstance(rows.type, List)
        typed = self.equation.state.emit("list_item", (rows.operand, self.place()), rows.type.element, rows.span)
        return Term(typed, tuple(name for name in term.axes if name != self.equation.step), term.weak)

    def _worthwhile(self, node: Node, summed: frozenset[str]) -> bool:
        """Not for a few numbers; nor where the value for all steps would be larger than what it comes from and than all states."""
        nodes = all_nodes(node)
        read = [part.uses for part in nodes if isinstance(part, Reference)]
        step = {self.equation.step}
        if not read and node.uses <= step and not any(isinstance(part, Apply | Pair) for part in nodes):
            return False
        inner = NOTHING.union(*(self.equation.homes.get(part, NOTHING) | self.equation.around.get(part, NOTHING) for part in nodes))
        axes = node.uses - summed - inner
        return not step <= axes or axes <= {*self.equation.left} or any(axes <= uses for uses in read)

    # --- sums ---------------------------------------------------------------------------------------------------------

    def gathered(self, node: Node) -> Node:
        """The tree with those operands of each sum together that do not wait for a state."""
        match node:
            case Sum(terms=terms):
                return self._sum(replace(node, terms=tuple((sign, self.gathered(part)) for sign, part in terms)))
            case Product(factors=factors):
                return replace(node, factors=tuple((op, self.gathered(part)) for op, part in factors))
            case Apply(args=args):
                return replace(node, args=tuple((name, self.gathered(part)) for name, part in args))
            case Pair(left=left, right=right):
                return replace(node, left=self.gathered(left), right=self.gathered(right))
            case Sign(operand=operand):
                return replace(node, operand=self.gathered(operand))
        return node

    def _sum(self, node: Sum) -> Sum:
        """`w + x[t] + s + b` is `(w + x[t] + b) + s`."""
        early = [(sign, part) for sign, part in node.terms if not self.waits(part)]
        late = [(sign, part) for sign, part in node.terms if self.waits(part)]
        if len(early) < 2 or not late:
            return node
        early.sort(key=lambda term: term[0] != "+")
        sign = early[0][0]
        signs = ["+" if (one == sign) else "-" for one, _ in early]
        first = self._added(node, [(one, part) for one, (_, part) in zip(signs, early, strict=True)])
        self.together.add(first)
        self.equation.homes[first] = NOTHING  # a scope, so that it is asked for as a whole
        late.sort(key=lambda term: term[0] != "+")
        whole = self._added(node, [("+", first), *late] if sign == "+" else [*late, ("-", first)])
        return replace(whole, group=node.group)

    def _added(self, node: Sum, terms: list[tuple[str, Node]]) -> Sum:
        operators = tuple(replace(node.operators[0], op=sign) for sign, _ in terms[1:])
        uses = NOTHING.union(*(part.uses for _, part in terms))
        return Sum(node.span, uses, False, tuple(terms), operators)


def drawn_in(ops: list[Op], tree: Node, step: str) -> list[Op]:
    """Those of the operations that each step does anew: they draw random numbers, or rest on some. What has the index `step` on an axis has
    numbers for all steps."""
    whole = {part.base.operand for part in all_nodes(tree) if isinstance(part, Reference) and step in part.uses}
    for op in reversed(ops):
        if not whole.isdisjoint(op.results):
            whole.update(_read_by(op))
    found: list[Op] = []
    values: set[Operand] = set()
    for op in ops:
        if (_draws(op) or not values.isdisjoint(_read_by(op))) and whole.isdisjoint(op.results):
            found.append(op)
            values.update(op.results)
    return found


def _read_by(op: Op) -> Iterator[Operand]:
    return (value for part in (op, *operations_in(op.regions)) for value in values_in(part.args))


def _draws(op: Op) -> bool:
    """Whether it draws random numbers; a call may."""
    parts = (op, *operations_in(op.regions))
    return any(part.code in CALLS or (part.code == "builtin" and _is_random(str(part.attrs["name"]))) for part in parts)


def _is_random(name: str) -> bool:
    known = registry.lookup(name)
    return known is not None and known.effect == "random"
