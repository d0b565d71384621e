"""Comparisons and arithmetic over the columns of a body."""

import operator
from collections.abc import Mapping

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations.domain import Domain
from tensorlogic.runtime.relations.terms import ORDERS, Arithmetic, Compare, Expression, Known

Types = Mapping[str, str]
Columns = Mapping[str, Tensor]
COMPARE = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
COMPUTE = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod, "**": operator.pow,
}  # fmt: skip


def type_of(expression: Expression, types: Types) -> str:
    """The type of a column that holds its values."""
    match expression:
        case str():
            return types[expression]
        case Known(str()):
            return "string"
        case Known(value):
            return "float" if isinstance(value, float) else "int"
        case Arithmetic(op, left, right):
            return "float" if op == "/" or "float" in (type_of(left, types), type_of(right, types)) else "int"


def compare(domain: Domain, types: Types, item: Compare, columns: Columns, count: int, device: torch.device) -> Tensor:
    """Which rows meet a comparison."""
    kinds = [type_of(side, types) for side in (item.left, item.right)]
    kind = next((k for side, k in zip((item.left, item.right), kinds, strict=True) if not isinstance(side, Known)), kinds[0])
    sides = [_side(domain, types, side, kind, columns, count, device, item.op in ORDERS) for side in (item.left, item.right)]
    return COMPARE[item.op](*sides)


def _side(domain: Domain, types: Types, side: Expression, kind: str, columns: Columns, count: int, device: torch.device, order: bool):
    match side:
        case Known(str() as name):
            code = domain.code(kind, name) if order else domain.find(kind, name)
            codes = torch.full((count,), -1 if code is None else code, dtype=torch.int64, device=device)
            return domain.numbers(kind, codes) if order else codes
        case str() as name if kind in domain.types:
            return domain.numbers(kind, columns[name]) if order else columns[name]
    return value(domain, types, side, columns, count, device)


def column(domain: Domain, types: Types, expression, kind: str, columns: Columns, count: int, device: torch.device) -> Tensor:
    """The codes of an expression's values, as a column of type `kind`."""
    match expression:
        case Known(str() as name):
            return torch.full((count,), domain.code(kind, name), dtype=torch.int64, device=device)
        case str() as name if types[name] == kind:
            return columns[name]
    return encoded(domain, kind, value(domain, types, expression, columns, count, device))


def encoded(domain: Domain, kind: str, found: Tensor) -> Tensor:
    """The codes of numbers."""
    return domain.floats.codes(found.to(torch.float64)) if kind == "float" else found


def value(domain: Domain, types: Types, expression: Expression, columns: Columns, count: int, device: torch.device) -> Tensor:
    """The numbers of an expression, int64 or float64."""
    match expression:
        case str() as name:
            return domain.numbers(types[name], columns[name])
        case Known(number):
            dtype = torch.float64 if isinstance(number, float) else torch.int64
            return torch.full((count,), number, dtype=dtype, device=device)  # type: ignore[arg-type]
        case Arithmetic(op, left, right):
            sides = [value(domain, types, side, columns, count, device) for side in (left, right)]
            return _compute(op, *sides)
    raise AssertionError(f"no value has {expression!r}")


def _compute(op: str, left: Tensor, right: Tensor) -> Tensor:
    if op in ("/", "%") and bool((right == 0).any()):
        raise TensorLogicError(Diagnostic("TL0801", "division by zero in a rule"))
    if op == "/":
        return left.to(torch.float64) / right.to(torch.float64)
    if op == "**" and not left.is_floating_point() and not right.is_floating_point() and bool((right < 0).any()):
        raise TensorLogicError(Diagnostic("TL0801", "a negative power of an int in a rule", help=("write the base as a float",)))
    found = COMPUTE[op](left, right)
    if not found.is_floating_point() and op in ("+", "-", "*", "**"):
        about = COMPUTE[op](left.to(torch.float64), right.to(torch.float64))
        if bool((about.abs() >= 2.0**63).any()):
            raise TensorLogicError(Diagnostic("TL0314", "a number in a rule does not fit into 64 bits"))
    return found
