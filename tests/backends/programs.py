"""IR modules made by hand, each with calls to try."""

from dataclasses import dataclass, field

from tensorlogic.ir.ir import (
    Const,
    DimBinding,
    Function,
    Global,
    Module,
    Omitted,
    Op,
    Operand,
    Region,
    StructType,
    TestBlock,
    Value,
)  # fmt: skip
from tensorlogic.source import Source, Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.signature import Parameter, Signature
from tensorlogic.types.types import Bool, Float, Int, List, String, Tensor, Type

SOURCE = Source("folder/program.tl", "".join(f"line number {i} of the program\n" for i in range(1, 400)))
INT, FLOAT, BOOL, STRING = Int(), Float(), Bool(), String()


def at(line: int) -> Span:
    """The first ten characters of a line."""
    start = SOURCE.line_starts[line - 1]
    return Span(SOURCE, start, start + 10)


def dims(*names: str | int) -> tuple[Dim, ...]:
    return tuple(Dim.const(name) if isinstance(name, int) else Dim.sym(name) for name in names)


def f32(*names: str | int) -> Tensor:
    return Tensor("float32", dims(*names))


def const(value: object, type_: Type | None = None) -> Const:
    guessed = {bool: BOOL, int: INT, float: FLOAT, str: STRING, tuple: List(FLOAT)}
    return Const(value, type_ or guessed[type(value)])


@dataclass
class Code:
    """Collects operations; each method gives the value of what it adds."""

    ops: list[Op] = field(default_factory=list)
    line: int = 1

    def add(self, code: str, args: tuple[Operand, ...] = (), type_: Type | None = None, name: str = "", regions=(), **attrs) -> Value:
        result = Value(name, type_ or INT)
        self.line += 1
        self.ops.append(Op(code, args, (result,) if type_ else (), attrs, tuple(regions), at(self.line)))
        return result

    def binary(self, op: str, a: Operand, b: Operand, type_: Type, name: str = "") -> Value:
        return self.add("binary", (a, b), type_, name, op=op)

    def builtin(self, builtin_name: str, *args: Operand, type_: Type, index: int = 0, result: str = "") -> Value:
        result_value = Value(result, type_)
        self.line += 1
        self.ops.append(Op("builtin", args, (result_value,), {"name": builtin_name, "index": index}, (), at(self.line)))
        return result_value

    def variable(self, name: str, value: Operand, type_: Type, top: bool = False) -> Value:
        result = Value(name, type_, True, top)
        self.line += 1
        self.ops.append(Op("copy", (value,), (result,), {}, (), at(self.line)))
        return result

    def assign(self, target: Value, value: Operand) -> None:
        self.add("assign", (value,), target=target)

    def give(self, value: Operand) -> None:
        self.add("return", (value,))

    def region(self, *yields: Operand, params: tuple[Value, ...] = ()) -> Region:
        return Region(params, tuple(self.ops), yields)


def function(name: str, params: tuple[Value, ...], result: Type, body: Region, bound: tuple[DimBinding, ...] = (), **more) -> Function:
    signature = Signature(name, tuple(Parameter(p.name, p.type) for p in params), result, **more.pop("signature", {}))
    defaults = more.pop("defaults", (Omitted(),) * len(params))
    return Function(name, params, defaults, bound, result, body, signature, at(1), **more)


def module(
    *functions: Function, program: Region | None = None, main: Region | None = None, structs: tuple[StructType, ...] = (),
    globals: tuple[Global, ...] = (), tests: tuple[TestBlock, ...] = (),
) -> Module:  # fmt: skip
    return Module(SOURCE, structs, globals, functions, program or Region(), main, tests)
