"""Fits the arguments of one call to a signature: binds its variables, and says what does not fit.

Variables of the callee never meet those of the caller: a pattern is only ever read through the bindings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import KINDS, QUANTIZED
from tensorlogic.types.facts import Divides, Goal, Member, Rel
from tensorlogic.types.mistakes import DTypeKind, DTypeMismatch, RankMismatch, SizeMismatch, WrongType
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import (
    Any,
    AnyTensor,
    Bool,
    Derived,
    DTypeValue,
    DTypeVar,
    Float,
    Fn,
    Int,
    Library,
    List,
    ModelOf,
    NoneType,
    Range,
    Record,
    Segment,
    Shape,
    String,
    Struct,
    Tensor,
    Tuple,
    Type,
    TypeVar,
    Unknown,
    widen,
)  # fmt: skip


@dataclass
class Bindings:
    """What the variables of a signature stand for at this call."""

    dims: dict[str, Dim] = field(default_factory=dict)
    segments: dict[str, Shape] = field(default_factory=dict)
    dtypes: dict[str, str | DTypeVar] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)  # what is known of int, [int], bool and string arguments by parameter
    later: list[tuple[str, Dim, Dim]] = field(default_factory=list)  # (what, pattern, actual): not solvable when they were met
    origins: dict[str, str] = field(default_factory=dict)  # which argument settled a dim, in words

    def dim(self, pattern: Dim) -> Dim | None:
        """The caller's size for a pattern, or None while one of its variables is unbound."""
        return pattern.substitute(self.dims) if pattern.symbols() <= self.dims.keys() else None


