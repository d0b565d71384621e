"""Functions: their heads first, so that they may call each other in any order, then their bodies."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from tensorlogic.checker.annotations import Annotations, unmet
from tensorlogic.checker.blocks import block_value, leaves
from tensorlogic.checker.changes import changes_fields, written_fields
from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.constants import constant_value
from tensorlogic.checker.instances import model_of
from tensorlogic.checker.lengths import resized_names
from tensorlogic.checker.scope import FunctionName, ModelName, Scope, Variable
from tensorlogic.checker.signatures import signature_of
from tensorlogic.checker.state import NO_BOUND, Frame, State
from tensorlogic.checker.statements import return_value
from tensorlogic.ir.ir import Const, DimBinding, Function, GlobalRef, Omitted, Operand, Region, Value
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal, Rel, goal_symbols
from tensorlogic.types.prove import Proved, Refuted, prove
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Int, List, ModelOf, Segment, Struct, Tensor, Tuple, Type, Void, is_unknown, widen


def read_head(
    state: State,
    node: ast.FnDecl,
    unique: str,
    self_type: Struct | None = None,
    type_vars: dict | None = None,
    model: ModelName | None = None,
) -> FunctionName:
    """The signature of a function; divisions in it that may not be exact are reported at the type. `model` is that of a method."""
    outer = model.signature if model else None
    sizes = outer.own_sizes if outer else {}
    reader = Annotations(state.problems, state.scope, known=sizes.get)
    reader.type_vars.update(type_vars or {})
    told = model.unknown_names if model else set()
    _repeated_parameters(state, node)
    signature = _with_constant_defaults(state, signature_of(node, reader, self_type))
    refuted = _inexact_divisions(state, reader, signature, outer)
    unbound = _unbound_results(state, node, signature, {*sizes, *told})
    told |= unbound
    return FunctionName(unique, signature, node, state.scope, state.folder, refuted, _positive(signature), model, frozenset(told))


def _positive(signature: Signature) -> tuple[str, ...]:
    """The sizes and int parameters of the types that are at least 1 as long as the `where` lets them."""
    facts, used = facts_of(signature), set().union(*(type_symbols(t) for t in (*(p.type for p in signature.params), signature.result)))
    limited = set().union(*(goal_symbols(r.goal) for r in signature.where))
    names = [name for name in signature.dims if name in used]
    return tuple(n for n in names if n not in limited or isinstance(prove(Rel(">=", Dim.sym(n), Dim.const(1)), facts), Proved))


def _with_constant_defaults(state: State, signature: Signature) -> Signature:
    """Defaults that are integers worked out from constants become literals: sizes may depend on them."""
    params = []
    for parameter in signature.params:
        default = parameter.default
        if isinstance(parameter.type, Int) and isinstance(default, ast.Node) and not isinstance(default, ast.IntLit):
            with suppress(OverflowError):
                value = constant_value(state, default, Int())
                default = ast.IntLit(default.span, value.value, "") if value is not None else default  # type: ignore[arg-type]
        params.append(replace(parameter, default=default))
    return replace(signature, params=tuple(params))


def _inexact_divisions(state: State, reader: Annotations, signature: Signature, outer: Signature | None) -> tuple[Goal, ...]:
    """The divisions that may leave a remainder, each reported once."""
    facts, refuted = facts_of(signature, outer), []
    for goal, span in reader.obligations:
        answer = prove(goal, facts)
        if isinstance(answer, Refuted) and goal not in refuted:
            state.report(unmet(goal, answer.witness, span))
            refuted.append(goal)
    return tuple(refuted)


def _repeated_parameters(state: State, node: ast.FnDecl) -> None:
    seen: set[str] = set()
    for param in node.params:
        if param.name in seen:
            state.error("TL0203", param.name_span, f"there are two parameters `{param.name}`")
        seen.add(param.name)


def _unbound_results(state: State, node: ast.FnDecl, signature: Signature, known: Iterable[str]) -> set[str]:
    """The sizes in the result that no parameter has, which the caller cannot know: a message for each."""
    if any(is_unknown(p.type) for p in signature.params):
        return set()  # reported already; that parameter may have the size
    bound: set[str] = {*known, *(p.name for p in signature.params)}
    for parameter in signature.params:
        bound |= type_symbols(parameter.type)
    unbound = {name for name in type_symbols(signature.result) - bound if "#" not in name}
    for name in sorted(unbound):
        if node.result is not None:
            help = f"write `?` for a size that is not known, or take `{name}: int` as a parameter"
            state.error("TL0201", node.result.span, f"the size `{name}` of the result stands in no parameter", help=help)
    return unbound


def type_symbols(type_: Type) -> set[str]:
    """The names of sizes and runs of sizes in a type."""
    found: set[str] = set()
    pending: list = [type_]
    while pending:
        item = pending.pop()
        match item:
            case Tensor(_, shape):
                pending.extend(shape)
            case Dim():
                found |= item.symbols()
            case Segment(name) if name:
                found.add(f"...{name}")
            case ModelOf(_, args):
                pending.extend(value for _, value in args)
        pending.extend(getattr(item, "items", None) or ())
        pending.extend(getattr(item, "params", ()))
        pending.extend(x for x in (getattr(item, "element", None), getattr(item, "result", None)) if x is not None)
    return found


def facts_of(signature: Signature, outer: Signature | None = None) -> Facts:
    """What the body of a function may rely on: its `where` and that of its model, and that sizes are at least 1."""
    facts = facts_of(outer) if outer else Facts.empty
    in_shapes = set().union(*(type_symbols(t) for t in (*(p.type for p in signature.params), signature.result)))
    in_where = set().union(*(goal_symbols(r.goal) for r in signature.where))
    for parameter in signature.params:
        if isinstance(parameter.type, Int) and parameter.name not in in_shapes | in_where | signature.sized:
            facts = facts.at_least(parameter.name, NO_BOUND)
    for requirement in signature.where:
        facts = facts.assume(requirement.goal, requirement.span)
    return facts


# --- bodies ----------------------------------------------------------------------------------------------------------


def check_body(state: State, function: FunctionName, method_of: str | None = None) -> Function | None:
    """The body of a function as operations; None after a mistake in its head."""
    node, signature = function.declaration, function.signature
    if node.body is None:
        return None
    result = signature.result
    facts = facts_of(signature, function.outer)
    for goal in function.refuted:
        facts = facts.assume(goal, node.span)  # reported at the head; the body is not to repeat it
    frame = Frame(node.name, result, facts, mutated_names(node.body.statements, (p.name for p in node.params)))
    frame.resized, frame.changes = resized_names(node.body.statements), changes_fields(node.body.statements)
    frame.dtype_vars = {v.name: v for v in signature.dtype_vars}
    frame.type_vars = {v.name: v for v in signature.type_vars}
    frame.segments = signature.segments
    frame.result_span = node.result.span if node.result else None
    frame.unknown_names |= function.model.unknown_names if function.model else function.unbound
    outer = state.scope, state.folder
    state.scope, state.folder = function.scope, function.folder
    with state.framed(frame), state.block("function", Scope(function.scope, "function")) as ops:
        own = _declare_receiver(state, function.model) if function.model else ()
        params = tuple(_declare_parameter(state, p.name, p.type, p.span or node.span) for p in signature.params)
        dims = (*own, *_declare_dims(state, signature, params))
        frame.entry = frozenset(v for v in (*params, *(d.value for d in dims)) if not v.mutable)
        _finish(state, node, result)
    state.scope, state.folder = outer
    defaults = tuple(default_of(state, p, s.type) for p, s in zip(node.params, signature.params, strict=True))
    body = Region((), (*frame.entry_guards, *ops))
    return Function(function.unique, params, defaults, dims, result, body, signature, node.span, node.doc, method_of, frame.receiver)


def _declare_receiver(state: State, model: ModelName) -> tuple[DimBinding, ...]:
    """The model that a method belongs to; its parameters are sizes that are read from it."""
    receiver = state.frame.receiver = Value("self", model.instance)
    state.frame.written = written_fields(model.declaration)
    found: list[DimBinding] = []
    for name, size in model.signature.own_sizes.items():
        value = Value(name, Int(size))
        state.frame.dim_values[name] = value
        state.scope.names[name] = Variable(value, value.type, model.declaration.name_span, size=True)
        found.append(DimBinding(value, receiver, None, field=name))
    return tuple(found)


def _declare_parameter(state: State, name: str, type_: Type, span: Span) -> Value:
    if isinstance(type_, Int):
        type_ = Int(Dim.sym(name))
    declared = widen(type_) if name in state.frame.mutated else type_
    value = Value(name, type_, name in state.frame.mutated)
    state.scope.names[name] = Variable(value, declared, span)
    if isinstance(type_, Int):
        state.frame.dim_values[name] = value
    state.trace(value, type_)
    return value


def _declare_dims(state: State, signature: Signature, params: tuple[Value, ...]) -> tuple[DimBinding, ...]:
    """Dimension variables are ints in the body, read off the shapes of the arguments."""
    found: list[DimBinding] = []
    for name in signature.dims:
        if any(p.name == name for p in params):
            continue
        binding = _of_model(state, name, params) or _binding(name, params)
        if binding is not None:
            found.append(binding)
            state.frame.dim_values[name] = binding.value
            state.scope.names[name] = Variable(binding.value, binding.value.type, signature.span, size=True)  # type: ignore[arg-type]
    return tuple(found)


def _of_model(state: State, name: str, params: tuple[Value, ...]) -> DimBinding | None:
    """Where a model among the arguments shows a size: as its own parameter, or, of a PyTorch layer, as a size of a tensor in it."""
    for param in params:
        if not isinstance(param.type, ModelOf):
            continue
        own = next((n for n, size in param.type.args if size == Dim.sym(name)), None)
        if own is None:
            continue
        value = Value(name, Int(Dim.sym(name)))
        model = model_of(state, param.type)
        for field in model.fields.values() if param.type.name not in state.models else ():
            axes = _axes(field.type) if isinstance(field.type, Tensor) else []
            if (axis := next((a for a, item in axes if item == Dim.sym(own)), None)) is not None:
                return DimBinding(value, param, axis, field=field.name)
        return DimBinding(value, param, None, field=own)
    return None


def _binding(name: str, params: tuple[Value, ...]) -> DimBinding | None:
    """The plainest place where the arguments show a size: the name itself, else `scale * name + offset`."""
    symbol, places = Dim.sym(name), []
    for param in params:
        for items, tensor in _tensors(param.type):
            places += [(param, items, axis, item) for axis, item in _axes(tensor) if name in item.symbols()]
    places.sort(key=lambda place: len(place[1]))  # what is no part of a list comes first: a list may be empty
    for param, items, axis, item in places:
        if item == symbol:
            return DimBinding(Value(name, Int(symbol)), param, axis, items=items)
    for param, items, axis, item in places:
        offset = item.substitute({name: Dim.const(0)}).value
        scale = (item - (offset or 0)).exact_div(symbol).value
        if offset is not None and scale and symbol * scale + offset == item:
            return DimBinding(Value(name, Int(symbol)), param, axis, scale, offset, items=items)
    return None


def _tensors(type_: Type) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """The tensors in a parameter, each with the items that lead to it: of a list its first."""
    match type_:
        case Tensor():
            yield (), type_
        case List(element):
            yield from (((0, *items), tensor) for items, tensor in _tensors(element))
        case Tuple(parts):
            for at, part in enumerate(parts):
                yield from (((at, *items), tensor) for items, tensor in _tensors(part))


def _axes(type_: Tensor) -> list[tuple[int, Dim]]:
    """The axes of a tensor that can be counted, from the left or, behind a `...`, from the right."""
    rank, seen, found = len(type_.shape), False, []
    for axis, item in enumerate(type_.shape):
        if isinstance(item, Dim):
            found.append((axis - rank if seen else axis, item))
        seen = seen or isinstance(item, Segment)
    return found


def _finish(state: State, node: ast.FnDecl, result: Type) -> None:
    """The statements; the value of the last expression is the result too."""
    assert node.body is not None
    if isinstance(result, Void):
        block_value(state, node.body, None)
        return
    value = block_value(state, node.body, result)
    if leaves(node.body):
        return
    if isinstance(value.type, Void):
        end = Span(node.span.source, node.body.span.end - 1, node.body.span.end)
        state.error(
            "TL0313", end, f"`{node.name}` can end without a result", f"{result} is expected", "end with `return`, or with the value"
        )
        return
    if not is_unknown(value.type):
        return_value(state, value, value.span)


def default_of(state: State, node: ast.Param, type_: Type) -> Operand:
    """The constant that a parameter is when it is left out."""
    if node.default is None:
        return Omitted()
    with state.block("block"):
        value = state.expr(node.default, type_)
        fitted = coerce(state, value, Int() if isinstance(type_, Int) else type_, f"the default of `{node.name}`")
    if isinstance(fitted.operand, Const | GlobalRef) or is_unknown(value.type):
        return fitted.operand
    state.error("TL0306", node.default.span, "a default is a constant", help="compute it in the body, or declare it `const`")
    return Omitted()


# --- names that change -----------------------------------------------------------------------------------------------

CHANGING_METHODS = ("push", "pop", "insert", "remove", "clear", "sort", "reverse", "extend")


def mutated_names(nodes: Iterable[ast.Node], declared: Iterable[str] = ()) -> frozenset[str]:
    """Names that get a second value, or are changed in place, anywhere below: nothing is assumed of their value.

    `declared` are names that have a value before, such as parameters.
    """
    first, found = set(declared), set()
    for node in ast.walk(*nodes):
        match node:
            case ast.Assign(target=ast.Name(name=name), op="=" | ":="):
                found |= {name} & first
                first.add(name)
            case ast.Assign(target=target):
                found |= _targets(target)
            case ast.BindPattern(name=name):
                first.add(name)
            case ast.Call(callee=ast.Member(base=base, name=name)) if name in CHANGING_METHODS:
                found |= _targets(base)
            case ast.Call(callee=ast.Name(name=name), args=(first_argument, *_)) if name in CHANGING_METHODS:
                found |= _targets(first_argument.value)
    return frozenset(found)


def _targets(target: ast.Node) -> set[str]:
    match target:
        case ast.Name(name=name):
            return {name}
        case ast.Index(base=base) | ast.Member(base=base):
            return _targets(base)
        case ast.TupleLit(items=items):
            return set().union(*(_targets(i) for i in items))
    return set()
