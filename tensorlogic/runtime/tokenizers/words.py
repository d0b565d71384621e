"""Tokenizers of whole words, and of characters, whose tokens are those of one text."""

import re
from collections.abc import Mapping, Sequence

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.formats import shown
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer

UNKNOWN = "<unk>"
WORD = re.compile(r"\w+|[^\w\s]+")
_SPACE_BEFORE = re.compile(r" (?=[.,;:!?)\]}%])|(?<=[(\[{]) ")


class Words:
    """`tokens` by name. `chars`: each character is a token, otherwise words and runs of other signs; `unknown` stands for all others."""

    def __init__(self, tokens: Mapping[str, int], chars: bool, unknown: str | None) -> None:
        self.tokens, self.chars, self.unknown = tokens, chars, unknown
        self.names = {id: token for token, id in tokens.items()}
        self.fallback = tokens[unknown] if unknown is not None else None

    def encode(self, text: str) -> list[int]:
        """TL0602 for what is no token, where nothing stands for the unknown."""
        found = [self.tokens.get(word, self.fallback) for word in (text if self.chars else WORD.findall(text))]
        if None in found:
            at = found.index(None)
            word = text[at] if self.chars else WORD.findall(text)[at]
            help = ("make the tokenizer from a text that has it",)
            raise TensorLogicError(Diagnostic("TL0602", f"the tokenizer has no token for `{shown(word)}`", help=help))
        return [id for id in found if id is not None]

    def decode(self, ids: Sequence[int]) -> str:
        """Characters one behind the other; words with spaces between, none before a full stop or a comma."""
        names = [self.names.get(id, "") for id in ids]
        return "".join(names) if self.chars else _SPACE_BEFORE.sub("", " ".join(names))


def char_tokenizer(text: str) -> Tokenizer:
    """A token for each character of the text, in the order of Unicode. TL0311 for an empty text."""
    return Tokenizer(Words(_numbered(sorted(set(text))), True, None))


def word_tokenizer(text: str) -> Tokenizer:
    """A token for each word and each run of signs of the text, in the order of Unicode, and `<unk>` for all others. TL0311 as above."""
    return Tokenizer(Words(_numbered([*sorted(set(WORD.findall(text))), UNKNOWN]), False, UNKNOWN))


def _numbered(tokens: list[str]) -> dict[str, int]:
    if not tokens or tokens == [UNKNOWN]:
        raise TensorLogicError(Diagnostic("TL0311", "a tokenizer cannot be made of a text without words"))
    return {token: id for id, token in enumerate(tokens)}
