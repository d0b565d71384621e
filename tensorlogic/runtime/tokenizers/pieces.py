"""SentencePiece's two algorithms over pieces of text in which `▁` stands for a space: merging by score, and the likeliest split."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown
from tensorlogic.runtime.tokenizers.merging import merged

SPACE = "▁"
UNKNOWN_SHOWN = " ⁇ "
UNKNOWN_PENALTY = 10.0
BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_CHUNK = re.compile(f"{SPACE}*[^{SPACE}]+|{SPACE}+")
_INSIDE = re.compile(f"[^{SPACE}]{SPACE}")


@dataclass(slots=True)
class Pieces:
    """`scores` are the pieces that text can become; `tokens` all of them, with control tokens and bytes (`<0x0A>`).

    `merges`: ranks of pairs where a file has them; else the score of the piece that a pair makes decides (`unigram`: the likeliest split).
    """

    tokens: Mapping[str, int]
    scores: Mapping[str, float]
    unknown: int | None
    hidden: frozenset[int] = frozenset()  # control tokens: no text
    merges: Mapping[tuple[str, str], int] | None = None
    unigram: bool = False
    prefix: bool = True  # a space is put before a text
    squeeze: bool = False  # spaces side by side become one, those at the ends go
    defined: frozenset[str] = frozenset()  # pieces that are never taken apart
    names: dict[int, str] = field(init=False)
    longest: int = field(init=False)  # of the pieces, in characters
    whole: bool = field(init=False)  # a piece reaches from one word into the next
    missing: float = field(init=False)  # the score of a character that is no piece

    def __post_init__(self) -> None:
        self.names = {id: token for token, id in self.tokens.items()}
        self.longest = max(map(len, self.scores), default=1)
        self.whole = any(_INSIDE.search(piece) for piece in self.scores)
        self.missing = min(self.scores.values(), default=0.0) - UNKNOWN_PENALTY

    def encode(self, text: str) -> list[int]:
        text = " ".join(part for part in text.split(" ") if part) if self.squeeze else text
        if not text:
            return []
        marked = (SPACE if self.prefix else "") + text.replace(" ", SPACE)
        split = self._likeliest if self.unigram else self._by_merging
        return self._ids([piece for chunk in self._chunks(marked) for piece in split(chunk)])

    def decode(self, ids: Sequence[int]) -> str:
        """The text without the space that was put before it. One id alone keeps it: so a text that is shown as it comes has its spaces."""
        data = b"".join(self._bytes(self.names.get(id, ""), id) for id in ids)
        text = data.decode("utf-8", errors="replace")
        visible = [id for id in ids if id not in self.hidden]
        return text.removeprefix(" ") if self.prefix and len(visible) > 1 else text

    def _bytes(self, name: str, id: int) -> bytes:
        if id in self.hidden:
            return b""
        if id == self.unknown:
            return UNKNOWN_SHOWN.encode()
        byte = BYTE.fullmatch(name)
        return bytes([int(byte[1], 16)]) if byte else name.replace(SPACE, " ").encode()

    def _chunks(self, text: str) -> list[str]:
        """Parts that no piece reaches across; the pieces that are never taken apart are parts of their own."""
        pattern = "|".join(map(re.escape, sorted(self.defined, key=len, reverse=True)))
        parts = re.split(f"({pattern})", text) if pattern else [text]
        return [chunk for part in parts for chunk in ([part] if part in self.defined or self.whole else _CHUNK.findall(part)) if chunk]

    def _ids(self, pieces: list[str]) -> list[int]:
        """A piece that is none becomes its bytes, or with its unknown neighbours the one unknown id."""
        found: list[int] = []
        for piece in pieces:
            known = self.tokens.get(piece) if piece in self.scores else None
            if known is not None:
                found.append(known)
                continue
            as_bytes = [self.tokens.get(f"<0x{byte:02X}>") for byte in piece.encode("utf-8", errors="surrogatepass")]
            if None not in as_bytes:
                found += [id for id in as_bytes if id is not None]
            elif self.unknown is None:
                raise TensorLogicError(Diagnostic("TL0602", f"the tokenizer has no token for `{shown(piece)}`"))
            elif not (found and found[-1] == self.unknown):
                found.append(self.unknown)
        return found

    def _by_merging(self, chunk: str) -> list[str]:
        return [chunk] if chunk in self.defined else merged(chunk, self._rank())

    def _rank(self) -> Callable[[str, str], float | None]:
        merges, scores = self.merges, self.scores
        if merges is not None:
            return lambda left, right: merges.get((left, right))
        return lambda left, right: -score if (score := scores.get(left + right)) is not None else None

    def _likeliest(self, chunk: str) -> list[str]:
        """Viterbi: the split whose pieces have the highest sum of scores; an unknown character costs more than any piece."""
        best, start = [0.0] + [-math.inf] * len(chunk), [0] * (len(chunk) + 1)
        for end in range(1, len(chunk) + 1):
            for begin in range(max(0, end - self.longest), end):
                score = self.scores.get(chunk[begin:end], self.missing if end - begin == 1 else -math.inf)
                if best[begin] + score > best[end]:
                    best[end], start[end] = best[begin] + score, begin
        found, end = [], len(chunk)
        while end:
            found.append(chunk[start[end] : end])
            end = start[end]
        return found[::-1]
