"""softmax(q k / scale) v, however it is written out, as the one operation that the hardware has for it.

What stands between must be read by nothing else, and have at least a batch axis. A sum with a tensor before the softmax is a mask, and
so is `where(s <= t, ..., -1e9)` over positions: a causal one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tensorlogic.ir.ir import Const, Module, Omitted, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import blocks, map_regions, regions_in, values_in
from tensorlogic.record import record
from tensorlogic.types.types import Bool, Float, Int, Tensor

FAR = -1e9  # what is as good as minus infinity, where each row keeps one place

HELPERS = ("sqrt", "arange", "unsqueeze", "permute")


@record
class Found:
    """The parts of an attention; `inner` are the operations that go."""

    queries: Operand
    keys: Operand
    values: Operand
    mask: Operand | None
    causal: bool
    scale: tuple[str, Operand] | None  # the operator and the number
    inner: tuple[Op, ...]


def recognize_attention(module: Module) -> Module:
    counts = _reads(module)
    return map_regions(module, lambda region: _rewritten(region, counts))


def _reads(module: Module) -> Counter[Value]:
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


def is_builtin(op: Op | None, name: str) -> bool:
    return op is not None and op.code == "builtin" and op.attrs.get("name") == name


def _rewritten(region: Region, counts: Counter[Value]) -> Region:
    made = {result: op for op in region.ops for result in op.results}
    ops, gone = [], set()
    for op in region.ops:
        found = _Match(made, counts).attention(op) if is_builtin(op, "matmul") else None
        if found is None:
            ops.append(op)
            continue
        gone.update(id(inner) for inner in found.inner)
        ops += _written(op, found, made)
    if not gone:
        return region
    kept = [op for op in ops if id(op) not in gone]
    return Region(region.params, tuple(_without_idle(kept, [op for op in region.ops if id(op) in gone], made, counts)), region.yields)


def _without_idle(kept: list[Op], gone: list[Op], made: Mapping[Value, Op], counts: Counter[Value]) -> list[Op]:
    """What only the operations that are gone have read goes too."""
    written = Counter(value for op in kept for value in _values(op.args))
    before = Counter(value for op in made.values() for value in _values(op.args))
    idle = {id(op) for op in gone}
    pending = list(gone)
    while pending:
        op = pending.pop()
        for value in _values(op.args):
            source = made.get(value)
            elsewhere = counts[value] - before[value]
            if source is None or id(source) in idle or not _is_plain(source) or written[value] > 0 or elsewhere or value.top:
                continue
            idle.add(id(source))
            written.subtract(_values(source.args))
            pending.append(source)
    return [op for op in kept if id(op) not in idle]


def _is_plain(op: Op) -> bool:
    """Whether it does nothing but compute a value."""
    return op.code in ("binary", "tensor", "cast") or (op.code == "builtin" and op.attrs["name"] in HELPERS)


class _Match:
    """Follows operands back to what made them."""

    def __init__(self, made: Mapping[Value, Op], counts: Counter[Value]):
        self.made, self.counts = made, counts
        self.inner: list[Op] = []

    def source(self, operand: Operand) -> Op | None:
        return self.made.get(operand) if isinstance(operand, Value) else None

    def only(self, operand: Operand) -> Op | None:
        """What made a value that is read only here."""
        single = isinstance(operand, Value) and self.counts[operand] == 1 and not operand.mutable and not operand.top
        return self.source(operand) if single else None

    def attention(self, op: Op) -> Found | None:
        weights, last = op.args[:2]
        soft = self.only(weights)
        if soft is None or not is_builtin(soft, "softmax") or not _last(soft) or _rank(last) != _rank(weights) or _rank(last) < 3:
            return None
        self.inner.append(soft)
        scores, mask, causal = self.masked(soft.args[0])
        scores, scale = self.scaled(scores)
        product = self.only(scores)
        if product is None or not is_builtin(product, "matmul"):
            return None
        queries, turned = product.args[:2]
        keys = self.turned(turned)
        if keys is None or not _rank(queries) == _rank(keys) == _rank(last):
            return None
        return Found(queries, keys, last, mask, causal, scale, (*self.inner, product))

    def masked(self, operand: Operand) -> tuple[Operand, Operand | None, bool]:
        op = self.only(operand)
        if op is None:
            return operand, None, False
        if op.code == "binary" and op.attrs["op"] == "+" and _floats(op.args[0]) and _floats(op.args[1]):
            for scores, mask in (op.args, op.args[::-1]):
                if is_builtin(self.source(self.scaled_source(scores)), "matmul"):
                    self.inner.append(op)
                    return scores, mask, False
        if is_builtin(op, "where") and self.far(op.args[2]) and self.causal(op.args[0]):
            self.inner.append(op)
            return op.args[1], None, True
        return operand, None, False

    def scaled_source(self, operand: Operand) -> Operand:
        """What is scaled, without taking note of it."""
        op = self.only(operand)
        number = op is not None and op.code == "binary" and op.attrs["op"] in ("/", "*") and _is_number(op.args[1])
        return op.args[0] if number and op is not None else operand

    def scaled(self, operand: Operand) -> tuple[Operand, tuple[str, Operand] | None]:
        op = self.only(operand)
        if op is None or op.code != "binary" or op.attrs["op"] not in ("/", "*"):
            return operand, None
        left, right = op.args
        if op.attrs["op"] == "*" and _is_number(left):
            left, right = right, left
        if not _is_number(right):
            return operand, None
        self.inner.append(op)
        return left, (str(op.attrs["op"]), right)

    def turned(self, operand: Operand) -> Operand | None:
        """The keys, whose last two axes were exchanged for the product."""
        op = self.source(operand)
        if op is None or not is_builtin(op, "permute") or not isinstance(op.args[1], Const):
            return None
        rank = _rank(operand)
        if op.args[1].value != (*range(rank - 2), rank - 1, rank - 2):
            return None
        if self.only(operand) is not None:
            self.inner.append(op)
        return op.args[0]

    def far(self, operand: Operand) -> bool:
        op = self.source(operand)
        constant = op.args[0] if op is not None and op.code == "tensor" else operand
        return isinstance(constant, Const) and isinstance(constant.value, float) and constant.value <= FAR

    def causal(self, operand: Operand) -> bool:
        """`s <= t`, the position of the key against that of the query."""
        op = self.source(operand)
        if op is None or op.code != "binary" or op.attrs["op"] not in ("<=", ">=") or _rank(operand) != 2:
            return False
        key, query = op.args if op.attrs["op"] == "<=" else op.args[::-1]
        return self.positions(key, 0) and self.positions(query, 1)

    def positions(self, operand: Operand, flat: int) -> bool:
        """Whether it is 0, 1, 2, ... with an axis of size 1 at `flat`; in front that may be left out."""
        op = self.source(operand)
        if is_builtin(op, "unsqueeze") and op is not None:
            at = op.args[1].value if isinstance(op.args[1], Const) else None
            return at == flat and is_builtin(self.source(op.args[0]), "arange")
        return flat == 0 and is_builtin(op, "arange")


def _last(op: Op) -> bool:
    at = op.args[1].value if isinstance(op.args[1], Const) else None
    return at in (-1, _rank(op.args[0]) - 1)


def _rank(operand: Operand) -> int:
    type_ = getattr(operand, "type", None)
    return len(type_.shape) if isinstance(type_, Tensor) else -1


def _floats(operand: Operand) -> bool:
    type_ = getattr(operand, "type", None)
    return isinstance(type_, Tensor) and isinstance(type_.dtype, str) and type_.dtype.startswith(("float", "bfloat"))


def _is_number(operand: Operand) -> bool:
    return isinstance(getattr(operand, "type", None), Int | Float)


# --- the operation ---------------------------------------------------------------------------------------------------


def _written(op: Op, found: Found, made: Mapping[Value, Op]) -> list[Op]:
    before, scale = _scale(op, found, made)
    heads = (found.queries, found.keys, found.values)
    if found.mask is not None:
        return [*before, Op("builtin", (*heads, found.mask, scale, Omitted()), op.results, {"name": "attention", "index": 2}, (), op.span)]
    causal = Const(True, Bool(True)) if found.causal else Omitted()
    return [*before, Op("builtin", (*heads, scale, causal, Omitted()), op.results, {"name": "attention", "index": 0}, (), op.span)]


def _scale(op: Op, found: Found, made: Mapping[Value, Op]) -> tuple[list[Op], Operand]:
    """What the scores are multiplied by; nothing where it is one over the root of the size of the heads."""
    if found.scale is None:
        return [], Const(1.0, Float(1.0))
    operator, number = found.scale
    if operator == "/" and _is_root(number, found.queries, made):
        return [], Omitted()
    args = (Const(1.0, Float(1.0)), number)
    value = Value("", Float())
    return [Op("binary", args, (value,), {"op": operator}, (), op.span)], value


def _is_root(number: Operand, queries: Operand, made: Mapping[Value, Op]) -> bool:
    root = made.get(number) if isinstance(number, Value) else None
    if root is None or not is_builtin(root, "sqrt"):
        return False
    given = root.args[0]
    inner = made.get(given) if isinstance(given, Value) else None
    type_ = getattr(inner.args[0] if inner is not None and inner.code == "cast" else given, "type", None)
    shape = queries.type.shape if isinstance(queries, Value) and isinstance(queries.type, Tensor) else ()
    return isinstance(type_, Int) and bool(shape) and type_.value == shape[-1]
