"""Byte pair encoding over bytes, as GPT-2 does it: every text has ids, and no id is unknown."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tensorlogic.runtime.tokenizers.merging import merged
from tensorlogic.runtime.tokenizers.splitting import splitter

MAX_REMEMBERED = 1 << 16
LONGEST_REMEMBERED = 64


@cache
def letters() -> list[str]:
    """How files write each byte: itself where it can be seen, else a letter from 256 on."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte if byte in seen else next(hidden)) for byte in range(256)]


@cache
def _byte_of() -> dict[str, int]:
    return {letter: byte for byte, letter in enumerate(letters())}


def written(token: bytes) -> str:
    """A token as files write it: `Ġthe` for ` the`."""
    return "".join(letters()[byte] for byte in token)


def read(token: str) -> bytes:
    """The bytes that a token in a file stands for. KeyError for a letter that stands for none."""
    return bytes(map(_byte_of().__getitem__, token))


class ByteLevel:
    """`merges` are pairs with their ranks; without them a pair has the rank of the token that it makes, as in tiktoken's files.

    `whole`: a word that is a token is not merged from its parts, as Llama 3 wants it.
    """

    def __init__(
        self, ids: Mapping[bytes, int], merges: Mapping[tuple[bytes, bytes], int] | None, pattern: str, whole: bool = False
    ) -> None:
        self.ids, self.merges, self.pattern, self.whole = ids, merges, pattern, whole
        self.tokens = {written(token): id for token, id in ids.items()}
        self.bytes_of = {id: token for token, id in ids.items()}
        self.rank: Callable[[bytes, bytes], int | None] = _pair_rank(merges) if merges is not None else _token_rank(ids)
        self.remembered: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        found: list[int] = []
        for word in splitter(self.pattern).findall(text):
            found += self.remembered.get(word) or self._word(word)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Bytes that are no text, as those of half a letter are, become U+FFFD."""
        return b"".join(self.bytes_of.get(id, b"") for id in ids).decode("utf-8", errors="replace")

    def _word(self, word: str) -> list[int]:
        data = word.encode("utf-8", errors="surrogatepass")
        if self.whole and data in self.ids:
            return [self.ids[data]]
        found = [self.ids[part] for part in merged([data[i : i + 1] for i in range(len(data))], self.rank)]
        if len(word) <= LONGEST_REMEMBERED and len(self.remembered) < MAX_REMEMBERED:
            self.remembered[word] = found
        return found


def _pair_rank(merges: Mapping[tuple[bytes, bytes], int]) -> Callable[[bytes, bytes], int | None]:
    return lambda left, right: merges.get((left, right))


def _token_rank(ids: Mapping[bytes, int]) -> Callable[[bytes, bytes], int | None]:
    return lambda left, right: ids.get(left + right)


def merges_of(ids: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The merges behind the tokens of a tiktoken file: each token is made of what the tokens before it leave of its bytes."""
    found = []
    for token, rank in sorted(ids.items(), key=lambda item: item[1]):
        if len(token) > 1:
            parts = merged([token[i : i + 1] for i in range(len(token))], _below(ids, rank))
            found += [(parts[0], parts[1])] if len(parts) == 2 else []
    return found


def _below(ids: Mapping[bytes, int], limit: int) -> Callable[[bytes, bytes], int | None]:
    def rank(left: bytes, right: bytes) -> int | None:
        found = ids.get(left + right)
        return found if found is not None and found < limit else None

    return rank
