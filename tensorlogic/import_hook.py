"""`import model` in Python finds `model.tl`: a module whose attributes are the functions of the program."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from tensorlogic.api import compile


class ProgramLoader(Loader):
    """Compiles a program when it is imported. Its top level runs only on `module.program.run()`."""

    def __init__(self, path: str):
        self.path = path

    def create_module(self, spec: ModuleSpec) -> None:
        """The default module will do."""

    def exec_module(self, module: ModuleType) -> None:
        program = compile(Path(self.path))
        module.program = program  # type: ignore[attr-defined]
        vars(module).update(program)


class Finder:
    """Looks for `NAME.tl` where Python looks for `NAME.py`, after Python has found nothing itself."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        file = name.rpartition(".")[2] + ".tl"
        for folder in sys.path if path is None else path:
            place = Path(folder or ".", file)
            if place.is_file():
                return spec_from_file_location(name, place, loader=ProgramLoader(str(place)))
        return None


def install_import_hook() -> None:
    """From now on `import model` finds `model.tl` in the folders of `sys.path`. Python modules of the same name come first.

    The functions of the program are attributes of the module, `model.program` is what `tl.compile` gives.
    A program with a mistake raises TensorLogicError.
    """
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
