"""Facts and queries: the statements and expressions that tell and ask relations."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.relation_atoms import find_relation, named_relation
from tensorlogic.checker.relation_data import EntityMember, EntityName, RelationName
from tensorlogic.checker.relation_terms import constant_of, fits, unknown_entity, wrong_type
from tensorlogic.checker.relations import COLUMN_TYPES, add_member
from tensorlogic.checker.scope import GlobalName, Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, Operand
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Float, Int, List, Record, String, Tensor, Type, is_unknown

# --- facts ------------------------------------------------------------------------------------------------------------


def is_relation(state: State, node: ast.Node) -> bool:
    """Whether a node is an atom: a call of a relation or of an entity type."""
    if not isinstance(node, ast.Call) or not isinstance(node.callee, ast.Name):
        return False
    return isinstance(state.scope.find(node.callee.name), RelationName | EntityName)


def check_fact(state: State, node: ast.Call, weight: ast.Expr | None = None) -> None:
    """`parent(alice, bob)`, `friend(alice, bob) = 0.8`"""
    relation = find_relation(state, node)
    if relation is None:
        return
    if not state.frame.top or state.scope.kind in ("function", "lambda"):
        state.error("TL0101", node.span, "a fact stands at the top of the file, in `main` or in a test")
        return
    if relation.unique in state.relations.entities:
        state.error(
            "TL0504", node.span, f"`{relation.name}` is an entity type", help="its entities come from its declaration and from facts"
        )
        return
    values = [_fact_term(state, relation, place, arg.value) for place, arg in enumerate(node.args)]
    operands = tuple(value for value in values if value is not None)
    if weight is not None:
        operands += _weight(state, relation, weight)
    if None not in values and len(operands) == len(values) + (weight is not None):
        state.add("fact", operands, node.span, relation=relation.unique, weighted=weight is not None)


def _weight(state: State, relation: RelationName, node: ast.Expr) -> tuple[Operand, ...]:
    if not relation.weighted:
        help = f"declare `relation {relation.name}(...): float32`"
        state.error("TL0504", node.span, f"`{relation.name}` has no weights", help=help, labels=(Label(relation.span, "declared here"),))
        return ()
    value = state.expr(node, Float())
    if is_unknown(value.type):
        return ()
    if not isinstance(value.type, Int | Float | Tensor) or (isinstance(value.type, Tensor) and value.type.shape):
        state.error("TL0504", node.span, f"a weight is a number, found {value.type}")
        return ()
    return (value.operand,)


def _fact_term(state: State, relation: RelationName, place: int, node: ast.Node) -> Operand | None:
    """The value of a term; a name that nothing has becomes an entity of an open type."""
    kind = str(relation.columns[place])
    type_ = state.relations.entities.get(kind)
    if isinstance(node, ast.Name):
        found = state.scope.find(node.name)
        if node.name == "_":
            state.error("TL0501", node.span, "`_` in a fact has no value", "a fact says something of known things")
            return None
        if type_ is not None and (found is None or (isinstance(found, EntityMember) and type_ in found.types)):
            return _entity_of(state, type_, node)
        if found is None:
            state.error("TL0504", node.span, f"column {place + 1} of `{relation.name}` is {kind}, found a name", "no value")
            return None
    known = constant_of(state, node) if not _is_host(state, node) else None
    if known is not None:
        if not fits(state, relation, place, known, node):
            return None
        number = float(known.value) if kind == "float" else known.value
        return Const(number, COLUMN_TYPES.get(kind, String()))
    return _host_term(state, relation, place, node)


def _is_host(state: State, node: ast.Node) -> bool:
    return isinstance(node, ast.Name) and isinstance(state.scope.find(node.name), Variable)


def _entity_of(state: State, type_: EntityName, node: ast.Name) -> Operand | None:
    if node.name not in type_.members:
        if type_.closed:
            unknown_entity(state, type_, node.name, node.span)
            return None
        add_member(state, type_, node.name, node.span)
    return Const(node.name, String())


def _host_term(state: State, relation: RelationName, place: int, node: ast.Node) -> Operand | None:
    """A value that is worked out when the program runs."""
    kind = str(relation.columns[place])
    wanted = COLUMN_TYPES.get(kind, String())
    value = state.expr(node, wanted)
    if is_unknown(value.type):
        return None
    if type(value.type) is not type(wanted) and not (isinstance(wanted, Float) and isinstance(value.type, Int)):
        wrong_type(state, relation, place, str(value.type), node.span)
        return None
    return coerce(state, value, wanted, "this term").operand


# --- queries ----------------------------------------------------------------------------------------------------------


def check_query(state: State, node: ast.Query, expected: Type | None) -> Typed:
    """A query as a value: a list of records by the names of its variables."""
    atom = _pattern(state, node.atom)
    if atom is None:
        return state.unknown(node.span)
    relation, terms, operands = atom
    fields: dict[str, Type] = {}
    for term, kind in zip(terms, relation.columns, strict=True):
        if isinstance(term, str):
            fields.setdefault(term, COLUMN_TYPES.get(str(kind), String()))
    result = List(Record(tuple(fields.items())))
    return state.emit("query", operands, result, node.span, relation=relation.unique, terms=terms, what="query")


def check_question(state: State, node: ast.Node, what: str) -> None:
    """A query as a statement prints its table; `explain` prints proofs."""
    assert isinstance(node, ast.Query | ast.Explain)
    atom = _pattern(state, node.atom)
    if atom is None:
        return
    relation, terms, operands = atom
    state.add("query", operands, node.span, relation=relation.unique, terms=terms, what=what)


def check_count(state: State, node: ast.Call) -> Typed:
    """`count(ancestor(alice, _))`: how many tuples match."""
    if len(node.args) != 1:
        return state.error("TL0307", node.span, f"`count` takes one pattern, found {len(node.args)}")
    atom = _pattern(state, node.args[0].value)
    if atom is None:
        return state.unknown(node.span)
    relation, terms, operands = atom
    return state.emit("query", operands, Int(), node.span, relation=relation.unique, terms=terms, what="count")


def check_facts(state: State, node: ast.Call) -> Typed:
    """`facts(parent)`, `facts(parent(alice, who))`: what holds as int64, a row for each answer and a column for each variable, entities by
    their place in their type."""
    if len(node.args) != 1:
        return state.error("TL0307", node.span, f"`facts` takes one relation or pattern, found {len(node.args)}")
    given = node.args[0].value
    atom = _every(state, given) if isinstance(given, ast.Name) else _pattern(state, given)
    if atom is None:
        return state.unknown(node.span)
    relation, terms, operands = atom
    for term, kind in zip(terms, relation.columns, strict=True):
        if isinstance(term, str) and kind in ("float", "string"):
            title = f"`{term}` is a {kind} in `{relation.name}`, and `facts` gives entities and ints"
            labels = (Label(relation.span, f"`{relation.signature}`"),)
            return state.error("TL0504", given.span, title, help="ask for the other columns: `_` stands for this one", labels=labels)
    names = {term for term in terms if isinstance(term, str)}
    type_ = Tensor("int64", (Dim.fresh(), Dim.const(len(names))))
    return state.emit("query", operands, type_, node.span, relation=relation.unique, terms=terms, what="facts")


def _every(state: State, node: ast.Name) -> tuple[RelationName, tuple, tuple[Operand, ...]] | None:
    """A relation without terms: each column is a variable."""
    relation = named_relation(state, node)
    return (relation, tuple(f"c{place}" for place in range(1, len(relation.columns) + 1)), ()) if relation is not None else None


PATTERN_CALLS = {"count": check_count, "facts": check_facts}


def check_infer(state: State, node: ast.Infer) -> None:
    """`infer forward r` derives everything now; `infer backward r(...)` leaves it to the queries."""
    target = node.target
    name = target.callee if isinstance(target, ast.Call) else target
    found = state.scope.find(name.name) if isinstance(name, ast.Name) else None
    if not isinstance(found, RelationName):
        state.error("TL0505", target.span, f"there is no relation `{target.span.text}`", "not declared")
        return
    state.add("query", (), node.span, relation=found.unique, terms=(), what=node.direction)
    if isinstance(target, ast.Call):
        check_question(state, ast.Query(node.span, target, True), "show")


def _pattern(state: State, node: ast.Node) -> tuple[RelationName, tuple, tuple[Operand, ...]] | None:
    """A pattern: per column the name of a variable, None for `_`, or the place of its value among the operands."""
    if not isinstance(node, ast.Call):
        state.error("TL0101", node.span, "a query asks a relation", help="write `ancestor(alice, who)`")
        return None
    relation = find_relation(state, node)
    if relation is None:
        return None
    before, terms, operands = len(state.problems.errors), [], []
    for place, arg in enumerate(node.args):
        variable, operand = _pattern_term(state, relation, place, arg.value)
        if operand is None:
            terms.append(variable)
        else:
            terms.append(len(operands))
            operands.append(operand)
    return None if len(state.problems.errors) > before else (relation, tuple(terms), tuple(operands))


def _pattern_term(state: State, relation: RelationName, place: int, node: ast.Node) -> tuple[str | None, Operand | None]:
    if isinstance(node, ast.Name):
        found = state.scope.find(node.name)
        if node.name == "_":
            return None, None
        if not isinstance(found, Variable | GlobalName | EntityMember):
            _warn_near(state, relation, place, node)
            return node.name, None
    known = constant_of(state, node) if not _is_host(state, node) else None
    if known is not None:
        kind = str(relation.columns[place])
        good = fits(state, relation, place, known, node)
        value = float(known.value) if kind == "float" and good else known.value
        return None, Const(value, COLUMN_TYPES.get(kind, String()))
    return None, _host_term(state, relation, place, node)


def _warn_near(state: State, relation: RelationName, place: int, node: ast.Name) -> None:
    """A variable that is spelt nearly like an entity of its column is probably meant to be it."""
    type_ = state.relations.entities.get(str(relation.columns[place]))
    near = did_you_mean(node.name, type_.members) if type_ is not None and len(node.name) > 2 else None
    if near:
        title = f"`{node.name}` is a variable of this query, and spelt nearly like the entity `{near}`"
        state.report(Diagnostic("TL0703", title, node.span, help=(f"did you mean `{near}`?",), severity="warning"))
