"""Learning byte pair encoding from a text: the most frequent pair of neighbours becomes a token, again and again."""

from collections import Counter, defaultdict
from heapq import heapify, heappop, heappush
from itertools import pairwise

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.tokenizers.byte_level import ByteLevel, letters
from tensorlogic.runtime.tokenizers.splitting import splitter
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer

END = "<|endoftext|>"
Pair = tuple[int, int]


def train_bpe(text: str, vocab_size: int) -> Tokenizer:
    """A byte-level tokenizer with GPT-2's words: 256 bytes, merges up to `vocab_size` (fewer where no pair is left), and `<|endoftext|>`.

    Of pairs that are equally frequent, the one with the lower ids comes first, as in Hugging Face's trainer. TL0311 below 257.
    """
    if vocab_size < 257:
        raise TensorLogicError(Diagnostic("TL0311", f"a byte-level vocabulary has at least 257 tokens, found {vocab_size}"))
    alphabet = sorted(range(256), key=lambda byte: letters()[byte])
    tokens = [bytes([byte]) for byte in alphabet]
    merges = _Corpus(text, alphabet).learn(tokens, vocab_size - 1)
    ids = {token: id for id, token in enumerate(tokens)}
    return Tokenizer(ByteLevel(ids, merges, "gpt2"), {END: len(tokens)}, frozenset((END,)), len(tokens), len(tokens))


class _Corpus:
    """The different words of a text as ids, how often each occurs, and where each pair of neighbours stands."""

    def __init__(self, text: str, alphabet: list[int]) -> None:
        number = {byte: id for id, byte in enumerate(alphabet)}
        counted = Counter(splitter("gpt2").findall(text))
        self.words = [[number[byte] for byte in word.encode("utf-8")] for word in counted]
        self.times = list(counted.values())
        self.count: Counter[Pair] = Counter()
        self.places: defaultdict[Pair, set[int]] = defaultdict(set)
        for index, word in enumerate(self.words):
            for pair in pairwise(word):
                self.count[pair] += self.times[index]
                self.places[pair].add(index)

    def learn(self, tokens: list[bytes], size: int) -> dict[tuple[bytes, bytes], int]:
        """Merges with their ranks; the tokens that they make are appended to `tokens`, up to `size`."""
        merges: dict[tuple[bytes, bytes], int] = {}
        ids = {token: id for id, token in enumerate(tokens)}
        queue = [(-times, pair) for pair, times in self.count.items()]
        heapify(queue)
        while queue and len(tokens) < size:
            times, pair = heappop(queue)
            if -times != self.count[pair]:  # counts change: what is in the queue may be out of date
                if self.count[pair] > 0:
                    heappush(queue, (-self.count[pair], pair))
                continue
            left, right = tokens[pair[0]], tokens[pair[1]]
            merges.setdefault((left, right), len(merges))
            new = ids.setdefault(left + right, len(tokens))  # two pairs may make the same token
            tokens += [left + right] if new == len(tokens) else []
            for changed in self._merge(pair, new):
                heappush(queue, (-self.count[changed], changed))
        return merges

    def _merge(self, pair: Pair, new: int) -> set[Pair]:
        """Put `new` for a pair in all words; the pairs that came to be."""
        fresh: set[Pair] = set()
        for index in sorted(self.places.pop(pair, ())):
            word, times = self.words[index], self.times[index]
            replaced = _replaced(word, pair, new)
            for old in pairwise(word):
                self.count[old] -= times
            for made in pairwise(replaced):
                self.count[made] += times
                if new in made:
                    self.places[made].add(index)
                    fresh.add(made)
            self.words[index] = replaced
        return fresh


def _replaced(word: list[int], pair: Pair, new: int) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(word):
        both = at + 1 < len(word) and (word[at], word[at + 1]) == pair
        found.append(new if both else word[at])
        at += 2 if both else 1
    return found
