"""Fits the arguments of a call to one signature: which argument goes where, what the variables become, what the result is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorlogic.checker.annotations import TEMPLATE
from tensorlogic.checker.coerce import default_dtype, leaf_fits, literal_shape
from tensorlogic.checker.defaults import default_value, type_of_default
from tensorlogic.checker.fitting_order import Argument, is_callable, is_host, is_literal, is_plain
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic, Label
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.dtypes import KINDS, canonical
from tensorlogic.types.goals import goal_symbols
from tensorlogic.types.mistakes import (
    AccidentalBroadcast,
    BadArgument,
    DTypeKind,
    DTypeMismatch,
    EmptySlice,
    Mistake,
    RankMismatch,
    SizeMismatch,
    WhereNotMet,
    WrongType,
)
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.shapes import SHAPE_FUNCTIONS
from tensorlogic.types.signature import Parameter, Signature
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
    List,
    NoneType,
    Segment,
    Shape,
    String,
    Tensor,
    Tuple,
    Type,
    Unknown,
)  # fmt: skip
from tensorlogic.types.unify import Bindings, Unifier, substitute, substitute_goal, substitute_shape

Apply = Callable[[Typed, tuple[Type, ...]], Type]


@dataclass
class Attempt:
    """One signature tried on the arguments. `slots` has one entry per parameter: an argument, None, or a list for `Many`."""

    signature: Signature
    index: int
    need: Obligations
    bound: Bindings = field(default_factory=Bindings)
    slots: list = field(default_factory=list)
    refused: Diagnostic | None = None  # wrong number or names of arguments
    at: list[tuple[Mistake, Argument | None]] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    stretched: bool = False  # whole numbers were taken as fractions; another overload may take them as they are

    @property
    def failed(self) -> bool:
        return self.refused is not None or bool(self.at)

    @property
    def closeness(self) -> int:
        """How far it got: overloads that failed late explain the mistake best."""
        if self.refused is not None:
            return 0
        mistake = self.at[0][0]
        return 1 if isinstance(mistake, WrongType) else 2 if isinstance(mistake, RankMismatch | DTypeMismatch | DTypeKind) else 3


def assign(attempt: Attempt, arguments: list[Argument], span: Span) -> None:
    """Positional arguments in order, named ones by name; what does not go is `refused`."""
    params = attempt.signature.params
    slots: list = [[] if p.variadic else None for p in params]
    position = 0
    for argument in arguments:
        if argument.name is not None:
            at = next((i for i, p in enumerate(params) if p.name == argument.name), None)
            if at is None:
                attempt.refused = _no_such_argument(attempt.signature, argument)
                return
        else:
            at = position
            if at >= len(params):
                attempt.refused = _wrong_number(attempt.signature, arguments, span)
                return
            position += 0 if params[at].variadic else 1
        if params[at].variadic:
            slots[at].append(argument)
        elif slots[at] is not None:
            attempt.refused = Diagnostic("TL0203", f"`{params[at].name}` is given twice", argument.node.span)
            return
        else:
            slots[at] = argument
    attempt.slots = slots
    if any(s is None and not p.has_default for s, p in zip(slots, params, strict=True)):
        attempt.refused = _wrong_number(attempt.signature, arguments, span)


def _no_such_argument(signature: Signature, argument: Argument) -> Diagnostic:
    names = [p.name for p in signature.params]
    near = did_you_mean(argument.name or "", names)
    help = f"did you mean `{near}`?" if near else f"its parameters are {', '.join(names)}" if names else "it takes no arguments"
    return Diagnostic("TL0202", f"`{signature.name}` has no parameter `{argument.name}`", argument.node.span, help=(help,))


def _wrong_number(signature: Signature, arguments: list[Argument], span: Span) -> Diagnostic:
    least, most = signature.required, len(signature.params)
    wanted = str(most) if least == most else f"{least} to {most}"
    labels = (Label(signature.span, "declared here"),) if signature.span else ()
    title = f"`{signature.name}` takes {wanted} argument{'s' if wanted != '1' else ''}, found {len(arguments)}"
    return Diagnostic("TL0307", title, span, "", labels, help=(signature.text,) if signature.text else ())


class Matcher:
    """Runs one attempt. `apply` checks a lambda with given parameter types; it runs only when everything else fits."""

    def __init__(self, state: State, attempt: Attempt, apply: Apply):
        self.state, self.attempt, self.apply = state, attempt, apply
        self.unifier = Unifier(attempt.need, attempt.bound)

    def run(self, arguments: list[Argument], span: Span) -> None:
        assign(self.attempt, arguments, span)
        if self.attempt.refused is not None:
            return
        pairs = [(p, s) for p, slot in zip(self.attempt.signature.params, self.attempt.slots, strict=True) for s in _each(slot)]
        for wave in (is_host, is_plain, is_literal, is_callable):
            for parameter, argument in pairs:
                if wave(parameter, argument) and not self.attempt.at:
                    self._fit(parameter, argument)
            if wave is is_host:
                self._defaults()
        if not self.attempt.at:
            self.unifier.settle()
            self._collect(None)
        if not self.attempt.at:
            self._requirements()

    def _collect(self, argument: Argument | None) -> None:
        self.attempt.at += [(mistake, argument) for mistake in self.attempt.need.mistakes]
        self.attempt.need.mistakes.clear()

    def _fit(self, parameter: Parameter, argument: Argument) -> None:
        what = f"`{parameter.name}` of `{self.attempt.signature.name}`"
        actual = argument.typed.type
        if parameter.type == TEMPLATE:
            if not isinstance(argument.node, ast.StringLit) or "{}" not in argument.node.value:
                self.attempt.need.fail(WrongType(what, "a literal string with `{}`", actual))
            self._collect(argument)
            return
        if isinstance(parameter.type, Tensor) and not isinstance(actual, Tensor | AnyTensor | Unknown):
            actual = self._literal_type(parameter, actual, what)
        elif isinstance(parameter.type, Fn) and argument.is_called:
            actual = self._callable_type(parameter.type, argument.typed)
        if isinstance(actual, NoneType) and parameter.has_default:
            return
        if not self.attempt.need.mistakes:
            self.unifier.fit(parameter.type, actual, what)
        if not parameter.variadic:
            self._note_value(parameter.name, parameter.type, argument.typed)
        self.attempt.types[parameter.name] = self._with_others(parameter, actual)
        self._collect(argument)

    def _with_others(self, parameter: Parameter, actual: Type) -> Type:
        """The arguments of a `Many` parameter are seen as one tuple."""
        if not parameter.variadic:
            return actual
        before = self.attempt.types.get(parameter.name)
        return Tuple((*(before.items if isinstance(before, Tuple) else ()), actual))

    def _literal_type(self, parameter: Parameter, actual: Type, what: str) -> Type:
        """A number or list of numbers where a tensor is wanted: of the wanted dtype where that is known."""
        found, pattern = literal_shape(actual), parameter.type
        assert isinstance(pattern, Tensor)
        if found is None:
            advice = "a list of numbers with equal rows is a tensor" if isinstance(actual, List) else ""
            self.attempt.need.fail(WrongType(what, str(self.unifier.show(pattern)), actual, advice))
            return actual
        dtype = self._literal_dtype(pattern.dtype, found[1])
        if not leaf_fits(found[1], dtype):
            self.attempt.need.fail(WrongType(what, str(self.unifier.show(pattern)), actual))
        return Tensor(dtype, found[0])

    def _literal_dtype(self, dtype: str | DTypeVar, leaf: Type) -> str | DTypeVar:
        if not isinstance(dtype, DTypeVar):
            return dtype
        known = self.attempt.bound.dtypes.get(dtype.name)
        if known is not None:
            return known
        usual = default_dtype(self.state, leaf)
        if usual in KINDS[dtype.kind] or isinstance(leaf, Bool) or dtype.kind != "float":
            return usual
        self.attempt.stretched = True
        return "float32"

    def _callable_type(self, pattern: Fn, typed: Typed) -> Type:
        params = tuple(substitute(p, self.attempt.bound, keep_open=True) for p in pattern.params)
        return Fn(params, self.apply(typed, params))

    def _note_value(self, name: str, type_: Type, typed: Typed) -> None:
        """Remember the values of host arguments: shapes may depend on them."""
        bound = self.attempt.bound
        match typed.type:
            case Int() if isinstance(type_, Int | Any):
                size = dim_of(self.state, typed)
                if name in bound.dims and isinstance(type_, Int):
                    self.unifier.require_equal(bound.dims[name], size, f"`{name}`")
                bound.values[name] = bound.dims[name] = size
            case List(_, items) | Tuple(items) if items is not None and all(isinstance(i, Int) for i in items):
                sizes = tuple(i.value if isinstance(i, Int) else None for i in items)
                bound.values[name] = sizes
                if None not in sizes:
                    bound.segments[name] = tuple(s for s in sizes if s is not None)  # `w: T[...shape]` has these sizes
            case Bool(value) | String(value) | Float(value):
                bound.values[name] = value
            case NoneType():
                bound.values[name] = typed.type

    def _defaults(self) -> None:
        for parameter, slot in zip(self.attempt.signature.params, self.attempt.slots, strict=True):
            if slot is None or (parameter.variadic and not slot):
                self._default(parameter)

    def _default(self, parameter: Parameter) -> None:
        bound, node, value = self.attempt.bound, parameter.default, default_value(parameter.default)
        match parameter.type:
            case DTypeValue(DTypeVar(name)) if isinstance(node, ast.Name) and (dtype := canonical(node.name)):
                bound.dtypes.setdefault(name, dtype)
                self.attempt.types[parameter.name] = DTypeValue(dtype)
                return
            case Int() | Any() if type(value) is int:
                bound.dims[parameter.name] = bound.values[parameter.name] = Dim.const(value)
            case _:
                bound.values[parameter.name] = value
        self.attempt.types[parameter.name] = type_of_default(parameter, value)

    def _requirements(self) -> None:
        signature, bound = self.attempt.signature, self.attempt.bound
        for requirement in signature.where:
            sizes = {n: bound.dims.get(n) or Dim.fresh() for n in sorted(goal_symbols(requirement.goal))}  # fresh: of a `Tensor`
            goal = substitute_goal(requirement.goal, sizes)
            values = ", ".join(f"{name} is {size}" for name, size in sizes.items() if name in bound.dims)
            told = (f"`{signature.name}`", goal, requirement.text, values)
            self.attempt.need.require(goal, lambda w, t=told: WhereNotMet(t[0], t[1], w, t[2], t[3]))
        self._collect(None)

    def apply_type(self, function: Type, params: tuple[Type, ...]) -> Type:
        """The result of a function argument, given as the type that it has in `attempt.types`."""
        for parameter, slot in zip(self.attempt.signature.params, self.attempt.slots, strict=True):
            if self.attempt.types.get(parameter.name) is function and isinstance(slot, Argument):
                if not isinstance(function, Fn | Unknown):
                    self.attempt.need.fail(WrongType(f"`{parameter.name}` of `{self.attempt.signature.name}`", "a function", function))
                    return Unknown()
                return self.apply(slot.typed, params)
        return Unknown()

    # --- the result -------------------------------------------------------------------------------------------------

    def result(self) -> Type:
        value = self.attempt.signature.value
        if value is not None and all(isinstance(self.attempt.bound.values.get(name), Dim) for name in value.symbols()):
            try:
                return Int(value.substitute(self.attempt.bound.dims))
            except DimTooLarge:
                return Int()
        return self._finish(self.attempt.signature.result)

    def _finish(self, type_: Type) -> Type:
        match type_:
            case Tensor():
                return self._tensor(type_)
            case Tuple(items):
                return Tuple(tuple(self._finish(i) for i in items))
            case List(element):
                return List(self._finish(element))
        return substitute(type_, self.attempt.bound)

    def _tensor(self, pattern: Tensor) -> Type:
        """`Tensor` where a dtype or a run of dims is not known."""
        bound, shape = self.attempt.bound, []
        dtype = bound.dtypes.get(pattern.dtype.name) if isinstance(pattern.dtype, DTypeVar) else pattern.dtype
        for item in pattern.shape:
            run = self._run(item)
            if run is None:
                return AnyTensor()
            shape.extend(run)
        for item in shape:
            if isinstance(item, Dim) and item.value is not None and item.value < 0:
                self.attempt.at.append((EmptySlice("a size of the result", item), None))
        return AnyTensor() if dtype is None else Tensor(dtype, tuple(shape))

    def _run(self, item: Dim | Segment | Derived) -> Shape | None:
        bound = self.attempt.bound
        match item:
            case Dim():
                return substitute_shape((item,), bound)
            case Segment(name) if name in bound.segments:
                return bound.segments[name]
            case Segment(name):
                sizes = bound.values.get(name)
                return tuple(s or Dim.fresh() for s in sizes) if isinstance(sizes, tuple) else None
            case Derived(function, args):
                values = [self._derived_argument(a) for a in args]
                known = SHAPE_FUNCTIONS[function](self.attempt.need, *values) if _MISSING not in values else None
                self._collect(None)
                return known

    def _derived_argument(self, arg: object) -> object:
        bound = self.attempt.bound
        if not isinstance(arg, str):
            return arg.substitute(bound.dims) if isinstance(arg, Dim) else arg
        if arg in bound.segments:
            return bound.segments[arg]
        if arg in bound.values:
            return bound.values[arg]
        return _MISSING if arg in self.attempt.signature.segments else bound.dims.get(arg)


_MISSING = object()  # a run of dims that no argument bound, because the tensor is a `Tensor`


def _each(slot: object) -> list[Argument]:
    return slot if isinstance(slot, list) else [slot] if isinstance(slot, Argument) else []


def dim_of(state: State, typed: Typed) -> Dim:
    """The symbolic value of an int. One that is not known gets a name of its own, so that equal things stay equal."""
    assert isinstance(typed.type, Int)
    if typed.type.value is not None:
        return typed.type.value
    if isinstance(typed.operand, Const) and type(typed.operand.value) is int:
        return Dim.const(typed.operand.value)
    return state.dim_for(typed.operand)


def explain_failure(attempt: Attempt, arguments: list[Argument], span: Span, named: Callable[[Argument], Label]) -> Diagnostic:
    """The message for an attempt that failed, with the places of the arguments that disagree."""
    if attempt.refused is not None:
        return attempt.refused
    mistake, argument = attempt.at[0]
    place = argument.node.span if argument is not None else span
    labels = tuple(named(a) for a in arguments if a is not argument and isinstance(a.typed.type, Tensor))[:4]
    if isinstance(mistake, SizeMismatch | RankMismatch | AccidentalBroadcast | WhereNotMet) and argument is not None:
        labels = (named(argument), *labels)
    if isinstance(mistake, WhereNotMet | BadArgument):
        labels = _declared(attempt, mistake)
    return describe(mistake, place, labels, f"`{attempt.signature.name}`")


def _declared(attempt: Attempt, mistake: Mistake) -> tuple[Label, ...]:
    spans = [(r.span, r.text) for r in attempt.signature.where if r.span is not None]
    return tuple(Label(span, "required here") for span, _ in spans[:1]) if isinstance(mistake, WhereNotMet) else ()
