"""Types of the columns that rules define, worked out from all rules together, and what does not fit."""

from collections.abc import Iterator

from tensorlogic.checker.relation_atoms import find_relation
from tensorlogic.checker.relation_data import Reading, RelationName
from tensorlogic.checker.relation_terms import constant_of, fits, is_entity, wrong_type
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.relations import Aggregate, Arithmetic, Atom, Compare, Expression, Known, Literal, Not
from tensorlogic.source import Span
from tensorlogic.syntax import ast

NUMBERS = ("int", "float")


def infer_columns(state: State, found: list[Reading]) -> None:
    """Fill the columns of what the rules declare, and tell where two places disagree."""
    _until_stable(state, found, last=False)
    _until_stable(state, found, last=True)
    for relation in state.relations.names.values():
        relation.columns = [kind or "int" for kind in relation.columns]
    for reading in found:
        _check(state, reading)


def _until_stable(state: State, found: list[Reading], last: bool) -> None:
    """Rounds over all rules. `last` also believes constants: a string may be an entity of a type that another rule says."""
    changed = True
    while changed:
        changed = False
        for reading in found:
            types = types_of(state, reading.rule.body)
            for place, term in enumerate(reading.rule.head.terms):
                kind = types.get(term) if isinstance(term, str) else _kind_of(state, term, reading, place) if last else None
                changed |= _learn(reading, place, kind)
            changed |= _learn_weight(state, reading)


def _kind_of(state: State, term: Known | None, reading: Reading, place: int) -> str | None:
    if term is None:
        return None
    node = reading.node.head.args[place].value  # type: ignore[union-attr]
    if isinstance(term.value, str):
        member = state.relations.members.get(term.value) if is_entity(node) else None
        return member.types[0].unique if member else "string"
    return "float" if isinstance(term.value, float) else "int"


def _learn(reading: Reading, place: int, kind: str | None) -> bool:
    """A column that holds ints by one rule and floats by another holds floats."""
    head = reading.head
    known = head.columns[place]
    if kind is None or known == kind or head.declared:
        return False
    if known is None or (known, kind) == ("int", "float"):
        head.columns[place] = kind
        return True
    return False


def _learn_weight(state: State, reading: Reading) -> bool:
    """A head is weighted when an atom of its body is, or when the best of its proofs is wanted."""
    if reading.head.weighted:
        return False
    weighted = reading.node.op != "<-" or any(
        isinstance(part, Atom) and part.relation in state.relations.names and state.relations.names[part.relation].weighted
        for part in reading.rule.body
    )
    reading.head.weighted = weighted
    return weighted


def columns_of(state: State, relation: str) -> list[str | None]:
    found = state.relations.names.get(relation)
    return found.columns if found is not None else [relation]


def types_of(state: State, body: tuple[Literal, ...], known: dict[str, str] | None = None) -> dict[str, str]:
    """The types of the variables, as far as the columns say them."""
    types: dict[str, str] = dict(known or {})
    for part in body:
        atom = part.atom if isinstance(part, Not) else part
        if isinstance(atom, Atom):
            for term, kind in zip(atom.terms, columns_of(state, atom.relation), strict=True):
                if isinstance(term, str) and kind is not None:
                    types.setdefault(term, kind)
    before = -1
    while before != len(types):
        before = len(types)
        for part in body:
            _bind_types(state, part, types)
    return types


def _bind_types(state: State, part: Literal, types: dict[str, str]) -> None:
    match part:
        case Compare("=", left, right):
            for name, other in ((left, right), (right, left)):
                if isinstance(name, str) and name not in types and (kind := expression_type(state, other, types)):
                    types[name] = kind
        case Aggregate(result, op, value, body):
            inner = types_of(state, body, types)
            types |= {name: kind for name, kind in inner.items() if name not in types}
            kind = "int" if op == "count" else inner.get(value)
            if kind is not None:
                types.setdefault(result, kind)


def expression_type(state: State, expression: Expression, types: dict[str, str]) -> str | None:
    match expression:
        case str() as name:
            return types.get(name)
        case Known(str() as value):
            member = state.relations.members.get(value)
            return member.types[0].unique if member else "string"
        case Known(value):
            return "float" if isinstance(value, float) else "int"
        case Arithmetic(op, left, right):
            sides = [expression_type(state, side, types) for side in (left, right)]
            if None in sides:
                return None
            return "float" if op == "/" or "float" in sides else "int"


