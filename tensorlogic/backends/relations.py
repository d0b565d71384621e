"""Relations in generated Python: one `relations.Program(...)` object made from data, and calls of it. No text is ever evaluated."""

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tensorlogic.backends import nodes
from tensorlogic.backends.nodes import LOAD, STORE, Expr
from tensorlogic.ir.ir import Module, Op, Operand
from tensorlogic.ir.relations import Aggregate, Arithmetic, Atom, Compare, Entities, Known, Not, Relation, Rule

MODULE, PROGRAM = "relations", "knowledge"
RESERVED = (MODULE, PROGRAM)
Parts = Callable[[Operand], Expr]


def has_relations(module: Module) -> bool:
    return bool(module.knowledge.relations or module.knowledge.entities)


def declaration(module: Module) -> ast.stmt:
    """`knowledge = relations.Program([...], [...], [...])`"""
    known = module.knowledge
    parts = [[_data(item) for item in items] for items in (known.entities, known.relations, known.rules)]
    call = ast.Call(nodes.path(MODULE, "Program"), [ast.List(part, LOAD) for part in parts], [])
    statement = ast.Assign([ast.Name(PROGRAM, STORE)], call)
    nodes.locate(statement, None, module.source)
    return statement


def _data(item) -> ast.expr:
    """A value of the IR as the call that makes it again."""
    match item:
        case Entities(name, members, closed):
            return _made("Entities", [_plain(name), _tuple(map(_plain, members))], {"closed": closed} if closed else {})
        case Relation(name, columns, weighted, semiring):
            options = {"weighted": True} if weighted else {}
            return _made(
                "Relation", [_plain(name), _tuple(map(_plain, columns))], options | ({"semiring": semiring} if semiring != "sum" else {})
            )
        case Rule(head, body, op, steps, tol, span):
            given = {"op": op if op != "<-" else None, "steps": steps, "tol": tol, "line": span.line}
            return _made(
                "Rule", [_data(head), _tuple(map(_data, body))], {name: value for name, value in given.items() if value is not None}
            )
        case Atom(relation, terms):
            return _made("Atom", [_plain(relation), _tuple(map(_data, terms))])
        case Not(atom):
            return _made("Not", [_data(atom)])
        case Compare(op, left, right) | Arithmetic(op, left, right):
            return _made(type(item).__name__, [_plain(op), _data(left), _data(right)])
        case Aggregate(result, op, value, body):
            return _made("Aggregate", [*map(_plain, (result, op, value)), _tuple(map(_data, body))])
        case Known(value):
            return _made("Known", [nodes.constant(value).node])
    return _plain(item)


def _made(name: str, args: list[ast.expr], options: Mapping[str, object] | None = None) -> ast.expr:
    keywords = [ast.keyword(key, nodes.constant(value).node) for key, value in (options or {}).items()]
    return ast.Call(nodes.path(MODULE, name), args, keywords)


def _plain(value: Any) -> ast.expr:
    return ast.Constant(value)


def _tuple(items: Iterable[ast.expr]) -> ast.expr:
    return ast.Tuple(list(items), LOAD)


# --- operations ---------------------------------------------------------------------------------------------------------


def _call(method: str, parts: list[Expr], name: object, keywords: dict[str, Expr] | None = None) -> Expr:
    return nodes.call(nodes.path(PROGRAM, method), [nodes.constant(name), *parts], len(PROGRAM) + len(method) + 1, keywords, calls=True)


def _fact(op: Op, part: Parts, scope) -> Expr:
    values = [part(arg) for arg in op.args]
    if not op.attrs["weighted"]:
        return _call("fact", values, op.attrs["relation"])
    return _call("fact", values[:-1], op.attrs["relation"], {"weight": values[-1]})


def _facts(op: Op, part: Parts, scope) -> Expr:
    scope.module.roots.add("files")
    path = part(op.args[0])
    beside = ast.Call(nodes.path("files", "beside"), [ast.Name("__file__", LOAD), ast.Constant(str(op.attrs["folder"])), path.node], [])
    return _call("load", [nodes.join(beside, [path], 24)], op.attrs["relation"])


def _query(op: Op, part: Parts, scope) -> Expr:
    what, terms = str(op.attrs["what"]), op.attrs["terms"]
    assert isinstance(terms, tuple)
    if what in ("forward", "backward"):
        return _call("infer", [nodes.constant(op.attrs["relation"])], what)
    given = [part(arg) for arg in op.args]
    items: list[Expr] = []
    for term in terms:
        if isinstance(term, int):
            items.append(nodes.call(nodes.path(MODULE, "Known"), [given[term]], 15))
        else:
            items.append(nodes.constant(term))
    pattern = nodes.join(ast.Tuple([item.node for item in items], LOAD), items, 2 * len(items) + 2)
    return _call(what, [pattern], op.attrs["relation"])


def _as_tensor(op: Op, part: Parts, scope) -> Expr:
    return _call("tensor", [], op.attrs["relation"])


def _as_relation(op: Op, part: Parts, scope) -> Expr:
    return _call("define", [part(op.args[0])], op.attrs["relation"])


def _entities(op: Op, part: Parts, scope) -> Expr:
    return _call("settle", [], op.attrs["entity"])


def _entity(op: Op, part: Parts, scope) -> Expr:
    return _call("position", [nodes.constant(op.attrs["name"])], op.attrs["entity"])


BUILDERS = {
    "fact": _fact, "facts": _facts, "query": _query, "as_tensor": _as_tensor, "as_relation": _as_relation, "entity": _entity,
    "entities": _entities,
}  # fmt: skip
