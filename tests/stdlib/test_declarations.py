"""Every declaration is complete: signatures parse, bodies are one expression, a docstring says what it does, and nothing imports torch."""

import ast
import inspect
import subprocess
import sys

import pytest

from tensorlogic.checker.signatures import builtin_signatures
from tensorlogic.stdlib import registry
from tensorlogic.stdlib.precise import precise, real
from tensorlogic.types.dims import Dim
from tensorlogic.types.shapes import SHAPE_FUNCTIONS
from tensorlogic.types.types import Derived, Tensor, Tuple, Type

NAMES = list(registry.names())
ROOTS = {"torch", "runtime", "math"}
PYTHON = {"list", "len", "range", "zip", "enumerate", "sorted", "float", "int", "bool", "abs", "print", "round", "max", "min"}


def derived(type_: Type) -> list[Derived]:
    match type_:
        case Tensor(_, shape):
            return [item for item in shape if isinstance(item, Derived)]
        case Tuple(items):
            return [found for item in items for found in derived(item)]
    return []


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name: str) -> None:
    for signature in builtin_signatures(name):
        assert signature.name == name
        known = {p.name for p in signature.params} | set(signature.segments) | set(signature.dims)
        for item in derived(signature.result):
            assert item.function in SHAPE_FUNCTIONS
            used = {name for arg in item.args for name in (arg.symbols() if isinstance(arg, Dim) else {str(arg).removeprefix("...")})}
            assert used <= known, "an argument of a shape function is made of parameters and variables"


@pytest.mark.parametrize("name", NAMES)
def test_bodies(name: str) -> None:
    found = registry.lookup(name)
    assert found is not None and found.doc.endswith("."), "the docstring is the documentation"
    for signature, body in zip(builtin_signatures(name), found.bodies, strict=True):
        tree = ast.parse(inspect.getsource(body)).body[0]
        assert isinstance(tree, ast.FunctionDef)
        statements = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        assert len(statements) == 1 and isinstance(statements[0], ast.Return), "a body is one expression"
        used = {n.id for n in ast.walk(statements[0]) if isinstance(n, ast.Name)}
        parameters = set(inspect.signature(body).parameters)
        assert used <= parameters | ROOTS | PYTHON
        assert {p.name for p in signature.params} <= parameters, "the body takes what the signature names"


def test_few_builtins_need_a_function_for_their_type() -> None:
    found = [registry.lookup(name) for name in NAMES]
    infer = [item.name for item in found if item is not None and item.infer not in (None, precise, real)]
    assert len(infer) < len(NAMES) / 5


def test_initializers_take_shape_and_dtype() -> None:
    for name in registry.initializer_names():
        found = registry.lookup_initializer(name)
        assert found is not None and list(inspect.signature(found.body).parameters)[:2] == ["shape", "dtype"]


def test_no_torch_and_no_cost() -> None:
    """Importing all declarations imports neither torch nor numpy."""
    program = "import sys; from tensorlogic.stdlib.registry import names; print(len([*names()]), {'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 1) == [str(len(NAMES)), "set()\n"]
