"""Builtins that make data sets, and that read text, CSV and JSON files."""

from keyword import iskeyword

from tensorlogic.stdlib.costs import FREE
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.dims import Dim
from tensorlogic.types.goals import Rel
from tensorlogic.types.mistakes import BadArgument, RankMismatch, SizeMismatch, WrongType
from tensorlogic.types.types import AnyTensor, Int, Library, List, Range, Record, String, Tensor, Tuple, Type, widen

_DATA = "tensors of one first size, a list, or a data set"


def _some_rows(call, type_: Type, rows: Dim, what: str) -> Type | None:
    """The type of some rows of a column; None after a mistake."""
    match type_:
        case Tensor(_, ()):
            call.need.fail(RankMismatch(what, "at least 1", type_))
        case Tensor(dtype, shape):
            return Tensor(dtype, (rows, *shape[1:]))
        case AnyTensor():
            return type_
        case List(element):
            return List(widen(element))
        case _:
            call.need.fail(WrongType(what, _DATA, type_))
    return None


def _one_length(call, columns: tuple[Type, ...], what: str) -> None:
    sizes = [c.shape[0] for c in columns if isinstance(c, Tensor) and c.shape and isinstance(c.shape[0], Dim)]
    for size in sizes[1:]:
        call.need.require(Rel("==", sizes[0], size), lambda w, size=size: SizeMismatch(f"the first sizes of {what}", sizes[0], size, w))


def _some(call, size: Dim) -> Type | None:
    """What `size` of the `rows` are; None after a mistake."""
    data = call.types["rows"]
    what = f"`rows` of `{'batches' if 'size' in call.types else 'random_split'}`"
    match data:
        case Tuple(items) if items:
            parts = [_some_rows(call, item, size, what) for item in items]
            _one_length(call, items, what)
            return Tuple(tuple(p for p in parts if p is not None))
    return _some_rows(call, data, size, what)


def _check_unbatched(call, data: Library, name: str) -> None:
    """Batches are settled: how many rows each has, and their order."""
    if data.name != "Dataset":
        call.need.fail(WrongType(f"`rows` of `{name}`", _DATA, data))
    elif (data.header or {}).get("batched"):
        call.need.fail(BadArgument("TL0306", "these are batches already", f"give `{name}` the data that they were made of"))


def _batches(call) -> Type | None:
    data = call.types["rows"]
    if not isinstance(data, Library):
        size = Dim.fresh()
        return Library("Dataset", {"element": _some(call, size), "rows": size, "batched": True})
    _check_unbatched(call, data, "batches")
    return Library("Dataset", {**(data.header or {}), "batched": True})


def _parts(call) -> Type | None:
    data = call.types["rows"]
    if isinstance(data, Library):
        _check_unbatched(call, data, "random_split")
        return Tuple((data, data))
    parts = _some(call, Dim.fresh()), _some(call, Dim.fresh())
    return Tuple((parts[0], parts[1])) if parts[0] is not None and parts[1] is not None else None


@builtin(
    "batches(rows: any, size: int, shuffle: bool = false, drop_last: bool = false, seed: int = none) -> Dataset where size >= 1",
    infer=_batches,
    cost=FREE,
)
def batches(rows, size, shuffle=False, drop_last=False, seed=None):
    """Some `rows` at a time, as a data set: of a tensor, a tuple of tensors, a list or a data set. `shuffle` draws an order per epoch."""
    return runtime.data.batches(rows, size, shuffle, drop_last, seed)


def _windows(call) -> Type | None:
    ids, length = call.types["ids"], call.bound.dims["length"]
    if isinstance(ids, Tensor) and isinstance(ids.shape[0], Dim):
        text = f"`windows` needs more ids than its length, found {ids.shape[0]} for a length of {length}"
        call.need.require(Rel(">", ids.shape[0], length), lambda _: BadArgument("TL0311", text), certain=True)
    rows = Dim.fresh()
    window = Tensor("int64", (rows, length))
    return Library("Dataset", {"element": Record((("inputs", window), ("targets", window))), "rows": rows})


@builtin(
    "windows(ids: int64[N], length: int, stride: int) -> Dataset where length >= 1, stride >= 1",
    "windows(ids: int64[N], length: int) -> Dataset where length >= 1",
    "windows(ids: [int], length: int, stride: int) -> Dataset where length >= 1, stride >= 1",
    "windows(ids: [int], length: int) -> Dataset where length >= 1",
    infer=_windows,
    cost=FREE,
)
def windows(ids, length, stride=None):
    """A data set of the windows of a sequence of ids, each `stride` (or `length`) ids on: `inputs`, and as `targets` what comes next."""
    return runtime.data.windows(ids, length, stride)


