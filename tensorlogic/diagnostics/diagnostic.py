"""What `tlc` has to say about a program: one dataclass, one collection, one exception."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tensorlogic.record import record
from tensorlogic.source import Span

Severity = Literal["error", "warning", "note"]


@record
class Label:
    """A second place that a diagnostic points at, with a few words."""

    span: Span
    text: str


@record
class Diagnostic:
    """One message. `span` is the smallest place at fault, `text` stands beside it; `file` is for what is no program."""

    code: str
    message: str
    span: Span | None = None
    text: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    severity: Severity = "error"
    file: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


class TensorLogicError(Exception):
    """A user's mistake, at check time or at run time. `diagnostics` says what and where."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]):
        self.diagnostics = [diagnostics] if isinstance(diagnostics, Diagnostic) else list(diagnostics)
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in self.diagnostics))


@dataclass
class Problems:
    """Collects diagnostics on the side while a phase runs; each (code, place) once."""

    found: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        key = (diagnostic.code, id(span.source), span.start, span.end) if span else (diagnostic.code, diagnostic.file, diagnostic.message)
        if key not in self._seen:
            self._seen.add(key)
            self.found.append(diagnostic)

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.found if d.is_error]

    def in_order(self) -> list[Diagnostic]:
        """By file (in order of appearance), then by place."""
        files: dict[int, int] = {}
        for d in self.found:
            if d.span:
                files.setdefault(id(d.span.source), len(files))
        return sorted(self.found, key=lambda d: (files[id(d.span.source)], d.span.start, d.span.end) if d.span else (-1, 0, 0))
