"""What layers of several products cost, and the parameters that stand in no declaration because there are many of them."""

from collections.abc import Iterator
from math import prod

from tensorlogic.stdlib.costs import Call
from tensorlogic.types.dims import ONE, ZERO, Dim

Parameters = list[tuple[str, tuple[Dim, ...]]]  # name and shape


def _dims(call: Call, name: str) -> tuple[Dim, ...]:
    """A list of sizes; one that nobody knows is an unknown."""
    found = call.value(name)
    items = found if isinstance(found, tuple) else ()
    return tuple(item if isinstance(item, Dim) else Dim.const(item) if isinstance(item, int) else Dim.fresh(name) for item in items)


def _rows(call: Call) -> Dim:
    """How many rows go through: the runs and sizes in front of the last one."""
    return call.size("B")


# --- recurrence ------------------------------------------------------------------------------------------------------


def recurrent_parameters(gates: int, call: Call) -> Parameters:
    """Weights and biases of each layer and direction, by PyTorch's names."""
    layers, hidden = call.value("num_layers"), call.size("H")
    found: Parameters = []
    for number in range(layers if isinstance(layers, int) else 1):
        taken = call.size("I") if number == 0 else hidden * _directions(call)
        for end in ("", "_reverse")[: _directions(call)]:
            found += [(f"weight_ih_l{number}{end}", (hidden * gates, taken)), (f"weight_hh_l{number}{end}", (hidden * gates, hidden))]
            if call.value("bias") is not False:
                found += [(f"bias_ih_l{number}{end}", (hidden * gates,)), (f"bias_hh_l{number}{end}", (hidden * gates,))]
    return found


def _directions(call: Call) -> int:
    return 2 if call.value("bidirectional") is True else 1


def recurrent(gates: int):
    """Each step multiplies what comes in and the state by their weights."""

    def operations(call: Call) -> Dim:
        weights = (prod(shape, start=ONE) for _, shape in recurrent_parameters(gates, call) if len(shape) == 2)
        return call.size("B") * call.size("T") * 2 * sum(weights, start=ZERO)

    return operations


# --- attention and additions -----------------------------------------------------------------------------------------


def heads(call: Call) -> Dim:
    """Four projections, and two products for each pair of positions."""
    rows, width, length = call.size("B"), call.size("D"), call.size("T")
    other = call.size("S") if call.method == "cross" else length
    projected = width * width * 2 * (length * 2 + other * 2)
    return rows * (projected + length * other * width * 4)


def heads_inside(call: Call) -> Dim:
    """Queries, keys and values, and what the heads give, which the gradient needs. In bytes."""
    other = call.size("S") if call.method == "cross" else call.size("T")
    return call.size("B") * call.size("D") * (call.size("T") * 2 + other * 2) * call.size("item")


def lora_parameters(call: Call) -> Parameters:
    return [("lora.A", (call.size("rank"), call.size("I"))), ("lora.B", (call.size("O"), call.size("rank")))]


# --- tensor trains ---------------------------------------------------------------------------------------------------


def _train(call: Call) -> Iterator[tuple[Dim, Dim, Dim, Dim]]:
    """The sizes of the cores: rank before, input, output, rank behind."""
    bonds = (ONE, *_dims(call, "ranks"), ONE)
    return zip(bonds, _dims(call, "inputs"), _dims(call, "outputs"), bonds[1:], strict=False)


def train_parameters(call: Call) -> Parameters:
    return [(f"cores.{k}", core) for k, core in enumerate(_train(call))]


def train_steps(call: Call) -> list[Dim]:
    """The multiplications of a row with each core."""
    inputs, outputs = _dims(call, "inputs"), _dims(call, "outputs")
    cores = enumerate(_train(call))
    return [prod((*core, *outputs[:k], *inputs[k + 1 :]), start=ONE) for k, core in cores]


def train_whole(call: Call) -> Dim:
    """The multiplications that put the weight together from its cores."""
    total, done = ZERO, ONE
    for k, (before, n, m, behind) in enumerate(_train(call)):
        total = total + (done * before * n * m * behind if k else ZERO)
        done = done * n * m
    return total


def train(call: Call) -> Dim:
    return _rows_or_whole(call, train_steps(call), train_whole(call))


def train_inside(call: Call) -> Dim:
    """What stands between the cores, for each row; or the weight put together. In bytes."""
    if _whole(call, train_steps(call)):
        return call.size("I") * call.size("O") * call.size("item")
    inputs, outputs = _dims(call, "inputs"), _dims(call, "outputs")
    between = [prod((core[3], *outputs[: k + 1], *inputs[k + 1 :]), start=ONE) for k, core in enumerate(_train(call))][:-1]
    return sum(between, start=ZERO) * _rows(call) * call.size("item")


# --- Tucker's form ---------------------------------------------------------------------------------------------------


def tucker_parameters(call: Call) -> Parameters:
    ranks = (*_dims(call, "input_ranks"), *_dims(call, "output_ranks"))
    factors = [("core", ranks)]
    for name in ("input", "output"):
        pairs = zip(_dims(call, f"{name}s"), _dims(call, f"{name}_ranks"), strict=False)
        factors += [(f"{name}_factors.{k}", pair) for k, pair in enumerate(pairs)]
    return factors


def _tucker_shapes(call: Call) -> list[Dim]:
    """The elements of a row before the first factor, behind each factor, the core and each factor of the output."""
    inputs, outputs, first, last = (_dims(call, name) for name in ("inputs", "outputs", "input_ranks", "output_ranks"))
    falling = [prod((*first[:k], *inputs[k:]), start=ONE) for k in range(len(inputs) + 1)]
    return falling + [prod((*outputs[:k], *last[k:]), start=ONE) for k in range(len(outputs) + 1)]


def tucker_steps(call: Call) -> list[Dim]:
    """The multiplications of a row with each factor and the core."""
    inputs, outputs, first, last = (_dims(call, name) for name in ("inputs", "outputs", "input_ranks", "output_ranks"))
    steps = [prod((*first[: k + 1], *inputs[k:]), start=ONE) for k in range(len(inputs))]
    steps += [prod((*first, *last), start=ONE)]
    return steps + [prod((*outputs[: k + 1], *last[k:]), start=ONE) for k in range(len(outputs))]


def tucker_whole(call: Call) -> Dim:
    """The core becomes as large as the weight, one axis at a time."""
    sizes, ranks = (*_dims(call, "inputs"), *_dims(call, "outputs")), (*_dims(call, "input_ranks"), *_dims(call, "output_ranks"))
    steps = (prod((*sizes[: k + 1], *ranks[k:]), start=ONE) for k in range(len(sizes)))
    return sum(steps, start=ZERO)


def tucker(call: Call) -> Dim:
    return _rows_or_whole(call, tucker_steps(call), tucker_whole(call))


def tucker_inside(call: Call) -> Dim:
    if _whole(call, tucker_steps(call)):
        return call.size("I") * call.size("O") * call.size("item")
    return sum(_tucker_shapes(call)[1:-1], start=ZERO) * _rows(call) * call.size("item")


def _whole(call: Call, steps: list[Dim]) -> bool:
    """Whether the layer puts its weight together first: where that takes fewer multiplications of a row. Taken as not where nobody
    knows."""
    saved = (sum(steps, start=ZERO) - call.size("I") * call.size("O")).value
    return saved is not None and saved > 0


def _rows_or_whole(call: Call, steps: list[Dim], whole: Dim) -> Dim:
    if _whole(call, steps):
        return (_rows(call) * call.size("I") * call.size("O") + whole) * 2
    return _rows(call) * sum(steps, start=ZERO) * 2
