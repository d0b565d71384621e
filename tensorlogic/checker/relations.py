"""Entities, relations and rules: their declarations, and the statements and expressions that use them."""

from collections.abc import Callable
from typing import Any

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.relation_data import EntityMember, EntityName, RelationName
from tensorlogic.checker.relation_rules import declare_heads, read_rules
from tensorlogic.checker.relation_strata import check_strata
from tensorlogic.checker.scope import GlobalName, Variable
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, GlobalRef, Op, Region, Value
from tensorlogic.ir.relations import Atom
from tensorlogic.ir.rewrite import operations_in
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Float, Fn, Int, String, Tensor, Type, is_unknown

COLUMN_TYPES: dict[str, Type] = {"int": Int(), "float": Float(), "string": String()}
Declare = Callable[[State, str, Any, Span], bool]


# --- declarations -----------------------------------------------------------------------------------------------------


def declare_all(state: State, tree: ast.Module, unique: Callable[[str], str], declare: Declare) -> None:
    """The entity types, relations and rule heads of a file."""
    made: list[tuple[ast.RelationDecl, RelationName]] = []
    for node in tree.statements:
        if isinstance(node, ast.EntityDecl):
            _declare_entity(state, node, unique, declare)
        elif isinstance(node, ast.RelationDecl):
            made.append((node, _declare_relation(state, node, unique, declare)))
    for node, relation in made:
        relation.columns += [_column_type(state, column.type) for column in node.columns]
    declare_heads(state, [n for n in tree.statements if isinstance(n, ast.Rule)], unique)
    _collect_entities(state, tree)


def read_all(state: State, tree: ast.Module) -> None:
    """The rules of a file, when everything they may name is declared."""
    read_rules(state, [n for n in tree.statements if isinstance(n, ast.Rule)])


def finish(state: State) -> None:
    """What can only be said of all rules together."""
    check_strata(state)


def _declare_entity(state: State, node: ast.EntityDecl, unique: Callable[[str], str], declare: Declare) -> None:
    members = node.members
    names = tuple(dict.fromkeys(member.name for member in members or ()))
    dim = Dim.const(len(names)) if members is not None else Dim.fresh(node.name)
    type_ = EntityName(unique(node.name), {}, members is not None, dim, node.name_span)
    if not declare(state, node.name, type_, node.name_span):
        return
    state.relations.entities[type_.unique] = type_
    for member in members or ():
        if member.name in type_.members:
            state.error("TL0203", member.span, f"`{member.name}` stands twice in `{node.name}`")
            continue
        add_member(state, type_, member.name, member.span)


def add_member(state: State, type_: EntityName, name: str, span: Span) -> None:
    found = state.relations.add_member(type_, name, span)
    state.scope.names.setdefault(name, found)


def _declare_relation(state: State, node: ast.RelationDecl, unique: Callable[[str], str], declare: Declare) -> RelationName:
    """The relation, whose columns are read when all entity types are known."""
    weighted = node.weight is not None
    if node.weight is not None and getattr(node.weight, "name", "") not in ("float32", "f32", "float"):
        state.error("TL0504", node.weight.span, "the weights of a relation are float32", help="write `: float32`")
    made = RelationName(node.name, unique(node.name), [], weighted, True, node.name_span)
    if declare(state, node.name, made, node.name_span):
        state.relations.names[made.unique] = made
    return made


def _column_type(state: State, node: ast.TypeExpr) -> str:
    name = getattr(node, "name", "")
    if isinstance(node, ast.NamedType) and node.module is None and not node.args:
        if name in COLUMN_TYPES:
            return name
        if name == "entity":
            return state.relations.shared().unique
        found = state.scope.find(name)
        if isinstance(found, EntityName):
            return found.unique
    names = [*COLUMN_TYPES, "entity", *state.relations.entities]
    near = did_you_mean(name, names)
    help = f"did you mean `{near}`?" if near else f"declare it: `entity {name or 'person'}`"
    title = f"there is no entity type `{node.span.text}`"
    state.error("TL0201", node.span, title, "a column has an entity type, or is int, float, string or entity", help)
    return "int"


