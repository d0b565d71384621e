"""What a whole program is built up from while its files are declared and checked."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorlogic.checker.imports import Imports
from tensorlogic.checker.scope import FunctionName, ModelName
from tensorlogic.checker.state import State
from tensorlogic.ir.ir import Function, Global, Model, Op
from tensorlogic.source import Span
from tensorlogic.syntax import ast


@dataclass
class Builder:
    imports: Imports
    initialize: "Initialize"  # adds the initial values of a file's tensors to the program
    globals: list[Global] = field(default_factory=list)
    pending: list[tuple[FunctionName, str | None]] = field(default_factory=list)  # with the struct that a method belongs to
    functions: list[Function] = field(default_factory=list)
    program: list[Op] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    models: list[ModelName] = field(default_factory=list)
    made: list[Model] = field(default_factory=list)
    library: dict[str, ModelName] = field(default_factory=dict)  # the layers of `tensorlogic/library` that the program uses
    python: list[Span] = field(default_factory=list)

    def unique(self, name: str, prefix: str) -> str:
        """A name for the module: the plain one if it is free."""
        choice = name
        if choice in self.names and prefix:
            choice = f"{prefix}_{name}"
        number = 2
        while choice in self.names:
            choice, number = f"{name}_{number}", number + 1
        self.names.add(choice)
        return choice

    def add_global(self, state: State, item: Global) -> None:
        state.globals[item.name] = item
        self.globals.append(item)


Initialize = Callable[[Builder, State, ast.Module], None]
