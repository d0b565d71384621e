"""How operations print: each as the construct of the language that makes it, one on a line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tensorlogic.ir import text_relations
from tensorlogic.ir.ir import Const, Function, Module, Omitted, Op, Operand, Region, StructType, Value
from tensorlogic.ir.text_lines import is_bound, is_copy, is_implied, is_initializer, is_load, is_member
from tensorlogic.ir.text_values import Names, type_text
from tensorlogic.types.signature import Signature
from tensorlogic.types.types import Type

Signatures = Callable[[str], tuple[Signature, ...]]
Remark = Callable[[Op], str]
CONVERSIONS = ("tensor", "cast", "check_type")  # of operands, which may stand before or behind the guards of their operation
STEP = "    "


def no_remark(op: Op) -> str:
    return ""


@dataclass(slots=True)
class Writer:
    """Prints the regions of one function. `signatures` gives those of a builtin, for the names of its parameters."""

    names: Names
    functions: Mapping[str, Function]
    structs: Mapping[str, StructType]
    signatures: Signatures
    models: Mapping[str, Signature]
    module: Module
    remark: Remark = no_remark
    lines: list[str] = field(default_factory=list)
    idle: set[Value] = field(default_factory=set)  # sizes that only guards read
    inline: set[Value] = field(default_factory=set)  # what stands where it is read
    waiting: list[str] = field(default_factory=list)  # guards of the next operation
    receiver: Value | None = None  # the model whose method this is
    declared: dict[str, str] = field(default_factory=dict)  # `param w: float32[D]` of globals that have no value yet

    def region(self, region: Region, depth: int) -> None:
        """The operations and, as a last expression, the value of a region."""
        ops = region.ops
        at = 0
        while at < len(ops):
            at += self.operation(ops[at], ops[at + 1] if at + 1 < len(ops) else None, depth)
        self.put_guards(depth)
        if region.yields:
            self.line(depth, self.names.operand(region.yields[0]))

    def put_guards(self, depth: int) -> None:
        """Only remarks: the checker puts the same guards there again."""
        for text in self.waiting:
            self.line(depth, f"// guard: {text}")
        self.waiting.clear()

    def line(self, depth: int, text: str) -> None:
        self.lines.append(STEP * depth + text)

    def operation(self, op: Op, following: Op | None, depth: int) -> int:
        """Print an operation; how many were printed, for a change of a place takes its assignment along."""
        if op.results and op.results[0] in self.idle:
            return 1
        if op.code not in ("guard", *CONVERSIONS):
            self.put_guards(depth)
        if is_implied(op, following):
            return self.owned(op, following, depth)
        if is_member(op) or (op.results and op.results[0] in self.inline) or (is_copy(op) and not op.results[0].name):
            self.names.names[op.results[0]] = self.expression(op)
            return 1
        if op.code in ("set_index", "set_list_item", "set_field"):
            return self.change(op, following, depth)
        if is_initializer(op) and following and following.code == "set_global" and following.args == op.results:
            self.set_global(following, self.initial(op), depth)
            return 2
        if is_load(op) and following and following.code == "check_type" and following.args == op.results:
            self.line(depth, self.binding(following) + self.expression(op))
            return 2
        if op.code in STATEMENTS:
            STATEMENTS[op.code](self, op, depth)
        elif op.regions:
            self.with_regions(op, depth)
        else:
            remark = self.remark(op)
            self.line(depth, self.binding(op) + self.expression(op) + (f"{STEP}// {remark}" if remark else ""))
        return 1

    def owned(self, op: Op, copy: Op | None, depth: int) -> int:
        """What a variable takes a copy of: only the variable, for the checker copies it again."""
        assert copy is not None
        self.names.names[op.results[0]] = self.names.of(copy.results[0])
        return 1 + self.operation(replace(op, results=copy.results), None, depth)

    def binding(self, op: Op) -> str:
        """`let name: TYPE = `, nothing for an operation without result."""
        if not op.results:
            return ""
        return f"let {self.names.of(op.results[0])}{annotation(op.results[0].type)} = "

    # --- what computes ---

    def expression(self, op: Op) -> str:
        args = op.args
        texts = [self.names.operand(a) for a in args]
        if op.code in text_relations.OPERATIONS:
            return text_relations.operation(op, texts, self.module)
        match op.code:
            case "builtin":
                return self.builtin(op, texts)
            case "call":
                return self.call(op, texts)
            case "call_value":
                return f"{texts[0]}({', '.join(texts[1:])})"
            case "binary":
                return binary(str(op.attrs["op"]), args, texts)
            case "unary":
                return f"-{texts[0]}" if op.attrs["op"] == "-" else f"not {texts[0]}"
            case "cast":
                return f"{texts[0]} as {op.attrs['to']}"
            case "tensor":
                device = op.attrs.get("device")
                return f"tensor<{op.attrs['dtype']}>({texts[0]}, device: {device})" if device else texts[0]
            case "list":
                return f"[{', '.join(texts)}]"
            case "tuple":
                return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
            case "range":
                return "..".join(texts)
            case "struct":
                pairs = zip(self.structs[str(op.attrs["name"])].fields, texts, strict=True)
                return f"{op.attrs['name']} {{ {', '.join(f'{name}: {text}' for (name, _), text in pairs)} }}"
            case "field":
                return str(op.attrs["name"]) if args[0] is self.receiver else f"{texts[0]}.{op.attrs['name']}"
            case "model":
                name = str(op.attrs["name"])
                signature = self.models.get(name) or self.signatures(name)[0]
                return f"{name}({named_arguments(signature, args, texts)})"
            case "call_method":
                return self.method(op, texts)
            case "item":
                return f"{texts[0]}.{op.attrs['index']}"
            case "list_item" | "index":
                return f"{texts[0]}[{', '.join(texts[1:])}]"
            case "list_slice":
                return f"{texts[0]}[{':'.join(texts[1:] if texts[3:] and texts[3] else texts[1:3])}]"
            case "copy" | "check_type":
                return texts[0]
            case "python_call":
                return self.python(op, texts)
        raise ValueError(f"the operation {op.code} has no text")

    def builtin(self, op: Op, texts: list[str]) -> str:
        name = str(op.attrs["name"])
        if is_copy(op):
            return texts[0]
        if is_load(op):
            return f"{texts[0]}.get_tensor({texts[1]})"
        if name.startswith("."):  # `x.shape`
            return f"{texts[0]}{name}" + (f"({', '.join(texts[1:])})" if texts[1:] else "")
        overload = op.attrs["index"]
        signature = self.signatures(name)[overload if isinstance(overload, int) else 0]
        return f"{name}({named_arguments(signature, op.args, texts)})"

    def call(self, op: Op, texts: list[str]) -> str:
        function = self.functions[str(op.attrs["name"])]
        if function.method_of is None:
            return f"{function.name}({named_arguments(function.signature, op.args, texts)})"
        if is_bound(function):
            rest = Signature("", function.signature.params[1:], function.result)
            return f"{texts[0]}.{function.signature.name}({named_arguments(rest, op.args[1:], texts[1:])})"
        return f"{function.method_of}::{function.signature.name}({named_arguments(function.signature, op.args, texts)})"

    def method(self, op: Op, texts: list[str]) -> str:
        """`block(x)`, `m.count()`, or `count()` of the model itself."""
        name, function = str(op.attrs["method"]), self.functions.get(str(op.attrs["name"]))
        arguments = named_arguments(function.signature, op.args[1:], texts[1:]) if function else ", ".join(texts[1:])
        if op.args[0] is self.receiver:
            return f"{name}({arguments})"
        return f"{texts[0]}({arguments})" if name == "forward" else f"{texts[0]}.{name}({arguments})"

    def set_member(self, op: Op, depth: int) -> None:
        owner = "" if op.args[0] is self.receiver else f"{self.names.operand(op.args[0])}."
        self.line(depth, f"{owner}{op.attrs['name']} = {self.names.operand(op.args[1])}")

    def python(self, op: Op, texts: list[str]) -> str:
        names = op.attrs["names"]
        labels = names if isinstance(names, tuple) else (None,) * len(texts)
        arguments = (f"{label}: {text}" if label else text for label, text in zip(labels, texts, strict=True))
        return f"{python_name(str(op.attrs['module']))}.{op.attrs['name']}({', '.join(arguments)})"

    def initial(self, op: Op) -> str:
        """`normal(0.02)`: the shape and the dtype, which come first, are the declaration's."""
        return f"{op.attrs['name']}({', '.join(t for t in map(self.names.operand, op.args[2:]) if t)})"

    # --- what changes something ---

    def change(self, op: Op, following: Op | None, depth: int) -> int:
        """`x[i] = v`; where the changed value is not the variable's new one, a copy is changed."""
        base, *items, value = op.args
        fused = following is not None and following.code == "assign" and following.args == op.results and following.attrs["target"] is base
        if fused:
            place = self.names.operand(base)
        else:
            place = self.names.of(op.results[0])
            self.line(depth, f"{self.binding(op)}{self.names.operand(base)}")
        where = f".{op.attrs['name']}" if op.code == "set_field" else f"[{', '.join(map(self.names.operand, items))}]"
        self.line(depth, f"{place}{where} = {self.names.operand(value)}")
        return 2 if fused else 1

    def set_global(self, op: Op, value: str, depth: int) -> None:
        name = str(op.attrs["name"])
        self.line(depth, f"{self.declared.pop(name, name)} = {value}")

    def assign(self, op: Op, depth: int) -> None:
        target = op.attrs["target"]
        assert isinstance(target, Value)
        self.line(depth, f"{self.names.of(target)} = {self.names.operand(op.args[0])}")

    def leave(self, op: Op, depth: int) -> None:
        self.line(depth, " ".join((op.code, *map(self.names.operand, op.args))))

    def claim(self, op: Op, depth: int) -> None:
        self.line(depth, f"assert {', '.join(map(self.names.operand, op.args))}")

    def guard(self, op: Op, depth: int) -> None:
        self.waiting.append(str(op.attrs["text"]))

    # --- what has blocks ---

    def with_regions(self, op: Op, depth: int) -> None:
        match op.code:
            case "if":
                self.branches(op, depth)
            case "and" | "or":
                self.logic(op, depth)
            case "for":
                element = self.names.of(op.regions[0].params[0])
                self.block(f"for {element} in {self.names.operand(op.args[0])} {{", op.regions[0], depth)
            case "while":
                self.loop(op, depth)
            case "learn":
                self.learn(op, depth)
            case "no_grad":
                self.block("no_grad {", op.regions[0], depth)
            case "lambda":
                parameters = ", ".join(map(self.names.of, op.regions[0].params))
                self.block(f"{self.binding(op)}|{parameters}| {{", op.regions[0], depth)
            case _:
                raise ValueError(f"the operation {op.code} has no text")

    def block(self, head: str, region: Region, depth: int, end: str = "}") -> None:
        self.line(depth, head)
        self.region(region, depth + 1)
        self.line(depth, end)

    def learn(self, op: Op, depth: int) -> None:
        """`learn batch in batches { ... }`: the step, then the options."""
        region, options = op.regions[0], op.attrs["options"]
        assert isinstance(options, tuple)
        over = f" {self.names.of(region.params[0])} in {self.names.operand(op.args[0])}" if region.params else ""
        self.line(depth, f"learn{over} {{")
        self.region(Region((), region.ops), depth + 1)
        values = (region.yields[0], *op.args[1:])
        for name, value in zip(("objective", *options), values, strict=True):
            text = self.names.operand(value)
            self.line(depth + 1, f"{name}: {text if name != 'distributed' else getattr(value, 'value', None) or 'data_parallel'}")
        self.line(depth, "}")

    def branches(self, op: Op, depth: int) -> None:
        then, otherwise = op.regions
        self.line(depth, f"{self.binding(op)}if {self.names.operand(op.args[0])} {{")
        self.region(then, depth + 1)
        if otherwise.ops or otherwise.yields:
            self.block("} else {", otherwise, depth)
        else:
            self.line(depth, "}")

    def logic(self, op: Op, depth: int) -> None:
        """`a and b`, or an `if` where the right operand takes operations."""
        left, right = self.names.operand(op.args[0]), op.regions[0]
        if not right.ops:
            self.line(depth, f"{self.binding(op)}{left} {op.code} {self.names.operand(right.yields[0])}")
        elif op.code == "and":
            self.block(f"{self.binding(op)}if {left} {{", right, depth, "} else {")
            self.lines += [STEP * (depth + 1) + "false", STEP * depth + "}"]
        else:
            self.line(depth, f"{self.binding(op)}if {left} {{")
            self.line(depth + 1, "true")
            self.block("} else {", right, depth)

    def loop(self, op: Op, depth: int) -> None:
        """`while c`; a condition that takes operations is worked out in a `loop`."""
        test, body = op.regions
        if not test.ops:
            condition = self.names.operand(test.yields[0]) if test.yields else "true"
            self.block("loop {" if condition == "true" else f"while {condition} {{", body, depth)
            return
        self.line(depth, "loop {")
        self.region(Region((), test.ops), depth + 1)
        self.block(f"if {self.names.operand(test.yields[0])} {{", body, depth + 1, "} else {")
        self.lines += [STEP * (depth + 2) + "break", STEP * (depth + 1) + "}", STEP * depth + "}"]


