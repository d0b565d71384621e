"""How `tlc cost` prints: numbers with units, formulas that fit the terminal, the table of a model."""

import os
import sys
from collections.abc import Iterator
from shutil import get_terminal_size
from textwrap import wrap

from tensorlogic.cost.describe import Described, Row, Work
from tensorlogic.cost.formula import leading, readable
from tensorlogic.cost.ratio import ratio
from tensorlogic.cost.values import Storage
from tensorlogic.types.dims import ONE, Dim

SCALES = ("", "k", "M", "G", "T", "P", "E")
LABEL = 16
NUMBER = 10
USUAL, WIDEST = 100, 120
IN_WORDS = {"B": "bytes"}  # behind a formula, in which a size may be called B
NARROWEST = 20  # a column of the table


def width() -> int:
    """Of the terminal; where the output goes into a file, a width that is always the same."""
    return min(get_terminal_size().columns, WIDEST) if sys.stdout.isatty() else USUAL


def amount(number: int, unit: str) -> str:
    """`1.23 GFLOP`, `497 MB`, `12 B`: three digits."""
    value, scale = float(number), 0
    while value >= 999.5 and scale < len(SCALES) - 1:
        value, scale = value / 1000, scale + 1
    digits = 0 if not scale or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {SCALES[scale]}{unit}"


def place(item: Described) -> str:
    span = item.function.span
    return f"{os.path.basename(span.source.name)}:{span.line}"


def page(item: Described, formulas: Described) -> Iterator[str]:
    """Everything about one function. `formulas` is the same with no size given."""
    yield from headline(item)
    if item.work is None:
        yield f"  {item.problem}: not counted"
        return
    tree = item.work.tree
    if tree is not None and (tree.rows or tree.parameters.terms):
        yield from ("", *table(tree))
    yield ""
    yield from measures(item.work, formulas.work or item.work) if costs(item.work) else ("  no work on tensors",)
    factors = {**item.factors, **({"?": "a size that is known only when the program runs"} if unknown(item.work) else {})}
    yield from (line for name, words in factors.items() for line in folded(f"  {name:<{LABEL}}", words))
    for remark in item.remarks:
        where = f" (line {remark.span.line})" if remark.span else ""
        yield from folded("  note: ", f"{remark.text}{where}")


def costs(work: Work) -> bool:
    """Whether there is anything to count."""
    return any(size.terms for size in (work.totals.products, work.totals.others, work.totals.moved, work.kept, *work.peaks))


def unknown(work: Work) -> bool:
    """Whether a size in what is shown is no size of the function."""
    return any(size.has_unknown for size in (work.totals.products, work.totals.others, work.totals.moved, work.kept, *work.peaks))


def headline(item: Described) -> Iterator[str]:
    signature = item.function.signature
    params = ", ".join(f"{p.name}: {p.type}" for p in signature.params)
    head, where = f"{item.name}({params}) -> {signature.result}", place(item)
    if len(head) + len(where) + 2 <= width():
        yield f"{head}{where:>{width() - len(head)}}"
    else:
        yield from (head, where.rjust(width()))


# --- one call --------------------------------------------------------------------------------------------------------


def measures(work: Work, formulas: Work) -> Iterator[str]:
    """One line for each number: how much, and the formula."""
    yield from measure("products", work.totals.products, formulas.totals.products, "FLOP")
    yield from measure("other operations", work.totals.others, formulas.totals.others, "FLOP")
    yield from measure("bytes moved", work.totals.moved, formulas.totals.moved, "B")
    yield from intensity(work)
    yield from most("peak memory", work.peaks, formulas.peaks)
    yield from measure("kept to train", work.kept, formulas.kept, "B")
    yield from largest(work)


def measure(label: str, size: Dim, formula: Dim, unit: str) -> Iterator[str]:
    shown = formula if size.value is not None else size
    yield from row(label, size, unit, "" if shown.value is not None else readable(shown))


def row(label: str, size: Dim | None, unit: str, formula: str) -> Iterator[str]:
    number = size.value if size is not None else None
    start = f"  {label:<{LABEL}}  " + (f"{amount(number, unit):<{NUMBER}}  " if number is not None else "")
    yield from folded(start, formula if number is not None or not formula else f"{formula} {IN_WORDS.get(unit, unit)}")


def folded(start: str, text: str) -> Iterator[str]:
    """A text behind its label, on as many lines as it takes."""
    lines = wrap(text, max(width() - len(start), 30), break_long_words=False) or [""]
    yield (start + lines[0]).rstrip()
    yield from (" " * len(start) + line for line in lines[1:])


