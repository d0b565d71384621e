"""How relations print: declarations, rules, and the operations that tell and ask them."""

from collections.abc import Collection, Sequence

from tensorlogic.ir.ir import Const, Module, Op
from tensorlogic.ir.relations import (
    SHARED,
    Aggregate,
    Arithmetic,
    Atom,
    Compare,
    Entities,
    Expression,
    Known,
    Literal,
    Not,
    Relation,
    Rule,
    Term,
)
from tensorlogic.ir.rewrite import operations
from tensorlogic.ir.text_values import quoted
from tensorlogic.types.types import Fn

PLACED = ("facts", "as_relation")  # operations that print as the declaration of their relation
OPERATIONS = ("fact", "facts", "as_relation", "as_tensor", "entity", "entities", "query")


def declarations(module: Module) -> list[str]:
    """Entity types, the relations whose declaration stands nowhere else, rules."""
    known = module.knowledge
    placed = {str(op.attrs["relation"]) for op in operations(module) if op.code in PLACED}
    lines = [_entities(item) for item in known.entities if item.name != SHARED]
    lines += [declaration(item) for item in known.relations if item.declared and item.name not in placed]
    closed = {item.name for item in known.entities if item.closed}
    places = {(item.name, at) for item in known.relations for at, kind in enumerate(item.columns) if kind in closed}
    return lines + [rule_text(rule, places | {(name, 0) for name in closed}) for rule in known.rules]


def _entities(item: Entities) -> str:
    return f"entity {item.name}" + (f" = {{{', '.join(item.members)}}}" if item.closed else "")


def declaration(item: Relation) -> str:
    return f"relation {item.name}({', '.join(item.columns)})" + (": float32" if item.weighted else "")


def rule_text(rule: Rule, listed: Collection[tuple[str, int]]) -> str:
    """`listed` are the columns of relations whose entities are all declared: there they stand as names."""
    names = _names(rule)
    bounds = [f"steps <= {rule.steps}"] * (rule.steps is not None) + [f"tol < {rule.tol!r}"] * (rule.tol is not None)
    where = f" where {', '.join(bounds)}" if bounds else ""
    return f"{_literal(rule.head, names, listed)} {rule.op} {', '.join(_literal(part, names, listed) for part in rule.body)}{where}"


def _names(rule: Rule) -> dict[str, str]:
    """Names for the variables that the checker made."""
    found: dict[str, str] = {}
    pending: list = [rule.head, *rule.body]
    while pending:
        match pending.pop(0):
            case str() as name:
                found.setdefault(name, name)
            case Atom(_, terms):
                pending += terms
            case Not(atom):
                pending.append(atom)
            case Compare(_, left, right) | Arithmetic(_, left, right):
                pending += [left, right]
            case Aggregate(result, _, value, body):
                pending += [result, value, *body]
    made = [name for name in found if name.startswith("'")]
    free = (f"c{number}" for number in range(1, len(found) + len(made) + 1) if f"c{number}" not in found)
    return found | dict(zip(made, free, strict=False))


def _literal(part: Literal, names: dict[str, str], listed: Collection[tuple[str, int]]) -> str:
    match part:
        case Atom(relation, terms):
            return f"{relation}({', '.join(_place(term, names, (relation, at) in listed) for at, term in enumerate(terms))})"
        case Not(atom):
            return f"not {_literal(atom, names, listed)}"
        case Compare(op, left, right):
            return f"{_expression(left, names)} {op} {_expression(right, names)}"
        case Aggregate(result, op, value, body):
            return f"{names[result]} = {op}({names[value]} : {', '.join(_literal(item, names, listed) for item in body)})"


def _place(term: Term | None, names: dict[str, str], listed: bool) -> str:
    if term is None:
        return "_"
    return str(term.value) if listed and isinstance(term, Known) else _expression(term, names)


def _expression(expression: Expression, names: dict[str, str]) -> str:
    match expression:
        case str():
            return names[expression]
        case Known(value):
            return quoted(value) if isinstance(value, str) else repr(value)
        case Arithmetic(op, left, right):
            return f"({_expression(left, names)} {op} {_expression(right, names)})"


# --- operations ---------------------------------------------------------------------------------------------------------------


def operation(op: Op, texts: Sequence[str], module: Module) -> str:
    """The operation as a program writes it; `texts` are its operands."""
    relation = str(op.attrs.get("relation", ""))
    match op.code:
        case "fact":
            return _fact(op, texts, module)
        case "facts":
            return f"{declaration(_relation(module, relation))} from {texts[0]}"
        case "as_relation":
            indices = ", ".join(f"i{at}" for at in range(1, len(_relation(module, relation).columns) + 1))
            made = "()" if isinstance(getattr(op.args[0], "type", None), Fn) else ""
            return f"{declaration(_relation(module, relation))} = {texts[0]}{made}[{indices}]"
        case "as_tensor":
            return relation
        case "entity":
            return str(op.attrs["name"])
        case "entities":
            return str(op.attrs["entity"])
    return _query(op, texts)


def _relation(module: Module, name: str) -> Relation:
    return next(item for item in module.knowledge.relations if item.name == name)


def _fact(op: Op, texts: Sequence[str], module: Module) -> str:
    """Entities of an open type stand as names, which makes them known."""
    relation = _relation(module, str(op.attrs["relation"]))
    is_open = {item.name for item in module.knowledge.entities if not item.closed}
    terms = [_term(arg, text, kind in is_open) for arg, text, kind in zip(op.args, texts, relation.columns, strict=False)]
    return f"{relation.name}({', '.join(terms)})" + (f" = {texts[-1]}" if op.attrs["weighted"] else "")


def _term(arg: object, text: str, is_open: bool) -> str:
    plain = isinstance(arg, Const) and isinstance(arg.value, str) and is_open and arg.value.isidentifier()
    return str(arg.value) if plain and isinstance(arg, Const) else text


def _query(op: Op, texts: Sequence[str]) -> str:
    what, terms = op.attrs["what"], op.attrs["terms"]
    if what in ("forward", "backward"):
        return f"infer {what} {op.attrs['relation']}"
    assert isinstance(terms, tuple)
    shown = ("_" if term is None else texts[term] if isinstance(term, int) else term for term in terms)
    atom = f"{op.attrs['relation']}({', '.join(shown)})"
    if what in ("count", "facts"):
        return f"{what}({atom})"
    return f"explain {atom}" if what == "explain" else f"query {atom}"
