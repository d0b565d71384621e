"""What a query gives: records, and the table that shows them."""

from collections.abc import Iterable, Sequence
from typing import Any


class Row:
    """One answer: values by the names of the variables, as attributes or items."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        self._names = names
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the record has no {name!r}") from None

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self._values[self._names.index(name)]

    def __iter__(self):
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self._names, self._values) == (other._names, other._values)

    def __hash__(self) -> int:
        return hash((self._names, self._values))

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name}: {value}' for name, value in zip(self._names, self._values, strict=True))}}}"


def records(names: tuple[str, ...], values: Iterable[Sequence[Any]]) -> list[Row]:
    return [Row(names, tuple(row)) for row in values]


def table_text(names: tuple[str, ...], rows: Sequence[Row]) -> str:
    """Columns under their names; of a question without variables `true` or `false`."""
    if not names:
        return "true" if rows else "false"
    cells = [[str(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in cells)) if cells else len(name) for at, name in enumerate(names)]
    lines = [names, tuple("-" * width for width in widths), *cells]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return f"{text}\n({len(rows)} {'row' if len(rows) == 1 else 'rows'})"
