"""Facts in bulk: text files with a fact on a line, and arrays of numpy. Nothing in a file is trusted."""

import csv
import os
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.relations.memory import require

SEPARATORS = {".tsv": "\t", ".csv": ",", ".txt": None}
ARRAYS = (".npy", ".npz")
LARGEST = 1 << 34  # bytes of a file
ROOM = 8  # bytes of columns for each byte of a text
NUMBERS = {"int": int, "float": float}
Column = list | np.ndarray


def read_columns(path: str, types: tuple[str, ...]) -> list[Column]:
    """The columns of a file, one for each type. TL0606 where there is none, TL0604 with the line where it is not what was declared."""
    name, suffix = os.path.basename(path), os.path.splitext(path)[1].lower()
    if suffix not in SEPARATORS and suffix not in ARRAYS:
        raise _problem(f"{name}: facts come from .tsv, .csv, .txt, .npy and .npz files")
    if not os.path.exists(path):
        raise TensorLogicError(Diagnostic("TL0606", f"file not found: {path}"))
    if not os.path.isfile(path) or os.path.getsize(path) > LARGEST:
        raise _problem(f"{name} is no file of facts" if not os.path.isfile(path) else f"{name} is larger than 16 GiB")
    size = os.path.getsize(path) * (ROOM if suffix in SEPARATORS else 1)
    require(size, lambda: f"the facts of {name}", torch.device("cpu"))
    return _array_columns(path, name, types) if suffix in ARRAYS else _text_columns(path, name, SEPARATORS[suffix], types)


def _problem(title: str, help: str = "") -> TensorLogicError:
    return TensorLogicError(Diagnostic("TL0604", title, help=(help,) if help else ()))


# --- text --------------------------------------------------------------------------------------------------------------


def _text_columns(path: str, name: str, separator: str | None, types: tuple[str, ...]) -> list[Column]:
    if set(types) == {"int"}:
        quick = _quick(path, separator, len(types))
        if quick is not None:
            return quick
    columns: list[list[Any]] = [[] for _ in types]
    for number, cells in _lines(path, name, separator):
        if len(cells) != len(types):
            raise _problem(f"{name}:{number}: the line has {len(cells)} values, the relation {len(types)} columns")
        for column, cell, kind in zip(columns, cells, types, strict=True):
            column.append(_value(cell, kind, name, number))
    return list(columns)


def placed(error: TensorLogicError, path: str, row: int | None) -> TensorLogicError:
    """The error with the line that a row stands on, where the file is a text."""
    name, suffix = os.path.basename(path), os.path.splitext(path)[1].lower()
    if row is None or suffix not in SEPARATORS:
        return error
    number = next((number for at, (number, _) in enumerate(_lines(path, name, SEPARATORS[suffix])) if at == row), row + 1)
    (told,) = error.diagnostics
    return TensorLogicError(replace(told, message=f"{name}:{number}: {told.message}"))


def _quick(path: str, separator: str | None, width: int) -> list[Column] | None:
    """Columns of ints by numpy's own reader; None where it finds anything to say, for the slow way to say where."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a file may be empty
            warnings.simplefilter("error", DeprecationWarning)  # numpy 1 reads 1.5 as 1
            found = np.loadtxt(path, dtype=np.int64, delimiter=separator, ndmin=2, comments=None, encoding="utf-8")
    except (ValueError, OverflowError, DeprecationWarning):
        return None
    return [found[:, at] for at in range(width)] if found.ndim == 2 and found.shape[1] == width else None


def _lines(path: str, name: str, separator: str | None) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file) if separator == "," else (line.rstrip("\r\n").split(separator) for line in file)
            for number, cells in enumerate(rows, 1):
                if cells and cells != [""]:
                    yield number, [cell.strip() for cell in cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _problem(f"{name}:{number + 1}: the line is no text ({error.__class__.__name__})") from None


def _value(cell: str, kind: str, name: str, number: int) -> Any:
    if kind not in NUMBERS:
        if not cell or "\0" in cell:
            raise _problem(f"{name}:{number}: a name is empty")
        return cell
    try:
        found = NUMBERS[kind](cell if cell.isascii() and "_" not in cell else "")
    except ValueError:
        raise _problem(f"{name}:{number}: `{cell[:40]}` is no {kind}") from None
    if kind == "float" and found != found:
        raise _problem(f"{name}:{number}: a fact cannot be NaN")
    if kind == "int" and not -(2**63) <= found < 2**63:
        raise _problem(f"{name}:{number}: `{cell[:40]}` does not fit into 64 bits")
    return found


# --- arrays ------------------------------------------------------------------------------------------------------------


def _array_columns(path: str, name: str, types: tuple[str, ...]) -> list[Column]:
    wrong = next((kind for kind in types if kind not in NUMBERS), None)
    if wrong:
        raise _problem(f"{name}: an array holds numbers, and a column of the relation is {wrong}", "write the names into a .tsv file")
    return array_columns(_array(path, name), types, name)


def _array(path: str, name: str) -> np.ndarray:
    try:
        if path.lower().endswith(".npz"):
            _fits(path, name)
        with np.load(path, allow_pickle=False) if path.lower().endswith(".npz") else _Single(path) as found:
            if len(found.files) != 1:
                raise _problem(f"{name} holds {len(found.files)} arrays, and one is needed")
            return found[found.files[0]]
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, MemoryError, SyntaxError) as error:
        raise _problem(f"{name} is no readable array ({error.__class__.__name__})") from None


class _Single:
    """A .npy file as if it were an archive of one array."""

    files = ("",)

    def __init__(self, path: str) -> None:
        self.found = np.load(path, mmap_mode="r", allow_pickle=False)

    def __enter__(self) -> "_Single":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __getitem__(self, name: str) -> np.ndarray:
        return self.found


def _fits(path: str, name: str) -> None:
    """A small archive may unpack to anything."""
    with zipfile.ZipFile(path) as archive:
        if sum(item.file_size for item in archive.infolist()) > LARGEST:
            raise _problem(f"{name} unpacks to more than 16 GiB")


def array_columns(found: np.ndarray, types: tuple[str, ...], name: str) -> list[Column]:
    """The columns of an n x arity array of numbers."""
    if found.ndim != 2 or found.shape[1] != len(types):
        shape = " x ".join(map(str, found.shape))
        raise _problem(f"{name}: the array is {shape}, and n x {len(types)} is needed")
    if found.dtype.kind not in ("iu" if set(types) == {"int"} else "iuf"):
        raise _problem(f"{name}: the array holds {found.dtype}, and the columns are {', '.join(types)}")
    if found.dtype.kind == "f" and (np.isnan(found).any() or any(_no_ints(found[:, at]) for at, kind in enumerate(types) if kind == "int")):
        raise _problem(f"{name}: a fact cannot be NaN, and an int has no fraction and 64 bits")
    if found.dtype == np.uint64 and found.size and found.max() > 2**63 - 1:
        raise _problem(f"{name}: a number does not fit into 64 bits")
    return [np.array(found[:, at]) for at in range(len(types))]


def _no_ints(column: np.ndarray) -> bool:
    return bool(((column != np.floor(column)) | (np.abs(column) >= 2.0**63)).any())
