"""How literals with parts are printed: lists, rows of numbers, tuples, sets, dicts, structs."""

from tensorlogic.syntax import ast
from tensorlogic.syntax.format_expressions import POSTFIX, operand
from tensorlogic.syntax.format_layout import GAP, SOFT, TIGHT, Doc, IfBroken, concat, fill_line, group, indent, width
from tensorlogic.syntax.format_printer import Built, Printer, rule


@rule(ast.ListLit)
def list_literal(printer: Printer, node: ast.ListLit) -> Built:
    items = node.items
    if len(items) > 1 and all(map(is_number, items)) and not any(item in printer.attached for item in items):
        return number_row(printer, node)
    rows = len(items) > 1 and all(isinstance(item, ast.ListLit) for item in items)
    apart = rows and all("\n" in printer.text[a.span.end : b.span.start] for a, b in zip(items, items[1:], strict=False))
    return printer.brackets("[", items, "]", node, force=apart)


def is_number(node: ast.Node) -> bool:
    return isinstance(node.operand if isinstance(node, ast.Unary) else node, ast.IntLit | ast.FloatLit)


def number_row(printer: Printer, node: ast.ListLit) -> Doc:
    """A row of numbers, as many on each line as fit."""
    docs = [printer.body(item) for item in node.items]
    parts: list[Doc] = [SOFT, docs[0]]
    for doc in docs[1:]:
        parts += [",", fill_line(width(doc) + 2), doc]
    return group("[", indent(*parts, IfBroken(",")), SOFT, "]")


@rule(ast.TupleLit)
def tuple_literal(printer: Printer, node: ast.TupleLit) -> Built:
    if len(node.items) == 1:
        item = node.items[0]
        return concat("(", printer.leading(item), printer.body(item), ",", printer.trailing(item), TIGHT, ")")
    return printer.brackets("(", node.items, ")", node)


@rule(ast.SetLit)
def set_literal(printer: Printer, node: ast.SetLit) -> Built:
    return printer.brackets("{", node.items, "}", node)


@rule(ast.StructLit)
def struct_literal(printer: Printer, node: ast.StructLit) -> Built:
    printer.exposed.add(node)
    return concat(operand(printer, node.struct, POSTFIX), " ", group(printer.braces(node, node.fields, ",", inline=True)))


@rule(ast.Aggregate)
def aggregate(printer: Printer, node: ast.Aggregate) -> Built:
    body = indent(SOFT, printer.doc(node.value), " :", GAP, printer.comma_list(node.body))
    return group(f"{node.op}(", body, SOFT, ")")


@rule(ast.DictEntry)
def dict_entry(printer: Printer, node: ast.DictEntry) -> Built:
    return concat(printer.doc(node.key), ":", GAP, printer.doc(node.value))


@rule(ast.DictLit)
def dict_literal(printer: Printer, node: ast.DictLit) -> Built:
    printer.exposed.add(node)
    return printer.brackets("{", node.entries, "}", node)
