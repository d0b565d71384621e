"""Calls: what is called, which overload fits, and the operation that comes of it."""

from tensorlogic.checker import members
from tensorlogic.checker.arguments import argument_label, arguments_of
from tensorlogic.checker.closures import apply_callable, apply_closure, function_value
from tensorlogic.checker.coerce import coerce, literal_shape, to_tensor
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.infer import InferCall
from tensorlogic.checker.later import LATER
from tensorlogic.checker.literals import tensor_call
from tensorlogic.checker.matching import Argument, Attempt, Matcher, explain_failure
from tensorlogic.checker.patterns import read_type
from tensorlogic.checker.scope import Closure, FunctionName, GlobalName, Namespace, PythonModule, StructName, Unsupported, Variable
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.weights import call_model, folder_of, loaded_model
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, Omitted, Operand
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import WhereNotMet
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Float,
    Fn,
    Int,
    Library,
    List,
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
from tensorlogic.types.unify import substitute

READERS = ("load_model",)  # what they read lies beside the file that names it; what is written goes to the working folder


def check_call(state: State, node: ast.Call, expected: Type | None) -> Typed:
    match node.callee:
        case ast.Name(name=name, span=span):
            return _call_name(state, node, name, span, expected)
        case ast.Member():
            return _call_member(state, node, node.callee, expected)
        case ast.Path():
            return _call_path(state, node, node.callee)
        case ast.Index(base=ast.Name(name=name)) if registry.lookup(name) and state.scope.find(name) is None:
            return state.error("TL0105", node.span, "reductions over indices are not supported yet")
    return call_value(state, node, state.expr(node.callee))


def _call_name(state: State, node: ast.Call, name: str, span: Span, expected: Type | None) -> Typed:
    found = state.scope.find(name)
    match found:
        case Variable() | GlobalName():
            return call_value(state, node, state.expr(node.callee))
        case FunctionName():
            return call_function(state, node, found)
        case Unsupported():
            arguments_of(state, node, ())
            return state.unknown(node.span)
        case StructName():
            return state.error("TL0305", node.span, f"`{name}` is a struct, it is not called", help=f"write `{name} {{ field: value }}`")
        case Namespace() | PythonModule():
            return state.error("TL0305", node.span, f"`{name}` is a module, it is not called")
    if name == "tensor":
        return tensor_call(state, node, expected)
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
    help = state.suggestion(name, [*registry.names(), *state.scope.visible()])
    return state.error("TL0201", span, f"there is no function `{name}`", help=help)


def _call_member(state: State, node: ast.Call, callee: ast.Member, expected: Type | None) -> Typed:
    if isinstance(callee.base, ast.Name):
        found = state.scope.find(callee.base.name)
        if isinstance(found, Namespace):
            return _call_in_namespace(state, node, callee, found)
        if isinstance(found, PythonModule):
            return members.python_call(state, node, found, callee.name, expected)
    base = state.expr(callee.base)
    return call_method(state, node, base, callee, expected)


def _call_in_namespace(state: State, node: ast.Call, callee: ast.Member, space: Namespace) -> Typed:
    found = space.scope.member(callee.name)
    match found:
        case FunctionName():
            return call_function(state, node, found)
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
    return type(first) is type(type_) or (isinstance(first, Float) and isinstance(type_, Int))


def _struct_method(state: State, node: ast.Call, base: Typed, callee: ast.Member) -> Typed:
    assert isinstance(base.type, Struct)
    struct = state.structs[base.type.name]
    method = struct.methods.get(callee.name)
    if method is not None:
        return call_function(state, node, method, Argument(None, base, callee.base))
    field = dict(struct.item.fields).get(callee.name)
    if isinstance(field, Fn):
        return call_value(state, node, state.expr(callee))
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


def call_function(state: State, node: ast.Call, function: FunctionName, first: Argument | None = None) -> Typed:
    signature = function.signature
    arguments = arguments_of(state, node, (signature,), first)
    attempt, matcher = _attempt(state, signature, 0, arguments, node.span)
    if not attempt.failed:
        _least_sizes(attempt, function)
    if attempt.failed:
        return _failed(state, attempt, arguments, node.span)
    result = matcher.result()
    add_guards(state, attempt.need.guards, node.span)
    operands = _operands(state, attempt, True)
    if operands is None or is_unknown(result):
        return state.unknown(node.span)
    if isinstance(result, Void):
        state.add("call", operands, node.span, name=function.unique)
        return Typed(Const(None, Void()), Void(), node.span)
    return state.emit("call", operands, result, node.span, name=function.unique)


def _least_sizes(attempt: Attempt, function: FunctionName) -> None:
    """The body relies on sizes of at least 1 unless a `where` says otherwise; what is certainly smaller is refused here."""
    for name in function.positive:
        size = attempt.bound.dims.get(name)
        if size is not None and size.value is not None and size.value < 1:
            goal = Rel(">=", Dim.sym(name), Dim.const(1))
            attempt.at.append((WhereNotMet(f"`{attempt.signature.name}`", goal, {name: size.value}), None))


def _attempt(state: State, signature: Signature, index: int, arguments: list[Argument], span: Span) -> tuple[Attempt, Matcher]:
    attempt = Attempt(signature, index, state.need())
    matcher = Matcher(state, attempt, lambda typed, params: apply_callable(state, typed, params))
    matcher.run(arguments, span)
    return attempt, matcher


