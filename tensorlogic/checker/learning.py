"""`learn` blocks: their statements, options and objective. Checked here; running them is still to come."""

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.messages import describe
from tensorlogic.checker.patterns import names_in
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.types import AnyTensor, Float, Int, Tensor, Unknown, is_unknown

OPTIONS = tuple(
    """objective optimizer schedule epochs steps params clip_grad_norm accumulate precision validate checkpoint log resume distributed
    tensor_parallel""".split()  # noqa: SIM905
)
COUNTS = ("epochs", "steps", "accumulate")


def check_learn(state: State, node: ast.Learn) -> None:
    state.later.append((node.span, "`learn` blocks"))
    with state.block():
        if node.target is not None:
            for name in names_in(node.target):
                state.declare(name, Unknown(), node.target.span)
        for statement in node.statements:
            state.statement(statement)
        given = _options(state, node)
        if "objective" in given:
            _objective(state, given["objective"].value)
        for name in COUNTS:
            if name in given:
                coerce(state, state.expr(given[name].value, Int()), Int(), f"`{name}`")
    _required(state, node, given)


def _options(state: State, node: ast.Learn) -> dict[str, ast.LearnOption]:
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


def _objective(state: State, node: ast.Expr) -> None:
    """A scalar: one number to make small."""
    value = state.expr(node)
    if is_unknown(value.type) or _is_scalar(value):
        return
    help = "reduce it with `mean(...)` or `sum(...)`"
    state.report(describe(WrongType("the objective", "a scalar tensor", value.type, help), value.span))


def _is_scalar(value: Typed) -> bool:
    match value.type:
        case Tensor(_, shape):
            return all(isinstance(d, Dim) and d.value == 1 for d in shape)
        case AnyTensor() | Float():
            return True
    return False
