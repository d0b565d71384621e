"""Models as Python sees them: subclasses whose constructor and methods look at their arguments first."""

from collections.abc import Callable
from typing import Any

from tensorlogic.backends.checks import make_checked
from tensorlogic.ir.ir import Function, Model, Module, Region

Translated = Callable[[BaseException], BaseException]


def checked_model(module: Module, model: Model, generated: type, names: dict[str, str], translated: Translated) -> type:
    """The class `generated` of a model, for callers from Python; the program itself goes on using the plain one.

    `names` are the Python names of the model's fields and methods. Instances of the two are alike but for the checks.
    """
    sizes = {name: names[name] for name in model.signature.own_sizes}
    members: dict[str, Any] = {"__doc__": generated.__doc__, "__module__": generated.__module__, "__slots__": ()}
    members["__init__"] = make_checked(_constructor(model), generated.__init__, translated, {})
    for method in module.methods(model.name):
        python = names[method.name]
        members[python] = make_checked(method, getattr(generated, python), translated, sizes)
    return type(generated.__name__, (generated,), members)


def _constructor(model: Model) -> Function:
    return Function(
        model.name, model.params, model.defaults, (), model.receiver.type, Region(), model.signature, model.span, receiver=model.receiver
    )
