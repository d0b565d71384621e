"""Builtins of tokenizers: read, made from a text, trained and written; text to ids and back."""

from tensorlogic.stdlib.costs import FREE
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin("load_tokenizer(path: string) -> Tokenizer", effect="file")
def load_tokenizer(path):
    """A tokenizer from a folder or file: tokenizer.json, SentencePiece .model, tiktoken ranks, GPT-2's vocabulary and merges, GGUF."""
    return runtime.tokenizers.load_tokenizer(path)


@builtin("save_tokenizer(tokenizer: Tokenizer, path: string) -> void", effect="file")
def save_tokenizer(tokenizer, path):
    """Write a tokenizer as tokenizer.json."""
    return runtime.tokenizers.save_tokenizer(tokenizer, path)


@builtin("char_tokenizer(text: string) -> Tokenizer")
def char_tokenizer(text):
    """A tokenizer with a token for each different character of a text."""
    return runtime.tokenizers.char_tokenizer(text)


@builtin("word_tokenizer(text: string) -> Tokenizer")
def word_tokenizer(text):
    """A tokenizer with a token for each different word of a text, and `<unk>` for all others."""
    return runtime.tokenizers.word_tokenizer(text)


@builtin("train_bpe(text: string, vocab_size: int) -> Tokenizer where vocab_size >= 257")
def train_bpe(text, vocab_size):
    """A byte-level BPE tokenizer learnt from a text: 256 bytes, merges, `<|endoftext|>`."""
    return runtime.tokenizers.train_bpe(text, vocab_size)


@builtin("encode(tokenizer: Tokenizer, text: string, special: bool = false) -> int64[?]", cost=FREE)
def encode(tokenizer, text, special=False):
    """The ids of a text. With `special`, names of special tokens in it, such as `<|endoftext|>`, become these tokens."""
    return tokenizer.encode(text, special)


@builtin("decode(tokenizer: Tokenizer, ids: int64[N]) -> string", "decode(tokenizer: Tokenizer, ids: [int]) -> string", cost=FREE)
def decode(tokenizer, ids):
    """The text of ids."""
    return tokenizer.decode(ids)


@builtin("token_id(tokenizer: Tokenizer, token: string) -> int")
def token_id(tokenizer, token):
    """The id of one token by its name, such as `<|endoftext|>`."""
    return tokenizer.token_id(token)


@builtin(".vocab_size(tokenizer: Tokenizer) -> int")
def vocab_size(tokenizer):
    """How many ids there are: the rows of an embedding."""
    return tokenizer.vocab_size


@builtin(".eos_id(tokenizer: Tokenizer) -> int")
def eos_id(tokenizer):
    """The id that ends a text."""
    return tokenizer.eos_id


@builtin(".bos_id(tokenizer: Tokenizer) -> int")
def bos_id(tokenizer):
    """The id that begins a text."""
    return tokenizer.bos_id
