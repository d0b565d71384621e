"""The syntax tree as text, for `tlc build --emit ast`: one node per line with its place, children indented below."""

from collections.abc import Iterator
from dataclasses import fields

from tensorlogic.source import Source, Span
from tensorlogic.syntax.ast import Module, Node

DEEPEST_INDENT = 60  # a chain of a thousand additions nests as deep


def tree_text(tree: Module) -> str:
    return "".join(f"{line}\n" for line in lines(tree))


def lines(tree: Module) -> Iterator[str]:
    """Iterative, since trees may be deep."""
    pending: list[tuple[int, str, Node]] = [(0, "", statement) for statement in reversed(tree.statements)]
    while pending:
        depth, label, node = pending.pop()
        yield f"{'  ' * min(depth, DEEPEST_INDENT)}{label}{type(node).__name__} {place(node.span)}{plain_fields(node)}"
        pending.extend((depth + 1, name, child) for name, child in reversed(list(named_children(node))))


def place(span: Span) -> str:
    return f"{span.line}:{span.column}"


def plain_fields(node: Node) -> str:
    """What a node says besides its children: names, operators, literals."""
    values = {field.name: getattr(node, field.name) for field in fields(node)}
    return "".join(f" {name}={value!r}" for name, value in values.items() if is_plain(value))


def is_plain(value: object) -> bool:
    if isinstance(value, (Node, Span, Source)) or value is None:
        return False
    return not isinstance(value, tuple) or bool(value) and not any(isinstance(item, (Node, Span)) for item in value)


def named_children(node: Node) -> Iterator[tuple[str, Node]]:
    """The nodes below, with the names of their fields."""
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Node):
                yield f"{field.name}: ", item
