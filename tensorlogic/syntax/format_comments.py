"""Which node each comment belongs to, so that it is printed with it.

A comment belongs to the innermost node around it, or better to a neighbour among that node's children: `trailing` the one
before it, `leading` the one after it. Where there is no neighbour it is `inside`; `opening` is one directly after a `{`.
"""

import re
from dataclasses import dataclass, field, fields

from tensorlogic.source import Span
from tensorlogic.syntax import ast

BODIES = (ast.ModelDecl, ast.StructDecl, ast.ImplDecl, ast.Match, ast.Learn)
# Nodes that begin with their first child: what stands before that child stands behind a parenthesis, which may go.
BEGIN_WITH_CHILD = (
    ast.Binary, ast.Range, ast.Cast, ast.Member, ast.Path, ast.Index, ast.Call, ast.Query, ast.StructLit, ast.ExprStmt, ast.Assign,
    ast.Rule, ast.Slice, ast.Arm,
)  # fmt: skip
# Nodes that begin with a word after which a line may not end.
BEGIN_WITH_WORD = (ast.Return, ast.Assert, ast.Unary, ast.While, ast.If, ast.Match, ast.Explain, ast.Infer, ast.VirtualIndex)
# Nodes whose last child may be followed by comments inside their own brackets.
CLOSED = (
    ast.Call, ast.Index, ast.ListLit, ast.TupleLit, ast.SetLit, ast.DictLit, ast.StructLit, ast.Block, ast.Aggregate, ast.EntityDecl,
    ast.TuplePattern, ast.TensorTypeExpr, ast.ListTypeExpr, ast.TupleTypeExpr, ast.ModelTypeExpr, ast.Variadic, *BODIES,
)  # fmt: skip
WITH_PARAMETERS = (ast.FnDecl, ast.ModelDecl, ast.RelationDecl, ast.FnTypeExpr)
_NOTHING = re.compile(r"[\s,]*")
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.S)


@dataclass(slots=True)
class Attached:
    leading: list[ast.Comment] = field(default_factory=list)
    trailing: list[ast.Comment] = field(default_factory=list)
    inside: list[ast.Comment] = field(default_factory=list)
    opening: list[ast.Comment] = field(default_factory=list)


NO_NODES = (Span, str, str | None, int, bool)
_child_fields: dict[type, tuple[str, ...]] = {}


def children(node: ast.Node | ast.Module) -> list[ast.Node]:
    """The nodes directly below a node, in the order of the text."""
    if isinstance(node, ast.Module):
        return list(node.statements)
    names = _child_fields.get(type(node))
    if names is None:
        names = tuple(f.name for f in fields(node) if f.type not in NO_NODES)
        _child_fields[type(node)] = names
    found: list[ast.Node] = []
    for name in names:
        value = getattr(node, name)
        if isinstance(value, tuple):
            found.extend(v for v in value if isinstance(v, ast.Node))
        elif isinstance(value, ast.Node):
            found.append(value)
    return found


@dataclass(slots=True)
class _Visit:
    """A node on the way to a comment, and between which of its children the walk is."""

    node: ast.Node | ast.Module
    children: list[ast.Node]
    seen: int = 0

    @property
    def before(self) -> ast.Node | None:
        return self.children[self.seen - 1] if self.seen else None

    @property
    def after(self) -> ast.Node | None:
        return self.children[self.seen] if self.seen < len(self.children) else None


def attach(module: ast.Module) -> dict[ast.Node | ast.Module, Attached]:
    """Every comment of a module, by node. One walk over the nodes and comments in the order of the text."""
    walk = _Walk(module)
    for comment in sorted(module.comments, key=lambda c: c.span.start):
        walk.go_to(comment.span.start)
        walk.place(comment)
    return walk.attached


