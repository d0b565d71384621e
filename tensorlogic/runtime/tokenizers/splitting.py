"""How texts are split into words before byte pair encoding: the patterns of known tokenizers, and no others.

A pattern from a file is never run as it is: one can be written that takes hours.
"""

import re
import sys
import unicodedata
from functools import cache

SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTRACTIONS = "'(?:[sdmt]|ll|ve|re)"
_END = "[{S}]+(?![^{S}])|[{S}]+"
_LATER = "(?i:" + _CONTRACTIONS + ")|[^\r\n{L}{N}]?[{L}]+|[{N}]%s| ?[^{S}{L}{N}]+[\r\n]*|[{S}]*[\r\n]+|" + _END
PATTERNS = {
    "gpt2": _CONTRACTIONS + "| ?[{L}]+| ?[{N}]+| ?[^{S}{L}{N}]+|" + _END,
    "llama3": _LATER % "{{1,3}}",
    "qwen2": _LATER % "",
}
# How tokenizer.json spells them, and what GGUF calls them.
SPELLINGS = {
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+": "llama3",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+": "qwen2",
}
GGUF_NAMES = {"gpt-2": "gpt2", "llama-bpe": "llama3", "llama3": "llama3", "llama-v3": "llama3", "qwen2": "qwen2", "stablelm2": "qwen2"}


@cache
def splitter(name: str) -> re.Pattern[str]:
    """The pattern with this name; its matches are the words of a text, one behind the other."""
    letters, numbers = _ranges("L"), _ranges("N")
    return re.compile(PATTERNS[name].format(L=letters, N=numbers, S=SPACE))


@cache
def _ranges(category: str) -> str:
    r"""`\p{L}` or `\p{N}`, which Python's patterns do not have, for between brackets."""
    inside = [unicodedata.category(chr(code))[0] == category for code in range(sys.maxunicode // 4)]  # no letters are assigned behind
    edges = [code for code in range(1, len(inside)) if inside[code] != inside[code - 1]]
    return "".join(f"{chr(start)}-{chr(stop - 1)}" for start, stop in zip(edges[::2], edges[1::2], strict=True))
