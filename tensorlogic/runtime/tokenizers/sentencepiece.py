"""SentencePiece's `.model` files: a protocol buffer, of which the fields that matter are read here, and nothing is trusted."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tensorlogic.formats.errors import Malformed, shown
from tensorlogic.runtime.tokenizers.pieces import Pieces
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer

MAX_PIECES = 1 << 20
MAX_PIECE = 1 << 12
NORMAL, UNKNOWN, CONTROL, DEFINED, BYTE_PIECE = 1, 2, 3, 4, 6  # 5: never used
UNIGRAM, BPE = 1, 2
Field = tuple[int, int | float | bytes]


@dataclass(slots=True)
class _Model:
    pieces: list[tuple[str, float, int]] = field(default_factory=list)
    trainer: dict[int, int | float | bytes] = field(default_factory=dict)
    normalizer: dict[int, int | float | bytes] = field(default_factory=dict)


def read_sentencepiece(data: bytes) -> Tokenizer:
    """The tokenizer of a `.model` file. Raises `Malformed`."""
    model = _model(data)
    kind = model.trainer.get(3, UNIGRAM)
    if kind not in (UNIGRAM, BPE):
        raise Malformed("is a SentencePiece model of words or characters; BPE and unigram models are read")
    if model.normalizer.get(2):
        name = model.normalizer.get(1, b"")
        name = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        raise Malformed(f"changes its text before splitting it ({shown(name)}); only models that take it as it is (identity) are read")
    if model.trainer.get(24):
        raise Malformed("puts spaces behind words; models that put them before words are read")
    return tokenizer_of(
        model.pieces, kind == UNIGRAM, prefix=bool(model.normalizer.get(3, 1)), squeeze=bool(model.normalizer.get(4, 1)),
        bos=_id(model, 41, 1), eos=_id(model, 42, 2),
    )  # fmt: skip


def tokenizer_of(
    pieces: list[tuple[str, float, int]], unigram: bool, prefix: bool, squeeze: bool, bos: int | None, eos: int | None
) -> Tokenizer:
    """A tokenizer of pieces (text, score, kind) in the order of their ids. Raises `Malformed`."""
    tokens = {text: id for id, (text, _, _) in enumerate(pieces)}
    if len(tokens) < len(pieces):
        raise Malformed("has one piece twice")
    scores = {text: score for text, score, kind in pieces if kind in (NORMAL, DEFINED)}
    unknown = [id for id, (_, _, kind) in enumerate(pieces) if kind == UNKNOWN]
    hidden = frozenset(id for id, (_, _, kind) in enumerate(pieces) if kind == CONTROL)
    defined = frozenset(text for text, _, kind in pieces if kind == DEFINED)
    algorithm = Pieces(tokens, scores, unknown[0] if unknown else None, hidden, None, unigram, prefix, squeeze, defined)
    special = {text: id for id, (text, _, kind) in enumerate(pieces) if kind == CONTROL}
    return Tokenizer(algorithm, {}, frozenset(special), _inside(bos, pieces), _inside(eos, pieces))


def _inside(id: int | None, pieces: list) -> int | None:
    return id if id is not None and 0 <= id < len(pieces) else None


def _id(model: _Model, number: int, usual: int) -> int | None:
    found = model.trainer.get(number, usual)
    return found if isinstance(found, int) and found < 1 << 31 else None  # -1, a 64-bit number here, is none


def _model(data: bytes) -> _Model:
    model = _Model()
    for number, value in _fields(data):
        match number, value:
            case 1, bytes():
                model.pieces.append(_piece(value, len(model.pieces)))
            case 2, bytes():
                model.trainer = dict(_fields(value))
            case 3, bytes():
                model.normalizer = dict(_fields(value))
        if len(model.pieces) > MAX_PIECES:
            raise Malformed(f"has more than {MAX_PIECES:,} pieces")
    if not model.pieces:
        raise Malformed("is no SentencePiece model: it has no pieces")
    return model


def _piece(data: bytes, id: int) -> tuple[str, float, int]:
    fields = dict(_fields(data))
    text, score, kind = fields.get(1, b""), fields.get(2, 0.0), fields.get(3, NORMAL)
    if not (isinstance(text, bytes) and isinstance(score, float) and isinstance(kind, int) and NORMAL <= kind <= BYTE_PIECE):
        raise Malformed("has a piece with fields of other types", f"piece {id}")
    if not 0 < len(text) <= MAX_PIECE or not math.isfinite(score):
        raise Malformed(f"has a piece of {len(text)} bytes with the score {score}", f"piece {id}")
    try:
        return text.decode("utf-8"), score, kind
    except UnicodeDecodeError:
        raise Malformed("has a piece that is not UTF-8", f"piece {id}") from None


def _fields(data: bytes) -> Iterator[Field]:
    """(number, value) of the fields of a message: ints, floats, and bytes for texts and messages."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value: int | float | bytes
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
            case 1:
                value, at = _take(data, at, 8)
            case 2:
                size, at = _varint(data, at)
                value, at = _take(data, at, size)
            case 5:
                raw, at = _take(data, at, 4)
                value = struct.unpack("<f", raw)[0]
            case _:
                raise Malformed("is no SentencePiece model", f"byte {at}")
        yield tag >> 3, value


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if size > len(data) - at:
        raise Malformed("ends in the middle of a field", f"byte {at}")
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Malformed("ends in the middle of a number", f"byte {at}")
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    raise Malformed("has a number of more than ten bytes", f"byte {at}")
