"""Who may import whom: imports point down only, no cycles, and torch only where tensors are."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tensorlogic"

# The picture in the README as a table. Change it only on purpose. The package itself (`__init__.py`) is called "tensorlogic".
MAY_IMPORT = {
    "record": "",
    "source": "record",
    "write": "",
    "diagnostics": "record source",
    "formats": "source diagnostics",
    "runtime": "source diagnostics formats write",
    "syntax": "record source diagnostics",
    "types": "record source syntax",
    "ir": "record source diagnostics syntax types",
    "stdlib": "record source syntax types ir",
    "passes": "record types ir",
    "checker": "record source diagnostics formats syntax types ir stdlib",
    "cost": "record source diagnostics types ir stdlib checker",
    "backends": "source diagnostics types ir stdlib runtime",
    "driver": "passes cost types record source diagnostics syntax ir checker backends runtime",
    "api": "source diagnostics syntax types ir runtime backends driver write",
    "import_hook": "api diagnostics",
    "__main__": "cli",
    "cli": "source diagnostics formats syntax types ir stdlib cost backends runtime driver write",
    "tensorlogic": "api import_hook diagnostics runtime",
}
HEAVY = {"torch", "numpy", "gguf", "safetensors"}
MAY_USE_LIBRARIES = {"syntax", "backends", "runtime", "api"}  # the others are standard library only


def layer(module: str) -> str:
    """`tensorlogic.types.dims` is in `types`."""
    return module.split(".")[1] if "." in module else module


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def tree_of(name: str) -> ast.Module:
    return ast.parse(PATHS[name].read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a tree imports anywhere; of `from package import name` both `package` and `package.name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import_time(tree: ast.Module) -> ast.Module:
    """The tree without what runs later or never: function bodies and blocks under TYPE_CHECKING."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    return Strip().visit(ast.parse(ast.unparse(tree)))


def wrong_imports(name: str, tree: ast.Module, table: dict[str, str]) -> set[str]:
    """The layers that a module imports and may not."""
    used = {layer(other) for other in imported(tree) if other.startswith("tensorlogic.")}
    return used - {layer(name)} - set(table[layer(name)].split())


@pytest.mark.parametrize("name", PATHS)
def test_imports_point_down(name: str) -> None:
    assert not wrong_imports(name, tree_of(name), MAY_IMPORT), f"{name} may not import these"


def test_the_check_can_fail() -> None:
    for text, wrong in {"from tensorlogic.checker.check import x": "checker", "def f():\n    import tensorlogic.cli.main": "cli"}.items():
        assert wrong_imports("tensorlogic.types.dims", ast.parse(text), MAY_IMPORT) == {wrong}
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": ["b"], "b": ["a"]}).static_order())


def test_table_has_no_cycle() -> None:
    list(TopologicalSorter({name: allowed.split() for name, allowed in MAY_IMPORT.items()}).static_order())


def test_modules_have_no_cycle() -> None:
    graph = {name: {other for other in imported(at_import_time(tree_of(name))) if other in PATHS} - {name} for name in PATHS}
    for name in [package for package in graph if any(other.startswith(f"{package}.") for other in graph)]:
        del graph[name]  # a package's `__init__` is imported by its own modules without being named
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", PATHS)
def test_torch_stays_unimported(name: str) -> None:
    roots = {other.split(".")[0] for other in imported(at_import_time(tree_of(name)))} - {"tensorlogic"}
    if layer(name) != "runtime":
        assert not roots & HEAVY, f"{name} imports these before a tensor is needed"
    if layer(name) not in MAY_USE_LIBRARIES:
        assert roots <= sys.stdlib_module_names, f"{name} is standard library only"