class _Walk:
    def __init__(self, module: ast.Module):
        self.text = module.source.text
        self.attached: dict[ast.Node | ast.Module, Attached] = {}
        self.visits = [_Visit(module, children(module))]

    def go_to(self, offset: int) -> None:
        """To the innermost node around a place."""
        visits = self.visits
        while len(visits) > 1 and isinstance(node := visits[-1].node, ast.Node) and node.span.end <= offset:
            visits.pop()
            visits[-1].seen += 1
        while (child := visits[-1].after) is not None and child.span.start <= offset:
            if child.span.end > offset:
                visits.append(_Visit(child, children(child)))
            else:
                visits[-1].seen += 1

    def of(self, node: ast.Node | ast.Module) -> Attached:
        return self.attached.setdefault(node, Attached())

    def place(self, comment: ast.Comment) -> None:
        visit = self.visits[-1]
        around, before, after = visit.node, visit.before, visit.after
        start = before.span.end if before else (around.span.start if isinstance(around, ast.Node) else 0)
        gap = without_comments(self.text[start : comment.span.start])
        if isinstance(around, (*BODIES, ast.Block)) and "{" in gap:
            if not comment.own_line and ends_its_line(self.text, comment):
                self.of(around).opening.append(comment)
                return
            before = None
        if after is None and self.is_empty(around):
            self.of(around).inside.append(comment)
        elif before is not None and after is None:
            self.follow(comment, before)
        elif before is not None and self.belongs_before(comment, visit, gap):
            self.of(before).trailing.append(comment)
        elif after is not None:
            self.of(self.begun(comment, after)).leading.append(comment)
        else:
            self.follow(comment, around)

    def is_empty(self, node: ast.Node | ast.Module) -> bool:
        """Whether the brackets of a node hold nothing but comments."""
        match node:
            case ast.EntityDecl():
                return node.members == ()
            case ast.Call():
                return not node.args
            case ast.StructLit() | ast.StructDecl():
                return not node.fields
            case ast.Learn():
                return not node.statements and not node.options
            case ast.Match():
                return not node.arms
            case ast.ModelDecl():
                return not node.members
        return isinstance(node, (ast.Module, *CLOSED)) and not children(node)

    def follow(self, comment: ast.Comment, last: ast.Node | ast.Module) -> None:
        """A comment after the last child of its node belongs to the largest node that ends there without brackets of its own."""
        for visit in reversed(self.visits):
            node = visit.node
            if isinstance(node, ast.Call | ast.Index | ast.StructLit) and visit.seen == 0 and visit.after is last:
                self.enter(comment, node, visit.children[1:])
                return
            if isinstance(node, (ast.Module, *CLOSED)) or (isinstance(node, ast.Member) and not node.name.isdigit()):
                break
            rest = visit.children[visit.seen + (visit.after is last) :]
            if rest and comment.own_line:
                self.of(rest[0]).leading.append(comment)
                return
            if rest:
                break
            last = node
        self.of(last).trailing.append(comment)

    def enter(self, comment: ast.Comment, node: ast.Node, items: list[ast.Node]) -> None:
        """A comment before the brackets of a node, which must follow directly, goes into them."""
        if items:
            self.of(items[0]).leading.append(comment)
        else:
            self.of(node).inside.append(comment)

    def breaks(self, comment: ast.Comment) -> bool:
        return comment.own_line or ends_its_line(self.text, comment)

    def begun(self, comment: ast.Comment, first: ast.Node) -> ast.Node:
        """The largest node that begins with `first`, where a comment before `first` is one before that."""
        breaks = self.breaks(comment)
        for visit in reversed(self.visits):
            node = visit.node
            if isinstance(node, ast.Module) or visit.seen or not self.begins(node, comment, first, breaks):
                break
            if first in self.attached:  # what came before it goes along, in order
                self.of(node).leading += self.attached[first].leading
                self.attached[first].leading = []
            first = node
        return first

    def begins(self, node: ast.Node, comment: ast.Comment, first: ast.Node, breaks: bool) -> bool:
        if isinstance(node, ast.Query) and node.prefix:
            return breaks
        if isinstance(node, BODIES) and "{" in without_comments(self.text[comment.span.end : first.span.start]):
            return True
        return isinstance(node, BEGIN_WITH_CHILD) or (breaks and isinstance(node, BEGIN_WITH_WORD))

    def belongs_before(self, comment: ast.Comment, visit: _Visit, gap: str) -> bool:
        """Whether a comment between two nodes belongs to the first of them."""
        around, after = visit.node, visit.after
        breaks = self.breaks(comment)
        if isinstance(around, ast.Call | ast.Index | ast.StructLit) and visit.seen == 1:
            return False
        if isinstance(around, ast.If) and after is around.otherwise:
            return True
        if after in self.attached and self.attached[after].leading:
            return False
        if visit.before in self.attached and any(c.text.startswith("//") for c in self.attached[visit.before].trailing):
            return False
        if isinstance(around, BODIES) and after and "{" in without_comments(self.text[comment.span.end : after.span.start]):
            return "{" not in gap
        if comment.own_line:
            return False
        if not breaks:
            return not (gap if isinstance(around, WITH_PARAMETERS) else gap.replace(")", "")).strip()
        return isinstance(around, ast.Binary) or _NOTHING.fullmatch(gap) is not None


def without_comments(text: str) -> str:
    """A text between two nodes, where no string can be that matters, without comments."""
    return _COMMENT.sub("", text) if text else text


def ends_its_line(text: str, comment: ast.Comment) -> bool:
    """Whether only the end of the line follows a comment."""
    end = text.find("\n", comment.span.end)
    return not text[comment.span.end : end if end >= 0 else len(text)].strip()
