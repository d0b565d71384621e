"""The IR as a program: fully annotated `.tl`, one operation on a line, that the checker reads back to the same IR."""

from collections.abc import Iterable

from tensorlogic.ir import text_relations
from tensorlogic.ir.ir import Function, Global, Model, Module, Omitted, Region, StructType
from tensorlogic.ir.rewrite import operations, operations_in
from tensorlogic.ir.text_lines import in_place, is_bound, only_guarded
from tensorlogic.ir.text_models import fields
from tensorlogic.ir.text_operations import STEP, Remark, Signatures, Writer, no_remark, python_name
from tensorlogic.ir.text_values import Names, constant, quoted, type_text
from tensorlogic.types.types import Void


def print_module(module: Module, signatures: Signatures, remark: Remark = no_remark) -> str:
    """The text of a module. `signatures(name)` are the overloads of a builtin, for the names of its parameters; `remark(op)` is what to
    write behind an operation, as a comment.

    Guards print as remarks, and copies that the checker implied not at all: it finds them again when the text is read back.
    """
    return _Printer(module, signatures, remark).text()


class _Printer:
    def __init__(self, module: Module, signatures: Signatures, remark: Remark):
        self.module = module
        self.signatures = signatures
        self.remark = remark
        self.functions = {f.name: f for f in module.functions}
        self.structs = {s.name: s for s in module.structs}
        self.taken = {
            *self.functions,
            *self.structs,
            *(m.name for m in module.models),
            *(g.name for g in module.globals),
            *(item.name for item in (*module.knowledge.relations, *module.knowledge.entities)),
            *_builtins(module),
        }

    def text(self) -> str:
        module = self.module
        consts = [f"const {g.name}: {type_text(g.type)} = {_value(g)}" for g in module.globals if g.kind == "const"]
        blocks = [self.python_imports(), consts, text_relations.declarations(module), *(self.struct(s) for s in module.structs)]
        blocks += [self.model(m) for m in module.models]
        blocks += [self.function(f) for f in module.functions if f.method_of is None]
        blocks += self.program()
        return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"

    def writer(self, names: Names, regions: tuple[Region, ...]) -> Writer:
        signatures = {model.name: model.signature for model in self.module.models}
        idle, inline = only_guarded(regions), in_place(regions)
        return Writer(
            names, self.functions, self.structs, self.signatures, signatures, self.module, remark=self.remark, idle=idle, inline=inline
        )

    def python_imports(self) -> list[str]:
        regions = [f.body for f in self.module.functions] + self.blocks()
        modules = sorted({str(op.attrs["module"]) for op in operations_in(regions) if op.code == "python_call"})
        return [f"python import {m}" + (f" as {python_name(m)}" if "." in m else "") for m in modules]

    def blocks(self) -> list[Region]:
        """What runs at the top of the file: the statements, `main`, the tests."""
        main = (self.module.main,) if self.module.main else ()
        return [self.module.program, *main, *(t.body for t in self.module.tests)]

    # --- declarations ---

    def struct(self, struct: StructType) -> list[str]:
        variables = f"<{', '.join(struct.type_vars)}>" if struct.type_vars else ""
        fields = [f"{STEP}{n}: {type_text(t)}{' learnable' if n in struct.learnable else ''}," for n, t in struct.fields]
        lines = [*_doc(struct.doc), f"struct {struct.name}{variables} {{", *fields, "}"]
        methods = self.module.methods(struct.name)
        if methods:
            lines += ["", f"impl {struct.name}{variables} {{"]
            lines += [STEP + line for method in methods for line in self.function(method)]
            lines.append("}")
        return lines

    def model(self, model: Model) -> list[str]:
        members = {m.name for m in model.members} | {f.signature.name for f in self.module.methods(model.name)}
        writer = self.writer(Names((model.init,), model.params, (self.taken | members) - {p.name for p in model.params}), (model.init,))
        params = _parameters(model, writer)
        where = ", ".join(r.text or str(r.goal) for r in model.signature.where)
        lines = [
            *_doc(model.doc),
            f"model {model.name}({', '.join(params)}){f' where {where}' if where else ''} {{",
            *fields(model, writer),
        ]
        for method in self.module.methods(model.name):
            lines += [STEP + line for line in self.function(method, members)]
        return [*lines, "}"]

    def function(self, function: Function, members: Iterable[str] = ()) -> list[str]:
        """`members` are the fields and methods of the model whose method it is."""
        values = (*function.params, *(d.value for d in function.dims))
        taken = (self.taken | set(members)) - {v.name for v in values}
        writer = self.writer(Names((function.body,), values, taken), (function.body,))
        writer.receiver = function.receiver
        writer.region(function.body, 1)
        return [*_doc(function.doc), self.head(function, writer), *writer.lines, "}"]

    def head(self, function: Function, writer: Writer) -> str:
        signature = function.signature
        variables = ", ".join(f"{v.name}: {v.kind}" for v in signature.dtype_vars)
        parameters = _parameters(function, writer)
        if is_bound(function):
            parameters[0] = "self"
        result = "" if isinstance(function.result, Void) else f" -> {type_text(function.result)}"
        where = ", ".join(r.text or str(r.goal) for r in signature.where)
        generics = f"<{variables}>" if variables else ""
        return f"fn {signature.name if function.method_of else function.name}{generics}({', '.join(parameters)}){result}" + (
            f" where {where} {{" if where else " {"
        )

    # --- statements ---

    def program(self) -> list[list[str]]:
        module, regions = self.module, tuple(self.blocks())
        writer = self.writer(Names(regions, (), self.taken), regions)
        writer.declared = {g.name: _declaration(g) for g in module.globals if g.kind != "const"}
        writer.region(module.program, 0)
        found = [_taken(writer)]
        if module.main is not None:
            writer.block("main {", module.main, 0)
            found.append(_taken(writer))
        for test in module.tests:
            writer.block(f"test {quoted(test.name)} {{", test.body, 0)
            found.append(_taken(writer))
        return found


def _parameters(item: Function | Model, writer: Writer) -> list[str]:
    """`x: float32[N]`, with defaults."""
    found = [f"{param.name}: {type_text(param.type)}" for param in item.signature.params]
    pairs = zip(found, item.defaults, strict=True)
    return [text if isinstance(default, Omitted) else f"{text} = {writer.names.operand(default)}" for text, default in pairs]


def _taken(writer: Writer) -> list[str]:
    lines, writer.lines = writer.lines, []
    return lines


def _declaration(item: Global) -> str:
    learnable = " learnable" if item.learnable and item.kind == "tensor" else ""
    return f"{item.kind} {item.name}: {type_text(item.type)}{learnable}"


def _value(item: Global) -> str:
    value = item.value
    return constant(getattr(value, "value", None), item.type, getattr(value, "text", ""))


def _doc(doc: str | None) -> list[str]:
    return [f"/// {line}".rstrip() for line in doc.splitlines()] if doc else []


def _builtins(module: Module) -> Iterable[str]:
    """The builtins that the module calls: no value may hide them."""
    return {str(op.attrs["name"]) for op in operations(module) if op.code == "builtin"}