@dataclass
class Unifier:
    """Every variable of a pattern is open until an argument binds it. A `rigid` pattern is a type of the caller's own world instead:
    there only a `?` is open, and names stand for themselves."""

    need: Obligations
    bound: Bindings
    rigid: bool = False

    def fit(self, pattern: Type, actual: Type, what: str) -> None:
        """Bind what `pattern` leaves open so that it becomes `actual`; report through `need` where that cannot be."""
        match pattern, actual:
            case (_, Unknown()) | (Unknown() | Any(), _):
                return
            case Library("Plain"), _ if prints_alike(actual):
                return
            case TypeVar(name), _ if not self.rigid:
                self._fit_variable(name, actual, what)
            case TypeVar(name), TypeVar(other) if name == other:
                return
            case Tensor(), Tensor():
                self._fit_tensor(pattern, actual, what)
            case (Tensor(), AnyTensor()) | (AnyTensor(), Tensor()) | (AnyTensor(), AnyTensor()) | (Float(), Int()):
                return
            case DTypeValue(dtype), DTypeValue(found):
                self.fit_dtype(dtype, found, what)
            case List(TypeVar(name)), List(_, items) | Tuple(items) if items and not self.rigid and name not in self.bound.types:
                self.bound.types[name] = common_type(items)
            case List(element), List(found, items):
                for item in items if items is not None else (found,):
                    self.fit(element, item, what)
            case List(element), Range():
                self.fit(element, Int(), what)
            case (List(element), Tuple(items)) if items:
                for item in items:
                    self.fit(element, item, what)
            case (Tuple(wanted), Tuple(found)) if len(wanted) == len(found):
                for want, have in zip(wanted, found, strict=True):
                    self.fit(want, have, what)
            case (Struct(name, args), Struct(other, others)) if name == other:
                for want, have in zip(args, others, strict=True):
                    self.fit(want, have, what)
            case (Record(wanted), Record(found)) if [name for name, _ in wanted] == [name for name, _ in found]:
                for (_, want), (_, have) in zip(wanted, found, strict=True):
                    self.fit(want, have, what)
            case (ModelOf(name, args), ModelOf(other, others)) if name == other:
                for (_, want), (_, have) in zip(args, others, strict=True):
                    if isinstance(want, Dim) and isinstance(have, Dim):
                        self.fit_dim(want, have, what)
            case (Library("Model"), ModelOf()) | (Library("AnyStruct"), Struct()):
                return
            case (Fn(params, result), Fn(others, given)) if len(params) == len(others):
                self._fit_function(params, result, others, given, what)
            case _ if not _same_host_type(pattern, actual):
                scalar = isinstance(actual, Tensor) and not actual.shape and isinstance(pattern, Int | Float | Bool)
                advice = "take its value with `.item()`" if scalar else ""
                self.need.fail(WrongType(what, str(self.show(pattern)), actual, advice))

    def _fit_function(self, params: tuple[Type, ...], result: Type, others: tuple[Type, ...], given: Type, what: str) -> None:
        for want, have in zip(params, others, strict=True):
            self.fit(want, have, what)
        self.fit(result, given, what)

    def _fit_variable(self, name: str, actual: Type, what: str) -> None:
        known = self.bound.types.get(name)
        if known is None:
            self.bound.types[name] = actual
        else:
            Unifier(self.need, self.bound, rigid=True).fit(known, actual, what)

    def _fit_tensor(self, pattern: Tensor, actual: Tensor, what: str) -> None:
        self.fit_dtype(pattern.dtype, actual.dtype, what)
        self.fit_shape(pattern, actual, what)

    def fit_dtype(self, pattern: str | DTypeVar, found: str | DTypeVar, what: str) -> None:
        if self.rigid or not isinstance(pattern, DTypeVar):
            if pattern != found:
                self.need.fail(DTypeMismatch(what, pattern, found))
            return
        known = self.bound.dtypes.get(pattern.name)
        if known is not None:
            if known != found:
                self.need.fail(DTypeMismatch(what, known, found))
            return
        allowed = KINDS[pattern.kind]
        inside = KINDS[found.kind] <= allowed if isinstance(found, DTypeVar) else found in allowed
        if not inside:
            self.need.fail(DTypeKind(what, pattern.kind, found))
        self.bound.dtypes[pattern.name] = found

    def fit_shape(self, pattern: Tensor, actual: Tensor, what: str) -> None:
        wanted, found = pattern.shape, actual.shape
        at = next((i for i, item in enumerate(wanted) if isinstance(item, Segment)), None)
        if at is None:
            self._fit_dims(pattern, actual, what)
            return
        after = len(wanted) - at - 1
        if len(found) < at + after or any(isinstance(d, Segment) for d in found[:at] + found[len(found) - after :]):
            self.need.fail(RankMismatch(what, str(self.show(pattern)), actual))
            return
        self._fit_run(wanted[:at], found[:at], what)
        self._fit_segment(wanted[at], found[at : len(found) - after], pattern, actual, what)  # type: ignore[arg-type]
        self._fit_run(wanted[at + 1 :], found[len(found) - after :], what)

    def _fit_dims(self, pattern: Tensor, actual: Tensor, what: str) -> None:
        if len(pattern.shape) != len(actual.shape) or any(isinstance(d, Segment) for d in actual.shape):
            self.need.fail(RankMismatch(what, str(self.show(pattern)), actual))
            return
        self._fit_run(pattern.shape, actual.shape, what)

    def _fit_run(self, wanted: Shape, found: Shape, what: str) -> None:
        for want, have in zip(wanted, found, strict=True):
            if isinstance(want, Dim) and isinstance(have, Dim):
                self.fit_dim(want, have, what)

    def _fit_segment(self, segment: Segment, found: Shape, pattern: Tensor, actual: Tensor, what: str) -> None:
        known = (segment,) if self.rigid else self.bound.segments.get(segment.name)
        if segment.name == "":
            return
        if known is None:
            self.bound.segments[segment.name] = found
        elif len(known) != len(found) or any(_differ(a, b) for a, b in zip(known, found, strict=True)):
            self.need.fail(RankMismatch(what, str(self.show(pattern)), actual))
        else:
            for have, new in zip(known, found, strict=True):
                if isinstance(have, Dim) and isinstance(new, Dim):
                    self.require_equal(have, new, what)

    def fit_dim(self, pattern: Dim, actual: Dim, what: str) -> None:
        """`pattern` is a polynomial over the callee's variables; at most one of them may be unbound, and stand there linearly."""
        if pattern.has_unknown and len(pattern.symbols()) == 1 and len(pattern.terms) == 1:
            return  # a `?` takes anything, each time anew
        known = self._known(pattern)
        if known is not None:
            self._require_pattern(pattern, known, actual, what)
            return
        solved = self._solve(pattern, actual, what)
        if solved is None:
            self.bound.later.append((what, pattern, actual))

    def _require_pattern(self, pattern: Dim, known: Dim, actual: Dim, what: str) -> None:
        first = self.bound.origins.get(pattern.name or "", "")
        self.need.require(Rel("==", known, actual), lambda witness: SizeMismatch(what, known, actual, witness, pattern, first))

    def _known(self, pattern: Dim) -> Dim | None:
        return pattern if self.rigid else self.bound.dim(pattern)

    def _solve(self, pattern: Dim, actual: Dim, what: str) -> str | None:
        free = [name for name in pattern.symbols() if name not in self.bound.dims]
        if len(free) != 1:
            return None
        name = free[0]
        zero, one = (pattern.substitute({name: Dim.const(n)}) for n in (0, 1))
        factor = one - zero
        if zero + factor * Dim.sym(name) != pattern:
            return None
        rest, scale = actual - zero.substitute(self.bound.dims), factor.substitute(self.bound.dims)
        if scale.value != 1:
            self.need.require(Divides(scale, rest), lambda w: SizeMismatch(f"a multiple of {scale}", pattern, actual, w))
        self.bound.dims[name] = rest.exact_div(scale)
        self.bound.origins[name] = what
        return name

    def settle(self) -> None:
        """After all arguments: what could not be solved when it was met."""
        for what, pattern, actual in self.bound.later:
            if (known := self.bound.dim(pattern)) is not None:
                self._require_pattern(pattern, known, actual, what)
            else:
                self._solve(pattern, actual, what)
        self.bound.later.clear()

    def require_equal(self, left: Dim, right: Dim, what: str) -> None:
        self.need.require(Rel("==", left, right), lambda witness: SizeMismatch(what, left, right, witness))

    def show(self, pattern: Type) -> Type:
        """The pattern with what is bound so far, for messages."""
        return substitute(pattern, self.bound, keep_open=True)


