"""How expressions are printed: with parentheses where their precedence asks for them, and where they carry meaning."""

from tensorlogic.syntax import ast
from tensorlogic.syntax.format_comments import children, without_comments
from tensorlogic.syntax.format_layout import (
    EMPTY,
    GAP,
    INFINITE,
    SOFT,
    SPACE,
    TIGHT,
    Choice,
    Doc,
    concat,
    group,
    indent,
    width,
)
from tensorlogic.syntax.format_printer import METHODS, Built, Chain, Printer, rule

LOOSEST, CAST, OR, AND, NOT, COMPARE, RANGE, SUM, PRODUCT, MATRIX, SIGN, POSTFIX = -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, METHODS
POWER = 10
LEVELS = {"or": OR, "and": AND, "@": MATRIX, "**": POWER, "=": CAST}
LEVELS |= dict.fromkeys("+-", SUM) | dict.fromkeys(("*", "/", "%", "juxt"), PRODUCT)


def level(node: ast.Node) -> int:
    """How tightly an expression binds."""
    match node:
        case ast.Binary(op=op):
            return LEVELS.get(op, COMPARE)
        case ast.Unary(op=op):
            return NOT if op == "not" else SIGN
        case ast.Range():
            return RANGE
        case ast.Cast():
            return CAST
        case ast.Lambda() | ast.If() | ast.Match() | ast.Block():
            return LOOSEST
        case ast.Query(prefix=prefix):
            return LOOSEST if prefix else POSTFIX
    return POSTFIX


def parenthesized(printer: Printer, node: ast.Node) -> Doc:
    return concat(printer.leading(node), in_brackets(printer.body(node)), printer.trailing(node))


def in_brackets(doc: Doc) -> Doc:
    return group("(", indent(SOFT, doc), SOFT, ")")


def operand(printer: Printer, node: ast.Node, at_least: int) -> Doc:
    """An operand, in parentheses if it binds less tightly than `at_least`."""
    return parenthesized(printer, node) if level(node) < at_least else printer.doc(node)


def expose(printer: Printer, node: ast.Node, *parts: ast.Node) -> None:
    """Notes that a `{` of these parts stands outside all brackets of the node."""
    if any(part in printer.exposed for part in parts):
        printer.exposed.add(node)


def head(printer: Printer, node: ast.Node) -> Doc:
    """An expression before the `{` of a block, which no other `{` may precede."""
    return concat(printer.leading(node), head_alone(printer, node), printer.trailing(node))


def head_alone(printer: Printer, node: ast.Node) -> Doc:
    return in_brackets(printer.body(node)) if node in printer.exposed else printer.body(node)


def not_a_block(printer: Printer, node: ast.Node) -> Doc:
    """An expression where a `{` at its beginning would open a block."""
    first = node
    while first in printer.exposed and not isinstance(first, ast.DictLit):
        below = children(first)
        if not below:
            break
        first = below[0]
    return parenthesized(printer, node) if isinstance(first, ast.DictLit) else printer.doc(node)


# --- leaves ---


@rule(ast.IntLit, ast.FloatLit)
def number(printer: Printer, node: ast.IntLit | ast.FloatLit) -> Built:
    return node.text


@rule(ast.StringLit)
def string(printer: Printer, node: ast.StringLit) -> Built:
    return node.text.replace("\r\n", "\n")


@rule(ast.BoolLit)
def boolean(printer: Printer, node: ast.BoolLit) -> Built:
    return "true" if node.value else "false"


@rule(ast.Name)
def name(printer: Printer, node: ast.Name) -> Built:
    return node.name


@rule(ast.Ellipsis)
def ellipsis(printer: Printer, node: ast.Ellipsis) -> Built:
    return "..."


@rule(ast.DottedIndex)
def dotted_index(printer: Printer, node: ast.DottedIndex) -> Built:
    return f"{node.name}."


# --- operators ---


@rule(ast.Binary)
def binary(printer: Printer, node: ast.Binary) -> Built:
    """A left-associative chain grows by one link; comparisons and `**` stand alone."""
    expose(printer, node, node.left, node.right)
    own = level(node)
    if node.op == "**":
        return concat(operand(printer, node.left, POSTFIX), " **", GAP, operand(printer, node.right, SIGN))
    chain = chain_from(printer, node, own)
    right = in_group(printer, node.right, node.op_span.end, own + 1)
    chain.links += [" ", right] if node.op == "juxt" else [f" {node.op}", SPACE, right]
    return chain


