"""Calls: what is called, which overload fits, and the operation that comes of it."""

from tensorlogic.checker import instances, members
from tensorlogic.checker.arguments import arguments_of
from tensorlogic.checker.closures import apply_closure
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.later import LATER
from tensorlogic.checker.literals import tensor_call
from tensorlogic.checker.matching import Argument, Attempt
from tensorlogic.checker.overloads import attempt_of, call_builtin, failed, operands_of
from tensorlogic.checker.patterns import read_type
from tensorlogic.checker.relation_data import EntityName, RelationName
from tensorlogic.checker.relation_queries import PATTERN_CALLS
from tensorlogic.checker.scope import (
    Closure,
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
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.checker.slips import model_hint, name_hint, prefixed_hint
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.weights import call_model
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.stdlib.library import layer_names
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import WhereNotMet
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Float,
    Fn,
    Int,
    Library,
    List,
    ModelOf,
    Range,
    Struct,
    Tensor,
    Tuple,
    Type,
    Unknown,
    Void,
    is_unknown,
    widen,
)  # fmt: skip


def check_call(state: State, node: ast.Call, expected: Type | None) -> Typed:
    match node.callee:
        case ast.Name(name=name, span=span):
            return _call_name(state, node, name, span, expected)
        case ast.Member():
            return _call_member(state, node, node.callee, expected)
        case ast.Path():
            return _call_path(state, node, node.callee)
        case ast.Index(base=ast.Name(name=name)) if registry.lookup(name) and state.scope.find(name) is None:
            return state.error("TL0404", node.callee.span, "a reduction over an index stands in an equation: `let`, `=` or `+=`")
    return call_value(state, node, state.expr(node.callee))


def _call_name(state: State, node: ast.Call, name: str, span: Span, expected: Type | None) -> Typed:
    found = state.scope.find(name)
    if found is None and name in PATTERN_CALLS:
        return PATTERN_CALLS[name](state, node)
    match found:
        case EntityName() | RelationName():
            help = f"ask it: `{name}(...)?`, or `count({name}(...))`"
            return state.error("TL0305", node.span, f"`{name}` is a relation, and a fact has no value", "a value is expected here", help)
        case Variable() | GlobalName() | MemberName():
            return call_value(state, node, state.expr(node.callee))
        case FunctionName():
            return call_function(state, node, found)
        case Unsupported():
            arguments_of(state, node, ())
            return state.unknown(node.span)
        case ModelName():
            return make_model(state, node, found)
        case StructName():
            return state.error("TL0305", node.span, f"`{name}` is a struct, it is not called", help=f"write `{name} {{ field: value }}`")
        case Namespace() | PythonModule():
            return state.error("TL0305", node.span, f"`{name}` is a module, it is not called")
    if name == "tensor":
        return tensor_call(state, node, expected)
    if name in LAYERS:
        return make_model(state, node, instances.layer(name, state.float_dtype))
    if registry.lookup(name) is not None:
        return call_builtin(state, node, name, None)
    return _unknown_function(state, node, name, span)


def _unknown_function(state: State, node: ast.Call, name: str, span: Span) -> Typed:
    arguments_of(state, node, ())
    if name in LATER:
        return state.error("TL0105", span, f"`{name}` is not supported yet")
    if (hidden := state.scope.hidden(name)) is not None:
        return members.hidden_name(state, name, span, hidden)
    if state.scope.incomplete():
        return state.unknown(node.span)
    help = name_hint(name) or state.suggestion(name, [*registry.names(), *layer_names(), *state.scope.visible()])
    return state.unknown_name(name, span, f"there is no function `{name}`", help=help)


def _call_member(state: State, node: ast.Call, callee: ast.Member, expected: Type | None) -> Typed:
    if isinstance(callee.base, ast.Name):
        found = state.scope.find(callee.base.name)
        if isinstance(found, Namespace):
            return _call_in_namespace(state, node, callee, found)
        if isinstance(found, PythonModule):
            return members.python_call(state, node, found, callee.name, expected)
    if (help := prefixed_hint(callee)) and (root := members.unknown_root(state, callee)) is not None:
        arguments_of(state, node, ())
        return state.unknown_name(root.name, root.span, f"there is no `{root.name}` here", "unknown name", help)
    base = state.expr(callee.base)
    return call_method(state, node, base, callee, expected)


def _call_in_namespace(state: State, node: ast.Call, callee: ast.Member, space: Namespace) -> Typed:
    found = space.scope.member(callee.name)
    match found:
        case FunctionName():
            return call_function(state, node, found)
        case ModelName():
            return make_model(state, node, found)
        case Unsupported():
            arguments_of(state, node, ())
            return state.unknown(node.span)
        case None:
            arguments_of(state, node, ())
            return members.no_such_member(state, callee, f"`{space.alias}`", list(space.scope.names))
    return call_value(state, node, state.expr(callee))


