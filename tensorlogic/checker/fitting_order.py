"""The arguments of a call, and the order in which they are fitted: what others may depend on comes first."""

from tensorlogic.checker.state import Typed
from tensorlogic.record import distinct_record
from tensorlogic.syntax import ast
from tensorlogic.types.signature import Parameter
from tensorlogic.types.types import Any, Bool, Float, Fn, Int, List, ModelOf, String, Tensor, Type


@distinct_record
class Argument:
    name: str | None
    typed: Typed
    node: ast.Node

    @property
    def is_called(self) -> bool:
        """Whether its result follows from what it gets: a lambda, a function, a model."""
        return self.typed.closure is not None or isinstance(self.typed.type, ModelOf)


def is_host(parameter: Parameter, argument: Argument) -> bool:
    """Numbers and texts come first: the shapes of the others may depend on them."""
    host = isinstance(parameter.type, Int | Float | Bool | String | Any)
    return host or (isinstance(parameter.type, List) and isinstance(parameter.type.element, Int))


def is_plain(parameter: Parameter, argument: Argument) -> bool:
    return not any(wave(parameter, argument) for wave in (is_host, is_literal, is_callable))


def is_literal(parameter: Parameter, argument: Argument) -> bool:
    tensor = isinstance(parameter.type, Tensor) or (isinstance(parameter.type, List) and isinstance(parameter.type.element, Tensor))
    return tensor and isinstance(argument.typed.type, Int | Float | Bool | List) and _of_numbers(argument.typed.type)


def _of_numbers(type_: Type) -> bool:
    while isinstance(type_, List):
        type_ = type_.element
    return isinstance(type_, Int | Float | Bool)


def is_callable(parameter: Parameter, argument: Argument) -> bool:
    called = argument.typed.closure is not None or (isinstance(parameter.type, Fn) and argument.is_called)
    return called and not is_host(parameter, argument)
