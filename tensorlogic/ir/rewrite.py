"""All regions, operations and operands of a module, and the same module with some of them changed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tensorlogic.ir.ir import FnRef, GlobalRef, Module, Op, Operand, Region, SliceOf, Value

Change = Callable[[Op], Op]


def blocks(module: Module) -> Iterator[Region]:
    """The outermost regions of a module: its statements, `main`, tests, and the bodies of functions and models."""
    yield module.program
    if module.main is not None:
        yield module.main
    yield from (test.body for test in module.tests)
    yield from (model.init for model in module.models)
    yield from (function.body for function in module.functions)


def regions_in(regions: Iterable[Region]) -> Iterator[Region]:
    """Regions and the regions in them."""
    pending = list(regions)
    while pending:
        region = pending.pop()
        yield region
        for op in region.ops:
            pending.extend(op.regions)


def operations(module: Module) -> Iterator[Op]:
    """All operations of a module."""
    return operations_in(blocks(module))


def operations_in(regions: Iterable[Region]) -> Iterator[Op]:
    """All operations of regions and of the regions in them."""
    for region in regions_in(regions):
        yield from region.ops


def values_in(operands: Iterable[Operand]) -> Iterator[Value | FnRef | GlobalRef]:
    """The values and references among operands, slices opened."""
    for operand in operands:
        match operand:
            case Value() | FnRef() | GlobalRef():
                yield operand
            case SliceOf(start, stop, step):
                yield from values_in((start, stop, step))


def map_regions(module: Module, change: Callable[[Region], Region]) -> Module:
    """The module with every region replaced by `change(region)`, those inside operations first."""

    def rewritten(region: Region) -> Region:
        ops = tuple(replace(op, regions=tuple(map(rewritten, op.regions))) if op.regions else op for op in region.ops)
        return change(replace(region, ops=ops))

    return replace(
        module,
        functions=tuple(replace(f, body=rewritten(f.body)) for f in module.functions),
        models=tuple(replace(m, init=rewritten(m.init)) for m in module.models),
        program=rewritten(module.program),
        main=rewritten(module.main) if module.main is not None else None,
        tests=tuple(replace(t, body=rewritten(t.body)) for t in module.tests),
    )


def map_operations(module: Module, change: Change) -> Module:
    """Every operation, also those inside regions, replaced by `change(operation)`."""
    return map_regions(module, lambda region: replace(region, ops=tuple(map(change, region.ops))))


def relocated(module: Module, folder: str) -> Module:
    """The module for a Python file in another folder, from which the program's own folder is `folder`: paths still find their files."""

    def change(op: Op) -> Op:
        place = op.attrs.get("folder")
        return op if place is None else replace(op, attrs={**op.attrs, "folder": "/".join(part for part in (folder, str(place)) if part)})

    return map_operations(module, change)
