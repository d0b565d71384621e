"""Learnable fields of structs: a struct is made with tensors of its own there, which gradients reach."""

import ast
from collections.abc import Iterable

from tensorlogic.backends import nodes
from tensorlogic.backends.nodes import LOAD, Expr

_TEXT = """
def __post_init__(self):
    for name in {}:
        held = getattr(self, name)
        if not held.requires_grad:
            object.__setattr__(self, name, held.detach().clone().requires_grad_())
"""


def post_init(names: Iterable[str]) -> list[ast.stmt]:
    """What makes a leaf of each of the fields that is none yet; a struct that differs in another field keeps the same tensors."""
    fields = tuple(names)
    return ast.parse(_TEXT.format(fields)).body if fields else []


def detached(value: Expr) -> Expr:
    """A value for such a field: whatever learned before, the struct has its own from now on."""
    return nodes.join(ast.Call(ast.Attribute(value.node, "detach", LOAD), [], []), [value], 9)
