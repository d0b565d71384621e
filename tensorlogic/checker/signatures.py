"""From the head of a function, or the text of a builtin, to its signature."""

from functools import cache

from tensorlogic.checker.annotations import Annotations
from tensorlogic.checker.scope import Scope
from tensorlogic.diagnostics.diagnostic import Problems
from tensorlogic.stdlib import registry
from tensorlogic.syntax import ast
from tensorlogic.syntax.parse import parse_signature
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.signature import Parameter, Requirement, Signature
from tensorlogic.types.types import Int, Struct, TypeVar, Void


def signature_of(node: ast.FnDecl, reader: Annotations, self_type: Struct | None = None) -> Signature:
    """Reads a function's head; `reader.obligations` then holds the divisions that its types rely on."""
    reader.type_parameters(node.type_params)
    params = tuple(_parameter(p, reader, self_type) for p in node.params)
    result = reader.type(node.result) if node.result else Void()
    where = reader.requirements(node.where)
    names = {p.name for p in params if isinstance(p.type, Int)}
    return Signature(
        node.name, params, result, tuple(reader.dtype_vars.values()), tuple(reader.type_vars.values()),
        tuple(dict.fromkeys((*reader.dims, *sorted(names)))), tuple(reader.segments), where, None, node.name_span, _text(node),
    )  # fmt: skip


def _parameter(node: ast.Param, reader: Annotations, self_type: Struct | None) -> Parameter:
    if node.type is None:
        return Parameter(node.name, self_type or Void(), span=node.name_span)
    variadic = isinstance(node.type, ast.NamedType) and node.type.name == "Many" and reader.builtin
    type_ = reader.type(node.type)
    return Parameter(node.name, type_, node.default is not None, node.default, node.span, variadic)


def _text(node: ast.FnDecl) -> str:
    return " ".join(node.span.text.partition("{")[0].split())


@cache
def builtin_signatures(name: str) -> tuple[Signature, ...]:
    """The overloads of a builtin, read from their declarations when they are first needed."""
    found = registry.lookup(name)
    return tuple(_builtin_signature(name, text) for text in found.signatures) if found else ()


@cache
def initializer_signature(name: str) -> Signature:
    found = registry.lookup_initializer(name)
    assert found is not None
    return _builtin_signature(name, found.signature)


def _builtin_signature(name: str, text: str) -> Signature:
    node = parse_signature(f"_{text[len(name) :]}")  # the name itself may be a reserved word: `where`
    problems = Problems()
    reader = Annotations(problems, Scope(), builtin=True)
    # type variables without a kind are dtype variables where they stand before a shape
    for parameter in node.type_params:
        if parameter.kind is not None:
            reader.type_parameters((parameter,))
        else:
            reader.type_vars[parameter.name] = TypeVar(parameter.name)
    signature = signature_of(_without_type_params(node), reader)
    if problems.found:
        raise ValueError(f"builtin signature {text!r}: {problems.found[0].message}")
    return _with_runs(signature, name, text)


def _value(requirement: Requirement) -> Dim | None:
    """What `where result == ...` says of an int result."""
    match requirement.goal:
        case Rel("==", left, right) if left == Dim.sym("result"):
            return right
    return None


def _without_type_params(node: ast.FnDecl) -> ast.FnDecl:
    return ast.FnDecl(node.span, node.name, node.name_span, (), node.params, node.result, node.where, node.body, node.doc)


def _with_runs(signature: Signature, name: str, text: str) -> Signature:
    """Segments named like a parameter are values, not variables."""
    params = {p.name for p in signature.params}
    segments = tuple(s for s in signature.segments if s not in params)
    return Signature(
        name, signature.params, signature.result, signature.dtype_vars, signature.type_vars, signature.dims, segments,
        tuple(r for r in signature.where if _value(r) is None), next((v for r in signature.where if (v := _value(r))), None), None, text,
    )  # fmt: skip
