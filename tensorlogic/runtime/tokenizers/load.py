"""`load_tokenizer`: which file it is, from its name and its first bytes, and the reader for it."""

import base64
import binascii
import os
from typing import Any

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats import FormatError, read_header, shown
from tensorlogic.formats.errors import Malformed
from tensorlogic.formats.files import located
from tensorlogic.runtime.data.json_files import json_value
from tensorlogic.runtime.data.text_files import whole_bytes, whole_text
from tensorlogic.runtime.tokenizers.byte_level import ByteLevel
from tensorlogic.runtime.tokenizers.hugging_face import BEGINNINGS, ENDS, byte_level, first_of, read_tokenizer, vocabulary
from tensorlogic.runtime.tokenizers.sentencepiece import read_sentencepiece, tokenizer_of
from tensorlogic.runtime.tokenizers.splitting import GGUF_NAMES
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer

MAX_FILE = 1 << 27
PAIRS = {"encoder.json": "vocab.bpe", "vocab.json": "merges.txt"}  # a vocabulary, and its merges beside it
END = "<|endoftext|>"
# tiktoken's files say neither their pattern nor their special tokens: both follow from how many tokens there are.
RANKS = {
    50256: ("gpt2", {END: 50256}),
    100256: ("llama3", {END: 100257}),
    128000: ("llama3", {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001}),
}


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """A tokenizer from a file or a folder: tokenizer.json, SentencePiece's .model, tiktoken's ranks, a vocabulary with its merges, GGUF.

    TL0606 where there is none, TL0604 for a file that is damaged or of a kind that is not read: nothing is guessed, and nothing in it runs.
    """
    path = os.fspath(path)
    try:
        with located(path):
            return _folder(path) if os.path.isdir(path) else _file(path)
    except FormatError as problem:
        raise TensorLogicError(problem.diagnostic()) from None


def _folder(folder: str) -> Tokenizer:
    names = sorted(os.listdir(folder))
    wanted = ["tokenizer.json", "tokenizer.model", *PAIRS, *(n for n in names if n.endswith((".tiktoken", ".model", ".gguf")))]
    found = next((name for name in wanted if name in names and (name not in PAIRS or PAIRS[name] in names)), None)
    if found is None:
        raise Malformed("has no tokenizer in it: no tokenizer.json, .model, .tiktoken, vocab.json with merges.txt, or GGUF", code="TL0606")
    tokenizer = load_tokenizer(os.path.join(folder, found))
    _name_ends(tokenizer, os.path.join(folder, "tokenizer_config.json"))
    return tokenizer


def _name_ends(tokenizer: Tokenizer, path: str) -> None:
    """Which tokens begin and end a text, as the configuration beside a tokenizer says."""
    config = _json(path) if os.path.exists(path) else {}
    tokens = {**tokenizer.algorithm.tokens, **tokenizer.added}
    for key in ("bos", "eos"):
        name = config.get(f"{key}_token") if isinstance(config, dict) else None
        name = name.get("content") if isinstance(name, dict) else name
        if isinstance(name, str) and name in tokens:
            setattr(tokenizer, key, tokens[name])


def _json(path: str) -> Any:
    return json_value(path, whole_text(path, MAX_FILE))


def _file(path: str) -> Tokenizer:
    name = os.path.basename(path)
    vocabulary_of = {merges: vocabulary for vocabulary, merges in PAIRS.items()}
    if name in PAIRS or name in vocabulary_of:
        beside = os.path.join(os.path.dirname(path), PAIRS.get(name) or vocabulary_of[name])
        return _pair_of_files(*(path, beside) if name in PAIRS else (beside, path))
    if name.endswith(".json"):
        return read_tokenizer(_json(path))
    data = whole_bytes(path, MAX_FILE) if not name.endswith(".gguf") else b"GGUF"
    if data.startswith(b"GGUF"):
        return _from_gguf(path)
    return _from_ranks(data) if _looks_like_ranks(data) else read_sentencepiece(data)


# --- GPT-2's two files, tiktoken's one -------------------------------------------------------------------------------


def _pair_of_files(vocabulary_path: str, merges_path: str) -> Tokenizer:
    tokens = vocabulary(_json(vocabulary_path))
    lines = whole_text(merges_path, MAX_FILE).split("\n")
    lines = lines[1:] if lines[0].startswith("#version") else lines
    algorithm = byte_level(tokens, _ranked([line for line in lines if line], tokens), "gpt2")
    return _ending(algorithm, {END: tokens[END]} if END in tokens else {})


