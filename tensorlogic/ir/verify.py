"""Whether IR is well formed: what the tests ask of every program, and what a pass over the IR will have to keep."""

from collections.abc import Iterable

from tensorlogic.ir.ir import (
    Const,
    EllipsisIndex,
    FnRef,
    Function,
    GlobalRef,
    Module,
    Omitted,
    Op,
    Operand,
    Region,
    SliceOf,
    Value,
)  # fmt: skip
from tensorlogic.types.types import Unknown

REGIONS = {
    "and": (1,),
    "or": (1,),
    "lambda": (1,),
    "if": (1, 2),
    "for": (1,),
    "while": (2,),
    "no_grad": (1,),
    "repeat": (1,),
    "learn": (1,),
}
RESULTS = {
    "assign": 0, "set_global": 0, "for": 0, "while": 0, "break": 0, "continue": 0, "return": 0, "assert": 0, "guard": 0, "lambda": 1,
    "binary": 1, "unary": 1, "and": 1, "or": 1, "cast": 1, "tensor": 1, "list": 1, "tuple": 1, "range": 1, "struct": 1, "field": 1,
    "set_field": 1, "item": 1, "list_item": 1, "list_slice": 1, "index": 1, "set_index": 1,
    "set_list_item": 1, "fact": 0, "facts": 0, "as_tensor": 1, "as_relation": 0, "entity": 1, "entities": 1,
    "python_call": 1, "copy": 1, "check_type": 1, "model": 1, "repeat": 1, "new_member": 0, "set_member": 0, "learn": 0,
}  # fmt: skip
ARGS = {
    "binary": 2, "unary": 1, "and": 1, "or": 1, "cast": 1, "tensor": 1, "field": 1, "set_field": 2, "item": 1, "list_item": 2,
    "list_slice": 4, "copy": 1, "assign": 1, "set_global": 1, "if": 1, "for": 1, "while": 0, "break": 0, "continue": 0, "no_grad": 0,
    "repeat": 1, "new_member": 2, "set_member": 2, "facts": 1, "as_relation": 1, "entity": 0, "entities": 0,
}  # fmt: skip
CODES = {*RESULTS, "query", "builtin", "call", "call_value", "call_method", "if", "no_grad"}
TERMINATORS = frozenset(("break", "continue", "return"))


class Malformed(Exception):
    """The IR is broken: a bug of the checker or of a pass."""


def verify(module: Module) -> Module:
    """The module itself; raises `Malformed` with the place where a rule is broken."""
    known = _Names(module)
    top = _Verifier(known, set())
    top.region(module.program)
    for function in module.functions:
        _function(known, function)
    for model in module.models:
        _Verifier(known, {*model.params, model.receiver}).region(model.init)
    for block in (module.main, *(test.body for test in module.tests)):
        if block is not None:
            _Verifier(known, set(top.defined)).region(block)
    return module


class _Names:
    def __init__(self, module: Module) -> None:
        self.functions = {f.name: f for f in module.functions}
        self.globals = {item.name for item in module.globals}
        self.structs = {item.name: item for item in module.structs}
        if len(self.functions) != len(module.functions) or len(self.globals) != len(module.globals):
            raise Malformed("two functions or two globals have one name")


def _function(known: _Names, function: Function) -> None:
    if len(function.defaults) != len(function.params):
        raise Malformed(f"{function.name} has {len(function.params)} parameters and {len(function.defaults)} defaults")
    dims = {binding.value for binding in function.dims}
    own = (function.receiver,) if function.receiver is not None else ()
    if any(binding.param not in (*own, *function.params) for binding in function.dims):
        raise Malformed(f"{function.name} binds a size to what is no parameter")
    _Verifier(known, {*own, *function.params, *dims}).region(function.body)