def _collect_entities(state: State, tree: ast.Module) -> None:
    """The names in the facts of the file are entities of open types, wherever the facts stand."""
    for block in tree.statements:
        body = block.body.statements if isinstance(block, ast.Main | ast.Test) else (block,)
        hidden = _assigned(list(body))
        pending: list[ast.Node] = list(reversed(body))
        while pending:
            node = pending.pop()
            match node:
                case ast.ExprStmt(value=ast.Call(callee=ast.Name()) as call) | ast.Assign(target=ast.Call(callee=ast.Name()) as call):
                    _collect(state, call, hidden)
                case ast.FnDecl() | ast.ModelDecl() | ast.ImplDecl() | ast.Rule():
                    continue
                case _:
                    pending += reversed([child for child in ast.children(node) if not isinstance(child, ast.Lambda)])


def _assigned(body: list[ast.Node]) -> set[str]:
    """Names that a block binds: those are values."""
    found: set[str] = set()
    for node in ast.walk(*body):
        if isinstance(node, ast.BindPattern):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.target, ast.Name):
            found.add(node.target.name)
    return found


def _collect(state: State, call: ast.Call, hidden: set[str]) -> None:
    assert isinstance(call.callee, ast.Name)
    relation = state.scope.find(call.callee.name)
    if not isinstance(relation, RelationName) or len(relation.columns) != len(call.args):
        return
    for kind, arg in zip(relation.columns, call.args, strict=True):
        type_ = state.relations.entities.get(kind or "")
        node = arg.value
        if type_ is None or type_.closed or not isinstance(node, ast.Name) or node.name in hidden:
            continue
        if not isinstance(state.scope.find(node.name), GlobalName):
            add_member(state, type_, node.name, node.span)


# --- tensors ----------------------------------------------------------------------------------------------------------


def as_tensor(state: State, found: RelationName, span: Span) -> Typed:
    """A relation as a float32 tensor over its entity types."""
    shape: list[Dim] = []
    for kind in found.columns:
        type_ = state.relations.entities.get(str(kind))
        if type_ is None:
            title = f"`{found.name}` is no tensor: its column {len(shape) + 1} is {kind}, and a tensor has entity types"
            return state.error("TL0504", span, title, labels=(Label(found.span, f"`{found.signature}`"),))
        shape.append(type_.dim)
    learned = tuple(GlobalRef(name, state.globals[name].type) for name in _learned(state, found))
    return state.emit("as_tensor", learned, Tensor("float32", tuple(shape)), span, relation=found.unique)


def _learned(state: State, relation: RelationName) -> list[str]:
    """The learnable tensors that a relation is made from, through its rules."""
    found: dict[str, None] = {}
    pending, seen = [relation.unique], set()
    while pending:
        name = pending.pop()
        if name in seen or name not in state.relations.names:
            continue
        seen.add(name)
        found.update(dict.fromkeys(state.relations.names[name].tensors))
        for reading in state.relations.rules:
            if reading.head.unique == name:
                pending += [part.relation for part in reading.rule.body if isinstance(part, Atom)]
    return list(found)


def position(state: State, found: EntityMember, span: Span) -> Typed:
    """An entity as a value: its place in its type, an int."""
    type_ = found.types[0]
    if type_.closed:
        known = Int(Dim.const(type_.members[found.name]))
        return Typed(Const(type_.members[found.name], known), known, span)
    return state.emit("entity", (), Int(), span, entity=type_.unique, name=found.name)


def define(state: State, node: ast.RelationDecl) -> None:
    """Where a declaration stands its facts are read: from a file, or from a tensor."""
    found = state.scope.names.get(node.name)
    if not isinstance(found, RelationName) or found.span != node.name_span:
        return
    if node.file is not None:
        path = coerce(state, state.expr(node.file, String()), String(), "the path")
        if not is_unknown(path.type):
            state.add("facts", (path.operand,), node.span, relation=found.unique, folder=state.folder_of_file())
    if node.definition is not None:
        _define(state, node, found)


