"""Rules: what their atoms are, which variables have a value, and what types the columns of their heads take."""

from tensorlogic.checker.bounds import bounds_of
from tensorlogic.checker.relation_atoms import Reader, find_relation
from tensorlogic.checker.relation_data import Reading, RelationName
from tensorlogic.checker.relation_types import infer_columns
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.ir.relations import Aggregate, Atom, Compare, Literal, Not, Rule
from tensorlogic.source import Span
from tensorlogic.syntax import ast

RESERVED = ("min=", "max=")


def declare_heads(state: State, rules: list[ast.Rule], unique) -> None:
    """The relations that rules declare: their arity is that of the first head."""
    for node in rules:
        if not isinstance(node.head, ast.Call) or not isinstance(node.head.callee, ast.Name):
            state.error("TL0101", node.head.span, "the head of a rule is a relation with its variables", help="write `name(x, y) <- ...`")
            continue
        name = node.head.callee.name
        if name not in state.scope.names:
            made = RelationName(name, unique(name), [None] * len(node.head.args), False, False, node.head.callee.span)
            state.scope.names[name] = state.relations.names[made.unique] = made


def read_rules(state: State, rules: list[ast.Rule]) -> None:
    """Read the rules of a file, work out the types of what they define, and say what is wrong."""
    found = [reading for node in rules if (reading := _read(state, node)) is not None]
    state.relations.rules += found
    infer_columns(state, found)
    for reading in found:
        _set_semiring(state, reading)


def _read(state: State, node: ast.Rule) -> Reading | None:
    if not isinstance(node.head, ast.Call) or not isinstance(node.head.callee, ast.Name):
        return None
    before = len(state.problems.errors)
    head_name = find_relation(state, node.head)
    reader = Reader(state)
    head = reader.atom(node.head, head_name) if head_name else None
    computed = list(reader.added)
    body = [part for item in node.body for part in reader.literal(item)]
    bounds = bounds_of(state, node.where)
    for item in bounds.others:
        state.error("TL0101", item.span, "behind a rule stands `where steps <= 10` or `where tol < 1e-6`")
    if head is None or head_name is None or len(state.problems.errors) > before:
        return None
    parts = (*body, *computed)
    if not _is_bound(state, node, head, parts, reader):
        return None
    _warn_single(state, reader)
    return Reading(node, Rule(head, parts, node.op, bounds.steps, bounds.tol, node.span), head_name)


# --- which variables have a value ---------------------------------------------------------------------------------------------


def bound_names(body: tuple[Literal, ...]) -> set[str]:
    """The variables that atoms and aggregates bind, and what `=` makes of those."""
    bound: set[str] = set()
    for part in body:
        match part:
            case Atom(_, terms):
                bound.update(t for t in terms if isinstance(t, str))
            case Aggregate(result, _, value, inner):
                bound |= (bound_names(inner) - {value}) | {result}
    grew = True
    while grew:
        grew = False
        for part in body:
            if isinstance(part, Compare) and part.op == "=":
                for name, other in ((part.left, part.right), (part.right, part.left)):
                    if isinstance(name, str) and name not in bound and expression_names(other) <= bound:
                        bound.add(name)
                        grew = True
    return bound


def expression_names(expression) -> set[str]:
    pending, found = [expression], set()
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            found.add(item)
        elif hasattr(item, "left"):
            pending += [item.left, item.right]
    return found


def _is_bound(state: State, node: ast.Rule, head: Atom, body: tuple[Literal, ...], reader: Reader) -> bool:
    """TL0501 once for each variable that has no value."""
    bound = bound_names(body)
    told: set[str] = set()
    for name in (t for t in head.terms if isinstance(t, str)):
        if name not in bound:
            _unbound(state, reader, name, "the head", told)
    if None in head.terms:
        state.error("TL0501", node.head.span, "`_` in the head of a rule has no value", "name a variable of the body")
        told.add("_")
    for part in body:
        _check_part(state, reader, part, bound, told)
    return not told


def _check_part(state: State, reader: Reader, part: Literal, bound: set[str], told: set[str]) -> None:
    match part:
        case Not(Atom(_, terms)):
            for name in (t for t in terms if isinstance(t, str)):
                if name not in bound:
                    _unbound(state, reader, name, "`not`", told, "write `_` if any value will do")
        case Compare(_, left, right):
            for name in sorted(expression_names(left) | expression_names(right)):
                if name not in bound:
                    _unbound(state, reader, name, "a comparison", told)
        case Aggregate(_, _, value, inner):
            inside = bound | bound_names(inner)
            if value not in bound_names(inner):
                _unbound(state, reader, value, "an aggregate", told)
            for item in inner:
                _check_part(state, reader, item, inside, told)


def _unbound(state: State, reader: Reader, name: str, where: str, told: set[str], help: str = "") -> None:
    if name in told:
        return
    told.add(name)
    places = reader.places.get(name, [])
    span: Span = places[0] if places else reader.whole
    title = f"`{name}` in {where} has no value: no atom of the body binds it"
    state.error("TL0501", span, title, "unbound", help or "let it stand in an atom of the body that is not negated")


def _warn_single(state: State, reader: Reader) -> None:
    """A variable that stands once is probably misspelt."""
    for name, places in reader.places.items():
        if len(places) == 1 and not name.startswith("_") and "'" not in name:
            near = state.suggestion(name, [*state.relations.members, *(n for n in reader.places if n != name)]) if len(name) > 2 else ""
            help = (near,) if near else ("write `_` if its value does not matter",)
            title = f"the variable `{name}` stands only once in this rule"
            state.report(Diagnostic("TL0703", title, places[0], help=help, severity="warning"))


def _set_semiring(state: State, reading: Reading) -> None:
    op, head = reading.node.op, reading.head
    if op not in RESERVED:
        return
    wanted = op.removesuffix("=")
    if head.semiring not in ("sum", wanted):
        labels = (Label(head.span, f"here it is {head.semiring}"),)
        state.error("TL0503", reading.node.span, f"`{head.name}` has rules with `max=` and with `min=`", labels=labels)
    head.semiring = wanted
