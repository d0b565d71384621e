"""The sizes that layers make of arguments that are no plain ints: flags, lists of factors, a stride that may be left out."""

from collections.abc import Callable, Mapping
from math import prod

from tensorlogic.record import record
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import BadArgument, WhereNotMet
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes_base import ONE, argument, omitted
from tensorlogic.types.types import Type

Factors = tuple[Dim, ...]
Found = Mapping[str, Dim | None]


@record
class Sizes:
    """`names` are the sizes that methods may be written in; `of` works them out of the types of the arguments, None where one is not
    known, and says through the obligations what cannot be."""

    names: tuple[str, ...]
    of: Callable[[Mapping[str, Type], Obligations], Found]


def _factors(types: Mapping[str, Type], name: str) -> Factors | None:
    """A list of known length with known sizes."""
    found = argument(types[name])
    return found if isinstance(found, tuple) and all(isinstance(item, Dim) for item in found) else None


def _product(factors: Factors | None) -> Dim | None:
    return prod(factors, start=ONE) if factors else None


def _at_least_one(need: Obligations, what: str, factors: Factors) -> bool:
    low = next((f for f in factors if f.value is not None and f.value < 1), None)
    if low is not None:
        need.fail(BadArgument("TL0310", f"{what} are at least 1, found {low}"))
    return low is None


# --- pooling and recurrence ------------------------------------------------------------------------------------------


def _pool(types: Mapping[str, Type], need: Obligations) -> Found:
    given = argument(types["stride"])
    stride = argument(types["kernel_size"]) if omitted(given) else given
    if isinstance(stride, Dim) and not omitted(given):
        goal = Rel(">=", stride, ONE)
        need.require(goal, lambda witness: WhereNotMet("pooling", goal, witness, "stride >= 1"))
    return {"stride": stride if isinstance(stride, Dim) else None}


def _adaptive(types: Mapping[str, Type], need: Obligations) -> Found:
    found = argument(types["output_size"])
    pair = (found, found) if isinstance(found, Dim) else found
    if pair is None:
        return {"height": None, "width": None}
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(item is None or isinstance(item, Dim) for item in pair):
        need.fail(BadArgument("TL0306", "`output_size` is an int or a list of 2 ints"))
        return {"height": None, "width": None}
    _at_least_one(need, "the sizes", tuple(item for item in pair if item is not None))
    return dict(zip(("height", "width"), pair, strict=True))


def _recurrent(types: Mapping[str, Type], need: Obligations) -> Found:
    both = argument(types["bidirectional"])
    kind = argument(types["nonlinearity"]) if "nonlinearity" in types else None
    if kind not in (None, "tanh", "relu"):
        need.fail(BadArgument("TL0306", f'there is no nonlinearity "{kind}" here', 'one of "tanh", "relu"'))
    return {"directions": Dim.const(2 if both else 1) if isinstance(both, bool) else None}


# --- tensor networks -------------------------------------------------------------------------------------------------


def _train(types: Mapping[str, Type], need: Obligations) -> Found:
    found = _cut(types, need)
    inputs, outputs, ranks = (_factors(types, name) for name in ("inputs", "outputs", "ranks"))
    if "init" in types and argument(types["init"]) not in (None, "uniform", "orthogonal"):
        need.fail(BadArgument("TL0306", f'there is no initialization "{argument(types["init"])}"', 'one of "uniform", "orthogonal"'))
    if inputs and outputs and ranks is not None and not need.mistakes:
        bonds = (ONE, *ranks, ONE)
        for k, rank in enumerate(ranks, 1):
            for most in (bonds[k - 1] * inputs[k - 1] * outputs[k - 1], inputs[k] * outputs[k] * bonds[k + 1]):
                _fits(need, f"rank {k} of a train", rank, most)
    return found


def _cut(types: Mapping[str, Type], need: Obligations) -> Found:
    """A train whose ranks are cut to what the sizes allow."""
    inputs, outputs, ranks = (_factors(types, name) for name in ("inputs", "outputs", "ranks"))
    if inputs is not None and outputs is not None and ranks is not None:
        _check_train(need, inputs, outputs, ranks)
    return {"I": _product(inputs), "O": _product(outputs)}


def _check_train(need: Obligations, inputs: Factors, outputs: Factors, ranks: Factors) -> None:
    d = len(inputs)
    if not inputs or len(outputs) != d or len(ranks) != d - 1:
        title = f"a train of {d} input factors has as many output factors and {max(d - 1, 0)} ranks, found {len(outputs)} and {len(ranks)}"
        need.fail(BadArgument("TL0304", title))
    else:
        _at_least_one(need, "factors and ranks", (*inputs, *outputs, *ranks))


def _tucker(types: Mapping[str, Type], need: Obligations) -> Found:
    inputs, outputs = _factors(types, "inputs"), _factors(types, "outputs")
    for factors, name in ((inputs, "input_ranks"), (outputs, "output_ranks")):
        ranks = _factors(types, name)
        if factors is not None and ranks is not None:
            _check_ranks(need, name, factors, ranks)
    return {"I": _product(inputs), "O": _product(outputs)}


def _check_ranks(need: Obligations, name: str, factors: Factors, ranks: Factors) -> None:
    if not factors or len(ranks) != len(factors):
        need.fail(BadArgument("TL0304", f"`{name}` has one rank for each factor: {len(factors)}, found {len(ranks)}"))
    elif _at_least_one(need, "factors and ranks", (*factors, *ranks)):
        for rank, factor in zip(ranks, factors, strict=True):
            _fits(need, f"an item of `{name}`", rank, factor)


def _fits(need: Obligations, what: str, rank: Dim, most: Dim) -> None:
    """A rank that the sizes beside it have room for."""
    goal = Rel("<=", rank, most)
    need.require(goal, lambda witness: WhereNotMet(what, goal, witness, f"{rank} <= {most}"))


pool = Sizes(("stride",), _pool)
adaptive = Sizes(("height", "width"), _adaptive)
recurrent = Sizes(("directions",), _recurrent)
train = Sizes(("I", "O"), _train)
cut = Sizes(("I", "O"), _cut)
tucker = Sizes(("I", "O"), _tucker)
