"""softmax(q k / scale) v, however it is written out, as the one operation that the hardware has for it.

The two products are read as equations of axes, so that the order of axes does not matter, nor how many are batches, or heads that share
keys. What stands between must be read by nothing else. A sum with a tensor before the softmax is a mask, and so is
`where(mask, scores, -1e9)`; over positions, `s <= t`, a causal one. Masks and scale are taken off from the outside inwards.
"""

from dataclasses import replace

from tensorlogic.ir.ir import Const, Module, Omitted, Op, Operand
from tensorlogic.passes.emission import Emission
from tensorlogic.passes.patterns import (
    Axes,
    Reader,
    constant,
    is_binary,
    is_builtin,
    is_float,
    permutation,
    rank_of,
    rewritten,
    shape_of,
)  # fmt: skip
from tensorlogic.passes.write_attention import Attention, Masks, Part, is_number, write_attention
from tensorlogic.record import record
from tensorlogic.types.types import Float, Int

FAR = -1e9  # what is as good as minus infinity, where a row keeps one place


def recognize_attention(module: Module) -> Module:
    return rewritten(module, _attention)


@record
class Scores:
    """What the softmax along `key` is applied to, taken apart: `operand` with its axes, scaled by numbers in turn, then masked. `inner`
    are the operations that were taken off."""

    operand: Operand
    axes: Axes
    key: object
    inner: tuple[Op, ...]
    masks: Masks
    scale: tuple[tuple[str, Operand], ...] = ()


def _attention(reader: Reader, op: Op) -> tuple[list[Op], tuple[Op, ...]] | None:
    product = reader.product(op)
    if product is None:
        return None
    for weights, values in ((product.left, product.right), (product.right, product.left)):
        scores = _scores(reader, *weights)
        source = reader.only(scores.operand) if scores is not None else None
        heads = _heads(reader, source, scores) if source is not None and scores is not None else None
        if heads is None or source is None or scores is None:
            continue
        emission = Emission(op)
        scale = _scale(reader, emission, scores.scale, heads[0])
        found = Attention(*heads, reader.unturned(*values), scores.key, product.axes, scores.masks, scale)
        written = write_attention(emission, found)
        return None if written is None else (written, (*scores.inner, source))
    return None


def _heads(reader: Reader, source: Op, scores: Scores) -> tuple[Part, Part] | None:
    """Queries and keys of the product that makes the scores."""
    product = reader.product(source)
    if product is None or len(product.axes) != len(scores.axes):
        return None
    names = dict(zip(product.axes, scores.axes, strict=True))
    sides = [(operand, tuple(names.get(axis, ("inner", axis)) for axis in axes)) for operand, axes in (product.left, product.right)]
    queries, keys = sides if scores.key in sides[1][1] else sides[::-1]
    return reader.unturned(*queries), reader.unturned(*keys)


# --- between the products --------------------------------------------------------------------------------------------


def _scores(reader: Reader, operand: Operand, axes: Axes) -> Scores | None:
    """The weights of the values, where they are a softmax that nothing else reads."""
    scores = Scores(operand, axes, None, (), Masks())
    while (turned := _permuted(scores, reader.only(scores.operand))) is not None:
        scores = turned
    soft = reader.only(scores.operand)
    at = constant(soft.args[1]) if soft is not None and is_builtin(soft, "softmax") else None
    if soft is None or not isinstance(at, int) or not is_float(operand):
        return None
    axes = scores.axes
    scores = Scores(soft.args[0], axes, axes[at % len(axes)], (*scores.inner, soft), Masks(axes))
    while (op := reader.only(scores.operand)) is not None:
        further = _masked(reader, scores, op) or _scaled(scores, op) or _permuted(scores, op)
        if further is None:
            break
        scores = further
    return scores


def _permuted(scores: Scores, op: Op | None) -> Scores | None:
    order = None if op is None else permutation(op)
    if op is None or order is None:
        return None
    turned = dict(zip(order, scores.axes, strict=True))
    return replace(scores, operand=op.args[0], axes=tuple(turned[at] for at in range(len(order))), inner=(*scores.inner, op))