class _Verifier:
    """Walks with a stack of its own: programs may nest deeply."""

    def __init__(self, known: _Names, defined: set[Value]) -> None:
        self.known, self.defined = known, defined

    def region(self, region: Region) -> None:
        stack: list[object] = [region]
        while stack:
            item = stack.pop()
            if isinstance(item, Region):
                self.defined.update(item.params)
                self._terminators(item)
                inside = {*item.params, *(value for op in item.ops for value in op.results)}
                stack += (inside, item.yields, *reversed(item.ops))
            elif isinstance(item, Op):
                self._op(item)
                stack += (*([[item.results]] if item.regions else []), *reversed(item.regions))
                if not item.regions:
                    self._define(item.results)
            elif isinstance(item, list):
                self._define(item[0])
            elif isinstance(item, set):
                self.defined -= item if stack else set()
            elif isinstance(item, tuple):
                self._operands(item, "a region's result")

    def _define(self, results: Iterable[Value]) -> None:
        for value in results:
            if value in self.defined:
                raise Malformed(f"{value.name or 'a value'} is defined twice")
            if isinstance(value.type, Unknown):
                raise Malformed(f"{value.name or 'a value'} has no type")
            self.defined.add(value)

    def _operands(self, operands: Iterable[Operand], where: str) -> None:
        for operand in operands:
            match operand:
                case Value() if operand not in self.defined:
                    raise Malformed(f"{where} reads {operand.name or 'a value'} before it is defined")
                case SliceOf(start, stop, step):
                    self._operands((start, stop, step), where)
                case FnRef(name) if name not in self.known.functions:
                    raise Malformed(f"{where} refers to a function {name} that does not exist")
                case GlobalRef(name) if name not in self.known.globals:
                    raise Malformed(f"{where} refers to {name}, which is not declared")
                case Value() | Const() | FnRef() | GlobalRef() | Omitted() | EllipsisIndex():
                    pass
                case _:
                    raise Malformed(f"{where} has the operand {operand!r}")

    def _terminators(self, region: Region) -> None:
        if any(op.code in TERMINATORS for op in region.ops[:-1]):
            raise Malformed("operations stand behind break, continue or return")

    def _op(self, op: Op) -> None:
        where = f"{op.code} at {op.span!r}" if op.span else op.code
        if op.code not in CODES:
            raise Malformed(f"there is no operation {where}")
        self._operands(op.args, where)
        _count(where, "regions", len(op.regions), REGIONS.get(op.code, (0,)))
        if op.code in RESULTS:
            _count(where, "results", len(op.results), (RESULTS[op.code],))
        if op.code in ARGS:
            _count(where, "operands", len(op.args), (ARGS[op.code],))
        _yields(op, where)
        match op.code:
            case "assign":
                self._target(op, where)
            case "call":
                self._call(op, where)
            case "struct":
                self._struct(op, where)

    def _target(self, op: Op, where: str) -> None:
        target = op.attrs.get("target")
        if not isinstance(target, Value) or not target.mutable or target not in self.defined:
            raise Malformed(f"{where} writes what is no mutable value in reach")

    def _call(self, op: Op, where: str) -> None:
        function = self.known.functions.get(str(op.attrs.get("name")))
        if function is None:
            raise Malformed(f"{where} calls a function that does not exist")
        _count(where, "operands", len(op.args), (len(function.params),))

    def _struct(self, op: Op, where: str) -> None:
        struct = self.known.structs.get(str(op.attrs.get("name")))
        if struct is None:
            raise Malformed(f"{where} makes a struct that does not exist")
        _count(where, "operands", len(op.args), (len(struct.fields),))


def _count(where: str, what: str, found: int, allowed: tuple[int, ...]) -> None:
    if found not in allowed:
        raise Malformed(f"{where} has {found} {what}, not {' or '.join(map(str, allowed))}")


def _yields(op: Op, where: str) -> None:
    """A branch that goes on yields what the operation gives; one that leaves yields nothing."""
    match op.code:
        case "if" | "no_grad":
            for region in op.regions:
                leaves = bool(region.ops) and not region.yields
                if len(region.yields) != len(op.results) and not leaves:
                    raise Malformed(f"{where} has a region that yields {len(region.yields)} of {len(op.results)} values")
            if op.code == "if" and op.results and len(op.regions) != 2:
                raise Malformed(f"{where} gives values without an else")
        case "and" | "or":
            _count(where, "yields", len(op.regions[0].yields), (1,))
        case "while" | "repeat" | "learn":
            _count(where, "yields", len(op.regions[0].yields), (1,))
