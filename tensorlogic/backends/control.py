"""Operations that are statements in Python: assignment, branches, loops, lambdas, checks."""

import ast
from collections.abc import Callable

from tensorlogic.backends import learning, models, nodes
from tensorlogic.backends.nodes import LOAD, STORE, Expr
from tensorlogic.backends.places import describe, place
from tensorlogic.backends.sizes import guard
from tensorlogic.backends.text import with_comment
from tensorlogic.backends.writer import DEEPEST, LINE, Block, Writer
from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.ir.ir import Omitted, Op, Region, Value
from tensorlogic.source import Span

LONGEST_CHAIN = 40
DEEPEST_LOOPS = 18  # CPython's limit is 20 blocks
DEEPEST_BLOCKS = 80  # CPython's limit is 100 levels of indentation


def _assign(writer: Writer, op: Op) -> None:
    target = op.attrs["target"]
    assert isinstance(target, Value)
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    expr = writer.part(op.args[0])
    writer.flush()
    writer.assign(target, expr, op)


def _set_global(writer: Writer, op: Op) -> None:
    fresh = models.is_fresh(writer, op.args[0])
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    expr = writer.part(op.args[0])
    name = writer.scope.module.globals[str(op.attrs["name"])]
    statement: ast.stmt = ast.Assign([ast.Name(name, STORE)], expr.node)
    if any(item.name == op.attrs["name"] and item.learnable for item in writer.scope.module.module.globals):
        statement = models.learnable_global(name, expr.node, fresh, bool(op.attrs["initial"]))
    writer.statement(statement, op.span, describe(getattr(op.args[0], "type", None), op.span))


def _set_index(writer: Writer, op: Op) -> None:
    writer.set_index(op, op.args[0], op.results[0])


# --- branches -----------------------------------------------------------------------------------------------------------------


def _enter(writer: Writer, span: Span | None, loop: bool = False) -> None:
    """Refuses what CPython could not compile."""
    if writer.depth > DEEPEST_BLOCKS or (loop and writer.loops >= DEEPEST_LOOPS):
        limit = f"{DEEPEST_LOOPS} loops" if loop else f"{DEEPEST_BLOCKS} blocks"
        raise TensorLogicError(
            Diagnostic("TL0104", f"more than {limit} inside each other", span, help=("move the inner part into a function",))
        )


def _condition(writer: Writer, op: Op) -> Expr:
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    expr = writer.part(op.args[0])
    writer.flush()
    return expr


def _filled(writer: Writer, region: Region) -> tuple[Block, list[Expr]]:
    """The statements of a region and the expressions of what it yields."""
    with writer.nested() as block:
        writer.region(region)
        exprs = _yields(writer, region)
    return block, exprs


def _yields(writer: Writer, region: Region) -> list[Expr]:
    writer.make_ready(region.yields)
    exprs = [writer.part(operand) for operand in region.yields]
    writer.flush()
    return exprs


def _if(writer: Writer, op: Op) -> None:
    _enter(writer, op.span)
    condition = _condition(writer, op)
    then, other = _filled(writer, op.regions[0]), None
    last = op.regions[-1]
    if len(op.regions) > 1 and _next_in_chain(writer, last, op.results) is None:
        other = _filled(writer, last)
        if _chosen(writer, op, condition, then, other):
            return
    statement = ast.If(condition.node, [], [])
    writer.emit(statement, op.span, describe(None, op.span))
    statement.body = _body(writer, op, *then)
    if other:
        statement.orelse = _body(writer, op, *other) if last.ops or other[1] else []
    elif len(op.regions) > 1:
        _otherwise(writer, op, op.results, statement)


def _chosen(writer: Writer, op: Op, condition: Expr, *sides: tuple[Block, list[Expr]]) -> bool:
    """`a if c else b` where both sides are one short expression."""
    if len(op.results) != 1 or any(block.body or len(values) != 1 for block, values in sides):
        return False
    (_, (yes,)), (_, (no,)) = sides
    parts = [condition, yes, no]
    if sum(part.width for part in parts) > LINE or any(part.depth >= DEEPEST for part in parts):
        return False
    expr = nodes.join(ast.IfExp(condition.node, yes.node, no.node), parts, 10)
    nodes.locate(expr.node, op.span, writer.source)
    writer.result(op, expr)
    return True


