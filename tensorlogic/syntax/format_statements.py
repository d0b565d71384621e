"""How statements and declarations are printed."""

from collections.abc import Sequence

from tensorlogic.syntax import ast
from tensorlogic.syntax.format_expressions import CAST, head, head_alone, in_group, is_group, not_a_block, operand
from tensorlogic.syntax.format_layout import EMPTY, GAP, SPACE, Doc, concat, group, indent, unbroken
from tensorlogic.syntax.format_printer import Built, Printer, rule


def annotated(printer: Printer, type_: ast.Node | None) -> Doc:
    return concat(":", indent(GAP), printer.doc(type_)) if type_ is not None else EMPTY


def assigned(printer: Printer, op: str, value: ast.Node, since: int | None = None) -> Doc:
    """` = value`; the value is an equation's if its parentheses are looked for, from `since` on."""
    if since is not None and is_group(printer, value, since):
        return concat(f" {op}", indent(GAP), in_group(printer, value, since))
    return concat(f" {op}", indent(GAP, printer.leading(value)), printer.body(value), printer.trailing(value))


def where(printer: Printer, conditions: Sequence[ast.Node], before_block: bool = False) -> Doc:
    """` where a, b`, on a line of its own if it does not fit."""
    if not conditions:
        return EMPTY
    parts: list[Doc] = []
    for at, condition in enumerate(conditions):
        last = at == len(conditions) - 1
        body = head_alone(printer, condition) if before_block else printer.body(condition)
        parts += [EMPTY if at == 0 else printer.leading(condition), body, *(() if last else (",", printer.trailing(condition), GAP))]
    found = group(indent(SPACE, printer.leading(conditions[0]), "where ", *parts))
    return concat(found, printer.trailing(conditions[-1]))


def braced(printer: Printer, node: ast.Node) -> Doc:
    """A block after a head."""
    return concat(GAP, printer.leading(node), group(printer.body(node)), printer.trailing(node))


# --- statements ---


@rule(ast.ExprStmt)
def expression_statement(printer: Printer, node: ast.ExprStmt) -> Built:
    return not_a_block(printer, node.value)


@rule(ast.Let)
def let(printer: Printer, node: ast.Let) -> Built:
    target = concat("let ", printer.doc(node.target), annotated(printer, node.type))
    return concat(target, assigned(printer, "=", node.value, (node.type or node.target).span.end), where(printer, node.where))


@rule(ast.Assign)
def assign(printer: Printer, node: ast.Assign) -> Built:
    return concat(printer.doc(node.target), assigned(printer, node.op, node.value, node.target.span.end), where(printer, node.where))


@rule(ast.For)
def for_(printer: Printer, node: ast.For) -> Built:
    return concat("for ", printer.doc(node.target), " in", GAP, head(printer, node.iterable), braced(printer, node.body))


@rule(ast.While)
def while_(printer: Printer, node: ast.While) -> Built:
    start = concat("while ", head(printer, node.condition)) if node.condition is not None else "loop"
    return concat(start, braced(printer, node.body))


@rule(ast.Break)
def break_(printer: Printer, node: ast.Break) -> Built:
    return "break"


@rule(ast.Continue)
def continue_(printer: Printer, node: ast.Continue) -> Built:
    return "continue"


@rule(ast.Return)
def return_(printer: Printer, node: ast.Return) -> Built:
    return concat("return ", printer.doc(node.value)) if node.value is not None else "return"


@rule(ast.Assert)
def assert_(printer: Printer, node: ast.Assert) -> Built:
    if node.message is None:
        return concat("assert ", operand(printer, node.condition, CAST))
    return group("assert ", indent(operand(printer, node.condition, CAST), ",", SPACE, printer.doc(node.message)))


@rule(ast.NoGrad)
def no_grad(printer: Printer, node: ast.NoGrad) -> Built:
    return concat("no_grad", braced(printer, node.body))


@rule(ast.Explain)
def explain(printer: Printer, node: ast.Explain) -> Built:
    return concat("explain ", printer.doc(node.atom))


@rule(ast.Infer)
def infer(printer: Printer, node: ast.Infer) -> Built:
    return concat(f"infer {node.direction} ", printer.doc(node.target))


# --- declarations ---


@rule(ast.Import)
def import_(printer: Printer, node: ast.Import) -> Built:
    return concat("import ", printer.doc(node.path), f" as {node.alias}" if node.alias else EMPTY)


@rule(ast.PythonImport)
def python_import(printer: Printer, node: ast.PythonImport) -> Built:
    return concat(f"python import {node.module}", f" as {node.alias}" if node.alias else EMPTY)


@rule(ast.Const)
def const(printer: Printer, node: ast.Const) -> Built:
    return concat(f"const {node.name}", annotated(printer, node.type), assigned(printer, "=", node.value))


