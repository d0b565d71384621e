"""Models among other values: which fields of a model are parts of it, and lists whose members are models of different types."""

from tensorlogic.checker.state import State
from tensorlogic.types.types import Library, List, ModelOf, Struct, Tuple, Type, widen

ANY_MODEL = Library("Model")


def submodel_kind(type_: Type) -> str | None:
    """What a field of this type is: `submodel`, `submodels` for lists and tuples of nothing but models, None for anything else."""
    if isinstance(type_, ModelOf):
        return "submodel"
    return "submodels" if _model_parts(type_) else None


def _model_parts(type_: Type) -> tuple[Type, ...]:
    """The members of a list or tuple that has nothing but models in it, or lists and tuples of them; else none."""
    parts = members_of(type_)
    return parts if parts and all(submodel_kind(part) for part in parts) else ()


def members_of(type_: Type) -> tuple[Type, ...]:
    """The types of the members of a list or tuple, one for all where they are not known one by one."""
    match type_:
        case Tuple(items):
            return items
        case List(element, items):
            return items if items is not None else (element,)
    return ()


def holds_models(state: State, type_: Type) -> bool:
    """Whether there are models in a value."""
    pending, seen = [type_], set()
    while pending:
        item = pending.pop()
        if isinstance(item, ModelOf):
            return True
        if isinstance(item, Struct) and item.name not in seen:
            seen.add(item.name)
            pending += (field for _, field in state.structs[item.name].item.fields)
        pending += members_of(item)
    return False


def of_different_models(type_: Type) -> tuple[Type, ...]:
    """The members of a list or tuple of models, or of tuples with models, where these are of more than one type; else none."""
    parts = members_of(type_)
    return parts if len({widen(part) for part in parts}) > 1 and all(_has_models(part) for part in parts) else ()


def _has_models(type_: Type) -> bool:
    return isinstance(type_, ModelOf) or any(_has_models(part) for part in members_of(type_))
