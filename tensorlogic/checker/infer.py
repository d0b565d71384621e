"""What an `infer=` function of a builtin sees of a call."""

from collections.abc import Callable, Mapping

from tensorlogic.record import record
from tensorlogic.types.obligations import Obligations
from tensorlogic.types.types import Type
from tensorlogic.types.unify import Bindings


@record
class InferCall:
    """`types` are the argument types by parameter; `apply(function, types)` is the result of a function among them;
    `model(type of a path, type of a dtype)` is the type of the model file there, loaded with that dtype if there is one."""

    types: Mapping[str, Type]
    need: Obligations
    result: Type | None
    apply: Callable[[Type, tuple[Type, ...]], Type]
    bound: Bindings
    model: Callable[[Type, Type | None], Type]