def chain_from(printer: Printer, node: ast.Binary, own: int) -> Chain:
    """The chain that the left operand begins."""
    left = printer.built[node.left]
    if own in (COMPARE, CAST):
        return Chain(own, in_group(printer, node.left, node.span.start, own + 1))
    if not isinstance(left, Chain) or left.level != own or is_group(printer, node.left, node.span.start):
        return Chain(own, in_group(printer, node.left, node.span.start, own))
    return with_comments(printer, node.left, left)


def with_comments(printer: Printer, node: ast.Node, chain: Chain) -> Chain:
    """A chain that goes on, with the comments of what it was so far."""
    if node in printer.attached:
        chain.head = concat(printer.leading(node), chain.head)
        chain.links.append(printer.trailing(node))
    return chain


def in_group(printer: Printer, node: ast.Node, since: int, at_least: int = LOOSEST) -> Doc:
    """An operand, in parentheses if it needs them or if they carry meaning."""
    return operand(printer, node, METHODS + 1 if is_group(printer, node, since) else at_least)


def is_group(printer: Printer, node: ast.Node, since: int) -> bool:
    """Whether the author put a sum or product with indices in parentheses (which begin after `since`): in an equation such a
    group is a scope of its own for its indices."""
    if level(node) not in (SUM, PRODUCT) or node not in printer.indexed:
        return False
    return "(" in without_comments(printer.text[since : node.span.start])


@rule(ast.Unary)
def unary(printer: Printer, node: ast.Unary) -> Built:
    expose(printer, node, node.operand)
    if node.op == "not":
        return concat("not", GAP, operand(printer, node.operand, NOT))
    return concat("-", operand(printer, node.operand, SIGN))


@rule(ast.Range)
def range_(printer: Printer, node: ast.Range) -> Built:
    expose(printer, node, node.start, node.stop)
    start, stop = operand(printer, node.start, SUM), operand(printer, node.stop, SUM)
    ends_with_dot = isinstance(node.start, ast.FloatLit) and node.start.text.endswith(".")
    begins_with_dot = isinstance(node.stop, ast.FloatLit) and node.stop.text.startswith(".")
    return concat(start, " " if ends_with_dot else "", "..", " " if begins_with_dot else "", TIGHT, stop)


@rule(ast.Cast)
def cast(printer: Printer, node: ast.Cast) -> Built:
    expose(printer, node, node.operand)
    return concat(operand(printer, node.operand, CAST), " as", GAP, printer.doc(node.type))


@rule(ast.Query)
def query(printer: Printer, node: ast.Query) -> Built:
    expose(printer, node, node.atom)
    atom = operand(printer, node.atom, POSTFIX)
    return concat("query ", atom) if node.prefix else concat(atom, "?")


# --- calls, members, indices ---


def postfix_from(printer: Printer, base: ast.Node) -> Chain:
    """The method chain that a base begins."""
    built = printer.built[base]
    if isinstance(built, Chain) and built.level == METHODS:
        return with_comments(printer, base, built)
    if isinstance(base, ast.FloatLit | ast.IntLit | ast.StructLit | ast.DictLit):
        return Chain(METHODS, parenthesized(printer, base))
    return Chain(METHODS, operand(printer, base, POSTFIX))


def extend(chain: Chain, *parts: Doc) -> Chain:
    if chain.links:
        chain.links.extend(parts)
    else:
        chain.head = concat(chain.head, *parts)
    return chain


@rule(ast.Member)
def member(printer: Printer, node: ast.Member) -> Built:
    expose(printer, node, node.base)
    chain = postfix_from(printer, node.base)
    if node.name.isdigit():
        return extend(chain, f".{node.name}")
    chain.links += [TIGHT, f".{node.name}"]
    return chain


@rule(ast.Path)
def path(printer: Printer, node: ast.Path) -> Built:
    expose(printer, node, node.base)
    return extend(postfix_from(printer, node.base), f"::{node.name}")


@rule(ast.Index)
def index(printer: Printer, node: ast.Index) -> Built:
    expose(printer, node, node.base)
    return extend(postfix_from(printer, node.base), printer.brackets("[", node.items, "]", node))


