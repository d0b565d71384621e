"""What the checker carries from place to place: problems, scope, facts, and the operations built so far."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tensorlogic.checker.limits import too_large
from tensorlogic.checker.owning import shares
from tensorlogic.checker.relation_data import Relations
from tensorlogic.checker.scope import Closure, FunctionName, ModelName, Scope, StructName, Variable
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Global, Op, Operand, Region, Value
from tensorlogic.record import distinct_record
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.facts import Facts
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import DTypeVar, Fn, Int, List, Struct, Tensor, Tuple, Type, TypeVar, Unknown, widen


@distinct_record
class Typed:
    """The result of checking an expression: where its value is and what its type is. `closure` is set for a lambda not yet used;
    `doubted` where the declared type is what was found wrong, so that it must not be believed."""

    operand: Operand
    type: Type
    span: Span
    closure: Closure | FunctionName | None = None
    doubted: bool = False


NO_BOUND = -(2**62)  # of an int that may be negative; sizes are not
MAX_SUGGESTIONS = 50  # each looks at every name there is


@dataclass
class Frame:
    """One function being checked (or the file itself, `main`, a test). `mutated` are the names it assigns more than once."""

    name: str
    result: Type | None  # None: no `return` here
    facts: Facts
    mutated: frozenset[str]
    top: bool = False
    resized: frozenset[str] | None = None  # of those, lists whose length may change; None: any
    origins: dict[str, tuple[Operand, int]] = field(default_factory=dict)  # unknown dim -> (tensor, axis) that has it
    dim_values: dict[str, Value] = field(default_factory=dict)  # dimension variable -> its int
    loops: int = 0
    dtype_vars: dict[str, DTypeVar] = field(default_factory=dict)
    type_vars: dict[str, TypeVar] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    entry: frozenset[Operand] = frozenset()  # the arguments and their sizes, as far as nothing changes them
    entry_guards: list[Op] = field(default_factory=list)
    result_span: Span | None = None
    receiver: Value | None = None  # the model whose method it is
    changes: bool = False  # its statements may write tensors of models
    written: frozenset[str] = frozenset()  # the fields of the receiver that some method of it assigns
    no_grad: int = 0  # blocks without gradients around this place
    returned: list["Typed"] | None = None  # in a lambda: what its `return`s give
    unknown_names: set[str] = field(default_factory=set)  # reported already: a misspelt name is one mistake, however often it is read


@dataclass
class State:
    problems: Problems
    scope: Scope
    frame: Frame
    globals: dict[str, Global]
    checks: Mapping[type, Callable[["State", Any, Type | None], "Typed"]]
    statements: Mapping[type, Callable[["State", Any], None]]
    structs: dict[str, StructName] = field(default_factory=dict)
    models: dict[str, ModelName] = field(default_factory=dict)
    made_of: dict[str, set[str]] = field(default_factory=dict)  # the models that making a model makes
    relations: Relations = field(default_factory=Relations)
    ops: list[Op] = field(default_factory=list)
    instantiations: int = 0
    value_dims: dict[Value, Dim] = field(default_factory=dict)
    lent: set[Operand] = field(default_factory=set)  # results of functions that may be tensors of a model or of an argument
    folder: str = "."  # of the file that is being checked
    home: str = "."  # of the program
    file: str = ""
    float_dtype: str = "float32"  # of literals, layers and loads of which the program does not say it
    settings: Mapping[str, str] = field(default_factory=dict)
    used_settings: set[str] = field(default_factory=set)
    written: frozenset[str] = frozenset()  # paths that the program writes to

    # --- checking ---------------------------------------------------------------------------------------------------

    def folder_of_file(self) -> str:
        """Where the file lies that is being checked, seen from the folder of the program: its paths are relative to it."""
        folder = os.path.relpath(self.folder, self.home)
        return "" if folder == "." else folder.replace(os.sep, "/")

    def expr(self, node: ast.Node, expected: Type | None = None) -> Typed:
        """Check an expression. `expected` is a hint for literals, lambdas and exact division; the caller still compares."""
        try:
            return self.checks[type(node)](self, node, expected)
        except DimTooLarge as problem:
            return self.error("TL0314", node.span, f"a size here is too large to reason about: {problem}")

    def statement(self, node: ast.Node) -> None:
        try:
            self.statements[type(node)](self, node)
        except DimTooLarge as problem:
            self.error("TL0314", node.span, f"a size here is too large to reason about: {problem}")

    def suggestion(self, name: str, candidates: Iterable[str]) -> str:
        """Advice for a misspelt name; none any more where a program has very many mistakes."""
        near = did_you_mean(name, candidates) if len(self.problems.found) < MAX_SUGGESTIONS else None
        return f"did you mean `{near}`?" if near else ""

    # --- problems ---------------------------------------------------------------------------------------------------

    def report(self, diagnostic: Diagnostic) -> None:
        self.problems.add(diagnostic)

    def error(self, code: str, span: Span, message: str, text: str = "", help: str | tuple[str, ...] = (), **more) -> Typed:
        """Report a mistake and go on with an expression that matches everything."""
        helps = (help,) if isinstance(help, str) and help else tuple(help)
        self.problems.add(Diagnostic(code, message, span, text, help=helps, **more))
        return self.unknown(span)

    def unknown_name(self, name: str, span: Span, message: str, text: str = "", help: str = "") -> Typed:
        """A name that nothing has: TL0201 at its first use in the function."""
        if name in self.frame.unknown_names:
            return self.unknown(span)
        self.frame.unknown_names.add(name)
        return self.error("TL0201", span, message, text, help)

    def unknown(self, span: Span) -> Typed:
        return Typed(Value("", Unknown()), Unknown(), span)

    # --- operations -------------------------------------------------------------------------------------------------

    def emit(self, code: str, args: tuple[Operand, ...], type_: Type, span: Span, **attrs) -> Typed:
        """Add an operation with one result."""
        if isinstance(type_, Tuple | Struct | List | Fn) and too_large(type_):
            if not isinstance(type_, List):
                return self.error("TL0104", span, "the type of this value has too many parts", help="use a list, or a struct of its own")
            type_ = widen(type_)
        if self._untyped_lambda(args):
            return self.unknown(span)
        value = Value("", type_)
        self.ops.append(Op(code, args, (value,), attrs, (), span))
        self.trace(value, type_)
        return Typed(value, type_, span)

    def add(self, code: str, args: tuple[Operand, ...], span: Span, regions: tuple[Region, ...] = (), **attrs) -> None:
        """Add an operation without result."""
        if self._untyped_lambda(args):
            return
        self.ops.append(Op(code, args, (), attrs, regions, span))

    def _untyped_lambda(self, args: tuple[Operand, ...]) -> bool:
        """Whether one is a lambda that nothing gave types; a message at it."""
        for op in (op for arg in args if isinstance(arg, Value) and isinstance(arg.type, Fn) for op in reversed(self.ops)):
            if op.code == "lambda" and not op.regions and op.results[0] in args:
                help = "write a function with typed parameters"
                if op.span and "told" not in op.attrs and not any(d.span == op.span for d in self.problems.errors):
                    self.error("TL0306", op.span, "the types of this lambda's parameters are not known here", help=help)
                return True
        return False

    def trace(self, operand: Operand, type_: Type) -> None:
        """Remember where the unknown dims of a value can be read."""
        if isinstance(type_, Tensor):
            for axis, item in enumerate(type_.shape):
                if isinstance(item, Dim) and item.has_unknown:
                    self._trace_dim(operand, item, axis - len(type_.shape))
        elif isinstance(type_, Int) and type_.value is not None and isinstance(operand, Value):
            for name in type_.value.symbols():
                if "#" in name and type_.value == unknown_dim(type_.value):
                    self.frame.dim_values.setdefault(name, operand)

    def _trace_dim(self, operand: Operand, item: Dim, axis: int) -> None:
        names = [n for n in item.symbols() if "#" in n]
        if len(names) == 1 and len(item.terms) == 1 and item == unknown_dim(item):
            self.frame.origins.setdefault(names[0], (operand, axis))

    @contextmanager
    def block(self, kind: str = "block", scope: Scope | None = None) -> Iterator[list[Op]]:
        """A new scope with operations of its own."""
        outer_scope, outer_ops = self.scope, self.ops
        self.scope, self.ops = scope or Scope(outer_scope, kind), []
        try:
            yield self.ops
        finally:
            self.scope, self.ops = outer_scope, outer_ops

    @contextmanager
    def framed(self, frame: Frame) -> Iterator[None]:
        outer, self.frame = self.frame, frame
        try:
            yield
        finally:
            self.frame = outer

    def need(self) -> Obligations:
        return Obligations(self.frame.facts)

    def dim_for(self, operand: Operand) -> Dim:
        """A size that stands for an int known only at run time; the same one for the same unchanging value."""
        fresh = Dim.fresh() if not isinstance(operand, Value) or operand.mutable else self.value_dims.setdefault(operand, Dim.fresh())
        key = next(iter(fresh.symbols()))
        if key not in self.frame.dim_values:
            self.frame.facts = self.frame.facts.at_least(key, NO_BOUND)  # a size is never negative, an int may be
        if isinstance(operand, Value):
            self.frame.dim_values.setdefault(key, operand)
        return fresh

    # --- variables --------------------------------------------------------------------------------------------------

    def find_variable(self, name: str) -> Variable | None:
        found = self.scope.find(name)
        return found if isinstance(found, Variable) else None

    def bind_value(self, variable: Variable, typed: Typed) -> None:
        """Give a new variable its value: the operation that made it gets the variable's name, or a `copy` is added."""
        closure = typed.closure
        if isinstance(closure, Closure):
            self._name_closure(closure, variable.value)
            return
        typed = self.own(typed)
        last = self.ops[-1] if self.ops else None
        fresh = isinstance(typed.operand, Value) and not typed.operand.name and last is not None and last.results == (typed.operand,)
        if fresh and last is not None:
            self.ops[-1] = replace(last, results=(variable.value,))
            self._rename(typed.operand, variable.value)
        else:
            self.ops.append(Op("copy", (typed.operand,), (variable.value,), {}, (), variable.span))
            self.trace(variable.value, variable.type)

    def own(self, typed: Typed) -> Typed:
        """What a variable of the program, or a result, takes from something that changes: a copy, which is a value from then on. It is
        left out again where nothing changes while the value is read (`copies`)."""
        if typed.closure is not None or not shares(self, typed.operand):
            return typed
        name = "clone" if isinstance(typed.type, Tensor) else ".own"
        return self.emit("builtin", (typed.operand,), typed.type, typed.span, name=name, index=0, implied=True)

    def _name_closure(self, closure: Closure, value: Value) -> None:
        at = next(i for i, op in enumerate(closure.ops) if op is closure.placeholder)
        closure.value = Value(value.name, closure.value.type, value.mutable, value.top)
        closure.placeholder = replace(closure.placeholder, results=(closure.value,))
        closure.ops[at] = closure.placeholder

    def _rename(self, old: Operand, new: Value) -> None:
        """Sizes that were to be read from a value are read from its named successor, unless that may change."""
        for name, (operand, axis) in list(self.frame.origins.items()):
            if operand is old:
                self.frame.origins[name] = (new, axis)
        for name, value in list(self.frame.dim_values.items()):
            if value is old:
                self.frame.dim_values[name] = new
        if old in self.value_dims and not new.mutable:
            self.value_dims[new] = self.value_dims[old]  # type: ignore[index]

    def declare(self, name: str, type_: Type, span: Span) -> Variable:
        """A new variable of the innermost scope."""
        mutable = name in self.frame.mutated
        value = Value(name, type_, mutable, self.frame.top and self.scope.kind == "file")
        variable = Variable(value, type_, span)
        if name != "_":
            self.scope.names[name] = variable
        return variable


def unknown_dim(dim: Dim) -> Dim:
    """The first atom of a size as a size: equal to the size itself where that is one name."""
    atom = next(iter(dim.atoms()), None)
    return Dim((((atom,), 1),)) if atom is not None else dim