def call_method(state: State, node: ast.Call, base: Typed, callee: ast.Member, expected: Type | None) -> Typed:
    if is_unknown(base.type):
        arguments_of(state, node, ())
        return state.unknown(node.span)
    if isinstance(base.type, Struct):
        return _struct_method(state, node, base, callee)
    if isinstance(base.type, Tuple) and callee.name.isdecimal():
        return call_value(state, node, members.member_of(state, callee, base))
    if isinstance(base.type, ModelOf):
        field = instances.model_of(state, base.type).fields.get(callee.name)
        if field is not None:
            return call_value(state, node, members.member_of(state, callee, base))
        return call_method_of_model(state, node, base, base.type, callee.name, callee.name_span)
    special = members.library_call(state, node, base, callee, expected)
    if special is not None:
        return special
    found = registry.lookup(callee.name)
    if found is None or not any(_takes_first(s, base.type) for s in builtin_signatures(callee.name)):
        arguments_of(state, node, ())
        names = [n for n in registry.names() if any(_takes_first(s, base.type) for s in builtin_signatures(n))]
        return members.no_such_member(state, callee, str(base.type), names)
    made = call_builtin(state, node, callee.name, Argument(None, base, callee.base))
    _learn_element(state, node, callee, base)
    return made


def _learn_element(state: State, node: ast.Call, callee: ast.Member, base: Typed) -> None:
    """`let xs = []` holds what is pushed first."""
    if (
        callee.name != "push"
        or not isinstance(base.type, List)
        or not isinstance(base.type.element, Any)
        or not isinstance(callee.base, ast.Name)
    ):
        return
    variable = state.find_variable(callee.base.name)
    pushed = state.ops[-1].args[-1] if state.ops and state.ops[-1].attrs.get("name") == "push" else None
    if variable is not None and pushed is not None:
        variable.type = List(widen(getattr(pushed, "type", Any())))


def _takes_first(signature: Signature, type_: Type) -> bool:
    """Whether a builtin may be written as a method of a value of this type."""
    if not signature.params:
        return False
    first = signature.params[0].type
    match type_:
        case Tensor() | AnyTensor():
            return isinstance(first, Tensor | AnyTensor)
        case List() | Range() | Tuple():
            return isinstance(first, List | Tensor)
    if isinstance(type_, Library):
        return first == type_
    return type(first) is type(type_) or (isinstance(first, Float) and isinstance(type_, Int))


def _struct_method(state: State, node: ast.Call, base: Typed, callee: ast.Member) -> Typed:
    assert isinstance(base.type, Struct)
    struct = state.structs[base.type.name]
    method = struct.methods.get(callee.name)
    if method is not None:
        return call_function(state, node, method, Argument(None, base, callee.base))
    if callee.name in dict(struct.item.fields):
        return call_value(state, node, members.member_of(state, callee, base))
    return members.no_such_member(state, callee, f"`{base.type}`", [*struct.methods, *dict(struct.item.fields)])


def _call_path(state: State, node: ast.Call, callee: ast.Path) -> Typed:
    found = members.named_struct(state, callee.base)
    if found is None:
        return state.unknown(node.span)
    method = found.methods.get(callee.name)
    if method is None:
        near = did_you_mean(callee.name, found.methods)
        help = f"did you mean `{near}`?" if near else ""
        return state.error("TL0202", callee.name_span, f"`{found.item.name}` has no function `{callee.name}`", help=help)
    return call_function(state, node, method)


# --- functions of the program ----------------------------------------------------------------------------------------


def make_model(state: State, node: ast.Call, model: ModelName) -> Typed:
    """`Linear(D, 3 * D)`: an instance, whose type says its sizes."""
    arguments = arguments_of(state, node, (model.signature,))
    attempt, _ = attempt_of(state, model.signature, 0, arguments, node.span)
    made = None if attempt.failed else instances.instance_of(model, attempt)
    if made is None or attempt.failed:
        return failed(state, attempt, arguments, node.span)
    if any(is_unknown(a.typed.type) for a in arguments):
        return state.unknown(node.span)  # a mistake was told there; the sizes of the model rest on it
    add_guards(state, attempt.need.guards, node.span)
    operands = operands_of(state, attempt, True)
    if operands is None:
        return state.unknown(node.span)
    dtype = {"dtype": state.float_dtype} if model.unique in LAYERS and state.float_dtype != "float32" else {}
    return state.emit("model", operands, made, node.span, name=model.unique, **dtype)


def call_method_of_model(state: State, node: ast.Call, base: Typed, type_: ModelOf, name: str, place: Span) -> Typed:
    model = instances.model_of(state, type_)
    method = model.methods.get(name)
    if method is not None:
        owner = node.callee.base if isinstance(node.callee, ast.Member) and base.span == node.callee.base.span else node.callee
        label = members.operand_label(state, owner, base)
        return call_function(state, node, method, of=base, owner=label)
    arguments_of(state, node, ())
    near = did_you_mean(name, [*model.methods, *model.fields])
    help = model_hint(name) or (f"did you mean `{near}`?" if near else "")
    return state.error("TL0202", place, f"{type_} has no method `{name}`", "unknown member", help)


