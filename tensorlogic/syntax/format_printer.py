"""How a tree becomes a document: from the leaves up, each kind of node by its rule, with its comments around it.

The walk is a loop over the nodes, children first, so that a rule finds the documents of its children ready. Long operator and
method chains grow from the left in one list (`Chain`), which keeps them flat however long they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tensorlogic.syntax import ast
from tensorlogic.syntax.format_comments import Attached, attach, children, ends_its_line
from tensorlogic.syntax.format_layout import (
    EMPTY,
    GAP,
    SOFT,
    SPACE,
    TIGHT,
    Doc,
    Hard,
    IfBroken,
    concat,
    group,
    indent,
    join_all,
    remark,
    width,
)

NO_COMMENTS = Attached()


@dataclass(slots=True)
class Chain:
    """The beginning of an operator or method chain. `level` is its precedence."""

    level: int
    head: Doc
    links: list[Doc] = field(default_factory=list)
    calls: int = 0  # how many links of a method chain are calls


Built = Doc | Chain
Rule = Callable[["Printer", "ast.Node"], Built]
RULES: dict[type, Rule] = {}


def rule(*kinds: type):
    """Declares the function below as what prints these kinds of nodes."""

    def declare(function):
        for kind in kinds:
            RULES[kind] = function
        return function

    return declare


class Printer:
    def __init__(self, module: ast.Module):
        self.text = module.source.text
        self.module = module
        self.attached = attach(module)
        self.built: dict[ast.Node, Built] = {}
        self.indexed: set[ast.Node] = set()  # what has an index in it
        self.exposed: set[ast.Node] = set()  # expressions with a `{` outside all brackets

    def run(self) -> None:
        order: list[tuple[ast.Node, list[ast.Node]]] = []
        pending = children(self.module)
        while pending:
            node = pending.pop()
            below = children(node)
            order.append((node, below))
            pending.extend(below)
        for node, below in reversed(order):
            self.built[node] = RULES[type(node)](self, node)
            if isinstance(node, ast.Index) or not self.indexed.isdisjoint(below):
                self.indexed.add(node)

    # --- a node with its comments ---

    def body(self, node: ast.Node) -> Doc:
        """A node alone."""
        built = self.built[node]
        return finish(built) if isinstance(built, Chain) else built

    def doc(self, node: ast.Node) -> Doc:
        """A node and its comments."""
        if node not in self.attached:
            return self.body(node)
        return concat(self.leading(node), self.body(node), self.trailing(node))

    def leading(self, node: ast.Node) -> Doc:
        comments = self.attached.get(node, NO_COMMENTS).leading
        if not comments:
            return EMPTY
        parts: list[Doc] = []
        for comment, following in zip(comments, [*(c.span.start for c in comments[1:]), node.span.start], strict=True):
            parts.append(remark(comment_text(comment)))
            parts.append(Hard(self.blank_before(following)) if ends_its_line(self.text, comment) else " ")
        return join_all(parts)

    def trailing(self, node: ast.Node) -> Doc:
        return self.remarks(self.attached.get(node, NO_COMMENTS).trailing)

    def remarks(self, comments: Sequence[ast.Comment]) -> Doc:
        """Comments after something."""
        parts: list[Doc] = []
        ended = False
        for comment in comments:
            ends_line = comment.text.startswith("//")
            if comment.own_line or ended:
                parts.append(Hard(self.blank_before(comment.span.start)))
            elif not ends_line:
                parts.append(" ")
            parts.append(remark(comment_text(comment)))
            ended = ends_line
        return join_all(parts) if parts else EMPTY

    def inside(self, node: ast.Node | ast.Module) -> Doc:
        """The comments between the brackets of a node, where there is nothing else."""
        comments = self.attached.get(node, NO_COMMENTS).inside
        parts: list[Doc] = []
        for index, comment in enumerate(comments):
            if index:
                parts.append(Hard(self.blank_before(comment.span.start)))
            parts.append(remark(comment_text(comment)))
        return join_all(parts) if parts else EMPTY

    def start(self, node: ast.Node) -> int:
        leading = self.attached.get(node, NO_COMMENTS).leading
        return leading[0].span.start if leading else node.span.start

    def blank_before(self, offset: int) -> bool:
        """Whether the author left a blank line before this place."""
        before = self.text[max(0, offset - 4000) : offset]
        return before[len(before.rstrip(" \t\r\n;")) :].count("\n") > 1

    def on_one_line(self, node: ast.Node) -> bool:
        """Whether the author wrote a node on one line."""
        return self.text.find("\n", node.span.start, node.span.end) < 0

    # --- brackets and braces ---

    def brackets(
        self, opening: str, items: Sequence[ast.Node], closing: str, owner: ast.Node, comma: str = ",", force: bool = False
    ) -> Doc:
        """`[a, b]` on one line, or one element on each; `comma` is what follows the last one then."""
        inside = self.inside(owner) if not items else EMPTY
        if not items and inside == EMPTY:
            return opening + closing
        parts: list[Doc] = [SOFT, inside]
        for index, item in enumerate(items):
            last = index == len(items) - 1
            parts += [self.leading(item), self.body(item), IfBroken(comma) if last else ",", self.trailing(item)]
            if not last:
                parts.append(SPACE)
        end: Doc = Hard() if force else SOFT
        return group(opening, indent(*parts), end, closing)

    def braces(self, owner: ast.Node, items: Sequence[ast.Node], separator: str, inline: bool, padding: Doc = SPACE) -> Doc:
        """`{ ... }`: one item per line; on one line only if `inline` allows. To be put in a group by the caller."""
        opening = self.remarks(self.attached.get(owner, NO_COMMENTS).opening)
        inside = self.inside(owner) if not items else EMPTY
        if not items and inside == EMPTY and opening == EMPTY:
            return "{}"
        first: Doc = padding if inline else Hard()
        parts: list[Doc] = [first, inside] if items or inside != EMPTY else []
        for index, item in enumerate(items):
            if index:
                parts.append(Hard(self.blank_before(self.start(item))) if not inline else SPACE)
            mark: Doc = (IfBroken(separator) if index == len(items) - 1 else separator) if inline else separator
            parts += [self.leading(item), self.body(item), mark, self.trailing(item)]
        return concat("{", opening, indent(*parts), padding if inline else Hard(), "}")

    def statements(self, nodes: Sequence[ast.Node]) -> Doc:
        """The statements of a file; a declaration over several lines has blank lines around it."""
        parts: list[Doc] = []
        previous_spreads = False
        for index, node in enumerate(nodes):
            doc = self.body(node)
            spreads = isinstance(node, WITH_BODY) and width(doc) > 100
            if index:
                parts.append(Hard(previous_spreads or spreads or self.blank_before(self.start(node))))
            parts += [self.leading(node), doc, self.trailing(node)]
            previous_spreads = spreads
        return join_all(parts)

    def comma_list(self, nodes: Sequence[ast.Node], line: Doc = GAP) -> Doc:
        """`a, b` outside brackets, with this line after each comma."""
        parts: list[Doc] = []
        for index, node in enumerate(nodes):
            last = index == len(nodes) - 1
            parts += [self.leading(node), self.body(node), EMPTY if last else ",", self.trailing(node)]
            if not last:
                parts.append(line)
        return join_all(parts)


WITH_BODY = (ast.FnDecl, ast.ModelDecl, ast.StructDecl, ast.ImplDecl, ast.Main, ast.Test)


def comment_text(comment: ast.Comment) -> str:
    text = comment.text.replace("\r\n", "\n")
    return text.rstrip() if text.startswith("//") else text


METHODS = 11  # the level of a method chain


def finish(chain: Chain) -> Doc:
    """A chain as a document: an operator chain breaks after its operators, a chain of methods before their names."""
    if chain.level != METHODS:
        return group(chain.head, indent(*chain.links)) if chain.links else chain.head
    if chain.calls > 1:
        return group(chain.head, indent(*(SOFT if link is TIGHT else link for link in chain.links)))
    return concat(chain.head, *(indent(TIGHT) if link is TIGHT else link for link in chain.links))
