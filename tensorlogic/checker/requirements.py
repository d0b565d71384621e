"""What every function, method and model requires of its sizes: what is declared, and what the checker left to run time.

The program is checked once more by a `State` that writes down each claim it could not prove. Guards (TL0702) are read off the
operations that they became; the bounds of indices, slices and windows are claims that become no operation. What a function
requires that is called on every path is required of its caller too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tensorlogic.checker.check import begin, top_frame
from tensorlogic.checker.expressions import EXPRESSIONS, STATEMENTS
from tensorlogic.checker.functions import check_body, facts_of
from tensorlogic.checker.models import check_fields
from tensorlogic.checker.scope import FunctionName, ModelName, Scope
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Const, Function, Op, Operand, Region, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.conditions import Condition, Described
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal, goal_symbols
from tensorlogic.types.mistakes import Mistake, Witness
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.prove import Proved, prove
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Int, Tensor
from tensorlogic.types.unify import substitute_goal

DIVIDING = (ast.If, ast.For, ast.While, ast.Match, ast.Lambda)  # what is inside may run never, or with other values
LONGEST_CODE = 48


def describe_program(tree: ast.Module, settings: Mapping[str, str] | None = None) -> tuple[Described, ...]:
    """The functions, methods and models of a program without errors, in source order; imported ones behind those of the file."""
    state = _Listening(Problems(), Scope(None, "file"), top_frame(), {}, EXPRESSIONS, STATEMENTS)
    builder = begin(tree, state, dict(settings or {}), lambda builder, state, tree: None)
    for model in builder.models:
        check_fields(state, model)
    found = [_model(model) for model in builder.models]
    bodies: dict[str, tuple[_Body, str]] = {}
    for model in builder.models:
        for method in model.methods.values():
            _body(bodies, state, method, f"{model.declaration.name}.{method.declaration.name}", "method")
    for function, struct in builder.pending:
        owner = f"{struct}." if struct else ""
        _body(bodies, state, function, owner + function.declaration.name, "function", struct)
    found += [_described(body, name, bodies) for body, name in bodies.values()]
    return tuple(sorted(found, key=lambda item: (item.span.source.name != tree.source.name, item.span.source.name, item.span.start)))


# --- listening to the checker ----------------------------------------------------------------------------------------


class _Need(Obligations):
    """Obligations that say which bounds they left to the operation."""

    def __init__(self, facts: Facts, leave: Callable[[Goal], None]) -> None:
        super().__init__(facts)
        self.leave = leave

    def require(self, goal: Goal, mistake: Callable[[Witness], Mistake], *, certain: bool = False) -> bool:
        kept = super().require(goal, mistake, certain=certain)
        if certain and kept and not self.holds(goal):
            self.leave(goal)
        return kept


@dataclass
class _Listening(State):
    """Checks as ever, and collects what is left: `around` are the expressions and statements that are being checked."""

    around: list[ast.Node] = field(default_factory=list)
    left: list[Condition] = field(default_factory=list)
    gone: bool = False  # some path has returned already

    def expr(self, node, expected=None):
        with self._inside(node):
            return super().expr(node, expected)

    def statement(self, node) -> None:
        with self._inside(node):
            super().statement(node)
        if isinstance(node, ast.Return | ast.Break | ast.Continue):
            self.gone = True

    def _inside(self, node: ast.Node) -> "_Around":
        return _Around(self.around, node)

    def need(self) -> Obligations:
        return _Need(self.frame.facts, self._leave)

    def _leave(self, goal: Goal) -> None:
        if not self.around:
            return
        span = self.around[-1].span
        always = not self.gone and not any(isinstance(node, DIVIDING) for node in self.around)
        self.left.append(Condition(goal, span, "bound", code_of(span), always))


@dataclass(slots=True)
class _Around:
    """Keeps a node on the stack while it is checked."""

    stack: list[ast.Node]
    node: ast.Node

    def __enter__(self) -> None:
        self.stack.append(self.node)

    def __exit__(self, *_: object) -> None:
        self.stack.pop()


@dataclass(frozen=True, slots=True)
class _Body:
    """A checked function with what was left to run time in it."""

    declared: FunctionName
    kind: str
    function: Function
    left: tuple[Condition, ...]


def _body(bodies: dict, state: _Listening, declared: FunctionName, name: str, kind: str, struct: str | None = None) -> None:
    state.left, state.gone, state.around = [], False, []
    try:
        function = check_body(state, declared, struct)
    except DimTooLarge:
        return
    if function is not None:
        bodies[function.name] = _Body(declared, kind, function, tuple(dict.fromkeys(state.left))), name


# --- describing ------------------------------------------------------------------------------------------------------


def _model(model: ModelName) -> Described:
    conditions = tuple(_declared(model.signature))
    names = tuple(model.signature.own_sizes)
    node = model.declaration
    return Described("model", node.name, model.unique, model.signature, names, conditions, facts_of(model.signature), node.name_span)


def _declared(signature: Signature) -> Iterator[Condition]:
    for item in signature.where:
        yield Condition(item.goal, item.span, "where", item.text)


def _described(body: _Body, name: str, bodies: Mapping[str, tuple[_Body, str]]) -> Described:
    declared, signature = body.declared, body.function.signature
    axes = _axes(signature)
    given = facts_of(signature, declared.outer)
    conditions = dict.fromkeys((*_declared(signature), *_left(body, bodies, ())))
    kept = tuple(_with_axes(c, axes) for c in conditions if c.origin == "where" or not _follows(c, given))
    facts = given
    for condition in kept:
        if condition.origin != "where" and condition.always:
            facts = facts.assume(condition.goal, condition.span)
    sizes = tuple(dict.fromkeys((*signature.dims, *(text for _, text in axes))))
    return Described(
        body.kind, name, body.function.name, signature, sizes, kept, facts, declared.declaration.name_span, axes
    )  # fmt: skip


def _follows(condition: Condition, facts: Facts) -> bool:
    return isinstance(prove(condition.goal, facts), Proved)


def _left(body: _Body, bodies: Mapping[str, tuple[_Body, str]], calling: tuple[str, ...]) -> Iterator[Condition]:
    """What is left to run time in a function and in those that it always calls."""
    function = body.function
    yield from body.left
    for op, nested in operations_in(function.body):
        if op.code == "guard" and op.span is not None:
            entry = op in function.body.ops
            yield Condition(op.attrs["goal"], op.span, "guard", code_of(op.span), entry and not nested)  # type: ignore[arg-type]
        called = bodies.get(str(op.attrs.get("name"))) if op.code == "call" and not nested else None
        if called is not None and op.span is not None and called[0].function.name not in (*calling, function.name):
            yield from _of_callee(op, op.span, called[0], bodies, (*calling, function.name))


def _of_callee(op: Op, span: Span, callee: _Body, bodies: Mapping, calling: tuple[str, ...]) -> Iterator[Condition]:
    """The conditions of a called function in the sizes of the caller; those that it has no name for are left out."""
    table = dict(_arguments(op, callee.function))
    for condition in _left(callee, bodies, calling):
        if condition.always and goal_symbols(condition.goal) <= table.keys():
            yield Condition(substitute_goal(condition.goal, table), span, condition.origin, code_of(span))


def _arguments(op: Op, callee: Function) -> Iterator[tuple[str, Dim]]:
    """The sizes of a function by their names, as a call gives them."""
    given = dict(zip(callee.params, op.args, strict=False))
    for binding in callee.dims:
        size = _size(given.get(binding.param), binding.axis)
        if size is not None and binding.value.name:
            yield binding.value.name, (size - binding.offset).exact_div(binding.scale)
    for param in callee.params:
        size = _size(given.get(param), None)
        if size is not None:
            yield param.name, size


def _size(operand: Operand | None, axis: int | None) -> Dim | None:
    type_ = operand.type if isinstance(operand, Value | Const) else None
    if axis is None:
        return type_.value if isinstance(type_, Int) else None
    item = type_.shape[axis] if isinstance(type_, Tensor) and -len(type_.shape) <= axis < len(type_.shape) else None
    return item if isinstance(item, Dim) else None


def operations_in(region: Region, nested: bool = False) -> Iterator[tuple[Op, bool]]:
    """Every operation, and whether it is in a block of another one."""
    for op in region.ops:
        yield op, nested
        for inner in op.regions:
            yield from operations_in(inner, True)


# --- words -----------------------------------------------------------------------------------------------------------


def _axes(signature: Signature) -> tuple[tuple[str, str], ...]:
    """The unknown sizes of the parameters, and how a program writes them."""
    found: list[tuple[str, str]] = []
    for parameter in signature.params:
        shape = parameter.type.shape if isinstance(parameter.type, Tensor) else ()
        for axis, item in enumerate(shape):
            if isinstance(item, Dim) and item.has_unknown and item.name is not None:
                place = axis if all(isinstance(i, Dim) for i in shape[:axis]) else axis - len(shape)
                found.append((item.name, f"{parameter.name}.shape[{place}]"))
    return tuple(found)


def _with_axes(condition: Condition, axes: tuple[tuple[str, str], ...]) -> Condition:
    table = {key: Dim.sym(text) for key, text in axes}
    goal = substitute_goal(condition.goal, table)
    return Condition(goal, condition.span, condition.origin, condition.text, condition.always)


def code_of(span: Span) -> str:
    """The program's text there, on one line."""
    text = " ".join(span.text.split())
    return text if len(text) <= LONGEST_CODE else f"{text[:LONGEST_CODE]}..."