@rule(ast.TensorDecl)
def tensor_declaration(printer: Printer, node: ast.TensorDecl) -> Built:
    modifier = f" {node.modifier}" if node.modifier else ""
    value = assigned(printer, "=", node.value) if node.value is not None else EMPTY
    return concat(f"{node.kind} {node.name}", annotated(printer, node.type), modifier, value)


@rule(ast.TypeParam)
def type_parameter(printer: Printer, node: ast.TypeParam) -> Built:
    return f"{node.name}: {node.kind}" if node.kind else node.name


@rule(ast.Param)
def parameter(printer: Printer, node: ast.Param) -> Built:
    default = assigned(printer, "=", node.default) if node.default is not None else EMPTY
    return concat(node.name, annotated(printer, node.type), default)


def generics(printer: Printer, type_params: Sequence[ast.TypeParam]) -> Doc:
    return concat("<", indent(printer.comma_list(type_params)), ">") if type_params else EMPTY


@rule(ast.FnDecl)
def function(printer: Printer, node: ast.FnDecl) -> Built:
    parameters = printer.brackets("(", node.params, ")", node)
    result = concat(" ->", GAP, unbroken(printer.doc(node.result))) if node.result is not None else EMPTY
    body = braced(printer, node.body) if node.body is not None else EMPTY
    return concat(f"fn {node.name}", generics(printer, node.type_params), parameters, result, where(printer, node.where, True), body)


@rule(ast.ModelDecl)
def model(printer: Printer, node: ast.ModelDecl) -> Built:
    parameters = printer.brackets("(", node.params, ")", node) if node.params else "()"
    members = printer.braces(node, node.members, "", inline=False)
    return concat(f"model {node.name}", parameters, where(printer, node.where, True), GAP, members)


@rule(ast.SubmodelField)
def submodel(printer: Printer, node: ast.SubmodelField) -> Built:
    if node.count is None:
        return concat(f"{node.name}:", GAP, printer.doc(node.value))
    return concat(f"{node.name}:", GAP, "[", printer.doc(node.value), ";", GAP, printer.doc(node.count), "]")


@rule(ast.StructDecl)
def struct(printer: Printer, node: ast.StructDecl) -> Built:
    fields = printer.braces(node, node.fields, ",", inline=printer.on_one_line(node))
    return group(f"struct {node.name}", generics(printer, node.type_params), GAP, fields)


@rule(ast.StructField)
def struct_field(printer: Printer, node: ast.StructField) -> Built:
    return concat(node.name, annotated(printer, node.type), " learnable" if node.learnable else EMPTY)


@rule(ast.ImplDecl)
def impl(printer: Printer, node: ast.ImplDecl) -> Built:
    inline = len(node.methods) == 1 and printer.on_one_line(node)
    methods = printer.braces(node, node.methods, "", inline)
    return group(f"impl {node.struct}", generics(printer, node.type_params), GAP, methods)


@rule(ast.Main)
def main(printer: Printer, node: ast.Main) -> Built:
    return concat("main", braced(printer, node.body))


@rule(ast.Test)
def test(printer: Printer, node: ast.Test) -> Built:
    return concat("test ", printer.doc(node.name), braced(printer, node.body))


# --- relations and learning ---


@rule(ast.EntityDecl)
def entity(printer: Printer, node: ast.EntityDecl) -> Built:
    if node.members is None:
        return f"entity {node.name}"
    return concat(f"entity {node.name} =", GAP, printer.brackets("{", node.members, "}", node))


@rule(ast.Column)
def column(printer: Printer, node: ast.Column) -> Built:
    return concat(f"{node.name}:", GAP, printer.doc(node.type)) if node.name is not None else printer.doc(node.type)


@rule(ast.RelationDecl)
def relation(printer: Printer, node: ast.RelationDecl) -> Built:
    columns = printer.brackets("(", node.columns, ")", node)
    file = concat(" from ", printer.doc(node.file)) if node.file is not None else EMPTY
    definition = assigned(printer, "=", node.definition) if node.definition is not None else EMPTY
    return concat(f"relation {node.name}", columns, annotated(printer, node.weight), file, definition)


@rule(ast.Rule)
def derivation(printer: Printer, node: ast.Rule) -> Built:
    body = group(indent(GAP, printer.comma_list(node.body, SPACE)))
    return concat(printer.doc(node.head), f" {node.op}", body, where(printer, node.where))


@rule(ast.LearnOption)
def learn_option(printer: Printer, node: ast.LearnOption) -> Built:
    return concat(f"{node.name}:", indent(GAP), printer.doc(node.value))


@rule(ast.Learn)
def learn(printer: Printer, node: ast.Learn) -> Built:
    start: Doc = "learn"
    if node.target is not None and node.iterable is not None:
        start = concat("learn ", printer.doc(node.target), " in", GAP, head(printer, node.iterable))
    return concat(start, GAP, printer.braces(node, (*node.statements, *node.options), "", inline=False))