def prints_alike(type_: Type) -> bool:
    """Whether Python prints a value of this type as the language does."""
    match type_:
        case List(element, items):
            return all(isinstance(i, Int | Float | List) and prints_alike(i) for i in (items if items is not None else (element,)))
        case Tensor(dtype):
            return dtype not in QUANTIZED
    return isinstance(type_, Int | Float | String)


def common_type(items: tuple[Type, ...]) -> Type:
    """What the items of a list or tuple have in common: tensors of different shapes are tensors."""
    if all(isinstance(i, Tensor | AnyTensor) for i in items) and any(i != items[0] for i in items):
        return AnyTensor()
    return items[0] if all(i == items[0] for i in items) else widen(items[0])


def _differ(left: object, right: object) -> bool:
    """Whether one of them is a segment and the other not the same one."""
    return (isinstance(left, Segment) or isinstance(right, Segment)) and left != right


def _same_host_type(pattern: Type, actual: Type) -> bool:
    if isinstance(pattern, Library) or isinstance(actual, Library):
        return pattern == actual
    return type(pattern) is type(actual) and isinstance(pattern, Int | Float | Bool | String | NoneType | Range)


def substitute_goal(goal: Goal, dims: Mapping[str, Dim]) -> Goal:
    match goal:
        case Rel(op, left, right):
            return Rel(op, left.substitute(dims), right.substitute(dims))
        case Divides(divisor, dividend):
            return Divides(divisor.substitute(dims), dividend.substitute(dims))
        case Member(dim, values):
            return Member(dim.substitute(dims), values)


def substitute(type_: Type, bound: Bindings, keep_open: bool = False) -> Type:
    """A type of the signature in the caller's terms. Open dims become `?`, or stay with `keep_open`."""
    match type_:
        case Tensor(dtype, shape):
            dtype = bound.dtypes.get(dtype.name, dtype) if isinstance(dtype, DTypeVar) else dtype
            return Tensor(dtype, substitute_shape(shape, bound, keep_open))
        case TypeVar(name):
            return bound.types.get(name, type_)
        case List(element, items):
            one_by_one = tuple(substitute(i, bound, keep_open) for i in items) if items is not None else None
            return List(substitute(element, bound, keep_open), one_by_one)
        case Tuple(items):
            return Tuple(tuple(substitute(i, bound, keep_open) for i in items))
        case Fn(params, result):
            return Fn(tuple(substitute(p, bound, keep_open) for p in params), substitute(result, bound, keep_open))
        case Struct(name, args):
            return Struct(name, tuple(substitute(a, bound, keep_open) for a in args))
        case Record(fields):
            return Record(tuple((name, substitute(part, bound, keep_open)) for name, part in fields))
        case ModelOf(name, args):
            return ModelOf(name, tuple((n, _substitute_dim(v, bound, keep_open) if isinstance(v, Dim) else v) for n, v in args))
        case Int(value) if value is not None:
            return Int(_substitute_dim(value, bound, keep_open))
    return type_


def substitute_shape(shape: Shape, bound: Bindings, keep_open: bool = False) -> Shape:
    items: list = []
    for item in shape:
        match item:
            case Dim():
                items.append(_substitute_dim(item, bound, keep_open))
            case Segment(name) if name in bound.segments:
                items.extend(bound.segments[name])
            case Segment() | Derived():
                items.append(item)
    return tuple(items)


def _substitute_dim(dim: Dim, bound: Bindings, keep_open: bool) -> Dim:
    """Open variables, and each `?` of the signature, become a new unknown at this call, the same one everywhere in it."""
    if not keep_open:
        for name in dim.symbols() - bound.dims.keys():
            bound.dims[name] = Dim.fresh()
    return dim.substitute(bound.dims)