def call_function(
    state: State,
    node: ast.Call,
    function: FunctionName,
    first: Argument | None = None,
    of: Typed | None = None,
    owner: Label | None = None,
) -> Typed:
    """`of` is the instance whose method it is, where it is not the method's own model; `owner` says which that is."""
    signature = function.signature
    of = of or own_model(state, function, node.span)
    sizes = instances.instance_values(of.type) if of is not None and isinstance(of.type, ModelOf) else None
    arguments = arguments_of(state, node, (signature,), first)
    attempt, matcher = attempt_of(state, signature, 0, arguments, node.span, sizes)
    if not attempt.failed:
        _least_sizes(attempt, function)
    known = not any(is_unknown(a.typed.type) for a in arguments)  # otherwise a mistake was told there, and the result rests on it
    result = matcher.result() if known and not attempt.failed else Unknown()
    if attempt.failed:
        return failed(state, attempt, arguments, node.span, owner)
    if not known:
        return state.unknown(node.span)
    add_guards(state, attempt.need.guards, node.span)
    operands = operands_of(state, attempt, True)
    if operands is None or is_unknown(result):
        return state.unknown(node.span)
    code, args = ("call", operands) if of is None else ("call_method", (of.operand, *operands))
    if isinstance(result, Void):
        state.add(code, args, node.span, name=function.unique, method=signature.name)
        return Typed(Const(None, Void()), Void(), node.span)
    found = state.emit(code, args, result, node.span, name=function.unique, method=signature.name)
    state.lent.add(found.operand)
    return found


def own_model(state: State, function: FunctionName, span: Span) -> Typed | None:
    """The model itself, for a method that another one of it calls by its bare name."""
    receiver = state.frame.receiver
    return Typed(receiver, receiver.type, span) if function.model is not None and receiver is not None else None


def _least_sizes(attempt: Attempt, function: FunctionName) -> None:
    """The body relies on sizes of at least 1 unless a `where` says otherwise; what is certainly smaller is refused here."""
    for name in function.positive:
        size = attempt.bound.dims.get(name)
        if size is not None and size.value is not None and size.value < 1:
            goal = Rel(">=", Dim.sym(name), Dim.const(1))
            attempt.at.append((WhereNotMet(f"`{attempt.signature.name}`", goal, {name: size.value}), None))


# --- function values -------------------------------------------------------------------------------------------------


def call_value(state: State, node: ast.Call, callee: Typed) -> Typed:
    if callee.closure is not None:
        arguments = arguments_of(state, node, ())
        return _call_closure(state, node, callee, callee.closure, arguments)
    match callee.type:
        case Fn(params, result):
            return _call_typed(state, node, callee, params, result)
        case ModelOf():
            return call_method_of_model(state, node, callee, callee.type, "forward", node.callee.span)
        case Library(name="Model"):
            arguments_of(state, node, ())
            return call_model(state, node.span, callee.type)
        case Unknown():
            arguments_of(state, node, ())
            return state.unknown(node.span)
    return state.error("TL0305", node.callee.span, f"{callee.type} is not a function", "this is called")


def _call_typed(state: State, node: ast.Call, callee: Typed, params: tuple[Type, ...], result: Type) -> Typed:
    if len(params) != len(node.args):
        return state.error("TL0307", node.span, f"this function takes {len(params)} arguments, found {len(node.args)}")
    given = [state.expr(a.value, p) for a, p in zip(node.args, params, strict=True)]
    fitted = [coerce(state, g, p, "this argument") for g, p in zip(given, params, strict=True)]
    if any(is_unknown(f.type) for f in fitted):
        return state.unknown(node.span)
    return state.emit("call_value", (callee.operand, *(f.operand for f in fitted)), result, node.span)


def _call_closure(state: State, node: ast.Call, callee: Typed, closure: Closure | FunctionName, arguments: list[Argument]) -> Typed:
    if isinstance(closure, FunctionName):
        return call_function(state, node, closure)
    if len(closure.node.params) != len(arguments):
        title = f"this lambda takes {len(closure.node.params)} arguments, found {len(arguments)}"
        return state.error("TL0307", node.span, title, labels=(Label(closure.node.span, "the lambda"),))
    given = [_declared_argument(state, p, a) for p, a in zip(closure.node.params, arguments, strict=True)]
    result = apply_closure(state, closure, tuple(g.type for g in given))
    if is_unknown(result) or any(is_unknown(g.type) for g in given):
        return state.unknown(node.span)
    return state.emit("call_value", (closure.value, *(g.operand for g in given)), result, node.span)


def _declared_argument(state: State, parameter: ast.Pattern, argument: Argument) -> Typed:
    """The argument as its parameter `x: float` wants it; as it is where no type is written."""
    if not isinstance(parameter, ast.BindPattern) or parameter.type is None:
        return argument.typed
    return coerce(state, argument.typed, read_type(state, parameter.type), f"`{parameter.name}`", of=parameter.span)
