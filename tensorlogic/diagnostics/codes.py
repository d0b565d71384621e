"""Every code that a diagnostic can carry, what it is about, and the exit status it leads to."""

from collections.abc import Iterable

from tensorlogic.diagnostics.diagnostic import Diagnostic, Severity
from tensorlogic.record import record

INTERRUPTED = "TL0806"
INTERNAL = "TL0999"


@record
class Code:
    """One code: `name` as in `TL0301`, a title in a few words, and how severe it is unless a phase says otherwise."""

    name: str
    title: str

    @property
    def severity(self) -> Severity:
        return "warning" if self.name.startswith("TL07") else "error"

    @property
    def exit_status(self) -> int:
        """What `tlc` exits with when this code is an error."""
        if self.name == INTERNAL:
            return 70
        if self.name == INTERRUPTED:
            return 130
        return 3 if self.name.startswith("TL08") else 1


TITLES = {
    "TL0101": "unexpected text",
    "TL0102": "unclosed bracket",
    "TL0103": "bad literal",
    "TL0104": "nesting or size limit",
    "TL0105": "not supported yet",
    "TL0201": "unknown name or dtype",
    "TL0202": "unknown member or argument",
    "TL0203": "defined twice",
    "TL0204": "import cycle",
    "TL0205": "import not found",
    "TL0206": "assigning to a constant",
    "TL0301": "sizes disagree",
    "TL0302": "dtypes disagree",
    "TL0303": "accidental broadcast",
    "TL0304": "wrong rank or too many indices",
    "TL0305": "operation not defined for this type",
    "TL0306": "expected another type",
    "TL0307": "wrong number of arguments or of names in a pattern",
    "TL0308": "element counts disagree",
    "TL0309": "does not divide",
    "TL0310": "index or axis out of range",
    "TL0311": "a `where` is not met",
    "TL0312": "result type is not what was declared",
    "TL0313": "missing return or match arm",
    "TL0314": "numeric overflow in a constant",
    "TL0401": "one index, two sizes",
    "TL0402": "equation defined twice",
    "TL0403": "index without a range",
    "TL0404": "not an equation term",
    "TL0501": "unbound variable",
    "TL0502": "unknown entity",
    "TL0503": "not stratified",
    "TL0504": "wrong arity or type of a relation",
    "TL0505": "undeclared relation",
    "TL0601": "unknown option",
    "TL0602": "missing tensor",
    "TL0603": "tensor has another shape",
    "TL0604": "malformed file",
    "TL0605": "unsafe format",
    "TL0606": "file not found",
    "TL0607": "not a known architecture",
    "TL0701": "shadows a builtin",
    "TL0702": "guard inserted",
    "TL0703": "unused or single variable",
    "TL0704": "precision loss",
    "TL0705": "index spelt like a name",
    "TL0706": "dearer than a dense layer",
    "TL0801": "guard failed",
    "TL0802": "assertion failed",
    "TL0803": "NaN or Inf",
    "TL0804": "out of memory",
    "TL0805": "device not available",
    "TL0806": "interrupted",
    "TL0807": "Python raised",
    "TL0808": "too many facts",
    "TL0999": "a bug in tlc",
}

CODES = {name: Code(name, title) for name, title in TITLES.items()}


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """The status of a command that reported these: 0 without an error, else 70, 130, 3 or 1, the first that any of them asks for.

    Warnings do not count; a warning that `--strict` made an error does.
    """
    asked = {CODES[d.code].exit_status for d in diagnostics if d.is_error}
    return next((status for status in (70, 130, 3, 1) if status in asked), 0)
