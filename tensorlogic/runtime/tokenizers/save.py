"""`save_tokenizer`: a tokenizer as a tokenizer.json, which Hugging Face's library reads too."""

import json
from typing import Any

from tensorlogic.diagnostics.diagnostic import Diagnostic, TensorLogicError
from tensorlogic.runtime.tokenizers.byte_level import ByteLevel, merges_of, written
from tensorlogic.runtime.tokenizers.hugging_face import CHARACTERS
from tensorlogic.runtime.tokenizers.splitting import SPELLINGS
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer
from tensorlogic.runtime.tokenizers.words import Words
from tensorlogic.runtime.weights.atomic import write_atomically


def save_tokenizer(tokenizer: Tokenizer, path: str) -> None:
    """Write a byte-level, word or character tokenizer. TL0305 for one that came from SentencePiece: copy its file."""
    match tokenizer.algorithm:
        case ByteLevel() as algorithm:
            parts = _byte_level(algorithm)
        case Words() as algorithm:
            parts = _words(algorithm)
        case _:
            help = ("copy the file that it was read from",)
            raise TensorLogicError(Diagnostic("TL0305", "a tokenizer of SentencePiece's kind is not written", help=help))
    added = [_added(tokenizer, token, id) for token, id in sorted(tokenizer.added.items(), key=lambda item: item[1])]
    frame = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "post_processor": None}
    write_atomically(path, [json.dumps({**frame, **parts}, ensure_ascii=False, indent=1).encode("utf-8", errors="surrogatepass")])


def _added(tokenizer: Tokenizer, token: str, id: int) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": id, "content": token, **flags, "special": token in tokenizer.special}


def _byte_level(algorithm: ByteLevel) -> dict[str, Any]:
    merges = merges_of(algorithm.ids) if algorithm.merges is None else sorted(algorithm.merges, key=algorithm.merges.__getitem__)
    step: dict[str, Any] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": algorithm.pattern == "gpt2"}
    spelled = next(text for text, name in SPELLINGS.items() if name == algorithm.pattern)
    split = {"type": "Split", "pattern": {"Regex": spelled}, "behavior": "Isolated", "invert": False}
    splits = step if algorithm.pattern == "gpt2" else {"type": "Sequence", "pretokenizers": [split, step]}
    pairs = [[written(left), written(right)] for left, right in merges]
    model = {"type": "BPE", **_BPE, "ignore_merges": algorithm.whole, "vocab": dict(algorithm.tokens), "merges": pairs}
    return {"pre_tokenizer": splits, "decoder": {**step, "use_regex": True}, "model": model}


_BPE = {
    "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
    "byte_fallback": False,
}  # fmt: skip


def _words(algorithm: Words) -> dict[str, Any]:
    split: dict[str, Any] = {"type": "Whitespace"}
    if algorithm.chars:
        split = {"type": "Split", "pattern": {"Regex": CHARACTERS}, "behavior": "Isolated", "invert": False}
    model = {"type": "WordLevel", "vocab": dict(algorithm.tokens), "unk_token": algorithm.unknown or ""}
    return {"pre_tokenizer": split, "decoder": {"type": "Fuse"} if algorithm.chars else None, "model": model}
