"""One call tried on its signatures: the overload that fits, the operands it takes, and calls of builtins."""

from collections.abc import Mapping
from dataclasses import replace

from tensorlogic.checker.advice import argument_advice, items_of
from tensorlogic.checker.arguments import argument_label, arguments_of
from tensorlogic.checker.closures import apply_callable, function_value
from tensorlogic.checker.coerce import coerce, literal_shape, to_tensor
from tensorlogic.checker.guards import add_guards
from tensorlogic.checker.infer import InferCall
from tensorlogic.checker.matching import Argument, Attempt, Matcher, explain_failure
from tensorlogic.checker.members import operand_label
from tensorlogic.checker.mixing import mixed
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.checker.slips import better_refusal, unknown_parameter
from tensorlogic.checker.state import State, Typed
from tensorlogic.checker.weights import dtype_value, load_dtype, loaded_model
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.ir.ir import Const, Omitted, Operand
from tensorlogic.source import Span
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import DTypeKind, DTypeMismatch, RankMismatch, SizeMismatch, WhereNotMet, WrongType
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import (
    AnyTensor,
    DTypeValue,
    Float,
    Fn,
    Int,
    Tensor,
    Type,
    Void,
    is_unknown,
)  # fmt: skip
from tensorlogic.types.unify import substitute

READERS = (
    "load_model",
    "load",
    "load_adapter",
    "read_text",
    "read_csv",
    "read_column",
    "read_jsonl",
    "read_json",
    "load_tokenizer",
)  # what they read lies beside the file that names it; what is written goes to the working folder


def attempt_of(
    state: State, signature: Signature, index: int, arguments: list[Argument], span: Span, sizes: Mapping[str, Dim] | None = None
) -> tuple[Attempt, Matcher]:
    attempt = Attempt(signature, index, state.need())
    attempt.bound.dims.update(sizes or {})
    matcher = Matcher(state, attempt, lambda typed, params: apply_callable(state, typed, params))
    matcher.run(arguments, span)
    return attempt, matcher


def failed(state: State, attempt: Attempt, arguments: list[Argument], span: Span, owner: Label | None = None) -> Typed:
    """The message for a call that does not fit. `owner` says whose sizes the signature has: "`head` is Linear(16, 10)"."""
    if not any(is_unknown(a.typed.type) for a in arguments) or attempt.refused is not None:
        told = explain_failure(attempt, arguments, span, lambda a: argument_label(state, a))
        better = _refused(attempt, arguments, told) if attempt.refused is not None else _advised(state, attempt, arguments, told, owner)
        state.report(better)
    return state.unknown(span)


def _refused(attempt: Attempt, arguments: list[Argument], told: Diagnostic) -> Diagnostic:
    """The message for a wrong number or wrong names of arguments."""
    if attempt.signature.span is not None:
        return told
    nodes, types = [a.node for a in arguments], [a.typed.type for a in arguments]
    return better_refusal(told, attempt.signature.name, [a.name for a in arguments], nodes, types)


def _advised(state: State, attempt: Attempt, arguments: list[Argument], told: Diagnostic, owner: Label | None) -> Diagnostic:
    """The message with the places of all tensors that take part, and with the fix that their shapes suggest."""
    mistake, argument = attempt.at[0]
    others = [(a.node, a.typed.type) for a in arguments]
    advice = argument_advice(
        attempt.signature.name, argument.typed if argument else None, argument.node if argument else None, others, mistake
    )
    labels = [label for label in told.labels if attempt.signature.span is not None or label.text != "required here"]
    if argument is not None and isinstance(mistake, DTypeMismatch | DTypeKind) and isinstance(argument.node, ast.Name):
        labels.insert(0, argument_label(state, argument))
    if isinstance(mistake, SizeMismatch | RankMismatch | DTypeMismatch):
        labels += [operand_label(state, *item) for a in arguments for item in items_of(a.node, a.typed)]
    if isinstance(mistake, WhereNotMet):
        labels += [argument_label(state, a) for a in arguments if isinstance(a.typed.type, Tensor)]
    labels += [owner] if owner is not None else []
    return replace(told, labels=tuple(dict.fromkeys(label for label in labels if label.span != told.span)), help=advice or told.help)


def operands_of(state: State, attempt: Attempt, own: bool) -> tuple[Operand, ...] | None:
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


def call_builtin(state: State, node: ast.Call, name: str, first: Argument | None) -> Typed:
    signatures = builtin_signatures(name)
    arguments = arguments_of(state, node, signatures, first)
    return apply_builtin(state, name, arguments, node.span)


def apply_builtin(state: State, name: str, arguments: list[Argument], span: Span) -> Typed:
    """The first overload that fits, or the message of the one that came closest."""
    signatures = builtin_signatures(name)
    if any(is_unknown(a.typed.type) for a in arguments):
        _report_names(state, name, signatures, arguments)
        return state.unknown(span)
    if (found := registry.lookup(name)) is not None and found.mixes:
        arguments = mixed(state, signatures, arguments)
    if found is not None and found.effect == "mutation":
        arguments = [arguments[0], *(replace(argument, typed=state.own(argument.typed)) for argument in arguments[1:])]
    attempts: list[Attempt] = []
    stretched: tuple[Attempt, Type] | None = None
    for index, signature in enumerate(signatures):
        attempt, matcher = attempt_of(state, signature, index, arguments, span)
        result = None if attempt.failed else _infer(state, name, matcher, span)
        if not attempt.failed and result is not None:
            if not attempt.stretched:
                return _emit_builtin(state, name, attempt, result, span)
            stretched = stretched or (attempt, result)
            continue
        attempts.append(attempt)
        if attempt.refused is None and attempt.closeness == 3:
            break  # its types fit, only the sizes do not: no other overload is meant
    if stretched is not None:
        return _emit_builtin(state, name, *stretched, span)
    best = max(attempts, key=lambda a: _nearness(a, arguments))
    return failed(state, best, arguments, span)


def _nearness(attempt: Attempt, arguments: list[Argument]) -> tuple[int, int, bool]:
    """How near an overload came: what kind of thing was wrong in the end, and how many arguments fitted before that."""
    if not attempt.at:
        return attempt.closeness, -1, False
    mistake, wrong = attempt.at[0]
    reached = next((i for i, argument in enumerate(arguments) if argument is wrong), len(arguments))
    return 3 if wrong is None else attempt.closeness, reached, not isinstance(mistake, WrongType)


def _report_names(state: State, name: str, signatures: tuple[Signature, ...], arguments: list[Argument]) -> None:
    """An argument is wrong already; a name that no overload has is a mistake of its own."""
    for argument in arguments:
        if argument.name and not any(argument.name == p.name for s in signatures for p in s.params):
            help = unknown_parameter(argument.name, signatures)
            state.error("TL0202", argument.node.span, f"`{name}` has no parameter `{argument.name}`", help=help)


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
            lambda path, dtype: loaded_model(state, getattr(path, "value", None), dtype_value(dtype) or load_dtype(state), span),
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
    operands = operands_of(state, attempt, False)
    if operands is None or is_unknown(result):
        return state.unknown(span)
    if isinstance(result, Void):
        state.add("builtin", operands, span, name=name, index=attempt.index)
        return Typed(Const(None, Void()), Void(), span)
    if name == "load_model" and isinstance(operands[-1], Omitted) and (dtype := load_dtype(state)):
        operands = (*operands[:-1], Const(dtype, DTypeValue(dtype)))
    place = {"folder": state.folder_of_file()} if name in READERS else {}
    return state.emit("builtin", operands, result, span, name=name, index=attempt.index, **place)
