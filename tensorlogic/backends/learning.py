"""`learn` as the call of a loop: the step as a function, and everything learnable that it reaches."""

import ast
from collections.abc import Iterator
from itertools import chain, count

from tensorlogic.backends import nodes
from tensorlogic.backends.nodes import LOAD, Expr
from tensorlogic.backends.scope import FunctionScope
from tensorlogic.ir.ir import FnRef, GlobalRef, Module, Op, Region, Value
from tensorlogic.ir.rewrite import operations, operations_in, values_in
from tensorlogic.types.types import Fn, Library, List, ModelOf, Struct, Tuple, Type


def fit_call(op: Op, scope: FunctionScope, objective: str, parts: list[Expr | None]) -> ast.expr:
    """`training.fit(objective, [("gpt", gpt)], batches=..., optimizer=..., epochs=10)`; `parts` are the operands, None where left out."""
    scope.module.roots.add("training")
    pairs: list[ast.expr] = []
    for name, node in roots(op, scope):
        pairs.append(ast.Tuple([ast.Constant(name), node], LOAD))
    options = op.attrs["options"]
    assert isinstance(options, tuple)
    named = dict(zip(("batches", *options), parts, strict=True))
    keywords = [ast.keyword(name, part.node) for name, part in named.items() if part is not None]
    return ast.Call(nodes.path("training", "fit"), [nodes.name(objective).node, ast.List(pairs, LOAD)], keywords)


def roots(op: Op, scope: FunctionScope) -> Iterator[tuple[str, ast.expr]]:
    """What the objective and the functions that it calls can learn: models, structs and learnable tensors, by name, in order of use.
    Of two things with one name the second is `m_2`."""
    module, region = scope.module.module, op.regions[0]
    inside = _defined(region)
    seen: set[Value | str] = set()
    labels: set[str] = set()
    for operand in _reached(module, region):
        match operand:
            case Value(name, type_) if operand not in inside and operand not in seen and _can_learn(module, type_):
                seen.add(operand)
                label, node = name or "model", nodes.name(scope.of(operand)).node
            case GlobalRef(name) if name not in seen and any(g.name == name and g.learnable for g in module.globals):
                seen.add(name)
                label, node = name, scope.reference(operand).node
            case _:
                continue
        label = next(text for text in chain((label,), (f"{label}_{n}" for n in count(2))) if text not in labels)
        labels.add(label)
        yield label, node


def _defined(region: Region) -> set[Value]:
    made = {value for op in operations_in((region,)) for value in op.results}
    return made | {*region.params} | {p for op in operations_in((region,)) for r in op.regions for p in r.params}


def _reached(module: Module, region: Region) -> Iterator[Value | FnRef | GlobalRef]:
    """Operands of the region, then globals that the functions it calls read."""
    called: list[str] = []
    makers: dict[Value, Op] = {}
    pending, known_regions = [region], {region}
    while pending:
        current = pending.pop()
        for operand in _read_in(current, called):
            yield operand
            if isinstance(operand, Value) and _holds_function(operand.type):
                makers = makers or {value: op for op in operations(module) for value in op.results}
                fresh = [r for r in _regions_behind(operand, makers) if r not in known_regions]
                pending, known_regions = pending + fresh, known_regions | {*fresh}
    known: set[str] = set()
    functions = {function.name: function for function in module.functions}
    while called:
        name = called.pop()
        if name in known or name not in functions:
            continue
        known.add(name)
        for op in operations_in((functions[name].body,)):
            yield from (o for o in values_in(op.args) if isinstance(o, GlobalRef))
            called += _calls(op)
        yield from (o for o in values_in(functions[name].body.yields) if isinstance(o, GlobalRef))


def _read_in(region: Region, called: list[str]) -> Iterator[Value | FnRef | GlobalRef]:
    """The operands of a region; the functions that it calls are added to `called`."""
    for op in operations_in((region,)):
        yield from values_in((*op.args, *(y for r in op.regions for y in r.yields)))
        called += _calls(op)
    yield from values_in(region.yields)


def _holds_function(type_: Type) -> bool:
    match type_:
        case Fn():
            return True
        case List(element):
            return _holds_function(element)
        case Tuple(items):
            return any(map(_holds_function, items))
    return False


def _regions_behind(value: Value, makers: dict[Value, Op]) -> Iterator[Region]:
    """The bodies of the lambdas that a value holds, which may read models from outside."""
    pending, known = [value], {value}
    while pending:
        op = makers.get(pending.pop())
        if op is not None:
            yield from op.regions if op.code == "lambda" else ()
            fresh = [v for v in values_in(op.args) if isinstance(v, Value) and v not in known and _holds_function(v.type)]
            pending, known = pending + fresh, known | {*fresh}


def _calls(op: Op) -> list[str]:
    found = [str(op.attrs["name"])] if op.code in ("call", "call_method") else []
    return found + [operand.name for operand in values_in(op.args) if isinstance(operand, FnRef)]


def _can_learn(module: Module, type_: Type) -> bool:
    match type_:
        case ModelOf() | Library("Model"):
            return True
        case List(element):
            return _can_learn(module, element)
        case Tuple(items):
            return any(_can_learn(module, item) for item in items)
        case Struct(name, args):
            found = next(s for s in module.structs if s.name == name)
            return bool(found.learnable) or any(_can_learn(module, t) for t in (*args, *(t for _, t in found.fields)))
    return False
