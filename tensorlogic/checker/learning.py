"""`learn` blocks: the statements of a step, the objective, and the options."""

from collections.abc import Callable
from dataclasses import replace

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.data import element_of
from tensorlogic.checker.equations.together import arranged
from tensorlogic.checker.messages import describe
from tensorlogic.checker.patterns import bind_parameter
from tensorlogic.checker.scope import Scope
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, GlobalRef, Omitted, Op, Operand, Region
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import WrongType
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
    String,
    Struct,
    Tensor,
    Type,
    Unknown,
    Void,
    is_unknown,
)  # fmt: skip

ENGINES = {"data_parallel": None, "fsdp": "fsdp"}  # of several processes
PRECISIONS = ("float32", "bfloat16", "float16")


def check_learn(state: State, node: ast.Learn) -> None:
    errors = len(state.problems.errors)
    batches = _batches(state, node)
    frame = replace(state.frame, result=None, top=False, loops=0)
    with state.framed(frame), state.block("lambda", Scope(state.scope, "lambda")) as ops:
        params = (bind_parameter(state, node.target, element_of(batches.type)),) if node.target is not None and batches is not None else ()
        for statement in arranged(state, node.statements):
            state.statement(statement)
        given = _given(state, node)
        objective = _objective(state, given["objective"].value) if "objective" in given else None
    options = {name: _option(state, option) for name, option in given.items() if name != "objective"}
    _required(state, node, given)
    _not_over_and_over(state, given, options)
    if "optimizer" not in given and len(state.problems.errors) == errors:
        state.error("TL0601", node.span, "`learn` needs an optimizer", help="for example `optimizer: adamw(lr: 1e-3)`")
    if objective is None or is_unknown(objective.type) or len(state.problems.errors) > errors or None in options.values():
        return
    region = Region(params, tuple(ops), (objective.operand,))
    operands: tuple[Operand, ...] = tuple(value.operand for value in options.values() if value is not None)
    first = batches.operand if batches is not None else Omitted()
    state.ops.append(Op("learn", (first, *operands), (), {"options": tuple(options)}, (region,), node.span))


def _batches(state: State, node: ast.Learn) -> Typed | None:
    """What `learn batch in ...` goes through."""
    if node.iterable is None:
        return None
    typed = state.expr(node.iterable)
    if is_unknown(typed.type) or (isinstance(typed.type, Library) and typed.type.name == "Dataset"):
        return typed
    help = "for example `learn batch in batches((x, y), size: 8)`"
    return state.error("TL0306", node.iterable.span, f"batches are expected here, found {typed.type}", "no batches", help)


def _given(state: State, node: ast.Learn) -> dict[str, ast.LearnOption]:
    given: dict[str, ast.LearnOption] = {}
    for option in node.options:
        if option.name not in OPTIONS:
            near = did_you_mean(option.name, OPTIONS)
            help = f"did you mean `{near}`?" if near else f"the options are {', '.join(OPTIONS)}"
            state.error("TL0601", option.name_span, f"`learn` has no option `{option.name}`", "unknown option", help)
        elif option.name in given:
            labels = (Label(given[option.name].name_span, "given here"),)
            state.error("TL0203", option.name_span, f"`{option.name}` is given twice", labels=labels)
        else:
            given[option.name] = option
    return given


def _required(state: State, node: ast.Learn, given: dict[str, ast.LearnOption]) -> None:
    if "objective" not in given:
        state.error("TL0601", node.span, "`learn` needs an objective", help="for example `objective: mse_loss(pred, y)`")
    elif not {"epochs", "steps"} & given.keys():
        state.error("TL0601", node.span, "`learn` needs `epochs` or `steps`", "when does it end?", "for example `epochs: 10`")
    if "resume" in given and "checkpoint" not in given and _from_newest(given["resume"].value):
        help = 'for example `checkpoint: every(100, "checkpoints/")`'
        state.error("TL0601", given["resume"].span, "`resume` needs `checkpoint`, which says where the checkpoints are", help=help)


def _not_over_and_over(state: State, given: dict[str, ast.LearnOption], options: dict[str, Typed | None]) -> None:
    """In a loop, the second training would go on from the last checkpoint of the first, and be done at once."""
    folder = options.get("checkpoint")
    if not state.frame.loops or folder is None or "resume" not in given or not _from_newest(given["resume"].value):
        return
    path = next((op.args[1] for op in reversed(state.ops) if op.results == (folder.operand,)), None)
    if isinstance(path, Const | GlobalRef):
        help = 'give each its own folder, for example `every(100, "checkpoints/" + str(i))`'
        state.error(
            "TL0601", given["checkpoint"].span, "every round of this loop would go on from the checkpoints of the one before", "", help
        )


def _from_newest(value: ast.Expr) -> bool:
    return (isinstance(value, ast.Name) and value.name == "auto") or (isinstance(value, ast.BoolLit) and value.value)


def _objective(state: State, node: ast.Expr) -> Typed:
    """A scalar: one number to make small."""
    value = state.expr(node)
    if is_unknown(value.type) or _is_scalar(value):
        return value
    help = "reduce it with `mean(...)` or `sum(...)`"
    state.report(describe(WrongType("the objective", "a scalar tensor", value.type, help), value.span))
    return state.unknown(node.span)


def _is_scalar(value: Typed) -> bool:
    match value.type:
        case Tensor(_, shape):
            return all(isinstance(d, Dim) and d.value == 1 for d in shape)
        case AnyTensor():
            return True
    return False


# --- options ---------------------------------------------------------------------------------------------------------


