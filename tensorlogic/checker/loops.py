"""Loops: what they go over, the type of their variable, and the body for each of several types."""

from tensorlogic.checker.blocks import in_this_loop
from tensorlogic.checker.data import element_of
from tensorlogic.checker.equations.together import arranged
from tensorlogic.checker.operators import condition
from tensorlogic.checker.patterns import bind
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.submodels import of_different_models
from tensorlogic.ir.ir import Const, Op, Operand, Region, Value
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Member
from tensorlogic.types.types import Bool, Int, Library, List, Range, String, Tensor, Tuple, Type, Unknown, widen

MOST_VALUES = 64  # that a loop variable is said to be one of


def check_for(state: State, node: ast.For) -> None:
    iterable = state.expr(node.iterable)
    if models := of_different_models(iterable.type):
        _turn_by_turn(state, node, iterable, models)
        return
    element = _element(state, iterable, node.iterable)
    with state.block() as ops:
        value = Value(node.target.name if isinstance(node.target, ast.BindPattern) else "", element)
        _bind_element(state, node.target, value, element)
        state.frame.loops += 1
        run_statements(state, node.body)
        state.frame.loops -= 1
    state.ops.append(Op("for", (iterable.operand,), (), {}, (Region((value,), tuple(ops)),), node.span))


def _turn_by_turn(state: State, node: ast.For, iterable: Typed, models: tuple[Type, ...]) -> None:
    """The body once for each of the models, which is of a type of its own."""
    if leaving := next((n for n in in_this_loop(node.body) if isinstance(n, ast.Break | ast.Continue)), None):
        title = "a loop over models of different types runs for each of them"
        state.error("TL0305", leaving.span, title, "it cannot be left", "write `if` around what is to be left out")
        return
    before = len(state.problems.errors)
    for at, model in enumerate(models):
        with state.block() as ops:
            index = Const(at, Int(Dim.const(at)))
            bind(state, node.target, state.emit("list_item", (iterable.operand, index), model, node.target.span))
            run_statements(state, node.body)
        state.ops += ops
        if len(state.problems.errors) > before:
            return


def _bind_element(state: State, target: ast.Pattern, value: Value, element: Type) -> None:
    """The loop's own value is the variable, unless the body changes it or takes it apart."""
    if isinstance(target, ast.BindPattern) and target.name not in state.frame.mutated:
        variable = state.declare(target.name, element, target.span)
        variable.value = value
        state.trace(value, element)
    elif not isinstance(target, ast.WildcardPattern):
        bind(state, target, Typed(value, element, target.span))


def _element(state: State, iterable: Typed, node: ast.Node) -> Type:
    match iterable.type:
        case Unknown():
            return Unknown()
        case Range():
            return Int()
        case String():
            return String()
        case List(_, items) if items and len(items) <= MOST_VALUES and (values := _numbers(items)):
            return _one_of(state, values)
        case List(element, items):
            return element if not items or not all(i == items[0] for i in items) else widen(items[0])
        case Tuple(items) if items and all(widen(i) == widen(items[0]) for i in items):
            return widen(items[0])
        case Tensor(dtype, shape) if shape and isinstance(shape[0], Dim):
            return Tensor(dtype, shape[1:])
        case Library(name="Dataset"):
            return element_of(iterable.type)
    state.error("TL0306", node.span, f"`for` goes over a list, a range or a tensor, found {iterable.type}", "not a sequence")
    return Unknown()


def _numbers(items: tuple[Type, ...]) -> frozenset[int]:
    """The values of ints that are all known; empty where one is not."""
    values = [item.value.value if isinstance(item, Int) and item.value is not None else None for item in items]
    return frozenset(v for v in values if v is not None) if None not in values else frozenset()


def _one_of(state: State, values: frozenset[int]) -> Type:
    """An int that is one of a few."""
    size = Dim.fresh()
    (key,) = size.symbols()
    state.frame.facts = state.frame.facts.at_least(key, min(values)).assume(Member(size, values))
    return Int(size)


def run_statements(state: State, block: ast.Block) -> None:
    for statement in arranged(state, block.statements):
        state.statement(statement)


def check_while(state: State, node: ast.While) -> None:
    regions: list[Region] = []
    test: Operand | None = Const(True, Bool()) if node.condition is None else None
    with state.block() as ops:
        if node.condition is not None:
            typed = condition(state, node.condition)
            test = typed.operand if typed else None
    regions.append(Region((), tuple(ops), () if test is None else (test,)))
    with state.block() as body:
        state.frame.loops += 1
        run_statements(state, node.body)
        state.frame.loops -= 1
    regions.append(Region((), tuple(body)))
    state.ops.append(Op("while", (), (), {}, tuple(regions), node.span))


def check_leave(state: State, node: ast.Break | ast.Continue) -> None:
    word = "break" if isinstance(node, ast.Break) else "continue"
    if not state.frame.loops:
        state.error("TL0101", node.span, f"`{word}` stands outside a loop")
    state.add(word, (), node.span)
