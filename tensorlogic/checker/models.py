"""Models: their parameters, the fields that a new one is made of, and their methods."""

from dataclasses import replace

from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.functions import check_body, default_of, facts_of, mutated_names, read_head
from tensorlogic.checker.initializers import initial_value
from tensorlogic.checker.scope import MemberName, ModelName, Scope, Variable
from tensorlogic.checker.signatures import signature_of
from tensorlogic.checker.state import Frame, State, Typed
from tensorlogic.checker.submodels import holds_models, submodel_kind
from tensorlogic.ir.ir import Function, Member, Model, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import operations_in
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import is_float
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Bool, DTypeVar, Int, List, Tensor, Type, Unknown, is_unknown, widen

_OF_MODULE = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval extra_repr float
    get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
MODULE_NAMES = frozenset(_OF_MODULE.split())  # the public names of torch.nn.Module (compared with it in tests/checker/test_models.py)

_PRIVATE = """
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks _forward_hooks_always_called
    _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks _get_name
    _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook
    _modules _named_members _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook
    _replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
"""
PRIVATE_NAMES = frozenset(_PRIVATE.split())  # those with one underscore; whatever is `__so__` is Python's


def read_model(state: State, node: ast.ModelDecl, unique: str) -> ModelName:
    """The parameters of a model: what makes an instance."""
    reader = Annotations(state.problems, state.scope)
    head = ast.FnDecl(node.span, node.name, node.name_span, (), node.params, None, node.where, None, node.doc)
    signature = signature_of(head, reader)
    signature = replace(signature, sized=_names_in_shapes(node) & signature.own_sizes.keys())
    return ModelName(unique, signature, node, Scope(state.scope, "model"), state.folder)


def _names_in_shapes(model: ast.ModelDecl) -> frozenset[str]:
    """Names that stand in the types of fields and methods, or make a submodel."""
    found: set[str] = set()
    pending: list[tuple[ast.Node, bool]] = [(member, False) for member in model.members]
    while pending:
        node, inside = pending.pop()
        inside = inside or isinstance(node, ast.TensorTypeExpr | ast.SubmodelField)
        if inside and isinstance(node, ast.Name):
            found.add(node.name)
        pending += [(child, inside) for child in ast.children(node)]
    return frozenset(found)


# --- the fields ------------------------------------------------------------------------------------------------------


def check_fields(state: State, model: ModelName) -> Model:
    """What makes a new model: its parameters, then its fields in order. Declares the heads of its methods too."""
    outer, state.folder = state.folder, model.folder
    receiver = Value("self", model.instance)
    frame = Frame(
        model.declaration.name, None, facts_of(model.signature), frozenset(), receiver=receiver, unknown_names=model.unknown_names
    )
    mode = Member("training", "mode", Bool(), False, model.declaration.name_span)  # what `train` and `eval` set
    model.scope.names[mode.name] = MemberName(mode)
    with state.framed(frame), state.block("function", Scope(model.scope, "function")) as ops:
        params = tuple(_parameter(state, model, parameter) for parameter in model.signature.params)
        frame.entry = frozenset(params)
        for member in model.declaration.members:
            _member(state, model, member)
    defaults = tuple(default_of(state, p, s.type) for p, s in zip(model.declaration.params, model.signature.params, strict=True))
    state.folder = outer
    node = model.declaration
    body = Region((), (*frame.entry_guards, *ops))
    members = tuple(model.fields.values())
    state.made_of[model.unique] = {str(op.attrs["name"]) for op in operations_in((body,)) if op.code == "model"}
    _not_of_itself(state, model)
    return Model(model.unique, params, defaults, receiver, members, body, model.signature, node.span, node.doc)


def _not_of_itself(state: State, model: ModelName) -> None:
    """A model that is a part of itself would be made without end."""
    pending, seen = [*state.made_of[model.unique]], set()
    while pending:
        name = pending.pop()
        if name == model.unique:
            help = "take it as a parameter, `model Node(child: Leaf())`, or repeat another model: `layers: [Layer(D); n]`"
            state.error("TL0306", model.declaration.name_span, f"`{model.declaration.name}` is made of itself, without end", help=help)
            return
        if name not in seen:
            seen.add(name)
            pending += state.made_of.get(name, ())


def _parameter(state: State, model: ModelName, parameter: Parameter) -> Value:
    span = parameter.span or model.declaration.name_span
    type_ = Int(Dim.sym(parameter.name)) if isinstance(parameter.type, Int) else parameter.type
    value = Value(parameter.name, type_)
    _field(state, model, Member(parameter.name, submodel_kind(type_) or "value", type_, False, span), value)
    state.scope.names[parameter.name] = Variable(value, type_, span)
    if isinstance(type_, Int):
        state.frame.dim_values[parameter.name] = value
    return value


def _member(state: State, model: ModelName, member: ast.Node) -> None:
    match member:
        case ast.SubmodelField(name=name, name_span=span):
            made = _submodel(state, member)
            _field(state, model, Member(name, submodel_kind(made.type) or "submodel", made.type, False, span), made.operand)
        case ast.TensorDecl():
            _tensor(state, model, member)
        case ast.Let(target=ast.BindPattern() as target):
            _value(state, model, target, _declared(state, model, member, target))
        case ast.FnDecl():
            _method(state, model, member)


