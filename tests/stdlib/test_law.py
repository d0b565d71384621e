"""The law of builtins: the type that a signature infers is the type that torch returns, for sizes drawn from the signature."""

import os

import pytest
import torch

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.stdlib import registry
from tensorlogic.types.mistakes import AccidentalBroadcast, AxisOutOfRange, NotDivisible, WhereNotMet
from tensorlogic.types.types import AnyTensor, List, Tensor, Tuple, Type, Void
from tests.stdlib.calls import draw, infer

DRAWS = 100 if os.environ.get("TLC_FULL") else 12
# what the language asks for and torch does not
STRICTER = (AccidentalBroadcast, NotDivisible, WhereNotMet)
STRICT_NAMES = {
    "scatter", "scatter_add", "take_along_dim", "gather", "rope", "attention", "cross_entropy", "solve", "index_add", "kthvalue", "reshape",
    "adaptive_avg_pool2d",
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of odd arguments, which are drawn on purpose
PURE = (None, "random")
NAMES = [n for n in registry.names() if (found := registry.lookup(n)) and found.infer is None and found.effect in PURE]


def shapes(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return str(value.dtype).removeprefix("torch."), tuple(value.shape)
    return tuple(map(shapes, value)) if isinstance(value, (tuple, list)) else type(value).__name__


def expected(type_: Type) -> object:
    if isinstance(type_, Tensor):
        return type_.dtype, tuple(dim.value for dim in type_.shape)
    return tuple(map(expected, type_.items)) if isinstance(type_, Tuple) else str(type_)


def agree(found: object, promised: object) -> bool:
    """A `?` agrees with every size."""
    if isinstance(found, tuple) and isinstance(promised, tuple):
        return len(found) == len(promised) and all(map(agree, found, promised))
    return promised is None or found == promised or (found, promised) == ("str", "string")


def check(name: str, index: int, seed: int) -> bool:
    """Whether the call is right for both; False where both refuse it or nothing could be drawn."""
    signature, body = builtin_signatures(name)[index], registry.lookup(name).bodies[index]  # type: ignore[union-attr]
    drawn = draw(signature, seed)
    if drawn is None:
        return False
    attempt, type_ = infer(signature, index, drawn)
    call = f"{signature.text} with {drawn.types}"
    try:
        found = shapes(body(**drawn.values))
    except (RuntimeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return False
    if isinstance(type_, Void | List):
        return True
    if attempt.failed:
        mistake = attempt.at[0][0] if attempt.at else attempt.refused
        scalar = isinstance(mistake, AxisOutOfRange) and mistake.shape == () or drawn.rank == 0  # which torch gives an axis
        assert scalar or isinstance(mistake, STRICTER) or name in STRICT_NAMES, f"{call}: {mistake}, but torch gives {found}"
        return False
    assert type_ is not None and (isinstance(type_, AnyTensor) or agree(found, expected(type_))), f"{call}: {type_} but {found}"
    return not isinstance(type_, AnyTensor)


@pytest.mark.parametrize("name", NAMES)
def test_inferred_type_is_what_torch_returns(name: str) -> None:
    for index in range(len(builtin_signatures(name))):
        for seed in range(DRAWS):
            check(name, index, seed)


def test_most_signatures_are_really_compared() -> None:
    compared = [any(check(name, 0, seed) for seed in range(DRAWS)) for name in NAMES]
    assert sum(compared) >= 0.8 * len(compared), [n for n, ok in zip(NAMES, compared, strict=True) if not ok]
