"""Data sets and tokenizers: the types of the batches that they give, of their slices, and of what stands behind a dot."""

from keyword import iskeyword

from tensorlogic.checker.state import State, Typed
from tensorlogic.syntax import ast
from tensorlogic.types.dims import Dim
from tensorlogic.types.types import AnyTensor, Int, Library, List, String, Type
from tensorlogic.types.unify import Bindings, substitute

SOME_BATCH = Library("a batch")  # of a data set of which nothing is known: its parts are `Tensor`
MEMBERS: dict[str, dict[str, Type]] = {"Tokenizer": {"vocab_size": Int(), "eos_id": Int(), "bos_id": Int()}}


def element_of(type_: Type) -> Type:
    """What one batch of a data set is. How many rows it has is open, each time anew: the last may have fewer."""
    header = (type_.header or {}) if isinstance(type_, Library) else {}
    element, rows = header.get("element"), header.get("rows")
    if element is None or rows is None:
        return SOME_BATCH
    bound = Bindings(dims={name: Dim.fresh() for name in rows.symbols()})
    return substitute(element, bound, keep_open=True)


def takes_slices(type_: Library, items: tuple) -> bool:
    """Whether `data[...]` is some rows of a data set: those of batches are settled already."""
    return all(isinstance(item, ast.Slice) for item in items) and not (type_.header or {}).get("batched")


def slice_of(type_: Type) -> Type:
    """The type of a slice of a list, string, range or data set."""
    match type_:
        case String():
            return String()
        case List(element):
            return List(element)
        case Library():
            return type_
    return List(Int())


def is_some_batch(type_: Type) -> bool:
    """Whether it is a batch of a data set of which nothing is known, as inside a function that takes a `Dataset`."""
    return type_ == SOME_BATCH


def library_members(type_: Type) -> dict[str, Type]:
    """What stands behind a dot without parentheses, with its type."""
    return MEMBERS.get(type_.name, {}) if isinstance(type_, Library) else {}


def library_member(state: State, node: ast.Member, base: Typed) -> Typed:
    """`tok.eos_id`; of a batch of which nothing is known, `batch.inputs` and `batch.0` are `Tensor`."""
    if not is_some_batch(base.type):
        return state.emit("builtin", (base.operand,), library_members(base.type)[node.name], node.span, name=f".{node.name}", index=0)
    if node.name.isdecimal():
        return state.emit("item", (base.operand,), AnyTensor(), node.span, index=int(node.name[:6]))
    if iskeyword(node.name):
        return state.error("TL0202", node.name_span, f"a batch has no member `{node.name}`")
    return state.emit("field", (base.operand,), AnyTensor(), node.span, name=node.name, struct="")