def _body(writer: Writer, op: Op, block: Block, values: list[Expr], results: tuple[Value, ...] | None = None) -> list[ast.stmt]:
    """The statements of a branch, which end with giving the results their values."""
    results = op.results if results is None else results
    with writer.nested():
        writer.block.body = block.body
        _give(writer, op, results, values)
    return block.body or [_pass(writer, op)]


def _give(writer: Writer, op: Op, results: tuple[Value, ...], values: list[Expr]) -> None:
    if not values or not results:
        for value in values:
            writer.emit(ast.Expr(value.node), op.span)
    elif len(results) == 1:
        writer.assign(results[0], values[0], op)
    else:
        targets = ast.Tuple([writer.target(result) for result in results], STORE)
        writer.emit(ast.Assign([targets], ast.Tuple([value.node for value in values], LOAD)), op.span)


def _pass(writer: Writer, op: Op) -> ast.stmt:
    statement = ast.Pass()
    nodes.locate(statement, op.span, writer.source)
    return statement


def _otherwise(writer: Writer, op: Op, results: tuple[Value, ...], first: ast.If) -> None:
    """The other branches: `elif` as long as an else holds nothing but the next `if`; a very long chain goes on behind a flag."""
    place_of_first = len(writer.block.body) - 1
    rest = _chain(writer, op, results, first)
    if rest is None:
        return
    flag = writer.scope.new_name("undecided")
    writer.block.body.insert(place_of_first, _set(writer, op, flag, False))
    while rest is not None:
        last, op = rest
        last.orelse = [_set(writer, op, flag, True)]
        going_on = ast.If(ast.Name(flag, LOAD), [], [])
        writer.emit(going_on, op.span)
        body, statement, following = _branch(writer, op.regions[1], results)
        going_on.body = [_set(writer, op, flag, False), *body]
        rest = _chain(writer, following, results, statement)


def _set(writer: Writer, op: Op, flag: str, value: bool) -> ast.stmt:
    statement = ast.Assign([ast.Name(flag, STORE)], ast.Constant(value))
    nodes.locate(statement, op.span, writer.source)
    return statement


def _chain(writer: Writer, op: Op, results: tuple[Value, ...], statement: ast.If) -> tuple[ast.If, Op] | None:
    """Writes the branches behind `statement`; where it stopped, if the chain is very long."""
    length = 1
    while len(op.regions) > 1:
        region = op.regions[1]
        if _next_in_chain(writer, region, results) is None:
            block, values = _filled(writer, region)
            statement.orelse = _body(writer, op, block, values, results) if region.ops or values else []
            return None
        if length >= LONGEST_CHAIN:
            return statement, op
        statement.orelse, statement, op = _branch(writer, region, results)
        length += 1
    return None


def _branch(writer: Writer, region: Region, results: tuple[Value, ...]) -> tuple[list[ast.stmt], ast.If, Op]:
    """The region of an else whose last operation is the next `if`: its statements, that `if`, and its operation."""
    following = region.ops[-1]
    with writer.nested() as block:
        writer.region(Region((), region.ops[:-1]))
        condition = _condition(writer, following)
    then, values = _filled(writer, following.regions[0])
    inner = ast.If(condition.node, [], [])
    nodes.locate(inner, following.span, writer.source)
    with_comment(inner, describe(None, following.span))
    inner.body = _body(writer, following, then, values, results)
    return [*block.body, inner], inner, following


def _next_in_chain(writer: Writer, region: Region, results: tuple[Value, ...]) -> Op | None:
    """The `if` that is all an else region does and whose results are that region's."""
    if not region.ops or region.ops[-1].code != "if":
        return None
    following = region.ops[-1]
    same = region.yields == following.results and len(results) == len(following.results)
    return following if same and all(writer.scope.uses.count.get(r) == 1 for r in following.results) else None


