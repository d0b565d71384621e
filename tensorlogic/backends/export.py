"""Pure functions as `torch.export` programs: the sizes that a program names stay open, with the limits that it says.

What `Dim` can say (limits, multiples of a number, `3 * N`) becomes the dynamic shapes, see `export_shapes.py`; the other conditions
are checks in the exported graph. A program whose equations tie two sizes together gets them as `Dim.DYNAMIC` with limits.
"""

import operator
import re
import warnings
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tensorlogic.backends.export_shapes import dynamic_shapes, example_inputs, size_symbols
from tensorlogic.backends.export_symbols import Narrowed, name_sizes, narrowed
from tensorlogic.backends.fx import NotPure, build_graph, why_not_pure
from tensorlogic.backends.fx_values import BINARY, Build
from tensorlogic.backends.names import Namespace
from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.ir.ir import Const, Function, GlobalRef, Module, Omitted, Op, Operand, Region
from tensorlogic.types.conditions import Described, words
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.facts import Facts
from tensorlogic.types.goals import Goal, Member, Rel, goal_symbols
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Bool, Float, Int, String, Tensor

if TYPE_CHECKING:
    import torch

HOST = {Int: (int,), Float: (float, int), Bool: (bool,), String: (str,)}
LARGEST_FACTOR = 32
_VIOLATED = re.compile(r"Constraints violated \(([^)]*)\)")


def export(module: Module, described: Described, values: Mapping[str, Any], fixed: Mapping[str, Any]) -> "torch.export.ExportedProgram":
    """The function as an ExportedProgram. `values` are the tensors of the file, `fixed` what parameters are that shall be no inputs.

    An int parameter without a value stays an input; a default is the value. Raises TensorLogicError with the reason for a function
    that cannot be exported (TL0305), or for a value that does not fit its parameter (TL0306, TL0202).
    """
    whole = module.function(described.unique)
    constants = _constants(module, whole, fixed)
    function = without(whole, constants)
    facts = described.facts
    for name, value in constants.items():
        if type(value) is int:
            facts = facts.assume(Rel("==", Dim.sym(name), Dim.const(value)))
    _refuse_inputs(function)
    functions = tuple(function if f is whole else f for f in module.functions)
    try:
        graph = build_graph(replace(module, functions=functions), function.name, values)
    except NotPure as problem:
        raise TensorLogicError(Diagnostic("TL0305", f"`{described.name}` is not one graph: {problem.reason}", problem.span)) from None
    inputs = _name_inputs(graph, function)
    _name_tensors(graph, values, {item.name for item in module.globals if item.learnable})
    _add_checks(module, graph, function, described, constants)
    signature = replace(described.signature, params=tuple(p for p in described.signature.params if p.name not in constants))
    program = _exported(graph, function, signature, facts, dict(described.axes))
    params = dict(zip(inputs, signature.params, strict=True))
    for text in narrowed(program, params, facts):
        warnings.warn(f"torch.export narrowed `{described.name}`: {text}", Narrowed, stacklevel=3)
    name_sizes(program, params)
    return program


def _exported(
    graph: "torch.fx.GraphModule", function: Function, signature: Signature, facts: Facts, axes: Mapping[str, str]
) -> "torch.export.ExportedProgram":
    """Named sizes first; those that torch finds tied to others have only their limits in a second try, and where a size that a
    result has happened to be 1, the inputs are larger."""
    import torch

    loose: frozenset[str] = frozenset()
    everything, factor = frozenset(size_symbols(signature)), 2
    while True:
        inputs = example_inputs(signature, facts, axes, factor)
        if inputs is None:
            raise _refused(function, "no small sizes meet all of its conditions")
        shapes = tuple(dynamic_shapes(signature, facts, loose=loose).values())
        try:
            return torch.export.export(graph, inputs, dynamic_shapes=shapes, strict=False, prefer_deferred_runtime_asserts_over_guards=True)
        except Exception as error:
            said = str(error).strip()
            violated = _VIOLATED.search(said)
            if violated is not None and loose != everything:
                named = {name for name in everything if name in violated[1].replace(" ", "").split(",")}
                loose = everything if named <= loose else loose | named
            elif "Specializations unexpectedly required" in said and factor < LARGEST_FACTOR:
                factor *= 4
            else:
                raise _refused(function, f"torch.export says: {said.splitlines()[0] if said else type(error).__name__}") from error


def _refused(function: Function, reason: str) -> TensorLogicError:
    return TensorLogicError(Diagnostic("TL0305", f"`{function.signature.name}` cannot be exported: {reason}", function.span))


# --- parameters ------------------------------------------------------------------------------------------------------


