"""The types of the language. `str()` of a type is source syntax.

Host types may carry what is known of the value: an `Int` its symbolic value, a `List` its items. `widen` forgets that, as
assignment in a loop must.
"""

from collections.abc import Mapping

from tensorlogic.record import record
from tensorlogic.types.dims import Dim


@record
class DTypeVar:
    """`T` of `fn f<T: float>`: some dtype of its kind, the same everywhere in the function."""

    name: str
    kind: str = "any"

    def __str__(self) -> str:
        return self.name


@record
class Segment:
    """`...B` in a shape: any number of dims, the same ones everywhere in the function. Name "" is an anonymous `...`."""

    name: str

    def __str__(self) -> str:
        return f"...{self.name.partition('#')[0]}"


@record
class Derived:
    """`...reduce(S, dim, keepdim)` in the signature of a builtin: dims that a function of `types/shapes.py` works out."""

    function: str
    args: tuple[object, ...]  # Segment, Dim, or the name of a parameter as str

    def __str__(self) -> str:
        return f"...{self.function}({', '.join(str(a).removeprefix('...') for a in self.args)})"


ShapeItem = Dim | Segment | Derived
Shape = tuple[ShapeItem, ...]


@record
class Int:
    value: Dim | None = None

    def __str__(self) -> str:
        return "int"


@record
class Float:
    value: float | None = None

    def __str__(self) -> str:
        return "float"


@record
class Bool:
    value: bool | None = None

    def __str__(self) -> str:
        return "bool"


@record
class String:
    value: str | None = None

    def __str__(self) -> str:
        return "string"


@record
class Void:
    def __str__(self) -> str:
        return "void"


@record
class NoneType:
    """The default `none` of an optional parameter of a builtin."""

    def __str__(self) -> str:
        return "none"


@record
class Any:
    """Any value at all: only in signatures of builtins (`print`)."""

    def __str__(self) -> str:
        return "any"


@record
class Unknown:
    """The type of an expression that was reported already. It matches everything, so that one mistake gives one message."""

    def __str__(self) -> str:
        return "unknown"


@record
class DTypeValue:
    """A dtype used as a value: `x.to(float32)`. In signatures `DType<U>` binds the variable U."""

    dtype: str | DTypeVar

    def __str__(self) -> str:
        return f"DType<{self.dtype}>"


@record
class Tensor:
    """`dtype[shape]`"""

    dtype: str | DTypeVar
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(str(item) for item in self.shape)}]"


@record
class AnyTensor:
    """`Tensor`: a tensor whose dtype and shape are only known at run time."""

    def __str__(self) -> str:
        return "Tensor"


@record
class List:
    """`[T]`. `items` are the types of the elements one by one where they are known; then `element` is what they have in common."""

    element: "Type"
    items: tuple["Type", ...] | None = None

    def __str__(self) -> str:
        return f"[{self.element}]"


@record
class Range:
    """`a..b` and `range(n)`: ints one after the other."""

    start: Dim | None = None
    stop: Dim | None = None

    def __str__(self) -> str:
        return "range"


@record
class Tuple:
    items: tuple["Type", ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))}{',' if len(self.items) == 1 else ''})"


@record
class Fn:
    params: tuple["Type", ...]
    result: "Type"

    def __str__(self) -> str:
        return f"fn({', '.join(map(str, self.params))}) -> {self.result}"


@record
class TypeVar:
    """`T` of `struct Pair<T>`: any type, or of a function parameter in a builtin's signature."""

    name: str

    def __str__(self) -> str:
        return self.name


@record
class Struct:
    """A declared struct; `name` is unique in the program, `args` stand for its type parameters."""

    name: str
    args: tuple["Type", ...] = ()

    def __str__(self) -> str:
        return f"{self.name}<{', '.join(map(str, self.args))}>" if self.args else self.name


@record
class ModelOf:
    """An instance of a model: `name` is unique in the program, `args` are what its int parameters are."""

    name: str
    args: tuple[tuple[str, object], ...] = ()  # Dim, or None where nothing is known

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(value) if value is not None else '?' for _, value in self.args)})"


@record
class Record:
    """What a batch of a data set is: values by name."""

    fields: tuple[tuple[str, "Type"], ...]

    def __str__(self) -> str:
        return f"{{{', '.join(f'{name}: {type_}' for name, type_ in self.fields)}}}"


RULES = ("OptimizerRule", "ScheduleRule", "Every", "AnyStruct")  # in builtins: what the options of `learn` take, and any struct


@record
class Library:
    """A type of the library: `Model Tokenizer KVCache Optimizer Scheduler Dataset Device`. `header` is what is known of a model file,
    of a data set the type of its `element`."""

    name: str
    header: Mapping | None = None  # tensor name -> formats.TensorEntry; compared by identity of its file

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Library) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


Type = (
    Int
    | Float
    | Bool
    | String
    | Void
    | NoneType
    | Any
    | Unknown
    | DTypeValue
    | Tensor
    | AnyTensor
    | List
    | Range
    | Tuple
    | Fn
    | TypeVar
    | Struct
    | ModelOf
    | Record
    | Library
)


def widen(type_: Type) -> Type:
    """The type without what is known of the value."""
    match type_:
        case Int() | Float() | Bool() | String():
            return type(type_)()
        case Range():
            return Range()
        case List(element):
            return List(widen(element))
        case Tuple(items):
            return Tuple(tuple(widen(i) for i in items))
    return type_


def is_number(type_: Type) -> bool:
    return isinstance(type_, Int | Float)


def is_tensor(type_: Type) -> bool:
    return isinstance(type_, Tensor | AnyTensor)


def is_unknown(type_: Type) -> bool:
    """Whether the type, or a part of it, was reported already."""
    match type_:
        case Unknown():
            return True
        case List(element):
            return is_unknown(element)
        case Tuple(items):
            return any(is_unknown(i) for i in items)
    return False
