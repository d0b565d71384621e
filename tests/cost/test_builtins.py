"""The costs that builtins declare, against PyTorch: operations, the bytes of results, what autograd keeps. For every builtin that can be
drawn."""

import os
from collections import Counter
from functools import cache

import pytest
import torch
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from tensorlogic.checker.check import check_program
from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.cost.activation import Activation
from tensorlogic.cost.describe import new_program
from tensorlogic.cost.formula import bytes_of
from tensorlogic.cost.values import Array, Storage, arrays
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.ir.ir import Module, Region
from tensorlogic.source import Source
from tensorlogic.stdlib.registry import lookup, names
from tensorlogic.types.types import Tensor, Tuple
from tensorlogic.types.unify import Bindings
from tests.cost.measured import storage_of
from tests.properties.builtins_figures import compare, overloads
from tests.properties.builtins_trial import Checked, check
from tests.properties.calls import Call, NotDrawn
from tests.reference import Cells, Reference

CALLS = 60 if os.environ.get("TLC_FULL") else 5
LEARNING = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
pytestmark = pytest.mark.filterwarnings("ignore")

# Products that PyTorch's counter leaves out: of vectors, of integers, of three tensors at once.
UNCOUNTED = {"dot", "mv", "bilinear", "matmul", "linear", "mm", "bmm", "addmm", "baddbmm", "einsum", "attention", "apply", "embed"}
UNTOLD = {"tucker"}  # which says so
# What these keep is about right: on the CPU they are made of several operations, or keep other things than on a GPU.
ABOUT = {
    "apply": "of several products, with the relation in another dtype",
    "attention": "in parts on the CPU wherever there is a mask, dropout or another size of values",
    "cosine_similarity": "of several operations",
    "cross_entropy": "of probabilities it keeps less without smoothing",
    "det": "pivots beside the factors", "logdet": "pivots beside the factors", "slogdet": "pivots beside the factors",
    "solve": "pivots beside the factors", "matrix_power": "the powers on the way",
    "dropout": "a byte for each element, as on a GPU; the CPU keeps floats",
    "adaptive_avg_pool1d": "of one window it is a mean", "adaptive_avg_pool2d": "of one window it is a mean",
    "embed": "of several products, with the relation in another dtype",
    "group_norm": "means and deviations", "instance_norm": "of repeated weights", "layer_norm": "means and deviations",
    "batch_norm": "means and deviations", "rms_norm": "means, or in parts for some dtypes", "normalize": "the norms",
    "gumbel_softmax": "the noise, where it is hard", "interpolate": "of areas it is a pooling", "kl_div": "the logarithm of the target",
    "logsigmoid": "a buffer of the CPU", "pairwise_distance": "of several operations", "quantile": "of several operations",
    "poisson_nll_loss": "of several operations", "triplet_margin_loss": "of several operations", "soft_margin_loss": "a number as target",
    "pow": "the result where the power is a tensor", "scatter_reduce": "of a mean the counts", "index_fill": "a place as a tensor",
    "take_along_dim": "places that are broadcast", "svdvals": "the vectors too", "eigvalsh": "the vectors too",
    "tt_svd": "made of many", "tucker": "made of many", "tucker_reconstruct": "copies in another order",
    "rope": "sines and cosines", "matrix_exp": "made of many", "lstsq": "made of many", "pinverse": "made of many",
    "diff": "views", "sinc": "made of several", "cdist": "with other norms", "where": "dtypes", "lerp": "dtypes",
}  # fmt: skip


@cache
def empty() -> Module:
    module = check_program(Source("<nothing>", ""), Problems())
    assert module is not None
    return module


@cache
def accepted(name: str) -> tuple[tuple[Call, Checked], ...]:
    """Calls that the checker and PyTorch both accept."""
    found = []
    for index in range(len(builtin_signatures(name))):
        for seed in range(CALLS if (name, index) in set(overloads()) else 0):
            try:
                call, outcome = compare(name, index, seed)
            except (NotDrawn, AttributeError):  # what is drawn has not the form that the builtin takes
                break
            checked = check(name, call)
            if checked.type is not None and outcome.kind == "accepted":
                found.append((call, checked))
    return tuple(found)


def followed(checked: Checked, learn: bool = False) -> Activation:
    """The call as `tlc cost` sees it."""
    act = Activation(new_program(empty()), Bindings())
    for value in checked.cells:
        assert isinstance(value.type, Tensor)
        grad = learn and getattr(torch, str(value.type.dtype)) in LEARNING
        act.memory.bind(value, Array(value.type, Storage(value.type, None, True), None, grad))
    act.program.follow(act, Region((), checked.ops, checked.ops[-1].results[:1]))
    return act


