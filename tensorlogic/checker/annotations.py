"""From written types and `where` clauses to types and goals."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorlogic.checker.messages import describe
from tensorlogic.checker.relation_data import EntityName
from tensorlogic.checker.scope import GlobalName, MemberName, ModelName, Namespace, Scope, StructName, Unsupported
from tensorlogic.checker.type_names import type_hint
from tensorlogic.diagnostics.diagnostic import Diagnostic, Problems
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const
from tensorlogic.source import Span
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim, DimTooLarge
from tensorlogic.types.dtypes import DTYPES, KINDS, QUANTIZED, SHORT, canonical
from tensorlogic.types.goals import Divides, Goal, Member, Rel
from tensorlogic.types.mistakes import NotDivisible
from tensorlogic.types.signature import Requirement
from tensorlogic.types.types import (
    RULES,
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
    Segment,
    Shape,
    ShapeItem,
    String,
    Struct,
    Tensor,
    Tuple,
    Type,
    TypeVar,
    Unknown,
    Void,
)  # fmt: skip

HOST_TYPES: dict[str, Type] = {
    "int": Int(), "float": Float(), "bool": Bool(), "string": String(), "void": Void(), "Tensor": AnyTensor(), "any": Any(),
    "none": NoneType(), "range": Range(),
}  # fmt: skip
LIBRARY_TYPES = ("Model", "Tokenizer", "KVCache", "Optimizer", "Scheduler", "Dataset", "Device", "Adapter")
TEMPLATE = Library("Template")  # in builtins: a literal string with `{}` in it
PLAIN = Library("Plain")  # in builtins: what Python prints as the language does
MAX_RANK = 64
MAX_TERMS = 200
MAX_SIZE = 2**63


@dataclass
class Annotations:
    """Reads the types of one declaration. `dims` collects its dimension variables; what is no constant in scope becomes one.

    With `open_dims` False (bodies, top level) a dimension must be in scope already: `known` maps such names to their sizes.
    """

    problems: Problems
    scope: Scope
    open_dims: bool = True
    known: Callable[[str], Dim | None] = lambda name: None
    builtin: bool = False
    dims: list[str] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    dtype_vars: dict[str, DTypeVar] = field(default_factory=dict)
    type_vars: dict[str, TypeVar] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)  # unknown names that were told of already
    obligations: list[tuple[Goal, Span]] = field(default_factory=list)  # divisibility that the written types rely on

    # --- types ------------------------------------------------------------------------------------------------------

    def type(self, node: ast.TypeExpr) -> Type:
        match node:
            case ast.TensorTypeExpr():
                return self._tensor(node)
            case ast.ListTypeExpr(element=element):
                return List(self.type(element))
            case ast.TupleTypeExpr(items=items):
                return Tuple(tuple(self.type(i) for i in items))
            case ast.FnTypeExpr(params=params, result=result):
                return Fn(tuple(self.type(p) for p in params), self.type(result))
            case ast.NamedType():
                return self._named(node)
            case ast.ModelTypeExpr():
                return self._model(node)
        raise AssertionError(f"no type is written as {type(node).__name__}")

    def _error(self, code: str, span: Span, message: str, help: str = "") -> Type:
        self.problems.add(Diagnostic(code, message, span, help=(help,) if help else ()))
        return Unknown()

    def _named(self, node: ast.NamedType) -> Type:
        name = node.name
        if node.module is None and name in self.type_vars:
            return self.type_vars[name]
        found = self._lookup(node)
        if isinstance(found, StructName):
            return self._struct(node, found)
        if isinstance(found, Unsupported):
            return Unknown()
        if node.module is None:
            if name in HOST_TYPES and (name not in ("any", "none", "range") or self.builtin):
                return HOST_TYPES[name]
            if self.builtin and (special := self._builtin_type(node)) is not None:
                return special
            if name in LIBRARY_TYPES:
                return Library(name)
        return self._unknown_type(node)

    def _model(self, node: ast.ModelTypeExpr) -> Type:
        """`Attention(D, H)`: the model's int parameters, by position or by name."""
        found = self._lookup(node)
        if found is None and node.module is None and node.name in LAYERS:
            from tensorlogic.checker.instances import layer  # which reads the declarations of layers with this very class

            found = layer(node.name)
        if not isinstance(found, ModelName):
            return self._unknown_model(node, found)
        names, given = list(found.signature.own_sizes), {}
        for position, arg in enumerate(node.args):
            name = arg.name or (names[position] if position < len(names) else None)
            if name not in names or name in given:
                return self._error("TL0307", arg.span, f"`{node.name}` has the int parameters {', '.join(names) or 'none'}")
            given[name] = self.dim(arg.value)
        return ModelOf(found.unique, tuple((name, given.get(name)) for name in names))

    def _unknown_model(self, node: ast.ModelTypeExpr, found: object) -> Type:
        if isinstance(found, Unsupported) or (self.scope.incomplete() and node.module is None):
            return Unknown()
        near = did_you_mean(node.name, [n for n in self.scope.visible() if isinstance(self.scope.find(n), ModelName)])
        return self._error("TL0201", node.span, f"there is no model `{node.name}`", f"did you mean `{near}`?" if near else "")

    def _lookup(self, node: ast.NamedType | ast.ModelTypeExpr) -> object:
        if node.module is None:
            return self.scope.find(node.name)
        space = self.scope.find(node.module)
        return space.scope.member(node.name) if isinstance(space, Namespace) else space

    def _struct(self, node: ast.NamedType, found: StructName) -> Type:
        wanted = len(found.item.type_vars)
        if len(node.args) != wanted:
            return self._error("TL0307", node.span, f"`{node.name}` takes {wanted} type arguments, found {len(node.args)}")
        return Struct(found.item.name, tuple(self.type(a) for a in node.args))  # type: ignore[arg-type]

    def _builtin_type(self, node: ast.NamedType) -> Type | None:
        match node.name, node.args:
            case "DType", (ast.NamedType(name=name),):
                return DTypeValue(self.dtype_vars.setdefault(name, DTypeVar(name)))
            case "Template", ():
                return TEMPLATE
            case "Plain", ():
                return PLAIN
            case name, () if name in RULES:
                return Library(name)
            case "Many", (element,):
                return self.type(element)  # type: ignore[arg-type]
        if node.name in self.type_vars:
            return self.type_vars[node.name]
        return None

    def _unknown_type(self, node: ast.NamedType) -> Type:
        if canonical(node.name):
            return self._error(
                "TL0306", node.span, f"`{node.name}` is a dtype: a tensor type has a shape", f"write `{node.name}[]` for a scalar tensor"
            )
        if self.scope.incomplete() and node.module is None:
            return Unknown()
        names = [*HOST_TYPES, *LIBRARY_TYPES, *SHORT, *DTYPES, *(n for n in self.scope.visible())]
        near = did_you_mean(node.name, [n for n in names if n not in ("any", "none", "range")])
        help = type_hint(node.name) or (f"did you mean `{near}`?" if near else "")
        return self._error("TL0201", node.span, f"there is no type `{node.name}`", help)

    def _tensor(self, node: ast.TensorTypeExpr) -> Type:
        dtype = self._dtype(node)
        shape = self.shape(node.shape, node.span)
        if dtype is None or shape is None:
            return Unknown()
        self._check_blocks(dtype, shape, node.span)
        return Tensor(dtype, shape)

    def _dtype(self, node: ast.TensorTypeExpr) -> str | DTypeVar | None:
        if node.dtype in self.dtype_vars:
            return self.dtype_vars[node.dtype]
        dtype = canonical(node.dtype)
        if dtype is None and self.builtin:
            return self.dtype_vars.setdefault(node.dtype, DTypeVar(node.dtype))
        if dtype is None:
            near = did_you_mean(node.dtype, [*SHORT, *DTYPES, *self.dtype_vars])
            help = type_hint(node.dtype) or (f"did you mean `{near}`?" if near else "")
            self._error("TL0201", node.dtype_span, f"there is no dtype `{node.dtype}`", help)
        return dtype

    def _check_blocks(self, dtype: str | DTypeVar, shape: Shape, span: Span) -> None:
        block = QUANTIZED.get(dtype) if isinstance(dtype, str) else None
        if block and shape and isinstance(shape[-1], Dim) and shape[-1].value is not None and shape[-1].value % block:
            self.problems.add(Diagnostic("TL0309", f"the last size of a {dtype} tensor is a multiple of {block}, found {shape[-1]}", span))

    def shape(self, nodes: tuple, span: Span) -> Shape | None:
        if len(nodes) > MAX_RANK:
            self._error("TL0104", span, f"a shape has at most {MAX_RANK} dims, found {len(nodes)}")
            return None
        items = [self._item(node) for node in nodes]
        if sum(isinstance(i, Segment | Derived) for i in items) > 1 and not self.builtin:
            self._error("TL0101", span, "a shape has at most one `...`")
            return None
        return None if any(i is None for i in items) else tuple(i for i in items if i is not None)

    def _item(self, node: ast.Node) -> ShapeItem | None:
        match node:
            case ast.UnknownDim():
                return Dim.fresh()
            case ast.Variadic(name=name, function=None):
                return self._segment(name or "", node.span)
            case ast.Unary(op="-", operand=ast.IntLit()):
                self._error("TL0306", node.span, "a size is not negative", "write `?` for a size that is not known")
                return None
            case ast.Variadic(function=function, args=args):
                return Derived(function or "", tuple(self._derived_argument(a) for a in args))
        return self.dim(node)

    def _segment(self, name: str, span: Span) -> Segment | None:
        if name and name not in self.segments:
            if not self.open_dims:
                self._error("TL0201", span, f"there is no run of dims `...{name}` here")
                return None
            self.segments.append(name)
        return Segment(name)

    def _derived_argument(self, node: ast.Node) -> object:
        match node:
            case ast.Name(name=name):
                return name
            case ast.BoolLit(value=value):
                return value
        return self.dim(node)

    # --- dims -------------------------------------------------------------------------------------------------------

    def dim(self, node: ast.Node) -> Dim | None:
        """The size that an expression in a type stands for; None after a message."""
        try:
            dim = self._dim(node)
        except DimTooLarge as problem:
            self._error("TL0314", node.span, f"this size is too large to reason about: {problem}")
            return None
        except ZeroDivisionError:
            self._error("TL0309", node.span, "a size is divided by zero")
            return None
        if dim is not None and dim.value is not None and not -MAX_SIZE < dim.value < MAX_SIZE:
            self._error("TL0314", node.span, "a size must be smaller than 2 ** 63")
            return None
        return dim

    def _dim(self, node: ast.Node) -> Dim | None:
        match node:
            case ast.IntLit(value=value):
                return Dim.const(value) if value < MAX_SIZE else self._no_dim(node, "a size must be smaller than 2 ** 63", "TL0314")
            case ast.Name(name=name):
                return self._dim_name(name, node.span)
            case ast.Binary(op=op) if op in ("+", "-", "*", "/", "%"):
                return self._dim_chain(node)
            case ast.Call(callee=ast.Name(name=name), args=args) if name in ("floor_div", "ceil_div", "min", "max") and len(args) == 2:
                left, right = (self._dim(a.value) for a in args)
                return None if left is None or right is None else _apply(name, left, right)
            case ast.Unary(op="-", operand=operand):
                inner = self._dim(operand)
                return None if inner is None else -inner
            case ast.Member(base=ast.Name(name=alias), name=name):
                space = self.scope.find(alias)
                if isinstance(space, Unsupported):
                    return Dim.fresh()
                return self._constant(space.scope.member(name), node.span) if isinstance(space, Namespace) else self._no_dim(node)
        return self._no_dim(node)

    def _no_dim(self, node: ast.Node, message: str = "this cannot stand in a shape", code: str = "TL0306") -> None:
        self._error(code, node.span, message, "sizes are made of integers, names, + - * / %, floor_div, ceil_div, min and max")

    def _dim_chain(self, node: ast.Binary) -> Dim | None:
        chain: list[ast.Binary] = []
        left: ast.Node = node
        while isinstance(left, ast.Binary) and left.op in ("+", "-", "*", "/", "%"):
            chain.append(left)
            left = left.left
        total = self._dim(left)
        for link in reversed(chain):
            right = self._dim(link.right)
            if total is None or right is None:
                return None
            if link.op == "/":
                self.obligations.append((Divides(right, total), link.span))
            total = _apply(link.op, total, right)
            if len(total.terms) > MAX_TERMS:
                raise DimTooLarge(f"it has more than {MAX_TERMS} terms")
        return total

    def _dim_name(self, name: str, span: Span) -> Dim | None:
        if (known := self.known(name)) is not None:
            return known
        found = self.scope.find(name)
        if isinstance(found, GlobalName) and found.item.kind == "const":
            return self._constant(found, span)
        if isinstance(found, EntityName):
            return found.dim
        if isinstance(found, Unsupported):
            return Dim.fresh()
        if isinstance(found, MemberName) and isinstance(found.item.type, Int) and found.item.type.value is not None:
            return found.item.type.value
        if not self.open_dims and self.scope.incomplete():
            return Dim.fresh()
        if not self.open_dims:
            if name not in self.reported:
                self.reported.add(name)
                near = did_you_mean(name, [*self.dims, *self.scope.visible()])
                self._error("TL0201", span, f"there is no size `{name}` here", f"did you mean `{near}`?" if near else "")
            return None
        if name not in self.dims:
            self.dims.append(name)
        return Dim.sym(name)

    def _constant(self, found: object, span: Span) -> Dim | None:
        if isinstance(found, GlobalName) and isinstance(found.item.type, Int) and isinstance(found.item.value, Const):
            return Dim.const(found.item.value.value)  # type: ignore[arg-type]
        if isinstance(found, Unsupported) or (isinstance(found, GlobalName) and isinstance(found.item.type, Unknown)):
            return Dim.fresh()
        self._error("TL0306", span, "a constant in a shape must be an int")
        return None

    # --- where ------------------------------------------------------------------------------------------------------

    def goal(self, node: ast.Node) -> Goal | None:
        match node:
            case ast.Binary(op="in", left=left, right=ast.SetLit(items=items)):
                dim = self.dim(left)
                values = [self.dim(i) for i in items]
                numbers = frozenset(v.value for v in values if v is not None and v.value is not None)
                return None if dim is None else Member(dim, numbers)
            case ast.Binary(op=op, left=left, right=right) if op in ("==", "!=", "<", "<=", ">", ">="):
                sides = self.dim(left), self.dim(right)
                return None if sides[0] is None or sides[1] is None else Rel(op, sides[0], sides[1])
        self._error("TL0101", node.span, "a `where` compares sizes", "for example `where D % H == 0, N >= 2`")
        return None

    def requirements(self, nodes: tuple[ast.Expr, ...]) -> tuple[Requirement, ...]:
        goals = ((self.goal(node), node) for node in nodes)
        return tuple(Requirement(goal, node.span, node.span.text) for goal, node in goals if goal is not None)

    def type_parameters(self, nodes: tuple[ast.TypeParam, ...]) -> None:
        """`<T: float>` is a dtype variable; `<T>` without a kind a type variable in structs and builtins, else a dtype of any kind."""
        for node in nodes:
            if node.kind is None and self.builtin:
                self.type_vars[node.name] = TypeVar(node.name)
            elif node.kind is None or node.kind in KINDS:
                self.dtype_vars[node.name] = DTypeVar(node.name, node.kind or "any")
            else:
                self._error("TL0201", node.span, f"there is no kind `{node.kind}`", "kinds are float, int, number and any")


def _apply(op: str, left: Dim, right: Dim) -> Dim:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left.exact_div(right)
        case "%":
            return left.mod(right)
        case "floor_div":
            return left.floor_div(right)
        case "ceil_div":
            return left.ceil_div(right)
        case "min":
            return Dim.min(left, right)
    return Dim.max(left, right)


def unmet(goal: Goal, witness: dict | None, span: Span) -> Diagnostic:
    """A written type that relies on a division that may not be exact."""
    assert isinstance(goal, Divides)
    return describe(NotDivisible(goal.divisor, goal.dividend, witness), span)
