"""How types and patterns are printed."""

from tensorlogic.syntax import ast
from tensorlogic.syntax.format_layout import EMPTY, GAP, concat, indent
from tensorlogic.syntax.format_printer import Built, Printer, rule


@rule(ast.BindPattern)
def bind(printer: Printer, node: ast.BindPattern) -> Built:
    return concat(f"{node.name}:", GAP, printer.doc(node.type)) if node.type is not None else node.name


@rule(ast.WildcardPattern)
def wildcard(printer: Printer, node: ast.WildcardPattern) -> Built:
    return "_"


@rule(ast.TuplePattern)
def tuple_pattern(printer: Printer, node: ast.TuplePattern) -> Built:
    return printer.brackets("(", node.items, ")", node)


@rule(ast.LiteralPattern)
def literal_pattern(printer: Printer, node: ast.LiteralPattern) -> Built:
    return printer.doc(node.value)


@rule(ast.NamedType)
def named_type(printer: Printer, node: ast.NamedType) -> Built:
    arguments = concat("<", indent(printer.comma_list(node.args)), ">") if node.args else EMPTY
    return concat(qualified(node), arguments)


def qualified(node: ast.NamedType | ast.ModelTypeExpr) -> str:
    return f"{node.module}.{node.name}" if node.module else node.name


@rule(ast.Variadic)
def variadic(printer: Printer, node: ast.Variadic) -> Built:
    if node.function is not None:
        return concat(f"...{node.function}", printer.brackets("(", node.args, ")", node))
    return f"...{node.name or ''}"


@rule(ast.UnknownDim)
def unknown_dim(printer: Printer, node: ast.UnknownDim) -> Built:
    return "?"


@rule(ast.TensorTypeExpr)
def tensor_type(printer: Printer, node: ast.TensorTypeExpr) -> Built:
    return concat(node.dtype, printer.brackets("[", node.shape, "]", node))


@rule(ast.ListTypeExpr)
def list_type(printer: Printer, node: ast.ListTypeExpr) -> Built:
    return printer.brackets("[", (node.element,), "]", node, comma="")


@rule(ast.TupleTypeExpr)
def tuple_type(printer: Printer, node: ast.TupleTypeExpr) -> Built:
    return printer.brackets("(", node.items, ")", node)


@rule(ast.FnTypeExpr)
def function_type(printer: Printer, node: ast.FnTypeExpr) -> Built:
    return concat("fn", printer.brackets("(", node.params, ")", node), " ->", GAP, printer.doc(node.result))


@rule(ast.ModelTypeExpr)
def model_type(printer: Printer, node: ast.ModelTypeExpr) -> Built:
    return concat(qualified(node), printer.brackets("(", node.args, ")", node))