def intensity(work: Work) -> Iterator[str]:
    text = ratio(work.totals.operations, work.totals.moved)
    if text:
        yield from row("intensity", None, "FLOP per byte", text)


def most(label: str, peaks: tuple[Dim, ...], formulas: tuple[Dim, ...]) -> Iterator[str]:
    """The largest of several."""
    known = [peak.value for peak in peaks if peak.value is not None]
    size = Dim.const(max(known)) if len(known) == len(peaks) else None
    shown = leading(formulas if size is not None else peaks)
    texts = [] if all(dim.value is not None for dim in shown) else [readable(dim) for dim in shown]
    yield from row(label, size, "B", texts[0] if len(texts) == 1 else f"max({', '.join(texts)})" if texts else "")


def largest(work: Work) -> Iterator[str]:
    """The largest single intermediate, or those of which it depends on the sizes."""
    found = work.largest
    if found and all(storage.bytes.value is not None for storage in found):
        found = (max(found, key=lambda storage: storage.bytes.value or 0),)
    kept = leading(storage.bytes for storage in found)
    for at, storage in enumerate(storage for storage in found if storage.bytes in kept):
        where = f"line {storage.span.line}" if storage.span else ""
        yield from _tensor("largest tensor" if at == 0 else "or", storage, where)


def _tensor(label: str, storage: Storage, where: str) -> Iterator[str]:
    number = storage.bytes.value
    size = f"{amount(number, 'B'):<{NUMBER}}  " if number is not None else ""
    yield f"  {label:<{LABEL}}  {size}{storage.type}    {where}".rstrip()


# --- a model ---------------------------------------------------------------------------------------------------------

Cells = tuple[str, ...]


def table(tree: Row) -> list[str]:
    """The submodels below each other: what they hold, what they spend. Where the terminal is narrow the bytes go, then formulas are
    folded."""
    found: list[Cells] = [("model", "parameters", "bytes", "FLOP", "")]
    found += _rows(tree, 0, tree)
    if _wide(found) > width():
        found = [(name, count, flop, part) for name, count, _, flop, part in found]
    widths = [max(len(line[at]) for line in found) for at in range(len(found[0]))]
    while sum(widths) + 2 * len(widths) > width() and max(widths[1:]) > NARROWEST:
        widths[widths.index(max(widths[1:]), 1)] -= 1
    return [text for cells in found for text in _lines(cells, widths)]


def _wide(found: list[Cells]) -> int:
    return sum(max(len(line[at]) for line in found) + 2 for at in range(len(found[0])))


def _lines(cells: Cells, widths: list[int]) -> Iterator[str]:
    """A row, on several lines where a formula is longer than its column."""
    name, *others = cells
    parts = [_folded(cell, size) for cell, size in zip(others, widths[1:], strict=True)]
    for at in range(max(map(len, parts))):
        texts = [(part[at] if at < len(part) else "").rjust(size) for part, size in zip(parts, widths[1:], strict=True)]
        yield "  ".join(["", (name if at == 0 else "").ljust(widths[0]), *texts]).rstrip()


def _folded(formula: str, size: int) -> list[str]:
    """Broken in front of a sign."""
    lines = [""]
    for term in formula.replace(" + ", "\n+ ").replace(" - ", "\n- ").split("\n"):
        joined = f"{lines[-1]} {term}".strip()
        lines[-1:] = [joined] if len(joined) <= size else [*filter(None, lines[-1:]), term]
    return lines


def _rows(tree: Row, depth: int, whole: Row) -> Iterator[Cells]:
    times = "" if tree.count == ONE else f" x {readable(tree.count)}"
    name = f"{'  ' * depth}{tree.name + '  ' if tree.name else ''}{tree.type}{times}"
    products, everything = tree.totals.products, tree.totals.operations
    flop = amount(everything.value, "FLOP") if everything.value else short(products)
    yield name, count(tree.parameters), size_text(tree.bytes), flop, share(everything, whole.totals.operations)
    for below in tree.rows:
        yield from _rows(below, depth + 1, whole)


def short(formula: Dim) -> str:
    return readable(formula).replace(" * ", "*") if formula.terms else "-"


def count(size: Dim) -> str:
    return (f"{size.value:,}" if size.value is not None else short(size)) if size.terms else "-"


def size_text(size: Dim) -> str:
    return amount(size.value, "B") if size.value else short(size)


def share(part: Dim, whole: Dim) -> str:
    if not part.value or not whole.value:
        return ""
    return f"{100 * part.value / whole.value:.1f}%"
