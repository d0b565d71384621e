"""Atoms and the other parts of a body, from the syntax tree to the data of a rule."""

from dataclasses import dataclass, field

from tensorlogic.checker.relation_data import EntityName, RelationName
from tensorlogic.checker.relation_terms import constant_of, fits
from tensorlogic.checker.scope import Unsupported
from tensorlogic.checker.state import State
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.ir.relations import Aggregate, Arithmetic, Atom, Compare, Expression, Known, Literal, Not, Term
from tensorlogic.source import Span
from tensorlogic.syntax import ast

COMPARISONS = ("=", "==", "!=", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/", "%", "**")
DEEPEST = 40
AGGREGATES = ("count", "sum", "min", "max")


def relation_of_type(state: State, type_: EntityName) -> RelationName:
    """An entity type as a relation of its entities."""
    return RelationName(
        type_.unique, type_.unique, [type_.unique], False, True, type_.span or next(iter(state.relations.names.values())).span
    )


def named_relation(state: State, node: ast.Name, quiet: bool = False) -> RelationName | None:
    """The relation, or the entity type as one, that a name stands for; TL0505 otherwise."""
    found = state.scope.find(node.name)
    if isinstance(found, EntityName):
        return relation_of_type(state, found)
    if found is None and node.name == "entity":
        return relation_of_type(state, state.relations.shared())
    if isinstance(found, RelationName):
        return found
    if not isinstance(found, Unsupported) and not quiet and not state.scope.incomplete():
        names = [name for name in state.scope.visible() if isinstance(state.scope.find(name), RelationName | EntityName)]
        help = state.suggestion(node.name, names) or f"declare it: `relation {node.name}(...)`, or with a rule"
        state.error("TL0505", node.span, f"there is no relation `{node.name}`", "not declared", help)
    return None


def find_relation(state: State, node: ast.Call, quiet: bool = False) -> RelationName | None:
    """The relation that an atom asks, with as many columns as it has terms; TL0505 and TL0504 otherwise."""
    callee = node.callee
    if not isinstance(callee, ast.Name):
        state.error("TL0505", callee.span, "a relation is asked by its name")
        return None
    found = named_relation(state, callee, quiet)
    if found is None:
        return None
    if len(found.columns) != len(node.args):
        title = f"`{found.name}` has {len(found.columns)} columns, found {len(node.args)} terms"
        state.error("TL0504", node.span, title, f"{len(node.args)} terms", labels=(Label(found.span, f"`{found.signature}`"),))
        return None
    named = next((arg for arg in node.args if arg.name is not None), None)
    if named is not None:
        state.error("TL0504", named.span, "the terms of a relation have no names")
        return None
    return found


def _depth(node: ast.Node) -> int:
    """How many operators stand in a row."""
    depth = 0
    while isinstance(node, ast.Binary | ast.Unary):
        node = node.left if isinstance(node, ast.Binary) else node.operand
        depth += 1
    return depth


@dataclass(eq=False)
class Reader:
    """Reads one rule. `places` are the variables with where they stand, `spans` the terms of each atom; expressions among terms become
    comparisons, which `added` collects."""

    state: State
    places: dict[str, list[Span]] = field(default_factory=dict)
    added: list[Literal] = field(default_factory=list)
    made: int = 0

    @property
    def whole(self) -> Span:
        return next(iter(self.places.values()))[0]

    def atom(self, node: ast.Call, relation: RelationName) -> Atom | None:
        before = len(self.state.problems.errors)
        terms = tuple(self._term(arg.value, relation, place) for place, arg in enumerate(node.args))
        return None if len(self.state.problems.errors) > before else Atom(relation.unique, terms)

    def _term(self, node: ast.Node, relation: RelationName, place: int) -> Term:
        known = constant_of(self.state, node)
        if known is not None:
            fits(self.state, relation, place, known, node)
            return known
        if isinstance(node, ast.Name):
            return self.variable(node)
        name = self.fresh(node.span)
        expression = self.expression(node)
        if expression is not None:
            self.added.append(Compare("=", name, expression))
        return name

    def variable(self, node: ast.Name) -> str | None:
        if node.name == "_":
            return None
        self.places.setdefault(node.name, []).append(node.span)
        return node.name

    def fresh(self, span: Span) -> str:
        """A variable that the program does not write: its name has a prime, which a written one cannot have inside."""
        self.made += 1
        name = f"'{self.made}"
        self.places[name] = [span, span]
        return name

    # --- the parts of a body ----------------------------------------------------------------------------------------

    def literal(self, node: ast.Node) -> list[Literal]:
        """What one part of a body becomes; nothing after a message."""
        before, self.added = self.added, []
        found = self._literal(node)
        parts = [*([found] if found is not None else []), *self.added]
        self.added = before
        return parts

    def _literal(self, node: ast.Node) -> Literal | None:
        match node:
            case ast.Call():
                return self._positive(node)
            case ast.Unary(op="not", operand=ast.Call() as atom):
                found = self._positive(atom)
                return Not(found) if found is not None else None
            case ast.Binary(op="=", left=ast.Name() as result, right=ast.Aggregate() as aggregate):
                return self._aggregate(aggregate, self.variable(result) or self.fresh(result.span))
            case ast.Binary(op=op, left=left, right=right) if op in COMPARISONS:
                sides = self.expression(left), self.expression(right)
                return None if sides[0] is None or sides[1] is None else Compare(op, sides[0], sides[1])
        self.state.error("TL0101", node.span, "the body of a rule is made of atoms, comparisons and aggregates")
        return None

    def _positive(self, node: ast.Call) -> Atom | None:
        relation = find_relation(self.state, node)
        return self.atom(node, relation) if relation is not None else None

    def expression(self, node: ast.Node) -> Expression | None:
        if _depth(node) > DEEPEST:
            self.state.error("TL0104", node.span, f"an expression in a rule has at most {DEEPEST} operators in a row")
            return None
        known = constant_of(self.state, node)
        if known is not None:
            return known
        match node:
            case ast.Name(name="_"):
                self.state.error("TL0501", node.span, "`_` has no value to compare", "unbound")
                return None
            case ast.Name():
                return self.variable(node)
            case ast.Binary(op=op, left=left, right=right) if op in ARITHMETIC:
                sides = self.expression(left), self.expression(right)
                return None if sides[0] is None or sides[1] is None else Arithmetic(op, sides[0], sides[1])
            case ast.Unary(op="-", operand=operand):
                inner = self.expression(operand)
                return None if inner is None else Arithmetic("-", Known(0), inner)
            case ast.Aggregate():
                name = self.fresh(node.span)
                found = self._aggregate(node, name)
                self.added += [] if found is None else [found]
                return name
        self.state.error("TL0101", node.span, "a rule computes with + - * / % ** and aggregates only")
        return None

    def _aggregate(self, node: ast.Aggregate, result: str) -> Aggregate | None:
        if node.op not in AGGREGATES:
            self.state.error("TL0101", node.span, f"`{node.op}` is no aggregate", help=f"there are {', '.join(AGGREGATES)}")
            return None
        assert isinstance(node.value, ast.Name)
        value = self.variable(node.value)
        if value is None:
            self.state.error("TL0501", node.value.span, "`_` has no value to put together", help="name a variable of the body")
            return None
        body = tuple(part for item in node.body for part in self.literal(item))
        return Aggregate(result, node.op, value, body)