def _option(state: State, option: ast.LearnOption) -> Typed | None:
    """The value of an option; None after a message."""
    errors = len(state.problems.errors)
    value = OPTIONS[option.name](state, option)
    return value if len(state.problems.errors) == errors and not is_unknown(value.type) else None


def _number(type_: Int | Float) -> Callable[[State, ast.LearnOption], Typed]:
    def check(state: State, option: ast.LearnOption) -> Typed:
        value = coerce(state, state.expr(option.value, type_), type_, f"`{option.name}`")
        if isinstance(value.operand, Const) and isinstance(value.operand.value, int | float) and value.operand.value <= 0:
            return state.error("TL0601", option.value.span, f"`{option.name}` is above 0, found {value.operand.value}")
        return value

    return check


def _library(*names: str, example: str) -> Callable[[State, ast.LearnOption], Typed]:
    def check(state: State, option: ast.LearnOption) -> Typed:
        value = state.expr(option.value)
        if is_unknown(value.type) or (isinstance(value.type, Library) and value.type.name in names):
            return value
        return state.error(
            "TL0306", option.value.span, f"`{option.name}` is no {value.type}", "", f"for example `{option.name}: {example}`"
        )

    return check


def _validate(state: State, option: ast.LearnOption) -> Typed:
    """`every(5, || loss(m))`: what is called gives one number, or nothing."""
    value, action = _every(state, option, "every(100, || mean_loss(model, data))")
    match action:
        case None | Fn(_, Int() | Float() | Void() | AnyTensor() | Unknown()):
            return value
        case Fn(_, Tensor() as result) if _is_scalar(Typed(value.operand, result, value.span)):
            return value
    help = "give a number, such as a mean loss, or nothing"
    found = action.result if isinstance(action, Fn) else action
    return state.error("TL0306", option.value.span, f"what `validate` calls gives one number, found {found}", "", help)


def _checkpoint(state: State, option: ast.LearnOption) -> Typed:
    """`every(100, "checkpoints/")`: a folder."""
    value, action = _every(state, option, 'every(100, "checkpoints/")')
    if action is None or isinstance(action, String):
        return value
    help = 'write `every(100, "checkpoints/")`'
    return state.error("TL0306", option.value.span, f"`checkpoint` saves to a folder, found {action}", "", help)


def _every(state: State, option: ast.LearnOption, example: str) -> tuple[Typed, Type | None]:
    """An `every(...)`, and the type of its action where it stands right here."""
    value = _library("Every", example=example)(state, option)
    made = next((op for op in reversed(state.ops) if op.results == (value.operand,)), None)
    action = made.args[1] if made is not None and made.attrs.get("name") == "every" else None
    return value, getattr(action, "type", None)


def _precision(state: State, option: ast.LearnOption) -> Typed:
    value = state.expr(option.value)
    if is_unknown(value.type) or (isinstance(value.type, DTypeValue) and value.type.dtype in PRECISIONS):
        return value
    return state.error("TL0601", option.value.span, f"`precision` is one of {', '.join(PRECISIONS)}")


def _text(state: State, option: ast.LearnOption) -> Typed:
    return coerce(state, state.expr(option.value), String(), f"`{option.name}`")


def _resume(state: State, option: ast.LearnOption) -> Typed:
    """`auto` from the newest checkpoint where there is one, `true` the same, or the folder of one."""
    if isinstance(option.value, ast.Name) and option.value.name == "auto" and state.scope.find("auto") is None:
        return Typed(Const("auto", String()), String(), option.value.span)
    value = state.expr(option.value)
    if is_unknown(value.type) or isinstance(value.type, Bool | String):
        return value
    return state.error("TL0601", option.value.span, "`resume` is `auto`, true, false or the folder of a checkpoint")


def _params(state: State, option: ast.LearnOption) -> Typed:
    value = state.expr(option.value)
    if is_unknown(value.type) or _learns(value.type):
        return value
    help = "for example `params: model`"
    return state.error("TL0306", option.value.span, f"`params` are a model, an adapter or tensors, found {value.type}", "", help)


def _learns(type_: Type) -> bool:
    match type_:
        case ModelOf() | Tensor() | AnyTensor() | Struct():
            return True
        case Library(name):
            return name in ("Model", "Adapter")
        case List(element):
            return _learns(element)
    return False


def _distributed(state: State, option: ast.LearnOption) -> Typed:
    """`data_parallel`, which several processes do anyway, or `fsdp`."""
    node = option.value
    if isinstance(node, ast.Name) and node.name in ENGINES and state.scope.find(node.name) is None:
        return Typed(Const(ENGINES[node.name], String()), String(), node.span)
    return state.error("TL0601", node.span, f"`distributed` is {' or '.join(ENGINES)}")


def _yes_or_no(state: State, option: ast.LearnOption) -> Typed:
    return coerce(state, state.expr(option.value, Bool()), Bool(), f"`{option.name}`")


def _nothing(state: State, option: ast.LearnOption) -> Typed:
    raise AssertionError("the objective is no option of the loop")


OPTIONS: dict[str, Callable[[State, ast.LearnOption], Typed]] = {
    "objective": _nothing,
    "optimizer": _library("OptimizerRule", "Optimizer", example="adamw(lr: 1e-3)"),
    "schedule": _library("ScheduleRule", "Scheduler", example="warmup_cosine(warmup: 100)"),
    "epochs": _number(Int()),
    "steps": _number(Int()),
    "params": _params,
    "clip_grad_norm": _number(Float()),
    "accumulate": _number(Int()),
    "precision": _precision,
    "validate": _validate,
    "checkpoint": _checkpoint,
    "log": _text,
    "resume": _resume,
    "distributed": _distributed,
    "tensor_parallel": _yes_or_no,
}
