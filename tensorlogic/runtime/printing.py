"""How `print` writes values: tensors as PyTorch does, everything else as the language writes it."""

import sys
from dataclasses import fields, is_dataclass

import torch


def print_values(*values: object, end: str = "\n") -> None:
    """Values separated by spaces."""
    sys.stdout.write(" ".join(map(text, values)) + end)
    if not end.endswith("\n"):
        sys.stdout.flush()


def filled(template: str, *values: object) -> str:
    """The template with each `{}` replaced by a value; values that are left follow, separated by spaces."""
    parts = template.split("{}")
    holes = min(len(parts) - 1, len(values))
    body = "".join(part + text(value) for part, value in zip(parts, values[:holes], strict=False)) + "{}".join(parts[holes:])
    return " ".join([body, *map(text, values[holes:])])


def text(value: object) -> str:
    """A value as `print` shows it: a string bare."""
    return value if isinstance(value, str) else source(value)


def source(value: object) -> str:
    """A value as a program would write it; tensors as PyTorch prints them."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case str():
            return quoted(value)
        case torch.dtype():
            return str(value).removeprefix("torch.")
        case list():
            return f"[{', '.join(map(source, value))}]"
        case tuple() if hasattr(value, "_fields"):
            return f"({', '.join(map(source, value))})"
        case tuple():
            return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
        case range():
            return f"{value.start}..{value.stop}"
    if is_dataclass(value) and not isinstance(value, type):
        return _struct(value)
    return str(value)


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})


def quoted(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


def _struct(value: object) -> str:
    """`Point { x: 1.0, y: 2.0 }`, by the names of the program."""
    held = [field.name for field in fields(value)]  # type: ignore[arg-type]
    name, *shown = getattr(value, "__shown__", (type(value).__name__, *held))
    parts = ", ".join(f"{label}: {source(getattr(value, field))}" for label, field in zip(shown, held, strict=True))
    return f"{name} {{ {parts} }}" if parts else f"{name} {{}}"
