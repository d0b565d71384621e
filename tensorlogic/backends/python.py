"""The Python module of a program: what `tlc build` writes and what `tlc run` runs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tensorlogic.backends import functions, models, nodes, relations
from tensorlogic.backends.scope import ModuleScope, module_scope
from tensorlogic.backends.text import check_reads_back, module_text
from tensorlogic.backends.uses import analyse
from tensorlogic.ir.ir import Module
from tensorlogic.source import Source

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Generated:
    """`text` is the module as people read it, `tree` the same with lines and columns of the `.tl` file.

    `functions`, `structs`, `models`, `globals` and `values` (top-level variables) map names of the program to names in Python; `tests` are
    pairs of a test's name and the name of its function. The program's statements are `run()`, its main block is `main()`.
    """

    text: str
    tree: ast.Module
    source: Source
    files: tuple[str, ...]
    functions: dict[str, str]
    structs: dict[str, str]
    models: dict[str, str]
    members: dict[str, dict[str, str]]  # of each model: the attributes of its fields, and of its methods by their unique names
    globals: dict[str, str]
    values: dict[str, str]
    tests: tuple[tuple[str, str], ...]
    has_main: bool


def generate(module: Module) -> Generated:
    """The Python module of a program. The same program gives the same text."""
    scope = module_scope(module, analyse((), module.program))
    declared, files = _declarations(scope)
    entry = list(_entry(module))
    body = [*_header(scope), *declared, *entry]
    for statement in body:
        nodes.locate(statement, None, module.source)
    tree = ast.Module(body, [])
    text = module_text(tree)
    check_reads_back(text, tree)
    padding = len(body) - len(declared) - len(entry)
    plain = {f.name: scope.functions[f.name] for f in module.functions if f.receiver is None}
    variables = {value.name: name for value, name in scope.variables.items()}
    tests = tuple((test.name, f"test_{i}") for i, test in enumerate(module.tests, 1))
    return Generated(
        text, tree, module.source, (*[module.source.name] * padding, *files, *[module.source.name] * len(entry)),
        plain, scope.structs, scope.models, _members(scope), scope.globals, variables, tests, module.main is not None,
    )  # fmt: skip


def _members(scope: ModuleScope) -> dict[str, dict[str, str]]:
    methods = {m.name: {f.name: scope.functions[f.name] for f in scope.module.methods(m.name)} for m in scope.module.models}
    return {name: {**scope.fields[name], **own} for name, own in methods.items()}


def _declarations(scope: ModuleScope) -> tuple[list[ast.stmt], list[str]]:
    """Everything below the imports, with the file each statement comes from."""
    module = scope.module
    found: list[tuple[ast.stmt, Source]] = []
    found += ((functions.struct(scope, item), item.span.source) for item in module.structs)
    found += ((statement, module.source) for statement in functions.constants(scope))
    if relations.has_relations(module):
        scope.roots.add(relations.MODULE)
        found.append((relations.declaration(module), module.source))
    found += ((models.model(scope, item), item.span.source) for item in module.models)
    found += ((functions.function(scope, item), item.span.source) for item in module.functions if item.receiver is None)
    found += ((statement, module.source) for statement in _blocks(scope))
    return [statement for statement, _ in found], [source.name for _, source in found]


def _blocks(scope: ModuleScope) -> Iterator[ast.stmt]:
    module = scope.module
    if module.program.ops:
        yield functions.block(scope, "run", module.program, module.source, "The statements of the file, in order.")
    if module.main is not None:
        yield functions.block(scope, "main", module.main, module.source, "The main block.")
    for i, test in enumerate(module.tests, 1):
        yield functions.block(scope, f"test_{i}", test.body, module.source, test.name, test.span)


def _entry(module: Module) -> Iterator[ast.stmt]:
    if module.tests:
        pairs: list[ast.expr] = [
            ast.Tuple([ast.Constant(t.name), ast.Name(f"test_{i}", nodes.LOAD)], nodes.LOAD) for i, t in enumerate(module.tests, 1)
        ]
        yield ast.Assign([ast.Name("TESTS", nodes.STORE)], ast.List(pairs, nodes.LOAD))
    calls = [*(["run"] if module.program.ops else []), *(["main"] if module.main is not None else [])]
    if calls:
        test = ast.Compare(ast.Name("__name__", nodes.LOAD), [ast.Eq()], [ast.Constant("__main__")])
        yield ast.If(test, [ast.Expr(ast.Call(ast.Name(name, nodes.LOAD), [], [])) for name in calls], [])


def _header(scope: ModuleScope) -> Iterator[ast.stmt]:
    """What the module is, and its imports in ruff's order."""
    name = place_name(scope.module.source)
    yield ast.Expr(ast.Constant(f"{name}, compiled by tlc {VERSION}: functions on torch tensors."))
    for plain in ("dataclasses", "math"):
        if plain in scope.roots:
            yield ast.Import([ast.alias(plain)])
    if "torch" in scope.roots:
        yield ast.Import([ast.alias("torch")])
    if "F" in scope.roots:
        yield ast.Import([ast.alias("torch.nn.functional", "F")])
    modules = sorted(scope.roots - {"dataclasses", "math", "torch", "F"})
    if modules:
        yield ast.ImportFrom("tensorlogic.runtime", [ast.alias(name) for name in modules], 0)


def place_name(source: Source) -> str:
    """The name of the file without folders, in printable ASCII."""
    return source.name.replace("\\", "/").rpartition("/")[2].encode("unicode_escape").decode("ascii")


def compile_module(generated: Generated) -> dict[str, object]:
    """Compiles and executes the tree: the module's namespace. Tracebacks name the `.tl` files and their lines.

    This is the one place where generated code becomes running code.
    """
    namespace: dict[str, object] = {"__name__": "tensorlogic.program", "__file__": generated.source.name}
    pairs = zip(generated.files, generated.tree.body, strict=True)
    for file, group in groupby(pairs, key=lambda pair: pair[0]):
        tree = ast.Module([statement for _, statement in group], [])
        code = compile(tree, file, "exec", dont_inherit=True, optimize=0)
        exec(code, namespace)
    return namespace