def _declared(state: State, model: ModelName, node: ast.Let, target: ast.BindPattern) -> Typed:
    """The value of `let h: int = D / 2`, as what it is declared."""
    if node.type is None:
        return state.expr(node.value)
    wanted = _type_of_field(state, model, node.type)
    return coerce(state, state.expr(node.value, wanted), wanted, f"`{target.name}`", of=node.type.span)


def _type_of_field(state: State, model: ModelName, node: ast.TypeExpr) -> Type:
    """A type written in a field: its sizes are the parameters of the model."""
    known = model.signature.own_sizes.get
    return Annotations(state.problems, state.scope, open_dims=False, known=known, reported=model.unknown_names).type(node)


def _value(state: State, model: ModelName, target: ast.BindPattern, typed: Typed) -> None:
    """`let eps = 1e-5`; a model, and a list or tuple of models, is a part of this one."""
    kind, type_ = submodel_kind(typed.type), typed.type
    if kind is None and holds_models(state, type_):
        help = "give each model a field of its own, or put models alone into a list or tuple"
        state.error("TL0306", typed.span, f"the models inside {type_} would not be parts of this one", "models and other values", help)
    if kind is None and target.name in _assigned(model):
        type_ = widen(type_)
    _field(state, model, Member(target.name, kind or "value", type_, False, target.span), typed.operand)


def _assigned(model: ModelName) -> frozenset[str]:
    """The names that the methods write."""
    bodies = [m.body for m in model.declaration.members if isinstance(m, ast.FnDecl) and m.body is not None]
    lets = [m.target.name for m in model.declaration.members if isinstance(m, ast.Let) and isinstance(m.target, ast.BindPattern)]
    return mutated_names(bodies, lets)


def _field(state: State, model: ModelName, member: Member, value: Operand) -> None:
    if _taken(state, model, member.name, member.span):
        return
    model.fields[member.name] = member
    model.scope.names[member.name] = MemberName(member)
    assert state.frame.receiver is not None
    if not is_unknown(member.type):
        state.ops.append(Op("new_member", (state.frame.receiver, value), (), {"name": member.name}, (), member.span))


def _taken(state: State, model: ModelName, name: str, span: Span) -> bool:
    if name in MODULE_NAMES or name in PRIVATE_NAMES or (name.startswith("__") and name.endswith("__")):
        state.error("TL0203", span, f"`{name}` is a name of every PyTorch module", "defined already", "choose another name")
        return True
    if name in model.fields or name in model.methods:
        state.error("TL0203", span, f"`{model.declaration.name}` has `{name}` already", "defined again")
        return True
    return False


def _tensor(state: State, model: ModelName, node: ast.TensorDecl) -> None:
    type_ = _type_of_field(state, model, node.type)
    kind = "param" if node.kind == "param" or node.learnable else "buffer"
    if kind == "param" and isinstance(type_, Tensor) and not isinstance(type_.dtype, DTypeVar) and not is_float(type_.dtype):
        help = "a tensor of integers that is saved with the model is a `buffer`"
        state.error("TL0305", node.type.span, f"a parameter is learned, and {type_} has no gradient", "a float type is expected", help)
    if not isinstance(type_, Tensor | Unknown):
        help = "for several give it one axis more, or make a model of it: `parts: [Part(D); 3]`"
        state.error("TL0306", node.type.span, f"a `{kind}` is one tensor, found {type_}", "a tensor type is expected", help)
        type_ = Unknown()
    value = state.unknown(node.span)
    if isinstance(type_, Tensor):
        found = initial_value(state, node, type_)
        value = coerce(state, found, type_, f"`{node.name}`", of=node.type.span)
    _field(state, model, Member(node.name, kind, type_, node.learnable, node.name_span), value.operand)


def _submodel(state: State, member: ast.SubmodelField) -> Typed:
    if member.count is None:
        return _expect_model(state, member, state.expr(member.value))
    count = coerce(state, state.expr(member.count, Int()), Int(), "the number of submodels")
    with state.block() as ops:
        made = _expect_model(state, member, state.expr(member.value))
    if is_unknown(made.type) or is_unknown(count.type):
        return state.unknown(member.span)
    value = Value("", List(made.type))
    state.ops.append(Op("repeat", (count.operand,), (value,), {}, (Region((), tuple(ops), (made.operand,)),), member.span))
    return Typed(value, value.type, member.span)


def _expect_model(state: State, member: ast.SubmodelField, made: Typed) -> Typed:
    if is_unknown(made.type) or submodel_kind(made.type) is not None:
        return made
    return state.error("TL0306", member.value.span, f"a submodel is expected here, found {made.type}", "no model")


# --- the methods -----------------------------------------------------------------------------------------------------


def _method(state: State, model: ModelName, node: ast.FnDecl) -> None:
    if node.name != "forward" and _taken(state, model, node.name, node.name_span):
        return
    if node.name in model.methods:
        state.error("TL0203", node.name_span, f"`{model.declaration.name}` has `{node.name}` already", "defined again")
        return
    for param in node.params:
        if isinstance(model.fields.get(param.name), Member) and param.name in model.signature.own_sizes:
            state.error("TL0203", param.name_span, f"`{param.name}` is a parameter of the model already", "defined again")
    outer, state.scope = state.scope, model.scope
    method = read_head(state, node, f"{model.unique}_{node.name}", model=model)
    state.scope = outer
    model.methods[node.name] = method
    model.scope.names[node.name] = method


def check_methods(state: State, model: ModelName) -> list[Function]:
    found = (check_body(state, method, model.unique) for method in model.methods.values())
    return [function for function in found if function is not None]