def run(name: str, checked: Checked, learn: bool = False) -> tuple[dict, Cells]:
    """The call in PyTorch, with tensors that learn."""
    device = "narrow" if name.startswith("conv") else "cpu"
    real = {value: sample.real(device) for value, sample in checked.cells.items()}
    if learn:
        real = {value: tensor.requires_grad_() * 1 if tensor.dtype in LEARNING else tensor for value, tensor in real.items()}
    cells = Cells()
    cells.update(real)
    Reference(empty()).region(Region((), checked.ops), cells)
    return real, cells


NAMES = sorted({name for name, _ in overloads()})


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_what_pytorch_counts(name: str) -> None:
    for _, checked in accepted(name):
        if name == "masked_select":  # which PyTorch's counter cannot follow
            continue
        with FlopCounterMode(display=False) as counter:
            try:
                run(name, checked)
            except (RuntimeError, NotImplementedError):
                continue
        told, counted = followed(checked).tally.totals.products.value, counter.get_total_flops()
        assert told == counted or name in UNTOLD or (name in UNCOUNTED and counted == 0), f"{checked.type}: {told}, PyTorch {counted}"


@pytest.mark.parametrize("name", NAMES)
def test_results_take_the_bytes_that_are_said(name: str) -> None:
    for _, checked in accepted(name):
        try:
            _, cells = run(name, checked)
        except (RuntimeError, NotImplementedError):
            continue
        result = checked.ops[-1].results[0]
        made = cells.find(result)
        tensors = [leaf for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor)]
        told = [bytes_of(array.type).value for array in arrays(followed(checked).memory.things[result])]
        if told and None not in told and isinstance(result.type, Tensor | Tuple):
            assert told == [t.numel() * t.element_size() for t in tensors]


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(ABOUT)))
def test_autograd_keeps_what_is_said(name: str) -> None:
    """The same arguments and results, and within a third as many bytes besides."""
    for _, checked in accepted(name):
        converted = any(op.code == "builtin" for op in checked.ops[:-1])
        if not converted and all(all(sample.sizes) for sample in checked.cells.values()) and (kept := kept_by(name, checked)):
            assert told_of(checked) == (kept[0], pytest.approx(kept[1], rel=0.34, abs=40))


def kept_by(name: str, checked: Checked) -> tuple[set, int] | None:
    """What PyTorch keeps: which arguments and results, and the bytes of what else there is; None where nothing learns."""
    saved: list[torch.Tensor] = []
    try:
        with torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(t), t)[1], lambda t: t):
            real, cells = run(name, checked, learn=True)
    except (RuntimeError, NotImplementedError):
        return None
    results = [leaf for leaf in tree_leaves(cells.find(checked.ops[-1].results[0])) if isinstance(leaf, torch.Tensor)]
    if not any(tensor.requires_grad for tensor in results):
        return None
    places: dict[int, object] = {storage_of(tensor): f"result {at}" for at, tensor in enumerate(results)}
    places |= {storage_of(tensor): at for at, tensor in enumerate(real.values())}
    others = {storage_of(tensor): tensor.untyped_storage().nbytes() for tensor in saved if storage_of(tensor) not in places}
    return {places[storage_of(tensor)] for tensor in saved if storage_of(tensor) in places}, sum(others.values())


def told_of(checked: Checked) -> tuple[set, int]:
    """Which arguments and results are kept, and the bytes of what else is."""
    act = followed(checked, learn=True)
    results = list(arrays(act.memory.things[checked.ops[-1].results[0]]))
    places = {array.storage: f"result {at}" for at, array in enumerate(results)}
    places |= {next(arrays(act.memory.things[value])).storage: at for at, value in enumerate(checked.cells)}
    own = sum(storage.bytes.value or 0 for storage in act.saved if not storage.fixed)
    return {places[storage] for storage in act.saved}, (act.tally.kept.value or 0) - own


def test_every_builtin_is_followed() -> None:
    """Most are drawn; each of the others that works on tensors says what it costs with a rule of its own."""
    kinds = Counter(cost.memory for name in names() for cost in lookup(name).costs)  # type: ignore[union-attr]
    assert len(NAMES) > 250 and all(kinds[kind] for kind in ("all", "copy", "new", "none"))


def test_lists_of_exceptions_are_not_longer_than_needed() -> None:
    assert set(ABOUT) <= set(NAMES) and len(ABOUT) < len(NAMES) / 5
