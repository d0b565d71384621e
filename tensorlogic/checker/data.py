"""Data sets: the types of the batches that they give."""

from tensorlogic.types.types import Library, Type, Unknown


def element_of(type_: Type) -> Type:
    """What one batch of a data set is."""
    element = type_.header.get("element") if isinstance(type_, Library) and type_.header is not None else None
    return element if element is not None else Unknown()
