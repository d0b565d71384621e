"""Builtins of tensor-network layers: from dense layers, canonical form, ranks, what to watch."""

from tensorlogic.stdlib import layer_sizes
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.facts import Rel
from tensorlogic.types.mistakes import SizeMismatch, WrongType
from tensorlogic.types.types import ModelOf, Type


def _from_dense(name: str, sizes: layer_sizes.Sizes):
    """The type of a layer made of a dense one, whose sizes the factors must make."""

    def infer(call) -> Type | None:
        linear = call.types["linear"]
        if isinstance(linear, ModelOf) and linear.name != "Linear":
            call.need.fail(WrongType("`linear`", "Linear(?, ?)", linear))
            return None
        found = sizes.of(call.types, call.need)
        known = dict(linear.args) if isinstance(linear, ModelOf) else {}
        for size, words in (("I", "the input factors together"), ("O", "the output factors together")):
            _agree(call, words, found[size], known.get(size))
        return ModelOf(name, tuple((size, found[size] or known.get(size)) for size in ("I", "O")))

    return infer


def _agree(call, words: str, left: Dim | None, right: object) -> None:
    if isinstance(left, Dim) and isinstance(right, Dim):
        call.need.require(Rel("==", left, right), lambda witness: SizeMismatch(words, left, right, witness))


@builtin(
    "tt_linear_from(linear: Model, inputs: [int], outputs: [int], ranks: [int]) -> Model", infer=_from_dense("TTLinear", layer_sizes.cut)
)
def tt_linear_from(linear, inputs, outputs, ranks):
    """The TTLinear nearest to a dense linear layer, by repeated SVD. A rank above what the sizes allow is cut to that."""
    return runtime.tensor_networks.tt_linear_from(linear, inputs, outputs, ranks)


@builtin(
    "tucker_linear_from(linear: Model, inputs: [int], outputs: [int], input_ranks: [int], output_ranks: [int]) -> Model",
    infer=_from_dense("TuckerLinear", layer_sizes.tucker),
)
def tucker_linear_from(linear, inputs, outputs, input_ranks, output_ranks):
    """The TuckerLinear of a dense linear layer, by alternating least squares."""
    return runtime.tensor_networks.tucker_linear_from(linear, inputs, outputs, input_ranks, output_ranks)


@builtin("recondition(model: Model) -> void", effect="mutation")
def recondition(model):
    """Bring the trains of a model into left-canonical form, and its Tucker factors to orthonormal columns. The model computes the same."""
    return runtime.tensor_networks_training.recondition(model)


@builtin("set_tt_ranks(model: Model, ranks: [int]) -> void", effect="mutation")
def set_tt_ranks(model, ranks):
    """Give every train of a model these inner ranks. More keep what it computes, less take the nearest weights. The cores are new
    parameters: make the optimizer after this."""
    return runtime.tensor_networks_training.set_tt_ranks(model, ranks)


@builtin("adapt_ranks(model: Model, low: float, high: float, smallest: int = 1, largest: int = 64) -> int", effect="mutation")
def adapt_ranks(model, low, high, smallest=1, largest=64):
    """Raise or lower ranks by one where the gradients of the cores, relative to the cores, are above `high` or below `low`. How many
    ranks changed: where it is not 0, make the optimizer again."""
    return runtime.tensor_networks_training.adapt_ranks(model, low, high, smallest, largest)


@builtin("core_norms(model: Model) -> [float]")
def core_norms(model):
    """The norms of the cores and factors of all tensor-network layers, in order."""
    return runtime.tensor_networks_training.core_norms(model)


@builtin("tt_report(model: Model) -> string")
def tt_report(model):
    """One line for each tensor-network layer: ranks, norms, largest elements, and its size beside that of the dense weight."""
    return runtime.tensor_networks_training.tt_report(model)
