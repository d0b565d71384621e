"""Names, and what stands behind a dot: variables, constants, dtypes, devices, fields, properties, library objects."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.data import is_some_batch, library_member, library_members
from tensorlogic.checker.instances import instance_values, model_of
from tensorlogic.checker.later import LATER
from tensorlogic.checker.relation_data import EntityMember, EntityName, RelationName
from tensorlogic.checker.relation_dims import number_of
from tensorlogic.checker.relations import as_tensor, position
from tensorlogic.checker.scope import (
    FunctionName,
    GlobalName,
    MemberName,
    ModelName,
    Namespace,
    PythonModule,
    StructName,
    Unsupported,
    Variable,
)
from tensorlogic.checker.slips import member_hint, name_hint
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.weights import get_tensor
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, FnRef, GlobalRef, Member, Op, Value
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import DTYPES, canonical
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import (
    AnyTensor,
    Bool,
    DTypeValue,
    Float,
    Fn,
    Int,
    Library,
    List,
    ModelOf,
    Range,
    Record,
    String,
    Struct,
    Tensor,
    Tuple,
    Type,
    Unknown,
    is_unknown,
    widen,
)  # fmt: skip
from tensorlogic.types.unify import Bindings, substitute

DEVICES = ("gpu", "cpu", "cuda", "mps")
PROPERTIES = ("shape", "ndim", "dtype", "device")


def check_name(state: State, node: ast.Name, expected: Type | None) -> Typed:
    found = state.scope.find(node.name)
    match found:
        case Variable():
            return read(state, found, node.span)
        case GlobalName(item=item):
            return read_global(item.name, item.type, item.value if item.kind == "const" else None, node.span)
        case MemberName(item=item):
            return own_member(state, item, node.span)
        case FunctionName():
            return _function_as_value(found, node.span)
        case RelationName():
            return as_tensor(state, found, node.span)
        case EntityMember():
            return position(state, found, node.span)
        case Unsupported():
            return state.unknown(node.span)
        case EntityName():
            return number_of(state, found, node.span)
        case StructName() | ModelName() | Namespace() | PythonModule():
            return state.error("TL0306", node.span, f"`{node.name}` is no value", "a value is expected here")
    return _library_name(state, node)


def read(state: State, variable: Variable, span: Span) -> Typed:
    if variable.closure is not None and not isinstance(variable.closure, FunctionName):
        return Typed(variable.closure.value, variable.closure.value.type, span, variable.closure)
    return Typed(variable.value, variable.type, span, variable.closure)


def own_member(state: State, item: Member, span: Span) -> Typed:
    """A field of the model that this is a part of."""
    receiver = state.frame.receiver
    if receiver is None or is_unknown(item.type):
        return state.unknown(span)
    assert isinstance(receiver.type, ModelOf)
    return state.emit("field", (receiver,), item.type, span, name=item.name, struct=receiver.type.name)


def read_global(name: str, type_: Type, value: object, span: Span) -> Typed:
    known = value.type if isinstance(value, Const) else type_  # of a constant the value is known
    return Typed(GlobalRef(name, known), known, span)


def _function_as_value(found: FunctionName, span: Span) -> Typed:
    type_ = _plain_type(found.signature)
    return Typed(FnRef(found.unique, type_), type_, span, found)


def _plain_type(signature: Signature) -> Fn:
    bound = Bindings()
    return Fn(tuple(substitute(p.type, bound) for p in signature.params), substitute(signature.result, bound))


def _library_name(state: State, node: ast.Name) -> Typed:
    name = node.name
    dtype = state.frame.dtype_vars.get(name) or canonical(name)
    if dtype is not None:
        return Typed(Const(name if not isinstance(dtype, str) else dtype, DTypeValue(dtype)), DTypeValue(dtype), node.span)
    if name in DEVICES:
        return Typed(Const(name, Library("Device")), Library("Device"), node.span)
    if (hidden := state.scope.hidden(name)) is not None:
        return hidden_name(state, name, node.span, hidden)
    if registry.lookup(name) is not None:
        return state.error("TL0306", node.span, f"`{name}` is a builtin function", help=f"call it, or pass `|x| {name}(x)`")
    if name in LATER:
        return state.error("TL0105", node.span, f"`{name}` is not supported yet")
    if state.scope.incomplete():
        return state.unknown(node.span)
    help = name_hint(name) or state.suggestion(name, [*state.scope.visible(), *registry.names(), *DTYPES])
    return state.unknown_name(name, node.span, f"there is no `{name}` here", "unknown name", help)


def unknown_root(state: State, node: ast.Node) -> ast.Name | None:
    """The name in front of all dots, where nothing has it."""
    while isinstance(node, ast.Member):
        node = node.base
    if not isinstance(node, ast.Name):
        return None
    known = state.scope.find(node.name) or state.scope.hidden(node.name) or state.scope.incomplete()
    return None if known else node


def hidden_name(state: State, name: str, span: Span, hidden: Variable) -> Typed:
    labels = (Label(hidden.span, "a variable of the file"),)
    help = ("pass it as a parameter", f"or declare `{name}` as `const`, `param` or `tensor`")
    return state.error("TL0201", span, f"functions do not see `{name}`, a variable of the file", "not seen here", help, labels=labels)


def operand_label(state: State, node: ast.Node, typed: Typed) -> Label:
    """Where the type of an operand comes from: the declaration where it is a name, the operand itself otherwise."""
    if isinstance(node, ast.Name) and isinstance(found := state.scope.find(node.name), Variable | GlobalName | MemberName):
        return Label(found.span, f"`{node.name}` is {typed.type}")
    return Label(node.span, f"this is {typed.type}")


# --- after a dot -----------------------------------------------------------------------------------------------------


def check_member(state: State, node: ast.Member, expected: Type | None) -> Typed:
    if isinstance(node.base, ast.Name) and isinstance(space := state.scope.find(node.base.name), Namespace):
        return _in_namespace(state, node, space)
    return member_of(state, node, state.expr(node.base))


def member_of(state: State, node: ast.Member, base: Typed) -> Typed:
    """What stands behind the dot of a value."""
    match base.type:
        case Unknown():
            return state.unknown(node.span)
        case Tuple(items) if node.name.isdecimal():
            return _tuple_item(state, node, base, items)
        case Struct():
            return _field(state, node, base, base.type)
        case ModelOf():
            return _model_field(state, node, base, base.type)
        case Record(fields):
            return _record_field(state, node, base, dict(fields))
        case Tensor() | AnyTensor() if node.name in PROPERTIES:
            return _property(state, node, base)
        case Library() if node.name in library_members(base.type) or is_some_batch(base.type):
            return library_member(state, node, base)
    names = PROPERTIES if isinstance(base.type, Tensor | AnyTensor) else library_members(base.type)
    return no_such_member(state, node, str(base.type), names)


def _in_namespace(state: State, node: ast.Member, space: Namespace) -> Typed:
    match space.scope.member(node.name):
        case GlobalName(item=item):
            return read_global(item.name, item.type, item.value, node.span)
        case FunctionName() as function:
            return _function_as_value(function, node.span)
        case Unsupported():
            return state.unknown(node.span)
        case None:
            return no_such_member(state, node, f"`{space.alias}`", list(space.scope.names))
    return state.error("TL0306", node.span, f"`{space.alias}.{node.name}` is no value", "a value is expected here")


def no_such_member(state: State, node: ast.Member, what: str, names) -> Typed:
    """`what` is a type or a module in words."""
    help = member_hint(node.name, names)
    if registry.lookup(node.name) is not None and not help:
        help = f"`{node.name}` is a function: call it with parentheses"
    return state.error("TL0202", node.name_span, f"{what} has no member `{node.name}`", "unknown member", help)


def _tuple_item(state: State, node: ast.Member, base: Typed, items: tuple[Type, ...]) -> Typed:
    index = int(node.name[:6])
    if index >= len(items):
        return state.error("TL0310", node.name_span, f"the tuple has {len(items)} parts", f"the last is .{len(items) - 1}")
    return state.emit("item", (base.operand,), items[index], node.span, index=index)


def struct_fields(state: State, type_: Struct) -> dict[str, Type]:
    """The fields of a struct with its type parameters filled in."""
    item = state.structs[type_.name].item
    bound = Bindings(types=dict(zip(item.type_vars, type_.args, strict=True)))
    return {name: substitute(t, bound, keep_open=True) for name, t in item.fields}


def _field(state: State, node: ast.Member, base: Typed, type_: Struct) -> Typed:
    fields = struct_fields(state, type_)
    if node.name not in fields:
        return no_such_member(state, node, f"`{type_}`", [*fields, *state.structs[type_.name].methods])
    return state.emit("field", (base.operand,), fields[node.name], node.span, name=node.name, struct=type_.name)


def _record_field(state: State, node: ast.Member, base: Typed, fields: dict[str, Type]) -> Typed:
    if node.name not in fields:
        return no_such_member(state, node, "the batch", list(fields))
    return state.emit("field", (base.operand,), fields[node.name], node.span, name=node.name, struct="")


def _model_field(state: State, node: ast.Member, base: Typed, type_: ModelOf) -> Typed:
    model = model_of(state, type_)
    if node.name in model.fields:
        bound = Bindings(dims=instance_values(type_))
        return state.emit(
            "field", (base.operand,), substitute(model.fields[node.name].type, bound), node.span, name=node.name, struct=type_.name
        )
    return no_such_member(state, node, str(type_), [*model.fields, *model.methods])


def _property(state: State, node: ast.Member, base: Typed) -> Typed:
    result: Type
    match node.name, base.type:
        case "shape", Tensor(_, shape) if all(isinstance(d, Dim) for d in shape):
            result = List(Int(), tuple(Int(d) for d in shape if isinstance(d, Dim)))
        case "shape", _:
            result = List(Int())
        case "ndim", Tensor(_, shape) if all(isinstance(d, Dim) for d in shape):
            result = Int(Dim.const(len(shape)))
        case "ndim", _:
            result = Int()
        case "dtype", Tensor(dtype):
            result = DTypeValue(dtype)
        case "dtype", _:
            return state.error("TL0305", node.span, "the dtype of this tensor is only known at run time")
        case _:
            result = Library("Device")
    return state.emit("builtin", (base.operand,), result, node.span, name=f".{node.name}", index=0)


def named_struct(state: State, node: ast.Node) -> StructName | None:
    """The struct that a name or `module.Name` stands for, or None after a message."""
    found: object = None
    if isinstance(node, ast.Name):
        found = state.scope.find(node.name)
    elif isinstance(node, ast.Member) and isinstance(node.base, ast.Name):
        space = state.scope.find(node.base.name)
        found = space.scope.member(node.name) if isinstance(space, Namespace) else space
    if isinstance(found, StructName):
        return found
    if not isinstance(found, Unsupported) and not state.scope.incomplete():
        names = [n for n in state.scope.visible() if isinstance(state.scope.find(n), StructName)]
        near = did_you_mean(node.span.text, names)
        state.error("TL0201", node.span, f"there is no struct `{node.span.text}`", help=f"did you mean `{near}`?" if near else "")
    return None


# --- library objects and Python --------------------------------------------------------------------------------------


def library_call(state: State, node: ast.Call, base: Typed, callee: ast.Member, expected: Type | None) -> Typed | None:
    """Methods of library objects; None where the builtins decide."""
    if isinstance(base.type, Library) and base.type.name == "Model" and callee.name == "get_tensor":
        if len(node.args) != 1 or node.args[0].name not in (None, "name"):
            return state.error("TL0307", node.span, f"`get_tensor` takes one argument, the name, found {len(node.args)}")
        name = state.expr(node.args[0].value)
        return get_tensor(state, base, base.type, name, node.span, expected)
    return None


def python_call(state: State, node: ast.Call, module: PythonModule, name: str, expected: Type | None) -> Typed:
    """`np.mean(x)`: the result is what the annotation says."""
    args = [state.expr(a.value) for a in node.args]
    if expected is None:
        help = "annotate it: `let m: float32[] = np.mean(x)`"
        return state.error("TL0306", node.span, "the type of a Python result is not known", "no annotation", help)
    if any(is_unknown(a.type) for a in args):
        return state.unknown(node.span)
    names = tuple(a.name for a in node.args)
    value = Value("", expected)
    operands = tuple(a.operand for a in args)
    state.ops.append(
        Op("python_call", operands, (value,), {"module": module.module, "name": name, "names": names, "type": expected}, (), node.span)
    )
    return Typed(value, widen(expected), node.span)


def check_cast(state: State, node: ast.Cast, expected: Type | None) -> Typed:
    """`n as float`: host conversions, and a dtype for a tensor."""
    inner = state.expr(node.operand)
    target = node.type.name if isinstance(node.type, ast.NamedType) else ""
    if is_unknown(inner.type):
        return state.unknown(node.span)
    if target not in ("int", "float", "bool", "string"):
        return state.error("TL0306", node.type.span, "`as` converts to int, float, bool or string", help="use `.to(dtype)` for a tensor")
    if not _castable(inner.type, target):
        return state.error("TL0305", node.span, f"{inner.type} does not convert to {target}")
    if isinstance(inner.type, Tensor | AnyTensor):
        inner = state.emit("builtin", (inner.operand,), Int(), node.span, name="item", index=0)
    return _cast(state, node, inner, target)


def _castable(type_: Type, target: str) -> bool:
    if isinstance(type_, Tensor):
        return all(isinstance(d, Dim) and d.value in (1, None) for d in type_.shape)
    return not isinstance(type_, List | Tuple | Struct | Fn | Range | Library)


def _cast(state: State, node: ast.Cast, inner: Typed, target: str) -> Typed:
    types: dict[str, Type] = {"int": Int(), "float": Float(), "bool": Bool(), "string": String()}
    if isinstance(inner.type, Int) and target == "int":
        return coerce(state, inner, Int(), "")
    return state.emit("cast", (inner.operand,), types[target], node.span, to=target)