@rule(ast.Call)
def call(printer: Printer, node: ast.Call) -> Built:
    expose(printer, node, node.callee)
    chain = postfix_from(printer, node.callee)
    chain.calls += bool(chain.links)
    types = concat("<", printer.comma_list(node.type_args), ">") if node.type_args else EMPTY
    return extend(chain, types, arguments(printer, node))


def arguments(printer: Printer, node: ast.Call) -> Doc:
    """`(a, b)`; a list or a function in the last place may stay beside the parenthesis where it takes several lines."""
    apart = printer.brackets("(", node.args, ")", node)
    if not node.args or any(arg in printer.attached for arg in node.args):
        return apart
    *others, last = node.args
    opener = hugged_width(last)
    before = sum(width(printer.body(arg)) + 2 for arg in others) + 1
    if not opener or before >= INFINITE:
        return apart
    parts: list[Doc] = ["("]
    for arg in others:
        parts += [printer.body(arg), ", "]
    hugging = concat(*parts, printer.body(last), ")")
    return Choice(hugging, apart, before + opener, width(hugging))


def hugged_width(arg: ast.Arg) -> int:
    """The characters up to where the last argument may break; 0 if it is none to stay beside the parenthesis."""
    named = len(arg.name) + 2 if arg.name else 0
    match arg.value:
        case ast.ListLit(items=items) if items:
            return named + 1
        case ast.Lambda(params=params, body=ast.Block()):
            return named + 4 + sum(p.span.end - p.span.start + 2 for p in params)
    return 0


@rule(ast.Arg, ast.FieldInit)
def argument(printer: Printer, node: ast.Arg | ast.FieldInit) -> Built:
    value = in_group(printer, node.value, node.span.start)
    return concat(f"{node.name}:", GAP, value) if node.name is not None else value


@rule(ast.Slice)
def slice_(printer: Printer, node: ast.Slice) -> Built:
    parts: list[Doc] = []
    for at, part in enumerate((node.start, node.stop, node.step)):
        if at and (at < 2 or part is not None):
            parts.append(":")
        if part is not None:
            parts.append(operand(printer, part, CAST))
    return concat(*parts, printer.inside(node))


@rule(ast.VirtualIndex)
def virtual_index(printer: Printer, node: ast.VirtualIndex) -> Built:
    return concat("*", operand(printer, node.index, SUM))


# --- expressions with blocks ---


@rule(ast.Block)
def block(printer: Printer, node: ast.Block) -> Built:
    """One statement may stay on the line of its braces; the caller groups."""
    printer.exposed.add(node)
    inline = len(node.statements) < 2 and printer.on_one_line(node)
    return printer.braces(node, node.statements, "", inline)


@rule(ast.Lambda)
def lambda_(printer: Printer, node: ast.Lambda) -> Built:
    expose(printer, node, node.body)
    return concat("|", printer.comma_list(node.params), "| ", body_after_arrow(printer, node.body))


def body_after_arrow(printer: Printer, node: ast.Node) -> Doc:
    """The body of a lambda or an arm."""
    if not isinstance(node, ast.Block):
        return not_a_block(printer, node)
    return concat(printer.leading(node), group(printer.body(node)), printer.trailing(node))


@rule(ast.If)
def if_(printer: Printer, node: ast.If) -> Built:
    """If one of the blocks takes several lines, all do."""
    printer.exposed.add(node)
    parts: list[Doc] = ["if ", head(printer, node.condition), GAP, printer.doc(node.then)]
    if node.otherwise is not None:
        parts += [GAP, "else ", printer.doc(node.otherwise)]
    return group(*parts)


@rule(ast.Match)
def match_(printer: Printer, node: ast.Match) -> Built:
    printer.exposed.add(node)
    arms = printer.braces(node, node.arms, ",", inline=printer.on_one_line(node))
    return group("match ", head(printer, node.value), GAP, arms)


@rule(ast.Arm)
def arm(printer: Printer, node: ast.Arm) -> Built:
    parts: list[Doc] = []
    for at, pattern in enumerate(node.patterns):
        parts += [" |", GAP, printer.doc(pattern)] if at else [printer.doc(pattern)]
    if node.guard is not None:
        parts += [" if ", printer.doc(node.guard)]
    return concat(*parts, " =>", GAP, body_after_arrow(printer, node.body))