def _define(state: State, node: ast.RelationDecl, found: RelationName) -> None:
    """`= T[x, y] > 0.5`: the indices are the columns, in the order in which they first stand there."""
    definition = node.definition
    assert definition is not None
    names = _indices(state, definition)
    if len(names) != len(found.columns):
        title = f"`{found.name}` has {len(found.columns)} columns, and the right side {len(names)} indices"
        state.error("TL0504", definition.span, title, labels=(Label(found.span, f"`{found.signature}`"),))
        return
    with state.block("lambda") as ops:
        fitted = _fitted(state, node, found, names)
    if fitted is None or is_unknown(fitted.type):
        return
    operands = [operand for op in operations_in((Region((), tuple(ops)),)) for operand in op.args] if found.weighted else []
    learned = [item.name for item in (*operands, fitted.operand) if isinstance(item, GlobalRef) and state.globals[item.name].learnable]
    found.tensors += dict.fromkeys(learned)
    source = fitted.operand
    if learned and ops:  # the weights are worked out anew at each reading, with their gradients
        source = Value("", Fn((), fitted.type))
        ops = [Op("lambda", (), (source,), {}, (Region((), tuple(ops), (fitted.operand,)),), node.span)]
    state.ops += ops
    state.add("as_relation", (source,), node.span, relation=found.unique)


def _fitted(state: State, node: ast.RelationDecl, found: RelationName, names: list[str]) -> Typed | None:
    """The tensor on the right side, of the shape that the columns have; None after a message."""
    assert node.definition is not None
    direct = _plain_tensor(state, node.definition, names)
    value = direct if direct is not None else _evaluated(state, node, names)
    if not isinstance(value.type, Tensor):
        return None
    shape = as_shape(state, found, node.span)
    return coerce(state, value, Tensor(value.type.dtype, shape), f"`{found.name}`", of=node.name_span) if shape is not None else None


def as_shape(state: State, found: RelationName, span: Span) -> tuple[Dim, ...] | None:
    types = [state.relations.entities.get(str(kind)) for kind in found.columns]
    if None in types:
        state.error("TL0504", span, f"`{found.name}` comes from a tensor: its columns are entity types", f"`{found.signature}`")
        return None
    return tuple(type_.dim for type_ in types if type_ is not None)


def _indices(state: State, node: ast.Expr) -> list[str]:
    """The index names of an expression, in order."""
    found: dict[str, None] = {}
    for item in ast.walk(node):
        if isinstance(item, ast.Index) and not (isinstance(item.base, ast.Name) and state.scope.find(item.base.name) is None):
            for part in item.items:
                if isinstance(part, ast.Name) and state.scope.find(part.name) is None:
                    found.setdefault(part.name)
    return list(found)


def _plain_tensor(state: State, node: ast.Expr, names: list[str]) -> Typed | None:
    """The tensor itself, where the right side is just `T[x, y]`: then its gradients stay."""
    match node:
        case ast.Index(base=ast.Name(), items=items) if [getattr(i, "name", "") for i in items] == names:
            return state.expr(node.base)
    return None


def _evaluated(state: State, node: ast.RelationDecl, names: list[str]) -> Typed:
    """The value of the equation `name'[x, y] = right side`."""
    assert node.definition is not None
    hidden = f"{node.name}'"
    base = ast.Name(node.name_span, hidden)
    target = ast.Index(node.name_span, base, tuple(ast.Name(node.name_span, name) for name in names))
    state.statement(ast.Let(node.span, target, None, node.definition))
    made = state.scope.names.pop(hidden, None)
    return Typed(made.value, made.type, node.definition.span) if isinstance(made, Variable) else state.unknown(node.definition.span)