# --- what does not fit ----------------------------------------------------------------------------------------------------------


def _check(state: State, reading: Reading) -> None:
    types = types_of(state, reading.rule.body)
    first: dict[str, Span] = {}
    for atom in _atoms(reading.node):
        relation = find_relation(state, atom, quiet=True)
        if relation is not None:
            for place, arg in enumerate(atom.args):
                _check_term(state, reading, relation, place, arg.value, types, first, atom is reading.node.head)
    for part in _parts(reading.rule.body):
        _check_part(state, reading, part, types)


def _atoms(node: ast.Rule) -> Iterator[ast.Call]:
    """The atoms of a rule: those of the body first, which say the types, then the head."""
    yield from (item for item in ast.walk(*node.body, closed=(ast.Call,)) if isinstance(item, ast.Call))
    assert isinstance(node.head, ast.Call)
    yield node.head


def _check_term(state, reading: Reading, relation: RelationName, place: int, node, types, first: dict[str, Span], head: bool) -> None:
    known = constant_of(state, node)
    if known is not None:
        fits(state, relation, place, known, node)
        return
    if not isinstance(node, ast.Name) or node.name == "_" or node.name not in types:
        return
    kind, wanted = types[node.name], relation.columns[place]
    if kind == wanted:
        first.setdefault(node.name, node.span)
    elif not (head and (kind, wanted) == ("int", "float")):
        wrong_type(state, relation, place, f"`{node.name}`, {_article(kind)}", node.span, first.get(node.name))


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _parts(body: tuple[Literal, ...]) -> Iterator[Literal]:
    for part in body:
        yield part
        if isinstance(part, Aggregate):
            yield from _parts(part.body)


def _check_part(state: State, reading: Reading, part: Literal, types: dict[str, str]) -> None:
    match part:
        case Compare(op, left, right):
            for side in (left, right):
                _check_arithmetic(state, reading, side, types)
            kinds = [expression_type(state, side, types) for side in (left, right)]
            _compared(state, reading, op, (left, right), kinds)
        case Aggregate(_, op, value, _) if op != "count" and types.get(value, "int") not in NUMBERS:
            state.error("TL0504", reading.node.span, f"`{op}` puts numbers together, `{value}` is {_article(types[value])}")


def _compared(state: State, reading: Reading, op: str, sides: tuple[Expression, Expression], kinds: list[str | None]) -> None:
    if None in kinds or kinds[0] == kinds[1] or set(kinds) <= set(NUMBERS):
        return
    texts = {kind for kind, side in zip(kinds, sides, strict=True) if isinstance(side, Known) and isinstance(side.value, str)}
    others = [kind for kind, side in zip(kinds, sides, strict=True) if not isinstance(side, Known)]
    if texts and others and others[0] not in NUMBERS:
        _known_entity(state, reading, str(others[0]), sides)
        return
    labels = (Label(reading.head.span, "in a rule of this relation"),)
    state.error("TL0504", reading.node.span, f"`{op}` compares {_article(str(kinds[0]))} and {_article(str(kinds[1]))}", labels=labels)


def _known_entity(state: State, reading: Reading, kind: str, sides: tuple[Expression, Expression]) -> None:
    """`x != "bob"`: the text is an entity of the other side's type."""
    type_ = state.relations.entities.get(kind)
    name = next(side.value for side in sides if isinstance(side, Known))
    if type_ is not None and type_.closed and name not in type_.members:
        state.error("TL0502", reading.node.span, f"`{name}` is no {kind}", help=f"its entities are {', '.join(list(type_.members)[:8])}")


def _check_arithmetic(state: State, reading: Reading, expression: Expression, types: dict[str, str]) -> None:
    pending = [expression] if isinstance(expression, Arithmetic) else []
    while pending:
        item = pending.pop()
        if isinstance(item, Arithmetic):
            pending += [item.left, item.right]
        elif (kind := expression_type(state, item, types)) not in (None, *NUMBERS):
            state.error("TL0504", reading.node.span, f"a rule computes with numbers, here with {_article(str(kind))}")
            return