def _short_circuit(writer: Writer, op: Op) -> None:
    """`a and b`; with statements where `b` needs some."""
    left = _condition(writer, op)
    block, (right,) = _filled(writer, op.regions[0])
    if not block.body and left.width + right.width <= LINE and max(left.depth, right.depth) < DEEPEST:
        kind = ast.And() if op.code == "and" else ast.Or()
        expr = nodes.join(ast.BoolOp(kind, [left.node, right.node]), [left, right], 6)
        nodes.locate(expr.node, op.span, writer.source)
        writer.result(op, expr)
        return
    result = op.results[0]
    writer.emit(ast.Assign([writer.target(result)], left.node), op.span, describe(result.type, op.span))
    test = nodes.name(writer.scope.of(result)).node
    statement = ast.If(test if op.code == "and" else ast.UnaryOp(ast.Not(), test), [], [])
    writer.emit(statement, op.span)
    statement.body = [*block.body, ast.Assign([writer.target(result)], right.node)]
    nodes.locate(statement.body[-1], op.span, writer.source)


# --- loops --------------------------------------------------------------------------------------------------------------------


def _loop_body(writer: Writer, op: Op, region: Region) -> list[ast.stmt]:
    writer.loops += 1
    block, _ = _filled(writer, region)
    writer.loops -= 1
    return block.body or [_pass(writer, op)]


def _for(writer: Writer, op: Op) -> None:
    _enter(writer, op.span, loop=True)
    items = _condition(writer, op)
    (element,) = op.regions[0].params
    statement = ast.For(writer.target(element), items.node, [], [])
    writer.emit(statement, op.span, describe(element.type, op.span))
    statement.body = _loop_body(writer, op, op.regions[0])


def _while(writer: Writer, op: Op) -> None:
    _enter(writer, op.span, loop=True)
    writer.flush()
    before, (condition,) = _filled(writer, op.regions[0])
    forever = bool(before.body)
    statement = ast.While(ast.Constant(True) if forever else condition.node, [], [])
    writer.emit(statement, op.span, describe(None, op.span))
    body = _loop_body(writer, op, op.regions[1])
    if forever:
        leave = ast.If(ast.UnaryOp(ast.Not(), condition.node), [ast.Break()], [])
        nodes.locate(leave, op.span, writer.source)
        body = [*before.body, leave, *body]
    statement.body = body


def _repeat(writer: Writer, op: Op) -> None:
    count = _condition(writer, op)
    block, (item,) = _filled(writer, op.regions[0])
    writer.block.body += block.body
    expr = models.repeat(writer, op, count, item)
    nodes.locate(expr.node, op.span, writer.source)
    writer.result(op, expr)


def _leave(writer: Writer, op: Op) -> None:
    writer.statement(ast.Break() if op.code == "break" else ast.Continue(), op.span)


def _return(writer: Writer, op: Op) -> None:
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    value = writer.part(op.args[0]) if op.args else None
    type_ = getattr(op.args[0], "type", None) if op.args else None
    writer.statement(ast.Return(value and value.node), op.span, describe(type_, op.span))


def _no_grad(writer: Writer, op: Op) -> None:
    _enter(writer, op.span, loop=True)
    writer.flush()
    writer.scope.module.roots.add("torch")
    item = ast.withitem(ast.Call(nodes.path("torch", "no_grad"), [], []), None)
    statement = ast.With([item], [])
    writer.emit(statement, op.span, place(op.span))
    writer.loops += 1
    block, values = _filled(writer, op.regions[0])
    writer.loops -= 1
    statement.body = _body(writer, op, block, values)


# --- lambdas ------------------------------------------------------------------------------------------------------------------


def _lambda(writer: Writer, op: Op) -> None:
    """`lambda x: ...` where it is one expression that is used once, a function of its own otherwise."""
    region, (result,) = op.regions[0], op.results
    _enter(writer, op.span)
    writer.flush()
    outer = writer.inside, writer.loops
    writer.inside, writer.loops = op, 0
    block, values = _filled(writer, region)
    writer.inside, writer.loops = outer
    arguments = _arguments(writer, op)
    short = not block.body and len(values) == 1 and values[0].width <= LINE - 20
    if short and writer.may_wait(result):
        expr = nodes.join(ast.Lambda(arguments, values[0].node), values, 10 + 3 * len(region.params))
        nodes.locate(expr.node, op.span, writer.source)
        writer.result(op, expr)
        return
    (result,) = op.results
    _define(writer, op, writer.scope.of(result), describe(result.type, op.span), arguments, block, values)


