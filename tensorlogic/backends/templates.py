"""The bodies of builtins as pieces of syntax, read once from the files that declare them."""

import ast
import builtins
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tensorlogic.ir.ir import INITIALIZER, Op
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.layers import LAYERS
from tensorlogic.types.dtypes import DTYPES, canonical


@dataclass(frozen=True, slots=True)
class Template:
    """One builtin's body. `order` names its parameters as they are evaluated; `guarded` are those inside a lambda or a condition."""

    parameters: tuple[str, ...]
    variadic: str | None
    defaults: dict[str, ast.expr]
    body: ast.expr
    order: tuple[str, ...]
    guarded: frozenset[str]
    roots: frozenset[str]  # names that the generated module must import: torch F math and modules of tensorlogic.runtime
    effect: str | None
    calls: bool  # runs functions of the program, or does more than compute a value
    width: int


_TAKES_FUNCTION = re.compile(r"fn\(|: any\b")


LAYER = -2


class BadBody(Exception):
    """A builtin's body is not one expression: a bug of ours."""


@lru_cache(None)
def template(name: str, index: int) -> Template:
    """The body of overload `index` of a builtin; of an initializer when `index` is `INITIALIZER`, of a layer when it is `LAYER`."""
    declaration = _declaration(name, index)
    definition = _definition(declaration)
    body = _Roots().visit(_expression(definition))
    args = definition.args
    names = tuple(arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs))
    variadic = args.vararg.arg if args.vararg else None
    order = tuple(_occurrences(body, frozenset((*names, variadic))))
    calls = declaration.effect is not None or _TAKES_FUNCTION.search(declaration.signature) is not None
    return Template(
        names, variadic, _defaults(args), body, order, _guarded(body, frozenset(names)), frozenset(_roots(body)) - {*names, variadic},
        declaration.effect, calls, len(ast.unparse(body)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Declaration:
    signature: str
    body: Callable
    effect: str | None


@lru_cache(None)
def _declaration(name: str, index: int) -> _Declaration:
    if index == LAYER:
        layer = LAYERS[name]
        return _Declaration(layer.signature, layer.body, "random")
    if index == INITIALIZER:
        initializer = registry.lookup_initializer(name)
        if initializer is None:
            raise BadBody(f"there is no initializer {name}")
        return _Declaration(initializer.signature.replace("(", "(shape: [int], dtype: DType<T>, ", 1), initializer.body, "random")
    builtin = registry.lookup(name)
    if builtin is None:
        raise BadBody(f"there is no builtin {name}")
    return _Declaration(builtin.signatures[index], builtin.bodies[index], builtin.effect)


@lru_cache(None)
def _definitions(module: str) -> dict[str, ast.FunctionDef]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise BadBody(f"{module} has no file")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _definition(declaration: _Declaration) -> ast.FunctionDef:
    return deepcopy(_definitions(declaration.body.__module__)[declaration.body.__name__])


def _expression(definition: ast.FunctionDef) -> ast.expr:
    match definition.body:
        case [*_, ast.Return(value=ast.expr() as value)] | [*_, ast.Expr(value=value)] if len(definition.body) <= 2:
            return value
    raise BadBody(f"the body of {definition.name} is not one expression")


def _defaults(args: ast.arguments) -> dict[str, ast.expr]:
    positional = (*args.posonlyargs, *args.args)
    found = dict(zip((arg.arg for arg in positional[len(positional) - len(args.defaults) :]), args.defaults, strict=True))
    found.update({arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None})
    return {name: _Roots().visit(value) for name, value in found.items()}


class _Roots(ast.NodeTransformer):
    """`torch.nn.functional.x` becomes `F.x`, `runtime.module.f` becomes `module.f`, places are forgotten."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        match node.value:
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="torch"), attr="nn"), attr="functional"):
                return ast.Attribute(ast.Name("F", ast.Load()), node.attr, ast.Load())
            case ast.Name(id="runtime"):
                return ast.Name(node.attr, ast.Load())
        return ast.Attribute(self.visit(node.value), node.attr, ast.Load())

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for attribute in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            node.__dict__.pop(attribute, None)
        return node


def _occurrences(body: ast.expr, names: frozenset[str | None]) -> Iterator[str]:
    """The parameters in the order in which Python reads them."""
    stack: list[ast.AST] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name) and node.id in names:
            yield node.id
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.IfExp):
            children = [node.test, node.body, node.orelse]
        stack += reversed(children)


_CONDITIONAL = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def _guarded(body: ast.expr, names: frozenset[str]) -> frozenset[str]:
    inner = (node for node in ast.walk(body) if isinstance(node, _CONDITIONAL))
    return frozenset(name for node in inner for name in _occurrences(node, names))


def _roots(body: ast.expr) -> Iterator[str]:
    bound = {node.id for node in ast.walk(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(body):
        if isinstance(node, ast.Name) and node.id not in bound and not hasattr(builtins, node.id):
            yield node.id


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of one signature, with the text of its default."""

    name: str
    default: str | None
    variadic: bool


@lru_cache(None)
def declared(name: str, index: int) -> tuple[Declared, ...]:
    """The parameters of overload `index` of a builtin."""
    return tuple(map(_declared, _parameters(_declaration(name, index).signature)))


def _parameters(signature: str) -> Iterator[str]:
    depth, start = 0, signature.index("(") + 1
    for at in range(start, len(signature)):
        char = signature[at]
        depth += (char in "([{<") - (char in ")]}" or (char == ">" and signature[at - 1] != "-"))
        if depth < 0 or (depth == 0 and char == ","):
            if text := signature[start:at].strip():
                yield text
            start = at + 1
        if depth < 0:
            return


def _declared(text: str) -> Declared:
    name, _, rest = text.partition(":")
    type_, equals, default = rest.rpartition(" = ")
    return Declared(name.strip(), default.strip() if equals else None, "Many<" in (type_ or rest))


def overload(op: Op) -> tuple[str, int]:
    """Which body an operation means: the name, and the overload, `INITIALIZER`, or `LAYER` for a new standard layer."""
    index = LAYER if op.code == "model" else op.attrs.get("index", 0)
    return str(op.attrs["name"]), int(index)  # type: ignore[call-overload]


def is_template(op: Op) -> bool:
    """Whether an operation is written as a body of ours: a builtin, or a new standard layer."""
    return op.code == "builtin" or (op.code == "model" and op.attrs["name"] in LAYERS)


def default_node(text: str) -> ast.expr:
    """The Python for the default of a signature: `none`, `true`, `float32`, `-1`, `[1, 1]`, `"mean"`."""
    words = {"none": "None", "true": "True", "false": "False", **{dtype: f"torch.{dtype}" for dtype in DTYPES}}
    spelled = re.sub(r"\"[^\"]*\"|[A-Za-z_]\w*", lambda m: words.get(canonical(m.group()) or m.group(), m.group()), text)
    return _Roots().visit(ast.parse(spelled, mode="eval").body)