def _scaled(scores: Scores, op: Op) -> Scores | None:
    if not is_binary(op, "/", "*"):
        return None
    left, right = op.args
    if op.attrs["op"] == "*" and is_number(left):
        left, right = right, left
    if not is_number(right):
        return None
    return replace(scores, operand=left, inner=(*scores.inner, op), scale=(*scores.scale, (str(op.attrs["op"]), right)))


def _scale(reader: Reader, emission: Emission, scale: tuple[tuple[str, Operand], ...], queries: Part) -> Operand | None:
    """What the scores are multiplied by; `Omitted` where it is one over the root of the size of the heads."""
    inner = [size for axis, size in zip(queries[1], shape_of(queries[0]) or (), strict=True) if isinstance(axis, tuple)]
    if len(scale) == 1 and len(inner) == 1 and _is_root(reader, *scale[0], inner[0]):
        return Omitted()
    total: Operand | None = None
    for operator, number in scale:
        if operator == "*" and total is None and isinstance(getattr(number, "type", None), Float):
            total = number
        else:
            total = emission.result("binary", (total or Const(1.0, Float(1.0)), number), Float(), op=operator)
    return total


def _is_root(reader: Reader, operator: str, number: Operand, size: object) -> bool:
    """`/ sqrt(size)` or `* size ** -0.5`"""
    op = reader.source(number)
    root = operator == "/" and is_builtin(op, "sqrt") or operator == "*" and is_binary(op, "**") and op and constant(op.args[1]) == -0.5
    if op is None or not root:
        return False
    inner = reader.source(op.args[0])
    type_ = getattr(inner.args[0] if inner is not None and inner.code == "cast" else op.args[0], "type", None)
    return isinstance(type_, Int) and type_.value == size


# --- masks -----------------------------------------------------------------------------------------------------------


def _masked(reader: Reader, scores: Scores, op: Op) -> Scores | None:
    """One mask taken off: of those, a `where` stands outside a sum, and both outside the scale."""
    masks = scores.masks
    if scores.scale or scores.axes != masks.axes or masks.added is not None:
        return None
    if is_binary(op, "+"):
        return _added(reader, scores, op)
    return _chosen(reader, scores, op) if is_builtin(op, "where") and masks.keep is None else None


def _added(reader: Reader, scores: Scores, op: Op) -> Scores | None:
    for inside, mask in (op.args, op.args[::-1]):
        if is_float(mask) and rank_of(mask) >= 0 and shape_of(inside) == shape_of(op.results[0]) and _leads_to_product(reader, inside):
            return replace(scores, operand=inside, inner=(*scores.inner, op), masks=replace(scores.masks, added=mask))
    return None


def _leads_to_product(reader: Reader, operand: Operand) -> bool:
    op = reader.only(operand)
    while op is not None and (is_binary(op, "*", "/") or permutation(op) is not None):
        op = reader.only(op.args[1] if is_number(op.args[0]) else op.args[0])
    return reader.product(op) is not None


def _chosen(reader: Reader, scores: Scores, op: Op) -> Scores | None:
    condition, *sides = op.args
    for keep, (inside, far) in ((True, sides), (False, sides[::-1])):
        if rank_of(condition) < 0 or not _is_far(reader, far) or shape_of(inside) != shape_of(op.results[0]):
            continue
        masks = replace(scores.masks, keep=(condition, keep), far=far, causal=_causal(reader, condition, keep, scores))
        return replace(scores, operand=inside, inner=(*scores.inner, op), masks=masks)
    return None


def _is_far(reader: Reader, operand: Operand) -> bool:
    op = reader.source(operand)
    value = constant(op.args[0] if op is not None and op.code == "tensor" else operand)
    return isinstance(value, float) and value <= FAR


def _causal(reader: Reader, condition: Operand, keep: bool, scores: Scores) -> object | None:
    """The axis of the queries, where a condition keeps the keys whose positions are not behind theirs."""
    op = reader.source(condition)
    if op is None or not is_binary(op, *(("<=", ">=") if keep else (">", "<"))):
        return None
    key, query = op.args if op.attrs["op"] in ("<=", ">") else op.args[::-1]
    axes = scores.masks.axes
    places = reader.line(key, len(axes)), reader.line(query, len(axes))
    if None in places or axes[places[0]] != scores.key or places[0] == places[1]:  # type: ignore[index]
        return None
    return axes[places[1]]  # type: ignore[index]
