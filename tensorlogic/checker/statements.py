"""Statements: what they declare, assign and do."""

from tensorlogic.checker.blocks import block_value
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.equations.solve import equation_value, is_equation_value
from tensorlogic.checker.equations.statement import assign_equation, let_equation
from tensorlogic.checker.lengths import kept_length
from tensorlogic.checker.loops import run_statements
from tensorlogic.checker.operators import condition
from tensorlogic.checker.patterns import bind, bind_name, read_type
from tensorlogic.checker.places import assign, is_equation
from tensorlogic.checker.relation_queries import check_fact, check_question, is_relation
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.ir.ir import Op, Operand, Region
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.types import String, Type, Unknown, Void, is_unknown


def check_expression(state: State, node: ast.ExprStmt) -> None:
    if isinstance(node.value, ast.Query):
        check_question(state, node.value, "show")
    elif isinstance(node.value, ast.Call) and is_relation(state, node.value):
        check_fact(state, node.value)
    else:
        state.expr(node.value)


def check_explain(state: State, node: ast.Explain) -> None:
    check_question(state, node, "explain")


def check_rule(state: State, node: ast.Rule) -> None:
    state.error("TL0101", node.span, "a rule stands at the top of a file: it holds for the whole program")


def check_branch(state: State, node: ast.If | ast.Match) -> None:
    state.expr(node, Void())


def check_let(state: State, node: ast.Let) -> None:
    if isinstance(node.target, ast.Index):
        let_equation(state, node)
        return
    if node.type is None:
        value = _value(state, node)
        _bind(state, node.target, _with_value(state, value, node.value))
        return
    wanted = read_type(state, node.type)
    value = _value(state, node, wanted)
    what = f"`{node.target.name}`" if isinstance(node.target, ast.BindPattern) else "the value"
    fitted = coerce(state, _with_value(state, value, node.value), wanted, what, of=node.type.span)
    if fitted.doubted:  # the declaration may be the mistake as well as the value
        _bind(state, node.target, state.unknown(fitted.span))
    else:
        _bind(state, node.target, fitted, wanted)


def _with_value(state: State, value: Typed, node: ast.Node) -> Typed:
    if isinstance(value.type, Void):
        return state.error("TL0306", node.span, "this has no value", "void")
    return value


def _bind(state: State, target: ast.Pattern, value: Typed, declared: Type | None = None) -> None:
    """A variable that is assigned again keeps the type it was declared with, and no value is known of it."""
    if not isinstance(target, ast.BindPattern):
        bind(state, target, value)
        return
    shadows_builtin(state, target)
    if target.name in state.frame.mutated and value.closure is None:
        value = Typed(value.operand, kept_length(target.name, declared or value.type, state.frame.resized), value.span)
    bind_name(state, target.name, value, target.span)


def shadows_builtin(state: State, target: ast.BindPattern) -> None:
    if registry.lookup(target.name) is not None and state.scope.find(target.name) is None:
        help = ("give it another name if the builtin is needed too",)
        title, text = f"`{target.name}` is also a builtin", "from here on it is this variable"
        state.report(Diagnostic("TL0701", title, target.span, text, help=help, severity="warning"))


def _value(state: State, node: ast.Let, wanted: Type | None = None) -> Typed:
    """What `let` gives a name: any expression, or the right side of an equation without an index on its left."""
    if node.where or is_equation_value(state, node.value):
        return equation_value(state, node.value, node.where)
    return state.expr(node.value, wanted)


def check_assign(state: State, node: ast.Assign) -> None:
    if isinstance(node.target, ast.Call) and is_relation(state, node.target) and node.op == "=":
        check_fact(state, node.target, node.value)
        return
    if node.where or is_equation(state, node.target) or is_equation_value(state, node.value):
        assign_equation(state, node)
        return
    assign(state, node)


# --- the rest --------------------------------------------------------------------------------------------------------


def check_return(state: State, node: ast.Return) -> None:
    frame = state.frame
    if frame.result is None and frame.returned is None:
        state.error("TL0101", node.span, "`return` stands outside a function")
        return
    if node.value is None:
        if frame.result is not None and not isinstance(frame.result, Void | Unknown):
            state.error("TL0312", node.span, f"the result is declared {frame.result}, nothing is returned")
        state.add("return", (), node.span)
        return
    value = state.expr(node.value, frame.result)
    if frame.returned is not None:
        frame.returned.append(value)
        state.add("return", (value.operand,), node.span)
        return
    return_value(state, value, node.span)


def return_value(state: State, value: Typed, span) -> None:
    """The `return` of a function of the program."""
    frame = state.frame
    assert frame.result is not None
    if isinstance(frame.result, Void):
        if not isinstance(value.type, Void | Unknown):
            state.error(
                "TL0312", value.span, f"this function gives nothing back, here it returns {value.type}", help="declare a result with `->`"
            )
        state.add("return", (), span)
        return
    fitted = coerce(state, state.own(value), frame.result, "the result", result=frame.result_span)
    state.add("return", (fitted.operand,), span)


def check_assert(state: State, node: ast.Assert) -> None:
    test = condition(state, node.condition, "what is asserted")
    operands: tuple[Operand, ...] = () if test is None else (test.operand,)
    if node.message is not None:
        message = state.expr(node.message)
        coerce(state, message, String(), "the message of `assert`")
        operands = (*operands, message.operand)
    if test is not None and not any(is_unknown(getattr(o, "type", Void())) for o in operands):
        state.add("assert", operands, node.span, text=" ".join(node.condition.span.text.split())[:200])


def check_no_grad(state: State, node: ast.NoGrad) -> None:
    state.frame.no_grad += 1
    with state.block() as ops:
        run_statements(state, node.body)
    state.frame.no_grad -= 1
    state.ops.append(Op("no_grad", (), (), {}, (Region((), tuple(ops)),), node.span))


def check_block(state: State, node: ast.Block) -> None:
    with state.block() as ops:
        block_value(state, node, None)
    state.ops.extend(ops)


def check_misplaced(state: State, node: ast.Node) -> None:
    state.error("TL0101", node.span, "a declaration stands at the top of a file, not inside a block")
