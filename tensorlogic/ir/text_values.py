"""The words that printed IR is made of: names of values, constants, types."""

from collections.abc import Iterable, Iterator

from tensorlogic.ir.ir import Const, EllipsisIndex, FnRef, GlobalRef, Omitted, Operand, Region, SliceOf, Value
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import (
    RULES,
    Any,
    AnyTensor,
    Bool,
    Derived,
    DTypeValue,
    Float,
    Fn,
    Int,
    Library,
    List,
    ModelOf,
    NoneType,
    Range,
    Record,
    String,
    Struct,
    Tensor,
    Tuple,
    Type,
    TypeVar,
    Unknown,
    Void,
)  # fmt: skip

UNWRITTEN = frozenset(("Dataset", *RULES))  # a program cannot write all that is known of them
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\u{d}"})


class Names:
    """One name for each value of a function: its own where that is free, `t1`, `t2` for values in between."""

    def __init__(self, regions: Iterable[Region], values: Iterable[Value], taken: Iterable[str]):
        self.regions = tuple(regions)
        self.taken = set(taken)
        self.names: dict[Value, str] = {}
        self.used: set[str] = set()
        self.sources = {v.name for v in (*values, *self._values()) if v.name}
        self.count = 0
        for value in values:
            self.of(value)

    def _values(self) -> Iterator[Value]:
        pending = list(self.regions)
        while pending:
            region = pending.pop()
            yield from region.params
            for op in region.ops:
                yield from op.results
                pending.extend(op.regions)

    def of(self, value: Value) -> str:
        known = self.names.get(value)
        if known is None:
            known = self.names[value] = self._free(value.name) if value.name else self._between()
            self.used.add(known)
        return known

    def _free(self, name: str) -> str:
        if name not in self.used and name not in self.taken:
            return name
        number = 1
        while (choice := f"{name}_{number}") in self.used | self.taken | self.sources:
            number += 1
        return choice

    def _between(self) -> str:
        self.count += 1
        while f"t{self.count}" in self.used | self.taken | self.sources:
            self.count += 1
        return f"t{self.count}"

    def operand(self, operand: Operand) -> str:
        match operand:
            case Value():
                return self.of(operand)
            case Const():
                return constant(operand.value, operand.type, operand.text)
            case FnRef(name) | GlobalRef(name):
                return name
            case SliceOf(start, stop, step):
                parts = [self.operand(p) for p in (start, stop, step)]
                return ":".join(parts if parts[2] else parts[:2])
            case EllipsisIndex():
                return "..."
            case Omitted():
                return ""


def constant(value: object, type_: Type, text: str = "") -> str:
    """A constant as a literal."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value, text)
        case str():
            return f'"{value.translate(ESCAPES)}"' if isinstance(type_, String) else value
        case tuple():
            element = type_.element if isinstance(type_, List) else type_
            kinds = type_.items if isinstance(type_, List | Tuple) and type_.items else (element,) * len(value)
            return f"[{', '.join(constant(v, k) for v, k in zip(value, kinds, strict=False))}]"
    return str(value)


def _float(value: float, text: str) -> str:
    if not text:
        return repr(value)
    return f"-{text}" if value < 0 and not text.startswith("-") else text


def quoted(text: str) -> str:
    return f'"{text.translate(ESCAPES)}"'


def type_text(type_: Type) -> str | None:
    """A type as source; None where the language has no words for it."""
    match type_:
        case Tensor(dtype, shape):
            if any(isinstance(item, Derived) for item in shape):
                return None
            sizes = ("?" if isinstance(item, Dim) and "?" in str(item) else str(item) for item in shape)
            return f"{dtype}[{', '.join(sizes)}]"
        case List(element):
            return _around("[{}]", (element,))
        case Tuple(items):
            return _around("({})", items) if len(items) > 1 else None
        case Fn(params, result):
            parts, back = _around("fn({})", params), type_text(result)
            return f"{parts} -> {back}" if parts and back else None
        case ModelOf(_, args):
            return str(type_) if all(isinstance(value, Dim) and not value.has_unknown for _, value in args) else None
        case Struct(name, args):
            return _around(f"{name}<{{}}>", args) if args else name
        case Library(name) if name in UNWRITTEN:
            return None
        case Int() | Float() | Bool() | String() | Void() | AnyTensor() | Library() | TypeVar():
            return str(type_)
        case Range() | Record() | NoneType() | Any() | Unknown() | DTypeValue():
            return None
    return None


def _around(pattern: str, parts: tuple[Type, ...]) -> str | None:
    texts = [type_text(part) for part in parts]
    return None if None in texts else pattern.format(", ".join(t for t in texts if t))
