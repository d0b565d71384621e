"""Sizes and claims about them as Python expressions."""

import ast
from collections.abc import Callable, Mapping
from functools import reduce

from tensorlogic.backends import nodes
from tensorlogic.types.dims import Atom, Dim
from tensorlogic.types.goals import Divides, Goal, Member, Rel

LONG_CHAIN = 40


def size(dim: Dim, names: Mapping[str, ast.expr]) -> ast.expr:
    """The number that `dim` is, from the expressions for the names in it."""
    terms = [_term(mono, c, names) for mono, c in dim.terms]
    if not terms:
        return ast.Constant(0)
    return _chain(_plus, terms)


def _chain(join: Callable[[ast.expr, ast.expr], ast.expr], parts: list[ast.expr]) -> ast.expr:
    """The parts joined from the left; halves of a very long chain by themselves, so that it does not nest deeply."""
    if len(parts) <= LONG_CHAIN:
        return reduce(join, parts)
    middle = len(parts) // 2
    return join(_chain(join, parts[:middle]), _chain(join, parts[middle:]))


def _plus(left: ast.expr, right: ast.expr) -> ast.expr:
    match right:
        case ast.UnaryOp(ast.USub(), inner):
            return ast.BinOp(left, ast.Sub(), inner)
    return ast.BinOp(left, ast.Add(), right)


def _term(mono: tuple[Atom, ...], c: int, names: Mapping[str, ast.expr]) -> ast.expr:
    factors = [_atom(atom, names) for atom in mono]
    if abs(c) != 1 or not factors:
        factors.insert(0, ast.Constant(abs(c)))
    product = _chain(lambda left, right: ast.BinOp(left, ast.Mult(), right), factors)
    return ast.UnaryOp(ast.USub(), product) if c < 0 else product


def _atom(atom: Atom, names: Mapping[str, ast.expr]) -> ast.expr:
    args = [size(arg, names) for arg in atom.args]
    match atom.kind:
        case "floor_div" | "quotient":
            return ast.BinOp(args[0], ast.FloorDiv(), args[1])
        case "mod":
            return ast.BinOp(args[0], ast.Mod(), args[1])
        case "min" | "max":
            return ast.Call(ast.Name(atom.kind, nodes.LOAD), args, [])
    return names[atom]


def claim(goal: Goal, names: Mapping[str, ast.expr]) -> ast.expr:
    """The goal as a condition."""
    match goal:
        case Rel(op, left, right):
            return ast.Compare(size(left, names), [nodes.COMPARE[op]], [size(right, names)])
        case Divides(divisor, dividend):
            remainder = ast.BinOp(size(dividend, names), ast.Mod(), size(divisor, names))
            return ast.Compare(remainder, [ast.Eq()], [ast.Constant(0)])
        case Member(dim, values):
            allowed = ast.Tuple([ast.Constant(value) for value in sorted(values)], nodes.LOAD)
            return ast.Compare(size(dim, names), [ast.In()], [allowed])


def negation(condition: ast.expr) -> ast.expr:
    """`not condition`, as a person writes it."""
    opposite = {
        ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.In: ast.NotIn,
    }  # fmt: skip
    match condition:
        case ast.Compare(left, [op], right) if type(op) in opposite:
            return ast.Compare(left, [opposite[type(op)]()], right)
    return ast.UnaryOp(ast.Not(), condition)


def guard(goal: Goal, text: str, names: Mapping[str, ast.expr], words: Mapping[str, str]) -> ast.If:
    """Stops with the goal and the numbers in it, in the words of the program."""
    message: list[ast.expr] = [ast.Constant(f"this needs {text}")]
    separator = ", where "
    for key, node in names.items():
        message += [ast.Constant(f"{separator}{words[key]} is "), ast.FormattedValue(node, -1, None)]
        separator = " and "
    error = ast.Call(ast.Name("ValueError", nodes.LOAD), [_formatted(message)], [])
    return ast.If(negation(claim(goal, names)), [ast.Raise(error, None)], [])


def _formatted(parts: list[ast.expr]) -> ast.expr:
    """An f-string of these parts, with neighbouring texts joined, as Python reads it back."""
    merged: list[ast.expr] = []
    for part in parts:
        if merged and isinstance(part, ast.Constant) and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(f"{merged[-1].value}{part.value}")
        else:
            merged.append(part)
    return merged[0] if len(merged) == 1 else ast.JoinedStr(merged)
