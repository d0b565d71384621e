"""How models print: what makes their fields in line, as a declaration has no place for statements; their methods as functions."""

from tensorlogic.ir.ir import Const, Member, Model, Op, Operand
from tensorlogic.ir.text_lines import is_initializer
from tensorlogic.ir.text_operations import STEP, Writer, annotation
from tensorlogic.ir.text_values import type_text

ATOMS = ("model", "builtin", "list", "field", "call_method", "repeat", "cast", "copy", "tensor", "check_type")


def fields(model: Model, writer: Writer) -> list[str]:
    """One line for each field of a model, but not for its parameters."""
    found: list[str] = []
    writer.receiver = model.receiver
    made: dict[Operand, Op] = {}
    params = {param.name for param in model.params}
    members = {member.name: member for member in model.members}
    for op in _flat(model.init.ops):
        if op.code == "new_member":
            if op.attrs["name"] not in params:
                found.append(STEP + _field(members[str(op.attrs["name"])], op.args[1], made, writer))
        elif op.code == "guard":
            found.append(f"{STEP}// guard: {op.attrs['text']}")
        else:
            for result in op.results:
                made[result] = op
                writer.names.names[result] = _text(op, writer)
    return found


def _flat(ops: tuple[Op, ...]) -> list[Op]:
    """The operations, those that make a repeated submodel in front of the repetition."""
    found: list[Op] = []
    for op in ops:
        found += [*(op.regions[0].ops if op.code == "repeat" else ()), op]
    return found


def _text(op: Op, writer: Writer) -> str:
    if op.code == "repeat":
        return f"[{writer.names.operand(op.regions[0].yields[0])}; {writer.names.operand(op.args[0])}]"
    if is_initializer(op):
        return writer.initial(op)
    text = writer.expression(op)
    return text if op.code in ATOMS else f"({text})"


def _field(member: Member, value: Operand, made: dict[Operand, Op], writer: Writer) -> str:
    text = writer.names.operand(value)
    match member.kind:
        case "submodel" | "submodels" if value in made and made[value].code in ("model", "repeat"):
            return f"{member.name}: {text}"
        case "submodel" | "submodels":
            return f"let {member.name} = {text}"
        case "value":
            return f"let {member.name}{annotation(member.type)} = {text}"
    kind, frozen = ("param", "" if member.learnable else " frozen") if member.kind == "param" else ("buffer", "")
    default = f" = {text}" if isinstance(value, Const) or value in made else ""
    return f"{kind} {member.name}: {type_text(member.type)}{frozen}{default}"
