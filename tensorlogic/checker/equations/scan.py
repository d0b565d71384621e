"""A scan: the equations of each turn as one function from the states before to the states after, and the call that runs it.

What does not read a state is worked out before the turns, for all of them at once.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.ahead import Ahead, drawn_in
from tensorlogic.checker.equations.firsts import zeros_before
from tensorlogic.checker.equations.ranges import size_operand
from tensorlogic.checker.equations.solve import prepare, value_of
from tensorlogic.checker.equations.store import neutral
from tensorlogic.checker.equations.terms import call, number, numbers, sizes
from tensorlogic.checker.equations.together import Statement
from tensorlogic.checker.equations.tree import Equation, Held, Node, Range
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.messages import example
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.ir.ir import Const, Omitted, Op, Operand, Region, Value
from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import ONE, ZERO, Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import SizeMismatch
from tensorlogic.types.types import DTypeValue, Fn, Int, Tensor, Tuple, Type, is_unknown


@distinct_record
class Read:
    """`C[t + 1, i]` in a step: the tensor, and what is added to the index of the step."""

    name: str
    added: int
    span: Span


@distinct_record
class Step:
    """One equation of a scan: `name` steps along `axis`, where the left side has `index` + `added`. It begins with `firsts`, at place 0 or
    at the place `last`; what only stands between recurrences has none. In the first turn the index is `start`, the place filled `lead`."""

    node: Statement
    target: ast.Index
    name: str
    axis: int
    index: str
    added: int
    virtual: bool
    left: tuple[tuple[str, Span], ...]
    firsts: tuple[Typed, ...]
    last: Dim | None
    kept: bool
    start: Dim = ZERO
    lead: Dim = ZERO


@distinct_record
class Scan:
    """Equations in the order in which each turn does them; and what they read of each other. A scan may run backward."""

    steps: tuple[Step, ...]
    backward: bool
    reads: Mapping[str, tuple[Read, ...]]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def back(self, step: Step, read: Read) -> int | None:
        """How many turns before its own a step reads; None where that is not known."""
        behind = self.step(read.name).lead - step.start - read.added
        return (-behind if self.backward else behind).value

    @property
    def down_to_zero(self) -> Dim:
        """The turns of a scan that runs backward."""
        return next(step.lead for step in self.steps if step.firsts) + 1

    def lowest(self, step: Step) -> Dim:
        """The first place on its axis that is known."""
        if self.backward:
            return step.lead - self.down_to_zero + 1
        return ZERO if step.firsts else step.lead

    def held(self, step: Step, states: Mapping[str, tuple[Typed, ...]]) -> dict[str, Held]:
        """What a step can read: of each tensor its states, the oldest first, the one of this turn last if it is there already."""
        found = {}
        for name, values in states.items():
            other = self.step(name)
            behind = (other.lead - step.start).value
            if behind is None:
                continue
            sign = -1 if self.backward else 1
            places = {behind - sign * (len(other.firsts) - at): value for at, value in enumerate(values)}
            found[name] = Held(other.axis, other.virtual, places)
        return found


def scan(state: State, plan: Scan) -> dict[str, Typed] | None:
    """The tensors that the steps make, by name; None after a message. What nothing reads afterwards is none of them."""
    turns = _turns(state, plan)
    if turns is None:
        return None
    made = _Turn(state, plan, *turns)
    return made.results() if made.function is not None else None


# --- how many turns --------------------------------------------------------------------------------------------------


def _turns(state: State, plan: Scan) -> tuple[Dim, bool] | None:
    """(how many, whether the program declared it). The index of each equation has as many places as the turns, and those before them.
    What is looked at for that leaves no operations."""
    frame = state.frame
    origins, values = dict(frame.origins), dict(frame.dim_values)
    found: list[tuple[Step, Range]] = []
    with state.block():
        states = {step.name: step.firsts for step in plan.steps}
        for step in plan.steps:
            equation = equation_of(state, plan, step, states)
            if prepare(equation, step.node.value, step.node.where) is None:
                return None
            if step.index in equation.ranges:
                found.append((step, equation.ranges[step.index]))
            states[step.name] = (*step.firsts, _provisional(equation, step))
    frame.origins, frame.dim_values = origins, values
    if plan.backward:
        return plan.down_to_zero, False
    if not found:
        step = plan.steps[0]
        help = f"declare its range: `where {step.index} in 0..N`"
        state.error("TL0403", step.target.span, f"the index `{step.index}` has no range: it stands on no axis", "no range", help)
        return None
    step, range_ = next((pair for pair in found if pair[1].declared), found[0])
    return (range_.size - step.start, range_.declared) if _begun(state, step, range_) else None


def _begun(state: State, step: Step, range_: Range) -> bool:
    """Whether the index reaches the first turn."""
    need = state.need()
    need.require(Rel(">=", range_.size, step.start), lambda witness: SizeMismatch(step.index, step.start, range_.size, witness))
    if need.mistakes:
        title = f"the index `{step.index}` has {range_.size} places, and the first states of `{step.name}` take {step.start}"
        state.error("TL0403", range_.span, title)
        return False
    add_guards(state, need.guards, range_.span)
    return True


def _provisional(equation: Equation, step: Step) -> Typed:
    """What a step makes, as far as its sizes go."""
    if step.firsts:
        return step.firsts[-1]
    shape = tuple(equation.ranges[name].size if name in equation.ranges else ONE for name, _ in step.left)
    return Typed(Value("", Tensor("float32", shape)), Tensor("float32", shape), step.target.span)


def equation_of(state: State, plan: Scan, step: Step, states: Mapping[str, tuple[Typed, ...]]) -> Equation:
    """An equation about one turn. The index of the steps is the first one on its left."""
    equation = Equation(state, (step.index, *(name for name, _ in step.left)), step=step.index)
    equation.states = plan.held(step, states)
    if step.firsts and isinstance(step.firsts[0].type, Tensor):
        for (name, span), size in zip(step.left, step.firsts[0].type.shape, strict=True):
            if isinstance(size, Dim):
                equation.ranges[name] = Range(size, span)
    return equation


# --- one turn --------------------------------------------------------------------------------------------------------


class _Turn:
    """The function of a turn, built equation by equation: operations for its body, and others that stand before the scan."""

    def __init__(self, state: State, plan: Scan, count: Dim, declared: bool):
        self.state, self.plan, self.count, self.declared = state, plan, count, declared
        self.span = plan.steps[0].node.span
        self.stepping = [step for step in plan.steps if step.firsts]
        self.beside = [step for step in plan.steps if not step.firsts and step.kept]
        self.alone = len(plan.steps) == 1 and len(plan.steps[0].firsts) == 1
        self.at = Value("turn" if plan.backward else plan.steps[0].index, Int())
        self.before = state.ops
        self.made: dict[str, Typed] = {}
        self.places: dict[Dim, Operand] = {}
        self.function = self._function()

    def _function(self) -> Value | None:
        types = tuple(first.type for step in self.stepping for first in step.firsts)
        whole = Value("", types[0] if self.alone else Tuple(types))
        with as_function(self.state, (self.at, whole), self.span) as finish:
            states = self._states(whole)
            for step in self.plan.steps:
                new = self._one(step, states)
                if new is None:
                    return None
                self.made[step.name] = new
                states[step.name] = (*states.get(step.name, ()), new)
            after = [value for step in self.stepping for value in states[step.name][1:]]
            after += [self.made[step.name] for step in self.beside]
            if self.alone:
                return finish(after[0])
            return finish(self._tuple(after))

    def _tuple(self, parts: list[Typed]) -> Typed:
        return self.state.emit("tuple", tuple(part.operand for part in parts), Tuple(tuple(part.type for part in parts)), self.span)

    def _states(self, whole: Value) -> dict[str, tuple[Typed, ...]]:
        """Those before the turn, the oldest first."""
        found: dict[str, tuple[Typed, ...]] = {}
        place = 0
        for step in self.stepping:
            parts = []
            for first in step.firsts:
                item = self.state.emit("item", (whole,), first.type, first.span, index=place) if not self.alone else None
                parts.append(replace(item, span=first.span) if item is not None else Typed(whole, first.type, first.span))
                place += 1
            found[step.name] = tuple(parts)
        return found

    def _one(self, step: Step, states: dict[str, tuple[Typed, ...]]) -> Typed | None:
        """The value that one equation gives in a turn; None after a message."""
        state, inside, since = self.state, self.state.ops, len(self.before)
        state.ops = self.before
        equation = equation_of(state, self.plan, step, states)
        places = Range(step.start + (ONE if self.plan.backward else self.count), self.span, self.declared)
        if self.declared:
            equation.ranges[step.index] = places
        tree = prepare(equation, step.node.value, step.node.where)
        if tree is not None:
            _agree(equation, equation.ranges.setdefault(step.index, places), places, step)
        state.ops = inside
        if tree is None or equation.wrong:
            return None
        drawn = self._drawn(tree, step.index, since)
        equation.ahead = ahead = Ahead(equation, self.before, lambda: self._place(equation, step.start), drawn)
        term = value_of(equation, ahead.gathered(tree), step.left, step.node.value.span)
        if term.unknown or equation.wrong:
            return None
        if not step.firsts:
            return term.typed
        first = step.firsts[-1]
        fitted = coerce(state, term.typed, first.type, "the next state", of=first.span)
        return None if fitted.doubted or is_unknown(fitted.type) else fitted

    def _drawn(self, tree: Node, index: str, since: int) -> set[Value]:
        """The values that each turn draws anew, of those worked out before the turns from `since` on: they go into the turn."""
        found = drawn_in(self.before[since:], tree, index)
        self.before[since:] = [op for op in self.before[since:] if op not in found]
        self.state.ops += found
        return {value for op in found for value in op.results}

    def _place(self, equation: Equation, start: Dim) -> Operand:
        """The index of an equation in a turn."""
        if start not in self.places:
            self.places[start] = self._arithmetic(equation, start) if start != ZERO or self.plan.backward else self.at
        return self.places[start]

    def _arithmetic(self, equation: Equation, start: Dim) -> Operand:
        inside, self.state.ops = self.state.ops, self.before
        first = size_operand(equation, start, self.span)
        self.state.ops = inside
        operands, op = ((first, self.at), "-") if self.plan.backward else ((self.at, first), "+")
        return self.state.emit("binary", operands, Int(), self.span, op=op).operand

    # --- the call -----------------------------------------------------------------------------------------------------

    def results(self) -> dict[str, Typed]:
        """What is known afterwards of each tensor: all states, or the last one."""
        equation = Equation(self.state, ())
        count = size_operand(equation, self.count, self.span)
        if self.alone:
            return {self.plan.steps[0].name: self._alone(equation, self.plan.steps[0], count)}
        firsts = self._tuple([first for step in self.stepping for first in step.firsts])
        beside = self._tuple([self._like(equation, step) for step in self.beside]).operand if self.beside else Omitted()
        kept, types, places = self._kept()
        counts = numbers(kept, self.span)
        assert self.function is not None
        operands = (firsts.operand, count, self.function, counts.operand, beside)
        whole = self.state.emit("builtin", operands, Tuple(tuple(types)), self.span, name="scan_together", index=0)
        return {
            step.name: self._finished(equation, step, self.state.emit("item", (whole.operand,), types[at], self.span, index=at))
            for step, at in places
        }

    def _alone(self, equation: Equation, step: Step, count: Operand) -> Typed:
        (first,) = step.firsts
        type_ = self._all(first.type, 1) if not step.virtual else first.type
        assert self.function is not None
        name = "scan_last" if step.virtual else "scan"
        result = self.state.emit("builtin", (first.operand, count, self.function), type_, self.span, name=name, index=0)
        return self._finished(equation, step, result)

    def _all(self, type_: Type, before: int) -> Type:
        assert isinstance(type_, Tensor)
        return Tensor(type_.dtype, (self.count + before, *type_.shape))

    def _like(self, equation: Equation, step: Step) -> Typed:
        """A tensor like those that an equation between the recurrences makes: what there is if there is no turn."""
        type_ = self.made[step.name].type
        assert isinstance(type_, Tensor)
        shape = tuple(size for size in type_.shape if isinstance(size, Dim))
        firsts = [first for one in self.stepping for first in one.firsts if isinstance(first.type, Tensor)]
        like = next((first for first in firsts if first.type.dtype == type_.dtype), None)  # type: ignore[union-attr]
        if like is not None:
            return neutral(equation, shape, like, "", self.span)
        dtype = DTypeValue(type_.dtype)
        length = sizes(equation, list(shape), self.span)
        return call(equation, "zeros", self.span, length, dtype=Typed(Const(str(type_.dtype), dtype), dtype, self.span))

    def _kept(self) -> tuple[list[int], list[Type], list[tuple[Step, int]]]:
        """(how many states each value begins with, or -1 for the last one alone; the types; where each tensor is)"""
        kept: list[int] = []
        types: list[Type] = []
        places: list[tuple[Step, int]] = []
        for step in (*self.stepping, *self.beside):
            older = max(len(step.firsts) - 1, 0)
            kept += [-1] * older
            types += [first.type for first in step.firsts[:older]]
            all_ = step.kept and not step.virtual
            kept.append(len(step.firsts) if all_ else -1)
            types.append(self._all(self.made[step.name].type, len(step.firsts)) if all_ else self.made[step.name].type)
            if step.kept:
                places.append((step, len(kept) - 1))
        return kept, types, places

    def _finished(self, equation: Equation, step: Step, typed: Typed) -> Typed:
        """All states along their own axis, from place 0 on."""
        if step.virtual:
            return typed
        first = number(0, self.span)
        if self.plan.backward:
            typed = call(equation, "flip", self.span, typed, first)
        if not step.firsts and self.plan.lowest(step) != ZERO:
            typed = zeros_before(equation, typed, 0, self.plan.lowest(step), self.span)
        return call(equation, "movedim", self.span, typed, first, number(step.axis, self.span)) if step.axis else typed


def _agree(equation: Equation, found: Range, wanted: Range, step: Step) -> None:
    """All equations of a scan have as many turns (TL0401)."""
    need = equation.state.need()
    need.require(Rel("==", found.size, wanted.size), lambda witness: SizeMismatch(step.index, wanted.size, found.size, witness))
    if need.mistakes:
        equation.wrong = True
        mistake = need.mistakes[0]
        notes = example(mistake.witness if isinstance(mistake, SizeMismatch) else None)
        title = f"equations that step together have {wanted.size} and {found.size} places for `{step.index}`"
        labels = (Label(wanted.span, f"these steps need {wanted.size}"),)
        equation.state.report(Diagnostic("TL0401", title, found.span, f"here it is {found.size}", labels, notes))
    add_guards(equation.state, need.guards, found.span)


@contextmanager
def as_function(state: State, params: tuple[Value, ...], span: Span) -> Iterator[Callable[[Typed], Value]]:
    """A block whose operations become a function of these values, when its result is given to what this yields."""
    outer = state.ops
    with state.block("lambda") as ops:

        def finish(result: Typed) -> Value:
            value = Value("", Fn(tuple(p.type for p in params), result.type))
            outer.append(Op("lambda", (), (value,), {}, (Region(params, tuple(ops), (result.operand,)),), span))
            return value

        yield finish
