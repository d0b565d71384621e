"""Which function checks which construct."""

from collections.abc import Mapping
from typing import Any

from tensorlogic.checker import loops, statements
from tensorlogic.checker.blocks import block_value
from tensorlogic.checker.calls import check_call
from tensorlogic.checker.closures import check_lambda
from tensorlogic.checker.control import check_if, check_match
from tensorlogic.checker.equations.recurrence import check_together
from tensorlogic.checker.equations.together import Together
from tensorlogic.checker.indexing import check_index
from tensorlogic.checker.learning import check_learn
from tensorlogic.checker.literals import check_bool, check_float, check_int, check_list, check_range, check_string, check_tuple
from tensorlogic.checker.members import check_cast, check_member, check_name
from tensorlogic.checker.operators import check_binary, check_set, check_unary
from tensorlogic.checker.relation_queries import check_infer, check_query
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.structs import check_struct
from tensorlogic.syntax import ast
from tensorlogic.types.types import List, String, Tuple, Type, is_unknown, widen


def _block(state: State, node: ast.Block, expected: Type | None) -> Typed:
    with state.block() as ops:
        value = block_value(state, node, expected)
    state.ops.extend(ops)
    return value


def _map(state: State, node: ast.DictLit, expected: Type | None) -> Typed:
    """A list of pairs."""
    pairs = []
    for entry in node.entries:
        key, value = state.expr(entry.key), state.expr(entry.value)
        if is_unknown(key.type) or is_unknown(value.type):
            return state.unknown(node.span)
        types = Tuple((widen(key.type), widen(value.type)))
        pairs.append(state.emit("tuple", (key.operand, value.operand), types, entry.span))
    if any(pair.type != pairs[0].type for pair in pairs):
        return state.error("TL0306", node.span, "the entries of a map have one type", "entries of different types")
    element = pairs[0].type if pairs else Tuple((String(), String()))
    return state.emit("list", tuple(pair.operand for pair in pairs), List(element, tuple(pair.type for pair in pairs)), node.span)


def _misplaced(state: State, node: ast.Node, expected: Type | None) -> Typed:
    return state.error("TL0101", node.span, "this stands only inside the brackets of an index")


def _misplaced_aggregate(state: State, node: ast.Node, expected: Type | None) -> Typed:
    return state.error(
        "TL0101", node.span, "an aggregate stands in the body of a rule", help="to count what matches, write `count(r(x, _))`"
    )


def _path(state: State, node: ast.Path, expected: Type | None) -> Typed:
    return state.error("TL0306", node.span, "a function of a struct is called with parentheses")


EXPRESSIONS: Mapping[type, Any] = {
    ast.IntLit: check_int, ast.FloatLit: check_float, ast.StringLit: check_string, ast.BoolLit: check_bool, ast.Name: check_name,
    ast.ListLit: check_list, ast.TupleLit: check_tuple, ast.SetLit: check_set, ast.StructLit: check_struct, ast.Unary: check_unary,
    ast.Binary: check_binary, ast.Range: check_range, ast.Cast: check_cast, ast.Call: check_call, ast.Index: check_index,
    ast.Member: check_member, ast.Path: _path, ast.Lambda: check_lambda, ast.If: check_if, ast.Match: check_match, ast.Block: _block,
    ast.Query: check_query, ast.Aggregate: _misplaced_aggregate, ast.Slice: _misplaced, ast.Ellipsis: _misplaced,
    ast.DottedIndex: _misplaced, ast.VirtualIndex: _misplaced, ast.DictLit: _map,
}  # fmt: skip

STATEMENTS: Mapping[type, Any] = {
    ast.ExprStmt: statements.check_expression, ast.Let: statements.check_let, ast.Assign: statements.check_assign,
    ast.If: statements.check_branch, ast.Match: statements.check_branch, ast.For: loops.check_for, ast.While: loops.check_while,
    ast.Break: loops.check_leave, ast.Continue: loops.check_leave, ast.Return: statements.check_return,
    ast.Assert: statements.check_assert, ast.NoGrad: statements.check_no_grad, ast.Block: statements.check_block,
    ast.Explain: statements.check_explain, ast.Infer: check_infer, ast.Learn: check_learn, ast.Rule: statements.check_rule,
    Together: check_together,
    **dict.fromkeys(
        (ast.Import, ast.PythonImport, ast.Const, ast.TensorDecl, ast.FnDecl, ast.ModelDecl, ast.StructDecl, ast.ImplDecl, ast.Main,
         ast.Test, ast.EntityDecl, ast.RelationDecl), statements.check_misplaced),
}  # fmt: skip