def _failed(state: State, attempt: Attempt, arguments: list[Argument], span: Span) -> Typed:
    if not any(is_unknown(a.typed.type) for a in arguments) or attempt.refused is not None:
        state.report(explain_failure(attempt, arguments, span, lambda a: argument_label(state, a)))
    return state.unknown(span)


def _operands(state: State, attempt: Attempt, own: bool) -> tuple[Operand, ...] | None:
    """One operand per parameter, converted to what the parameter turned out to be. `own`: a function of the program."""
    operands: list[Operand] = []
    for parameter, slot in zip(attempt.signature.params, attempt.slots, strict=True):
        if isinstance(slot, list):
            operands += [function_value(state, a.typed) for a in slot]
        elif slot is None:
            operands.append(Omitted())
        else:
            operands.append(_operand(state, attempt, parameter, slot, own))
    return tuple(operands)


def _operand(state: State, attempt: Attempt, parameter: Parameter, argument: Argument, own: bool) -> Operand:
    typed = argument.typed
    if typed.closure is not None or isinstance(parameter.type, Fn):
        return function_value(state, typed)
    if isinstance(parameter.type, Tensor) and literal_shape(typed.type) is not None:
        wanted = attempt.types[parameter.name]
        return to_tensor(state, typed, wanted.dtype if isinstance(wanted, Tensor) else None).operand
    if isinstance(typed.type, Int) and isinstance(parameter.type, Float) and not own and not isinstance(typed.operand, Const):
        return typed.operand  # Python's numbers mix by themselves
    wanted = substitute(parameter.type, attempt.bound, keep_open=True)
    if isinstance(typed.type, AnyTensor) and isinstance(wanted, Tensor):
        return coerce(state, typed, wanted, "").operand if own else typed.operand
    if isinstance(typed.type, Int) and isinstance(wanted, Float):
        return coerce(state, typed, wanted, "").operand
    return typed.operand


# --- builtins --------------------------------------------------------------------------------------------------------


def call_builtin(state: State, node: ast.Call, name: str, first: Argument | None) -> Typed:
    signatures = builtin_signatures(name)
    arguments = arguments_of(state, node, signatures, first)
    return apply_builtin(state, name, arguments, node.span)


def apply_builtin(state: State, name: str, arguments: list[Argument], span: Span) -> Typed:
    """The first overload that fits, or the message of the one that came closest."""
    signatures = builtin_signatures(name)
    if any(is_unknown(a.typed.type) for a in arguments):
        _report_names(state, name, signatures, arguments, span)
        return state.unknown(span)
    attempts: list[Attempt] = []
    for index, signature in enumerate(signatures):
        attempt, matcher = _attempt(state, signature, index, arguments, span)
        result = None if attempt.failed else _infer(state, name, matcher, span)
        if not attempt.failed and result is not None:
            return _emit_builtin(state, name, attempt, result, span)
        attempts.append(attempt)
        if attempt.refused is None and attempt.closeness == 3:
            break  # its types fit, only the sizes do not: no other overload is meant
    best = max(attempts, key=lambda a: a.closeness)
    return _failed(state, best, arguments, span)


def _report_names(state: State, name: str, signatures: tuple[Signature, ...], arguments: list[Argument], span: Span) -> None:
    """An argument is wrong already; a name that no overload has is a mistake of its own."""
    for argument in arguments:
        if argument.name and not any(argument.name == p.name for s in signatures for p in s.params):
            attempt, _ = _attempt(state, signatures[0], 0, [argument], span)
            if attempt.refused is not None:
                state.report(attempt.refused)


def _infer(state: State, name: str, matcher: Matcher, span: Span) -> Type | None:
    """The result type; None where working it out found a mistake."""
    attempt = matcher.attempt
    result = matcher.result()
    builtin = registry.lookup(name)
    if attempt.failed or builtin is None:
        return None
    if builtin.infer is not None:
        call = InferCall(
            attempt.types,
            attempt.need,
            result,
            matcher.apply_type,
            attempt.bound,
            lambda path: loaded_model(state, getattr(path, "value", None), span),
        )
        inferred = builtin.infer(call)
        attempt.at += [(m, None) for m in attempt.need.mistakes]
        attempt.need.mistakes.clear()
        result = AnyTensor() if inferred is None else inferred
    return None if attempt.failed else result


def _emit_builtin(state: State, name: str, attempt: Attempt, result: Type, span: Span) -> Typed:
    found = registry.lookup(name)
    if found is None or found.effect != "panic":  # assertions compare sizes themselves
        add_guards(state, attempt.need.guards, span)
    operands = _operands(state, attempt, False)
    if operands is None or is_unknown(result):
        return state.unknown(span)
    if isinstance(result, Void):
        state.add("builtin", operands, span, name=name, index=attempt.index)
        return Typed(Const(None, Void()), Void(), span)
    place = {"folder": folder_of(state)} if name in READERS else {}
    return state.emit("builtin", operands, result, span, name=name, index=attempt.index, **place)


# --- function values -------------------------------------------------------------------------------------------------


def call_value(state: State, node: ast.Call, callee: Typed) -> Typed:
    if callee.closure is not None:
        arguments = arguments_of(state, node, ())
        return _call_closure(state, node, callee, callee.closure, arguments)
    match callee.type:
        case Fn(params, result):
            return _call_typed(state, node, callee, params, result)
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
