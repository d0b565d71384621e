"""Attention on queries, keys and values whose axes stand in any order, as the operation of the library: four axes, two of them batches.

Batch axes that all three share are put together, and so are axes that only the queries have: they are more queries, or where there is a
mask, heads that share keys and values. In a row that a Boolean mask closes, all scores are equally far, and its weights are the same for
all keys; there the queries become zero, which says the same with gradients of zero.
"""

from tensorlogic.ir.ir import Const, Omitted, Op, Operand
from tensorlogic.passes.emission import Emission, sizes_of
from tensorlogic.passes.patterns import Axes, dtype_of
from tensorlogic.record import record
from tensorlogic.types.types import Bool, Float, Int, Tensor

Part = tuple[Operand, Axes]


@record
class Masks:
    """`keep` is a Boolean mask with what its places must be to take part, `far` what stands for the others, `causal` the axis of the
    queries if it is a causal one, `added` a mask that is added. `axes` belong to both masks, counted from the right."""

    axes: Axes = ()
    keep: tuple[Operand, bool] | None = None
    far: Operand | None = None
    causal: object | None = None
    added: Operand | None = None

    def any(self) -> bool:
        return self.keep is not None or self.added is not None


@record
class Attention:
    """`key` is the axis that the softmax runs along. No `scale` is a factor of one."""

    queries: Part
    keys: Part
    values: Part
    key: object
    result: Axes
    masks: Masks
    scale: Operand | None


@record
class Roles:
    """The axes of each of the four: batches, heads of the queries and of the keys, queries, what is summed, what the values have."""

    batch: Axes
    heads: Axes
    kept_heads: Axes
    queries: Axes
    inner: Axes
    outer: Axes

    @property
    def grouped(self) -> bool:
        return self.heads != self.kept_heads


def roles_of(attention: Attention) -> Roles | None:
    """What each axis is; None where this is no attention."""
    q, k, v, out = (frozenset(axes) for axes in (attention.queries[1], attention.keys[1], attention.values[1], attention.result))
    shared = tuple(axis for axis in attention.result if axis in q & k & v)
    own = tuple(axis for axis in attention.result if axis in q - k - v)
    inner = tuple(axis for axis in attention.queries[1] if axis in (q & k) - v - out)
    outer = tuple(axis for axis in attention.result if axis in v - q - k)
    key = {attention.key}
    whole = (
        q == {*shared, *own, *inner} and k == {*shared, *inner} | key and v == {*shared, *outer} | key and out == {*shared, *own, *outer}
    )
    causal = attention.masks.causal
    if not whole or not inner or (causal is not None and causal not in own):
        return None
    query = (causal,) if causal is not None else own[-1:]
    more = tuple(axis for axis in own if axis not in query)
    heads = shared[-1:] if len(shared) > 1 else ()
    batch = shared[: len(shared) - len(heads)]
    if more and attention.masks.any():
        return Roles(batch, (*heads, *more), heads, query, inner, outer)
    return Roles(batch, heads, heads, (*more, *query), inner, outer)


def write_attention(emission: Emission, attention: Attention) -> list[Op] | None:
    """The operations that give `attention.result`, or None where a mask does not fit."""
    roles = roles_of(attention)
    if roles is None or not _fits(attention.masks, roles, attention.key):
        return None
    rows = (roles.batch, roles.kept_heads, (attention.key,))
    queries = emission.grouped(*attention.queries, (roles.batch, roles.heads, roles.queries, roles.inner))
    keys = emission.grouped(*attention.keys, (*rows, roles.inner))
    values = emission.grouped(*attention.values, (*rows, roles.outer))
    queries, mask = _masked(emission, attention, roles, queries)
    scale = Const(1.0, Float(1.0)) if attention.scale is None else attention.scale
    causal = Const(True, Bool(True)) if attention.masks.keep is not None and mask is None else Omitted()
    settings = (scale, causal, Omitted()) if mask is None else (mask, scale, Omitted())
    kind = 0 if mask is None else 1 if dtype_of(mask) == "bool" else 2
    type_ = Tensor(dtype_of(queries), (*sizes_of(queries)[:3], sizes_of(values)[3]))
    value = emission.builtin("attention", (queries, keys, values, *settings), type_, kind + 3 * roles.grouped)
    groups = (roles.batch, roles.heads, roles.queries, roles.outer)
    places = {axis: (operand, at) for operand, axes in (attention.queries, attention.values) for at, axis in enumerate(axes)}
    emission.permuted(emission.ungrouped(value, groups, places), tuple(axis for group in groups for axis in group), attention.result)
    return emission.finished()


# --- masks -----------------------------------------------------------------------------------------------------------


def _fits(masks: Masks, roles: Roles, key: object) -> bool:
    """Whether each mask has all axes of a group or none of them."""
    for mask in (masks.keep[0] if masks.keep else None, masks.added):
        present = set() if mask is None else set(_long(mask, masks.axes))
        groups = (roles.batch, roles.heads, roles.queries, (key,))
        if any(0 < len(present.intersection(group)) < len(group) for group in groups):
            return False
    return True


def _long(mask: Operand, axes: Axes) -> Axes:
    """The axes along which a mask differs."""
    sizes = sizes_of(mask)
    return tuple(axis for axis, size in zip(axes[len(axes) - len(sizes) :], sizes, strict=True) if size.value != 1)


def _mask(emission: Emission, mask: Operand, axes: Axes, roles: Roles, key: object) -> Operand:
    """A mask with the four axes of the scores."""
    long, sizes = _long(mask, axes), sizes_of(mask)
    for at in reversed(range(len(sizes))):
        if sizes[at].value == 1:
            mask = emission.selected(mask, at)
    return emission.grouped(mask, long, (roles.batch, roles.heads, roles.queries, (key,)))


def _masked(emission: Emission, attention: Attention, roles: Roles, queries: Operand) -> tuple[Operand, Operand | None]:
    """The queries and the one mask of the operation; none where it is causal alone."""
    masks, key = attention.masks, attention.key
    added = None if masks.added is None else _mask(emission, masks.added, masks.axes, roles, key)
    if masks.keep is None or (masks.causal is not None and added is None):
        return queries, added
    keep = _mask(emission, masks.keep[0], masks.axes, roles, key)
    if not masks.keep[1]:
        keep = emission.elementwise("logical_not", keep)
    alive = emission.any_along_last(keep)
    queries = emission.times(queries, alive)
    if added is not None and masks.far is not None:
        return queries, emission.elementwise("where", keep, added, masks.far)
    return queries, emission.elementwise("logical_or", keep, emission.elementwise("logical_not", alive))


def is_number(operand: Operand) -> bool:
    return isinstance(getattr(operand, "type", None), Int | Float)
