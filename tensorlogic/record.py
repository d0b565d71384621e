"""Frozen, slotted dataclasses that are cheap to define: `tlc` defines a hundred and fifty of them each time it starts.

`dataclass(frozen=True, slots=True)` compiles six methods per class; here one is compiled, and the others are shared or closures.
What it gives is the same: `fields`, `replace`, `match` and the type checker see a frozen dataclass.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: Class) -> Class:
    """A class of values: equal where all fields are equal.

    >>> @record
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1) == Point(1, 0), Point(2)
    (True, Point(x=2, y=0))
    """
    made: Any = distinct_record(cls)
    if "__eq__" not in cls.__dict__:
        values = _values(made.__match_args__)
        made.__eq__ = lambda self, other: values(self) == values(other) if other.__class__ is made else NotImplemented
        made.__hash__ = lambda self: hash(values(self))
    return made


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def distinct_record(cls: Class) -> Class:
    """A class whose objects equal only themselves, however alike: nodes of trees, values of a program."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # else `dataclass` makes one from the signature, which is slow
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__match_args__ = tuple(item.name for item in fields(made))
    made.__init__ = _initializer(made)
    made.__setattr__ = made.__delattr__ = _refuse
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _shown
    return made


def _initializer(made: type) -> Callable[..., None]:
    """`def __init__(self, x, y=default_y): set_x(self, x); set_y(self, y)`, through the slots, as the object refuses."""
    names: dict[str, Any] = {"ABSENT": object()}
    parameters, body = ["self"], [" pass"]
    for item in fields(made):
        name, value = item.name, item.name
        names[f"set_{name}"] = getattr(made, name).__set__
        names[f"default_{name}"], names[f"make_{name}"] = item.default, item.default_factory
        if item.default_factory is not MISSING:
            parameters.append(f"{name}=ABSENT")
            value = f"make_{name}() if {name} is ABSENT else {name}"
        else:
            parameters.append(name if item.default is MISSING else f"{name}=default_{name}")
        body.append(f" set_{name}(self, {value})")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *body]), names)
    return names["__init__"]


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple]:
    match names:
        case ():
            return lambda value: ()
        case (name,):
            return lambda value: (getattr(value, name),)
    return attrgetter(*names)


def _shown(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


def _refuse(self: object, name: str, value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")
