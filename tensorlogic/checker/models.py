"""Models: their parameters, fields and methods. Checked here; running them is still to come."""

from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.functions import check_body, facts_of, read_head
from tensorlogic.checker.scope import ModelName, Scope, Variable
from tensorlogic.checker.signatures import signature_of
from tensorlogic.checker.state import Frame, State
from tensorlogic.ir.ir import Value
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Int, List, ModelOf, Type, Unknown, is_unknown, widen

_OF_MODULE = """
    parameters buffers modules children train eval to type half float double cuda cpu state_dict load_state_dict named_parameters
    named_buffers named_modules apply register_buffer register_parameter zero_grad requires_grad_ compile training
"""
MODULE_NAMES = frozenset(_OF_MODULE.split())  # of torch.nn.Module, as far as people use them


def read_model(state: State, node: ast.ModelDecl, unique: str) -> ModelName:
    """The parameters of a model: what makes an instance."""
    reader = Annotations(state.problems, state.scope)
    head = ast.FnDecl(node.span, node.name, node.name_span, (), node.params, None, node.where, None, node.doc)
    signature = signature_of(head, reader)
    return ModelName(unique, signature, node, state.scope, state.folder)


# --- the parts of a model --------------------------------------------------------------------------------------------


def check_fields(state: State, model: ModelName) -> None:
    """The fields, in a frame where the model's parameters are ints, and the heads of its methods."""
    scope = Scope(model.scope, "model")
    outer = state.scope, state.folder
    state.scope, state.folder = scope, model.folder
    frame = Frame(model.declaration.name, None, facts_of(model.signature), frozenset())
    with state.framed(frame), state.block("model", scope):
        for parameter in model.signature.params:
            _declare(
                state, parameter.name, Int(Dim.sym(parameter.name)) if isinstance(parameter.type, Int) else parameter.type, model, parameter
            )
        for member in model.declaration.members:
            _member(state, model, member)
    state.scope, state.folder = outer


def _declare(state: State, name: str, type_: Type, model: ModelName, parameter: Parameter) -> None:
    span = parameter.span or model.declaration.name_span
    value = Value(name, type_)
    state.scope.names[name] = Variable(value, type_, span)
    if isinstance(type_, Int):
        state.frame.dim_values[name] = value


def _member(state: State, model: ModelName, member: ast.Node) -> None:
    match member:
        case ast.SubmodelField(name=name, name_span=span):
            _field(state, model, name, span, _submodel(state, member))
        case ast.TensorDecl(name=name, name_span=span):
            reader = Annotations(state.problems, state.scope, open_dims=False, known=model.signature.own_sizes.get)
            _field(state, model, name, span, reader.type(member.type))
        case ast.Let(target=ast.BindPattern(name=name, span=span), value=value):
            _field(state, model, name, span, widen(state.expr(value).type))
        case ast.FnDecl(name=name, name_span=span):
            _method(state, model, member)


def _field(state: State, model: ModelName, name: str, span, type_: Type) -> None:
    if _taken(state, model, name, span):
        return
    model.fields[name] = type_
    state.scope.names[name] = Variable(Value(name, type_, True), type_, span)


def _taken(state: State, model: ModelName, name: str, span) -> bool:
    if name in MODULE_NAMES:
        state.error("TL0203", span, f"`{name}` is a name of every PyTorch module", "defined already", "choose another name")
        return True
    if name in model.fields or name in model.methods:
        state.error("TL0203", span, f"`{model.declaration.name}` has `{name}` already", "defined again")
        return True
    return False


def _submodel(state: State, member: ast.SubmodelField) -> Type:
    made = state.expr(member.value)
    if member.count is not None:
        count = state.expr(member.count, Int())
        coerce(state, count, Int(), "the number of submodels")
    if is_unknown(made.type):
        return Unknown()
    if not isinstance(made.type, ModelOf):
        state.error("TL0306", member.value.span, f"a submodel is expected here, found {made.type}", "no model")
        return Unknown()
    return List(made.type) if member.count is not None else made.type


def _method(state: State, model: ModelName, node: ast.FnDecl) -> None:
    if node.name != "forward" and _taken(state, model, node.name, node.name_span):
        return
    method = read_head(state, node, f"{model.unique}_{node.name}", outer=model.signature)
    model.methods[node.name] = method
    state.scope.names[node.name] = method


def check_methods(state: State, model: ModelName) -> None:
    for method in model.methods.values():
        check_body(state, method)
