"""All operations of a module, and the same module with some of them changed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tensorlogic.ir.ir import Module, Op, Region

Change = Callable[[Op], Op]


def operations(module: Module) -> Iterator[Op]:
    """All operations of a module."""
    bodies = (*(m.init for m in module.models), *(f.body for f in module.functions))
    blocks = (module.program, module.main, *(test.body for test in module.tests), *bodies)
    return operations_in(block for block in blocks if block is not None)


def operations_in(regions: Iterable[Region]) -> Iterator[Op]:
    """All operations of regions and of the regions in them."""
    pending = list(regions)
    while pending:
        region = pending.pop()
        for op in region.ops:
            yield op
            pending.extend(op.regions)


def map_operations(module: Module, change: Change) -> Module:
    """Every operation, also those inside regions, replaced by `change(operation)`."""

    def region(old: Region) -> Region:
        return replace(old, ops=tuple(operation(op) for op in old.ops))

    def operation(old: Op) -> Op:
        return change(replace(old, regions=tuple(region(r) for r in old.regions)) if old.regions else old)

    return replace(
        module,
        functions=tuple(replace(f, body=region(f.body)) for f in module.functions),
        models=tuple(replace(m, init=region(m.init)) for m in module.models),
        program=region(module.program),
        main=region(module.main) if module.main is not None else None,
        tests=tuple(replace(t, body=region(t.body)) for t in module.tests),
    )


def relocated(module: Module, folder: str) -> Module:
    """The module for a Python file in another folder, from which the program's own folder is `folder`: paths still find their files."""

    def change(op: Op) -> Op:
        place = op.attrs.get("folder")
        return op if place is None else replace(op, attrs={**op.attrs, "folder": "/".join(part for part in (folder, str(place)) if part)})

    return map_operations(module, change)