STATEMENTS: dict[str, Callable[[Writer, Op, int], None]] = {
    "assign": Writer.assign,
    "break": Writer.leave,
    "continue": Writer.leave,
    "return": Writer.leave,
    "assert": Writer.claim,
    "guard": Writer.guard,
    "set_member": Writer.set_member,
    "set_global": lambda writer, op, depth: writer.set_global(op, writer.names.operand(op.args[0]), depth),
}


def annotation(type_: Type) -> str:
    text = type_text(type_)
    return f": {text}" if text else ""


def binary(op: str, args: tuple[Operand, ...], texts: list[str]) -> str:
    left = args[0]
    if isinstance(left, Const) and isinstance(left.value, int | float) and left.value < 0:
        texts = [f"({texts[0]})", texts[1]]
    return f"{texts[0]} {'/' if op == '//' else op} {texts[1]}"


def named_arguments(signature: Signature, args: tuple[Operand, ...], texts: list[str]) -> str:
    """The arguments, with their names after one that was left out."""
    found: list[str] = []
    gap = False
    for at, (arg, text) in enumerate(zip(args, texts, strict=True)):
        if isinstance(arg, Omitted):
            gap = True
        else:
            found.append(f"{signature.params[at].name}: {text}" if gap else text)
    return ", ".join(found)


def python_name(module: str) -> str:
    return module.replace(".", "_")