def _ranked(lines: list[str] | tuple, tokens: dict[str, int]) -> dict[tuple[str, str], int]:
    pairs: dict[tuple[str, str], int] = {}
    for rank, line in enumerate(lines):
        left, _, right = line.partition(" ")
        if not right or left + right not in tokens or left not in tokens or right not in tokens:
            raise Malformed("has a merge that is not two tokens which make a third", f"merge {rank}: {shown(line)}")
        pairs.setdefault((left, right), rank)
    return pairs


def _ending(algorithm: ByteLevel, added: dict[str, int]) -> Tokenizer:
    return Tokenizer(algorithm, added, frozenset(added), first_of(added, BEGINNINGS), first_of(added, ENDS))


def _looks_like_ranks(data: bytes) -> bool:
    token, _, rank = data[:4096].split(b"\n", 1)[0].partition(b" ")
    return rank.strip().isdigit() and token.isascii()


def _from_ranks(data: bytes) -> Tokenizer:
    ids: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        token, _, rank = line.partition(b" ")
        try:
            ids[base64.b64decode(token, validate=True)] = int(rank[:10])
        except (binascii.Error, ValueError):
            raise Malformed("has a line that is not a token in base 64 and its rank", f"line {number}") from None
    if sorted(ids.values()) != list(range(len(ids))) or not all(bytes([byte]) in ids for byte in range(256)):
        raise Malformed("is no list of ranks: each from 0 on once, with a token for every byte")
    if len(ids) not in RANKS:
        raise Malformed(f"has {len(ids):,} tokens; of tiktoken's files, those with {', '.join(f'{n:,}' for n in RANKS)} are known")
    pattern, added = RANKS[len(ids)]
    return _ending(ByteLevel(ids, None, pattern), added)


# --- GGUF ------------------------------------------------------------------------------------------------------------


def _from_gguf(path: str) -> Tokenizer:
    values = read_header(path).metadata
    kind, tokens = values.get("tokenizer.ggml.model"), values.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, tuple) or not all(isinstance(token, str) for token in tokens):
        raise Malformed("has no tokenizer in it", advice="name the file of its tokenizer")
    if kind == "gpt2":
        return _gguf_bytes(values, tokens)
    if kind == "llama":
        return _gguf_pieces(values, tokens)
    raise Malformed(f"has a tokenizer of the kind {shown(kind)}; gpt2 and llama are read")


def _gguf_bytes(values: Any, tokens: tuple[str, ...]) -> Tokenizer:
    pattern, ids = GGUF_NAMES.get(values.get("tokenizer.ggml.pre")), {token: id for id, token in enumerate(tokens)}
    if pattern is None:
        raise Malformed(f"splits texts by the rules {shown(values.get('tokenizer.ggml.pre'))}; {', '.join(GGUF_NAMES)} are read")
    merges, kinds = values.get("tokenizer.ggml.merges"), values.get("tokenizer.ggml.token_type")
    if not isinstance(merges, tuple) or not isinstance(kinds, tuple) or len(kinds) != len(tokens):
        raise Malformed("has a vocabulary without merges, or with other numbers of tokens and their types")
    added = {token: id for id, (token, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind in (3, 4)}
    special = frozenset(token for token, id in added.items() if kinds[id] == 3)
    algorithm = byte_level(ids, _ranked(merges, ids), pattern, pattern == "llama3")
    return Tokenizer(algorithm, added, special, _gguf_id(values, "bos", tokens), _gguf_id(values, "eos", tokens))


def _gguf_pieces(values: Any, tokens: tuple[str, ...]) -> Tokenizer:
    scores, kinds = values.get("tokenizer.ggml.scores"), values.get("tokenizer.ggml.token_type")
    if not isinstance(scores, tuple) or not isinstance(kinds, tuple) or not len(tokens) == len(scores) == len(kinds):
        raise Malformed("has other numbers of tokens, scores and types of tokens")
    prefix = values.get("tokenizer.ggml.add_space_prefix", True) is not False
    bos, eos = _gguf_id(values, "bos", tokens), _gguf_id(values, "eos", tokens)
    return tokenizer_of(list(zip(tokens, scores, kinds, strict=True)), False, prefix, False, bos, eos)


def _gguf_id(values: Any, key: str, tokens: tuple[str, ...]) -> int | None:
    """4294967295, which is -1, stands in some files for none."""
    found = values.get(f"tokenizer.ggml.{key}_token_id")
    return found if isinstance(found, int) and found < len(tokens) else None
