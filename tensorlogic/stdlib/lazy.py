"""`torch` and `runtime` for the bodies of builtins: imported when a body first runs, so that declaring builtins costs nothing."""

from importlib import import_module
from typing import Any


class LazyModule:
    """Stands for a module until an attribute is asked for."""

    def __init__(self, name: str, children: bool = False):
        self._name, self._children = name, children

    def __getattr__(self, attribute: str) -> Any:
        if self._children:
            return import_module(f"{self._name}.{attribute}")
        return getattr(import_module(self._name), attribute)


torch: Any = LazyModule("torch")
runtime: Any = LazyModule("tensorlogic.runtime", children=True)
