"""What passes share: every region of a module rewritten, and how often a value is read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tensorlogic.ir.ir import Module, Op, Operand, Region, SliceOf, Value


def map_regions(module: Module, change: Callable[[Region], Region]) -> Module:
    """The module with every region replaced, those inside operations first."""

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


def reads(module: Module) -> Counter[Value]:
    """How often each value is read, anywhere."""
    blocks = [module.program, *(f.body for f in module.functions), *(m.init for m in module.models), *(t.body for t in module.tests)]
    found: Counter[Value] = Counter()
    pending = [*blocks, *([module.main] if module.main is not None else [])]
    while pending:
        region = pending.pop()
        found.update(values(region.yields))
        for op in region.ops:
            found.update(values(op.args))
            found.update(values(item for item in op.attrs.values() if isinstance(item, Value)))
            pending += op.regions
    return found


def values(operands: Iterable[Operand]) -> Iterator[Value]:
    for operand in operands:
        if isinstance(operand, SliceOf):
            yield from values((operand.start, operand.stop, operand.step))
        elif isinstance(operand, Value):
            yield operand


def is_builtin(op: Op | None, name: str) -> bool:
    return op is not None and op.code == "builtin" and op.attrs.get("name") == name