def _constants(module: Module, function: Function, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are no inputs, with their values: those that are given, and defaults."""
    known = {param.name: param for param in function.params}
    found: dict[str, Any] = {}
    for name, value in fixed.items():
        param = known.get(name)
        if param is None:
            raise TensorLogicError(Diagnostic("TL0202", f"`{function.signature.name}` has no parameter `{name}`", function.span))
        if type(value) not in HOST.get(type(param.type), ()):
            raise TensorLogicError(Diagnostic("TL0306", f"`{name}` is declared {param.type}, {value!r} does not fit", function.span))
        found[name] = value
    for param, default in zip(function.params, function.defaults, strict=True):
        value = _default(module, default)
        if param.name not in found and value is not None and type(param.type) in HOST:
            found[param.name] = value
    return found


def _default(module: Module, operand: Operand) -> Any:
    match operand:
        case Const(value=value):
            return value
        case GlobalRef(name=name):
            return next((_default(module, g.value) for g in module.globals if g.name == name and g.value is not None), None)
    return None


def without(function: Function, constants: Mapping[str, Any]) -> Function:
    """The function with some of its parameters as constants of its body."""
    kept = [i for i, param in enumerate(function.params) if param.name not in constants]
    copies = tuple(
        Op("copy", (Const(constants[p.name], p.type),), (p,), {}, (), function.span) for p in function.params if p.name in constants
    )
    signature = replace(function.signature, params=tuple(function.signature.params[i] for i in kept))
    return replace(
        function,
        params=tuple(function.params[i] for i in kept),
        defaults=tuple(Omitted() for _ in kept),
        signature=signature,
        body=Region((), (*copies, *function.body.ops), function.body.yields),
    )


def _refuse_inputs(function: Function) -> None:
    for param in function.params:
        match param.type:
            case Tensor(dtype) if dtype not in QUANTIZED:
                continue
            case Int():
                continue
            case Float() | Bool() | String():
                raise _refused(function, f"`{param.name}` is a {param.type}, which is no input: give it a value (`--fix {param.name}=...`)")
        raise _refused(function, f"`{param.name}` is a {param.type}, which is no input of an exported program")


# --- names and checks in the graph -----------------------------------------------------------------------------------


def require(condition: Any, text: str) -> None:
    """A check of sizes that torch.export takes over into the program."""
    import torch

    torch._check(condition, lambda: text)


def _name_inputs(graph: "torch.fx.GraphModule", function: Function) -> list[str]:
    """Inputs are called as the parameters are, as far as Python lets them."""
    names = Namespace(("self", *(node.name for node in graph.graph.nodes if node.op != "placeholder")))
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    for node, param in zip(inputs, function.params, strict=True):
        node.target = node.name = names.new(param.name)
    return [str(node.target) for node in inputs]


def _name_tensors(graph: "torch.fx.GraphModule", values: Mapping[str, Any], learnable: Container[str]) -> None:
    """Tensors of the file are parameters and buffers by their names in the program."""
    import torch

    names = Namespace(("self", *dir(graph)))
    for key in {str(node.target): None for node in graph.graph.nodes if node.op == "get_attr"}:
        held = getattr(graph, key)
        source = next((name for name, value in values.items() if isinstance(value, torch.Tensor) and value is held), "")
        delattr(graph, key)
        name = names.new(source)
        if source in learnable:
            graph.register_parameter(name, torch.nn.Parameter(held.detach()))
        else:
            graph.register_buffer(name, held)
        for node in graph.graph.nodes:
            if node.op == "get_attr" and node.target == key:
                node.target = name


def _add_checks(
    module: Module, graph: "torch.fx.GraphModule", function: Function, described: Described, constants: Mapping[str, Any]
) -> None:
    """Every condition that holds on each call is checked first; those that the dynamic shapes say already cost nothing."""
    import torch

    first = next(node for node in graph.graph.nodes if node.op != "placeholder")
    with graph.graph.inserting_before(first):
        build: _Build = _Build(module, graph.graph, {}, count=len(graph.graph.nodes))
        inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
        build.env.update(zip(function.params, inputs, strict=True))
        known: dict[str, Any] = {**dict(_sizes(build, function)), **constants}
        for condition in described.conditions:
            if condition.always and goal_symbols(condition.goal) <= known.keys():
                build.apply(require, build.claim(condition.goal, known), f"`{described.name}` needs {words(condition.goal)}")
    for node in graph.graph.nodes:
        if node.op == "call_function" and node.target in (min, max) and len(node.args) == 2:
            node.target = {min: torch.sym_min, max: torch.sym_max}[node.target]  # Python's own would settle which one it is
    graph.graph.lint()
    graph.recompile()


def _sizes(build: "_Build", function: Function) -> Iterator[tuple[str, Any]]:
    for param in function.params:
        if isinstance(param.type, Int):
            yield param.name, build.env[param]
    for binding in function.dims:
        if binding.param in build.env:
            yield binding.value.name, build.size_of(binding)


class _Build(Build):
    """Claims as torch.export can keep them open."""

    def claim(self, goal: Goal, known: Mapping[str, Any]) -> Any:
        if not isinstance(goal, Member):
            return super().claim(goal, known)
        size = self.size(goal.dim, known)
        tests = [self.apply(BINARY["=="], size, n) for n in sorted(goal.values)]
        found = tests[0]
        for test in tests[1:]:
            found = self.apply(operator.or_, found, test)
        return found

    def size_of(self, binding: Any) -> Any:
        return self._size(binding)


# --- the file --------------------------------------------------------------------------------------------------------


def pure_functions(module: Module, values: Mapping[str, Any]) -> list[str]:
    """The names of the functions that are one graph."""
    return [
        function.name for function in module.functions if not function.method_of and why_not_pure(module, function.name, values) is None
    ]


def saved(program: "torch.export.ExportedProgram") -> bytes:
    """The bytes of a `.pt2` file."""
    import io

    import torch

    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()
