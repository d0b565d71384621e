"""Python names for what a program names: kept where Python, torch and the generated module leave them free, numbered elsewhere."""

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping

from tensorlogic.backends.uses import Uses
from tensorlogic.ir.ir import Value

LONGEST = 60
MODULE_NAMES = frozenset(("torch", "F", "math", "dataclasses", "run", "main", "TESTS"))
_HARD_TO_READ = frozenset(("l", "O", "I"))  # ruff's E741
_FORBIDDEN = frozenset((*keyword.kwlist, *dir(builtins), *MODULE_NAMES, *_HARD_TO_READ))
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def usable(name: str) -> bool:
    """Whether generated Python can use the name of a program as it is."""
    return len(name) <= LONGEST and _IDENTIFIER.fullmatch(name) is not None and name not in _FORBIDDEN and not name.startswith("__")


class Namespace:
    """Hands out names that differ from each other and from `taken`; `v0`, `v1` where a source name cannot be used."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self._count = 0
        self._copies: dict[str, int] = {}

    def new(self, name: str = "") -> str:
        if not usable(name):
            return self._numbered()
        found, count = name, self._copies.get(name, 1)
        while found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self._copies[name] = count
        self.taken.add(found)
        return found

    def declared(self, name: str) -> str:
        """A class or function: one that Python or a reader would take for something else gets a trailing `_`."""
        return self.new(name if usable(name) or not usable(f"{name}_") else f"{name}_")

    def attribute(self, name: str) -> str:
        """An attribute of a class: only keywords and what Python would mangle are taken."""
        found = f"{name}_" if keyword.iskeyword(name) else name
        if len(name) > LONGEST or _IDENTIFIER.fullmatch(name) is None or name.startswith("__") or found in self.taken:
            return self._numbered()
        self.taken.add(found)
        return found

    def _numbered(self) -> str:
        while (found := f"v{self._count}") in self.taken:
            self._count += 1
        self.taken.add(found)
        return found


def declared(name: str) -> str:
    """The name of a declaration as one word: a method `Point.norm` is `Point_norm`, an imported `geo.area` is `geo_area`."""
    return re.sub(r"(\.|::)", "_", name)


class LocalNames:
    """Names of the values of one function. A name is used again where the value that had it is no longer needed."""

    def __init__(self, uses: Uses, taken: Iterable[str], variables: Mapping[Value, str] | None = None) -> None:
        """`taken` are names the function must not hide, `variables` those of the file, which matter where they are read."""
        self._uses = uses
        self._variables = variables or {}
        self._spaces: dict[object, Namespace] = {}
        self._taken = frozenset(taken)
        self._holders: dict[tuple[object, str], Value] = {}
        self.names: dict[Value, str] = {}

    def assign(self, values: Iterable[Value]) -> None:
        """Names all values, which come in the order of their definition."""
        for value in values:
            if value not in self.names:
                self.names[value] = self._name(value)

    def _name(self, value: Value) -> str:
        owner = self._uses.owner[value]
        space = self._space(owner)
        holder = self._holders.get((owner, value.name))
        free = holder is not None and self._uses.last[holder] <= self._uses.first[value]
        name = self.names[holder] if holder is not None and free else space.new(value.name)
        if value.name:
            self._holders[owner, value.name] = value
        return name

    def _space(self, owner: object) -> Namespace:
        if owner not in self._spaces:
            read = self._uses.last if owner is None else self._uses.captured.get(owner, ())
            known = (self._variables.get(value) or self.names.get(value) for value in read)
            self._spaces[owner] = Namespace(self._taken | {name for name in known if name})
        return self._spaces[owner]
