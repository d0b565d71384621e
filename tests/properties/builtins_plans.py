"""What makes a drawn call of a certain builtin right more often than by accident: sizes that belong together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from random import Random

Sizes = tuple[int, ...]


@dataclass
class Plan:
    """Sizes, runs of sizes and arguments that are settled before the rest is drawn."""

    random: Random
    dims: dict[str, int] = field(default_factory=dict)
    segments: dict[str, Sizes] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)

    def pick(self, *items):
        return self.random.choice(items)

    def size(self) -> int:
        return self.pick(1, 2, 3, 4)

    def shape(self, *ranks: int) -> Sizes:
        return tuple(self.size() for _ in range(self.pick(*ranks)))

    def axis(self, rank: int) -> int:
        return self.random.randrange(-rank, rank) if rank else self.pick(0, -1)

    def smaller(self, shape: Sizes) -> Sizes:
        """A shape that broadcasts into another."""
        ones = tuple(1 if self.random.random() < 0.3 else n for n in shape)
        return ones[self.random.randrange(len(ones) + 1) :]


PLANS: dict[str, Callable[[Plan], None]] = {}


VALID: dict[str, Callable[[Plan], None]] = {}


def plan_for(name: str, host: bool, random: Random) -> Plan:
    """The plan of one call, empty for most builtins and sometimes for all: what is wrong is drawn too, unless it is wrong by the
    values alone, which no type says. `host`: of an overload for numbers."""
    plan = Plan(random)
    if name in PLANS and random.random() < 0.85:
        PLANS[name](plan)
    valid = VALID.get(f"{name} of numbers") or VALID.get(name) if host else VALID.get(name)
    if valid is not None:
        valid(plan)
    return plan


def _plan(*names: str):
    def declare(function: Callable[[Plan], None]) -> Callable[[Plan], None]:
        PLANS.update(dict.fromkeys(names, function))
        return function

    return declare


def _convolution(plan: Plan) -> None:
    groups, inner = plan.pick(1, 1, 2, 3), plan.pick(1, 2)
    plan.dims |= {"groups": groups, "I": inner, "C": inner * groups, "O": groups * plan.pick(1, 2)}
    plan.dims |= {name: plan.pick(3, 4, 5, 6) for name in ("S", "D", "H", "W")}
    plan.dims |= {name: plan.pick(1, 2, 3) for name in ("K", "KD", "KH", "KW")}
    plan.segments["B"] = plan.shape(0, 1)


def _windowed(n: int, first: Callable[[Plan], None]) -> Callable[[Plan], None]:
    """With settings for each of `n` axes."""

    def draw(plan: Plan) -> None:
        first(plan)
        for name, sizes in (("stride", (1, 2, 3)), ("padding", (0, 1)), ("dilation", (1, 2)), ("output_padding", (0, 0, 1))):
            plan.values[name] = plan.pick(None, plan.pick(*sizes), [plan.pick(*sizes) for _ in range(n)])

    return draw


def _transposed(plan: Plan) -> None:
    groups = plan.pick(1, 1, 2, 3)
    plan.dims |= {"groups": groups, "C": groups * plan.pick(1, 2), "K": plan.pick(2, 3), "KH": plan.pick(2, 3), "KW": plan.pick(2, 3)}
    plan.segments["B"] = plan.shape(0, 1)


PLANS |= {f"conv{n}d": _windowed(n, _convolution) for n in (1, 2, 3)} | {f"conv_transpose{n}d": _windowed(n, _transposed) for n in (1, 2)}


@_plan("attention")
def _attention(plan: Plan) -> None:
    groups, queries, keys = plan.pick(1, 2, 3), plan.size(), plan.size()
    plan.dims |= {"G": groups, "H": groups * plan.pick(1, 1, 2), "L": queries, "S": keys}
    plan.segments["B"] = batch = plan.shape(0, 1, 1, 2)
    mask = (*plan.smaller((*batch, plan.dims["H"])), plan.pick(1, queries, queries), plan.pick(1, keys, keys))
    plan.segments["M"] = plan.pick(mask, mask, (keys,), (1,))


@_plan("group_norm")
def _groups(plan: Plan) -> None:
    groups = plan.pick(1, 2, 3)
    plan.dims |= {"num_groups": groups, "C": groups * plan.pick(1, 2)}


@_plan("pixel_shuffle")
def _shuffled(plan: Plan) -> None:
    r = plan.pick(1, 2)
    plan.dims |= {"r": r, "C": r * r * plan.pick(1, 2)}


@_plan("rope")
def _pairs(plan: Plan) -> None:
    plan.dims["D"] = plan.pick(2, 4, 6)


@_plan("glu")
def _halves(plan: Plan) -> None:
    plan.segments["S"] = shape = (*plan.shape(0, 1, 2), plan.pick(2, 4, 6))
    plan.values["dim"] = plan.pick(-1, len(shape) - 1)


def _pooling(n: int) -> Callable[[Plan], None]:
    def draw(plan: Plan) -> None:
        plan.segments["S"] = (*plan.shape(1, 2), *(plan.pick(3, 4, 5, 6) for _ in range(n)))
        one_or_all = lambda *sizes: plan.pick(plan.pick(*sizes), [plan.pick(*sizes) for _ in range(n)])  # noqa: E731
        plan.values |= {"kernel_size": one_or_all(2, 3), "padding": one_or_all(0, 1), "output_size": one_or_all(1, 2, 3)}

    return draw


PLANS |= dict.fromkeys(("max_pool1d", "avg_pool1d", "adaptive_avg_pool1d"), _pooling(1))
PLANS |= dict.fromkeys(("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"), _pooling(2))


@_plan("interpolate")
def _resampled(plan: Plan) -> None:
    n = plan.pick(1, 2, 3)
    plan.segments["S"] = (*plan.shape(2), *(plan.pick(2, 3, 4) for _ in range(n)))
    plan.values["mode"] = plan.pick("nearest", {1: "linear", 2: "bilinear", 3: "trilinear"}[n], "bicubic", "area", "nearest-exact")
    if plan.pick(True, False):
        plan.values["size"] = plan.pick(3, [plan.pick(1, 2, 5) for _ in range(n)])
        plan.values["scale_factor"] = None
    else:
        plan.values["scale_factor"] = plan.pick(2.0, 1.5, [2.0] * n, 2)
        plan.values["size"] = None
    plan.values["align_corners"] = plan.pick(None, None, None, True, False)


@_plan("pad")
def _padded(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3, 4)
    mode = plan.pick("constant", "constant", "reflect", "replicate", "circular")
    axes = plan.random.randrange(len(shape) + 1) if mode == "constant" else max(len(shape) - plan.pick(1, 2), 1)
    plan.values |= {"mode": mode, "pad": [plan.pick(0, 1, 1, 2, -1) for _ in range(2 * axes)]}
    plan.values["value"] = None if mode != "constant" else plan.pick(None, 0.5)


@_plan("matmul")
def _product(plan: Plan) -> None:
    n, k, m, batch = plan.size(), plan.size(), plan.size(), plan.shape(0, 0, 1, 2)
    plan.segments["A"] = plan.pick((*batch, n, k), (*batch, n, k), (k,))
    plan.segments["B"] = plan.pick((*plan.smaller(batch), k, m), (*plan.smaller(batch), k, m), (k,))


@_plan("cdist")
def _distances(plan: Plan) -> None:
    m, batch = plan.size(), plan.shape(0, 1, 2)
    plan.segments["A"], plan.segments["B"] = (*batch, plan.size(), m), (*plan.smaller(batch), plan.size(), m)


@_plan("gather", "take_along_dim", "scatter", "scatter_add", "scatter_reduce")
def _indexed(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(0, 1, 2, 2, 3, 4)
    plan.values["dim"] = plan.axis(len(shape))
    plan.segments["I"] = places = tuple(plan.random.randint(1, n) for n in shape)
    plan.segments["U"] = tuple(n + plan.pick(0, 0, 1) for n in places)


@_plan("index_add", "index_copy", "index_fill", "index_select")
def _written(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(0, 1, 2, 3, 4)
    plan.values["dim"] = axis = plan.axis(len(shape))
    plan.dims["N"] = places = plan.pick(1, 2, 3) if shape else 1
    at = axis % len(shape) if shape else 0
    plan.segments["U"] = (*shape[:at], places, *shape[at + 1 :]) if shape else ()


@_plan("cross")
def _triples(plan: Plan) -> None:
    plan.segments["A"] = shape = (*plan.shape(0, 1, 2), 3)
    plan.segments["B"] = (*(plan.pick(n, n, 1) for n in shape[:-1]), 3)
    plan.values["dim"] = plan.pick(-1, len(shape) - 1)


@_plan("cosine_similarity")
def _similar(plan: Plan) -> None:
    plan.segments["A"] = shape = plan.shape(2, 3, 4)
    plan.segments["B"] = plan.pick(shape, shape, plan.smaller(shape))


@_plan("roll")
def _rolled(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3, 4)
    if plan.pick(True, False):
        axes = plan.random.sample(range(len(shape)), plan.random.randint(1, len(shape)))
        plan.values |= {"dims": axes, "shifts": [plan.pick(0, 1, -1, 5) for _ in axes]}


@_plan("unfold")
def _windows(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    plan.values["size"] = plan.random.randint(1, shape[axis])


@_plan("narrow")
def _slice(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    start = plan.random.randrange(shape[axis])
    plan.values |= {"start": plan.pick(start, start, start - shape[axis]), "length": plan.random.randint(0, shape[axis] - start)}


@_plan("select")
def _element(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    plan.values["index"] = plan.random.randrange(-shape[axis], shape[axis])


@_plan("unflatten")
def _unflattened(plan: Plan) -> None:
    parts = plan.shape(1, 2, 3)
    plan.segments["S"] = shape = (*plan.shape(0, 1), prod(parts), *plan.shape(0, 1))
    axis = next(i for i, n in enumerate(shape) if n == prod(parts))
    hidden = plan.random.randrange(len(parts))
    sizes = [-1 if i == hidden and plan.pick(True, False) else n for i, n in enumerate(parts)]
    plan.values |= {"dim": plan.pick(axis, axis - len(shape)), "sizes": sizes}


@_plan("topk", "kthvalue")
def _ranked(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    plan.values["k"] = plan.random.randint(1, shape[axis])


@_plan("multinomial")
def _samples(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2)
    plan.values["num_samples"] = plan.random.randint(1, shape[-1])


@_plan("chunk")
def _chunks(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    plan.values["chunks"] = plan.random.choice([n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0])


@_plan("split")
def _split(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["dim"] = axis = plan.axis(len(shape))
    cut = plan.random.randint(0, shape[axis])
    plan.values["sizes"] = plan.pick([cut, shape[axis] - cut], [shape[axis]], [cut, 0, shape[axis] - cut])


@_plan("instance_norm", "batch_norm")
def _channels(plan: Plan) -> None:
    plan.segments["S"] = plan.shape(1, 2, 3)


@_plan("prelu")
def _slopes(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(0, 1, 2, 3, 4)
    plan.dims["K"] = plan.pick(1, shape[1] if len(shape) > 1 else 1)


@_plan("tt_svd")
def _train(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3, 4)
    plan.values["ranks"] = [plan.pick(1, 2, 3) for _ in shape[1:]]


@_plan("tucker")
def _tucker(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["ranks"] = [plan.random.randint(1, n) for n in shape]


@_plan("layer_norm", "rms_norm")
def _normalized(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(1, 2, 3)
    plan.values["shape"] = list(shape[plan.random.randrange(len(shape)) :])


@_plan("permute")
def _permuted(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(0, 1, 2, 3, 4)
    axes = plan.random.sample(range(len(shape)), len(shape))
    plan.values["dims"] = [axis - plan.pick(0, 0, len(shape)) for axis in axes]


@_plan("diagonal")
def _two_axes(plan: Plan) -> None:
    plan.segments["S"] = shape = plan.shape(2, 3, 4)
    first, second = plan.random.sample(range(len(shape)), 2)
    plan.values |= {"dim1": first, "dim2": second - plan.pick(0, len(shape)), "offset": plan.pick(-1, 0, 1)}


@_plan("diag")
def _matrix(plan: Plan) -> None:
    plan.segments["S"] = plan.shape(1, 2)


@_plan("squeeze")
def _ones(plan: Plan) -> None:
    plan.segments["S"] = tuple(plan.pick(1, 1, 2, 3) for _ in range(plan.pick(1, 2, 3, 4)))


@_plan("solve")
def _equations(plan: Plan) -> None:
    n, batch = plan.size(), plan.shape(0, 1, 2)
    plan.dims["N"], plan.segments["A"] = n, batch
    plan.segments["B"] = plan.pick((n,), (*batch, n), (*plan.smaller(batch), n, plan.size()))


@_plan("addmm")
def _added(plan: Plan) -> None:
    plan.dims |= {"N": plan.size(), "M": plan.size()}
    plan.segments["C"] = plan.pick((plan.dims["N"], plan.dims["M"]), plan.smaller((plan.dims["N"], plan.dims["M"])))


@_plan("baddbmm")
def _added_to_many(plan: Plan) -> None:
    sizes = plan.shape(3)
    plan.dims |= dict(zip("BNM", sizes, strict=True))
    plan.segments["C"] = plan.pick(sizes, plan.smaller(sizes))


@_plan("linear")
def _bias(plan: Plan) -> None:
    plan.dims["O"] = out = plan.size()
    plan.segments["C"] = plan.pick((out,), (out,), (1,), ())


@_plan("meshgrid")
def _vectors(plan: Plan) -> None:
    plan.segments |= {"A": plan.shape(1, 1, 0), "B": plan.shape(1, 1, 0)}


@_plan("triplet_margin_loss")
def _triplets(plan: Plan) -> None:
    shape = plan.shape(1, 2, 2, 3)
    plan.segments |= {name: tuple(plan.pick(n, n, n, 1) for n in shape) for name in "APN"}


@_plan("tt_reconstruct", "tt_ranks")
def _cores(plan: Plan) -> None:
    bonds = (1, *plan.shape(0, 1, 2), 1)
    plan.values["cores"] = [(row, plan.size(), column) for row, column in pairwise(bonds)]


@_plan("tucker_reconstruct")
def _factors(plan: Plan) -> None:
    plan.segments["S"] = ranks = plan.shape(1, 2, 3)
    plan.values["factors"] = [(plan.size(), rank) for rank in ranks]


# --- values that must be right, as no type says that they are wrong -----------------------------------------------------------


def _valid(*names: str):
    def declare(function: Callable[[Plan], None]) -> Callable[[Plan], None]:
        VALID.update(dict.fromkeys(names, function))
        return function

    return declare


@_valid("randint")
def _bounds(plan: Plan) -> None:
    plan.values |= {"low": plan.pick(-3, 0, 1), "high": plan.pick(2, 5, 100)}


@_valid("histc")
def _bins(plan: Plan) -> None:
    plan.values |= {"min": plan.pick(0.0, -1.0), "max": plan.pick(1.0, 2.5), "bins": plan.pick(0, 1, 2, 10)}


@_valid("hardtanh")
def _limits(plan: Plan) -> None:
    plan.values |= {"min_val": plan.pick(None, 0.0, -0.5), "max_val": plan.pick(None, 0.5, 2.0)}


@_valid("floor_div of numbers", "ceil_div of numbers")
def _divisor(plan: Plan) -> None:
    plan.values["b"] = plan.pick(1, 2, 3, -2)


@_valid("pow of numbers")
def _exponent(plan: Plan) -> None:
    plan.values |= {"a": plan.pick(1, 2, -3), "b": plan.pick(0, 1, 2, -1)}


@_valid("pow")
def _whole(plan: Plan) -> None:
    plan.dims["b"] = plan.pick(0, 1, 2)


@_valid("arange of numbers")
def _steps(plan: Plan) -> None:
    plan.values |= {"start": plan.pick(0.0, 0.5), "end": plan.pick(1.0, 2.5), "step": plan.pick(None, 0.5)}


@_valid("bincount")
def _least(plan: Plan) -> None:
    plan.values["minlength"] = plan.pick(None, 0, 3)


@_valid("pad_sequences")
def _length(plan: Plan) -> None:
    plan.values["length"] = plan.pick(None, 1, 4)
