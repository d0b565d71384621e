"""The names of a generated module and what it needs to import."""

import ast
from dataclasses import dataclass, field

from tensorlogic.backends import nodes, relations
from tensorlogic.backends.names import LocalNames, Namespace, declared
from tensorlogic.backends.nodes import Expr
from tensorlogic.backends.templates import is_template, overload, template
from tensorlogic.backends.uses import Uses, analyse
from tensorlogic.ir.ir import Const, Function, GlobalRef, Model, Module, StructType, Value
from tensorlogic.ir.rewrite import operations
from tensorlogic.types.dtypes import QUANTIZED
from tensorlogic.types.types import DTypeValue, DTypeVar, Library, List, Tensor, Tuple, Type

RUNTIME_MODULES = frozenset(("files", "host", "printing", "training"))


@dataclass(slots=True)
class ModuleScope:
    """Python names of everything a file declares; `roots` grows by what code refers to: torch, F, math, runtime modules."""

    module: Module
    functions: dict[str, str] = field(default_factory=dict)
    structs: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    globals: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    by_name: dict[str, Function] = field(default_factory=dict)
    by_model: dict[str, Model] = field(default_factory=dict)
    variables: dict[Value, str] = field(default_factory=dict)
    scopes: "dict[str, FunctionScope]" = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    modules: frozenset[str] = frozenset()  # all that may be imported: no variable hides them

    def python_name(self, name: str) -> str:
        """The Python name of a function, struct or global of the module, by its name in the IR."""
        for table in (self.functions, self.globals, self.structs, self.models):
            if name in table:
                return table[name]
        raise KeyError(name)

    def parameters(self, function: str) -> tuple[str, ...]:
        """Python names of the parameters of a function of the module."""
        scope = self.scopes[function]
        return tuple(map(scope.of, scope.params))

    def taken_by(self, uses: Uses) -> frozenset[str]:
        """The module's names that a function with these uses must not hide."""
        known = {**self.structs, **self.models, **self.globals, **self.functions}
        return frozenset((*(known[name] for name in uses.outside if name in known), *self.modules, *RUNTIME_MODULES, *self.reserved()))

    def reserved(self) -> tuple[str, ...]:
        """Names of what holds the relations."""
        return relations.RESERVED if relations.has_relations(self.module) else ()


def module_scope(module: Module, uses: Uses) -> ModuleScope:
    """Names everything that the module declares; `uses` are those of its top level."""
    scope = ModuleScope(module)
    scope.roots.update(root for op in operations(module) if is_template(op) for root in template(*overload(op)).roots)
    scope.modules = frozenset(scope.roots)
    names = Namespace((*scope.modules, *RUNTIME_MODULES, *scope.reserved()))
    for struct in module.structs:
        scope.structs[struct.name] = names.declared(declared(struct.name))
        scope.fields[struct.name] = _field_names(struct)
    for model in module.models:
        scope.models[model.name] = names.declared(declared(model.name))
        scope.by_model[model.name] = model
        _name_members(scope, model)
    for function in module.functions:
        if function.receiver is None:
            scope.functions[function.name] = names.new(declared(function.name))
        scope.by_name[function.name] = function
    for item in module.globals:
        scope.globals[item.name] = names.new(declared(item.name))
    variables = LocalNames(uses, names.taken)
    variables.assign(value for value in uses.first if value.top)
    scope.variables = variables.names
    for function in module.functions:
        own = (function.receiver,) if function.receiver is not None else ()
        params = tuple(dict.fromkeys((*own, *function.params, *(binding.value for binding in function.dims))))
        scope.scopes[function.name] = function_scope(scope, analyse(params, function.body), function.params)
        _name_int_parameters(scope.scopes[function.name], function)
    for model in module.models:
        scope.scopes[model.name] = function_scope(scope, analyse((model.receiver, *model.params), model.init), model.params)
    scope.roots.clear()
    return scope


def _name_members(scope: ModuleScope, model: Model) -> None:
    """The fields and methods of a model as attributes: a keyword gets a trailing `_`, what no class can have is numbered."""
    names = Namespace(("forward", "self"))
    scope.fields[model.name] = {member.name: names.attribute(member.name) for member in model.members}
    for method in scope.module.methods(model.name):
        name = method.signature.name
        scope.functions[method.name] = "forward" if name == "forward" else names.attribute(name)


def _name_int_parameters(scope: "FunctionScope", function: Function) -> None:
    """A size that is an int parameter itself has the parameter's name."""
    for binding in function.dims:
        if binding.axis is None and not binding.field and not binding.param.mutable:
            scope.names[binding.value] = scope.names[binding.param]


def _field_names(struct: StructType) -> dict[str, str]:
    names = Namespace()
    return {name: names.new(name) for name, _ in struct.fields}


def dtype(scope: "FunctionScope", found: str | DTypeVar) -> Expr:
    """`torch.float16`, or 'q8_0', for which torch has no name; for a dtype variable the dtype of the parameter that has it."""
    if isinstance(found, DTypeVar):
        return nodes.join(ast.Attribute(*scope.dtype_owner(found.name), nodes.LOAD), [], 16)
    if found in QUANTIZED:
        return nodes.constant(found)
    scope.module.roots.add("torch")
    return Expr(nodes.path("torch", found), 6 + len(found))


@dataclass(slots=True)
class FunctionScope:
    """The names inside one function (or the program, `main`, a test)."""

    module: ModuleScope
    uses: Uses
    names: dict[Value, str]
    params: tuple[Value, ...] = ()

    def of(self, value: Value) -> str:
        return self.module.variables.get(value) or self.names[value]

    def new_name(self, name: str) -> str:
        """A name that nothing in the function has."""
        taken = {*self.names.values(), *self.module.taken_by(self.uses), *self.module.variables.values()}
        found = name
        while found in taken:
            found += "_"
        return found

    def dtype_owner(self, name: str) -> tuple[ast.expr, str]:
        """What has the dtype `name`: a tensor parameter, or an element of a list or tuple of tensors."""
        for param in self.params:
            found = _with_dtype(nodes.name(self.of(param)).node, param.type, name)
            if found is not None:
                return found, "dtype"
        raise KeyError(name)

    def reference(self, operand: GlobalRef) -> Expr:
        return nodes.name(self.module.python_name(operand.name))

    def constant(self, operand: Const) -> Expr:
        match operand.type:
            case DTypeValue(found):
                return dtype(self, found)
            case Library("Device") if operand.value == "gpu":
                self.module.roots.add("torch")
                return nodes.call(nodes.path("torch", "get_default_device"), [], 24)
        return nodes.constant(operand.value)


def _with_dtype(node: ast.expr, type_: Type, name: str) -> ast.expr | None:
    match type_:
        case Tensor(DTypeVar(found)) if found == name:
            return node
        case List(element):
            return _with_dtype(ast.Subscript(node, ast.Constant(0), nodes.LOAD), element, name)
        case Tuple(items):
            tries = (_with_dtype(ast.Subscript(node, ast.Constant(i), nodes.LOAD), item, name) for i, item in enumerate(items))
            return next((found for found in tries if found is not None), None)
    return None


def function_scope(module: ModuleScope, uses: Uses, params: tuple[Value, ...] = ()) -> FunctionScope:
    local = LocalNames(uses, module.taken_by(uses), module.variables)
    local.assign(value for value in uses.first if value not in module.variables)
    return FunctionScope(module, uses, local.names, params)
