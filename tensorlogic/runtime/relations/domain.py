"""Values and their codes: entities by their place in their type, strings and floats by the place where they are kept, ints as they are."""

import torch
from torch import Tensor

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.runtime.relations.terms import Entities

Value = int | float | str
LEAST, MOST = -(2**63), 2**63 - 1


class Names:
    """Strings in the order of their appearance."""

    def __init__(self, members: tuple[str, ...] = (), closed: str = "") -> None:
        self.names = list(members)
        self.places = {name: place for place, name in enumerate(members)}
        self.closed = closed  # the name of the entity type, if it takes no more
        self.settled = ""  # ... if it takes no more since a tensor has a row for each

    def code(self, name: str) -> int:
        """The code, new for a new name. TL0502 where there are no new ones."""
        place = self.places.get(name)
        if place is None:
            if self.closed:
                raise TensorLogicError(Diagnostic("TL0502", f"`{name}` is no {self.closed}", help=(self._nearest(name),)))
            if self.settled:
                raise self._late(name)
            place = self.places[name] = len(self.names)
            self.names.append(name)
        return place

    def settle(self, type_: str) -> int:
        """How many there are; from now on there are no new ones. TL0502 where there is none yet."""
        if not self.names:
            help = "its facts stand above the tensors over it"
            raise TensorLogicError(Diagnostic("TL0502", f"`{type_}` has no entities yet, and here its size is needed", help=(help,)))
        self.settled = type_
        return len(self.names)

    def _late(self, name: str) -> TensorLogicError:
        title = f"`{name}` is new, and `{self.settled}` had {len(self.names)} entities when its size was taken for a tensor"
        return TensorLogicError(
            Diagnostic("TL0502", title, help=(f"facts with new entities stand above the tensors over `{self.settled}`",))
        )

    def _nearest(self, name: str) -> str:
        near = did_you_mean(name, self.names)
        if near:
            return f"did you mean `{near}`?"
        shown = ", ".join(self.names[:8])
        return f"`{self.closed}` is {shown}{' ...' if len(self.names) > 8 else ''}"


class Floats:
    """Numbers in the order of their appearance."""

    def __init__(self) -> None:
        self.values = torch.zeros(0, dtype=torch.float64)
        self.sorted = self.values
        self.order = torch.zeros(0, dtype=torch.int64)

    def codes(self, values: Tensor) -> Tensor:
        """The codes of float64 values; new values get new ones."""
        if not len(values):
            return values.to(torch.int64)
        self.move(values.device)
        values = values + 0.0  # -0.0 is 0.0
        different, place = torch.unique(values, return_inverse=True)
        codes, known = self._known(different)
        if not bool(known.all()):
            new = different[~known]
            self.values = torch.cat((self.values, new))
            self.sorted, self.order = torch.sort(self.values)
            codes, _ = self._known(different)
        return codes[place]

    def _known(self, values: Tensor) -> tuple[Tensor, Tensor]:
        if not len(self.sorted):
            return torch.zeros_like(values, dtype=torch.int64), torch.zeros_like(values, dtype=torch.bool)
        places = torch.searchsorted(self.sorted, values).clamp_(max=len(self.sorted) - 1)
        return self.order[places], self.sorted[places] == values

    def move(self, device: torch.device) -> None:
        if self.values.device != device:
            self.values, self.sorted, self.order = (t.to(device) for t in (self.values, self.sorted, self.order))


class Domain:
    """Every type of column there is."""

    def __init__(self, entities: tuple[Entities, ...]) -> None:
        self.types = {item.name: Names(item.members, item.name if item.closed else "") for item in entities}
        self.types["string"] = Names()
        self.floats = Floats()

    def is_entity(self, type_: str) -> bool:
        return type_ in self.types and type_ != "string"

    def code(self, type_: str, value: Value) -> int:
        """The code of one value. A float has to go through `Floats`."""
        if type_ in self.types:
            return self.types[type_].code(str(value))
        if type_ == "float":
            return int(self.floats.codes(torch.tensor([float(value)], dtype=torch.float64, device=self.floats.values.device))[0])
        return _whole(value)

    def find(self, type_: str, value: Value) -> int | None:
        """The code of a value that a query asks for; None where nothing has it."""
        if type_ in self.types:
            names = self.types[type_]
            return names.code(str(value)) if names.closed else names.places.get(str(value))
        return self.code(type_, value)

    def codes(self, type_: str, values: list[Value], device: torch.device) -> Tensor:
        """A column of codes from a list of values."""
        if type_ == "float":
            return self.floats.codes(torch.tensor([float(v) for v in values], dtype=torch.float64, device=device))
        names = self.types.get(type_)
        codes = [_whole(v) for v in values] if names is None else [names.code(str(v)) for v in values]
        return torch.tensor(codes, dtype=torch.int64, device=device)

    def values(self, type_: str, codes: Tensor) -> list[Value]:
        """A column of values from codes."""
        if type_ == "float":
            self.floats.move(codes.device)
            return self.floats.values[codes].tolist()
        numbers = codes.tolist()
        return [self.types[type_].names[n] for n in numbers] if type_ in self.types else numbers

    def numbers(self, type_: str, codes: Tensor) -> Tensor:
        """What comparisons and arithmetic work on: floats by value, strings by their place in the alphabet, all else by code."""
        if type_ == "float":
            self.floats.move(codes.device)
            return self.floats.values[codes]
        if type_ == "string":
            names = self.types["string"].names
            rank = torch.zeros(len(names) + 1, dtype=torch.int64)
            for place, at in enumerate(sorted(range(len(names)), key=names.__getitem__)):
                rank[at] = place
            return rank.to(codes.device)[codes]
        return codes

    def stranger(self, kinds: tuple[str, ...], columns: list) -> int | None:
        """The first of some rows with a name that its entity type does not have."""
        for row, cells in enumerate(zip(*columns, strict=True)):
            if any(self.is_entity(kind) and cell not in self.types[kind].places for kind, cell in zip(kinds, cells, strict=False)):
                return row
        return None

    def size(self, type_: str) -> int:
        return len(self.types[type_].names)


def _whole(value: Value) -> int:
    number = int(value)
    if not LEAST <= number <= MOST:
        raise TensorLogicError(Diagnostic("TL0314", f"{number} does not fit into 64 bits"))
    return number
