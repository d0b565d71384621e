"""Model files at check time: when the path is known, the header is read, never the data."""

import os
from collections.abc import Mapping
from dataclasses import replace

from tensorlogic.checker.coerce import coerce
from tensorlogic.checker.messages import describe
from tensorlogic.checker.state import State, Typed
from tensorlogic.diagnostics.diagnostic import Diagnostic
from tensorlogic.diagnostics.suggest import did_you_mean
from tensorlogic.ir.ir import Const, Omitted, Operand
from tensorlogic.source import Span
from tensorlogic.types.dims import Dim
from tensorlogic.types.dtypes import DTYPES, QUANTIZED, is_float
from tensorlogic.types.mistakes import DTypeMismatch, RankMismatch, SizeMismatch
from tensorlogic.types.types import AnyTensor, DTypeValue, Library, String, Tensor, Type, is_unknown
from tensorlogic.types.unify import Bindings, Unifier


def dtype_value(type_: Type | None) -> str | None:
    """The dtype that an argument of this type is."""
    return type_.dtype if isinstance(type_, DTypeValue) and isinstance(type_.dtype, str) else None


def load_dtype(state: State) -> str | None:
    """What loads convert to where the program says nothing: what `--dtype` says, else nothing."""
    return state.float_dtype if state.float_dtype != "float32" else None


def loaded_model(state: State, path: object, dtype: str | None, span: Span) -> Library:
    """The type of `load_model(path)`: with its header where the path is known and nobody writes to it. With a dtype its floats have it."""
    if not isinstance(path, str) or path in state.written:
        return Library("Model")
    from tensorlogic.formats import FormatError, read_header  # most programs load no model

    try:
        header = read_header(os.path.join(state.folder, path))
    except FormatError as problem:
        told = problem.diagnostic()
        state.report(Diagnostic(told.code, told.message, span, "", told.labels, told.notes, told.help))
        return Library("Model", {})
    if dtype is None:
        return Library("Model", header.entries)
    return Library("Model", {n: replace(entry, dtype=dtype) if is_float(entry.dtype) else entry for n, entry in header.entries.items()})


def call_model(state: State, span: Span, model: Library) -> Typed:
    """A file of tensors alone says nothing of the architecture; running those that do say it is still to come."""
    files = {entry.file for entry in (model.header or {}).values()}
    alone = all(f.endswith(".safetensors") and not os.path.exists(os.path.join(os.path.dirname(f), "config.json")) for f in files)
    if files and alone:
        help = "write the forward pass as a function, with the tensors of the file as arguments"
        return state.error("TL0607", span, "this file holds tensors, it is not a known architecture", "the model is called", help)
    return state.error("TL0105", span, "running a loaded model is not supported yet")


def get_tensor(state: State, base: Typed, model: Library, name: Typed, span: Span, expected: Type | None) -> Typed:
    """`m.get_tensor("w")` and `m["w"]`. An annotation converts at load."""
    if is_unknown(name.type):
        return state.unknown(span)
    if not isinstance(name.type, String):
        return coerce(state, name, String(), "the name of a tensor")
    wanted = expected if isinstance(expected, Tensor) else None
    found = _entry_type(state, model, name.type.value, name.span, span, wanted)
    if found is None:
        return replace(state.unknown(span), doubted=True)
    convert = wanted is not None and isinstance(wanted.dtype, str) and getattr(found, "dtype", None) != wanted.dtype
    dtype: Operand = Const(wanted.dtype, DTypeValue(wanted.dtype)) if convert and wanted else Omitted()
    if convert and wanted and isinstance(found, Tensor):
        found = Tensor(wanted.dtype, found.shape)
    return state.emit("builtin", (base.operand, name.operand, dtype), found, span, name=".get_tensor", index=0)


def _entry_type(state: State, model: Library, name: str | None, place: Span, span: Span, wanted: Tensor | None) -> Type | None:
    """What the header says, compared with what is wanted; None after a message."""
    header = model.header
    if header is None or name is None:
        return AnyTensor()
    if not header:
        return None  # the file was refused already
    entry = header.get(name)
    if entry is None:
        return _missing(state, header, name, place)
    dtype = entry.dtype if entry.dtype in QUANTIZED or not _is_other_block(entry.dtype) else "float32"
    found = Tensor(dtype, tuple(Dim.const(n) for n in entry.shape))
    return found if wanted is None or _agrees(state, name, found, wanted, span) else None


def _is_other_block(dtype: str) -> bool:
    """Block types that have no name in the language are dequantized when they are loaded."""

    return dtype not in DTYPES


def _missing(state: State, header: Mapping, name: str, place: Span) -> None:
    near = did_you_mean(name, list(header))
    help = f"did you mean `{near}`?" if near else "`tlc inspect FILE` lists what is in a file"
    state.error("TL0602", place, f"the file has no tensor `{name}`", "not in the file", help)


def _agrees(state: State, name: str, found: Tensor, wanted: Tensor, span: Span) -> bool:
    need = state.need()
    Unifier(need, Bindings(), rigid=True).fit_shape(wanted, found, f"`{name}`")
    if need.mistakes and isinstance(need.mistakes[0], SizeMismatch | RankMismatch):
        help = f"declare it as {Tensor(wanted.dtype, found.shape)}"
        state.error("TL0603", span, f"`{name}` is {found} in the file, declared is {wanted}", "another shape", help)
        return False
    if isinstance(wanted.dtype, str) and not _converts(str(found.dtype), wanted.dtype):
        state.report(describe(DTypeMismatch(f"`{name}`", wanted.dtype, found.dtype), span))
        return False
    return True


def _converts(found: str, wanted: str) -> bool:
    """Between float types, and from quantized to float; everything else stays what it is."""
    return found == wanted or ((is_float(found) or found in QUANTIZED) and is_float(wanted))
