"""What printed IR says in another way than by a line of its own: fields where they are read, copies and guards not at all."""

from collections import Counter
from collections.abc import Iterator

from tensorlogic.ir.ir import Function, GlobalRef, Op, Operand, Region, Value
from tensorlogic.ir.rewrite import operations_in, regions_in
from tensorlogic.types.types import ModelOf


def is_bound(function: Function) -> bool:
    """Whether a method takes `self`."""
    return function.method_of is not None and bool(function.params) and function.params[0].name == "self"


def is_initializer(op: Op) -> bool:
    """`normal(0.02)` of a declaration: a builtin without a number of an overload."""
    index = op.attrs.get("index", 0)
    return op.code == "builtin" and isinstance(index, int) and index < 0


def is_member(op: Op) -> bool:
    """`m.w`, a field of a model, which is written where it is read."""
    return op.code == "field" and isinstance(getattr(op.args[0], "type", None), ModelOf) and not op.results[0].name


def is_copy(op: Op) -> bool:
    """A copy that the checker makes where a variable needs one."""
    return op.code == "builtin" and "implied" in op.attrs


def is_implied(op: Op, copy: Op | None) -> bool:
    """Whether a variable that stays as it is takes a copy of what the operation makes."""
    fits = copy is not None and is_copy(copy) and copy.args == op.results and not op.results[0].name
    return fits and copy is not None and bool(copy.results[0].name) and not copy.results[0].mutable


def is_load(op: Op) -> bool:
    """`m.get_tensor(name)`: the dtype to convert to, its last operand, is that of the annotation."""
    return op.code == "builtin" and op.attrs["name"] in (".get_tensor", ".get_tensor")


def in_place(regions: tuple[Region, ...]) -> set[Value]:
    """Lists of tensors that learn, read once: as variables they would be copies, which for example an optimizer must not be given."""
    reads = Counter(value for region in regions_in(regions) for value in _read(region))
    found: set[Value] = set()
    for region in regions_in(regions):
        members = {op.results[0] for op in region.ops if is_member(op)}
        lists = {op.results[0] for op in region.ops if op.code == "list" and any(a in members or isinstance(a, GlobalRef) for a in op.args)}
        found |= {value for op in region.ops for value in op.args if value in lists and not value.name and reads[value] == 1}
    return found


def _read(region: Region) -> Iterator[Operand]:
    yield from region.yields
    for op in region.ops:
        yield from op.args


def only_guarded(regions: tuple[Region, ...]) -> set[Value]:
    """Sizes that guards alone read, or nothing: they come back with the guards."""
    made: set[Value] = set()
    read: set[object] = set()
    for op in operations_in(regions):
        if op.code == "builtin" and op.attrs["name"] in ("size", ".size") and op.results and not op.results[0].name:
            made.add(op.results[0])
        if op.code != "guard":
            read.update(a for a in op.args if isinstance(a, Value))
            read.update(y for region in op.regions for y in region.yields if isinstance(y, Value))
    return made - {v for v in read if isinstance(v, Value)}
