"""The compiler from Python: `compile`, `check`, `format` and `build`, as `import tensorlogic as tl` offers them."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tensorlogic import driver
from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Function, Module
from tensorlogic.source import Source
from tensorlogic.syntax.format import format_source
from tensorlogic.syntax.parse import read_source
from tensorlogic.write import replace_text

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import GraphModule

TextOrPath = str | os.PathLike[str]


def source_of(program: TextOrPath) -> Source:
    """The source that is meant: a string of one line that ends in `.tl` is a path, any other string is the text itself."""
    if isinstance(program, str) and ("\n" in program or not program.endswith(".tl")):
        return Source("<text>", program)
    return read_source(program)


class Program(Mapping[str, Callable[..., Any]]):
    """A compiled program. Its functions and structs are attributes, or items where a name is taken: `program["run"]`.

    Functions take and give torch tensors. Dtype, rank and sizes are checked at the call, and TensorLogicError says what does not fit.
    `source` is the text that was compiled, `python` the module that it became.

    >>> program = compile("fn double(x: float32[N]) -> float32[N] { return 2.0 * x }")
    >>> import torch
    >>> program.double(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, analysis: driver.Analysis, allow_python: bool = False):
        self._module = analysis.checked()
        self._analysis = analysis
        self._loaded = driver.load(analysis, allow_python)
        self._members = members(self._loaded, self._module)
        self.source: Source = analysis.source
        self.python: str = self._loaded.generated.text

    def run(self) -> None:
        """Run the statements of the file in order, then its main block. Afterwards `values` has what they computed.

        >>> program = compile("let n = 3")
        >>> program.run()
        >>> program.values["n"]
        3
        """
        self._loaded.run()

    @property
    def values(self) -> dict[str, Any]:
        """Constants, parameters, tensors and top-level variables by name; most have a value only after `run()`."""
        generated, known = self._loaded.generated, self._loaded.names
        found = {name: known[python] for name, python in {**generated.globals, **generated.values}.items() if python in known}
        checked = {known[python]: self._members[name] for name, python in generated.models.items()}
        for value in found.values():
            if type(value) in checked:
                value.__class__ = checked[type(value)]  # from here on Python calls it
        return found

    def fx(self, name: str) -> "GraphModule":
        """The torch.fx graph of a pure function. Raises TensorLogicError with the reason for any other, KeyError for an unknown name.

        >>> program = compile("fn double(x: float32[N]) -> float32[N] { return 2.0 * x }")
        >>> import torch
        >>> program.fx("double")(torch.ones(2))
        tensor([2., 2.])
        """
        from tensorlogic.backends.fx import NotPure, build_graph

        if name not in self._loaded.generated.functions:
            raise KeyError(name)
        try:
            return build_graph(self._module, name, self.values)
        except NotPure as problem:
            raise TensorLogicError(Diagnostic("TL0305", f"`{name}` is not one graph: {problem.reason}", problem.span)) from None

    def export(self, name: str, **fixed: Any) -> "ExportedProgram":
        """A pure function as `torch.export` gives it: its sizes stay open, within what the program requires of them.

        `fixed` are values of parameters that shall be constants; ints without one stay inputs. Parameters and tensors of the file have
        the values that they have now. Raises TensorLogicError with the reason for a function that cannot be exported, KeyError for
        an unknown name.
        """
        from tensorlogic.backends.export import export

        return export(self._module, driver.described(self._analysis, name), self.values, fixed)

    def dynamic_shapes(self, name: str, **known: int) -> dict[str, Any]:
        """What `torch.export.export` takes as `dynamic_shapes`, by parameter: of a function, or of a method as `GPT.forward`.

        `known` are sizes that are numbers, such as those an instance of the model was made with. KeyError for an unknown name.
        """
        from tensorlogic.backends.export_shapes import dynamic_shapes

        found = driver.described(self._analysis, name)
        return dynamic_shapes(found.signature, found.facts, known)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._members:
            near = did_you_mean(name, self._members) if not name.startswith("_") else None
            raise AttributeError(f"the program has no function {name!r}" + (f"; did you mean {near!r}?" if near else ""))
        return self._members[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._members})

    def __repr__(self) -> str:
        return f"<program {self.source.name}: {', '.join(self._members) or 'no functions'}>"


def members(loaded: driver.Loaded, module: Module) -> dict[str, Callable[..., Any]]:
    """The structs, functions and models of a program by their names; functions and models check what they are called with."""
    generated, names = loaded.generated, loaded.names
    structs = {name: names[python] for name, python in generated.structs.items()}
    functions = {f.name: checked(f, names[generated.functions[f.name]], loaded) for f in module.functions if f.receiver is None}
    return structs | functions | models(loaded, module)


def models(loaded: driver.Loaded, module: Module) -> dict[str, Callable[..., Any]]:
    """The models of a program as classes that check what they are called with."""
    if not module.models:
        return {}
    from tensorlogic.backends.checked_models import checked_model

    generated, translated = loaded.generated, partial(driver.translated, sources=loaded.sources)
    classes = ((m, loaded.names[generated.models[m.name]], generated.members[m.name]) for m in module.models)
    return {m.name: checked_model(module, m, plain, names, translated) for m, plain, names in classes}


def checked(function: Function, call: Callable[..., Any], loaded: driver.Loaded) -> Callable[..., Any]:
    """A function that checks its arguments first, and whose errors are at their place in the program."""
    from tensorlogic.backends.checks import make_checked

    return make_checked(function, call, partial(driver.translated, sources=loaded.sources))


def texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Values of constants as `--set` takes them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}


def compile(program: TextOrPath, *, allow_python: bool = False, **settings: object) -> Program:
    """Check a program, given as a path or as text, and make it callable. `settings` replace constants, as `--set` does.

    `allow_python` lets a program that imports Python modules call them; without it such a program is refused.
    Raises TensorLogicError with `diagnostics` where the program has a mistake, OSError where there is no such file.

    >>> compile("const D = 4\\nfn size() -> int { return D }", D=8).size()
    8
    """
    return Program(driver.analyse(source_of(program), texts(settings)), allow_python)


def check(program: TextOrPath, **settings: object) -> list[Diagnostic]:
    """What there is to say about a program, errors and warnings in source order. Never imports torch.

    >>> [d.code for d in check("let x = y")]
    ['TL0201']
    """
    try:
        return driver.analyse(source_of(program), texts(settings)).diagnostics
    except TensorLogicError as error:  # the file is no text
        return error.diagnostics


def format(text: str) -> str:
    """The text of a program laid out as `tlc fmt` does. Raises TensorLogicError where it is no program.

    >>> format("let  x=[1,2]")
    'let x = [1, 2]\\n'
    """
    return format_source(text)


def build(program: TextOrPath, output: str | os.PathLike[str], **settings: object) -> None:
    """Write the Python module that a program becomes. It imports torch, and `tensorlogic.runtime` only for what torch lacks.

    Raises TensorLogicError where the program has a mistake, OSError where a file cannot be read or written.
    """
    analysis = driver.analyse(source_of(program), texts(settings))
    replace_text(os.fspath(output), driver.build(analysis, os.path.dirname(os.fspath(output)) or ".").text)
