"""The check at the door: functions that Python calls look at their arguments before they run.

The fast path is a few comparisons; what is wrong is worked out only after one of them failed.
"""

import ast
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from tensorlogic.backends import nodes
from tensorlogic.backends.check_words import explain
from tensorlogic.backends.nodes import LOAD, STORE
from tensorlogic.backends.sizes import claim, size
from tensorlogic.ir.ir import Function, Value
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.goals import goal_symbols
from tensorlogic.types.types import Bool, DTypeVar, Float, Int, Segment, String, Tensor

_HOST = {Int: ("int",), Float: ("float", "int"), Bool: ("bool",), String: ("str",)}


def make_checked(function: Function, python_function: Callable) -> Callable:
    """The function with a check of its arguments: dtype, rank, sizes, `where` clauses, types of numbers.

    A call that does not fit raises TensorLogicError with TL0306, 0302, 0304, 0301 or 0311; it names the parameter, what was
    expected and found, and where each size came from. Costs about 0.25 microseconds per tensor when all is well.
    """
    fits = _compile(function)
    code = getattr(python_function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else tuple(param.name for param in function.params)

    @wraps(python_function)
    def checked(*args: Any, **keywords: Any) -> Any:
        try:
            fine = not keywords and fits(*args)
        except (AttributeError, ValueError, TypeError, ArithmeticError):
            fine = False
        if not fine:
            explain(function, args, keywords, names)
        return python_function(*args, **keywords)

    return checked


def _compile(function: Function) -> Callable[..., bool]:
    """A Python function of the same parameters that is true when the arguments fit."""
    writer = _Checks(function)
    body = [*writer.statements(), ast.Return(ast.Constant(True))]
    count = len(function.params)
    defaults = sum(p.has_default for p in function.signature.params)
    arguments = ast.arguments([], [ast.arg(f"a{i}") for i in range(count)], None, [], [], None, [ast.Name("MISSING", LOAD)] * defaults)
    tree = ast.Module([ast.FunctionDef("fits", arguments, body, [], None)], [])
    for node in ast.walk(tree):
        if "lineno" in node._attributes:
            node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = 1, 0, 1, 0  # type: ignore[attr-defined]
    namespace = writer.names()
    exec(compile(tree, "<argument checks>", "exec", dont_inherit=True), namespace)
    return namespace["fits"]


class _Checks:
    """Statements that return False where an argument does not fit."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.sizes: dict[str, ast.expr] = {}
        self.segments: dict[str, str] = {}
        self.dtypes: dict[str, ast.expr] = {}

    def names(self) -> dict[str, Any]:
        import torch

        dtypes = {p.type.dtype for p in self.function.params if isinstance(p.type, Tensor) and isinstance(p.type.dtype, str)}
        found: dict[str, Any] = {f"{d}": getattr(torch, d, d) for d in dtypes}
        floats = frozenset((torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2))
        ints = frozenset((torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8))
        kinds = {"float": floats, "int": ints, "number": floats | ints | {torch.complex64, torch.complex128}, "bool": {torch.bool}}
        return {**found, **{f"kind_{name}": kind for name, kind in kinds.items()}, "MISSING": _MISSING}

    def statements(self) -> Iterator[ast.stmt]:
        for i, param in enumerate(self.function.params):
            if self.function.signature.params[i].has_default:
                yield from self.optional(f"a{i}", param)
            else:
                yield from self.argument(f"a{i}", param)
        for requirement in self.function.signature.where:
            if self.known(requirement.goal):
                yield _unless(claim(requirement.goal, self.sizes))

    def optional(self, name: str, param: Value) -> Iterator[ast.stmt]:
        """A parameter with a default is looked at where it is given; it binds no size for the others."""
        outer = self.sizes, self.segments, self.dtypes
        self.sizes, self.segments, self.dtypes = dict(self.sizes), dict(self.segments), dict(self.dtypes)
        body = list(self.argument(name, param))
        self.sizes, self.segments, self.dtypes = outer
        if body:
            given = ast.Compare(ast.Name(name, LOAD), [ast.IsNot()], [ast.Name("MISSING", LOAD)])
            yield ast.If(given, body, [])

    def known(self, goal: Any) -> bool:
        return goal_symbols(goal) <= self.sizes.keys()

    def argument(self, name: str, param: Value) -> Iterator[ast.stmt]:
        match param.type:
            case Tensor():
                yield from self.tensor(name, param.type)
            case Int() | Float() | Bool() | String():
                allowed = [ast.Name(kind, LOAD) for kind in _HOST[type(param.type)]]
                yield _unless(_is_one_of(ast.Call(ast.Name("type", LOAD), [ast.Name(name, LOAD)], []), allowed))
                if isinstance(param.type, Int) and param.name not in self.sizes:
                    self.sizes[param.name] = ast.Name(name, LOAD)

    def tensor(self, name: str, type_: Tensor) -> Iterator[ast.stmt]:
        yield from self.dtype(ast.Attribute(ast.Name(name, LOAD), "dtype", LOAD), type_.dtype)
        shape = ast.Attribute(ast.Name(name, LOAD), "shape", LOAD)
        targets = [ast.Name(f"{name}_{i}", STORE) for i in range(len(type_.shape))]
        pairs = zip(targets, type_.shape, strict=True)
        starred: list[ast.expr] = [target if isinstance(item, Dim) else ast.Starred(target, STORE) for target, item in pairs]
        if starred:
            whole: ast.expr = ast.Tuple(starred, STORE)
            yield ast.Assign([whole], shape)
        else:
            yield ast.If(shape, [ast.Return(ast.Constant(False))], [])
        for i, item in enumerate(type_.shape):
            yield from self.axis(ast.Name(f"{name}_{i}", LOAD), item)

    def dtype(self, found: ast.expr, dtype: str | DTypeVar) -> Iterator[ast.stmt]:
        if isinstance(dtype, str):
            wanted = ast.Constant(dtype) if dtype in QUANTIZED else ast.Name(dtype, LOAD)
            yield _unless(ast.Compare(found, [ast.Eq() if dtype in QUANTIZED else ast.Is()], [wanted]))
        elif dtype.name in self.dtypes:
            yield _unless(ast.Compare(found, [ast.Is()], [self.dtypes[dtype.name]]))
        else:
            self.dtypes[dtype.name] = found
            if dtype.kind != "any":
                yield _unless(ast.Compare(found, [ast.In()], [ast.Name(f"kind_{dtype.kind}", LOAD)]))

    def axis(self, found: ast.expr, item: object) -> Iterator[ast.stmt]:
        if isinstance(item, Segment):
            yield from self.segment(found, item.name)
        if not isinstance(item, Dim) or item.has_unknown:
            return
        bound = self.bindable(item)
        if bound:
            self.sizes[bound] = found
        elif item.symbols() <= self.sizes.keys():
            yield _unless(ast.Compare(found, [ast.Eq()], [size(item, self.sizes)]))
        else:
            yield from self.solve(found, item)

    def segment(self, found: ast.expr, name: str) -> Iterator[ast.stmt]:
        if name and name in self.segments:
            yield _unless(ast.Compare(found, [ast.Eq()], [ast.Name(self.segments[name], LOAD)]))
        elif name:
            assert isinstance(found, ast.Name)
            self.segments[name] = found.id

    def bindable(self, item: Dim) -> str | None:
        """The name, where the size is one that has no number yet."""
        names = item.symbols()
        name = next(iter(names)) if len(names) == 1 else None
        return name if name is not None and name not in self.sizes and item == Dim.sym(name) else None

    def solve(self, found: ast.expr, item: Dim) -> Iterator[ast.stmt]:
        """`3 * N` binds N by exact division."""
        binding = next((b for b in self.function.dims if b.value.name in item.symbols() and b.value.name not in self.sizes), None)
        if binding is None or item != Dim.sym(binding.value.name) * binding.scale + binding.offset:
            return
        rest = ast.BinOp(found, ast.Sub(), nodes.number(binding.offset))
        yield _unless(ast.Compare(ast.BinOp(rest, ast.Mod(), nodes.number(binding.scale)), [ast.Eq()], [ast.Constant(0)]))
        self.sizes[binding.value.name] = ast.BinOp(rest, ast.FloorDiv(), nodes.number(binding.scale))


_MISSING = object()


def _unless(condition: ast.expr) -> ast.stmt:
    return ast.If(ast.UnaryOp(ast.Not(), condition), [ast.Return(ast.Constant(False))], [])


def _is_one_of(found: ast.expr, allowed: list[ast.Name]) -> ast.expr:
    tests: list[ast.expr] = [ast.Compare(found, [ast.Is()], [kind]) for kind in allowed]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