@builtin("random_split(rows: any, fraction: float, seed: int = 0) -> any", infer=_parts, cost=FREE)
def random_split(rows, fraction, seed=0):
    """Two random parts of `rows`, the same in every run: `fraction` of them, and the others. See torch.utils.data.random_split."""
    return runtime.data.random_split(rows, fraction, seed)


@builtin("len(xs: Dataset) -> int", cost=FREE)
def length_of_data(xs):
    return len(xs)


# --- files -----------------------------------------------------------------------------------------------------------


@builtin("read_text(path: string) -> string", effect="file")
def read_text(path):
    """The text of a file in UTF-8; `.gz` is unpacked. Line ends become `\\n`."""
    return runtime.data.read_text(path)


def _columns(call) -> Type | None:
    """dtype[?, columns]; the number of columns where it is known."""
    columns, dtype = call.types["columns"], call.types["dtype"].dtype
    if not isinstance(columns, List | Range | Tuple):
        return Tensor(dtype, (Dim.fresh(), Dim.fresh()))
    if isinstance(columns, List) and not isinstance(columns.element, Int | String):
        call.need.fail(WrongType("`columns` of `read_csv`", "numbers or names of columns", columns))
    match columns:
        case Range(Dim() as start, Dim() as stop):
            count = stop - start
        case List(_, items) | Tuple(items) if items is not None:
            count = Dim.const(len(items))
        case _:
            count = Dim.fresh()
    return Tensor(dtype, (Dim.fresh(), count))


_CSV = "header: bool = false, skip: int = 0, delimiter: string = none, nan: bool = false"


@builtin(
    f"read_csv<T: number>(path: string, columns: [any] = none, dtype: DType<T> = float32, {_CSV}) -> Tensor", infer=_columns, effect="file"
)
def read_csv(path, columns=None, dtype=None, header=False, skip=0, delimiter=None, nan=False):
    """Columns of a CSV file as a tensor, by number (`0..64`), by name, or all. `.gz` is unpacked; what is no number stops with the line."""
    return runtime.data.read_csv(path, columns, dtype, header, skip, delimiter, nan)


@builtin(
    f"read_column<T: number>(path: string, column: int, dtype: DType<T> = float32, {_CSV}) -> T[?]",
    f"read_column<T: number>(path: string, column: string, dtype: DType<T> = float32, {_CSV}) -> T[?]",
    effect="file",
)
def read_column(path, column, dtype=None, header=False, skip=0, delimiter=None, nan=False):
    """One column of a CSV file as a vector, by number or by name; with `dtype: int64` for labels."""
    return runtime.data.read_column(path, column, dtype, header, skip, delimiter, nan)


def _records(call) -> Type | None:
    """A list of records whose fields are the names given, which must be known."""
    fields = call.types["fields"]
    items = fields.items if isinstance(fields, List | Tuple) else None
    names = tuple(item.value for item in items or () if isinstance(item, String) and item.value is not None)
    if not items or len(names) != len(items) or len(set(names)) != len(names):
        call.need.fail(BadArgument("TL0306", "`fields` are different names, each written as a string", 'for example `fields: ["text"]`'))
    elif wrong := next((name for name in names if not _is_name(name)), None):
        call.need.fail(BadArgument("TL0306", f"a field of a record cannot be called {wrong!r}"))
    return List(Record(tuple((name, String()) for name in names)))


def _is_name(name: str) -> bool:
    """Whether a program, and the Python that it becomes, can say `record.name`."""
    return name.isidentifier() and name.isascii() and not iskeyword(name) and not name.startswith("_")


@builtin("read_jsonl(path: string, fields: [string]) -> any", infer=_records, effect="file")
def read_jsonl(path, fields):
    """Records from a file with one JSON object per line: `rows[0].text` after `fields: ["text"]`."""
    return runtime.data.read_jsonl(path, fields)


@builtin("read_json(path: string, fields: [string]) -> any", infer=_records, effect="file")
def read_json(path, fields):
    """Records from a JSON file that is a list of objects: `rows[0].text` after `fields: ["text"]`."""
    return runtime.data.read_json(path, fields)
