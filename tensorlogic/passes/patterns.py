"""What passes that look for patterns share: what made a value, a product of two tensors as an equation of axes, and what is idle after."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tensorlogic.ir.ir import Const, GlobalRef, Module, Omitted, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import blocks, map_regions, regions_in, values_in
from tensorlogic.record import record
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import Tensor

Axes = tuple[object, ...]  # one token per axis; equal tokens are the same index
PURE = ("builtin", "binary", "unary", "cast", "tensor", "index", "list", "tuple", "item", "field", "copy", "guard")  # these write nothing
HELPERS = ("sqrt", "arange", "unsqueeze", "permute", "neg", "log", "exp", "sum", "softmax", "log_softmax", "logical_not")


@record
class Product:
    """`left` times `right`, each with the tokens of its axes, summed over those that are not in `axes`."""

    left: tuple[Operand, Axes]
    right: tuple[Operand, Axes]
    axes: Axes


class Reader:
    """Follows operands of one region back to what made them, as far as that could be done anew at the operation `at`."""

    def __init__(self, region: Region, counts: Mapping[Value, int]):
        self.made = {result: op for op in region.ops for result in op.results}
        self.position = {op: at for at, op in enumerate(region.ops)}
        self.writes = [at for at, op in enumerate(region.ops) if op.code not in PURE]
        self.counts = counts
        self.at = len(region.ops)

    def source(self, operand: Operand) -> Op | None:
        """What made a value; None where it, or what that has read, may have been written since."""
        op = self.made.get(operand) if isinstance(operand, Value) and not operand.mutable else None
        if op is None or (self._written_since(op) and any(map(self._is_place, values_in(op.args)))):
            return None
        return op

    def _written_since(self, op: Op) -> bool:
        next_write = bisect_right(self.writes, self.position[op])
        return next_write < len(self.writes) and self.writes[next_write] < self.at

    def _is_place(self, operand: Operand) -> bool:
        """Whether it is a variable, or what may be seen of a tensor that is written in place."""
        while isinstance(operand, Value) and not operand.mutable:
            made = self.made.get(operand)
            if made is None or made.code not in ("builtin", "index") or not made.args:
                return made is not None and made.code == "field"
            operand = made.args[0]
        return isinstance(operand, Value | GlobalRef)

    def only(self, operand: Operand) -> Op | None:
        """What made a value that is read only once."""
        single = isinstance(operand, Value) and self.counts[operand] == 1 and not operand.top
        return self.source(operand) if single else None

    def unturned(self, operand: Operand, axes: Axes) -> tuple[Operand, Axes]:
        """What was permuted to this operand, with its axes in their order there."""
        while True:
            op = self.source(operand)
            order = permutation(op) if op is not None else None
            if op is None or order is None:
                return operand, axes
            turned = dict(zip(order, axes, strict=True))
            operand, axes = op.args[0], tuple(turned[at] for at in range(len(axes)))

    def line(self, operand: Operand, rank: int) -> int | None:
        """The axis, of `rank`, along which a tensor is 0, 1, 2, ..., and which it has alone; axes are counted from the right."""
        places: list[int] = []
        op = self.source(operand)
        while op is not None and is_builtin(op, "unsqueeze"):
            at = constant(op.args[1])
            places.append(at % rank_of(op.results[0]) if isinstance(at, int) else 0)
            op = self.source(op.args[0])
        if op is None or not is_builtin(op, "arange") or op.attrs["index"] != 0 or len(places) >= rank:
            return None
        axis = 0
        for at in reversed(places):
            axis += at <= axis
        return rank - 1 - (len(places) - axis)

    def product(self, op: Op | None) -> Product | None:
        """A matrix product, or an einsum of two tensors without diagonals."""
        if op is None or len(op.args) < 2:
            return None
        found = _einsum(op) if is_builtin(op, "einsum") else _matmul(op) if is_builtin(op, "matmul") else None
        if found is None or any(len(set(axes)) < len(axes) for axes in (found.left[1], found.right[1])):
            return None
        return found


def permutation(op: Op) -> tuple[int, ...] | None:
    if not is_builtin(op, "permute") or not isinstance(op.args[1], Const) or not isinstance(op.args[1].value, tuple):
        return None
    rank = len(op.args[1].value)
    return tuple(int(at) % rank for at in op.args[1].value)


def _einsum(op: Op) -> Product | None:
    rule = op.args[0].value if isinstance(op.args[0], Const) else None
    if not isinstance(rule, str) or "." in rule or "->" not in rule or len(op.args) != 3:
        return None
    inputs, output = rule.replace(" ", "").split("->")
    first, second = inputs.split(",")
    return Product((op.args[1], tuple(first)), (op.args[2], tuple(second)), tuple(output))


def _matmul(op: Op) -> Product | None:
    """Batch axes are counted from the right, and must be as long on both sides."""
    left, right = shape_of(op.args[0]), shape_of(op.args[1])
    if not left or not right:
        return None
    batches = left[:-2], right[:-2]
    if any(a != b for a, b in zip(batches[0][::-1], batches[1][::-1], strict=False)):
        return None
    names = [tuple(f"b{len(batch) - at}" for at in range(len(batch))) for batch in batches]
    rows, columns = ("m",) * (len(left) > 1), ("n",) * (len(right) > 1)
    outer = max(names, key=len)
    return Product((op.args[0], (*names[0], *rows, "k")), (op.args[1], (*names[1], "k", *columns)), (*outer, *rows, *columns))


def is_builtin(op: Op | None, *names: str) -> bool:
    return op is not None and op.code == "builtin" and op.attrs.get("name") in names


def is_binary(op: Op | None, *operators: str) -> bool:
    return op is not None and op.code == "binary" and op.attrs["op"] in operators


def shape_of(operand: Operand) -> tuple[Dim, ...] | None:
    """The sizes of a tensor, where its rank is known."""
    type_ = getattr(operand, "type", None)
    if not isinstance(type_, Tensor) or not all(isinstance(item, Dim) for item in type_.shape):
        return None
    return type_.shape  # type: ignore[return-value]


def rank_of(operand: Operand) -> int:
    shape = shape_of(operand)
    return -1 if shape is None else len(shape)


def dtype_of(operand: Operand) -> str:
    type_ = getattr(operand, "type", None)
    return type_.dtype if isinstance(type_, Tensor) and isinstance(type_.dtype, str) else ""


def is_float(operand: Operand) -> bool:
    return dtype_of(operand).startswith(("float", "bfloat"))


def constant(operand: Operand) -> object:
    """The value of a literal; None where it is none."""
    return operand.value if isinstance(operand, Const) else None


def is_off(flag: Operand) -> bool:
    """Whether a flag, such as `keepdim`, is known to be false."""
    return isinstance(flag, Omitted) or constant(flag) is False


# --- a pass ----------------------------------------------------------------------------------------------------------

Replace = Callable[[Reader, Op], tuple[Sequence[Op], Sequence[Op]] | None]


def rewritten(module: Module, replace: Replace) -> Module:
    """The module with operations replaced: `replace` gives what stands for an operation, and which others go with it."""
    counts = reads(module)
    return map_regions(module, lambda region: _rewritten(region, counts, replace))


def reads(module: Module) -> Counter[Value]:
    """How often each value is read, anywhere."""
    found: Counter[Value] = Counter()
    for region in regions_in(blocks(module)):
        found.update(_values(region.yields))
        for op in region.ops:
            found.update(_values(op.args))
            found.update(item for item in op.attrs.values() if isinstance(item, Value))
    return found


def _values(operands: Iterable[Operand]) -> Iterator[Value]:
    return (operand for operand in values_in(operands) if isinstance(operand, Value))


def _rewritten(region: Region, counts: Mapping[Value, int], replace: Replace) -> Region:
    """From the end on, so that what stands outermost is seen first."""
    reader = Reader(region, counts)
    ops: list[Op] = []
    gone: set[Op] = set()
    for op in reversed(region.ops):
        if op in gone:
            continue
        reader.at = reader.position[op]
        found = replace(reader, op)
        if found is None:
            ops.append(op)
            continue
        new, inner = found
        gone.update((op, *inner))
        ops += reversed(new)
    if not gone:
        return region
    return Region(region.params, tuple(_without_idle(ops[::-1], gone, reader)), region.yields)


def _without_idle(kept: list[Op], gone: set[Op], reader: Reader) -> list[Op]:
    """What only the operations that are gone have read goes too."""
    made = {result: op for op in kept for result in op.results}
    before = Counter(value for op in reader.made.values() for value in _values(op.args))
    written = Counter(value for op in kept for value in _values(op.args))
    idle: set[Op] = set()
    pending = list(gone)
    while pending:
        for value in _values(pending.pop().args):
            source = made.get(value)
            elsewhere = reader.counts[value] - before[value]
            if source is None or source in idle or not _is_plain(source) or written[value] > 0 or elsewhere or value.top:
                continue
            idle.add(source)
            written.subtract(_values(source.args))
            pending.append(source)
    return [op for op in kept if op not in idle]


def _is_plain(op: Op) -> bool:
    """Whether it does nothing but compute a value."""
    return op.code in ("binary", "tensor", "cast") or is_builtin(op, *HELPERS)