def _learn(writer: Writer, op: Op) -> None:
    """The step as a function, then the loop."""
    _enter(writer, op.span)
    writer.make_ready(op.args, deepest=DEEPEST + 1)
    parts = [None if isinstance(arg, Omitted) else writer.part(arg) for arg in op.args]
    writer.flush()
    outer = writer.inside, writer.loops
    writer.inside, writer.loops = op, 0
    block, values = _filled(writer, op.regions[0])
    writer.inside, writer.loops = outer
    name = writer.scope.new_name("objective")
    _define(writer, op, name, "", _arguments(writer, op), block, values)
    writer.emit(ast.Expr(learning.fit_call(op, writer.scope, name, parts)), op.span, describe(None, op.span))


def _define(writer: Writer, op: Op, name: str, comment: str, arguments: ast.arguments, block: Block, values: list[Expr]) -> None:
    function = ast.FunctionDef(name, arguments, [], [], None)
    writer.emit(function, op.span, comment)
    body = [*_declarations(writer, op), *block.body]
    if values:
        body.append(ast.Return(values[0].node))
    for statement in body:
        nodes.locate(statement, op.span, writer.source)
    function.body = body or [_pass(writer, op)]


def _arguments(writer: Writer, op: Op) -> ast.arguments:
    """The parameters; what changes with each turn of the loop around is bound now, as `i=i`."""
    params = [writer.scope.of(value) for value in op.regions[0].params]
    bound = [writer.scope.of(value) for value in writer.scope.uses.captured.get(op, ()) if _changes(writer, value)]
    args = [ast.arg(name) for name in (*params, *bound)]
    return ast.arguments([], args, None, [], [], None, [nodes.name(name).node for name in bound])


def _changes(writer: Writer, value: Value) -> bool:
    uses = writer.scope.uses
    return uses.loop.get(value) is not None and value not in uses.written and not value.top


def _declarations(writer: Writer, op: Op) -> list[ast.stmt]:
    """`nonlocal` and `global` for the variables outside that the lambda assigns."""
    assigned = [v for v in writer.scope.uses.assigned.get(op, ()) if writer.scope.uses.owner.get(v) is not op]
    top = sorted({writer.scope.of(v) for v in assigned if v in writer.scope.module.variables})
    local = sorted({writer.scope.of(v) for v in assigned if v not in writer.scope.module.variables})
    return [*([ast.Global(top)] if top else ()), *([ast.Nonlocal(local)] if local else ())]


# --- checks -------------------------------------------------------------------------------------------------------------------


def _assert(writer: Writer, op: Op) -> None:
    writer.make_ready(op.args)
    condition, *message = map(writer.part, op.args)
    writer.statement(ast.Assert(condition.node, message[0].node if message else None), op.span, describe(None, op.span))


def _guard(writer: Writer, op: Op) -> None:
    writer.flush()
    keys = op.attrs["names"]
    assert isinstance(keys, tuple)
    names = {key: writer.part(arg).node for key, arg in zip(keys, op.args, strict=True)}
    words = {key: _word(key, arg) for key, arg in zip(keys, op.args, strict=True)}
    goal = op.attrs["goal"]
    writer.statement(guard(goal, str(goal), names, words), op.span, describe(None, op.span))  # type: ignore[arg-type]


def _word(key: str, operand: object) -> str:
    """What messages call a size: its own name, or that of the variable that has it."""
    if "#" not in key:
        return key
    return getattr(operand, "name", "") or "the size"


STATEMENTS: dict[str, Callable[[Writer, Op], None]] = {
    "assign": _assign, "set_global": _set_global, "set_index": _set_index,
    "set_list_item": _set_index, "if": _if, "and": _short_circuit, "or": _short_circuit,
    "for": _for, "while": _while, "break": _leave, "continue": _leave, "return": _return, "no_grad": _no_grad, "lambda": _lambda,
    "assert": _assert, "guard": _guard, "repeat": _repeat, "new_member": models.new_member, "set_member": models.set_member,
    "learn": _learn,
}  # fmt: skip
